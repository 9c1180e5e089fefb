"""Claim and ExplanationOfBenefit: setting, lines and units, and what bills nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ivpush.readers import Note, ReadOptions
from tests.readers.fhir.samples import (
    ENCOUNTER,
    administration,
    bundle,
    claim,
    encounter_of,
    item,
    readings,
    refused,
    texts,
)

# Claims


def test_the_claims_type_is_the_setting_whatever_the_caller_says() -> None:
    assert encounter_of(claim("professional"))[0].setting == "professional"
    assert encounter_of(claim("institutional"), options=ReadOptions())[0].setting == "facility"


def test_a_setting_that_nobody_states_is_not_guessed() -> None:
    assert "setting" in refused(administration(), options=ReadOptions())
    assert "give the setting: facility or professional" in refused(
        claim(type=None), options=ReadOptions()
    )
    assert encounter_of(claim(type=None))[0].setting == "facility"


def test_a_line_keeps_what_the_item_says() -> None:
    system = "https://www.nubc.org/CodeSystem/RevenueCodes"
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    stated = claim(
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
    encounter, _ = encounter_of(stated)
    (line,) = encounter.lines or ()
    assert encounter.diagnoses == ("I10", "R11.2")
    assert (line.number, line.units, line.modifiers, line.revenue_code) == (3, 2, ("59",), "0260")
    assert (line.charge, line.diagnosis_pointers) == (Decimal("12.5"), (2, 1))


@pytest.mark.parametrize(
    ("system", "diagnoses"), [(None, ()), ("http://hl7.org/fhir/sid/icd-9-cm", None)]
)
def test_a_claim_names_no_diagnosis_unless_it_names_one_that_is_not_read(
    system: str | None, diagnoses: tuple[str, ...] | None
) -> None:
    coded = {"coding": [{"system": system, "code": "7870"}]}
    stated = [{"sequence": 1, "diagnosisCodeableConcept": coded}] if system else None
    encounter, _ = encounter_of(claim("institutional", item("96374", 3), diagnosis=stated))
    assert encounter.diagnoses == diagnoses


def test_a_claim_without_items_bills_nothing_and_one_of_other_items_is_set_aside() -> None:
    assert encounter_of(claim(item=None), options=ReadOptions())[0].lines == ()
    other = {"sequence": 1, "productOrService": {"coding": [{"system": "urn:x", "code": "exam1"}]}}
    assert "bills no CPT or HCPCS code" in refused(claim("institutional", other))


def test_anaesthesia_minutes_are_no_units() -> None:
    timed = item("00100", 2, quantity={"value": 30, "unit": "min"})
    encounter, notes = encounter_of(claim("institutional", item("96374"), timed))
    assert [line.code for line in encounter.lines or ()] == ["96374"]
    assert any("minutes" in note for note in notes)


@pytest.mark.parametrize("value", [1.5, -1, "1", True, 10**12])
def test_units_that_are_not_whole_are_refused(value: Any) -> None:
    assert "quantity" in refused(claim("institutional", item("96374", quantity={"value": value})))


def test_a_claim_that_was_withdrawn_is_left_out() -> None:
    encounter, notes = encounter_of(bundle(ENCOUNTER, administration(), claim(status="cancelled")))
    assert encounter.lines is None
    assert any("cancelled" in note for note in notes)
    (note,) = readings(texts(claim(use="preauthorization")))
    assert isinstance(note, Note)


def test_an_explanation_of_a_claim_that_is_here_adds_nothing() -> None:
    answer = {
        **claim(),
        "resourceType": "ExplanationOfBenefit",
        "id": "x1",
        "claim": {"reference": "Claim/c1"},
    }
    encounter, notes = encounter_of(bundle(claim(), answer))
    assert len(encounter.lines or ()) == 1
    assert any("answers a claim" in note for note in notes)
