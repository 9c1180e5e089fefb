"""Maps proposed from a file and tried on one; a second table joined by its key."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ivpush import UsageError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.mapping import known_names, propose, try_map
from ivpush.readers.mar.reader import read
from ivpush.readers.tables.maps import nearest_map, parse_map
from ivpush.readers.tables.opening import open_table

EPIC = "epic-mar-admin-info"
HEAD = "ORDER_MED_ID\tLINE\tTAKEN_TIME\tMAR_ACTION_C_NAME\tROUTE_C_NAME\tEXTRA COLUMN\n"
ROWS = (
    "71\t1\t13/2/2026 10:00:00 AM\tNew Bag\tIntravenous\t\n"
    "71\t2\t13/2/2026 10:45:00 AM\tStopped\tIntravenous\t\n"
    "72\t1\t13/2/2026 11:00:00 AM\tZebra\tIntravenous\t\n"
)
ORDERS = "ORDER_MED_ID\tPAT_ENC_CSN_ID\tDESCRIPTION\n71\t9001\tceftriaxone\n72\t9002\tondansetron\n"


def proposal(text: str) -> str:
    return propose(open_table("f", io.BytesIO(text.encode()), known=known_names())).text


def test_a_proposal_maps_what_is_known_and_leaves_the_rest_to_its_reader() -> None:
    text = proposal(HEAD + ROWS)
    assert "shape: event" in text
    assert "times: {forms: [D/M/YYYY h:mm:ss AM]}" in text
    assert "  action: MAR_ACTION_C_NAME\n" in text
    assert "  # TODO encounter: the column of it" in text
    assert '    # TODO "zebra": ' in text
    assert "  # not mapped: EXTRA COLUMN" in text


def test_a_proposal_asks_for_the_times_and_the_drug_of_a_chart() -> None:
    text = proposal("Account Number|Admin Time|Dose Given|Route\nV1|20260302 0910|4|IVP\n")
    assert '  encounter: "Account Number"\n' in text
    assert "  # TODO drug: the column of it" in text
    assert "  # TODO start: the column of it" in text


def test_day_and_month_that_nothing_tells_apart_are_left_open() -> None:
    text = proposal(HEAD + ROWS.replace("13/2", "3/2"))
    assert "# TODO times: {forms: [...]} with one of: D/M/YYYY h:mm:ss AM | M/D/YYYY" in text


def test_a_proposal_for_a_known_table_is_a_map() -> None:
    text = proposal("Account,CPT Code,Mod 1,Mod 2,Qty,DOS\nA1,96374,59,,1,2026-03-02\n")
    assert "TODO" not in text.split("\n", 1)[1]
    column_map = parse_map("our-map.yaml", text.encode())
    assert (column_map.table, column_map.columns["modifiers"]) == ("lines", ("Mod 1", "Mod 2"))


def test_the_map_that_knows_most_of_a_header_is_named() -> None:
    assert nearest_map(HEAD.strip().split("\t")) == EPIC
    assert nearest_map(["ENCNTR_ID", "EVENT_ID", "IV_EVENT_CD", "X"]) == "cerner-ce-med-result"
    assert nearest_map(["a", "b", "c"]) is None


def test_a_trial_tells_what_each_row_became_and_what_is_not_understood() -> None:
    head = HEAD.replace("EXTRA COLUMN", "PAT_ENC_CSN_ID")
    rows = ROWS.replace("13/2", "2/13").replace("Intravenous\t\n", "Intravenous\t9001\n")
    raw = (head + rows + rows.replace("9001", "9002").replace("Zebra", "Given")).encode()
    options = ReadOptions(map=EPIC, setting="facility")
    trial = try_map("f", io.BytesIO(raw), io.BytesIO(raw), options)
    assert (trial.encounters, len(trial.aside)) == (1, 1)
    assert trial.rows == {
        **dict.fromkeys((2, 3, 4), "set aside with their encounter"),
        5: "became an administration",
        6: "told the course of an administration",
        7: "became an administration",
    }
    assert trial.words == {"action": {"zebra": 1}}


def chart(raw: str, *files: Path, name: str = "f") -> list[object]:
    options = ReadOptions(map=EPIC, setting="facility", join=files)
    return list(read(name, io.BytesIO(raw.replace("13/2", "2/13").encode()), options))


def test_a_table_that_names_no_encounter_takes_it_from_its_orders(tmp_path: Path) -> None:
    raw = (HEAD + ROWS).replace("Zebra", "Given")
    with pytest.raises(UsageError, match="it stands in ORDER_MED: give the file of that table"):
        chart(raw)
    file = tmp_path / "ORDER_MED.tsv"
    file.write_text(ORDERS)
    beside = tmp_path / "MAR_ADMIN_INFO.tsv"
    beside.write_text(raw)
    for every in (chart(raw, file), chart(raw, name=str(beside))):
        records = [x.encounter for x in every if isinstance(x, Record)]
        assert [x.id for x in records] == ["9001", "9002"]
        assert [d.drug for x in records for d in x.administrations or ()] == [
            "ceftriaxone",
            "ondansetron",
        ]


def test_a_row_whose_order_is_not_in_the_other_table_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS.replace("72\t", "73\t"))
    every = chart((HEAD + ROWS).replace("Zebra", "Given"), file)
    (aside,) = [x for x in every if isinstance(x, SetAside)]
    assert "names its ORDER_MED by a ORDER_MED_ID that is not there" in str(aside.error)
    (said,) = [x.message for x in every if isinstance(x, Note) and "older" in x.message]
    assert said.startswith("1 of 3 rows name their ORDER_MED by a ORDER_MED_ID that")
    assert "and 1 of its 2 keys stand in no row" in said


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        (ORDERS + "71\t9009\tother\n", "says otherwise than an earlier row of the same key"),
        ("A\tB\n1\t2\n", "has not the columns of ORDER_MED"),
        (ORDERS + "74\n", "has 1 cells"),
    ],
)
def test_a_table_that_cannot_be_joined_is_refused(orders: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(orders)
    with pytest.raises(UsageError, match=said):
        chart(HEAD + ROWS, file)
