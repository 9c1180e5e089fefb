"""A retimed chart gives what deriving it anew gives, and derives it seldom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivpush import Encounter, Engine
from ivpush.coding.derivation import Derived, derive
from ivpush.coding.lengths import Retimed, bends, billing_of
from ivpush.coding.permission import standing_of
from ivpush.coding.suggestions import drafts_of, suggested_lines
from tests import visits
from tests.properties.charts import chart, doses, drip, fluid, push
from tests.shipped import PACK

MARKS = [0, 14, 15, 16, 30, 31, *(n + m for n in range(60, 1440, 60) for m in (30, 31)), 1440]
DAYS = (
    datetime(2026, 3, 2, 8),
    datetime(2026, 3, 2, 20),
    datetime(2026, 3, 7, 21),
    datetime(2026, 10, 31, 22),
)
POLICIES: dict[str, tuple[Any, ...]] = {
    "midnight_infusion_date": ("start_date", "split_by_date"),
    "hydration_overlap": ("subtract_overlap", "deny_all", "ignore"),
    "concurrent_min_overlap_minutes": (1, 16, 31),
    "sequential_within_first_hour": ("no_extra_unit", "bill_96367"),
    "repeat_same_drug_infusion": ("continue_time", "additional_hour_only", "sequential_96367"),
    "concurrent_of_different_sites": ("not_concurrent_second_initial", "concurrent"),
}


def retimed(
    encounter: Encounter, engine: Engine, index: int, most: int = 1440
) -> tuple[Retimed, Any, list[int]]:
    book = engine.pack.book(encounter.service_date, None, engine.policies)
    assert encounter.administrations is not None
    charted, asked = list(encounter.administrations), []

    def derived(minutes: int) -> Derived:
        asked.append(minutes)
        changed = [*charted]
        changed[index] = charted[index].model_copy(update={"minutes": minutes, "stop": None})
        return plain(encounter.model_copy(update={"administrations": tuple(changed)}))

    def plain(chart: Encounter) -> Derived:
        return derive(chart, book, standing_of(chart, book))

    facts = plain(encounter).administrations
    return Retimed(encounter, book, derived, bends(facts[index], facts, book, most)), derived, asked


@st.composite
def openings(draw: st.DrawFn) -> tuple[Encounter, int, dict[str, Any]]:
    """A chart, which of its drips has no stop, and policies that read lengths."""
    given_doses = draw(
        doses(
            most=5,
            kinds=("push", "drip", "drip", "fluid"),
            sites=("left arm", "left arm", "right arm"),
        )
    )
    index = draw(st.integers(0, len(given_doses) - 1))
    given_doses[index] = given_doses[index].with_(method="infusion", minutes=None)
    if len(given_doses) > 1 and draw(st.integers(0, 5)) == 0:
        other = draw(st.sampled_from([n for n in range(len(given_doses)) if n != index]))
        given_doses[other] = given_doses[other].with_(
            extra=(("mixed_with", given_doses[index].id),)
        )
    zone = draw(st.sampled_from((None, "America/Chicago")))
    setting = draw(st.sampled_from(("facility", "professional")))
    more = {"timezone": zone} if zone else {}
    encounter = chart(*given_doses, day=draw(st.sampled_from(DAYS)), setting=setting, **more)
    policies = {
        name: draw(st.sampled_from(POLICIES[name])) for name in POLICIES if draw(st.booleans())
    }
    return encounter, index, policies


@given(openings(), st.lists(st.integers(0, 1440), min_size=1, max_size=8))
def test_any_length_bills_what_the_chart_derived_anew_bills(
    opening: tuple[Encounter, int, dict[str, Any]], further_minutes: list[int]
) -> None:
    encounter, index, policies = opening
    engine = Engine(pack=PACK, policies=policies)
    book = engine.pack.book(encounter.service_date, None, engine.policies)
    short, derived, _ = retimed(encounter, engine, index)
    for minutes in [*further_minutes, 1440, 0, 91, *MARKS[::7]]:
        anew = drafts_of(derived(minutes), encounter, book)
        assert billing_of(short.drafts(minutes)) == billing_of(anew), minutes
        lines = suggested_lines(short.drafts(minutes), book)
        assert lines == suggested_lines(anew, book), minutes


@settings(max_examples=25)
@given(openings())
def test_changes_are_those_of_every_minute(opening: tuple[Encounter, int, dict[str, Any]]) -> None:
    changes_are_those_of_every_minute(*opening)


def changes_are_those_of_every_minute(
    encounter: Encounter, index: int, policies: dict[str, Any]
) -> None:
    engine = Engine(pack=PACK, policies=policies)
    book = engine.pack.book(encounter.service_date, None, engine.policies)
    short, _, _ = retimed(encounter, engine, index)
    kinds = [billing_of(short.drafts(minutes)) for minutes in range(1441)]
    wanted = [n for n in range(1441) if n == 0 or kinds[n] != kinds[n - 1]]
    # Of a chart that nothing was asked of before: what is known grows with what is reached.
    anew, _, _ = retimed(encounter, engine, index)
    changes = [
        (n, billing_of(drafts), suggested_lines(drafts, book)) for n, drafts in anew.changes(1440)
    ]
    assert [n for n, _, _ in changes] == wanted
    for minutes, kind, lines in changes:
        assert kind == kinds[minutes]
        assert lines == suggested_lines(short.drafts(minutes), book)


def test_the_last_minute_counts_too() -> None:
    opened = chart(fluid("f", 0, None))
    for most, changes in ((30, [0]), (31, [0, 31]), (90, [0, 31]), (91, [0, 31, 91])):
        short, _, _ = retimed(opened, Engine(pack=PACK), 0, most)
        assert [minutes for minutes, _ in short.changes(most)] == changes


def test_a_plain_drip_is_derived_a_few_times_for_a_whole_day() -> None:
    """The point of it: hours do not cost a derivation each."""
    engine = Engine(pack=PACK)
    for doses_given in (
        [drip("a", 0, None)],
        [push("p", 0, "beta"), drip("a", 10, None)],
        [fluid("f", 0, None), push("p", 5, "beta")],
    ):
        index = next(n for n, dose in enumerate(doses_given) if dose.minutes is None)
        short, _, asked = retimed(chart(*doses_given), engine, index)
        kinds = {billing_of(short.drafts(minutes)) for minutes in MARKS}
        assert len(kinds) > 20
        assert len(asked) < len(kinds)


AWKWARD: dict[str, tuple[Encounter, int, dict[str, Any]]] = {
    "another drip has no start": (chart(drip("a", 0, None), drip("b", None, 60, "beta")), 0, {}),
    "midnight comes a minute after an hour": (
        chart(drip("a", 0, None), day=datetime(2026, 3, 2, 22, 29)),
        0,
        {},
    ),
    "midnight comes a second before a minute is over": (
        chart(drip("a", 0, None), day=datetime(2026, 3, 2, 22, 28, 1)),
        0,
        {},
    ),
    "it meets its own drug at another site": (
        chart(
            drip("a", 60, 481, "beta", site="right arm"),
            drip("b", 91, 226, "gamma", category="chemotherapy"),
            drip("c", 147, None, "beta"),
        ),
        2,
        {},
    ),
    "it runs into a later bag of its drug": (
        chart(
            drip("a", 0, None),
            drip("b", 204, 544, "beta", site="right arm"),
            drip("c", 408, 404),
            day=datetime(2026, 3, 7, 21, 30),
        ),
        0,
        {"midnight_infusion_date": "start_date", "concurrent_min_overlap_minutes": 31},
    ),
    "a fluid runs on past midnight": (
        chart(
            drip("a", 0, 0, site="right arm"),
            push("b", 151, "gamma", category="chemotherapy"),
            drip("c", 182, 0, "gamma", category="chemotherapy"),
            fluid("f", 333, None, site="right arm"),
            day=datetime(2026, 3, 2, 11, 52),
            setting="professional",
        ),
        3,
        {"hydration_overlap": "ignore"},
    ),
    "what is left of a fluid begins past midnight": (
        chart(drip("a", 0, None), fluid("f", 0, 283), day=datetime(2026, 3, 7, 21)),
        0,
        {"midnight_infusion_date": "start_date"},
    ),
    "a drug is added to the running bag": (
        chart(
            drip("a", 0, None),
            drip("b", 47, None, "beta", category="chemotherapy", extra=(("mixed_with", "a"),)),
        ),
        0,
        {},
    ),
}
"""Charts in which a longer run changes more than its own hours."""


@pytest.mark.parametrize("opening", AWKWARD.values(), ids=AWKWARD)
def test_of_an_awkward_chart_any_length_bills_what_it_bills_anew(
    opening: tuple[Encounter, int, dict[str, Any]],
) -> None:
    encounter, index, policies = opening
    engine = Engine(pack=PACK, policies=policies)
    book = engine.pack.book(encounter.service_date, None, engine.policies)
    short, derived, _ = retimed(encounter, engine, index)
    for minutes in (*MARKS, *range(0, 1440, 37)):
        anew = drafts_of(derived(minutes), encounter, book)
        assert billing_of(short.drafts(minutes)) == billing_of(anew), minutes


@pytest.mark.parametrize("opening", AWKWARD.values(), ids=AWKWARD)
def test_of_an_awkward_chart_changes_are_those_of_every_minute(
    opening: tuple[Encounter, int, dict[str, Any]],
) -> None:
    changes_are_those_of_every_minute(*opening)


def bends_of(*charted: dict[str, Any], most: int = 1440, **visit: Any) -> list[int]:
    """The bends of the first administration of a visit."""
    worked = visits.work(*charted, **visit)
    administrations = worked.derived.administrations
    return bends(administrations[0], administrations, worked.book, most)


LIMITS = {14, 15, 16, 30, 31, 480, 481, 720, 721}
"""Both sides of each limit: the push, hydration and further hours, a pump, and an office's day."""


