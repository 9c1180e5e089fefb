"""A record of several encounters is judged as each of them alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, Result
from tests.properties import WHOLE
from tests.properties.charts import as_lines, day_of_doses, foreign_lines
from tests.shipped import ENGINE

_OF_THE_CLAIM = {"IVP802"}
"""Drug lines are looked for on the whole claim: one may pay for the doses of several dates."""
FIRST = datetime(2026, 3, 2, 8, 0)
CODES = ("96365", "96366", "96367", "96368", "96372", "96374", "96375", "96523", "36000", "99213")

Record = dict[str, Any]


def record(setting: str, doses: list[Record], lines: list[Record] | None) -> Encounter:
    """An encounter dated by its first dose or line."""
    facts: Record = {"id": "E", "setting": setting, "administrations": doses, "lines": lines}
    return Encounter.model_validate(facts)


def suggested(result: Result) -> list[tuple[object, ...]]:
    """The suggested lines, in any order."""
    return sorted(
        (str(each.date), each.code, each.units, each.modifiers, each.administrations)
        for each in result.suggested
    )


def findings(result: Result) -> set[tuple[str, str, int | None, tuple[str, ...]]]:
    """What is said of lines and administrations; a record is told once what concerns it whole."""
    return {
        (each.rule, each.severity, each.line, each.administrations)
        for each in result.violations
        if (each.line is not None or each.administrations) and each.rule not in _OF_THE_CLAIM
    }


@st.composite
def visits(draw: st.DrawFn) -> tuple[str, list[tuple[list[Record], list[Record]]]]:
    """Two or three visits a week apart, billed as suggested but for a change or two."""
    setting = draw(st.sampled_from(("facility", "professional")))
    several = []
    for week in range(draw(st.integers(2, 3))):
        day = FIRST + timedelta(weeks=week)
        chart = [{**dose.record(day), "id": f"{week}{dose.id}"} for dose in day_of_doses(draw, 3)]
        foreign = foreign_lines(draw, day.date().isoformat())
        numbered = [{"number": n, **line} for n, line in enumerate(foreign, 1)]
        billed = as_lines(ENGINE.check(record(setting, chart, numbered)).suggested)
        if len(billed) > 0 and draw(st.booleans()):
            billed[0] = {**billed[0], "code": draw(st.sampled_from(CODES))}
        if draw(st.booleans()):
            billed.append({"code": draw(st.sampled_from(CODES)), "units": 1, "modifiers": []})
        own = [{**line, "date": day.date().isoformat()} for line in billed]
        several.append((chart, [*foreign, *own]))
    number = 0
    for _, lines in several:
        for line in lines:
            number += 1
            line["number"] = number
    return setting, several


@WHOLE
@given(visits())
def test_a_claim_of_several_encounters_is_judged_as_each_of_them(
    drawn: tuple[str, list[tuple[list[Record], list[Record]]]],
) -> None:
    setting, several = drawn
    whole = ENGINE.check(
        record(
            setting,
            [dose for chart, _ in several for dose in chart],
            [line for _, lines in several for line in lines],
        )
    )
    parts = [ENGINE.check(record(setting, chart, lines)) for chart, lines in several]
    assert suggested(whole) == sorted(line for part in parts for line in suggested(part))
    apart = set().union(*(findings(part) for part in parts))
    # What concerns one record whole may fold what is said of its lines; of several it does not.
    folded = {
        rule
        for part in parts
        for each in part.violations
        if each.line is None and not each.administrations
        for rule in each.folds
    }
    surplus = {each for each in findings(whole) - apart if each[0] not in folded}
    assert (surplus, apart - findings(whole)) == (set(), set())


@given(
    st.sampled_from(("facility", "professional")),
    st.lists(st.sampled_from(CODES), min_size=1, max_size=4),
    st.integers(2, 10),
)
def test_lines_of_weekly_visits_without_a_chart_are_judged_week_by_week(
    setting: str, codes: list[str], weeks: int
) -> None:
    days = [(date(2026, 3, 2) + timedelta(weeks=n)).isoformat() for n in range(weeks)]

    def lines(day: str, first: int) -> list[Record]:
        return [
            {"number": first + n, "code": code, "units": 1, "date": day}
            for n, code in enumerate(codes)
        ]

    def check(lines: list[Record]) -> Result:
        facts = {"id": "E", "setting": setting, "lines": lines}
        return ENGINE.check(Encounter.model_validate(facts))

    each = [lines(day, 1 + n * len(codes)) for n, day in enumerate(days)]
    parts = [findings(check(week)) for week in each]
    assert findings(check([line for week in each for line in week])) == set().union(*parts)
