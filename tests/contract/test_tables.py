"""Rows of tables come together to encounters, and encounters go apart to rows."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush import Encounter
from ivpush.contract.tables import (
    TABLES,
    Parts,
    columns_of,
    encounter_rows,
    needed_columns,
    plan,
    read_cells,
    record_of,
    table_kind,
)
from ivpush.errors import InputError, UsageError

OWN = {"id": "E1", "setting": "facility", "date": "2026-03-02"}
DOSE = {"encounter": "E1", "id": "a", "drug": "ondansetron"}
UNDER = {"number": 1, "code": "96374", "units": 1}
LINE = {"encounter": "E1", **UNDER}


def refused(parts: Parts) -> str:
    with pytest.raises(InputError) as caught:
        record_of(parts)
    return str(caught.value)


def test_an_empty_chart_is_told_from_no_chart_by_its_flag() -> None:
    def charted(**flags: bool) -> Any:
        return record_of(Parts("E1", [{**OWN, **flags}])).get("administrations", "no chart")

    assert charted() == "no chart" == charted(has_chart=False)
    assert charted(has_chart=True) == []
    assert record_of(Parts("E1", [{**OWN, "has_claim": True}]))["lines"] == []


def test_rows_are_a_chart_without_a_flag_and_clash_with_one_that_denies_them() -> None:
    assert record_of(Parts("E1", [OWN], [DOSE]))["administrations"] == [
        {"id": "a", "drug": "ondansetron"}
    ]
    denied = refused(Parts("E1", [{**OWN, "has_chart": False}], [DOSE]))
    assert "administrations: has rows" in denied
    assert "lines: has rows" in refused(Parts("E1", [{**OWN, "has_claim": False}], None, [LINE]))


def test_an_encounter_of_two_rows_is_refused() -> None:
    assert "two rows" in refused(Parts("E1", [OWN, OWN]))


def test_rows_say_what_belongs_to_the_encounter_with_one_voice() -> None:
    shared = {**LINE, "encounter_setting": "facility"}
    whole = record_of(Parts("E1", lines=[shared, {**shared, "number": 2}]))
    assert whole["setting"] == "facility"
    assert whole["lines"] == [{**UNDER, "number": 1}, {**UNDER, "number": 2}]
    other = {**shared, "encounter_setting": "professional"}
    assert "setting: differs between rows" in refused(Parts("E1", lines=[shared, other]))


def test_supervision_has_columns_of_its_own() -> None:
    record = record_of(Parts("E1", [{**OWN, "supervision_level": "direct"}]))
    assert record == {**OWN, "supervision": {"level": "direct"}}
    assert "supervision" not in record_of(Parts("E1", [OWN]))


@pytest.mark.parametrize("charted", [True, False])
@pytest.mark.parametrize("billed", [True, False])
def test_an_encounter_comes_back_from_its_rows(charted: bool, billed: bool) -> None:
    dose = {"id": "a", "drug": "ondansetron", "start": "2026-03-02T10:00"}
    record = {
        **OWN,
        "supervision": {"level": "direct"},
        **({"administrations": [dose]} if charted else {}),
        **({"lines": [{"number": 1, "code": "96374", "units": 1}]} if billed else {}),
    }
    encounter = Encounter.model_validate(record)
    rows = encounter_rows(encounter)
    assert set(rows["encounters"][0]) == {column.name for column in columns_of("encounters")}
    stated = {
        table: [{name: cell for name, cell in row.items() if cell is not None} for row in each]
        for table, each in rows.items()
    }
    back = record_of(Parts("E1", *(stated[table] or None for table in stated)))
    assert Encounter.model_validate(back) == encounter


def test_a_table_is_told_by_the_columns_that_only_it_has() -> None:
    assert table_kind(["id", "setting"]) == "encounters"
    assert table_kind(["encounter", "code"]) == table_kind(["encounter", "number"]) == "lines"
    assert table_kind(["encounter", "id", "setting"]) == "administrations" == table_kind(["id"])
    assert needed_columns("encounters") == ("id",)
    assert needed_columns("administrations") == ("encounter", "id")
    assert needed_columns("lines") == ("encounter", "number", "code", "units")


HEADERS = [
    (["encounter", "code", "units", "units"], "names a column twice"),
    (["encounter", "units"], "lacks the column 'code'"),
    (["units"], "lacks the columns 'encounter', 'code'"),
    (["encounter", "code", "unit"], "did you mean 'units'?"),
    (["encounter", "code", "far_away"], "column 'far_away' is not one of the lines table"),
    (["encounter", "code", "far_away", "beyond_it"], "are none of the lines table"),
    (["far_away", "beyond_it"], "holds no column of ours"),
    (["far_away", "beyond_it"], "columns 'far_away', 'beyond_it'"),
    (["far_away"], "encounter, number, code, units (lines) or encounter, id (administrations)"),
    (["Jane Doe", "1970-01-01"], "columns 1, 2"),
    # Without a name of ours or of several words a header may be the first row's values.
    (["jane", "doe"], "columns 1, 2"),
    (["encounter", "code", "units", "Jane Doe"], "column 4 is"),
    (["encounter", "code", "units", "faraway"], "column 'faraway'"),
    (["encounter", "code", "units", "Units"], "column 'Units'"),
    ([f"far_{n}" for n in range(13)], "'far_11', … (13 in all)"),
]


@pytest.mark.parametrize(("names", "told"), HEADERS)
def test_a_header_that_does_not_fit_says_what_of_it(names: list[str], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan("lines.csv", "lines", names)
    assert told in str(caught.value)


def test_a_header_is_planned_in_its_own_order_and_lines_may_be_counted() -> None:
    names = ["units", "encounter", "code"]
    assert [column.name for column in plan("lines.csv", "lines", names)] == names


def test_every_unreadable_cell_of_a_row_is_named_and_nulls_are_left_out() -> None:
    columns = plan("lines.csv", "lines", ["encounter", "number", "code", "units", "modifiers"])
    assert read_cells("row 2", columns, ["E1", "", "", None, "25;59"]) == {
        "encounter": "E1",
        "code": "",
        "modifiers": ["25", "59"],
    }
    with pytest.raises(InputError) as caught:
        read_cells("row 2", columns, ["E1", "one", "96374", "two", "25"])
    problems = [fault.problem for fault in caught.value.faults]
    assert problems == ["number cannot be read", "units cannot be read"]


def test_an_empty_cell_of_diagnoses_names_none() -> None:
    columns = plan("e.csv", "encounters", ["id", "diagnoses"])
    assert read_cells("row 2", columns, ["E1", ""]) == {"id": "E1", "diagnoses": []}


def test_a_message_names_twelve_columns_without_a_word_of_more() -> None:
    with pytest.raises(UsageError) as caught:
        plan("lines.csv", "lines", [f"far_{n}" for n in range(12)])
    assert "'far_11'" in str(caught.value) and "in all" not in str(caught.value)


def test_each_table_has_the_columns_of_its_record() -> None:
    names = {table: {column.name for column in columns_of(table)} for table in TABLES}
    assert {"drug", "route", "encounter_setting"} <= names["administrations"]
    assert {"code", "units", "encounter_setting"} <= names["lines"]
    assert {"id", "setting", "has_chart", "has_claim"} <= names["encounters"]
    assert "drug" not in names["lines"] and "units" not in names["administrations"]
