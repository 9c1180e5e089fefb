"""Facts of each billed line: what its code settles, what its modifiers say, what stands beside."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ivpush.claim.drug_units import read_drug_lines
from ivpush.contract.encounter import plain
from ivpush.contract.facts import LineFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = [
    "line_facts",
]


_NONE: frozenset[str] = frozenset()


def line_facts(encounter: Encounter, book: Book) -> list[LineFacts]:
    """One record a billed line, with the columns of its code; nothing about the chart yet."""
    day, setting, columns = encounter.service_date, encounter.setting, book.coded
    diagnoses, stay = len(encounter.diagnoses), _stay(encounter)
    lines: list[LineFacts] = []
    units: dict[tuple[str, date | None], int] = {}
    seen: set[tuple[object, ...]] = set()
    for index, billed_line in enumerate(encounter.lines or ()):
        line, given = LineFacts(), plain(billed_line)
        code, date, pointers = given.code, given.date, given.diagnosis_pointers
        line.given, line.billed, line.index = given, billed_line, index
        line.service_date = date if date is not None else day
        billed = (code, line.service_date)
        units[billed] = units.get(billed, 0) + given.units
        found = columns.get((code, setting))
        if found is None:
            found = columns[code, setting] = _columns_of(code, book, setting)
        (line.row, line.known, line.valid, line.in_family, line.family, line.technique, line.role,
         line.variant, line.label, line.settings, line.successors, line.family_range,
         line.primaries, line.is_add_on, line.mue, line.mai, line.payer_max,
         line.is_drug) = found  # fmt: skip
        line.ended = line.too_early = False
        if line.known and not line.valid:
            _ended(line, book)
        if given.modifiers:
            _modifiers(line, book)
        else:
            line.modifiers, line.separate_modifiers = _NONE, 0
            line.separate = line.visit_modifier = line.lifts_pair = False
        place = given.place_of_service or encounter.place_of_service
        line.facility_place = book.facility_place(place) if place is not None else None
        line.repeats_line = (key := (billed, line.modifiers, given.units)) in seen
        seen.add(key)
        line.pointer_beyond = bool(pointers) and max(pointers) > diagnoses
        line.outside_encounter = None
        if stay is not None and date is not None:
            line.outside_encounter = date < stay[0] or date > stay[1]
        _unmatched(line)
        lines.append(line)
    read_drug_lines(lines, encounter, book)
    _beside(lines, units, setting, book)
    return lines


def _stay(encounter: Encounter) -> tuple[date, date] | None:
    start, end = encounter.start, encounter.end
    return (start.date(), end.date()) if start is not None and end is not None else None


def _ended(line: LineFacts, book: Book) -> None:
    row, day = book.code_any(line.given.code), line.service_date
    assert row is not None
    line.ended = day is not None and row.valid_to is not None and row.valid_to < day
    line.too_early = day is not None and row.valid_from > day


def _modifiers(line: LineFacts, book: Book) -> None:
    line.modifiers = frozenset(line.given.modifiers)
    line.separate_modifiers = len(line.modifiers & book.separate_modifiers)
    line.visit_modifier = not line.modifiers.isdisjoint(book.visit_modifiers)
    line.lifts_pair = not line.modifiers.isdisjoint(book.lifting_modifiers)
    line.separate = line.separate_modifiers > 0


def _beside(
    lines: list[LineFacts], units: dict[tuple[str, date | None], int], setting: str, book: Book
) -> None:
    """Units of each line's code that day, and the NCCI column-1 codes billed beside it."""
    codes: dict[date | None, set[str]] = {}  # a frozenset & a set is a frozenset
    unlifted: dict[date | None, set[str]] = {}
    for code, on in units:
        codes.setdefault(on, set()).add(code)
    if True in [line.lifts_pair for line in lines]:
        for line in lines:
            if not line.lifts_pair:
                unlifted.setdefault(line.service_date, set()).add(line.given.code)
    else:
        unlifted = codes
    pairs = book.pairs if "ptp" in book.in_force else None
    for line in lines:
        code, on = line.given.code, line.service_date
        line.day_units = units[code, on]
        if pairs is None:
            line.never_beside = line.modifier_beside = None
            continue
        beside = pairs.get(setting, code)
        line.never_beside = line.modifier_beside = _NONE
        if beside is not None:
            line.never_beside = beside.never & codes[on]
            # A visit needs its own modifier, whatever the administration beside it carries.
            lifted = line.in_family and on is not None and on >= book.pairs_lifted_from
            able = unlifted if lifted else codes
            line.modifier_beside = beside.with_modifier & able.get(on, _NONE)


def _columns_of(code: str, book: Book, setting: str) -> tuple[Any, ...]:
    """What a line's facts take from its code alone, in the order in which they are set."""
    row = book.code(code)
    known = row if row is not None else book.code_any(code)
    primaries = book.primaries(code) if "addon" in book.in_force else None
    mue, mai = None, None
    if "mue" in book.in_force:
        mue, mai = book.mue(code, setting) or (None, 0)
    shown: tuple[Any, ...] = (None, False, None, False, None, None, None, None, None, None, _NONE)
    if known is not None:
        shown = (row, True, row is not None, known.administration, known.family, known.technique,
                 known.role, known.variant, known.label, known.settings,
                 frozenset(known.succeeded_by))  # fmt: skip
    add_on = None if primaries is None else bool(primaries)
    return (*shown, code[:3] in book.prefixes, primaries, add_on, mue, mai, book.payer_max(code),
            code in book.drugs)  # fmt: skip


def _unmatched(line: LineFacts) -> None:
    """What is known of a line before, or without, a chart; a drug's facts come after."""
    line.status = line.supported_units = line.suggested_units = line.replaced_by = None
    line.replaced_role = line.date_differs = None
    line.administrations = line.service = None
    line.missing_modifier = line.needless_modifier = None
    line.suggested_modifiers, line.matches = _NONE, []
    line.open_units = line.given.units
    line.drug_ended = False
    line.drug_successor = line.drug_given = line.dose_units = None
    line.drug_day_units = line.ndc_digits = line.ndc_code = None
