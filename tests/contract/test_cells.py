"""One cell of a table, as text and as the value of a frame or a database."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.contract.cells import UNREADABLE, CellKind, cell_of, read_cell

READ: list[tuple[CellKind, Any, Any]] = [
    ("text", "96374", "96374"),
    ("text", 96374, "96374"),
    ("text", 96374.0, "96374"),
    ("text", "", ""),
    ("number", "4.5", Decimal("4.5")),
    ("number", "4.0", 4),
    ("number", 4, 4),
    ("number", 4.5, 4.5),
    ("number", Decimal("1E+20"), Decimal("1E+20")),
    ("number", float("nan"), None),
    ("whole", "7", 7),
    ("whole", 7.0, 7),
    ("whole", str(10**9), 10**9),
    ("whole", str(-(10**9)), -(10**9)),
    ("flag", "True", True),
    ("flag", "false", False),
    ("flag", True, True),
    ("time", "2026-03-02T10:00", "2026-03-02T10:00"),
    ("time", datetime(2026, 3, 2, 10), datetime(2026, 3, 2, 10)),
    ("day", "2026-03-02", "2026-03-02"),
    ("day", date(2026, 3, 2), date(2026, 3, 2)),
    ("day", datetime(2026, 3, 2), date(2026, 3, 2)),
    ("list", "25;59", ["25", "59"]),
    ("list", "", []),
    ("list", '["a;b", "c"]', ["a;b", "c"]),
    ("list", ("25",), ["25"]),
]
REFUSED: list[tuple[CellKind, Any]] = [
    ("text", True),
    ("text", None),
    ("text", 4.5),
    ("text", 1e15),
    ("text", Decimal(4)),
    ("number", "4_0"),
    ("number", "٤"),
    ("number", "1" * 41),
    ("number", "four"),
    ("number", "Infinity"),
    ("number", True),
    ("number", [4]),
    ("whole", "4.5"),
    ("whole", 10**9 + 1),
    ("whole", -(10**9) - 1),
    ("flag", "1"),
    ("flag", "yes"),
    ("flag", 1),
    ("time", date(2026, 3, 2)),
    ("time", 900),
    ("day", datetime(2026, 3, 2, 0, 1)),
    ("day", 20260302),
    ("list", 25),
    ("list", {"25"}),
    ("list", "[25]"[:-1]),
]


@pytest.mark.parametrize(("kind", "cell", "value"), READ)
def test_a_cell_is_read_by_the_kind_of_its_column(kind: CellKind, cell: Any, value: Any) -> None:
    back = read_cell(kind, "text" if kind == "list" else None, cell)
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize(("kind", "cell"), REFUSED)
def test_what_could_be_read_otherwise_is_refused(kind: CellKind, cell: Any) -> None:
    with pytest.raises(UNREADABLE):
        read_cell(kind, "text" if kind == "list" else None, cell)


def test_items_are_of_their_own_kind_and_texts_where_none_is_named() -> None:
    assert read_cell("list", "whole", "1;2") == [1, 2]
    assert read_cell("list", None, "1;2") == ["1", "2"]


def test_a_value_is_written_so_that_other_programs_read_it() -> None:
    values: list[object] = [
        None,
        True,
        False,
        Decimal("1E+3"),
        date(2026, 3, 2),
        4,
        [],
        [""],
        ["a", "b"],
    ]
    texts = ["", "true", "false", "1000", "2026-03-02", "4", "[]", '[""]', "a;b"]
    assert [cell_of(value) for value in values] == texts
    assert cell_of(["a;b", "é"]) == '["a;b", "é"]'


@given(st.lists(st.text(max_size=4), max_size=4))
def test_a_list_comes_back_whatever_its_items_hold(items: list[str]) -> None:
    assert read_cell("list", "text", cell_of(items)) == items


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("1000000000", int), ("1000000001", Decimal), ("4.0", int), ("1" * 40, Decimal)],
)
def test_a_small_whole_number_is_one_in_python_too(cell: str, kind: type) -> None:
    """1E+999999 would become a whole number of a million digits."""
    number = read_cell("number", None, cell)
    assert (number, type(number)) == (Decimal(cell), kind)


@pytest.mark.parametrize(
    ("items", "cell"),
    [
        (["25", "59"], "25;59"),
        (["25", ""], '["25", ""]'),
        ([""], '[""]'),
        (["[25"], '["[25"]'),
        (["25", "[59"], "25;[59"),
        (["2;5"], '["2;5"]'),
    ],
)
def test_items_are_joined_where_nobody_could_read_them_otherwise(
    items: list[str], cell: str
) -> None:
    assert cell_of(items) == cell
    assert read_cell("list", "text", cell) == items
