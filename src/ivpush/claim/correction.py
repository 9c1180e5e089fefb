"""The claim to send instead: its lines from the matching, and after the edits of rules."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ivpush.contract.encounter import ClaimLine

if TYPE_CHECKING:
    from ivpush.claim.matching import Matching
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.facts import LineFacts
    from ivpush.pack.book import Book

__all__ = [
    "apply_edits",
    "corrected_lines",
    "may_be_edited",
    "mended",
]

_STANDS = frozenset({"matched", "outside", None})


def corrected_lines(
    billed: tuple[ClaimLine, ...], lines: list[LineFacts], drafts: list[Draft], made: Matching,
    distinct: frozenset[str],
) -> tuple[ClaimLine, ...]:  # fmt: skip
    """The claim to send instead; new lines take the next number and carry no charge."""
    if not any(made.left) and {line.status for line in lines} <= _STANDS:
        return billed
    left = list(made.left)
    last = {number: line.index for line in lines for number in line.matches
            if line.replaced_by is None}  # fmt: skip
    out: list[ClaimLine] = []
    more: list[ClaimLine] = []
    for line in lines:
        given = line.billed
        if line.status in _STANDS:
            out.append(given)
        elif line.index in made.folded:
            continue
        elif line.replaced_by is not None:
            number = line.matches[0]
            left[number] = 0
            out.append(_as_draft(given, drafts[number]))
        elif line.status == "changed":
            first, *rest = _changed(line, drafts, made, left, last, distinct)
            out.append(first)
            more += rest
    number = max((line.number for line in billed), default=0)
    for number, one in enumerate(more, number + 1):  # noqa: B020 - goes on counting
        out.append(one.model_copy(update={"number": number, "charge": None}))
    for place, draft in enumerate(drafts):
        if left[place] > 0:
            number += 1
            out.append(_new_line(number, draft, left[place]))
    return tuple(out)


def _new_line(number: int, draft: Draft, units: int) -> ClaimLine:
    ids = tuple(dict.fromkeys(o.given.id for s in draft.services for o in s.administrations))
    return ClaimLine(
        number=number, code=draft.row.code, modifiers=draft.modifiers, units=units,
        date=draft.date, administrations=ids,
    )  # fmt: skip


def _as_draft(given: ClaimLine, draft: Draft) -> ClaimLine:
    change = {"code": draft.row.code, "units": draft.units, "modifiers": draft.modifiers}
    if given.date is not None and draft.date is not None:
        change["date"] = draft.date
    if given.administrations is not None:
        change["administrations"] = tuple(
            dict.fromkeys(o.given.id for s in draft.services for o in s.administrations)
        )
    return given.model_copy(update=change)


def _changed(
    line: LineFacts, drafts: list[Draft], made: Matching, left: list[int], last: dict[int, int],
    distinct: frozenset[str],
) -> list[ClaimLine]:  # fmt: skip
    """The line with its supported units, date and modifiers, one line for each suggestion."""
    out: list[ClaimLine] = []
    given = line.billed
    groups: dict[tuple[tuple[str, ...], date | None], int] = {}
    for number, units in made.pairs[line.index]:
        if last.get(number) == line.index and left[number] > 0:
            units += left[number]
            left[number] = 0
        draft = drafts[number]
        day = draft.date if given.date is not None and draft.date is not None else given.date
        key = (draft.modifiers, day)
        groups[key] = groups.get(key, 0) + units
    for (modifiers, day), units in groups.items():
        kept = tuple(m for m in given.modifiers if m not in distinct)
        has = tuple(m for m in given.modifiers if m in distinct)
        wanted = has[:1] if has and modifiers else modifiers
        change = {"units": units, "date": day, "modifiers": (*kept, *wanted)}
        out.append(given.model_copy(update=change))
    return out


def mended(line: ClaimLine, edit: Any, book: Book) -> ClaimLine | None:
    """A line after a rule's edit; None where the edit removes it."""
    if edit == "remove":
        return None
    if "add_modifier" in edit:
        modifier = book.modifier(edit["add_modifier"])
        if modifier in line.modifiers:
            return line
        return line.model_copy(update={"modifiers": (*line.modifiers, modifier)})
    if "drop_modifiers" in edit:
        gone = book.separate_modifiers if edit["drop_modifiers"] == "separate" else frozenset(
            (book.modifier(edit["drop_modifiers"]),))  # fmt: skip
        kept = tuple(one for one in line.modifiers if one not in gone)
        return line.model_copy(update={"modifiers": kept})
    row = book.code_any(line.code)
    if edit.get("code") == "successor" and row is not None and len(row.succeeded_by) == 1:
        return line.model_copy(update={"code": row.succeeded_by[0]})
    return line


def may_be_edited(lines: list[LineFacts], book: Book) -> bool:
    """Whether a line outside the family has a rule that would change it."""
    return any(
        rule.edit not in (None, "corrected")
        for line in lines if line.status in {"outside", None}
        for rule in book.screens.rules_of_code(line.given.code)
    )  # fmt: skip


def apply_edits(
    lines: tuple[ClaimLine, ...], edits: dict[int, list[Any]], book: Book
) -> tuple[ClaimLine, ...]:
    """Lines outside the family after the edits, by line number, of the rules that they break."""
    if not edits:
        return lines
    out = []
    for line in lines:
        changed: ClaimLine | None = line
        for edit in edits.get(line.number, ()):
            if changed is not None:
                changed = mended(changed, edit, book)
        if changed is not None:
            out.append(changed)
    return tuple(out)
