"""One claim of an 837 with other lines: every other byte of it stays as it stands.

``writers.x12`` calls ``mended`` for each claim whose lines change. A changed line changes only in
the elements that differ. A dropped line takes all its segments with it; a new one follows the last.
The format asks a charge of every line, and nobody but the biller knows it: a line without one is
written with the charge 0, and a note says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ivpush.contract.encounter import ClaimLine
from ivpush.readers.x12.parsed import ABSENT, LAYOUTS, SEVERAL, BilledLine, Parsed

__all__ = [
    "MOST_MODIFIERS",
    "MOST_POINTERS",
    "Mended",
    "amount",
    "mended",
    "service_segment",
    "stamp",
    "total_charge",
    "unfit_line",
]

MOST_MODIFIERS, MOST_POINTERS = 4, 4
_SPACE = b" \t\r\n"
# A drug's loop (2410) stands before the loops of providers, other payers and forms.
_AFTER_DRUG = (b"NM1", b"SVD", b"LQ")
_OF_DRUG = (b"CTP", b"REF")

# Elements by their position, which the implementation guides (005010X222, X223) number alike.
_LX_NUMBER = 1
_LIN_NDC = 3
_CLM_TOTAL = 2
_SV1_PLACE, _SV1_POINTERS = 5, 7
_SV2_REVENUE = 1
# SV101 and SV202 have qualifier, code and four modifiers; then a description and the like.
_AFTER_MODIFIERS = 2 + MOST_MODIFIERS


@dataclass(frozen=True, slots=True)
class Mended:
    """A claim with other lines."""

    pieces: list[bytes]
    notes: list[str]
    """What the sender must know."""


class _Segment:
    """A segment taken apart, to be put together with the white space that it had."""

    def __init__(self, piece: bytes, element: bytes) -> None:
        body = piece.strip(_SPACE)
        at = piece.find(body)
        self.before, self.after = piece[:at], piece[at + len(body) :]
        self.element, self.items = element, body.split(element)

    def set(self, place: int, value: bytes) -> None:
        """Write an element; the ones before it are empty where there were none."""
        self.items += [b""] * (place + 1 - len(self.items))
        self.items[place] = value

    def piece(self) -> bytes:
        """The segment as it is to be written."""
        return self.before + self.element.join(self.items) + self.after


def amount(value: Decimal) -> str:
    """A decimal as X12 writes one: digits, at most one point, no exponent."""
    return format(value, "f")


def stamp(day: dt.date) -> bytes:
    """A day as X12 writes one (D8)."""
    return day.strftime("%Y%m%d").encode()


def total_charge(lines: Iterable[ClaimLine]) -> Decimal:
    """The sum of the charges of lines, as far as they are stated."""
    return sum((line.charge for line in lines if line.charge is not None), Decimal(0))


def unfit_line(line: ClaimLine, setting: str) -> str | None:
    """Why a service line of this setting cannot hold a claim line; None: it can."""
    if len(line.modifiers) > MOST_MODIFIERS:
        return f"has more than {MOST_MODIFIERS} modifiers"
    if setting == "facility" and (line.diagnosis_pointers or line.place_of_service):
        return "has diagnosis pointers or a place of service, which facility lines do not hold"
    if setting == "professional" and line.revenue_code is not None:
        return "has a revenue code, which professional lines do not hold"
    return None


def service_segment(
    line: ClaimLine, setting: str, *, element: bytes, component: bytes, charge: bytes
) -> bytes:
    """SV1 or SV2 of a claim line, with the separators of its interchange."""
    code = component.join(text.encode() for text in ("HC", line.code, *line.modifiers))
    amounts = [charge, b"UN", str(line.units).encode()]
    if setting == "facility":
        return element.join([b"SV2", (line.revenue_code or "").encode(), code, *amounts])
    pointers = _joined_pointers(line, component)
    # SV105, SV106 (not used) and SV107. X12 writes no empty elements at a segment's end.
    tail = [(line.place_of_service or "").encode(), b"", pointers]
    while tail and not tail[-1]:
        tail.pop()
    return element.join([b"SV1", code, *amounts, *tail])


def _joined_pointers(line: ClaimLine, component: bytes) -> bytes:
    return component.join(str(pointer).encode() for pointer in line.diagnosis_pointers)


def mended(
    parsed: Parsed, before: tuple[ClaimLine, ...], after: tuple[ClaimLine, ...], day: dt.date | None
) -> Mended | str:
    """The claim with its lines corrected, or why the format cannot hold them.

    ``before`` are its lines as they were read, ``after`` those to be sent; ``day`` is the date of a
    new line that names none.
    """
    problem = _problem(parsed, before, after)
    if problem is not None:
        return problem
    correction = _Correction(parsed, day)
    runs = correction.runs(before, after)
    correction.renumber(runs)
    head = parsed.claim.pieces[: parsed.lines[0].start]
    correction.set_total(head, total_charge(after) - total_charge(before))
    return Mended([*head, *(piece for run in runs for piece in run)], correction.notes)


def _problem(
    parsed: Parsed, before: tuple[ClaimLine, ...], after: tuple[ClaimLine, ...]
) -> str | None:
    """Why the format cannot hold the corrected lines."""
    old, new = _by_number(before), _by_number(after)
    if len(new) != len(after):
        return "two corrected lines share one number"
    for line in after:
        # A line that stands as it was read needs no room that it does not have.
        if line != old.get(line.number) and (problem := _unfit(line, parsed)):
            return f"line {line.number} {problem}"
    if not after and all(billed.fields is not None for billed in parsed.lines):
        return "no line is left; withdraw the claim instead"
    for billed in parsed.lines:
        number = billed.number
        if billed.fields is None or number not in new or billed.drug != SEVERAL:
            continue
        if old[number].ndc != new[number].ndc:
            return f"line {number} names several NDCs, of which none can be changed"
    return None


def _unfit(line: ClaimLine, parsed: Parsed) -> str | None:
    return unfit_line(line, str(parsed.fields["setting"]))


def _within(line: BilledLine, position: int) -> int | None:
    """A position in the claim as one in the line's run; None: the line has no such segment."""
    return None if position in {ABSENT, SEVERAL} else position - line.start


