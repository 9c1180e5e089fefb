"""The dated tables of a pack: cells that no reader of a table can make sense of."""

from __future__ import annotations

from datetime import date

import pytest

from ivpush.errors import Fault
from ivpush.pack.releases import TABLES, read_tables, table_on


def read(kind: str, *rows: str) -> tuple[object, list[str]]:
    """What one table comes to, and what is said of it."""
    raw = "\n".join([",".join(TABLES[kind]), *rows]).encode()
    faults: list[Fault] = []
    releases = read_tables([{f"tables/{kind}-2026-01-01.csv": raw}], faults.append)
    table: object = table_on(getattr(releases, kind), date(2026, 1, 1), None)
    return table, [fault.place for fault in faults]


def test_what_a_type_of_bill_makes_of_a_service_is_a_word_that_the_engine_knows() -> None:
    assert read("tob", "13,billable,hospital") == ({"13": "billable"}, [])
    table, places = read("tob", "13,billable,hospital", "18,billabel,hospital")
    assert table is None and places == ["tables/tob-2026-01-01.csv:3"]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("mue", "96374,one,1,3,3"),
        ("beside", "scope,antiemetic,push,perhaps,a"),
        ("discards", "form,facility,sometimes,a"),
    ],
)
def test_a_cell_that_does_not_fit_is_named_by_its_line(kind: str, row: str) -> None:
    assert read(kind, row) == (None, [f"tables/{kind}-2026-01-01.csv:2"])
