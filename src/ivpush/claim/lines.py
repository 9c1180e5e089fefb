"""Facts of each billed line: what its code settles, what its modifiers say, what stands beside.

The engine reads the claim once with ``line_facts``; how each line compares with the chart is found
by ``matching`` afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ivpush.claim.drug_units import drug_lines
from ivpush.claim.visits import Billed, Visits
from ivpush.contract.claim_facts import (
    CodedFacts,
    LineFacts,
    MatchFacts,
    ModifierFacts,
)

if TYPE_CHECKING:
    from ivpush.coding.chart import CodedChart
    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.codes import CodeRow

__all__ = ["line_facts"]

_CodesByDay = dict[date | None, set[str]]

_NO_CODES: frozenset[str] = frozenset()
_NO_MODIFIERS = ModifierFacts()
_NO_CHART = MatchFacts()


def line_facts(coded: CodedChart, book: Book) -> list[LineFacts]:
    """One record a billed line, with the columns of its code; not yet held against the chart."""
    encounter = coded.encounter
    if not encounter.lines:
        return []
    setting, usual_day = encounter.setting, encounter.service_date
    billed = [_billed(line, usual_day, setting, book) for line in encounter.lines]
    beside = _Beside(billed, setting, book)
    visits = Visits(billed, coded, book)
    parts = [visits.on(line.day).part if line.given.date else None for line in billed]
    drugs = drug_lines(encounter, parts, [x.part for x in coded.derived.administrations], book)
    stay = _stay(encounter)
    seen: set[tuple[object, ...]] = set()
    lines = []
    for index, (given, day, of_code, marks) in enumerate(billed):
        key = (given.code, day, marks.modifiers, given.units)
        ended, too_early = _outside_dates(given.code, day, book)
        # 837P: the place of the line (SV105) beats that of the claim (CLM05-1).
        place = given.place_of_service or encounter.place_of_service
        never, with_modifier = beside.of_line(billed[index])
        lines.append(
            LineFacts(
                given=given,
                index=index,
                service_date=day,
                coded=of_code,
                marks=marks,
                drug=drugs[index][0],
                waste=drugs[index][1],
                beside=visits.on(day),
                ended=ended,
                too_early=too_early,
                day_units=beside.units[given.code, day],
                outside_encounter=_outside_stay(given.date, stay),
                never_beside=never,
                modifier_beside=with_modifier,
                family_beside=beside.others(beside.family, billed[index]),
                visits_beside=beside.others(beside.visits, billed[index]),
                pair_stands=beside.stands(billed[index]),
                # Against earlier lines only: the first of equal lines is the one to keep.
                repeats_line=key in seen,
                pointer_beyond=_points_beyond(given, encounter.diagnoses),
                facility_place=book.facility_place(place) if place is not None else None,
                match=_NO_CHART,
            )
        )
        seen.add(key)
    return lines


def _points_beyond(line: ClaimLine, diagnoses: Sequence[str] | None) -> bool | None:
    """Whether a line points to a diagnosis that is not there; None where nobody named any."""
    if not line.diagnosis_pointers:
        return False
    return None if diagnoses is None else max(line.diagnosis_pointers) > len(diagnoses)


def _billed(given: ClaimLine, usual_day: date | None, setting: str, book: Book) -> Billed:
    day = given.date if given.date is not None else usual_day
    key = (given.code, setting)
    # Kept by the book: a batch bills the same few codes again and again.
    coded = book.coded.get(key)
    if coded is None:
        coded = book.coded[key] = _coded(given.code, book, setting)
    marks = _marks(given.modifiers, book) if given.modifiers else _NO_MODIFIERS
    return Billed(given, day, coded, marks)


def _marks(modifiers: Iterable[str], book: Book) -> ModifierFacts:
    marks = frozenset(modifiers)
    separate = len(marks & book.separate_modifiers)
    return ModifierFacts(
        modifiers=marks,
        separate=separate > 0,
        separate_modifiers=separate,
        lifts_pair=not marks.isdisjoint(book.lifting_modifiers),
        visit_modifier=not marks.isdisjoint(book.visit_modifiers),
    )


def _stay(encounter: Encounter) -> tuple[date, date] | None:
    start, end = encounter.start, encounter.end
    return (start.date(), end.date()) if start is not None and end is not None else None


def _outside_stay(day: date | None, stay: tuple[date, date] | None) -> bool | None:
    if stay is None or day is None:
        return None
    return day < stay[0] or day > stay[1]


def _outside_dates(code: str, day: date | None, book: Book) -> tuple[bool, bool]:
    """Whether a code had ended by the line's own date, or was not valid yet."""
    row = book.code_any(code)
    if row is None or day is None:
        return False, False
    return row.valid_to is not None and row.valid_to < day, row.valid_from > day


