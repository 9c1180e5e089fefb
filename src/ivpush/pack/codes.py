"""Codes and dated numbers: rows of codes.yaml, choices of codes by column, limits.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ivpush.errors import Fault, did_you_mean
from ivpush.pack.files import Say, Sheet

__all__ = [
    "COLUMNS",
    "CodeRow",
    "Limits",
    "number_on",
    "read_codes",
    "read_limits",
    "read_window",
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


COLUMNS = ("family", "technique", "role", "variant", "settings", "administration")


def read_window(value: Any, place: str, say: Say) -> tuple[date, date | None]:
    """The dates of an ``in_force`` mapping, both included."""
    low, high = date(1984, 1, 1), None
    if not isinstance(value, dict) or "from" not in value or set(value) - {"from", "to"}:
        say(Fault(place, "is no window of dates", "write {from: YYYY-MM-DD}, with to: if it ended"))
        return low, high
    try:
        low = date.fromisoformat(value["from"])
        high = date.fromisoformat(value["to"]) if "to" in value else None
    except (ValueError, TypeError):
        say(Fault(place, "holds what is no date", "write YYYY-MM-DD"))
        return low, high
    if high is not None and high < low:
        say(Fault(place, "ends before it begins", "swap the dates"))
    return low, high


def selected(asked: Any, codes: Mapping[str, CodeRow]) -> frozenset[str] | None:
    """The codes that a choice names, by a list or by words of columns; None where it is any."""
    if asked is None or asked == "any":
        return None
    if isinstance(asked, list):
        return frozenset(map(str, asked))
    wanted = {column: frozenset((words,) if isinstance(words, str) else words)
              for column, words in asked.items()}  # fmt: skip
    return frozenset(
        code for code, row in codes.items()
        if all(words & cells_of(row, column) for column, words in wanted.items())
    )  # fmt: skip


def cells_of(row: CodeRow, column: str) -> frozenset[str]:
    """The words of one column of a row."""
    if column == "administration":
        return frozenset(("true" if row.administration else "false",))
    value = getattr(row, column)
    if isinstance(value, frozenset):
        return value
    return frozenset((value,)) if value is not None else frozenset()


FAMILIES = frozenset({"hydration", "therapeutic", "chemotherapy", "port"})


_CODE_KEYS = {"code", "label", "family", "technique", "role", "variant", "settings", "further",
              "once", "succeeded_by", "in_force", "cites"}  # fmt: skip


def read_codes(sheet: Sheet, say: Say) -> dict[str, CodeRow]:
    """Rows of codes.yaml by code."""
    made: dict[str, CodeRow] = {}
    for n, row in enumerate(sheet.data.get("codes", ())):
        place = sheet.place(("codes", n))
        if not isinstance(row, dict) or not {"code", "family", "role", "in_force"} <= set(row):
            say(Fault(place, "is no row of codes", "write code, family, technique, role, in_force"))
            continue
        for key in set(row) - _CODE_KEYS:
            say(Fault(sheet.place(("codes", n, key), key=True), f"unknown key '{key[:60]}'",
                      did_you_mean(key, _CODE_KEYS)))  # fmt: skip
        code = row["code"]
        if not re.fullmatch("[A-Z0-9]{5}", code) or code in made:
            say(Fault(place, "repeats a code or is none", "write five capitals or digits, once"))
        low, high = read_window(row["in_force"], place, say)
        family, role = row["family"], row["role"]
        made[code] = CodeRow(
            code, str(row.get("label", code)), family, row.get("technique", "none"), role,
            row.get("variant"), frozenset(row.get("settings", ())), row.get("further"),
            row.get("once"), tuple(row.get("succeeded_by", ())), low, high,
            tuple(row.get("cites", ())), family in FAMILIES and role != "companion",
        )  # fmt: skip
    for row in made.values():
        for other in (row.further, *row.succeeded_by):
            if other is not None and other not in made:
                say(
                    Fault(
                        f"{sheet.name}: {row.code}", f"names '{other}', which has no row", "add it"
                    )
                )
    return made


def words_of(codes: Mapping[str, CodeRow]) -> dict[str, frozenset[str]]:
    """The words of each column of codes.yaml that rules may compare with."""
    return {
        column: frozenset(value for row in codes.values() if (value := getattr(row, column)))
        for column in ("family", "technique", "role", "variant")
    }


class Limits:
    """The dated numbers in force for one book, by name: ``book.limits.push_max_minutes``.

    Declared here are those that the engine itself reads; rules read these and all others.
    """

    bolus_before_infusion_minutes: int
    declotting_episode_minutes: int
    first_hour_minutes: int
    implausible_infusion_minutes: int
    prolonged_minutes: int
    push_max_minutes: int

    def __init__(self, values: Mapping[str, int]) -> None:
        self.__dict__.update(values)


def read_limits(sheet: Sheet, say: Say) -> dict[str, list[tuple[date, date | None, int]]]:
    """Dated numbers of limits.yaml by name."""
    made: dict[str, list[tuple[date, date | None, int]]] = {}
    for name, rows in sheet.data.get("limits", {}).items():
        for n, row in enumerate(rows):
            place = sheet.place(("limits", name, n))
            if not str(row.get("value", "")).isdigit() or len(row["value"]) > 9:
                say(Fault(place, "value is no whole number", "write one"))
                continue
            low, high = read_window(row.get("in_force"), place, say)
            made.setdefault(name, []).append((low, high, int(row["value"])))
    for name in Limits.__annotations__.keys() - made.keys():
        say(Fault(sheet.place(), f"lacks the limit '{name}', which the engine reads", "write it"))
    return made


def number_on(day: date, rows: list[tuple[date, date | None, int]]) -> int:
    """The number in force on a day; outside every window the one whose window is nearest.

    Before the first window no code of ours exists, so nothing is billed by the number.
    """
    for low, high, value in rows:
        if low <= day and (high is None or day <= high):
            return value
    return min(rows, key=lambda row: min(abs((day - end).days) for end in row[:2] if end))[2]
