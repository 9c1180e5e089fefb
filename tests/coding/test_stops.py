"""What is asked of a missing stop: few lengths, each with what it changes, and none of it untrue."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings

from ivpush import Encounter, Engine
from ivpush.coding.stops import End, end_of, every_length
from ivpush.contract.result import Answer, Between, Question, Result
from tests.coding.test_lengths import AWKWARD, openings, retimed
from tests.properties.charts import chart
from tests.properties.charts import drip as infusion
from tests.properties.questions import with_answer
from tests.shipped import PACK
from tests.visits import DAY, asked, billed, check, drip, fluid, line, push, question, work

HOURLY = re.compile(r"; longer: (?P<more>.*) for each further hour$")
STOP = "administrations[0].stop"


def lengths(answers: tuple[Answer, ...]) -> list[Between]:
    """The minutes of each answer."""
    whens = [answer.when for answer in answers]
    assert all(isinstance(when, Between) for when in whens)
    return whens  # type: ignore[return-value]


def units(result: Result) -> dict[str, int]:
    """Units by code."""
    total: dict[str, int] = {}
    for code, count in billed(result):
        total[code] = total.get(code, 0) + count
    return total


def hours_promised(answer: Answer) -> dict[str, int] | None:
    """Units by code that the last answer promises for each further hour; None: it promises none."""
    words = HOURLY.search(answer.changes or "")
    if words is None:
        return None
    pairs = [each.split(" more ") for each in words["more"].split(", ")]
    return {code: int(count) for count, code in pairs}


def at(engine: Engine, encounter: Encounter, about: Question, minutes: int) -> dict[str, int]:
    """What a check bills with so many minutes stated."""
    return units(engine.check(with_answer(encounter, about, minutes)))


Opening = tuple[Encounter, int, dict[str, Any]]


def holds_what_it_says(opening: Opening) -> None:
    """Few lengths are asked of a missing stop, and the last says what longer ones bill."""
    encounter, index, policies = opening
    engine = Engine(pack=PACK, policies=policies)
    result = engine.check(encounter)
    for about in result.questions:
        if about.missing != f"administrations[{index}].stop":
            continue
        whens = lengths(about.answers)
        assert 2 <= len(whens) <= 8 and whens[0].low == 0
        assert [after.low - 1 for after in whens[1:]] == [before.high for before in whens[:-1]]
        last = about.answers[-1]
        assert whens[-1].high is None
        hourly = hours_promised(last)
        if hourly is None and "otherwise" in (last.changes or ""):
            continue
        base = at(engine, encounter, about, whens[-1].low)
        for hours in (1, 2, 7):
            minutes = whens[-1].low + 60 * hours
            longer = {code: base[code] + hours * (hourly or {}).get(code, 0) for code in base}
            if minutes <= 1440:
                assert at(engine, encounter, about, minutes) == longer, (minutes, last.changes)


@settings(max_examples=40)
@given(openings())
def test_few_lengths_are_asked_and_the_last_says_what_longer_ones_bill(opening: Opening) -> None:
    holds_what_it_says(opening)


@pytest.mark.parametrize("opening", AWKWARD.values(), ids=AWKWARD)
def test_the_last_length_of_an_awkward_chart_says_what_longer_ones_bill(opening: Opening) -> None:
    holds_what_it_says(opening)


@settings(max_examples=40)
@given(openings())
def test_a_line_is_given_its_reason_once(opening: Opening) -> None:
    encounter, index, policies = opening
    result = Engine(pack=PACK, policies=policies).check(encounter)
    for about in result.questions:
        if about.missing != f"administrations[{index}].stop":
            continue
        said = set()
        for lines in (result.suggested, *(answer.suggested for answer in about.answers)):
            for each in lines:
                key = (each.code, each.units, each.modifiers, each.date, each.administrations)
                assert bool(each.because) == (key not in said)
                said.add(key)


def test_with_a_known_end_no_longer_run_is_asked() -> None:
    opened = check(drip("a", "10:00"), start="2026-03-02T09:00", end="2026-03-02T12:40")
    answers = question(opened, STOP).answers
    assert [when.low for when in lengths(answers)] == [0, 16, 91, 151]
    assert hours_promised(answers[-1]) is None


def test_without_an_end_a_shift_is_asked_and_further_hours_are_told() -> None:
    answers = question(check(drip("a", "10:00")), STOP).answers
    assert len(answers) == 8
    assert hours_promised(answers[-1]) == {"96366": 1}
    assert answers[2].changes == "96365 x 1, 96366 x 1"


def test_an_answer_names_what_it_bills_in_place_of_what_is_suggested_meanwhile() -> None:
    opened = check(drip("a", "10:00"), policies={"missing_stop_time": "push"})
    words = [answer.changes for answer in question(opened, STOP).answers]
    assert words[:2] == ["as suggested meanwhile", "96365 x 1 in place of 96374 x 1"]


def test_a_claim_of_more_hours_than_are_asked_is_no_error() -> None:
    billing = [line(1, "96365"), line(2, "96366", 12)]
    result = check(drip("a", "10:00"), lines=billing)
    assert not result.errors and asked(result) == [STOP]


@pytest.mark.parametrize(
    ("start", "visit", "end"),
    [
        ("10:00", {"end": f"{DAY}T12:40"}, End(160, known=True)),
        ("10:00", {"end": f"{DAY}T12:40:59"}, End(160, known=True)),
        ("10:00", {"inpatient_from": f"{DAY}T12:40"}, End(160, known=True)),
        # An end that is no end of it: none at all, of what has no start, before or at the start.
        ("10:00", {}, End(480, known=False)),
        (None, {"end": f"{DAY}T12:40"}, End(480, known=False)),
        ("10:00", {"end": f"{DAY}T10:00"}, End(480, known=False)),
        ("10:00", {"end": f"{DAY}T09:00"}, End(480, known=False)),
        ("10:00", {"end": "2026-03-08T10:01"}, End(1440, known=True)),
    ],
)
def test_asking_ends_where_the_encounter_does_else_after_a_shift(
    start: str | None, visit: dict[str, Any], end: End
) -> None:
    worked = work(drip("a", start), **visit)
    assert end_of(worked.derived.administrations[0], worked.book) == end


def test_a_claim_is_read_by_every_length_to_the_last_minute() -> None:
    short, _, _ = retimed(chart(infusion("a", 0, None)), Engine(pack=PACK), 0)
    read = every_length(short, "minutes", 200)
    assert [(when.low, when.high) for when in lengths(read)] == [
        *[(0, 15), (16, 90), (91, 150), (151, 200)]
    ]
    assert [billed(answer.suggested) for answer in read] == [
        [("96374", 1)],
        [("96365", 1)],
        [("96365", 1), ("96366", 1)],
        [("96365", 1), ("96366", 2)],
    ]


@pytest.mark.parametrize(
    ("charted", "words"),
    [
        ([fluid("a", "10:00")], ["nothing is billed", "96360 x 1", "96360 x 1, 96361 x 1"]),
        (
            [fluid("a", "10:00", volume_ml=40, rate_ml_per_hour=60)],
            ["without 96360 x 1", "as suggested meanwhile", "96361 x 1 as well"],
        ),
        (
            [drip("a", "10:00", last_seen_running=f"{DAY}T10:20")],
            ["96374 x 1 in place of 96365 x 1", "as suggested meanwhile", "96366 x 1 as well"],
        ),
        (
            [drip("a", "10:00"), push("b", "09:00")],
            ["96375 x 1 as well", "96365 x 1, 96375 x 1 in place of 96374 x 1"],
        ),
    ],
)
def test_each_length_says_what_it_changes(charted: list[dict[str, Any]], words: list[str]) -> None:
    answers = question(check(*charted), STOP).answers
    assert [answer.changes for answer in answers][: len(words)] == words


@pytest.mark.parametrize(("end", "hourly"), [("23:00", {"96366": 1}), ("15:30", None)])
def test_an_end_beyond_the_answers_leaves_further_hours_to_tell(
    end: str, hourly: dict[str, int] | None
) -> None:
    answers = question(check(drip("a", "08:00"), end=f"{DAY}T{end}"), STOP).answers
    assert len(answers) == 8
    assert hours_promised(answers[-1]) == hourly
