"""MedicationAdministration: status, times, route, rate, drugs and people, as they stand or unknown."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ivpush.readers import Note, ReadOptions
from tests.readers.fhir.samples import (
    ENCOUNTER,
    MEDICATION,
    SCT,
    administration,
    bundle,
    by_reference,
    charted,
    dosed,
    encounter_of,
    only,
    readings,
    refused,
    texts,
)

# Status


@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_what_was_never_given_is_no_administration(status: str) -> None:
    encounter, notes = encounter_of(administration(status=status))
    assert encounter.administrations == ()
    assert notes == ["an administration was never given, as its status says"]


def test_stu3_says_by_a_flag_that_nothing_was_given() -> None:
    encounter, _ = encounter_of(administration(notGiven=True))
    assert encounter.administrations == ()


@pytest.mark.parametrize("status", ["unknown", "ended", None])
def test_a_status_that_does_not_say_whether_it_was_given_sets_aside(status: str | None) -> None:
    assert "MedicationAdministration.status" in refused(administration(status=status))


@pytest.mark.parametrize("status", ["completed", "in-progress", "on-hold", "stopped"])
def test_what_was_given_is_charted(status: str) -> None:
    assert charted(administration(status=status)).start is not None


def test_a_cancelled_encounter_with_a_chart_contradicts_itself() -> None:
    never = {**ENCOUNTER, "status": "cancelled"}
    assert "status" in refused(bundle(never, administration()))
    (note,) = readings(texts(never))
    assert isinstance(note, Note)


# Times


def test_a_stop_that_equals_its_start_is_unknown() -> None:
    at = "2026-03-02T10:00:00-06:00"
    encounter, notes = encounter_of(administration(effectivePeriod={"start": at, "end": at}))
    assert only(encounter).stop is None and only(encounter).start is not None
    assert len(notes) == 1


def test_a_stop_that_a_system_fills_in_is_marked_as_defaulted() -> None:
    icu = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-method-icu"
    method = {"coding": [{"system": icu, "code": "Drug Push"}]}
    short = {"start": "2026-03-02T10:00:00-06:00", "end": "2026-03-02T10:01:00-06:00"}
    push = charted(administration(dosage={"method": method}, effectivePeriod=short))
    assert (push.method, push.times_from) == ("push", "defaulted")
    other = charted(administration(dosage={"method": {"text": "push"}}, effectivePeriod=short))
    assert (other.stop is not None, other.times_from) == (True, None)
    longer = {**short, "end": "2026-03-02T10:02:00-06:00"}
    assert (
        charted(administration(dosage={"method": method}, effectivePeriod=longer)).times_from
        is None
    )


def test_an_instant_is_a_start_without_a_stop() -> None:
    push = charted(administration(effectivePeriod=None, effectiveDateTime="2026-03-02T10:00:00Z"))
    assert push.start == datetime.fromisoformat("2026-03-02T10:00:00+00:00")
    assert push.stop is None


def test_a_date_alone_dates_the_encounter_and_leaves_the_time_unknown() -> None:
    encounter, notes = encounter_of(
        administration(effectivePeriod=None, effectiveDateTime="2026-03-02")
    )
    assert only(encounter).start is None
    assert encounter.service_date == date(2026, 3, 2)
    assert any("without a time" in note for note in notes)


@pytest.mark.parametrize("written", ["2026", "2026-03"])
def test_a_year_alone_is_no_date(written: str) -> None:
    said = refused(administration(effectivePeriod=None, effectiveDateTime=written))
    assert "date is not stated anywhere" in said


@pytest.mark.parametrize(
    "written",
    ["2026-02-30", "tomorrow", "2026-03-02T25:00:00Z", 20260302, "2026-03-02T10:00:00+99:00"],
)
def test_a_time_that_is_none_is_refused_without_its_value(written: Any) -> None:
    said = refused(administration(effectivePeriod=None, effectiveDateTime=written))
    assert "effectiveDateTime" in said
    assert str(written) not in said


def test_the_callers_zone_gives_the_local_date() -> None:
    late = administration(effectivePeriod=None, effectiveDateTime="2026-03-03T04:30:00Z")
    chicago = ReadOptions(setting="facility", timezone="America/Chicago")
    assert encounter_of(late, options=chicago)[0].service_date == date(2026, 3, 2)
    assert encounter_of(late)[0].service_date == date(2026, 3, 3)


def test_times_with_and_without_an_offset_need_a_zone() -> None:
    naive = administration(id="a2", effectivePeriod=None, effectiveDateTime="2026-03-02T10:00:00")
    assert "timezone" in refused(bundle(ENCOUNTER, administration(), naive))


# Route, method, rate, dose


def test_an_unknown_term_is_unknown_and_noted() -> None:
    encounter, notes = encounter_of(
        dosed(route={"coding": [{"system": SCT, "code": "1"}], "text": "magic"})
    )
    assert only(encounter).route is None
    assert notes == ["dosage.route holds a term that rules/terms.yaml does not know"]


def test_codings_that_contradict_each_other_leave_the_route_unknown() -> None:
    both = {"coding": [{"system": SCT, "code": "47625008"}, {"system": SCT, "code": "78421000"}]}
    encounter, notes = encounter_of(dosed(route=both))
    assert only(encounter).route is None
    assert any("two things" in note for note in notes)


def test_a_coding_wins_over_the_text_beside_it() -> None:
    route = {"coding": [{"system": SCT, "code": "78421000"}], "text": "IV"}
    assert charted(dosed(route=route)).route == "IM"


def test_the_routes_own_element_wins_over_the_method() -> None:
    encounter, notes = encounter_of(dosed(route={"text": "IM"}, method={"text": "IV push"}))
    assert (only(encounter).route, only(encounter).method) == ("IM", "push")
    assert any("two routes" in note for note in notes)


def test_a_device_in_the_method_is_an_access_and_no_technique() -> None:
    drip = charted(dosed(route={"text": "IV"}, method={"text": "PICC line"}))
    assert (drip.access, drip.method) == ("picc", None)


@pytest.mark.parametrize(
    ("rate", "hourly", "minutes"),
    [
        (
            {
                "rateRatio": {
                    "numerator": {"value": 100, "code": "mL"},
                    "denominator": {"value": 1, "code": "h"},
                }
            },
            100,
            None,
        ),
        (
            {
                "rateRatio": {
                    "numerator": {"value": 1, "unit": "L"},
                    "denominator": {"value": 8, "unit": "h"},
                }
            },
            125,
            None,
        ),
        (
            {
                "rateRatio": {
                    "numerator": {"value": 2, "code": "mL"},
                    "denominator": {"value": 1, "code": "min"},
                }
            },
            120,
            None,
        ),
        ({"rateQuantity": {"value": 125, "unit": "ml/hr", "code": "mL/h"}}, 125, None),
        ({"rateQuantity": {"value": 2, "code": "mL/min"}}, 120, None),
        ({"rateQuantity": {"value": 2, "unit": "milliliters per hour", "code": "mL/h"}}, 2, None),
        (
            {
                "rateRatio": {
                    "numerator": {"value": 250, "unit": "milliliter", "code": "mL"},
                    "denominator": {"value": 1, "unit": "hour", "code": "h"},
                }
            },
            250,
            None,
        ),
        ({"rateQuantity": {"value": 4, "unit": "min", "code": "min"}}, None, 4),
        ({"rateQuantity": {"value": 2, "unit": "h"}}, None, 120),
        ({"rateQuantity": {"value": 90, "code": "s"}}, None, 1),
        ({"rateQuantity": {"value": 8, "unit": "L/min", "code": "mL/min"}}, None, None),
        ({"rateQuantity": {"value": 5, "code": "mg/h"}}, None, None),
        (
            {
                "rateRatio": {
                    "numerator": {"value": 100, "code": "mL"},
                    "denominator": {"value": 0, "code": "h"},
                }
            },
            None,
            None,
        ),
    ],
)
def test_a_rate_is_a_volume_in_a_time(rate: Any, hourly: int | None, minutes: int | None) -> None:
    encounter, notes = encounter_of(dosed(route={"text": "IV"}, **rate))
    assert (only(encounter).rate_ml_per_hour, only(encounter).minutes) == (hourly, minutes)
    assert notes or hourly is not None


def test_a_dose_in_millilitres_is_a_volume_as_well() -> None:
    bag = charted(dosed(dose={"value": 1, "unit": "L"}))
    assert (bag.dose, bag.dose_unit, bag.volume_ml) == (Decimal(1), "L", Decimal(1000))
    push = charted(dosed(dose={"value": 4, "unit": "mg"}))
    assert (push.dose, push.dose_unit, push.volume_ml) == (Decimal(4), "mg", None)


def test_the_text_of_a_dosage_is_never_taken_for_the_chart() -> None:
    encounter, notes = encounter_of(administration(dosage={"text": "over 120 min, Zebra"}))
    assert only(encounter).minutes is None
    assert any("another duration" in note for note in notes)
    assert not any("Zebra" in note for note in notes)


def test_a_method_that_says_not_given_is_not_given() -> None:
    mimic = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-method"
    method = {"coding": [{"system": mimic, "code": "Not Given"}]}
    assert encounter_of(dosed(method=method))[0].administrations == ()


def test_a_purpose_is_read_where_a_term_says_so() -> None:
    assert charted(dosed(method={"text": "Flush"})).purpose == "flush"
    assert charted(administration(reasonCode=[{"text": "Hydration"}])).purpose == "hydration"


# Drugs and people


@pytest.mark.parametrize(
    ("reference", "extra"),
    [
        ({"reference": "#m1"}, {"contained": [MEDICATION]}),
        ({"reference": "Medication/m1"}, {}),
        ({"reference": "https://here.example/fhir/Medication/m1"}, {}),
        ({"reference": "Medication/m1/_history/2"}, {}),
        ({"identifier": {"system": "urn:x", "value": "7"}}, {}),
        ({"reference": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}, {}),
    ],
)
def test_a_medication_is_found_however_it_is_named(reference: Any, extra: Any) -> None:
    medication = {**MEDICATION, "identifier": [{"system": "urn:x", "value": "7"}]}
    chart = bundle(by_reference(reference, **extra))
    if not extra:
        chart["entry"].append(
            {"fullUrl": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", "resource": medication}
        )
    drug = charted(chart)
    assert (drug.drug, drug.ndc, drug.hcpcs) == ("morphine", "00409189001", "J2270")


def test_a_medication_that_is_not_there_is_noted() -> None:
    encounter, notes = encounter_of(
        by_reference({"reference": "Medication/gone", "display": "morphine"})
    )
    assert only(encounter).drug == "morphine"
    assert any("not in the input" in note for note in notes)


def test_a_code_without_words_keeps_drugs_apart() -> None:
    rx = "http://www.nlm.nih.gov/research/umls/rxnorm"
    concept = {"coding": [{"system": rx, "code": "1594660"}]}
    assert charted(administration(medicationCodeableConcept=concept)).drug == "rxnorm 1594660"


def test_a_performer_is_an_id_and_never_a_name() -> None:
    who = [{"actor": {"reference": "Practitioner/n7", "display": "Zebra"}}]
    assert charted(administration(performer=who)).performer == "n7"
    named = [{"actor": {"display": "Zebra"}}]
    assert charted(administration(performer=named)).performer is None


def test_an_order_counts_only_where_it_is_here_and_in_force() -> None:
    chart = administration(request={"reference": "MedicationRequest/r1"})
    assert charted(chart).ordered is None
    order = {"resourceType": "MedicationRequest", "id": "r1", "status": "active", "intent": "order"}
    assert charted(bundle(chart, order)).ordered is True
    draft = {**order, "status": "draft"}
    assert charted(bundle(chart, draft)).ordered is None


def test_r5_is_read_like_r4() -> None:
    chart = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medication": {"concept": {"text": "ondansetron"}},
        "encounter": {"reference": "Encounter/e1"},
        "occurencePeriod": {"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T10:02:00Z"},
        "performer": [{"actor": {"reference": {"reference": "Practitioner/n7"}}}],
        "dosage": {"route": {"text": "IV"}, "method": {"text": "push"}},
    }
    where = {**ENCOUNTER, "actualPeriod": {"start": "2026-03-02T09:00:00Z"}}
    encounter, _ = encounter_of(bundle(where, chart))
    push = only(encounter)
    assert (push.drug, push.performer, push.method) == ("ondansetron", "n7", "push")
    assert push.stop is not None and encounter.start is not None and encounter.id == "e1"
    linked = {**chart, "medication": {"reference": {"reference": "Medication/m1"}}}
    assert charted(bundle(where, linked, MEDICATION)).hcpcs == "J2270"
