"""What a result was checked against: lines, administrations, tables, lifted pairs, and what not.

``claim.coverage`` makes it where a caller asks for it, a result holds it as ``checked``, and
``rows_of`` puts it in words for ``Result.text`` and the command line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ivpush.plural import counted

__all__ = [
    "CheckedAdministration",
    "CheckedLine",
    "CheckedTable",
    "Coverage",
    "LiftedPair",
    "NotChecked",
    "Omission",
    "checked_rows",
    "unchecked_rows",
]

Omission = Literal[
    "silenced",
    "switched_off",
    "needs_chart",
    "fact_unknown",
    "outside_family",
    "table_missing",
    "table_outdated",
    "payer_position",
]
"""Why something was not checked, or only by what may be out of date or not the payer's own."""

_MOST_RULES = 12
"""Rules that the text names one by one; of more it says how many."""


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A billed line, and how many rules were judged on it."""

    number: int
    code: str
    rules: int


@dataclass(frozen=True, slots=True)
class CheckedAdministration:
    """An administration of the chart, and how many rules were judged on it."""

    id: str
    rules: int


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A dated table, its edition, and the lines and administrations that were looked up in it.

    ``release`` is the date from which the edition counts, and ``quarter_ends`` the last day of the
    quarter that it is for; null for tables that are not published by quarters. ``without_row`` are
    the lines of these whose code the table does not hold.
    """

    kind: str
    title: str
    release: dt.date
    quarter_ends: dt.date | None
    lines: tuple[int, ...]
    without_row: tuple[int, ...]
    administrations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiftedPair:
    """An NCCI pair of which both codes are billed, and the modifier that lifts it.

    ``code`` on ``line`` is bundled into ``into`` on ``into_line``; ``modifier`` stands on the line
    ``by_line``, which is one of the two.
    """

    code: str
    line: int
    into: str
    into_line: int
    modifier: str
    by_line: int


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What was not checked, or on uncertain ground, and why.

    ``because`` says it in a sentence. The rest names what it is about: rules by id, the facts that
    they lacked, lines, administrations, kinds of tables, policies.
    """

    why: Omission
    because: str
    rules: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    administrations: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was checked and against what, what a modifier lifted, and what was not checked."""

    lines: tuple[CheckedLine, ...]
    administrations: tuple[CheckedAdministration, ...]
    tables: tuple[CheckedTable, ...]
    lifted: tuple[LiftedPair, ...]
    not_checked: tuple[NotChecked, ...]


# In words


def checked_rows(coverage: Coverage) -> Iterator[str]:
    """What was checked, a sentence a row."""
    for line in coverage.lines:
        yield f"line {line.number} ({line.code}): judged by {counted(line.rules, 'rule')}"
    for administration in coverage.administrations:
        yield f"{administration.id}: judged by {counted(administration.rules, 'rule')}"
    for table in coverage.tables:
        yield _table_row(table)
    for pair in coverage.lifted:
        yield (
            f"{pair.code} on line {pair.line} is bundled into {pair.into} on line "
            f"{pair.into_line}, but modifier {pair.modifier} on line {pair.by_line} lifts the pair"
        )


def _table_row(table: CheckedTable) -> str:
    until = f" (for the quarter to {table.quarter_ends})" if table.quarter_ends else ""
    against = "; ".join(_named(table.lines, table.administrations))
    without = f"; no row for {_lines(table.without_row)}" if table.without_row else ""
    return f"{table.title}, edition {table.release}{until}: {against}{without}"


def unchecked_rows(coverage: Coverage) -> Iterator[str]:
    """What was not checked and why, a sentence a row with what it is about."""
    rows: dict[str, list[str]] = {}
    for each in coverage.not_checked:
        rows.setdefault(each.because, []).append(_about(each))
    for because, about in rows.items():
        named = "; ".join(filter(None, about))
        # The sentence without its full stop, as what it is about follows.
        yield f"{because.removesuffix('.')}: {named}" if named else because


def _about(each: NotChecked) -> str:
    many = len(each.rules) > _MOST_RULES
    rules = (counted(len(each.rules), "rule"),) if many else each.rules
    # Tables are named by the sentence.
    names = ", ".join((*rules, *each.policies))
    of = ", ".join(_named(each.lines, each.administrations))
    # administrations[0].start is start: whose it is stands beside it.
    facts = dict.fromkeys(path.rpartition(".")[2] for path in each.missing)
    lacks = " of ".join(filter(None, (", ".join(facts), of)))
    return f"{names} ({lacks})" if names and lacks else names or lacks


def _named(lines: tuple[int, ...], administrations: tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield _lines(lines)
    if administrations:
        yield ", ".join(administrations)


def _lines(numbers: Iterable[int]) -> str:
    words = [str(number) for number in numbers]
    return f"{'line' if len(words) == 1 else 'lines'} {', '.join(words)}"
