"""One claim of an 837 with other lines: every other byte of it stays as it stands.

A changed line changes only in the elements that differ. A dropped line takes all its segments with
it; a new one follows the last. The format asks a charge of every line, and nobody but the biller
knows it: a line without one is written with the charge 0, and a note says so.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from ivpush.contract.encounter import ClaimLine
from ivpush.readers.x12.parsed import LAYOUTS, SEVERAL, BilledLine, Parsed

__all__ = ["MOST_MODIFIERS", "MOST_POINTERS", "Mended", "amount", "mended", "service_segment",
           "unfit_line"]  # fmt: skip

MOST_MODIFIERS, MOST_POINTERS = 4, 4
_SPACE = b" \t\r\n"
# A drug's loop (2410) stands before the loops of providers, other payers and forms.
_AFTER_DRUG = (b"NM1", b"SVD", b"LQ")
_OF_DRUG = (b"CTP", b"REF")


class Mended:
    """A claim with other lines: its pieces, and what the sender must know."""

    def __init__(self, pieces: list[bytes], notes: list[str]) -> None:
        self.pieces, self.notes = pieces, notes


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


def unfit_line(line: ClaimLine, setting: str) -> str | None:
    """Why a service line of this setting cannot hold a claim line; None: it can."""
    if len(line.modifiers) > MOST_MODIFIERS:
        return "has more than 4 modifiers"
    if setting == "facility" and (line.diagnosis_pointers or line.place_of_service):
        return "has diagnosis pointers or a place of service, which facility lines do not hold"
    if setting == "professional" and line.revenue_code is not None:
        return "has a revenue code, which professional lines do not hold"
    return None


def mended(
    made: Parsed, before: tuple[ClaimLine, ...], after: tuple[ClaimLine, ...], day: dt.date | None
) -> Mended | str:
    """The claim with its lines corrected, or why the format cannot hold them."""
    setting = str(made.fields["setting"])
    old, new = {one.number: one for one in before}, {one.number: one for one in after}
    if len(new) != len(after):
        return "two corrected lines share one number"
    for one in after:
        if one != old.get(one.number) and (problem := unfit_line(one, setting)):
            return f"line {one.number} {problem}"
    if not after and all(line.fields is not None for line in made.lines):
        return "no line is left; withdraw the claim instead"
    work, pieces = _Work(made, setting, day), made.claim.pieces
    stops = [*(line.start for line in made.lines[1:]), len(pieces)]
    runs = []
    for line, stop in zip(made.lines, stops, strict=True):
        run = pieces[line.start : stop]
        if line.fields is None or old[line.number] == new.get(line.number):
            runs.append(run)
        elif line.number in new:
            if line.drug == SEVERAL and old[line.number].ndc != new[line.number].ndc:
                return f"line {line.number} names several NDCs, of which none can be changed"
            runs.append(work.changed(line, run, old[line.number], new[line.number]))
    runs += [work.added(one, len(runs)) for one in after if one.number not in old]
    work.renumber(runs)
    head = pieces[: made.lines[0].start]
    work.total(head, before, after)
    return Mended([*head, *(piece for run in runs for piece in run)], work.notes)


class _Work:
    """What the lines of one claim are changed with."""

    def __init__(self, made: Parsed, setting: str, day: dt.date | None) -> None:
        self.made, self.setting, self.day = made, setting, day
        self.marks = made.claim.separators
        self.layout = next(one for one in LAYOUTS.values() if one.setting == setting)
        self.notes: list[str] = []
        self.new = 0

    def segment(self, piece: bytes) -> _Segment:
        """A segment taken apart."""
        return _Segment(piece, self.marks.element)

    def changed(
        self, line: BilledLine, run: list[bytes], old: ClaimLine, new: ClaimLine
    ) -> list[bytes]:
        """The segments of a line with the elements that differ changed."""
        at = line.service - line.start
        service = self.segment(run[at])
        if (old.code, old.modifiers) != (new.code, new.modifiers):
            self._procedure(service, old, new)
        if old.units != new.units:
            service.set(self.layout.units, str(new.units).encode())
        if old.charge != new.charge:
            service.set(self.layout.charge, self._charge(new))
        if self.setting == "professional":
            if old.place_of_service != new.place_of_service:
                service.set(5, (new.place_of_service or "").encode())
            if old.diagnosis_pointers != new.diagnosis_pointers:
                service.set(7, self._pointers(new))
        elif old.revenue_code != new.revenue_code:
            service.set(1, (new.revenue_code or "").encode())
        out = [*run[:at], service.piece(), *run[at + 1 :]]
        if old.minutes != new.minutes:
            self.notes.append(f"line {old.number}: its minutes have no place in an 837")
        if line.adjudicated:
            self.notes.append(f"line {old.number}: is changed, and what another payer decided on "
                              "it (SVD) stays as it was")  # fmt: skip
        # From the end, so that earlier positions stand.
        if old.ndc != new.ndc:
            self._drug(out, line.drug - line.start if line.drug >= 0 else -1, at, new)
        if old.date != new.date:
            self._date(out, line.dated - line.start if line.dated >= 0 else -1, at, new)
        return out

    def _procedure(self, service: _Segment, old: ClaimLine, new: ClaimLine) -> None:
        mark, place = self.marks.component, self.layout.composite
        part = service.items[place].split(mark)
        # A description of the old code would be untrue of another one.
        rest = part[6:] if old.code == new.code else []
        modifiers = [one.encode() for one in new.modifiers]
        if any(rest):
            modifiers += [b""] * (MOST_MODIFIERS - len(modifiers))
        else:
            rest = []
        service.set(place, mark.join([part[0], new.code.encode(), *modifiers, *rest]))

    def _charge(self, line: ClaimLine) -> bytes:
        if line.charge is not None:
            return amount(line.charge).encode()
        self.notes.append(f"line {line.number}: has no charge; 0 is written, put its charge there "
                          "before the claim is sent")  # fmt: skip
        return b"0"

    def _pointers(self, line: ClaimLine) -> bytes:
        return self.marks.component.join(str(one).encode() for one in line.diagnosis_pointers)

    def _date(self, out: list[bytes], at: int, service: int, new: ClaimLine) -> None:
        element = self.marks.element
        if new.date is None:
            del out[at]
            return
        body = element.join([b"DTP", b"472", b"D8", new.date.strftime("%Y%m%d").encode()])
        if at >= 0:
            old = self.segment(out[at])
            out[at] = old.before + body + old.after
        else:
            out.insert(service + 1, self.segment(out[service]).before + body)

    def _drug(self, out: list[bytes], at: int, service: int, new: ClaimLine) -> None:
        if at >= 0 and new.ndc is not None:
            drug = self.segment(out[at])
            drug.set(3, new.ndc.encode())
            out[at] = drug.piece()
        elif at >= 0:
            stop = at + 1
            while stop < len(out) and out[stop].lstrip(_SPACE)[:3] in _OF_DRUG:
                stop += 1
            del out[at:stop]
        elif new.ndc is not None:
            place = service + 1
            while place < len(out) and not out[place].lstrip(_SPACE).startswith(_AFTER_DRUG):
                place += 1
            body = self.marks.element.join([b"LIN", b"", b"N4", new.ndc.encode()])
            out.insert(place, self.segment(out[service]).before + body)

    def added(self, line: ClaimLine, place: int) -> list[bytes]:
        """The segments of a new line, indented as those of the last line are."""
        self.new += 1
        element = self.marks.element
        last = next(one for one in reversed(self.made.lines) if one.service >= 0)
        pieces = self.made.claim.pieces
        outer = self.segment(pieces[last.start]).before
        inner = self.segment(pieces[last.service]).before
        charge = self._charge(line)
        bare = line.charge is None
        if self.setting == "professional" and not line.diagnosis_pointers:
            self.notes.append(f"line {line.number}: is new and points to no diagnosis")
        if self.setting == "facility" and line.revenue_code is None:
            self.notes.append(f"line {line.number}: is new and has no revenue code")
        given = line.model_copy(update={"charge": Decimal(0)}) if bare else line
        service = service_segment(given, self.setting, element, self.marks.component, charge)
        out = [outer + element.join([b"LX", str(place + 1).encode()]), inner + service]
        day = line.date or self.day
        if day is not None:
            stamp = day.strftime("%Y%m%d").encode()
            out.append(inner + element.join([b"DTP", b"472", b"D8", stamp]))
        if line.ndc is not None:
            out.append(inner + element.join([b"LIN", b"", b"N4", line.ndc.encode()]))
        return out

    def renumber(self, runs: list[list[bytes]]) -> None:
        """Number the lines on from the first one, where they were numbered so before."""
        before = [line.number for line in self.made.lines]
        first = before[0]
        if not self.made.counted and before == list(range(first, first + len(before))):
            numbers = range(first, first + len(runs))
        else:
            runs = runs[len(runs) - self.new :]
            numbers = range(max(before) + 1, max(before) + 1 + len(runs))
        for run, number in zip(runs, numbers, strict=True):
            if run and run[0].lstrip(_SPACE).startswith(b"LX" + self.marks.element):
                counter = self.segment(run[0])
                if counter.items[1].strip() != str(number).encode():
                    counter.set(1, str(number).encode())
                    run[0] = counter.piece()

    def total(
        self, head: list[bytes], before: tuple[ClaimLine, ...], after: tuple[ClaimLine, ...]
    ) -> None:
        """Change CLM02 by what the charges of the lines change."""
        change = _charges(after) - _charges(before)
        if not change:
            return
        old = self.made.total
        if old is None or old + change < 0:
            self.notes.append("the total charge (CLM02) does not follow from the lines and stays "
                              "as it was")  # fmt: skip
            return
        claim = self.segment(head[0])
        claim.set(2, amount(old + change).encode())
        head[0] = claim.piece()


def _charges(lines: tuple[ClaimLine, ...]) -> Decimal:
    return sum((one.charge for one in lines if one.charge is not None), Decimal(0))


def service_segment(
    line: ClaimLine, setting: str, element: bytes, component: bytes, charge: bytes
) -> bytes:
    """SV1 or SV2 of a claim line."""
    codes = component.join(one.encode() for one in ("HC", line.code, *line.modifiers))
    rest = [charge, b"UN", str(line.units).encode()]
    if setting == "facility":
        return element.join([b"SV2", (line.revenue_code or "").encode(), codes, *rest])
    pointers = component.join(str(one).encode() for one in line.diagnosis_pointers)
    tail = [(line.place_of_service or "").encode(), b"", pointers]
    while tail and not tail[-1]:
        tail.pop()
    return element.join([b"SV1", codes, *rest, *tail])
