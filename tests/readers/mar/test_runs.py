"""Events become runs: what starts, pauses, changes and stops, and when nothing says so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import Note, Record, SetAside
from tests.readers.mar.samples import (
    EVENT,
    HEAD,
    clock,
    course,
    encounters,
    events,
    fates,
    notes,
    only,
    readings,
)
from tests.shipped import ENGINE


def test_new_bag_rate_change_and_stop_are_one_run() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d", "Rate Change,2026-03-02 08:30,d", "Stopped,2026-03-02 09:00,d"
    )
    assert course(doses) == [("08:00", "09:00", None)]
    assert doses[0]["method"] == "infusion"
    assert clock(doses[0], "last_seen_running") == "08:30"


def test_events_may_stand_in_any_order() -> None:
    rows = ("Stopped,2026-03-02 09:00,d", "New Bag,2026-03-02 08:00,d")
    assert course(events(*rows)) == [("08:00", "09:00", None)]


def test_a_pause_ends_a_run_and_a_restart_continues_it() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d",
        "Paused,2026-03-02 08:20,d",
        "Restarted,2026-03-02 08:40,d",
        "Stopped,2026-03-02 09:00,d",
    )
    assert course(doses) == [("08:00", "08:20", None), ("08:40", "09:00", doses[0]["id"])]


def test_comma_joined_actions_are_both_followed() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d",
        '"Paused, [Restarted]",2026-03-02 08:20,d',
        "Stopped,2026-03-02 09:00,d",
    )
    assert course(doses) == [("08:00", "08:20", None), ("08:20", "09:00", doses[0]["id"])]


def test_a_stop_after_a_pause_adds_nothing() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d", "Paused,2026-03-02 08:20,d", "Stopped,2026-03-02 09:00,d"
    )
    assert course(doses) == [("08:00", "08:20", None)]


def test_a_second_bag_does_not_stretch_the_first() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d", "New Bag,2026-03-02 16:00,d", "Stopped,2026-03-02 16:30,d"
    )
    assert course(doses) == [("08:00", None, None), ("16:00", "16:30", None)]


def test_a_bag_changed_in_one_action_goes_on() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d",
        "Bag Stopped/New Bag Started,2026-03-02 09:00,d",
        "Stopped,2026-03-02 10:00,d",
    )
    assert course(doses) == [("08:00", "09:00", None), ("09:00", "10:00", doses[0]["id"])]


def test_a_stop_and_a_start_of_one_minute_end_the_old_bag_first() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,d",
        "New Bag,2026-03-02 09:00,d",
        "Stopped,2026-03-02 09:00,d",
        "Stopped,2026-03-02 10:00,d",
    )
    assert course(doses) == [("08:00", "09:00", None), ("09:00", "10:00", None)]


def test_a_push_stands_alone_without_a_stop() -> None:
    (dose,) = events("Push,2026-03-02 08:00,d")
    assert dose["method"] == "push"
    assert course([dose]) == [("08:00", None, None)]


def test_a_bolus_and_a_dose_leave_the_technique_open() -> None:
    doses = events("Bolus,2026-03-02 08:00,d", "Given,2026-03-02 09:00,d")
    assert [one.get("method") for one in doses] == [None, None]


def test_a_rate_of_zero_is_a_pause_and_a_changed_rate_is_no_rate() -> None:
    rows = [("New Bag", "08:00", 100), ("Rate Change", "08:20", 50), ("Rate Change", "08:40", 0)]
    text = HEAD + "".join(f"E,1,{a},2026-03-02 {t},d,IV,{r},mL/hr\n" for a, t, r in rows)
    (dose,) = only(text, EVENT)
    assert course([dose]) == [("08:00", "08:40", None)]
    assert "rate_ml_per_hour" not in dose


def test_an_infusion_seen_running_has_an_open_start() -> None:
    (dose,) = events("Rate Change,2026-03-02 08:00,d", "Stopped,2026-03-02 09:00,d")
    assert course([dose]) == [(None, "09:00", None)]


def test_what_was_not_given_or_deleted_is_left_out_and_counted() -> None:
    text = HEAD + "".join(
        f"E,1,{action},2026-03-02 08:00,d,IV,,\n"
        for action in ("Given", "Missed", "Canceled Entry", "Stopped")
    )
    assert len(only(text, EVENT)) == 1
    said = notes(text, EVENT)
    for part in (
        "1 left out: not given",
        "1 left out: deleted",
        "1 left out: stops an infusion that was not running",
    ):
        assert part in said
    assert fates(text, EVENT) == (4, 4)


def test_an_action_that_is_not_known_sets_its_encounter_aside() -> None:
    text = HEAD + "E,1,Push,2026-03-02 08:00,d,IV,,\nE,1,Hexed,2026-03-02 08:05,d,IV,,\n"
    (aside,) = [one for one in readings(text, EVENT) if isinstance(one, SetAside)]
    assert "f:3: the column 'action' holds a word that is not known" in str(aside.error)
    assert "values: action" in str(aside.error)
    assert "Hexed" not in str(aside.error)
    assert fates(text, EVENT) == (2, 2)


def test_a_row_without_an_action_sets_its_encounter_aside() -> None:
    text = HEAD + "E,1,Push,2026-03-02 08:00,d,IV,,\nE,1,,2026-03-02 08:05,d,IV,,\n"
    (aside,) = [one for one in readings(text, EVENT) if isinstance(one, SetAside)]
    assert "f:3: the column 'action' is empty" in str(aside.error)


# What has no time.


def untimed(*rows: str) -> list[dict[str, Any]]:
    """Administrations of rows of one dated encounter; a time in an undeclared form is none."""
    head = "encounter,order,action,action_time,drug,route,date\n"
    return only(head + "".join(f"E,1,{row},d,IV,2026-03-02\n" for row in rows), EVENT)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (("New Bag,noon",), [(None, None, None)]),
        (("Stopped,noon",), [(None, None, None)]),
        (("Rate Change,noon",), [(None, None, None)]),
        (("Paused,noon", "Stopped,2026-03-02 09:00"), [(None, None, None)]),
        (("Stopped,2026-03-02 09:00",), [(None, "09:00", None)]),
        (("New Bag,noon", "Stopped,2026-03-02 09:00"), [(None, "09:00", None)]),
        (("New Bag,2026-03-02 08:00", "Stopped,noon"), [("08:00", None, None)]),
        (("New Bag,2026-03-02 08:00", "Rate Change,noon"), [("08:00", None, None)]),
        (
            ("New Bag,2026-03-02 08:00", "New Bag,noon", "Stopped,2026-03-02 10:00"),
            [("08:00", None, None), (None, "10:00", None)],
        ),
    ],
)
def test_what_was_given_stays_where_its_time_cannot_be_read(
    rows: tuple[str, ...], wanted: list[tuple[str | None, str | None, str | None]]
) -> None:
    assert course(untimed(*rows)) == wanted


def test_a_pause_without_a_time_adds_no_minutes_to_the_run() -> None:
    doses = untimed(
        "New Bag,2026-03-02 08:00",
        "Paused,noon",
        "Restarted,2026-03-02 08:40",
        "Stopped,2026-03-02 09:00",
    )
    assert course(doses) == [("08:00", None, None), ("08:40", "09:00", doses[0]["id"])]


def test_an_event_without_a_time_has_no_place_among_rows_in_no_order() -> None:
    rows = ("Stopped,2026-03-02 09:00", "New Bag,2026-03-02 08:00", "Paused,noon")
    text = HEAD + "".join(f"E,1,{row},d,IV,,\n" for row in rows)
    (aside,) = [one for one in readings(text, EVENT) if isinstance(one, SetAside)]
    assert "in no order of time" in str(aside.error)


def test_a_chart_whose_times_cannot_be_read_is_never_an_empty_chart() -> None:
    text = HEAD + "E,1,New Bag,noon,d,IV,,\n"
    every = readings(text, EVENT)
    assert [type(one) for one in every if not isinstance(one, Note)] == [SetAside]
    assert "action_time is not in a form that the map declares" in notes(text, EVENT)


def test_two_drugs_of_one_order_run_apart() -> None:
    doses = events(
        "New Bag,2026-03-02 08:00,a", "New Bag,2026-03-02 08:00,b", "Stopped,2026-03-02 09:00,a"
    )
    assert course(doses) == [("08:00", "09:00", None), ("08:00", None, None)]


def test_the_hour_that_happens_twice_keeps_its_order() -> None:
    rows = ("New Bag,2026-11-01 01:50,d", "Stopped,2026-11-01 01:05,d")
    (encounter,) = encounters(
        HEAD + "".join(f"E,1,{row},IV,,\n" for row in rows), EVENT, timezone="America/New_York"
    )
    (dose,) = encounter.administrations or ()
    assert (f"{dose.start:%H:%M}", f"{dose.stop:%H:%M}") == ("01:50", "01:05")
    result = ENGINE.check(encounter)
    assert not [v for v in result.violations if "before" in v.name]


ACTIONS = (
    "New Bag",
    "Stopped",
    "Paused",
    "Restarted",
    "Rate Change",
    "Push",
    "Given",
    "Missed",
    "Bag Stopped/New Bag Started",
    "Paused, [Restarted]",
    "Verify",
    "odd",
    "",
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ACTIONS),
            st.integers(0, 59),
            st.sampled_from("12"),
            st.sampled_from(("main", "diluent", "additive", "")),
        ),
        max_size=12,
    )
)
def test_no_course_of_events_loses_a_row_or_makes_time(rows: list[tuple[Any, ...]]) -> None:
    text = "encounter,order,action,action_time,drug,route,role\n" + "".join(
        f'E,{order},"{action}",2026-03-02 10:{minute:02d},d{order},IV,{role}\n'
        for action, minute, order, role in rows
    )
    assert fates(text, EVENT) == (len(rows), len(rows))
    for reading in readings(text, EVENT):
        if isinstance(reading, Record):
            for dose in reading.encounter.administrations or ():
                assert dose.start is None or dose.stop is None or dose.start <= dose.stop
