"""Rows become doses by the words of a map, and what a row does not say stays open."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ivpush.readers import Record, SetAside
from ivpush.readers.tables.maps import map_path
from tests.readers.mar.samples import DOSE, clock, course, encounters, fates, notes, only, readings


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
    assert "1 row: stops before it starts" in notes(text)


def test_repeated_rows_are_left_out_only_where_they_can_be_told_apart() -> None:
    text = "encounter,start,drug,route\n" + "E,2026-03-02T10:00,a,IV\n" * 3
    assert len(only(text)) == 1
    assert "2 left out: the same row again" in notes(text)
    text = "encounter,date,drug,route\n" + "E,2026-03-02,a,IV\n" * 3
    assert len(only(text)) == 3


def test_decimal_commas_are_read_where_the_map_declares_them(tmp_path: Path) -> None:
    rows = "encounter;start;drug;dose;rate;rate_unit\nE;2026-03-02T10:00;a;{};1,5;ml/min\n"
    own = tmp_path / "ours.yaml"
    generic = map_path(DOSE).read_text()
    own.write_text(generic + 'format: {delimiter: semicolon, decimal: ","}\n')
    (dose,) = only(rows.format("4,5"), own)
    assert (dose["dose"], dose["rate_ml_per_hour"]) == (Decimal("4.5"), 90)
    # Never 45, and no sign that may part thousands is passed over.
    for name, text in ((DOSE, "4,5"), (DOSE, "4,5 mg"), (DOSE, "1.234,5"), (own, "1.234")):
        (dose,) = only(rows.format(text), name)
        assert "dose" not in dose
        assert "before decimals (format: decimal), so that it is not read" in notes(
            rows.format(text), name
        )


@pytest.mark.parametrize("text", ["NULL", "(null)", "NaN", "null", "\\N", "N/A", " "])
def test_a_cell_of_a_database_that_says_nothing_names_no_encounter(text: str) -> None:
    rows = f"encounter,order,start,drug\n{text},1,2026-03-02T10:00,a\nE,1,2026-03-02T10:00,{text}\n"
    every = readings(rows)
    (aside,) = [each for each in every if isinstance(each, SetAside)]
    assert "names no encounter" in str(aside.error)
    (record,) = [each.encounter for each in every if isinstance(each, Record)]
    assert record.id == "E"
    assert [dose.drug for dose in record.administrations or ()] == [None]
    assert fates(rows, DOSE) == (2, 2)


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
        "E,2026-03-02T11:00,entered-in-error,b,IV\nE,2026-03-02T13:00,not-done,d,IV\n"
    )
    assert [one["drug"] for one in only(text)] == ["a"]
    said = notes(text)
    assert "1 left out: deleted" in said
    assert "1 left out: not given" in said
    assert fates(text, DOSE) == (3, 3)


@pytest.mark.parametrize("column", ["status", "action"])
def test_a_row_that_may_have_given_something_sets_its_encounter_aside(column: str) -> None:
    text = (
        f"encounter,start,{column},drug,route\nE,2026-03-02T10:00,,a,IV\n"
        "E,2026-03-02T12:00,odd,c,IV\n"
    )
    (aside,) = [one for one in readings(text) if isinstance(one, SetAside)]
    assert f"f:3: the column '{column}' holds a word that is not known" in str(aside.error)


def test_the_course_of_doses_alone_is_no_empty_chart() -> None:
    text = "encounter,start,action,drug,route\nE,2026-03-02T10:00,Stopped,a,IV\n"
    (aside,) = [one for one in readings(text) if isinstance(one, SetAside)]
    assert "holds the course of doses, but no dose" in str(aside.error)


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
    assert "1 row: route is written in a way that no table knows" in said
    assert "1 row: method is written in a way that no table knows" in said
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


@pytest.mark.parametrize(
    ("stop", "method", "source"),
    [
        ("10:01", "push", "defaulted"),
        ("10:02", "push", None),
        ("10:00", "push", None),
        ("10:01", "infusion", None),
    ],
)
def test_a_push_of_exactly_the_systems_default_minutes_has_no_charted_stop(
    tmp_path: Path, stop: str, method: str, source: str | None
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "id: m\ntitle: t\nsources: [s]\ntimes: {forms: [iso]}\n"
        "columns: {encounter: e, start: start, stop: stop, drug: drug, route: route, method: method}\n"
        "defaulted: {methods: [push], minutes: ['1']}\n",
        "utf-8",
    )
    text = f"e,start,stop,drug,route,method\nE,2026-03-02T10:00,2026-03-02T{stop},a,IV,{method}\n"
    (dose,) = only(text, path)
    assert dose.get("times_from") == source


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
