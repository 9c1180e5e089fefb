"""What is drawn of each administration: its lane, its bar or tick, and the minutes that decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from ivpush.claim.drawing import drawing_of, site_names
from ivpush.timeline.records import Given
from tests.shipped import ENGINE
from tests.visits import DAY, NEXT_DAY, dose, drip, fluid, push, visit, work

IM: dict[str, Any] = {"route": "IM", "method": "injection", "site": None}


def drawn(*chart: dict[str, Any], show_text: bool = False, **encounter: Any) -> dict[str, Given]:
    """The administrations of a visit as they are drawn, by id."""
    worked = work(*chart, **encounter)
    every = drawing_of(worked.coded, worked.result, worked.book, show_text=show_text).given
    assert every is not None
    return {each.id: each for each in every}


def only(*chart: dict[str, Any], **encounter: Any) -> Given:
    """The one administration of a visit."""
    (given,) = drawn(*chart, **encounter).values()
    return given


def marked(given: Given) -> list[int]:
    """The minutes that decided."""
    return [mark.minutes for mark in given.marks]


def clock(time: datetime | None) -> str | None:
    """The time of day, with its seconds where there are some."""
    return None if time is None else f"{time:%H:%M:%S}".removesuffix(":00")


def counted(given: Given) -> list[tuple[str | None, str | None]]:
    return [(clock(each.start), clock(each.stop)) for each in given.counted]


def long_drip(hours: int, minutes: int = 0, **facts: Any) -> dict[str, Any]:
    """A drip from midnight that runs for days."""
    days, rest = divmod(hours, 24)
    return drip("a", "00:00", f"2026-03-{2 + days:02}T{rest:02}:{minutes:02}", **facts)


def test_without_a_chart_nothing_is_drawn_and_an_empty_chart_is_no_missing_one() -> None:
    claim = ENGINE.work(visit().model_copy(update={"administrations": None}))
    assert drawing_of(claim.coded, claim.result, claim.book).given is None
    assert drawn() == {}


def test_sites_are_numbered_in_order_of_the_chart_and_named_only_where_asked() -> None:
    chart = [
        push("a", "10:00", site="right arm", separate_site_reason="incompatible drugs"),
        push("b", "10:10"),
        push("c", "10:20", site="right arm"),
        push("d", "10:30", site=None),
    ]
    worked = work(*chart)
    names = site_names(worked.derived.administrations)
    assert list(names.values()) == ["S1", "S2"]
    lanes = [each.lane for each in drawn(*chart).values()]
    assert lanes == ["access S1", "access S2", "access S1", "access not charted"]
    unasked = drawing_of(worked.coded, worked.result, worked.book).given or ()
    assert [each.lane for each in unasked] == lanes
    named = drawn(*chart, show_text=True)
    assert named["c"].lane == named["a"].lane and "right arm" in named["a"].lane


def test_what_is_no_vein_is_drawn_by_its_route_and_what_has_no_route_by_none() -> None:
    assert only(dose("a", "10:00", None, **IM)).lane == "route IM"
    assert only(dose("a", "10:00", None, route="PO", site=None)).lane == "route PO"
    assert only(dose("a", "10:00", None, route=None, site=None)).lane == "access not charted"


def test_a_drug_has_the_name_of_the_table_unless_the_charts_own_is_asked_for() -> None:
    chart = [push("a", "10:00", drug="Zofran"), push("b", "10:10", drug="zzyzx")]
    plain, own = drawn(*chart), drawn(*chart, show_text=True)
    assert (plain["a"].name, plain["b"].name) == ("ondansetron", None)
    assert (own["a"].name, own["b"].name) == ("Zofran", "zzyzx")
    nameless = push("a", "10:00", drug=None, hcpcs="J2405")
    assert only(nameless, show_text=True).name == "ondansetron"


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (push("a", "10:00", "10:20", continuously_attended=True), "dose"),
        (drip("a", "10:00", "10:16"), "run"),
        (drip("a", "10:00", "10:15"), "dose"),
        (dose("a", "10:00", None, **IM), "dose"),
        (drip("a", "10:00", "11:00", route="SC"), "run"),
        # Where nothing says how it was given, it is drawn as long as it took.
        (dose("a", "10:00", "10:15", category="blood"), "dose"),
        (dose("a", "10:00", "10:16", category="blood"), "run"),
        (drip("a", "10:00", "10:15", category="blood"), "run"),
        (push("a", "10:00", category="contrast"), "dose"),
        # Its stop is asked for, so it waits; of a push or an injection nobody waits for one.
        (dose("a", "10:00", None, route="SC"), "dose"),
        (drip("a", "10:00"), "run"),
        (push("a", "10:00"), "dose"),
    ],
)
def test_what_lasts_is_a_bar_and_what_is_given_at_once_a_tick(
    given: dict[str, Any], shape: str
) -> None:
    assert only(given).shape == shape


@pytest.mark.parametrize(("method", "shape"), [("infusion", "run"), (None, "dose")])
def test_an_infusion_billed_as_a_push_for_want_of_its_stop_is_a_bar_that_waits(
    method: str | None, shape: str
) -> None:
    untimed = dose("a", "10:00", None, method=method)
    given = only(untimed, policies={"missing_stop_time": "push"})
    assert (given.technique, given.missing, given.shape) == ("push", ("stop",), shape)


def test_a_run_is_drawn_as_charted_and_counts_only_within_the_stay() -> None:
    late = only(drip("a", "10:00", "11:00"), start=f"{DAY}T09:00", end=f"{DAY}T10:40")
    assert (clock(late.start), clock(late.stop), late.minutes) == ("10:00", "11:00", 40)
    assert counted(late) == [("10:00", "10:40")]


def test_a_run_is_drawn_as_worked_out_where_its_stop_does_not_count() -> None:
    timed = only(drip("a", "10:00", minutes=45))
    assert (clock(timed.start), clock(timed.stop)) == ("10:00", "10:45")
    tick = only(push("a", "10:00"))
    assert (clock(tick.start), tick.stop, tick.counted) == ("10:00", None, ())
    untimed = only(push("a"))
    assert (untimed.start, untimed.stop, untimed.marks) == (None, None, ())


@pytest.mark.parametrize(
    ("source", "start"), [("defaulted", "10:00"), ("ordered", None), ("pump", "10:00")]
)
def test_what_was_only_ordered_or_filled_in_is_not_drawn(source: str, start: str | None) -> None:
    run = only(drip("a", "10:00", "11:00", times_from=source))
    stop = "11:00" if source == "pump" else None
    assert (run.shape, clock(run.start), clock(run.stop)) == ("run", start, stop)


def test_a_stop_without_a_start_draws_nothing() -> None:
    run = only(drip("a", None, "11:00"))
    assert (run.start, run.stop, run.counted, run.marks) == (None, None, (), ())


def test_minutes_count_on_what_is_billable_and_of_fluids_where_no_drug_runs() -> None:
    chart = drawn(drip("a", "10:30", "11:30"), fluid("b", "10:00", "12:40"), push("c", "12:00"))
    assert counted(chart["a"]) == [("10:30", "11:30")]
    assert counted(chart["b"]) == [("10:00", "10:30"), ("11:30", "12:40")]
    assert chart["c"].counted == ()
    barred = only(drip("a", "10:00", "11:00", category="blood"))
    assert (barred.counted, barred.role, barred.codes) == ((), None, ())
    assert barred.because is not None


def test_a_fluid_that_ran_too_short_counts_no_minutes() -> None:
    short = only(fluid("a", "10:00", "10:30"))
    assert (short.counted, marked(short)) == ((), [30])
    assert counted(only(fluid("a", "10:00", "10:31"))) == [("10:00", "10:31")]


def test_a_run_whose_length_is_unknown_counts_no_minutes() -> None:
    waiting = only(drip("a", "10:00", route="SC"))
    assert (waiting.shape, waiting.counted, waiting.marks) == ("run", (), ())
    under_skin = only(drip("a", "10:00", "11:00", route="SC"))
    assert counted(under_skin) == [("10:00", "11:00")]


@pytest.mark.parametrize("floor", [31, 1])
def test_a_bag_that_runs_only_beside_a_drug_counts_none_of_its_minutes(floor: int) -> None:
    """The other bag, of which only minutes are charted, is what hydration counts."""
    chart = drawn(
        drip("a", "10:00", "11:00"),
        fluid("b", "10:10", "10:50"),
        fluid("c", minutes=45),
        policies={"hydration_floor_minutes": floor},
    )
    assert chart["b"].codes == chart["c"].codes == ("96361",)
    assert (chart["b"].counted, chart["b"].marks) == ((), ())


def test_a_role_is_that_of_what_is_billable() -> None:
    chart = drawn(
        drip("a", "10:00", "11:00"), push("b", "11:10"), push("c", "11:20", drug="drug b")
    )
    assert [each.role for each in chart.values()] == ["initial", "sequential", None]


def test_what_another_service_of_the_day_includes_has_no_role() -> None:
    """NCCI: the start of a pump includes its refill, and no modifier lifts the pair."""
    pump = drip(
        "a", "10:00", f"{NEXT_DAY}T10:00", category="chemotherapy", device="ambulatory_pump"
    )
    chart = drawn(pump, dose("b", "09:00", None, purpose="pump_refill", device="ambulatory_pump"))
    assert (chart["a"].role, chart["b"].role, chart["b"].codes) == ("pump_start", None, ())


def test_codes_stand_with_their_modifiers_and_their_units_where_there_are_several() -> None:
    chart = drawn(
        drip("a", "10:00", "12:31"),
        push("b", "10:10", site="right arm", separate_site_reason="incompatible drugs"),
    )
    assert chart["a"].codes == ("96365", "96366 x 2")
    (separate,) = chart["b"].codes
    assert separate.startswith("96374-")


def test_each_open_fact_stands_once_on_the_administration_of_which_it_is_asked() -> None:
    chart = drawn(drip("a", "10:00"), push("b", "10:00", "10:20"), push("c", "10:30"))
    assert [each.missing for each in chart.values()] == [
        ("stop",),
        ("continuously attended",),
        (),
    ]


@pytest.mark.parametrize(
    ("hours", "minutes", "marks"),
    [
        (0, 10, [15]),
        (1, 0, [15]),
        (1, 1, [15, 60, 90]),
        (1, 31, [15, 60, 90]),
        (2, 0, [15, 60, 90]),
        (2, 1, [15, 60, 90, 150]),
        (2, 31, [15, 60, 90, 150]),
        (3, 0, [15, 60, 90, 150]),
    ],
)
def test_an_hour_is_marked_where_its_last_minute_was_on_the_way(
    hours: int, minutes: int, marks: list[int]
) -> None:
    """15 minutes is the longest push; a further hour counts from 31 minutes past one."""
    run = only(long_drip(hours, minutes))
    assert marked(run) == marks
    assert [60 * mark.at.hour + mark.at.minute for mark in run.marks] == marks


def test_a_mark_says_what_counts_after_it() -> None:
    texts = [mark.text for mark in only(long_drip(2, 31)).marks]
    assert texts == [
        "an infusion runs longer than 15 minutes",
        "the first hour ends",
        "further hour 1 counts from 91 minutes",
        "further hour 2 counts from 151 minutes",
    ]


def test_of_more_than_a_days_further_hours_only_the_last_is_marked() -> None:
    day = marked(only(long_drip(24, 31)))
    assert day == [15, 60, *range(90, 24 * 60 + 31, 60)]
    assert marked(only(long_drip(25, 31))) == [15, 60, 25 * 60 + 30]


def test_a_fluid_is_marked_at_its_floor_and_beside_drugs_at_its_hours_too() -> None:
    alone = only(fluid("a", "10:00", "10:45"))
    assert [(mark.minutes, mark.text) for mark in alone.marks] == [
        (30, "hydration counts from 31 minutes")
    ]
    beside = drawn(drip("a", "10:00", "11:00"), fluid("b", "11:00", "12:31"))["b"]
    assert beside.role == "further_hour"
    assert marked(beside) == [30, 60, 90]


def test_what_earns_no_further_hours_is_marked_at_none() -> None:
    beside = drawn(drip("a", "10:00", "14:00"), drip("b", "10:00", "13:00"))["b"]
    assert (beside.role, marked(beside)) == ("concurrent", [15])
    barred = drawn(
        drip("a", "10:00", "14:00"), drip("b", "10:00", "13:00"), drip("c", "10:00", "12:30")
    )["c"]
    assert (barred.role, marked(barred)) == (None, [15])


def test_a_push_and_what_is_no_vein_have_no_minutes_that_decide() -> None:
    assert only(push("a", "10:00", "10:20", continuously_attended=True)).marks == ()
    assert only(dose("a", "10:00", "10:20", **IM)).marks == ()
    under_skin = only(drip("a", "10:00", "11:31", route="SC"))
    assert marked(under_skin) == [60, 90]


@pytest.mark.parametrize(
    ("start", "stop", "ninety"), [("11:30", "12:30", "12:00"), ("11:00", "12:00", "11:30")]
)
def test_of_a_run_of_two_bags_each_mark_stands_on_the_bag_that_it_falls_into(
    start: str, stop: str, ninety: str
) -> None:
    bags = [drip("a", "10:00", "11:00", drug="x"), drip("b", start, stop, drug="x")]
    first, second = drawn(*bags).values()
    assert [(mark.minutes, clock(mark.at)) for mark in first.marks] == [
        (15, "10:15"),
        (60, "11:00"),
    ]
    assert [(mark.minutes, clock(mark.at)) for mark in second.marks] == [(90, ninety)]


@pytest.mark.parametrize(("beside", "marks"), [("10:20", []), ("10:30", [(30, "10:30")])])
def test_a_fluid_is_marked_where_it_had_counted_for_so_long(
    beside: str, marks: list[tuple[int, str]]
) -> None:
    """Beside a drug it would not have gone on to count."""
    chart = drawn(drip("a", beside, "11:00"), fluid("b", "10:00", "11:00"))
    assert [(mark.minutes, clock(mark.at)) for mark in chart["b"].marks] == marks


def test_a_run_that_ended_a_second_early_is_marked_where_it_would_have_got() -> None:
    (mark,) = only(drip("a", "10:00", "10:14:59")).marks
    assert clock(mark.at) == "10:15"


@pytest.mark.parametrize("facts", [{"category": "blood"}, {"purpose": "keep_open"}])
def test_what_earns_nothing_however_long_it_ran_has_no_minutes_that_decide(
    facts: dict[str, Any],
) -> None:
    assert only(drip("a", "10:00", "11:31", **facts)).marks == ()


def test_what_was_given_after_the_stay_has_no_minutes_that_decide() -> None:
    late = only(drip("a", "12:00", "13:31"), start=f"{DAY}T09:00", end=f"{DAY}T11:00")
    assert (clock(late.start), clock(late.stop), late.marks) == ("12:00", "13:31", ())


@pytest.mark.parametrize(("at", "role"), [("10:30", None), ("10:31", "repeat")])
def test_a_repeat_push_is_measured_from_the_last_reported_one(at: str, role: str | None) -> None:
    repeat = drawn(push("a", "10:00", drug="x"), push("b", at, drug="x"))["b"]
    assert (repeat.role, clock(repeat.since)) == (role, "10:00")
    (mark,) = repeat.marks
    assert (mark.minutes, clock(mark.at)) == (30, "10:30")
    assert mark.text == "a repeat push counts 31 minutes after the last reported one"


def test_a_push_that_repeats_none_is_measured_from_none() -> None:
    first, other = drawn(push("a", "10:00"), push("b", "10:50")).values()
    assert (first.since, other.since, other.marks) == (None, None, ())


def test_times_are_those_of_the_ward() -> None:
    abroad = only(
        drip("a", f"{DAY}T23:30-05:00", f"{NEXT_DAY}T01:01-05:00"), timezone="America/New_York"
    )
    assert (clock(abroad.start), clock(abroad.stop)) == ("23:30", "01:01")
    assert [clock(mark.at) for mark in abroad.marks] == ["23:45", "00:30", "01:00"]
