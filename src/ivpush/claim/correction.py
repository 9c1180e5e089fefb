"""The claim to send instead: its lines from the matching, and after the edits of rules.

The engine calls ``corrected_lines``, then ``apply_edits`` for what rules ask of single lines, and
``folded_units``, so that no two lines of the claim are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ivpush.contract.encounter import ClaimLine
from ivpush.pack.edits import AddModifier, DropModifiers, Remove, Successor

if TYPE_CHECKING:
    from ivpush.claim.matching import Matching
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.facts import LineFacts
    from ivpush.pack.book import Book
    from ivpush.pack.edits import LineEdit

__all__ = ["apply_edits", "corrected_lines", "folded_units", "mended"]

_STANDS = frozenset({"matched", "outside", None})
"""Statuses of lines that go out as they came in."""


def corrected_lines(
    billed: tuple[ClaimLine, ...], lines: Sequence[LineFacts], matching: Matching, book: Book
) -> tuple[ClaimLine, ...]:
    """The claim to send instead; new lines take the next number and carry no charge."""
    # The same objects, by which ``findings`` tells what changed.
    if not any(matching.left) and all(line.match.status in _STANDS for line in lines):
        return billed
    return _Correction(lines, matching, book.separate_modifiers).lines(billed)


class _Wanted(NamedTuple):
    """What the units of a line should be billed with."""

    modifiers: tuple[str, ...]
    date: date | None


class _Correction:
    """One claim being corrected: what is left of each suggestion goes down as it is placed."""

    def __init__(
        self, lines: Sequence[LineFacts], matching: Matching, distinct: frozenset[str]
    ) -> None:
        self._lines, self._matching, self._distinct = lines, matching, distinct
        self._drafts = matching.drafts
        self._left = list(matching.left)
        # Only the last line of a suggestion is raised to what is left: no unit goes out twice.
        self._last = {
            number: line.index
            for line in lines
            if line.match.replaced_by is None
            for number in line.match.matches
        }

    def lines(self, billed: Iterable[ClaimLine]) -> tuple[ClaimLine, ...]:
        """The lines that stay or change, then those split off, then those that were missed."""
        kept: list[ClaimLine] = []
        split: list[ClaimLine] = []
        for line in self._lines:
            instead = self._instead(line)
            kept += instead[:1]
            split += instead[1:]
        number = max((line.number for line in billed), default=0)
        renumbered = [
            # A charge of the whole line, sent twice, would bill it twice.
            line.model_copy(update={"number": place, "charge": None})
            for place, line in enumerate(split, number + 1)
        ]
        return (*kept, *renumbered, *self._missed(number + len(split) + 1))

    def _instead(self, line: LineFacts) -> list[ClaimLine]:
        """The lines to send for one billed line; none where it goes."""
        match = line.match
        if match.status in _STANDS:
            return [line.given]
        # Its units go onto the line that was short of them, else nothing supports them.
        if line.index in self._matching.taken_up or match.status == "unsupported":
            return []
        if match.replaced_by is not None:
            number = match.matches[0]
            self._left[number] = 0
            return [_as_draft(line.given, self._drafts[number])]
        return list(self._changed(line))

    def _changed(self, line: LineFacts) -> Iterator[ClaimLine]:
        """The line with its supported units, date and modifiers, one line for each suggestion."""
        given = line.given
        kept = tuple(mark for mark in given.modifiers if mark not in self._distinct)
        has = tuple(mark for mark in given.modifiers if mark in self._distinct)
        for (modifiers, day), units in self._units_by_kind(line).items():
            # One distinct-service modifier is as good as another: the biller's own stays.
            wanted = has[:1] if has and modifiers else modifiers
            change = {"units": units, "date": day, "modifiers": (*kept, *wanted)}
            yield given.model_copy(update=change)

    def _units_by_kind(self, line: LineFacts) -> dict[_Wanted, int]:
        given = line.given
        units_by_kind: dict[_Wanted, int] = {}
        for number, units in self._matching.taken[line.index]:
            if self._last.get(number) == line.index:
                units += self._left[number]
                self._left[number] = 0
            draft = self._drafts[number]
            # A date that another reading of midnight gives stays as billed.
            stands = given.date is None or draft.date is None or given.date in draft.dates
            wanted = _Wanted(draft.modifiers, given.date if stands else draft.date)
            units_by_kind[wanted] = units_by_kind.get(wanted, 0) + units
        return units_by_kind

    def _missed(self, number: int) -> list[ClaimLine]:
        """New lines, numbered from ``number``, for what is still left of a suggestion."""
        missed = [
            (draft, left) for draft, left in zip(self._drafts, self._left, strict=True) if left > 0
        ]
        return [
            _new_line(place, draft, left, self._model_of(draft))
            for place, (draft, left) in enumerate(missed, number)
        ]

    def _model_of(self, draft: Draft) -> ClaimLine | None:
        """The line that a new one is filled in like: one of its family, else of the others."""
        kind = (draft.row.family, draft.row.technique)
        able = [line for line in self._lines if line.coded.in_family]
        # The sort is stable: of lines equally alike the first of the claim is the model.
        able.sort(key=lambda line: _unlike(line, kind))
        return able[0].given if able else None


def _unlike(line: LineFacts, kind: tuple[str, str]) -> tuple[bool, bool]:
    return line.coded.family != kind[0], line.coded.technique != kind[1]


def _ids(draft: Draft) -> tuple[str, ...]:
    return tuple([each.given.id for each in draft.administrations])


def _new_line(number: int, draft: Draft, units: int, model: ClaimLine | None) -> ClaimLine:
    return ClaimLine(
        # What does not hang on the service; nobody but the biller knows the charge.
        revenue_code=model.revenue_code if model is not None else None,
        place_of_service=model.place_of_service if model is not None else None,
        diagnosis_pointers=model.diagnosis_pointers if model is not None else (),
        number=number,
        code=draft.row.code,
        modifiers=draft.modifiers,
        units=units,
        date=draft.date,
        administrations=_ids(draft),
    )


def _as_draft(given: ClaimLine, draft: Draft) -> ClaimLine:
    change: dict[str, object] = {
        "code": draft.row.code,
        "units": draft.units,
        "modifiers": draft.modifiers,
    }
    # A line without a date takes the encounter's, and is left so.
    if given.date is not None and draft.date is not None:
        change["date"] = draft.date
    if given.administrations is not None:
        change["administrations"] = _ids(draft)
    return given.model_copy(update=change)


def mended(line: ClaimLine, edit: LineEdit, book: Book) -> ClaimLine | None:
    """A line after a rule's edit; None where the edit removes it."""
    match edit:
        case Remove():
            return None
        case AddModifier(kind=kind):
            modifier = book.modifier(kind)
            if modifier in line.modifiers:
                return line
            return line.model_copy(update={"modifiers": (*line.modifiers, modifier)})
        case DropModifiers(kind=kind):
            # ``separate`` is no modifier: it stands for all that say a service is distinct.
            gone = book.separate_modifiers if kind == "separate" else {book.modifier(kind)}
            kept = tuple(modifier for modifier in line.modifiers if modifier not in gone)
            return line.model_copy(update={"modifiers": kept})
        case Successor():
            row = book.code_any(line.code)
            # With several successors only a person can say which, so the line stays.
            if row is None or len(row.succeeded_by) != 1:
                return line
            return line.model_copy(update={"code": row.succeeded_by[0]})


