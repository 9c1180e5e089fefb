"""Charts linked to claims that came apart: one encounter of a pair, and no record lost.

A claim finds its chart by the encounter's id (an 837 carries it as the patient account number).
Where ids find nothing, a date does, but only if one claim and one chart in the whole run carry
that date. The linked encounter takes lines, place of service or type of bill, diagnoses and payer
from the claim, and the rest from the chart. Where the two contradict one another in setting or
date they stay apart and both are checked on their own; each such case, each difference that one
side decided, and each record without a partner is a Note.

Charts are kept in memory as compact JSON, one to two kilobytes each for an ordinary visit; claims
stream through. Claims whose id finds no chart wait, as compact JSON, for the end.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, Record, SetAside

__all__ = ["Linker", "link"]

_FROM_CLAIM = ("place_of_service", "type_of_bill", "diagnoses", "payer")
_HELD = Record | Note


@dataclass(slots=True)
class _Kept:
    """A record that waits: where it stands, and its compact JSON."""

    place: str
    text: bytes
    day: dt.date | None
    used: int = 0

    def record(self) -> Record:
        return Record(self.place, Encounter.model_validate_json(self.text))


def link(
    claims: Iterable[Reading], charts: Iterable[Reading], linker: Linker | None = None
) -> Iterator[Reading]:
    """Claims with their charts, then what found no partner; set-asides and notes pass through.

    A ``linker`` of the caller's keeps the counts.
    """
    linker = linker or Linker()
    yield from linker.take(charts)
    for one in claims:
        if isinstance(one, Record):
            yield from linker.pair(one)
        else:
            yield one
    yield from linker.rest()


@dataclass(slots=True)
class Linker:
    """Links one run's claims and charts; the counts say what became of each.

    Every chart is in ``linked`` or ``charts_alone``, every claim in ``pairs``, ``claims_alone`` or
    ``refused`` (it contradicts the contract together with its chart, which is checked alone).
    """

    pairs: int = 0
    linked: int = 0
    claims_alone: int = 0
    charts_alone: int = 0
    refused: int = 0
    _charts: dict[str, _Kept] = field(default_factory=dict)
    _waiting: list[_Kept] = field(default_factory=list)
    _repeated: list[_Kept] = field(default_factory=list)
    _chart_days: Counter[dt.date | None] = field(default_factory=Counter)
    _claim_days: Counter[dt.date | None] = field(default_factory=Counter)

    def take(self, charts: Iterable[Reading]) -> Iterator[Reading]:
        """Read the charts into the index; what is no record passes through."""
        for one in charts:
            if not isinstance(one, Record):
                yield one
                continue
            kept = _kept(one)
            self._chart_days[kept.day] += 1
            if one.encounter.id in self._charts:
                self._repeated.append(kept)
            else:
                self._charts[one.encounter.id] = kept

    def pair(self, claim: Record) -> Iterator[Reading]:
        """The claim with its chart, if its id finds one; else it waits for ``rest``."""
        self._claim_days[claim.encounter.service_date] += 1
        kept = self._charts.get(claim.encounter.id)
        if kept is None:
            self._waiting.append(_kept(claim))
            return
        yield from self._joined(claim, kept)

    def now(self, claim: Record) -> tuple[Record | SetAside, list[Note]]:
        """The claim with the chart that its id finds, or the claim alone; nothing waits."""
        found: Record | SetAside = claim
        notes = []
        made = list(self.pair(claim))
        if self._waiting:
            made += self._alone(self._waiting.pop().record())
        for one in made:
            if isinstance(one, Note):
                notes.append(one)
            else:
                found = one
        return found, notes

    def rest(self) -> Iterator[Reading]:
        """Claims that waited, by date or alone, then the charts that no claim took."""
        by_day = {one.day: one for one in self._charts.values() if not one.used and one.day}
        for held in self._waiting:
            chart = by_day.get(held.day) if held.day else None
            claim = held.record()
            alone = self._claim_days[held.day] == 1 and self._chart_days[held.day] == 1
            if chart is None or chart.used or not alone:
                yield from self._alone(claim)
                continue
            yield Note(held.place, f"no chart has its id; linked to {chart.place}, the only chart "
                       "of its date, by date alone: look whether they belong together")  # fmt: skip
            yield from self._joined(claim, chart)
        self._waiting.clear()
        for one in self._charts.values():
            if not one.used:
                self.charts_alone += 1
                yield Note(one.place, "no claim was found for this chart; it is checked alone")
                yield one.record()
        for one in self._repeated:
            self.charts_alone += 1
            yield Note(one.place, "an earlier chart has the same id; this one is checked alone")
            yield one.record()

    def _alone(self, claim: Record) -> Iterator[_HELD]:
        self.claims_alone += 1
        yield Note(claim.place, "no chart was found for this claim; it is checked alone")
        yield claim

    def _joined(self, claim: Record, kept: _Kept) -> Iterator[Reading]:
        chart = kept.record().encounter
        apart = _contradiction(claim.encounter, chart)
        if apart:
            yield Note(claim.place, f"contradicts its chart ({kept.place}): {apart}; they are not "
                       "linked, and each is checked alone")  # fmt: skip
            self.claims_alone += 1
            yield claim
            return
        try:
            whole = Record(claim.place, _merged(claim.encounter, chart))
        except InputError as error:
            self.refused += 1
            faults = [Fault(f"claim with its chart ({kept.place})", "do not fit together"),
                      *error.faults]  # fmt: skip
            yield SetAside(claim.place, InputError(faults))
            return
        if kept.used:
            yield Note(claim.place, f"a further claim for one chart ({kept.place}): what the other "
                       "claim bills counts as missed here")  # fmt: skip
        for said in _differences(claim.encounter, chart):
            yield Note(claim.place, f"differs from its chart ({kept.place}): {said}")
        self.pairs += 1
        self.linked += not kept.used
        kept.used += 1
        yield whole


def _kept(one: Record) -> _Kept:
    text = one.encounter.model_dump_json(exclude_none=True).encode()
    return _Kept(one.place, text, one.encounter.service_date)


def _contradiction(claim: Encounter, chart: Encounter) -> str:
    """Why the two cannot be one encounter; empty where they can."""
    if claim.setting != chart.setting:
        return "another setting"
    billed, charted = _days(claim), _days(chart)
    if billed and charted and billed.isdisjoint(charted):
        return "no date in common"
    return ""


def _days(one: Encounter) -> set[dt.date]:
    """Every date that an encounter carries, the days between first and last of a stay included."""
    found = {at.date() for at in (one.start, one.end) if at is not None}
    found |= {at.date() for given in one.administrations or () for at in (given.start, given.stop)
              if at is not None}  # fmt: skip
    found |= {line.date for line in one.lines or () if line.date is not None}
    if one.date is not None:
        found.add(one.date)
    if one.end is not None and found:
        first, last = min(found), min(max(found), min(found) + dt.timedelta(days=_LONGEST_STAY))
        found |= {first + dt.timedelta(days=n) for n in range((last - first).days)}
    return found


_LONGEST_STAY = 366


def _differences(claim: Encounter, chart: Encounter) -> Iterator[str]:
    """What both sides state otherwise, and whose word holds; fields only, never values."""
    for name in _FROM_CLAIM:
        ours, theirs = getattr(claim, name), getattr(chart, name)
        if ours and theirs and ours != theirs:
            yield f"{name}; the claim's holds"
    if claim.lines is not None and chart.lines is not None and claim.lines != chart.lines:
        yield "lines; the claim's hold"
    for name in ("date", "timezone", "supervision", "complexity_documented", "administrations",
                 "start", "end", "primary_administration"):  # fmt: skip
        ours, theirs = getattr(claim, name), getattr(chart, name)
        if ours is not None and theirs is not None and ours != theirs:
            yield f"{name}; the chart's holds"
    charted = _days(chart)
    if charted and any(one.date not in charted for one in claim.lines or () if one.date):
        yield "a line is billed for a date that the chart does not hold"


def _merged(claim: Encounter, chart: Encounter) -> Encounter:
    ours, theirs = _stated(claim), _stated(chart)
    whole = {**ours, **theirs, "id": claim.id}
    for name in (*_FROM_CLAIM, "lines"):
        if name in ours:
            whole[name] = ours[name]
    return Encounter.model_validate(whole)


def _stated(one: Encounter) -> dict[str, Any]:
    """The fields that an encounter states; an empty list of diagnoses states nothing."""
    made = one.model_dump(exclude_none=True)
    if not one.diagnoses:
        made.pop("diagnoses", None)
    return made