def _by_number(lines: Iterable[ClaimLine]) -> dict[int, ClaimLine]:
    return {line.number: line for line in lines}


class _Correction:
    """The correction of one claim: its segments and separators, and notes as they arise.

    A run is the pieces of one service line, from its LX to the next.
    """

    def __init__(self, parsed: Parsed, day: dt.date | None) -> None:
        self._parsed, self._day = parsed, day
        self._setting = str(parsed.fields["setting"])
        self._element = parsed.claim.separators.element
        self._component = parsed.claim.separators.component
        self._layout = next(
            layout for layout in LAYOUTS.values() if layout.setting == self._setting
        )
        self.notes: list[str] = []
        self._added = 0
        """New lines, which stand at the end of the runs."""

    def runs(self, before: Sequence[ClaimLine], after: Sequence[ClaimLine]) -> list[list[bytes]]:
        """The pieces of each line to be sent."""
        old, new = _by_number(before), _by_number(after)
        pieces, lines = self._parsed.claim.pieces, self._parsed.lines
        stops = [*(line.start for line in lines[1:]), len(pieces)]
        runs = []
        for line, stop in zip(lines, stops, strict=True):
            run = pieces[line.start : stop]
            # A line that was not read (no fields) is nobody's to change.
            if line.fields is None or old[line.number] == new.get(line.number):
                runs.append(run)
            elif line.number in new:
                runs.append(self._changed(line, run, old[line.number], new[line.number]))
        for added in after:
            if added.number not in old:
                runs.append(self._new_line(added, len(runs) + 1))
        return runs

    def renumber(self, runs: list[list[bytes]]) -> None:
        """Number the lines on from the first one, where they were numbered so before."""
        before = [line.number for line in self._parsed.lines]
        first = before[0]
        if not self._parsed.counted and before == list(range(first, first + len(before))):
            numbers = range(first, first + len(runs))
        else:
            # The sender's own numbers stay; only new lines get numbers, after the highest.
            runs = runs[len(runs) - self._added :]
            numbers = range(max(before) + 1, max(before) + 1 + len(runs))
        for run, number in zip(runs, numbers, strict=True):
            if run and run[0].lstrip(_SPACE).startswith(b"LX" + self._element):
                self._set_number(run, number)

    def _set_number(self, run: list[bytes], number: int) -> None:
        counter, text = self._segment(run[0]), str(number).encode()
        if counter.items[_LX_NUMBER].strip() != text:
            counter.set(_LX_NUMBER, text)
            run[0] = counter.piece()

    def set_total(self, head: list[bytes], change: Decimal) -> None:
        """Change the total charge by what the charges of the lines change."""
        if not change:
            return
        total = self._parsed.total
        if total is None or total + change < 0:
            self.notes.append(
                "the total charge (CLM02) does not follow from the lines and stays as it was"
            )
            return
        claim = self._segment(head[0])
        claim.set(_CLM_TOTAL, amount(total + change).encode())
        head[0] = claim.piece()

    def _segment(self, piece: bytes) -> _Segment:
        return _Segment(piece, self._element)

    # A changed line

    def _changed(
        self, line: BilledLine, run: list[bytes], old: ClaimLine, new: ClaimLine
    ) -> list[bytes]:
        """The segments of a line with the elements that differ changed."""
        service = line.service - line.start
        changed = list(run)
        changed[service] = self._changed_service(run[service], old, new)
        if old.minutes != new.minutes:
            self.notes.append(f"line {old.number}: its minutes have no place in an 837")
        if line.adjudicated:
            self.notes.append(
                f"line {old.number}: is changed, and what another payer decided on it (SVD) "
                "stays as it was"
            )
        # The drug's loop stands after the date: from the end, so that earlier positions stand.
        if old.ndc != new.ndc:
            self._set_drug(changed, _within(line, line.drug), service, new)
        if old.date != new.date:
            self._set_date(changed, _within(line, line.dated), service, new)
        return changed

    def _changed_service(self, piece: bytes, old: ClaimLine, new: ClaimLine) -> bytes:
        service = self._segment(piece)
        if (old.code, old.modifiers) != (new.code, new.modifiers):
            self._set_procedure(service, old, new)
        if old.units != new.units:
            service.set(self._layout.units, str(new.units).encode())
        if old.charge != new.charge:
            service.set(self._layout.charge, self._charge(new))
        if self._setting == "professional":
            if old.place_of_service != new.place_of_service:
                service.set(_SV1_PLACE, (new.place_of_service or "").encode())
            if old.diagnosis_pointers != new.diagnosis_pointers:
                service.set(_SV1_POINTERS, _joined_pointers(new, self._component))
        elif old.revenue_code != new.revenue_code:
            service.set(_SV2_REVENUE, (new.revenue_code or "").encode())
        return service.piece()

    def _set_procedure(self, service: _Segment, old: ClaimLine, new: ClaimLine) -> None:
        place = self._layout.composite
        parts = service.items[place].split(self._component)
        # A description of the old code would be untrue of another one.
        rest = parts[_AFTER_MODIFIERS:] if old.code == new.code else []
        modifiers = [modifier.encode() for modifier in new.modifiers]
        if any(rest):
            modifiers += [b""] * (MOST_MODIFIERS - len(modifiers))
        else:
            rest = []
        procedure = [parts[0], new.code.encode(), *modifiers, *rest]
        service.set(place, self._component.join(procedure))

    def _charge(self, line: ClaimLine) -> bytes:
        if line.charge is not None:
            return amount(line.charge).encode()
        self.notes.append(
            f"line {line.number}: has no charge; 0 is written, put its charge there "
            "before the claim is sent"
        )
        return b"0"

    def _date(self, day: dt.date) -> bytes:
        return self._element.join([b"DTP", b"472", b"D8", stamp(day)])

    def _drug(self, ndc: str) -> bytes:
        return self._element.join([b"LIN", b"", b"N4", ndc.encode()])

    def _set_date(self, run: list[bytes], at: int | None, service: int, new: ClaimLine) -> None:
        """Change, add or drop the date of a run; ``at`` is where it stands."""
        if at is None:
            if new.date is not None:
                run.insert(service + 1, self._segment(run[service]).before + self._date(new.date))
        elif new.date is None:
            del run[at]
        else:
            old = self._segment(run[at])
            run[at] = old.before + self._date(new.date) + old.after

    def _set_drug(self, run: list[bytes], at: int | None, service: int, new: ClaimLine) -> None:
        """Change, add or drop the drug of a run; ``at`` is where its LIN stands."""
        if at is None:
            if new.ndc is not None:
                place = service + 1
                while place < len(run) and not run[place].lstrip(_SPACE).startswith(_AFTER_DRUG):
                    place += 1
                run.insert(place, self._segment(run[service]).before + self._drug(new.ndc))
        elif new.ndc is None:
            stop = at + 1
            while stop < len(run) and run[stop].lstrip(_SPACE)[:3] in _OF_DRUG:
                stop += 1
            del run[at:stop]
        else:
            drug = self._segment(run[at])
            drug.set(_LIN_NDC, new.ndc.encode())
            run[at] = drug.piece()

    # A new line

    def _new_line(self, line: ClaimLine, number: int) -> list[bytes]:
        """The segments of a new line, indented as those of the last line are."""
        self._added += 1
        last = next(line for line in reversed(self._parsed.lines) if line.service != ABSENT)
        pieces = self._parsed.claim.pieces
        outer = self._segment(pieces[last.start]).before
        inner = self._segment(pieces[last.service]).before
        service = service_segment(
            line,
            self._setting,
            element=self._element,
            component=self._component,
            charge=self._charge(line),
        )
        self._note_gaps(line)
        run = [outer + self._element.join([b"LX", str(number).encode()]), inner + service]
        day = line.date or self._day
        if day is not None:
            run.append(inner + self._date(day))
        if line.ndc is not None:
            run.append(inner + self._drug(line.ndc))
        return run

    def _note_gaps(self, line: ClaimLine) -> None:
        """Say what a payer will miss in a new line."""
        if self._setting == "professional" and not line.diagnosis_pointers:
            self.notes.append(f"line {line.number}: is new and points to no diagnosis")
        if self._setting == "facility" and line.revenue_code is None:
            self.notes.append(f"line {line.number}: is new and has no revenue code")