def apply_edits(
    lines: Iterable[ClaimLine], edits: Mapping[int, Sequence[LineEdit]], book: Book
) -> tuple[ClaimLine, ...]:
    """The lines after the edits, by line number, of the rules that they break."""
    edited = (_edited(line, edits.get(line.number, ()), book) for line in lines)
    return tuple([line for line in edited if line is not None])


def folded_units(lines: tuple[ClaimLine, ...], book: Book) -> tuple[ClaimLine, ...]:
    """The lines, with those of an administration code put together that differ in units alone.

    Two equal lines are returned as a duplicate. Charges are added where every line has one.
    """
    by_kind: dict[tuple[object, ...], list[ClaimLine]] = {}
    for line in lines:
        row = book.code_any(line.code)
        own = row is not None and row.administration
        # Only administration codes count in units; other repeats may be meant as they stand.
        kind = _kind_of(line) if own else (line.number,)
        by_kind.setdefault(kind, []).append(line)
    if len(by_kind) == len(lines):
        return lines
    return tuple([same[0] if len(same) == 1 else _together(same) for same in by_kind.values()])


def _kind_of(line: ClaimLine) -> tuple[object, ...]:
    # The order of modifiers says nothing of the service, so lines differ by the set.
    place, codes = line.place_of_service, (line.revenue_code, line.ndc)
    return line.code, frozenset(line.modifiers), line.date, place, *codes


def _together(lines: Sequence[ClaimLine]) -> ClaimLine:
    first = lines[0]
    charges = [line.charge for line in lines if line.charge is not None]
    minutes = [line.minutes for line in lines if line.minutes is not None]
    linked = [line.administrations for line in lines if line.administrations is not None]
    ids = dict.fromkeys(each for of_line in linked for each in of_line)
    return first.model_copy(
        update={
            "units": sum(line.units for line in lines),
            # A sum with a charge missing would look right and be wrong, so the first line's stays.
            "charge": sum(charges, Decimal()) if len(charges) == len(lines) else first.charge,
            "minutes": sum(minutes) if len(minutes) == len(lines) else first.minutes,
            "administrations": tuple(ids) if len(linked) == len(lines) else None,
        }
    )


def _edited(line: ClaimLine, edits: Iterable[LineEdit], book: Book) -> ClaimLine | None:
    changed: ClaimLine | None = line
    # One after another: rules may each take a modifier off the same line.
    for edit in edits:
        if changed is not None:
            changed = mended(changed, edit, book)
    return changed
