"""Rows of medication records become administrations, and every row is accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivpush.errors import UsageError
from ivpush.readers import Record, SetAside
from tests.readers.mar.samples import DATA, DOSE, encounters, fates, notes, only, readings
from tests.shipped import ENGINE

# What cannot be read.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("encounter,drug\nE,\x00\n", "f:2: holds a control character"),
        ("encounter,drug\nE,a,b\n", "f:2: has 3 cells; write 2"),
        ('encounter,drug\nE,"open\n', "is not CSV"),
        ("encounter,start,drug\n,2026-03-02T10:00,a\n", "f:2: names no encounter"),
        ("encounter,start,drug\nE,,a\n", "date is not stated anywhere"),
        (
            "encounter,status,drug\nE,odd,a\n",
            "f:2: the column 'status' holds a word that is not known",
        ),
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "lacks the column 'encounter'; the map 'generic-dose' reads"),
        ("encounter,encounter\n1,2\n", "names a column twice"),
    ],
)
def test_a_header_that_the_map_does_not_fit_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        readings(text)
    assert said in str(refused.value)


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
    engine = ENGINE
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
    assert all((one.volume_ml or 0) >= 50 for one in bags if one.times_from == "defaulted")


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
