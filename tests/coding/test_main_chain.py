"""Which of several chains carries no modifier: the claim says it where their initials are equal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import DAY, NEXT_DAY, check, drip, fluid, line, push

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


def led_by(*charted: dict[str, Any], **facts: Any) -> str:
    """The ids of what stands in lines without a modifier."""
    plain = [line for line in check(*charted, **facts).suggested if not line.modifiers]
    return "".join(sorted({key for line in plain for key in line.administrations}))


LEFT, RIGHT = drip("a", "10:00", "11:00"), drip("b", "10:00", "11:00", **NEEDED)


def claim(*rows: tuple[str, bool], day: str | None = DAY, first: int = 1) -> list[dict[str, Any]]:
    """Lines of codes, of which some carry a modifier of a separate site."""
    return [
        line(number, code, modifiers=["XS"] if marked else [], date=day)
        for number, (code, marked) in enumerate(rows, first)
    ]


TWO_HOURS = drip("b", "10:00", "12:00", **NEEDED)
RIGHT_LEADS = (("96365", False), ("96366", False), ("96365", True))
LEFT_LEADS = (("96365", False), ("96365", True), ("96366", True))


def test_the_initial_that_ranks_highest_leads_whatever_the_claim_marks() -> None:
    chemo = drip("b", "10:30", "11:30", category="chemotherapy", **NEEDED)
    assert led_by(LEFT, chemo) == "b"
    assert led_by(LEFT, chemo, lines=claim(("96365", False), ("96413", True))) == "b"


def test_a_site_that_earns_nothing_leads_nothing() -> None:
    short = fluid("b", "09:00", "09:20", **NEEDED)
    assert led_by(LEFT, short) == "a"


@pytest.mark.parametrize("day", [DAY, NEXT_DAY, None])
@pytest.mark.parametrize(("rows", "leads"), [(RIGHT_LEADS, "b"), (LEFT_LEADS, "a")])
def test_of_one_encounter_lines_of_any_date_say_which_site_is_unmarked(
    rows: tuple[tuple[str, bool], ...], leads: str, day: str | None
) -> None:
    assert led_by(LEFT, TWO_HOURS, lines=claim(*rows, day=day)) == leads


def test_what_asks_for_no_modifier_hides_no_mark() -> None:
    lines = [*claim(*RIGHT_LEADS), line(4, "85025", date=DAY)]
    assert led_by(LEFT, TWO_HOURS, lines=lines) == "b"


WEEK_LATER = push("z", "2026-03-12T10:00")


@pytest.mark.parametrize("day", [DAY, NEXT_DAY, None, "2026-03-12"])
def test_of_several_encounters_only_lines_of_its_own_days_speak_for_one(day: str | None) -> None:
    """A night at two sites, and a visit after more than a week: its lines say nothing of the night."""
    night = [
        drip("a", "22:00", f"{NEXT_DAY}T01:00"),
        drip("b", "22:00", f"{NEXT_DAY}T02:00", **NEEDED),
        push("u"),
    ]
    rows = (("96365", False), ("96366", False), ("96366", False), ("96366", False))
    lines = claim(*rows, ("96365", True), day=day)
    assert ("b" in led_by(*night, WEEK_LATER, lines=lines)) is (day != "2026-03-12")


def test_what_stands_beside_another_encounter_hides_no_mark() -> None:
    purpose = {"purpose": "treatment"}
    charted = [{**LEFT, **purpose}, {**TWO_HOURS, **purpose}, WEEK_LATER]
    lines = [*claim(*RIGHT_LEADS), line(4, "20610", date="2026-03-12")]
    assert "b" in led_by(*charted, lines=lines)


def test_an_encounter_without_times_may_have_any_day() -> None:
    """Of its doses only a flush has a time, so that all lines may be theirs."""
    charted = [
        push("f", "10:00", purpose="flush"),
        push("u"),
        push("v", **NEEDED),
        push("w", **NEEDED),
    ]
    lines = claim(("96374", False), ("96375", False), ("96374", True))
    assert led_by(*charted, WEEK_LATER, lines=lines) == "vwz"