def test_a_line_is_drawn_on_both_sides_of_each_limit() -> None:
    opened = visits.drip("a", "10:00")
    assert set(bends_of(opened)) == {0, *LIMITS, 1440}
    assert bends_of(opened) == sorted(bends_of(opened))
    assert bends_of(opened, most=31) == [0, 14, 15, 16, 30, 31]
    assert bends_of(visits.drip("a")) == bends_of(opened)


@pytest.mark.parametrize(
    ("charted", "visit", "more"),
    [
        # The edges of the stay, and the start and end of what runs beside it, its length, and the
        # sixteen minutes after which it is concurrent.
        ([], {"end": "2026-03-02T12:40"}, {160}),
        ([], {"start": "2026-03-02T10:20", "end": "2026-03-02T23:00"}, {20, 780}),
        ([visits.drip("b", "10:40", "11:50")], {}, {40, 56, 110, 126, 70}),
        ([visits.drip("b", minutes=70)], {}, {70}),
        ([visits.drip("b", "10:01", "10:36")], {}, {1, 17, 36, 52, 35}),
        ([visits.drip("b", "10:40", drug="other")], {}, {40, 56}),
        # A push of the same drug; of another drug it changes nothing.
        ([visits.push("b", "10:40", "10:42", drug="drug a")], {}, {40, 56, 42, 58}),
        ([visits.push("b", "10:40", "10:42")], {}, set()),
        # Of a drug that was added to the bag, minutes are counted from then on.
        (
            [visits.drip("b", "10:20", mixed_with="a")],
            {},
            {20, 36, *(20 + limit for limit in (14, 15, 16, 30, 31, 480, 481, 720, 721))},
        ),
    ],
)
def test_the_chart_draws_lines_where_others_begin_and_end(
    charted: list[dict[str, Any]], visit: dict[str, Any], more: set[int]
) -> None:
    drawn = set(bends_of(visits.drip("a", "10:00"), *charted, **visit))
    assert more <= drawn
    assert drawn - more <= {0, *LIMITS, 1440}


