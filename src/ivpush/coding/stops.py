"""A missing stop: which lengths are told apart, and what each of them changes.

``questions`` asks when an infusion stopped. What is put to a person ends where the encounter ends,
or after a shift, and has few answers (decision 18); a claim is read by every length up to the limit
``implausible_infusion_minutes``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.roles import HOUR
from ivpush.coding.suggestions import SharedIds, bare_line, suggested_lines
from ivpush.contract.line_text import marked
from ivpush.contract.result import Answer, Between

if TYPE_CHECKING:
    from datetime import date

    from ivpush.coding.lengths import Retimed
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.chart_facts import AdministrationFacts
    from ivpush.contract.result import SuggestedLine
    from ivpush.pack.book import Book

__all__ = ["End", "end_of", "every_length", "few_lengths"]

MOST_ANSWERS = 8
"""Answers that a person is given; the last stands for all that is longer."""

_OTHERWISE = "; longer may bill otherwise"

_Rows = dict[tuple[str, tuple[str, ...], "date | None"], int]
"""Units by code, modifiers and date."""


class End(NamedTuple):
    """Up to how many minutes answers are told apart."""

    minutes: int
    known: bool
    """Whether the encounter ends there, so that what is longer bills nothing more."""


class _Stretch(NamedTuple):
    """Minutes that bill the same, by the first of them."""

    low: int
    rows: _Rows
    lines: tuple[SuggestedLine, ...]


def end_of(administration: AdministrationFacts, book: Book) -> End:
    """Where the encounter ends, in minutes of an administration; else where asking ends."""
    limits, begun = book.limits, administration.start_seconds
    high = administration.times.counts[1]
    if begun is None or high is None or high <= begun:
        return End(limits.asked_infusion_minutes, known=False)
    minutes = (high - begun) // 60
    return End(min(minutes, limits.implausible_infusion_minutes), known=True)


def every_length(retimed: Retimed, field: str, most: int) -> tuple[Answer, ...]:
    """All stretches up to ``most`` minutes, each with its lines; nobody is told their reasons."""
    ids = SharedIds()
    stretches = [
        (low, tuple([bare_line(draft, ids) for draft in drafts]))
        for low, drafts in retimed.changes(most)
    ]
    highs = [*(low - 1 for low, _ in stretches[1:]), most]
    return tuple(
        [
            Answer(Between(field, low, high), lines)
            for (low, lines), high in zip(stretches, highs, strict=True)
        ]
    )


def few_lengths(
    retimed: Retimed, field: str, end: End, meanwhile: Sequence[Draft], book: Book
) -> tuple[Answer, ...]:
    """The first stretches up to the end, and what each changes of what is suggested meanwhile.

    The last is open: it says what still longer ones bill.
    """
    suggested, said = _rows(meanwhile), {_key(draft) for draft in meanwhile}
    changes = retimed.changes(end.minutes, least=2)
    stretches = [
        _Stretch(low, _rows(drafts), _lines_once(drafts, said, book))
        for low, drafts in islice(changes, MOST_ANSWERS)
    ]
    *first, last = stretches
    answers = [
        Answer(Between(field, each.low, after.low - 1), each.lines, _changes(each.rows, suggested))
        for each, after in zip(first, stretches[1:], strict=True)
    ]
    words = _changes(last.rows, suggested) + _longer(last, retimed, end, cut=_any(changes))
    return (*answers, Answer(Between(field, last.low, None), last.lines, words))


def _any(rest: Iterable[object]) -> bool:
    return next(iter(rest), None) is not None


def _key(draft: Draft) -> tuple[object, ...]:
    """What is billed, and for what."""
    given = tuple([each.index for each in draft.administrations])
    return draft.row.code, draft.units, draft.modifiers, draft.date, given


def _lines_once(
    drafts: Iterable[Draft], said: set[tuple[object, ...]], book: Book
) -> tuple[SuggestedLine, ...]:
    """The lines, of which those that were said before give no reason again."""
    lines: list[SuggestedLine] = []
    ids = SharedIds()
    for draft in drafts:
        key = _key(draft)
        lines += [bare_line(draft, ids)] if key in said else suggested_lines([draft], book)
        said.add(key)
    return tuple(lines)


def _rows(drafts: Iterable[Draft]) -> _Rows:
    rows: _Rows = {}
    for draft in drafts:
        key = (draft.row.code, draft.modifiers, draft.date)
        rows[key] = rows.get(key, 0) + draft.units
    return rows


def _changes(rows: _Rows, suggested: _Rows) -> str:
    """What is billed otherwise, in words."""
    new, old = _listed(rows, suggested), _listed(suggested, rows)
    if not suggested:
        return new or "nothing is billed"
    if new and old:
        return f"{new} in place of {old}"
    return f"{new} as well" if new else f"without {old}" if old else "as suggested meanwhile"


def _listed(rows: _Rows, others: _Rows) -> str:
    """The rows that others do not hold alike."""
    return ", ".join(
        f"{marked(code, modifiers)} x {units}"
        for (code, modifiers, date), units in rows.items()
        if others.get((code, modifiers, date)) != units
    )


def _longer(last: _Stretch, retimed: Retimed, end: End, *, cut: bool) -> str:
    """What still longer runs bill beside the last answer, in words."""
    if end.known and not cut:
        return ""
    until = end.minutes if end.known else None
    if not retimed.only_hours_come(last.low, until):
        return _OTHERWISE
    later = _rows(retimed.drafts(last.low + HOUR))
    if any(later.get(key, 0) < units for key, units in last.rows.items()):
        return _OTHERWISE
    more: Counter[str] = Counter()
    for (code, _, _), units in later.items():
        more[code] += units
    for (code, _, _), units in last.rows.items():
        more[code] -= units
    hourly = ", ".join(f"{count} more {code}" for code, count in more.items() if count)
    return f"; longer: {hourly} for each further hour" if hourly else ""
