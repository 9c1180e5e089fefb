"""Rows of medication records become administrations, and every row is accounted for."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, Engine
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.mar.reader import read

DATA = Path(__file__).parents[2] / "data" / "mar"
DOSE = "generic-dose"
EVENT = "generic-event"
HEAD = "encounter,order,action,action_time,drug,route,rate,rate_unit\n"


def readings(text: str | bytes, name: str | Path = DOSE, **options: Any) -> list[Any]:
    raw = text.encode() if isinstance(text, str) else text
    options.setdefault("setting", "facility")
    return list(read("f", io.BytesIO(raw), ReadOptions(map=name, **options)))


def encounters(text: str | bytes, name: str | Path = DOSE, **options: Any) -> list[Encounter]:
    every = readings(text, name, **options)
    assert not [one for one in every if isinstance(one, SetAside)], every
    return [one.encounter for one in every if isinstance(one, Record)]


def only(text: str | bytes, name: str | Path = DOSE, **options: Any) -> list[dict[str, Any]]:
    (encounter,) = encounters(text, name, **options)
    return [dose.model_dump(exclude_none=True) for dose in encounter.administrations or ()]


def notes(text: str | bytes, name: str | Path = DOSE, **options: Any) -> str:
    every = readings(text, name, **options)
    return "\n".join(one.message for one in every if isinstance(one, Note))


def events(*rows: str, name: str = EVENT, **options: Any) -> list[dict[str, Any]]:
    return only(HEAD + "".join(f"E,1,{row},IV,,\n" for row in rows), name, **options)


def clock(dose: dict[str, Any], field: str) -> str | None:
    at = dose.get(field)
    return f"{at:%H:%M}" if at is not None else None


def course(doses: list[dict[str, Any]]) -> list[tuple[str | None, str | None, str | None]]:
    return [(clock(one, "start"), clock(one, "stop"), one.get("continues")) for one in doses]


def fates(text: str | bytes, name: str | Path, **options: Any) -> tuple[int, int]:
    """Rows in, and the sum of what became of them, as the notes say."""
    (line,) = [one for one in notes(text, name, **options).split("\n") if "row(s) = " in one]
    rows, _, parts = line.partition(" row(s) = ")
    return int(rows), sum(int(one) for one in re.findall(r"(?:^| \+ )([0-9]+) ", parts))


# Events.


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
        for action in ("Given", "Missed", "Canceled Entry", "Hexed", "Stopped")
    )
    assert len(only(text, EVENT)) == 1
    said = notes(text, EVENT)
    for part in (
        "1 left out: not given",
        "1 left out: deleted",
        "1 left out: its action is not known",
        "1 left out: stops an infusion that was not running",
    ):
        assert part in said
    assert "Hexed" not in said
    assert fates(text, EVENT) == (5, 5)


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
    result = Engine().check(encounter)
    assert not [v for v in result.violations if "before" in v.name]


def test_a_constant_stands_in_for_a_column_that_a_table_lacks() -> None:
    text = (
        "ENCNTR_ID,ORDER_ID,EVENT_ID,ADMIN_START_DT_TM,EVENT_DISPLAY,ADMIN_ROUTE_DISPLAY\n"
        "E,1,9,02-MAR-2026 10:05,a,IV Push\n"
    )
    (dose,) = only(text, "cerner-ce-med-result")
    assert (clock(dose, "start"), dose["route"], dose["method"]) == ("10:05", "IV", "push")


def test_clarity_rows_are_actions_by_number_or_name() -> None:
    text = (
        "PAT_ENC_CSN_ID,ORDER_MED_ID,LINE,MAR_ACTION_C,TAKEN_TIME,MAR_DURATION,"
        "MAR_DURATION_UNIT_C,DESCRIPTION,SIG,ROUTE_NAME\n"
        "E,1,1,6,03/02/2026 10:05,2,2,a,1,Intravenous\n"
        "E,2,1,13,03/02/2026 10:05,,,b,4,Intravenous\n"
    )
    bag, push = only(text, "epic-mar-admin-info")
    assert (bag["minutes"], bag["times_from"], bag["method"]) == (120, "calculated", "infusion")
    assert (push["method"], push["id"], push["dose"]) == ("push", "2.1", 4)


# Doses.


def test_a_dose_keeps_what_its_row_says() -> None:
    text = (
        "encounter,line,start,stop,drug,ndc,dose,dose_unit,rate,rate_unit,volume,volume_unit,"
        "route,method,site,lumen,performer\n"
        "E,7,2026-03-02T10:00,2026-03-02T10:40,ondansetron,00006494300,4,mg,100,ml/hr,0.05,L,"
        "IVPB,,left forearm,distal,p9\n"
    )
    (dose,) = only(text)
    assert {
        key: dose[key]
        for key in (
            "id",
            "drug",
            "ndc",
            "dose_unit",
            "route",
            "method",
            "site",
            "lumen",
            "performer",
        )
    } == {
        "id": "7",
        "drug": "ondansetron",
        "ndc": "00006494300",
        "dose_unit": "mg",
        "route": "IV",
        "method": "infusion",
        "site": "left forearm",
        "lumen": "distal",
        "performer": "p9",
    }
    assert (dose["dose"], dose["rate_ml_per_hour"], dose["volume_ml"]) == (4, 100, 50)


def test_minutes_come_from_a_duration_with_its_unit() -> None:
    text = (
        "encounter,start,duration,duration_unit,route\nE,2026-03-02T10:00,1.5,hr,IV\n"
        "E,2026-03-02T13:00,90,,IV\nE,2026-03-02T14:00,-5,min,IV\n"
    )
    assert [one.get("minutes") for one in only(text)] == [90, None, None]
    assert "duration is stated without a unit" in notes(text)
    assert "duration is below zero" in notes(text)


def test_a_negative_duration_is_kept_and_told() -> None:
    text = "encounter,start,stop,route\nE,2026-03-02T10:00,2026-03-02T09:59,IV\n"
    assert course(only(text)) == [("10:00", "09:59", None)]
    assert "1 row(s): stops before it starts" in notes(text)


def test_repeated_rows_are_left_out_only_where_they_can_be_told_apart() -> None:
    text = "encounter,start,drug,route\n" + "E,2026-03-02T10:00,a,IV\n" * 3
    assert len(only(text)) == 1
    assert "2 left out: the same row again" in notes(text)
    text = "encounter,date,drug,route\n" + "E,2026-03-02,a,IV\n" * 3
    assert len(only(text)) == 3


def test_a_corrected_row_gives_way_to_its_correction() -> None:
    text = (
        "encounter,order,line,version,start,drug,route\n"
        "E,1,1,2,2026-03-02T10:00,right,IV\nE,1,1,1,2026-03-02T10:00,wrong,IV\n"
        "E,1,2,,2026-03-02T11:00,wrong,IV\nE,1,2,,2026-03-02T11:00,right,IV\n"
    )
    assert [one["drug"] for one in only(text)] == ["right", "right"]
    assert "2 left out: corrected by another row" in notes(text)


def test_rows_struck_out_by_their_state_are_counted() -> None:
    text = (
        "encounter,start,status,drug,route\nE,2026-03-02T10:00,completed,a,IV\n"
        "E,2026-03-02T11:00,entered-in-error,b,IV\nE,2026-03-02T12:00,odd,c,IV\n"
        "E,2026-03-02T13:00,not-done,d,IV\n"
    )
    assert [one["drug"] for one in only(text)] == ["a"]
    said = notes(text)
    assert "1 left out: deleted" in said
    assert "1 left out: not given" in said
    assert "1 left out: its state is not known" in said
    assert fates(text, DOSE) == (4, 4)


def test_diluents_join_their_drug_and_additives_stand_beside_it() -> None:
    text = (
        "encounter,order,role,start,drug,volume,volume_unit,route\n"
        "E,1,diluent,2026-03-02T10:00,dextrose,250,ml,IV\n"
        "E,1,main,2026-03-02T10:00,vancomycin,,,IV\n"
        "E,2,main,2026-03-02T12:00,saline,1000,ml,IV\n"
        "E,2,additive,2026-03-02T12:00,potassium,,,IV\n"
        "E,3,diluent,2026-03-02T14:00,dextrose,50,ml,IV\n"
    )
    drug, saline, potassium, lone = only(text)
    assert (drug["drug"], drug["volume_ml"]) == ("vancomycin", 250)
    assert potassium["mixed_with"] == saline["id"]
    assert lone["purpose"] == "drug_carrier"
    assert "1 joined as the diluent" in notes(text)
    assert fates(text, DOSE) == (5, 5)


def test_a_mere_date_leaves_the_time_open() -> None:
    text = "ENCOUNTERID,MEDADMIN_START_DATE,MEDADMIN_START_TIME,MEDADMIN_ROUTE\nE,2026-03-02,,IV\n"
    (encounter,) = encounters(text, "pcornet-med-admin")
    assert encounter.service_date is not None
    assert (encounter.service_date.isoformat(), (encounter.administrations or ())[0].start) == (
        "2026-03-02",
        None,
    )
    assert "start is a date without a clock time" in notes(text, "pcornet-med-admin")


def test_unknown_words_leave_facts_open_and_are_never_repeated() -> None:
    text = "encounter,start,drug,route,method\nE,2026-03-02T10:00,a,JANE DOE,zapped\n"
    (dose,) = only(text)
    assert not {"route", "method"} & dose.keys()
    said = notes(text)
    assert "1 row(s): route is written in a way that no table knows" in said
    assert "1 row(s): method is written in a way that no table knows" in said
    assert "DOE" not in said
    assert "zapped" not in said


def test_an_instant_with_an_offset_is_told_on_the_clock_of_the_place() -> None:
    text = "encounter,start,drug,route\nE,2026-03-03T01:30Z,a,IV\n"
    (encounter,) = encounters(text, timezone="America/Chicago")
    assert str(encounter.service_date) == "2026-03-02"
    assert (encounter.administrations or ())[0].start.isoformat() == "2026-03-02T19:30:00-06:00"  # type: ignore[union-attr]


def test_a_map_may_name_another_delimiter_encoding_and_clock(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "id: m\ntitle: t\nsources: [s]\nformat: {delimiter: ';', encoding: cp1252, 'null': [NULL]}\n"
        "times: {forms: ['M/D/YYYY h:mm AM'], timezone: America/Chicago}\nsetting: professional\n"
        "columns: {encounter: Fall, start: Zeit, drug: Mittel, route: Weg, site: Ort}\n",
        "utf-8",
    )
    text = "Fall;Zeit;Mittel;Weg;Ort\nE;3/2/2026 12:15 PM;Größe;IV;NULL\n".encode("cp1252")
    (encounter,) = encounters(text, path, setting=None)
    (dose,) = encounter.administrations or ()
    assert (encounter.setting, encounter.timezone, dose.drug, dose.site) == (
        "professional",
        "America/Chicago",
        "Größe",
        None,
    )
    assert dose.start is not None
    assert dose.start.isoformat() == "2026-03-02T12:15:00"


# What cannot be read.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "lacks the column 'encounter'"),
        ("encounter,encounter\n1,2\n", "names a column twice"),
        ("encounter,drug\nE,\x00\n", "f:2: holds a control character"),
        ("encounter,drug\nE,a,b\n", "f:2: has 3 cells; write 2"),
        ('encounter,drug\nE,"open\n', "is not CSV"),
        ("encounter,start,drug\n,2026-03-02T10:00,a\n", "f:2: names no encounter"),
        ("encounter,start,drug\nE,,a\n", "date is not stated anywhere"),
        ("encounter,status,drug\nE,odd,a\n", "has no row that can be understood"),
        (
            "encounter,start,setting\nE,2026-03-02T10:00,facility\nE,2026-03-02T11:00,professional\n",
            "setting: differs between rows of one encounter",
        ),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_its_place(text: str, said: str) -> None:
    aside = [one for one in readings(text) if isinstance(one, SetAside)]
    assert aside
    assert any(said in str(one.error) for one in aside), [str(one.error) for one in aside]


def test_an_encounter_with_an_unreadable_row_is_set_aside_whole() -> None:
    text = (
        "encounter,start,drug,route\nA,2026-03-02T10:00,a,IV\nA,2026-03-02T10:00\n"
        "B,2026-03-02T10:00,a,IV\n"
    )
    every = readings(text)
    assert [one.encounter.id for one in every if isinstance(one, Record)] == ["B"]
    assert len([one for one in every if isinstance(one, SetAside)]) == 1
    assert fates(text, DOSE) == (3, 3)


def test_a_file_that_breaks_off_leaves_no_encounter_half_read() -> None:
    text = b"encounter,start,drug,route\nA,2026-03-02T10:00,a,IV\nB,2026-03-02T10:00,\xff,IV\n"
    assert not [one for one in readings(text) if isinstance(one, Record)]


def test_a_missing_setting_sets_aside_with_that_reason() -> None:
    text = "encounter,start,drug,route\nA,2026-03-02T10:00,a,IV\n"
    (aside,) = [one for one in readings(text, setting=None) if isinstance(one, SetAside)]
    assert "setting: is stated by neither" in str(aside.error)


def test_a_byte_order_mark_is_no_part_of_a_column() -> None:
    assert len(only(b"\xef\xbb\xbfencounter,start,drug\nA,2026-03-02T10:00,a\n")) == 1


def test_rows_of_one_encounter_may_stand_apart_unless_the_map_says_sorted(tmp_path: Path) -> None:
    text = "encounter,start,drug\n" + "".join(
        f"{e},2026-03-02T10:0{n},a\n" for n, e in enumerate("ABA")
    )
    assert [(one.id, len(one.administrations or ())) for one in encounters(text)] == [
        ("A", 2),
        ("B", 1),
    ]
    path = tmp_path / "m.yaml"
    path.write_text(
        "id: m\ntitle: t\nsources: [s]\nsorted: 'true'\ntimes: {forms: [iso]}\n"
        "columns: {encounter: encounter, start: start, drug: drug}\n",
        "utf-8",
    )
    every = readings(text, path)
    assert [type(one) for one in every[:3]] == [Record, Record, SetAside]
    assert "had ended" in str(every[2].error)


# Real tables.


@pytest.mark.parametrize(
    ("file", "name", "rows"),
    [
        ("mimic3_inputevents_mv.csv", "mimic-iii-inputevents-mv", 29),
        ("clif_continuous.parquet", "clif-continuous", 108),
        ("clif_intermittent.parquet", "clif-intermittent", 58),
        ("eicu_medication.csv", "eicu-medication", 45),
        ("eicu_infusiondrug.csv", "eicu-infusiondrug", 40),
    ],
)
def test_every_row_of_a_real_table_is_accounted_for(file: str, name: str, rows: int) -> None:
    raw = (DATA / file).read_bytes()
    assert fates(raw, name) == (rows, rows)
    engine = Engine()
    for encounter in encounters(raw, name):
        assert engine.check(encounter).encounter == encounter.id


def test_mimic_pushes_have_no_stop_and_a_bag_is_no_push() -> None:
    doses = [
        dose
        for encounter in encounters(
            (DATA / "mimic3_inputevents_mv.csv").read_bytes(), "mimic-iii-inputevents-mv"
        )
        for dose in encounter.administrations or ()
    ]
    pushes = [one for one in doses if one.method == "push"]
    assert pushes
    assert all(one.times_from == "defaulted" for one in pushes)
    bags = [one for one in doses if one.method is None and one.volume_ml]
    assert bags
    assert all(one.volume_ml >= 50 for one in bags if one.times_from == "defaulted")


def test_eicu_offsets_become_clock_times_and_orders_prove_none() -> None:
    doses = [
        dose
        for encounter in encounters((DATA / "eicu_medication.csv").read_bytes(), "eicu-medication")
        for dose in encounter.administrations or ()
    ]
    assert {one.times_from for one in doses} == {"ordered"}
    said = notes((DATA / "eicu_medication.csv").read_bytes(), "eicu-medication")
    assert "rows are orders" in said
    assert "dates are the map's own" in said


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