def test_its_own_length_draws_no_line() -> None:
    """By volume and rate it ran for 100 minutes; a stop that is charted may say otherwise."""
    alone = bends_of(visits.drip("a", "10:00", volume_ml=100, rate_ml_per_hour=60))
    assert set(alone) == {0, *LIMITS, 1440}


@pytest.mark.parametrize("ordered", [0, 1])
def test_of_a_bag_a_drug_of_no_usable_start_is_counted_with_the_other(ordered: int) -> None:
    bag = [visits.drip("a", "10:00"), visits.drip("b", "10:20", mixed_with="a")]
    bag[ordered]["times_from"] = "ordered"
    assert set(bends_of(*bag)) <= {0, *LIMITS, 1440}


@pytest.mark.parametrize(
    ("until", "least", "minutes"),
    [
        (15, 0, [0]),
        (16, 0, [0, 16]),
        (90, 0, [0, 16]),
        (15, 1, [0]),
        (15, 2, [0, 16]),
        (15, 3, [0, 16, 91]),
        (91, 2, [0, 16, 91]),
    ],
)
def test_changes_end_at_the_minute_asked_for_where_they_are_enough(
    until: int, least: int, minutes: list[int]
) -> None:
    short, _, _ = retimed(chart(drip("a", 0, None)), Engine(pack=PACK), 0)
    assert [low for low, _ in short.changes(until, least)] == minutes


@pytest.mark.parametrize(
    ("charted", "minutes", "until", "only_hours"),
    [
        ([drip("a", 0, None)], 0, None, False),
        ([drip("a", 0, None)], 15, None, False),
        ([drip("a", 0, None)], 16, None, True),
        ([drip("a", 0, None)], 391, None, True),
        # Of no minutes at all nobody can tell.
        ([drip("a", 0, None)], 481, 481, False),
        ([fluid("f", 0, None)], 30, None, False),
        ([fluid("f", 0, None)], 31, None, True),
        # Another drip begins after ten hours.
        ([drip("a", 0, None), drip("b", 600, 60, "beta")], 391, None, False),
        ([drip("a", 0, None), drip("b", 600, 60, "beta")], 391, 480, True),
        ([drip("a", 0, None), drip("b", 600, 60, "beta")], 391, 700, False),
    ],
)
def test_only_hours_come_where_nothing_else_does(
    charted: list[Any], minutes: int, until: int | None, only_hours: bool
) -> None:
    short, _, _ = retimed(chart(*charted), Engine(pack=PACK), 0)
    assert short.only_hours_come(minutes, until) is only_hours
