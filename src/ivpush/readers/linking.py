"""Charts linked to claims that came apart: one encounter of a pair, and no record lost.

A claim finds its chart by the encounter's id (an 837 carries it as the patient account number).
Where ids find nothing, a date does, but only if one claim and one chart in the whole run carry that
date. Ids that differ only by zeros, case or the like are joined by rules that the user states
(``link_rules``), and hinted at otherwise. The linked encounter takes lines, place of service or
type of bill, diagnoses and payer from the claim, and the rest from the chart. Where the two
contradict one another in setting or date they stay apart and both are checked on their own; each
such case, each difference that one side decided, and each record without a partner is a Note.

Charts are kept in memory as compact JSON, one to two kilobytes each for an ordinary visit; claims
stream through. Claims whose id finds no chart wait, as compact JSON, for the end. ``ivpush check
--chart`` links so.
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
from ivpush.readers.link_rules import chosen, differences, key_of_id

__all__ = ["Linker", "link"]

_FROM_CLAIM = ("place_of_service", "type_of_bill", "diagnoses", "payer")
_FROM_CHART = (
    "date",
    "timezone",
    "supervision",
    "complexity_documented",
    "administrations",
    "start",
    "end",
    "primary_administration",
)
_MOST_STAY_DAYS = 366


@dataclass(slots=True)
class _Kept:
    """A record that waits: where it stands, and its compact JSON."""

    place: str
    text: bytes
    day: dt.date | None
    used: int = 0
    """How many claims took this chart."""

    def record(self) -> Record:
        return Record(self.place, Encounter.model_validate_json(self.text))


def _kept(record: Record) -> _Kept:
    text = record.encounter.model_dump_json(exclude_none=True).encode()
    return _Kept(record.place, text, record.encounter.service_date)


def link(
    claims: Iterable[Reading], charts: Iterable[Reading], linker: Linker | None = None
) -> Iterator[Reading]:
    """Claims with their charts, then what found no partner; set-asides and notes pass through.

    A ``linker`` of the caller's keeps the counts.
    """
    linker = linker or Linker()
    yield from linker.take(charts)
    for reading in claims:
        if isinstance(reading, Record):
            yield from linker.pair(reading)
        else:
            yield linker.put_by(reading)
    yield from linker.rest()


@dataclass(slots=True)
class Linker:
    """Links one run's claims and charts; the counts say what became of each.

    Every chart is in ``linked`` or ``charts_alone``, every claim in ``pairs``, ``claims_alone`` or
    ``refused`` (it contradicts the contract together with its chart, which is checked alone).

    ::

        linker = Linker()
        for reading in link(claims, charts, linker):
            ...
        print(linker.pairs, linker.claims_alone, linker.charts_alone)

    ``link_by`` names rules by which ids that differ are one; a pair made so is said.
    """

    pairs: int = 0
    linked: int = 0
    claims_alone: int = 0
    charts_alone: int = 0
    refused: int = 0
    link_by: tuple[str, ...] = ()
    _alike: dict[str, list[_Kept]] = field(default_factory=dict)
    """Charts by what the stated rules leave of their ids."""
    _near: dict[str, list[_Kept]] = field(default_factory=dict)
    """Charts by what all rules leave of their ids."""
    _hinted: set[str] = field(default_factory=set)
    """Places of charts whose claim was named beside them."""
    _charts: dict[str, _Kept] = field(default_factory=dict)
    """Charts by the encounter's id."""
    _waiting: list[_Kept] = field(default_factory=list)
    """Claims whose id found no chart."""
    _repeated: list[_Kept] = field(default_factory=list)
    """Charts whose id an earlier one has."""
    _chart_days: Counter[dt.date | None] = field(default_factory=Counter)
    _claim_days: Counter[dt.date | None] = field(default_factory=Counter)
    _unread: bool = False
    """Whether anything was set aside: then no date is known to be only one record's."""

    def __post_init__(self) -> None:
        self.link_by = chosen(self.link_by)

    def put_by(self, reading: SetAside | Note) -> SetAside | Note:
        """Take note of what is no record, and hand it on."""
        self._unread = self._unread or isinstance(reading, SetAside)
        return reading

    def take(self, charts: Iterable[Reading]) -> Iterator[Reading]:
        """Read the charts into the index; what is no record passes through."""
        for chart in charts:
            if not isinstance(chart, Record):
                yield self.put_by(chart)
                continue
            kept = _kept(chart)
            self._chart_days[kept.day] += 1
            # Which of two charts a claim means cannot be told: the first one is linked.
            if chart.encounter.id in self._charts:
                self._repeated.append(kept)
            else:
                self._charts[chart.encounter.id] = kept
                self._near.setdefault(key_of_id(chart.encounter.id), []).append(kept)
                if self.link_by:
                    key = key_of_id(chart.encounter.id, self.link_by)
                    self._alike.setdefault(key, []).append(kept)

    def pair(self, claim: Record) -> Iterator[Reading]:
        """The claim with its chart, if its id finds one; else it waits for ``rest``."""
        self._claim_days[claim.encounter.service_date] += 1
        chart = self._charts.get(claim.encounter.id)
        if chart is not None:
            yield from self._joined(claim, chart)
            return
        alike = self._by_rules(claim.encounter.id)
        if len(alike) != 1:
            self._waiting.append(_kept(claim))
            return
        by = ", ".join(self.link_by)
        yield Note(claim.place, f"linked to {alike[0].place} by the rules stated: {by}")
        yield from self._joined(claim, alike[0])

    def _by_rules(self, id_: str) -> list[_Kept]:
        """The charts whose ids are the claim's by the rules stated."""
        return self._alike.get(key_of_id(id_, self.link_by), []) if self.link_by else []

    def now(self, claim: Record) -> tuple[Record | SetAside, list[Note]]:
        """The claim with the chart that its id finds, or the claim alone; nothing waits."""
        readings = list(self.pair(claim))
        if self._waiting:
            readings += self._alone(self._waiting.pop().record())
        outcome: Record | SetAside = claim
        notes = []
        for reading in readings:
            if isinstance(reading, Note):
                notes.append(reading)
            else:
                outcome = reading
        return outcome, notes

    def rest(self) -> Iterator[Reading]:
        """Claims that waited, by date or alone, then the charts that no claim took."""
        yield from self._waiting_claims()
        for chart in self._charts.values():
            if not chart.used:
                self.charts_alone += 1
                if chart.place not in self._hinted:
                    message = "no claim was found for this chart; it is checked alone"
                    yield Note(chart.place, message)
                yield chart.record()
        for chart in self._repeated:
            self.charts_alone += 1
            yield Note(chart.place, "an earlier chart has the same id; this one is checked alone")
            yield chart.record()

    def _waiting_claims(self) -> Iterator[Reading]:
        """Claims that no id found a chart for: with the only chart of their date, or alone."""
        by_day = {chart.day: chart for chart in self._charts.values() if not chart.used}
        for waiting in self._waiting:
            claim, day = waiting.record(), waiting.day
            chart = by_day.get(day) if day is not None else None
            # All claims of the run count, those too whose id found a chart: a date that two share
            # says nothing.
            only = self._claim_days[day] == 1 and self._chart_days[day] == 1
            if chart is None or chart.used or not only or self._unread:
                yield from self._alone(claim)
                continue
            yield Note(
                waiting.place,
                f"no chart has its id; linked to {chart.place}, the only chart of its date, by "
                "date alone: look whether they belong together",
            )
            yield from self._joined(claim, chart)
        self._waiting.clear()

    def _alone(self, claim: Record) -> Iterator[Record | Note]:
        self.claims_alone += 1
        hint = self._hint(claim.encounter.id)
        yield Note(claim.place, f"no chart was found for this claim; it is checked alone{hint}")
        yield claim

    def _hint(self, id_: str) -> str:
        """That a chart's id is nearly the claim's, and by which rules they would be one."""
        near = [chart for chart in self._near.get(key_of_id(id_), []) if not chart.used]
        if not near:
            return ""
        if len(near) > 1:
            return f"; {len(near)} charts have ids that are nearly its own"
        chart = near[0]
        self._hinted.add(chart.place)
        words, rules = differences(id_, chart.record().encounter.id)
        return f"; the id of {chart.place} differs only by {words}: link by {rules} to join them"

    def _joined(self, claim: Record, kept: _Kept) -> Iterator[Reading]:
        """The claim and its chart as one encounter, or the reason why they stay apart."""
        chart = kept.record().encounter
        contradiction = _contradiction(claim.encounter, chart)
        if contradiction:
            yield Note(
                claim.place,
                f"contradicts its chart ({kept.place}): {contradiction}; they are not linked, and "
                "each is checked alone",
            )
            self.claims_alone += 1
            yield claim
            return
        try:
            linked = Record(claim.place, _merged(claim.encounter, chart))
        except InputError as error:
            self.refused += 1
            both = Fault(f"claim with its chart ({kept.place})", "do not fit together")
            faults = InputError([both, *error.faults])
            yield SetAside(claim.place, faults, encounter=claim.encounter.id)
            return
        yield from self._noted(claim, chart, kept)
        # Several claims may be billed from one chart; each is judged against the whole of it.
        self.pairs += 1
        self.linked += not kept.used
        kept.used += 1
        yield linked

    def _noted(self, claim: Record, chart: Encounter, kept: _Kept) -> Iterator[Note]:
        """What a reader of the result should know of a link."""
        if kept.used:
            yield Note(
                claim.place,
                f"a further claim for one chart ({kept.place}): what the other claim bills counts "
                "as missed here",
            )
        for difference in _differences(claim.encounter, chart):
            yield Note(claim.place, f"differs from its chart ({kept.place}): {difference}")


