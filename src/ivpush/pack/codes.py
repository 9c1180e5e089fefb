"""Codes and dated numbers: rows of codes.yaml, choices of codes by column, limits.yaml."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from ivpush.errors import Fault, did_you_mean
from ivpush.pack.checked import read_shape
from ivpush.pack.files import KeyPath, Say, Sheet
from ivpush.pack.known import Known
from ivpush.pack.shapes.data import CodesFile, CodeShape, LimitsFile
from ivpush.pack.shapes.rules import ColumnChoice

__all__ = [
    "COLUMNS",
    "Choice",
    "CodeRow",
    "DatedNumber",
    "Limits",
    "cells_by_column",
    "choice_of",
    "chosen",
    "number_on",
    "read_codes",
    "read_limits",
    "selected",
    "words_of",
]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of codes.yaml, as valid within its dates."""

    code: str
    label: str
    family: str
    technique: str
    role: str
    variant: str | None
    settings: frozenset[str]
    further: str | None
    once: str | None
    succeeded_by: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    cites: tuple[str, ...]
    administration: bool


COLUMNS = tuple(ColumnChoice.model_fields)
"""The columns by which rules choose codes."""


Cells = Mapping[str, Mapping[str, Collection[str]]]
"""The codes that hold a word, by column and word: ``cells["role"]["initial"]``."""


Choice = Literal["any"] | tuple[str, ...] | Mapping[str, tuple[str, ...]]
"""Which codes a rule looks at: any, a list of them, or words by column of codes.yaml."""


def choice_of(shape: Literal["any"] | tuple[str, ...] | ColumnChoice | None) -> Choice | None:
    """The choice that a rule file writes."""
    if not isinstance(shape, ColumnChoice):
        return shape
    return {column: getattr(shape, column) for column in COLUMNS if getattr(shape, column)}


def selected(asked: Choice | None, codes: Mapping[str, CodeRow]) -> frozenset[str] | None:
    """The codes that a choice names, by a list or by words of columns; None where it is any."""
    return chosen(asked, cells_by_column(codes))


def chosen(asked: Choice | None, cells: Cells) -> frozenset[str] | None:
    """What ``selected`` gives, from cells that were gathered before."""
    if asked is None or asked == "any":
        return None
    if isinstance(asked, tuple):
        return frozenset(asked)
    columns = (
        frozenset().union(*(cells[column].get(word, ()) for word in words))
        for column, words in asked.items()
    )
    # Words of one column add up, columns narrow: {family: [a, b], role: [c]}.
    return frozenset.intersection(*columns)


def cells_by_column(codes: Mapping[str, CodeRow]) -> dict[str, dict[str, set[str]]]:
    """The codes that hold each word of each column of codes.yaml."""
    cells: dict[str, dict[str, set[str]]] = {column: {} for column in COLUMNS}
    for row in codes.values():
        for column, held in cells.items():
            for word in _cells_of(row, column):
                held.setdefault(word, set()).add(row.code)
    return cells


def _cells_of(row: CodeRow, column: str) -> Collection[str]:
    """The words of one column of a row."""
    if column == "administration":
        # As text, because all scalars of a pack file are.
        return ("true" if row.administration else "false",)
    value = getattr(row, column)
    if isinstance(value, frozenset):
        return value
    return (value,) if value is not None else ()


# The families of drug administration; other rows are codes that stand beside them.
FAMILIES = frozenset({"hydration", "therapeutic", "chemotherapy", "port"})


def read_codes(sheet: Sheet, known: Known, say: Say) -> dict[str, CodeRow]:
    """Rows of codes.yaml by code."""
    shape = read_shape(sheet, CodesFile, say, known)
    if shape is None:
        return {}
    codes: dict[str, CodeRow] = {}
    for n, row in shape.codes.items():
        if row.code in codes:
            place = sheet.place(("codes", n, "code"))
            say(Fault(place, f"code: repeats '{row.code}'", "write each code once"))
        codes[row.code] = _code_row(row)
    # After all rows are in: a row may name one that stands below it.
    for n, row in shape.codes.items():
        _check_others(sheet, n, row, codes, say)
    return codes


def _code_row(row: CodeShape) -> CodeRow:
    return CodeRow(
        code=row.code,
        label=row.label or row.code,
        family=row.family,
        technique=row.technique,
        role=row.role,
        variant=row.variant,
        settings=frozenset(row.settings),
        further=row.further,
        once=row.once,
        succeeded_by=row.succeeded_by,
        valid_from=row.in_force.low,
        valid_to=row.in_force.high,
        cites=row.cites,
        # Companions are billed beside an administration and are none themselves.
        administration=row.family in FAMILIES and row.role != "companion",
    )


def _check_others(
    sheet: Sheet, n: int, row: CodeShape, codes: Mapping[str, CodeRow], say: Say
) -> None:
    """Say which codes a row names that have no row of their own."""
    named: list[tuple[KeyPath, str]] = [
        (("codes", n, "succeeded_by", m), code) for m, code in enumerate(row.succeeded_by)
    ]
    if row.further is not None:
        named.append((("codes", n, "further"), row.further))
    for path, code in named:
        if code not in codes:
            say(Fault(sheet.place(path), f"'{code}' has no row", did_you_mean(code, codes)))


def words_of(codes: Mapping[str, CodeRow]) -> dict[str, frozenset[str]]:
    """The words of each column of codes.yaml that rules may compare with."""
    return {
        column: frozenset(value for row in codes.values() if (value := getattr(row, column)))
        for column in ("family", "technique", "role", "variant")
    }


class DatedNumber(NamedTuple):
    """A number, from which day and to which day it counts."""

    low: date
    high: date | None
    value: int


class Limits:
    """The dated numbers in force for one book, by name: ``book.limits.push_max_minutes``.

    Declared here are those that the engine itself reads; rules read these and all others.
    """

    asked_infusion_minutes: int
    bolus_before_infusion_minutes: int
    declotting_episode_minutes: int
    first_hour_minutes: int
    implausible_infusion_minutes: int
    keep_open_ml_per_hour: int
    longest_administration_minutes: int
    longest_outpatient_stay_hours: int
    office_day_minutes: int
    prolonged_minutes: int
    push_max_minutes: int

    def __init__(self, values: Mapping[str, int]) -> None:
        self.__dict__.update(values)


def read_limits(sheet: Sheet, known: Known, say: Say) -> dict[str, list[DatedNumber]]:
    """Dated numbers of limits.yaml by name."""
    shape = read_shape(sheet, LimitsFile, say, known)
    if shape is None:
        return {}
    limits = {
        name: [DatedNumber(row.in_force.low, row.in_force.high, row.value) for row in rows.values()]
        for name, rows in shape.limits.items()
    }
    for name, rows in limits.items():
        if not rows:
            say(Fault(sheet.place(("limits", name)), f"{name}: has no rows", "write one"))
    # A limit whose rows were all broken was named before; only a missing name is said here.
    for name in Limits.__annotations__:
        if sheet.at(("limits", name)) is None:
            problem = f"lacks the limit '{name}', which the engine reads"
            say(Fault(sheet.place(), problem, "write it"))
    return limits


def number_on(day: date, rows: Sequence[DatedNumber]) -> int:
    """The number in force on a day; outside every window the one whose window is nearest.

    Before the first window no code of ours exists, so nothing is billed by the number.
    """
    for low, high, value in rows:
        if low <= day and (high is None or day <= high):
            return value
    return min(rows, key=lambda row: min(abs((day - end).days) for end in row[:2] if end))[2]
