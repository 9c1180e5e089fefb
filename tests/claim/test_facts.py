"""Facts of the claim as a whole, of suggested lines and of the encounter."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.contract.facts import EncounterFacts
from tests.shipped import ENGINE
from tests.visits import dose, drip, fluid, line, push, visit, work

OFFICE: dict[str, Any] = {"setting": "professional"}
RIGHT = {"site": "right arm", "separate_site_reason": "incompatible drugs"}


def facts_of(*chart: dict[str, Any], **encounter: Any) -> EncounterFacts:
    return work(*chart, **encounter).facts


def test_a_claim_counts_initials_by_their_modifier_and_leaves_out_the_start_of_a_pump() -> None:
    claim = facts_of(
        lines=[
            line(1, "96365", 2),
            line(2, "96374", 3, modifiers=["59"]),
            line(3, "96368", 4),
            line(4, "96416", 5),
            line(5, "J2405", 6),
            line(6, "96372", 7),
        ]
    ).claim
    assert (claim.initial_units, claim.separate_initial_units) == (2, 3)
    assert (claim.concurrent_units, claim.family_units) == (4, 2 + 3 + 4 + 5 + 7)
    assert claim.initial_codes == {"96365", "96374"}
    assert claim.codes == {"96365", "96374", "96368", "96416", "J2405", "96372"}


def test_of_a_suggestion_what_was_billed_is_told_from_what_was_missed() -> None:
    chart = [drip("a", "10:00", "13:00"), push("b", "13:10")]
    first, hours, pushed = facts_of(*chart, lines=[line(1, "96365"), line(2, "96366")]).suggestions
    assert (first.units, first.billed_units, first.missed_units) == (1, 1, 0)
    assert (hours.units, hours.billed_units, hours.missed_units) == (2, 1, 1)
    assert (pushed.units, pushed.billed_units, pushed.missed_units) == (1, 0, 1)


def test_without_a_claim_nothing_is_billed_and_nothing_missed() -> None:
    facts = facts_of(push("a", "10:00"))
    assert not facts.billed and facts.lines is None
    assert [(each.billed_units, each.missed_units) for each in facts.suggestions] == [(None, None)]


def test_without_a_chart_nothing_is_suggested_and_the_codes_are_unknown() -> None:
    claim = visit(lines=[line(1, "96374")]).model_copy(update={"administrations": None})
    facts = ENGINE.work(claim).facts
    assert (facts.charted, facts.billed) == (False, True)
    assert facts.suggested_codes is None and facts.administrations is None
    charted = facts_of(lines=[line(1, "96374")])
    assert (charted.charted, charted.suggested_codes) == (True, frozenset())


@pytest.mark.parametrize(
    ("diagnoses", "codes", "letters", "first"),
    [
        (["E86.0", "C50.911"], {"E860", "C50911"}, {"E", "C"}, "E860"),
        ([], frozenset(), frozenset(), None),
        (None, None, None, None),
    ],
)
def test_diagnoses_lose_their_dots_and_are_unknown_where_nobody_named_any(
    diagnoses: list[str] | None, codes: Any, letters: Any, first: str | None
) -> None:
    named = {} if diagnoses is None else {"diagnoses": diagnoses}
    facts = facts_of(push("a", "10:00"), **named)
    assert facts.diagnosis_codes == codes
    assert (facts.diagnosis_letters, facts.first_diagnosis) == (letters, first)


def test_a_primary_reason_is_needed_where_an_office_could_lead_with_another_service() -> None:
    two = [push("a", "10:00"), drip("b", "10:10", "11:00")]
    assert facts_of(*two, **OFFICE).primary_needed
    assert not facts_of(*two).primary_needed
    assert not facts_of(*two, primary_administration="a", **OFFICE).primary_needed
    assert not facts_of(two[0], **OFFICE).primary_needed


def test_the_initial_code_is_that_of_the_first_chain_that_has_one() -> None:
    assert facts_of(push("a", "10:00")).initial_code == "96374"
    assert facts_of(dose("a", "10:00", None, route="IM")).initial_code is None
    two = facts_of(drip("a", "10:00", "11:00"), push("b", "10:10", **RIGHT))
    assert (two.chains, two.initial_code, two.visits) == (2, "96365", 1)


def test_questions_are_counted_and_complexity_is_named_among_them() -> None:
    biologic = drip("a", "10:00", "11:00", drug="infliximab", category=None)
    asked = facts_of(biologic)
    assert asked.complexity_asked and asked.questions == 1
    said = facts_of(biologic, complexity_documented=True)
    assert not said.complexity_asked and said.questions == 0


@pytest.mark.parametrize(
    ("chart", "encounter", "shaped"),
    [
        ([push("a", "10:00")], {}, set()),
        (
            [push("a", "10:00"), drip("b", "10:10", "11:00")],
            {"primary_administration": "a", **OFFICE},
            {"primary_administration"},
        ),
        (
            [drip("a", "10:00", "11:00", drug="infliximab", category=None)],
            {},
            {"complexity_documented"},
        ),
        (
            [drip("a", "10:00", "11:00", drug="infliximab", category=None), push("b", "11:10")],
            {},
            {"complexity_documented"},
        ),
        # A dialysis centre is paid otherwise; a critical access hospital has rows of its own.
        ([push("a", "10:00")], {"type_of_bill": "721"}, {"type_of_bill"}),
        ([push("a", "10:00")], {"type_of_bill": "851"}, {"type_of_bill"}),
        ([push("a", "10:00")], {"supervision": {"level": "none"}}, {"supervision"}),
        ([push("a", "10:00")], {"place_of_service": "22", **OFFICE}, {"place_of_service"}),
        ([push("a", "10:00")], {"lines": [line(1, "74177")]}, {"lines"}),
        ([push("a", "10:00")], {"lines": [line(1, "96374"), line(2, "99213")]}, {"lines"}),
        ([push("a", "10:00")], {"lines": [line(1, "96374"), line(2, "J2405")]}, set()),
        ([drip("a", "10:00", "11:00"), push("b", "10:10", **RIGHT)], {}, {"lines"}),
    ],
)
def test_coding_rests_on_fields_beside_the_chart_where_they_made_a_difference(
    chart: list[dict[str, Any]], encounter: dict[str, Any], shaped: set[str]
) -> None:
    assert facts_of(*chart, **encounter).shaped_by() == shaped


def test_an_initial_of_no_vein_is_none_of_the_claims_initials() -> None:
    claim = facts_of(lines=[line(1, "96374"), line(2, "96369", 3), line(3, "96422", 5)]).claim
    assert claim.initial_units == 1 and claim.initial_codes == {"96374"}


def test_products_given_in_place_of_billed_ones_are_named() -> None:
    given = push("a", "10:00", drug="ketorolac", category=None)
    for code, instead in (("J1745", {"J1885"}), ("J1885", set())):
        assert facts_of(given, lines=[line(1, code)]).claim.given_instead == instead


def test_a_suggestion_has_the_limit_of_its_code_in_its_setting() -> None:
    """MUEs of 2024-07: the push of another drug is limited to six; the second hour is not alike."""
    chart = [drip("a", "10:00", "13:00"), push("b", "13:10")]
    hospital = {each.code: each.mue for each in facts_of(*chart).suggestions}
    assert hospital == {"96365": 2, "96366": 24, "96375": 6}
    office = {each.code: each.mue for each in facts_of(*chart, **OFFICE).suggestions}
    assert office == {"96365": 1, "96366": 8, "96375": 6}
    (early,) = facts_of(push("a", "2010-03-02T10:00"), date="2010-03-02").suggestions
    assert early.mue is None


def test_the_first_chain_that_earns_something_names_the_initial_code() -> None:
    chart = [fluid("a", "10:00", "10:10", **RIGHT), push("b", "11:00")]
    facts = facts_of(*chart)
    assert (facts.chains, facts.initial_code) == (2, "96374")


def test_a_primary_reason_is_needed_where_any_site_has_two_services() -> None:
    two = [push("a", "10:00"), drip("b", "10:10", "11:00"), push("c", "10:20", **RIGHT)]
    assert facts_of(*two, **OFFICE).primary_needed
    assert not facts_of(two[0], two[2], **OFFICE).primary_needed