def _contradiction(claim: Encounter, chart: Encounter) -> str:
    """Why the two cannot be one encounter; empty where they can."""
    if claim.setting != chart.setting:
        return "another setting"
    billed, charted = _days(claim), _days(chart)
    if billed and charted and billed.isdisjoint(charted):
        return "no date in common"
    return ""


def _days(encounter: Encounter) -> set[dt.date]:
    """Every date that an encounter carries, the days between first and last of a stay included."""
    times = [encounter.start, encounter.end]
    for administration in encounter.administrations or ():
        times += (administration.start, administration.stop)
    days = {time.date() for time in times if time is not None}
    dates = [encounter.date, *(line.date for line in encounter.lines or ())]
    days |= {date for date in dates if date is not None}
    if encounter.end is not None:
        # A wrong year must not count up to it: no stay is longer than a year.
        first = min(days)
        stay = min((max(days) - first).days, _MOST_STAY_DAYS)
        days |= {first + dt.timedelta(days=n) for n in range(stay)}
    return days


def _differences(claim: Encounter, chart: Encounter) -> Iterator[str]:
    """What both sides state otherwise, and whose word holds; fields only, never values."""
    yield from _claim_decides(claim, chart)
    yield from _chart_decides(claim, chart)
    days = _days(chart)
    if days and any(line.date not in days for line in claim.lines or () if line.date):
        yield "a line is billed for a date that the chart does not hold"