class _Beside:
    """What is billed on the days of a claim: units by code, and NCCI column-1 codes."""

    def __init__(self, billed: list[Billed], setting: str, book: Book) -> None:
        self._setting, self._book = setting, book
        self.units: dict[tuple[str, date | None], int] = {}
        self._codes: dict[date | None, set[str]] = {}
        self._unlifted: dict[date | None, set[str]] = {}
        self.family: _CodesByDay = {}
        self.visits: _CodesByDay = {}
        self._flushes = book.flushes
        self._visits: dict[date | None, set[str]] = {}
        """Visits that carry the modifier of a separate visit."""
        for given, day, coded, marks in billed:
            key = (given.code, day)
            self.units[key] = self.units.get(key, 0) + given.units
            self._codes.setdefault(day, set()).add(given.code)
            if coded.in_family and coded.technique != "port_flush":
                self.family.setdefault(day, set()).add(given.code)
            elif coded.family == "visit":
                self.visits.setdefault(day, set()).add(given.code)
            if not marks.lifts_pair:
                self._unlifted.setdefault(day, set()).add(given.code)
            if marks.visit_modifier and not coded.in_family:
                self._visits.setdefault(day, set()).add(given.code)
        # An empty table before the first release would say that no pair exists.
        self._pairs = book.pairs if "ptp" in book.in_force else None

    def of_line(self, line: Billed) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """Column-1 codes billed that day, of indicator 0 and 1; None before the first table."""
        if self._pairs is None:
            return None, None
        pairs = self._pairs.get(self._setting, line.given.code)
        if pairs is None:
            return _NO_CODES, _NO_CODES
        # A visit needs its own modifier, whatever the administration beside it carries.
        since = self._book.pairs_lifted_from
        lifted = line.coded.in_family and line.day is not None and line.day >= since
        able = self._unlifted if lifted else self._codes
        # A frozenset & a set is a frozenset.
        never = pairs.never & self._codes[line.day]
        # Beside anything else it is the flush that goes: it bundles nothing itself.
        beside = pairs.with_modifier & able.get(line.day, _NO_CODES)
        return never - self._flushes, beside - self._flushes

    def others(self, codes: _CodesByDay, line: Billed) -> frozenset[str]:
        """Codes of a kind billed on the line's day beside its own."""
        return frozenset(codes.get(line.day, _NO_CODES)) - {line.given.code}

    def stands(self, line: Billed) -> bool | None:
        """Whether a distinct-service modifier on the line lifts a pair with another of its day."""
        if self._pairs is None:
            return None
        if not line.marks.separate:
            return False
        code, day = line.given.code, line.day
        pairs = self._pairs.get(self._setting, code)
        others = self._codes[day] - self._visits.get(day, set())
        if pairs is not None and not pairs.with_modifier.isdisjoint(others):
            return True
        # Until then CMS took the modifier on the column-2 code only (CR 11168).
        if day is None or day < self._book.pairs_lifted_from:
            return False
        return any(
            (theirs := self._pairs.get(self._setting, other)) is not None
            and code in theirs.with_modifier
            for other in self._unlifted.get(day, ())
        )


def _coded(code: str, book: Book, setting: str) -> CodedFacts:
    """What a line's facts take from its code alone; the book keeps it."""
    valid = book.code(code)
    row = valid if valid is not None else book.code_any(code)
    primaries = book.primaries(code) if "addon" in book.in_force else None
    mue, mai = None, None
    if "mue" in book.in_force:
        # A code without an MUE has none, which is known; before the table it is not.
        mue, mai = book.mue(code, setting) or (None, 0)
    return CodedFacts(
        known=row is not None,
        valid=None if row is None else valid is not None,
        in_family=row is not None and row.administration,
        family=_column(row, "family"),
        technique=_column(row, "technique"),
        role=_column(row, "role"),
        variant=_column(row, "variant"),
        label=_column(row, "label"),
        settings=row.settings if row is not None else None,
        successors=frozenset(row.succeeded_by) if row is not None else _NO_CODES,
        family_range=code[:3] in book.prefixes,
        primaries=primaries,
        is_add_on=None if primaries is None else bool(primaries),
        mue=mue,
        mai=mai,
        payer_max=book.payer_max(code),
        is_drug=code in book.drugs,
        opps_status=book.status_indicator(code),
        staff_in_facility=row is not None and book.fees.unpaid_in_facility(row),
        incident_to=row is not None and book.fees.incident_to(row),
    )


def _column(row: CodeRow | None, name: str) -> str | None:
    text: str | None = getattr(row, name, None)
    return text
