"""The kinds of values that fields of the contract hold: the last that fits, and the first that does not."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ivpush.contract import fields

FIT: list[tuple[Any, list[Any]]] = [
    (fields.Flag, [True, False]),
    (fields.Whole, [0, 1_000_000]),
    (fields.Counted, [1, 1_000_000]),
    (fields.Identifier, ["a", "x" * 200, "Ä 1"]),
    (fields.Text, ["", "x" * 2_000]),
    (fields.Code, ["96374", "J2405", "C8957"]),
    (fields.Modifier, ["59", "XS", "1P"]),
    (fields.PlaceOfService, ["11", "02"]),
    (fields.TypeOfBill, ["131", "0131", "13A"]),
    (fields.RevenueCode, ["0260", "260"]),
    (fields.Ndc, ["00641608625", "0641-6086-25", "12345-678-9", "123456-789-1"]),
    (fields.Diagnosis, ["E86.0", "R11", "C50911", "T80.21XA"]),
    (fields.Quantity, [0, 4, 4.5, Decimal("0.000001"), Decimal("999999999.999999")]),
    (fields.Day, ["2026-03-02", date(2026, 3, 2)]),
    (
        fields.Instant,
        [
            "2026-03-02T10:00",
            "2026-03-02 10:00:30",
            "2026-03-02T10:00:00.123456789Z",
            "2026-03-02T10:00:00,5-05:00",
            "2026-03-02T10:00+0530",
            datetime(2026, 3, 2, 10),
        ],
    ),
]
UNFIT: list[tuple[Any, list[Any]]] = [
    (fields.Flag, [1, "true", None]),
    (fields.Whole, [-1, 1_000_001, True, 1.0, "1"]),
    (fields.Counted, [0, 1_000_001, True]),
    (fields.Identifier, [b"a", "", "x" * 201, "a\tb", "a\n", 7]),
    (fields.Text, [b"a", "x" * 2_001, "a\x7f", 7]),
    (fields.Code, [b"96374", "9637", "963744", "9637a", "9637 ", 96374]),
    (fields.Modifier, [b"59", "5", "599", "x1", 59]),
    (fields.PlaceOfService, [b"11", "1", "111", "1A", 11]),
    (fields.TypeOfBill, [b"131", "13", "1131", "00131", "1A1", "13a"]),
    (fields.RevenueCode, [b"0260", "26", "02600", "026A"]),
    (fields.Ndc, [b"00641608625", "641-6086-25", "0641-60861-25", "0641-6086-255", "064160862X"]),
    (fields.Diagnosis, [b"R11", "E", "E8", "e86.0", "E86.0123456", "1E86"]),
    (
        fields.Quantity,
        [-1, True, "4", float("inf"), float("nan"), Decimal("1E9"), Decimal("0.0000001")],
    ),
    (
        fields.Day,
        [b"2026-03-02", "20260302", "2026-3-2", "2026-02-30", 20260302, "2026-03-02T10:00"],
    ),
    (
        fields.Instant,
        [
            b"2026-03-02T10:00",
            "2026-03-02",
            "2026-03-02T10",
            "2026-03-02T10:00 Z",
            "20260302T1000",
            1772445600,
            "10:00",
        ],
    ),
]


def pairs(table: list[tuple[Any, list[Any]]]) -> list[Any]:
    names = {id(value): name for name, value in vars(fields).items()}
    return [
        pytest.param(kind, value, id=f"{names[id(kind)]}-{n}")
        for kind, values in table
        for n, value in enumerate(values)
    ]


@pytest.mark.parametrize(("kind", "value"), pairs(FIT))
def test_what_fits_is_taken(kind: Any, value: Any) -> None:
    TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(("kind", "value"), pairs(UNFIT))
def test_what_does_not_fit_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_fractions_of_a_second_are_cut() -> None:
    at = TypeAdapter(fields.Instant).validate_python("2026-03-02T10:00:00.123456789")
    assert at == datetime(2026, 3, 2, 10, 0, 0, 123456)


def test_a_quantity_is_a_decimal_in_python_and_a_number_in_json() -> None:
    kind = TypeAdapter[Decimal](fields.Quantity)
    back = kind.validate_json("4.5")
    assert (back, type(back)) == (Decimal("4.5"), Decimal)
    assert kind.dump_json(Decimal("4.50")) == b"4.5"
    assert kind.dump_python(Decimal("4.50")) == Decimal("4.50")


def test_a_list_is_ordered() -> None:
    ordered: TypeAdapter[Any] = TypeAdapter(Annotated[tuple[int, ...], fields.OnlyLists()])
    assert ordered.validate_python([1, 2]) == ordered.validate_python((1, 2)) == (1, 2)
    assert ordered.validate_json("[1, 2]") == (1, 2)
    for unordered in ({1, 2}, iter([1, 2]), "12", {1: 2}):
        with pytest.raises(ValidationError, match="write a list"):
            ordered.validate_python(unordered)


def test_a_null_stands_for_an_empty_list_and_nothing_else_does() -> None:
    assert fields.empty_for_null(None) == ()
    assert fields.empty_for_null(0) == 0
    assert fields.empty_for_null([]) == []


def test_a_quantity_is_published_as_a_number_from_zero() -> None:
    assert TypeAdapter(fields.Quantity).json_schema() == {"type": "number", "minimum": 0}


def test_a_day_and_a_time_are_published_with_their_forms() -> None:
    assert TypeAdapter(fields.Day).json_schema()["format"] == "date"
    assert TypeAdapter(fields.Instant).json_schema()["format"] == "date-time"