def _claim_decides(claim: Encounter, chart: Encounter) -> Iterator[str]:
    """Differences in what the claim is asked for: an empty field there states nothing."""
    for name in _FROM_CLAIM:
        billed, charted = getattr(claim, name), getattr(chart, name)
        if billed and charted and billed != charted:
            yield f"{name}; the claim's holds"
    if claim.lines is not None and chart.lines is not None and claim.lines != chart.lines:
        yield "lines; the claim's hold"


def _chart_decides(claim: Encounter, chart: Encounter) -> Iterator[str]:
    """Differences in what the chart is asked for."""
    for name in _FROM_CHART:
        billed, charted = getattr(claim, name), getattr(chart, name)
        if billed is not None and charted is not None and billed != charted:
            yield f"{name}; the chart's holds"


def _merged(claim: Encounter, chart: Encounter) -> Encounter:
    """One encounter of both; raises InputError where together they break the contract."""
    billed, charted = _stated(claim), _stated(chart)
    # The chart's word goes over the claim's, and the claim's again where the claim decides.
    decided = {name: billed[name] for name in (*_FROM_CLAIM, "lines") if name in billed}
    # Where neither names a diagnosis, the claim's own word on that stands.
    merged = {"diagnoses": claim.diagnoses, **billed, **charted, "id": claim.id, **decided}
    return Encounter.model_validate(merged)


def _stated(encounter: Encounter) -> dict[str, Any]:
    """The fields that an encounter states; an empty list of diagnoses names none."""
    stated = encounter.model_dump(exclude_none=True)
    if not encounter.diagnoses:
        stated.pop("diagnoses", None)
    return stated
