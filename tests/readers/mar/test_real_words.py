"""Words and times as Epic and Cerner write them: nothing given by a hold, no smaller chart."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.readers import Record, SetAside
from tests.readers.mar.samples import clock, course, notes, only, readings

EPIC, CERNER = "epic-mar-admin-info", "cerner-ce-med-result"
EPIC_HEAD = "MAR_ENC_CSN,ORDER_MED_ID,LINE,MAR_ACTION_NAME,TAKEN_TIME,DESCRIPTION,ROUTE_NAME\n"
CERNER_HEAD = (
    "ENCNTR_ID,ORDER_ID,EVENT_ID,EVENT_DISPLAY,IV_EVENT_DISPLAY,ADMIN_START_DT_TM,ADMIN_END_DT_TM,"
    "ADMIN_ROUTE_DISPLAY,RESULT_STATUS_DISPLAY,VALID_UNTIL_DT_TM\n"
)


def epic(*rows: tuple[str, str], day: str = "2026-03-02 {}:00") -> str:
    lines = (
        f"9001,7,{n},{action},{day.format(at, compact=at.replace(':', ''))},ondansetron,Intravenous\n"
        for n, (at, action) in enumerate(rows, 1)
    )
    return EPIC_HEAD + "".join(lines)


def cerner(*rows: tuple[str, str, str]) -> str:
    """Rows of one order each: the time, the event and the state."""
    lines = (
        f"5001,8,{n},ceftriaxone,{event},2026-03-02 {at}:00,2026-03-02 {at}:00,IV,{state},\n"
        for n, (at, event, state) in enumerate(rows, 1)
    )
    return CERNER_HEAD + "".join(lines)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("11:00", "MAR Hold"), ("11:30", "MAR Unhold"), ("11:40", "Missed")], []),
        ([("11:00", "Held"), ("11:30", "Unheld by Provider")], []),
        ([("11:00", "MAR Unhold")], []),
        (
            [("10:00", "Given"), ("11:00", "MAR Hold"), ("12:00", "MAR Unhold")],
            [("10:00", None, None)],
        ),
        (
            [
                ("10:00", "New Bag"),
                ("10:20", "MAR Hold"),
                ("10:40", "MAR Unhold"),
                ("11:00", "Stopped"),
            ],
            [("10:00", "10:20", None), ("10:40", "11:00", "7.1")],
        ),
        (
            [("10:00", "New Bag/Syringe/Cartridge"), ("10:45", "Stopped")],
            [("10:00", "10:45", None)],
        ),
    ],
)
def test_a_hold_and_its_end_give_nothing(rows: Any, expected: Any) -> None:
    assert course(only(epic(*rows), EPIC)) == expected


@pytest.mark.parametrize("at", range(3))
def test_a_row_garbled_in_any_way_sets_its_encounter_aside(at: int) -> None:
    lines = epic(("10:00", "New Bag"), ("10:45", "Stopped"), ("11:00", "Push")).splitlines()
    cells = lines[at + 1].split(",")
    for garbled in (cells[:3], [*cells[:3], "Zebra", *cells[4:]], [*cells[:6], "a\x01b"]):
        changed = [*lines[: at + 1], ",".join(garbled), *lines[at + 2 :]]
        (aside,) = [x for x in readings("\n".join(changed), EPIC) if not hasattr(x, "message")]
        assert isinstance(aside, SetAside)
        assert aside.encounter == "9001"


@pytest.mark.parametrize(
    "state", ["Auth (Verified)", "Altered", "Modified", "Active", "Unauth", "In Progress"]
)
def test_states_of_cerner_that_stand(state: str) -> None:
    text = cerner(("10:00", "Begin Bag", state), ("10:30", "Infuse", state))
    assert course(only(text, CERNER)) == [("10:00", None, None)]
    assert ("its state is not final" in notes(text, CERNER)) == (state in {"Unauth", "In Progress"})


@pytest.mark.parametrize(
    "state", ["In Error", "Not Done", "Superseded", "Anticipated", "INERRNOMUT"]
)
def test_states_of_cerner_that_do_not_stand(state: str) -> None:
    assert only(cerner(("10:00", "", state)), CERNER) == []


def test_a_state_that_no_table_knows_sets_the_encounter_aside() -> None:
    every = readings(cerner(("10:00", "", "Auth (Verified)"), ("11:00", "", "Zebra")), CERNER)
    assert not any(isinstance(x, Record) for x in every)


def test_of_versions_of_a_row_the_one_that_is_valid_longest_stands() -> None:
    row = "5001,8,1,ceftriaxone,,02-MAR-2026 {}:00,,IV,Auth (Verified),{}\n"
    current, older = (
        row.format("10:00", "31-DEC-2100 00:00:00"),
        row.format("09:00", "03-MAR-2026 08:00:00"),
    )
    for text in (current + older, older + current):
        assert [clock(dose, "start") for dose in only(CERNER_HEAD + text, CERNER)] == ["10:00"]


def test_two_versions_of_which_nobody_knows_the_newer_set_the_encounter_aside() -> None:
    row = "5001,8,1,ceftriaxone,,02-MAR-2026 10:00:00,,IV,Auth (Verified),{}\n"
    every = readings(CERNER_HEAD + row.format("3") + row.format("2026-03-03"), CERNER)
    (aside,) = [x for x in every if not hasattr(x, "message")]
    assert "two versions of a row" in str(aside.error)


def test_an_end_in_another_century_is_no_stop() -> None:
    row = "5001,8,1,ceftriaxone,,2026-03-02 10:00,2100-12-31 00:00,IV,Auth (Verified),\n"
    (dose,) = only(CERNER_HEAD + row, CERNER)
    assert clock(dose, "stop") is None
    assert "its stop counts as not charted" in notes(CERNER_HEAD + row, CERNER)


def test_a_row_without_what_tells_the_others_apart_is_said() -> None:
    rows = epic(("10:00", "New Bag"), ("10:20", "Rate Change"), ("10:45", "Stopped")).splitlines()
    gap = "\n".join([rows[0], rows[1], rows[3]])
    assert "1 row: comes after a gap in the lines of its order" in notes(gap, EPIC)
    blank = "\n".join([*rows[:2], rows[2].replace(",7,", ",,")])
    assert "1 row: names no order, which other rows do" in notes(blank, EPIC)
    states = cerner(("10:00", "", "Auth (Verified)"), ("11:00", "", ""))
    assert "1 row: has no state, which other rows have" in notes(states, CERNER)


@pytest.mark.parametrize("line", ["({} rows affected)", "({} rows)", "{} rows selected."])
def test_a_line_that_counts_the_rows_is_held_against_what_came(line: str) -> None:
    text = epic(("10:00", "New Bag"), ("10:45", "Stopped"))
    for stated, said in (("2", "counts its rows, left out"), ("9", "counts 9 rows, but 2 came")):
        footed = f"{text}\n{line.format(stated)}\n"
        assert course(only(footed, EPIC)) == [("10:00", "10:45", None)]
        assert said in notes(footed, EPIC)


def test_an_end_of_its_own_is_a_stop_and_one_at_the_start_is_none() -> None:
    row = "5001,8,1,ceftriaxone,,2026-03-02 10:00,2026-03-02 {},IV,Auth (Verified),\n"
    for end, stop in (("10:30", "10:30"), ("10:00", None)):
        (dose,) = only(CERNER_HEAD + row.format(end), CERNER)
        assert clock(dose, "stop") == stop


@pytest.mark.parametrize(
    "day",
    [
        "2026-03-02 {}:00.000",
        "2026-03-02T{}:00",
        "3/2/2026 {}:00 AM",
        "03/02/2026 {} AM",
        "3/2/2026 {}",
        "3/2/26 {}",
        "03/02/2026 {compact}",
        "03/02/26 {compact}",
        "Mar  2 2026 {}AM",
        "02-MAR-2026 {}:00",
        "02-mar-26 {}:00",
    ],
)
def test_times_as_databases_and_spreadsheets_write_them(day: str) -> None:
    doses = only(epic(("10:00", "New Bag"), ("10:45", "Stopped"), day=day), EPIC)
    assert course(doses) == [("10:00", "10:45", None)]
    assert f"{doses[0]['start']:%Y-%m-%d}" == "2026-03-02"


def test_a_time_in_no_declared_form_is_said_as_it_is_written() -> None:
    text = epic(("10:00", "New Bag"), day="2.3.2026 {}:00")
    (aside,) = [x for x in readings(text, EPIC) if isinstance(x, SetAside)]
    said = str(aside.error)
    assert "the column 'TAKEN_TIME' holds a time written as 9.9.9999 99:99:99, but the map" in said
    assert said.endswith("add the form under times: forms, such as D.M.YYYY h:mm:ss")


def test_day_and_month_are_never_guessed() -> None:
    """One date that has no month of the declared order makes all of its column doubtful."""
    first = epic(("10:00", "New Bag"), day="3/2/2026 {}:00 AM")
    other = "9002,8,1,Given,25/3/2026 10:00:00 AM,ondansetron,Intravenous\n"
    every = [x for x in readings(first + other, EPIC) if not hasattr(x, "message")]
    assert [x.encounter for x in every if isinstance(x, SetAside)] == ["9001", "9002"]
    assert all("month is above 12" in str(x.error) for x in every)
