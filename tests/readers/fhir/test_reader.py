"""FHIR in: what stands in a resource is read truly, what does not is unknown, and nothing is lost."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import Note, Record, SetAside
from ivpush.readers.fhir.reader import sniff
from tests.readers.fhir.samples import (
    CANARIES,
    DATA,
    ENCOUNTER,
    MEDICATION,
    administration,
    bundle,
    by_reference,
    claim,
    dosed,
    item,
    only,
    readings,
    refused,
    texts,
)

# Files of the wild


def example(name: str) -> tuple[list[Record], list[SetAside], list[str]]:
    every = readings((DATA / name).read_bytes())
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
    "Claim-860150.json": "bills no CPT or HCPCS code in any item",
    "Claim-960150.json": "bills no CPT or HCPCS code in any item",
    "ExplanationOfBenefit-EB3500.json": "of another type than the two that bill these services",
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
        Decimal(100),
        "infusion",
    )
    assert (base.mixed_with, base.start, base.stop) == (main.id, main.start, main.stop)
    assert base.dose is None


def test_put_off_for_a_contraindication_is_not_given() -> None:
    (record,), _, notes = example("MedicationAdministration-medadminexample03.json")
    assert record.encounter.administrations == ()
    assert any("never given" in note for note in notes)


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
    (aside,) = readings(text)
    assert isinstance(aside, SetAside)
    assert said in str(aside.error) and "Zebra" not in str(aside.error)


def test_a_bad_line_holds_back_the_charts_that_it_may_belong_to() -> None:
    """As far as it names an encounter or a patient, the others are judged."""
    mine = texts(administration(), administration(id="a2"))
    other = texts(
        administration(
            id="a3", context={"reference": "Encounter/e2"}, subject={"reference": "Patient/q"}
        )
    )
    for bad, judged in {
        b"{oops}": [],
        b'{"resourceType": "MedicationAdministration", "context": {"reference": "Encounter/e1"}, oops}': [
            "e2"
        ],
        b'{"resourceType": "MedicationAdministration", "x": {"reference": "h/Patient/p"}, oops}': [
            "e2"
        ],
        b'{"resourceType": "Observation", oops}': ["e1", "e2"],
        b'{"resourceType": 7}': [],
        b'{"context": {"reference": "Encounter/e1\xff"}, oops}': [],
    }.items():
        every = readings(b"\n".join([mine, bad, other]))
        assert [x.encounter.id for x in every if isinstance(x, Record)] == judged, bad
        assert every[0].place == "f:3"
        held = {x.encounter for x in every[1:] if isinstance(x, SetAside)}
        assert held == {"e1", "e2"} - set(judged)


def test_an_administration_that_names_no_encounter_holds_back_those_of_its_patient() -> None:
    every = readings(texts(administration(), administration(id="a2", context=None)))
    assert [x.encounter for x in every] == ["e1", None]


def page(number: int, *entries: Any, last: int = 2, total: int | None = None) -> dict[str, Any]:
    """A page of a search, linked to those before and after it."""
    links = [("self", number), ("next", number + 1), ("previous", number - 1)]
    return {
        **bundle(*entries, kind="searchset"),
        "link": [
            {"relation": name, "url": f"https://x/?page={n}"} for name, n in links if 1 <= n <= last
        ],
        **({} if total is None else {"total": total}),
    }


def test_an_answer_is_judged_only_with_all_its_pages() -> None:
    first, second = page(1, administration()), page(2, administration(id="a2"))
    for pages in ([first, second], [second, first]):
        (record,) = readings(texts(*pages))
        assert isinstance(record, Record)
        assert len(record.encounter.administrations or ()) == 2
    for alone in (first, second, page(1, administration(), last=1, total=37)):
        (aside,) = readings(texts(alone))
        assert isinstance(aside, SetAside)
        assert (aside.encounter, str(aside.error)[:7]) == ("e1", "Bundle.")
    whole = page(1, administration(), last=1, total=1)
    assert [type(x) for x in readings(texts(whole))] == [Record]


def test_pages_that_a_server_names_anew_are_told_by_their_total() -> None:
    first, second = page(1, administration(), total=2), page(2, administration(id="a2"), total=2)
    second["link"][0]["url"] = "https://x/?cursor=zz"
    (record,) = readings(texts(first, second))
    assert isinstance(record, Record)
    assert len(record.encounter.administrations or ()) == 2


def test_a_status_that_says_nothing_is_told_as_such() -> None:
    said = refused(administration(status="unknown"))
    assert said.startswith("MedicationAdministration.status: is 'unknown', so that nobody can tell")
    (aside,) = readings(texts(bundle(administration(), administration(id="a2", status="Zebra"))))
    assert aside.place == "f entry[1]"
    assert "is none that FHIR has" in str(aside.error) and "Zebra" not in str(aside.error)


def test_a_number_no_machine_can_hold_is_refused() -> None:
    text = json.dumps(dosed(dose={"value": 1})).replace('"value": 1', '"value": 1e999999')
    (aside,) = readings(text.encode())
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
    changed = json.loads(json.dumps(data))
    here = changed
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return changed


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
    for x in readings(text):
        assert isinstance(x, Record | SetAside | Note)


@given(st.sampled_from([p for p in paths(WHOLE) if p and isinstance(p[-1], str)]))
def test_no_error_and_no_note_repeats_a_value(path: tuple[Any, ...]) -> None:
    for value in ("Zebra-canary", ["Zebra-canary"], {"Zebra-canary": 1}):
        for x in readings(json.dumps(put(WHOLE, path, value)).encode()):
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
    for x in readings(raw):
        assert isinstance(x, Record | SetAside | Note)


@given(st.permutations(range(6)))
def test_the_order_of_lines_changes_no_encounter(order: list[int]) -> None:
    rows = [
        administration(id=f"a{n}", context={"reference": f"Encounter/e{n % 2}"}) for n in range(6)
    ]
    rows[0] = {**ENCOUNTER, "id": "e0"}
    ids = {
        x.encounter.id: {a.id for a in x.encounter.administrations or ()}
        for x in readings(texts(*(rows[n] for n in order)))
        if isinstance(x, Record)
    }
    assert ids == {"e0": {"a2", "a4"}, "e1": {"a1", "a3", "a5"}}


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
    chart = administration(
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
    every = readings(texts(bundle(patient, where, chart, billed)))
    (record,) = [x for x in every if isinstance(x, Record)]
    said = record.encounter.model_dump_json() + "".join(map(str, every))
    assert not [word for word in CANARIES if word in said]
