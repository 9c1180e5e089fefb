"""Which of several chains carries no modifier: the claim says it where their initials are equal."""

from __future__ import annotations

import pytest

from tests.visits import DAY, check, drip, line, push

NEEDED = {"site": "right arm", "separate_site_reason": "incompatible drugs"}


def test_of_equal_initials_the_chain_without_a_documented_need_is_unmarked() -> None:
    later, needed = drip("a", "10:30", "11:30"), drip("b", "10:00", "11:00", **NEEDED)
    marked = [line for line in check(later, needed).suggested if line.modifiers]
    assert [line.administrations for line in marked] == [("b",)]


@pytest.mark.parametrize("marks", [([], ["XS"], ["XS"]), (["59"], [], []), ([], ["XS"], [])])
def test_of_equal_initials_either_may_be_the_unmarked_one(marks: tuple[list[str], ...]) -> None:
    chart = [drip("a", "10:00", "11:00"), drip("b", "10:00", "12:00", **NEEDED)]
    lines = [
        line(number, code, modifiers=modifiers)
        for number, (code, modifiers) in enumerate(
            zip(("96365", "96365", "96366"), marks, strict=True), 1
        )
    ]
    result = check(*chart, lines=lines)
    assert {verdict.status for verdict in result.lines} == {"matched"}
    assert result.corrected is not None
    assert [list(row.modifiers) for row in result.corrected] == list(marks)


def test_a_modifier_that_a_procedure_asks_for_says_nothing_of_the_main_site() -> None:
    chemo = {"category": "chemotherapy", "purpose": "treatment"}
    chart = [
        drip("a", "10:00", "11:00", **chemo),
        push("p", "11:05", **chemo),
        push("q", "09:50", purpose="treatment"),
        push("r", "09:55", purpose="treatment"),
        drip("b", "10:00", "11:00", **chemo, **NEEDED),
    ]
    lines = [
        line(1, "92960"),
        line(2, "96413"),
        line(3, "96411"),
        line(4, "96375", 2, modifiers=["59"]),
        line(5, "96413", modifiers=["XS"]),
    ]
    result = check(*chart, lines=lines)
    assert [verdict.status for verdict in result.lines] == ["outside", *["matched"] * 4]


@pytest.mark.parametrize("first", [(0, 1), (1, 0)])
def test_each_encounter_of_a_claim_has_its_own_unmarked_chain(first: tuple[int, int]) -> None:
    """The left arm runs for two hours: its lines are marked on one day and plain on the other."""
    days = (DAY, "2026-03-09")
    chart = [
        each
        for day in days
        for each in (
            drip(f"l{day}", f"{day}T10:00", f"{day}T12:00", drug="a"),
            drip(f"r{day}", f"{day}T10:00", f"{day}T11:00", drug="b", **NEEDED),
        )
    ]
    claim = [
        (day, code, ["XS"] if arm == marked else [])
        for day, marked in zip(days, first, strict=True)
        for arm, code in ((0, "96365"), (0, "96366"), (1, "96365"))
    ]
    lines = [
        line(number, code, date=day, modifiers=marks)
        for number, (day, code, marks) in enumerate(claim, 1)
    ]
    assert {verdict.status for verdict in check(*chart, lines=lines).lines} == {"matched"}
