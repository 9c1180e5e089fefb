"""FHIR in: what stands in a resource is read truly, what does not is unknown, and nothing is lost."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.contract.encounter import Administration, Encounter
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.fhir.reader import read, read_together, sniff

DATA = Path(__file__).resolve().parents[2] / "data" / "fhir"
HERE = ReadOptions(setting="facility")
SCT = "http://snomed.info/sct"
CPT = "http://www.ama-assn.org/go/cpt"
CANARIES = ("Donald", "Duck", "Pump", "Careful", "Zebra", "MRN-4711")


def texts(*resources: Any) -> bytes:
    return "\n".join(json.dumps(one) for one in resources).encode()


def found(text: bytes, options: ReadOptions = HERE) -> list[Any]:
    return list(read("f", io.BytesIO(text), options))


def one(*resources: Any, options: ReadOptions = HERE) -> tuple[Encounter, list[str]]:
    """The only encounter of some resources, and the notes."""
    every = found(texts(*resources), options)
    (record,) = [x for x in every if not isinstance(x, Note)]
    assert isinstance(record, Record), str(record.error)
    return record.encounter, [x.message for x in every if isinstance(x, Note)]


def refused(*resources: Any, options: ReadOptions = HERE) -> str:
    (aside,) = [x for x in found(texts(*resources), options) if not isinstance(x, Note)]
    assert isinstance(aside, SetAside)
    return str(aside.error)


def given_one(**changes: Any) -> dict[str, Any]:
    made = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ondansetron"},
        "subject": {"reference": "Patient/p", "display": "Zebra"},
        "context": {"reference": "Encounter/e1"},
        "effectivePeriod": {
            "start": "2026-03-02T10:00:00-06:00",
            "end": "2026-03-02T10:02:00-06:00",
        },
        "dosage": {"route": {"coding": [{"system": SCT, "code": "47625008"}]}},
    }
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def dosed(**dosage: Any) -> dict[str, Any]:
    return given_one(dosage=dosage)


def claim(kind: str = "institutional", *items: Any, **more: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Claim",
        "id": "c1",
        "status": "active",
        "use": "claim",
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": kind}]
        },
        "item": list(items) or [item("96374")],
    }
    made.update(more)
    return {key: value for key, value in made.items() if value is not None}


def item(code: str, sequence: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "productOrService": {"coding": [{"system": CPT, "code": code}]},
        "quantity": {"value": 1},
        "servicedDate": "2026-03-02",
        **more,
    }


def bundle(*resources: Any, kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": x} for x in resources]}


ENCOUNTER = {"resourceType": "Encounter", "id": "e1", "status": "finished"}


def only(encounter: Encounter) -> Administration:
    assert encounter.administrations is not None
    (made,) = encounter.administrations
    return made


# Files of the wild


def example(name: str) -> tuple[list[Record], list[SetAside], list[str]]:
    every = found((DATA / name).read_bytes())
    return (
        [x for x in every if isinstance(x, Record)],
        [x for x in every if isinstance(x, SetAside)],
        [x.message for x in every if isinstance(x, Note)],
    )


READABLE = {
    "Encounter-emerg.json",
    "Encounter-f203.json",
    "ExplanationOfBenefit-Outpatient.json",
    "eobReadCarrierWithMultipleLines-v2.json",
    "qicore-MedicationAdministration-example.json",
    "stu3-MedicationAdministration.json",
    *(
        f"MedicationAdministration-medadmin{n}.json"
        for n in ("0301", "0302", "0304", "0306", "0307", "0308", "0310", "example03")
    ),
}
REASONS = {
    "Claim-860150.json": "no item bills a CPT or HCPCS code",
    "Claim-960150.json": "no item bills a CPT or HCPCS code",
    "ExplanationOfBenefit-EB3500.json": "only institutional and professional claims",
    "ClaimResponse-R3500.json": "another type",
    "CodeSystem-v2-0162.json": "another type",
    "CodeSystem-v2-0165.json": "another type",
    "CodeSystem-mimic-medication-method.json": "another type",
    "CodeSystem-mimic-medication-method-icu.json": "another type",
}


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.json")))
def test_every_file_is_read_or_refused_for_its_true_reason(name: str) -> None:
    text = (DATA / name).read_bytes()
    assert sniff(text[:4096])
    records, aside, notes = example(name)
    assert len(records) + len(aside) == 1
    assert (name in READABLE) == bool(records)
    if aside:
        assert REASONS[name] in str(aside[0].error)
    said = "".join(notes) + "".join(str(x.error) for x in aside)
    said += "".join(x.encounter.model_dump_json() for x in records)
    assert not [word for word in CANARIES if word in said]


def test_an_outpatient_explanation_gives_lines_bill_type_and_ndc() -> None:
    (record,), _, notes = example("ExplanationOfBenefit-Outpatient.json")
    encounter = record.encounter
    assert (encounter.setting, encounter.type_of_bill) == ("facility", "0123")
    assert [(x.number, x.code, x.units, x.revenue_code, x.ndc) for x in encounter.lines or ()] == [
        (1, "99213", 3, "0636", None),
        (2, "99453", 3, "0771", None),
        (4, "J2270", 3, "0636", "00409189001"),
    ]
    assert encounter.administrations is None
    assert notes == ["an item bills no CPT or HCPCS code, and is left out"]


def test_a_carrier_explanation_gives_place_modifiers_and_pointers() -> None:
    (record,), _, _ = example("eobReadCarrierWithMultipleLines-v2.json")
    encounter = record.encounter
    assert (encounter.setting, encounter.place_of_service) == ("professional", "11")
    assert len(encounter.lines or ()) == 7
    first = (encounter.lines or ())[0]
    assert (first.code, first.modifiers, first.diagnosis_pointers) == ("92999", ("LT",), (5,))
    assert first.charge == Decimal(75)
    assert encounter.service_date == date(1999, 10, 27)


def test_a_push_by_text_has_no_end_while_it_is_in_progress() -> None:
    (record,), _, notes = example("MedicationAdministration-medadmin0301.json")
    push = only(record.encounter)
    assert (push.route, push.method, push.stop, push.ndc) == ("IV", "push", None, "0069-2587-10")
    assert any("still running" in note for note in notes)


def test_a_duration_in_the_rate_is_minutes_and_the_longer_period_is_kept() -> None:
    (record,), _, notes = example("MedicationAdministration-medadmin0307.json")
    push = only(record.encounter)
    assert (push.method, push.minutes, push.rate_ml_per_hour) == ("push", 4, None)
    assert push.start is not None and push.stop is not None
    assert (push.stop - push.start).total_seconds() == 36_000
    assert sum("another duration" in note or "differs" in note for note in notes) == 2


def test_ingredients_of_a_mixture_hang_in_one_bag() -> None:
    (record,), _, _ = example("MedicationAdministration-medadmin0302.json")
    main, base = record.encounter.administrations or ()
    assert (main.drug, main.rate_ml_per_hour, main.method) == (
        "Potassium Chloride",
        100,
        "infusion",
    )
    assert (base.mixed_with, base.start, base.stop) == (main.id, main.start, main.stop)
    assert base.dose is None


def test_put_off_for_a_contraindication_is_not_given() -> None:
    (record,), _, notes = example("MedicationAdministration-medadminexample03.json")
    assert record.encounter.administrations == ()
    assert any("never given" in note for note in notes)


# Status


@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_what_was_never_given_is_no_administration(status: str) -> None:
    encounter, notes = one(given_one(status=status))
    assert encounter.administrations == ()
    assert notes == ["an administration was never given, as its status says"]


def test_stu3_says_by_a_flag_that_nothing_was_given() -> None:
    encounter, _ = one(given_one(notGiven=True))
    assert encounter.administrations == ()


@pytest.mark.parametrize("status", ["unknown", "ended", None])
def test_a_status_that_does_not_say_whether_it_was_given_sets_aside(status: str | None) -> None:
    assert "MedicationAdministration.status" in refused(given_one(status=status))


@pytest.mark.parametrize("status", ["completed", "in-progress", "on-hold", "stopped"])
def test_what_was_given_is_charted(status: str) -> None:
    assert only(one(given_one(status=status))[0]).start is not None


def test_a_cancelled_encounter_with_a_chart_contradicts_itself() -> None:
    never = {**ENCOUNTER, "status": "cancelled"}
    assert "status" in refused(bundle(never, given_one()))
    (note,) = found(texts(never))
    assert isinstance(note, Note)


# Times


def test_a_stop_that_equals_its_start_is_unknown() -> None:
    at = "2026-03-02T10:00:00-06:00"
    encounter, notes = one(given_one(effectivePeriod={"start": at, "end": at}))
    assert only(encounter).stop is None and only(encounter).start is not None
    assert len(notes) == 1


def test_a_stop_that_a_system_fills_in_is_marked_as_defaulted() -> None:
    icu = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-method-icu"
    method = {"coding": [{"system": icu, "code": "Drug Push"}]}
    short = {"start": "2026-03-02T10:00:00-06:00", "end": "2026-03-02T10:01:00-06:00"}
    push = only(one(given_one(dosage={"method": method}, effectivePeriod=short))[0])
    assert (push.method, push.times_from) == ("push", "defaulted")
    other = only(one(given_one(dosage={"method": {"text": "push"}}, effectivePeriod=short))[0])
    assert (other.stop is not None, other.times_from) == (True, None)
    longer = {**short, "end": "2026-03-02T10:02:00-06:00"}
    assert (
        only(one(given_one(dosage={"method": method}, effectivePeriod=longer))[0]).times_from
        is None
    )


def test_an_instant_is_a_start_without_a_stop() -> None:
    push = only(one(given_one(effectivePeriod=None, effectiveDateTime="2026-03-02T10:00:00Z"))[0])
    assert push.start == datetime.fromisoformat("2026-03-02T10:00:00+00:00")
    assert push.stop is None


def test_a_date_alone_dates_the_encounter_and_leaves_the_time_unknown() -> None:
    encounter, notes = one(given_one(effectivePeriod=None, effectiveDateTime="2026-03-02"))
    assert only(encounter).start is None
    assert encounter.service_date == date(2026, 3, 2)
    assert any("without a time" in note for note in notes)


@pytest.mark.parametrize("written", ["2026", "2026-03"])
def test_a_year_alone_is_no_date(written: str) -> None:
    said = refused(given_one(effectivePeriod=None, effectiveDateTime=written))
    assert "date is not stated anywhere" in said


@pytest.mark.parametrize(
    "written",
    ["2026-02-30", "tomorrow", "2026-03-02T25:00:00Z", 20260302, "2026-03-02T10:00:00+99:00"],
)
def test_a_time_that_is_none_is_refused_without_its_value(written: Any) -> None:
    said = refused(given_one(effectivePeriod=None, effectiveDateTime=written))
    assert "effectiveDateTime" in said
    assert str(written) not in said


def test_the_callers_zone_gives_the_local_date() -> None:
    late = given_one(effectivePeriod=None, effectiveDateTime="2026-03-03T04:30:00Z")
    chicago = ReadOptions(setting="facility", timezone="America/Chicago")
    assert one(late, options=chicago)[0].service_date == date(2026, 3, 2)
    assert one(late)[0].service_date == date(2026, 3, 3)


def test_times_with_and_without_an_offset_need_a_zone() -> None:
    naive = given_one(id="a2", effectivePeriod=None, effectiveDateTime="2026-03-02T10:00:00")
    assert "timezone" in refused(bundle(ENCOUNTER, given_one(), naive))


# Route, method, rate, dose


def test_an_unknown_term_is_unknown_and_noted() -> None:
    encounter, notes = one(dosed(route={"coding": [{"system": SCT, "code": "1"}], "text": "magic"}))
    assert only(encounter).route is None
    assert notes == ["dosage.route holds a term that rules/terms.yaml does not know"]


def test_codings_that_contradict_each_other_leave_the_route_unknown() -> None:
    both = {"coding": [{"system": SCT, "code": "47625008"}, {"system": SCT, "code": "78421000"}]}
    encounter, notes = one(dosed(route=both))
    assert only(encounter).route is None
    assert any("two things" in note for note in notes)


def test_a_coding_wins_over_the_text_beside_it() -> None:
    route = {"coding": [{"system": SCT, "code": "78421000"}], "text": "IV"}
    assert only(one(dosed(route=route))[0]).route == "IM"


def test_the_routes_own_element_wins_over_the_method() -> None:
    encounter, notes = one(dosed(route={"text": "IM"}, method={"text": "IV push"}))
    assert (only(encounter).route, only(encounter).method) == ("IM", "push")
    assert any("two routes" in note for note in notes)


def test_a_device_in_the_method_is_an_access_and_no_technique() -> None:
    drip = only(one(dosed(route={"text": "IV"}, method={"text": "PICC line"}))[0])
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
    encounter, notes = one(dosed(route={"text": "IV"}, **rate))
    assert (only(encounter).rate_ml_per_hour, only(encounter).minutes) == (hourly, minutes)
    assert notes or hourly is not None


def test_a_dose_in_millilitres_is_a_volume_as_well() -> None:
    bag = only(one(dosed(dose={"value": 1, "unit": "L"}))[0])
    assert (bag.dose, bag.dose_unit, bag.volume_ml) == (1, "L", 1000)
    push = only(one(dosed(dose={"value": 4, "unit": "mg"}))[0])
    assert (push.dose, push.dose_unit, push.volume_ml) == (4, "mg", None)


def test_the_text_of_a_dosage_is_never_taken_for_the_chart() -> None:
    encounter, notes = one(given_one(dosage={"text": "over 120 min, Zebra"}))
    assert only(encounter).minutes is None
    assert any("another duration" in note for note in notes)
    assert not any("Zebra" in note for note in notes)


def test_a_method_that_says_not_given_is_not_given() -> None:
    mimic = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-method"
    method = {"coding": [{"system": mimic, "code": "Not Given"}]}
    assert one(dosed(method=method))[0].administrations == ()


def test_a_purpose_is_read_where_a_term_says_so() -> None:
    assert only(one(dosed(method={"text": "Flush"}))[0]).purpose == "flush"
    assert only(one(given_one(reasonCode=[{"text": "Hydration"}]))[0]).purpose == "hydration"


# Drugs and people


MEDICATION = {
    "resourceType": "Medication",
    "id": "m1",
    "code": {
        "coding": [
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "1",
                "display": "morphine",
            },
            {"system": "http://hl7.org/fhir/sid/ndc", "code": "00409189001"},
            {"system": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "J2270"},
        ]
    },
}


def by_reference(reference: dict[str, Any], **more: Any) -> dict[str, Any]:
    return given_one(medicationCodeableConcept=None, medicationReference=reference, **more)


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
    made = bundle(by_reference(reference, **extra))
    if not extra:
        made["entry"].append(
            {"fullUrl": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", "resource": medication}
        )
    drug = only(one(made)[0])
    assert (drug.drug, drug.ndc, drug.hcpcs) == ("morphine", "00409189001", "J2270")


def test_a_medication_that_is_not_there_is_noted() -> None:
    encounter, notes = one(by_reference({"reference": "Medication/gone", "display": "morphine"}))
    assert only(encounter).drug == "morphine"
    assert any("not in the input" in note for note in notes)


def test_a_code_without_words_keeps_drugs_apart() -> None:
    rx = "http://www.nlm.nih.gov/research/umls/rxnorm"
    concept = {"coding": [{"system": rx, "code": "1594660"}]}
    assert only(one(given_one(medicationCodeableConcept=concept))[0]).drug == "rxnorm 1594660"


def test_a_performer_is_an_id_and_never_a_name() -> None:
    who = [{"actor": {"reference": "Practitioner/n7", "display": "Zebra"}}]
    assert only(one(given_one(performer=who))[0]).performer == "n7"
    named = [{"actor": {"display": "Zebra"}}]
    assert only(one(given_one(performer=named))[0]).performer is None


def test_an_order_counts_only_where_it_is_here_and_in_force() -> None:
    made = given_one(request={"reference": "MedicationRequest/r1"})
    assert only(one(made)[0]).ordered is None
    order = {"resourceType": "MedicationRequest", "id": "r1", "status": "active", "intent": "order"}
    assert only(one(bundle(made, order))[0]).ordered is True
    draft = {**order, "status": "draft"}
    assert only(one(bundle(made, draft))[0]).ordered is None


def test_r5_is_read_like_r4() -> None:
    made = {
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
    encounter, _ = one(bundle(where, made))
    push = only(encounter)
    assert (push.drug, push.performer, push.method) == ("ondansetron", "n7", "push")
    assert push.stop is not None and encounter.start is not None and encounter.id == "e1"
    linked = {**made, "medication": {"reference": {"reference": "Medication/m1"}}}
    assert only(one(bundle(where, linked, MEDICATION))[0]).hcpcs == "J2270"


# Claims


def test_the_claims_type_is_the_setting_whatever_the_caller_says() -> None:
    assert one(claim("professional"))[0].setting == "professional"
    assert one(claim("institutional"), options=ReadOptions())[0].setting == "facility"


def test_a_setting_that_nobody_states_is_not_guessed() -> None:
    assert "setting" in refused(given_one(), options=ReadOptions())
    assert "--setting" in refused(claim(type=None), options=ReadOptions())
    assert one(claim(type=None))[0].setting == "facility"


def test_a_line_keeps_what_the_item_says() -> None:
    system = "https://www.nubc.org/CodeSystem/RevenueCodes"
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    made = claim(
        "institutional",
        item(
            "96374",
            3,
            quantity={"value": 2.0},
            net={"value": 12.5, "currency": "USD"},
            modifier=[{"coding": [{"code": "59"}]}],
            diagnosisSequence=[9, 4],
            revenue={"coding": [{"code": "M"}, {"system": system, "code": "0260"}]},
        ),
        diagnosis=[
            {
                "sequence": 9,
                "diagnosisCodeableConcept": {"coding": [{"system": icd, "code": "R11.2"}]},
            },
            {
                "sequence": 4,
                "diagnosisCodeableConcept": {"coding": [{"system": icd, "code": "I10"}]},
            },
        ],
    )
    encounter, _ = one(made)
    (line,) = encounter.lines or ()
    assert encounter.diagnoses == ("I10", "R11.2")
    assert (line.number, line.units, line.modifiers, line.revenue_code) == (3, 2, ("59",), "0260")
    assert (line.charge, line.diagnosis_pointers) == (Decimal("12.5"), (2, 1))


def test_a_claim_without_items_bills_nothing_and_one_of_other_items_is_set_aside() -> None:
    assert one(claim(item=None), options=ReadOptions())[0].lines == ()
    other = {"sequence": 1, "productOrService": {"coding": [{"system": "urn:x", "code": "exam1"}]}}
    assert "no item bills" in refused(claim("institutional", other))


def test_anaesthesia_minutes_are_no_units() -> None:
    timed = item("00100", 2, quantity={"value": 30, "unit": "min"})
    encounter, notes = one(claim("institutional", item("96374"), timed))
    assert [line.code for line in encounter.lines or ()] == ["96374"]
    assert any("minutes" in note for note in notes)


@pytest.mark.parametrize("value", [1.5, -1, "1", True, 10**12])
def test_units_that_are_not_whole_are_refused(value: Any) -> None:
    assert "quantity" in refused(claim("institutional", item("96374", quantity={"value": value})))


def test_a_claim_that_was_withdrawn_is_left_out() -> None:
    encounter, notes = one(bundle(ENCOUNTER, given_one(), claim(status="cancelled")))
    assert encounter.lines is None
    assert any("cancelled" in note for note in notes)
    (note,) = found(texts(claim(use="preauthorization")))
    assert isinstance(note, Note)


def test_an_explanation_of_a_claim_that_is_here_adds_nothing() -> None:
    answer = {
        **claim(),
        "resourceType": "ExplanationOfBenefit",
        "id": "x1",
        "claim": {"reference": "Claim/c1"},
    }
    encounter, notes = one(bundle(claim(), answer))
    assert len(encounter.lines or ()) == 1
    assert any("answers a claim" in note for note in notes)


# What belongs together


def test_chart_and_claim_of_one_encounter_meet() -> None:
    billed = claim("institutional", item("96374", encounter=[{"reference": "Encounter/e1"}]))
    encounter, _ = one(bundle(ENCOUNTER, given_one(), billed, {"resourceType": "Patient"}))
    assert encounter.id == "e1"
    assert len(encounter.administrations or ()) == len(encounter.lines or ()) == 1


def test_resources_of_a_bulk_export_meet_across_files_and_lines() -> None:
    many = [
        given_one(
            id=f"a{n}",
            context={"reference": f"Encounter/e{n % 3}"},
            subject={"reference": f"Patient/{n % 3}"},
        )
        for n in range(9)
    ]
    where = [
        {**ENCOUNTER, "id": f"e{n}", "subject": {"reference": f"Patient/{n}"}} for n in range(3)
    ]
    files = [("enc", io.BytesIO(texts(*where))), ("adm", io.BytesIO(texts(*many)))]
    records = [x for x in read_together(files, HERE) if isinstance(x, Record)]
    assert [x.encounter.id for x in records] == ["e0", "e1", "e2"]
    assert [len(x.encounter.administrations or ()) for x in records] == [3, 3, 3]
    assert records[1].place == "enc:2"


def test_documents_and_lines_of_several_files_meet() -> None:
    billed = claim("institutional", item("96374", encounter=[{"reference": "Encounter/e1"}]))
    whole = json.dumps(ENCOUNTER, indent=1).encode()
    files = [
        ("enc", io.BytesIO(whole)),
        ("adm", io.BytesIO(texts(given_one(), given_one(id="a2")))),
        ("claim", io.BytesIO(json.dumps(billed, indent=1).encode())),
    ]
    (record,) = [x for x in read_together(files, HERE) if isinstance(x, Record)]
    assert (record.place, record.encounter.id, record.encounter.setting) == (
        "enc",
        "e1",
        "facility",
    )
    assert len(record.encounter.administrations or ()) == 2
    assert len(record.encounter.lines or ()) == 1


def test_bundles_on_lines_are_units_of_their_own() -> None:
    first = bundle(ENCOUNTER, given_one(context=None))
    second = bundle({**ENCOUNTER, "id": "e2"}, given_one(context=None))
    records = [x for x in found(texts(first, second)) if isinstance(x, Record)]
    assert [(x.place, x.encounter.id) for x in records] == [
        ("f:1 entry[0]", "e1"),
        ("f:2 entry[0]", "e2"),
    ]


@pytest.mark.parametrize("part", [MEDICATION, {"resourceType": "Patient"}])
def test_what_holds_no_chart_and_no_claim_says_so(part: dict[str, Any]) -> None:
    assert "another type" in refused(part)
    messages = [x.message for x in found(texts(part, part))]
    assert messages[0] == "there is no chart and no claim in it"
    assert next(type(x) for x in found(texts(bundle(part)))) is Note


def test_a_stream_that_cannot_go_back_is_read_all_the_same() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    text = texts(given_one(), given_one(id="a2"))
    (record,) = [x for x in read("f", Pipe(text), HERE) if isinstance(x, Record)]
    assert len(record.encounter.administrations or ()) == 2


def test_unnamed_administrations_join_the_only_encounter_of_a_bundle() -> None:
    encounter, _ = one(bundle(ENCOUNTER, given_one(context=None)))
    assert encounter.id == "e1" and only(encounter).id == "a1"


@pytest.mark.parametrize("kind", ["searchset", "history"])
def test_unnamed_administrations_of_a_search_are_set_aside(kind: str) -> None:
    made = bundle(given_one(context=None), given_one(id="a2", context=None), kind=kind)
    every = found(texts(made))
    assert [type(x) for x in every] == [SetAside, SetAside]
    assert "names no encounter" in str(every[0].error)


def test_unnamed_administrations_beside_two_encounters_are_set_aside() -> None:
    made = bundle(ENCOUNTER, {**ENCOUNTER, "id": "e2"}, given_one(context=None))
    assert [type(x) for x in found(texts(made))] == [Record, Record, SetAside]


def test_two_patients_never_share_an_encounter() -> None:
    other = given_one(id="a2", subject={"reference": "Patient/q"})
    assert "several patients" in refused(bundle(given_one(), other))


def test_several_claims_of_one_encounter_are_a_record_each() -> None:
    name = [{"reference": "Encounter/e1"}]
    made = bundle(
        ENCOUNTER,
        given_one(),
        claim("institutional", item("96374", encounter=name)),
        {**claim("professional", item("96374", encounter=name)), "id": "c2"},
    )
    records = [x for x in found(texts(made)) if isinstance(x, Record)]
    assert [(x.encounter.id, x.encounter.setting) for x in records] == [
        ("e1/c1", "facility"),
        ("e1/c2", "professional"),
    ]
    assert all(len(x.encounter.administrations or ()) == 1 for x in records)


# Bad content


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"resourceType": "Claim", "id": "a", "id": "b"}', "repeats"),
        (b'{"resourceType": "Claim", "x": NaN}', "NaN"),
        (b'{"resourceType": "Claim"', "not JSON"),
        (b'{"resourceType": "Claim", "x": "\xff"}', "UTF-8"),
        (b'{"x":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
        (b"[1]", "no FHIR resource"),
        (b'{"resourceType": "Zebra"}', "another type"),
        (b'{"resourceType": "Bundle", "entry": 7}', "Bundle.entry"),
    ],
)
def test_bad_content_is_set_aside_with_its_reason(text: bytes, said: str) -> None:
    (aside,) = found(text)
    assert isinstance(aside, SetAside)
    assert said in str(aside.error) and "Zebra" not in str(aside.error)


def test_a_bad_line_does_not_spoil_its_neighbours() -> None:
    text = texts(given_one()) + b"\n{oops}\n" + texts(given_one(id="a2"))
    every = found(text)
    assert [type(x) for x in every] == [SetAside, Record]
    assert every[0].place == "f:2"
    assert len(every[1].encounter.administrations) == 2


def test_a_number_no_machine_can_hold_is_refused() -> None:
    text = json.dumps(dosed(dose={"value": 1})).replace('"value": 1', '"value": 1e999999')
    (aside,) = found(text.encode())
    assert isinstance(aside, SetAside) and "dosage.dose.value" in str(aside.error)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [at, *(path for key, value in inner for path in paths(value, (*at, key)))]


def put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = json.loads(json.dumps(data))
    here = made
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return made


WHOLE = bundle(
    {**ENCOUNTER, "period": {"start": "2026-03-02T09:00:00Z"}},
    by_reference(
        {"reference": "Medication/m1"}, performer=[{"actor": {"reference": "Practitioner/n"}}]
    ),
    MEDICATION,
    claim(
        "institutional",
        item(
            "96374",
            encounter=[{"reference": "Encounter/e1"}],
            modifier=[{"coding": [{"code": "59"}]}],
            diagnosisSequence=[1],
        ),
    ),
)


@given(st.sampled_from(paths(WHOLE)[1:]), JUNK)
def test_any_element_of_any_kind_gives_a_documented_outcome(
    path: tuple[Any, ...], junk: Any
) -> None:
    text = json.dumps(put(WHOLE, path, junk)).encode()
    for x in found(text):
        assert isinstance(x, Record | SetAside | Note)


@given(st.sampled_from([p for p in paths(WHOLE) if p and isinstance(p[-1], str)]))
def test_no_error_and_no_note_repeats_a_value(path: tuple[Any, ...]) -> None:
    for value in ("Zebra-canary", ["Zebra-canary"], {"Zebra-canary": 1}):
        for x in found(json.dumps(put(WHOLE, path, value)).encode()):
            said = (
                x.message
                if isinstance(x, Note)
                else str(x.error)
                if isinstance(x, SetAside)
                else ""
            )
            assert "Zebra" not in said and "Zebra" not in x.place


@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(raw: bytes) -> None:
    for x in found(raw):
        assert isinstance(x, Record | SetAside | Note)


@given(st.permutations(range(6)))
def test_the_order_of_lines_changes_no_encounter(order: list[int]) -> None:
    rows = [given_one(id=f"a{n}", context={"reference": f"Encounter/e{n % 2}"}) for n in range(6)]
    rows[0] = {**ENCOUNTER, "id": "e0"}
    made = {
        x.encounter.id: {one.id for one in x.encounter.administrations or ()}
        for x in found(texts(*(rows[n] for n in order)))
        if isinstance(x, Record)
    }
    assert made == {"e0": {"a2", "a4"}, "e1": {"a1", "a3", "a5"}}


def test_sniffing_knows_fhir_from_an_encounter_of_ours() -> None:
    assert sniff(b'\xef\xbb\xbf\n {"resourceType":"Bundle"')
    assert not sniff(b'{"id": "E", "setting": "facility"}')
    assert not sniff(b"MSH|^~\\&|")
    assert not sniff(b"")


def test_nothing_of_the_patient_and_no_note_reaches_a_record() -> None:
    who = {
        "reference": "Patient/Zebra",
        "display": "Zebra Zoe",
        "identifier": {"value": "MRN-4711"},
    }
    made = given_one(
        subject=who,
        note=[{"text": "Zebra"}],
        text={"div": "<div>Zebra</div>"},
        reasonCode=[{"text": "Zebra"}],
        performer=[{"actor": {"reference": "Practitioner/n7", "display": "Zebra"}}],
        dosage={"text": "Zebra, over 90 min", "route": {"text": "IV"}},
    )
    where = {
        **ENCOUNTER,
        "subject": who,
        "reasonCode": [{"text": "Zebra"}],
        "location": [{"location": {"display": "Zebra"}}],
    }
    billed = claim(
        "institutional",
        item("96374", encounter=[{"reference": "Encounter/e1"}]),
        patient=who,
        careTeam=[{"sequence": 1, "provider": {"display": "Zebra"}}],
    )
    patient = {"resourceType": "Patient", "id": "Zebra", "name": [{"family": "Zebra"}]}
    every = found(texts(bundle(patient, where, made, billed)))
    (record,) = [x for x in every if isinstance(x, Record)]
    said = record.encounter.model_dump_json() + "".join(map(str, every))
    assert not [word for word in CANARIES if word in said]
