"""HL7's RXA, RXR and RXC as administrations of the contract; RXE and RXD are orders and dispenses.

An order is never a dose: its times only fill those of an administration that has none, as
``ordered``. RXA-21 says whether an administration is added, updated or deleted, RXA-20 whether it
was given, or what the nurse did (``course``). The code IVP is a push in table 0165 and the pump in
table 0164, so that in RXR-3 its text decides. The reader has one ``Chart`` for each visit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ivpush.readers.builder import Case, text_form
from ivpush.readers.hl7.course import ENDS, Event, joined, said_of
from ivpush.readers.hl7.fields import DEVICES, amount, codes_of, day_and_time, meanings_of
from ivpush.readers.hl7.segments import Message, Segment
from ivpush.readers.terms import Meaning, combined

__all__ = ["Chart"]

_CHANGES = frozenset({"U", "D"})
# ORC-1 (table 0119): orders that were cancelled, discontinued or refused.
_CALLED_OFF = frozenset({"CA", "CR", "DC", "DR", "OC", "OD"})
_ORDERS = frozenset({"TQ1", "RXE", "RXD"})
_DETAILS = frozenset({"RXR", "RXC", "NTE"})
_ROUTES, _METHODS = "v2-0162", "v2-0165"
_MOST_NOTE = 2_000
_LASTING = re.compile(
    r"\bover\s+(?P<low>[0-9]{1,4})(?:\s*(?:-|to)\s*(?P<high>[0-9]{1,4}))?\s*(?P<unit>min|h)",
    re.IGNORECASE | re.ASCII,
)
_MILLILITRES = {"ml": Decimal(1), "l": Decimal(1000), "cc": Decimal(1)}
_TIMES_AN_HOUR = {"h": 1, "hr": 1, "hour": 1, "min": 60, "m": 60}
# What RXA-6 says where the amount is not known. A rate of that size is a pump's.
_UNKNOWN_AMOUNT = Decimal(999)
# What a rate may be in the contract, in millilitres an hour.
_RATE_BOUND = 1_000_000
_MEANT = ("route", "method", "purpose", "access", "device")
_JOINED = (
    "start",
    "stop",
    "method",
    "purpose",
    "site",
    "rate_ml_per_hour",
    "last_seen_running",
)
"""What joining events may change."""
_SHARED = ("route", "method", "access", "device", "start", "stop", "site", "performer")


class _Planned(NamedTuple):
    """When an order wants its drug to run."""

    start: datetime | None
    stop: datetime | None


_Key = tuple[str, str, str]


@dataclass(slots=True, eq=False)
class _Dose:
    """One RXA with what belongs to it."""

    segment: Segment
    order: str
    part: str
    """RXA-2: which administration of its order this is."""
    code: str
    fields: dict[str, Any]
    """Fields of an Administration; what nobody said is None."""
    action: str
    never: bool
    """Whether it was never given."""
    day: date | None
    components: list[Segment]
    steps: tuple[str, ...] = ()
    """What was done, where the sender names the action of its record."""
    after: _Dose | None = None
    """The run that this one goes on with."""
    routes: list[Segment] = field(default_factory=list)
    leader: _Dose | None = None
    """The first drug of the bag in which this one hangs."""
    id: str | None = None
    """Its id among the administrations that remain."""

    @property
    def key(self) -> _Key:
        """What an update or a deletion must name again."""
        return self.order, self.part, self.code

    def repeats(self, other: _Dose) -> bool:
        """Whether the same administration was sent again."""
        if self.key != other.key or self.fields != other.fields:
            return False
        mine = self.leader.fields if self.leader is not None else None
        return mine == (other.leader.fields if other.leader is not None else None)


@dataclass(slots=True)
class _Order:
    """An ORC while the segments up to the next one are read."""

    number: str = ""
    live: bool = True
    batch: list[_Dose] = field(default_factory=list)
    """The administrations that share the next RXR."""
    components: list[Segment] = field(default_factory=list)
    """RXC before the first RXA; they belong to each of them."""

    @property
    def is_empty(self) -> bool:
        """Whether it is in force, but nothing was given by it."""
        return self.live and not self.batch

    def add(self, segment: Segment) -> None:
        """Give an RXR or RXC to the administrations that it is about."""
        if segment.name == "RXR":
            for dose in self.batch:
                dose.routes.append(segment)
        else:
            (self.batch[-1].components if self.batch else self.components).append(segment)

    def batch_ended(self) -> bool:
        """Whether a further RXA begins a batch of its own: after an RXR it does."""
        # An RXR goes to all of a batch, so that one of them tells.
        return not self.batch or bool(self.batch[-1].routes)


@dataclass(slots=True)
class Chart:
    """The administrations of one visit, message after message.

    ::

        chart = Chart(case)
        for message in messages:
            chart.take(message, zone)
        if chart.charted:
            administrations, first_day = chart.administrations()
    """

    case: Case
    doses: dict[int, _Dose] = field(default_factory=dict)
    """The administrations that stand, by the place at which they came."""
    charted: bool = False
    """Whether any message told of administrations."""
    _planned: dict[str, _Planned] = field(default_factory=dict)
    _places: dict[_Key, list[int]] = field(default_factory=dict)
    """Where the administrations of a key stand: a chart may hold thousands."""
    _came: int = 0

    def take(self, message: Message, zone: str | None) -> None:
        """What one message charts; ``zone`` is the offset of its MSH-7."""
        kind, order, batches = message.kind, _Order(), list[list[_Dose]]()
        orders: list[_Order] = []
        for segment in message.segments:
            if segment.name == "ORC":
                live = (segment.part(1) or "").upper() not in _CALLED_OFF
                order = _Order(_order_number(segment), live)
                orders.append(order)
            elif segment.name in _ORDERS:
                self._take_order(segment, order, kind, zone)
            elif segment.name == "RXA" and kind == "RAS":
                self.charted = True
                dose = self._dose(segment, order, zone)
                if order.batch_ended():
                    order.batch = []
                    batches.append(order.batch)
                order.batch.append(dose)
            elif segment.name in _DETAILS:
                self._take_detail(segment, order)
        if kind == "RAS" and any(order.is_empty for order in orders):
            problem = "is missing from an order of a RAS, so that what was given is not known"
            self.case.fault("RXA", problem, "send the order with its administration")
        # Only now is every RXR known; and an update may not change what its own message adds later.
        for batch in batches:
            self._apply(batch)

    def administrations(self) -> tuple[list[dict[str, Any]], date | None]:
        """The administrations that remain, each with its id, and the earliest untimed date."""
        records: list[dict[str, Any]] = []
        taken: dict[str, int] = {}
        doses = self._standing()
        for dose in doses:
            dose.id = _unique(dose.order or "administration", taken)
        for dose in doses:
            record = {**dose.fields, "id": dose.id, **self._ordered(dose)}
            if dose.after is not None:
                record["continues"] = dose.after.id
            if dose.leader is not None and dose.leader.id is not None:
                record["mixed_with"] = dose.leader.id
            record = _stated(record)
            records += (record, *_parts(dose, record, taken, self.case))
        untimed = (dose.day for dose in doses if dose.fields.get("start") is None)
        return records, min((day for day in untimed if day is not None), default=None)

    def _standing(self) -> list[_Dose]:
        """What was given: events of one infusion joined, as rows of a table are."""
        doses = self.doses
        events = [_event(number, dose) for number, dose in doses.items()]
        runs = joined(events, self.case.zone, self.case)
        for run in runs:
            dose = doses[run.number]
            if run.fields:
                dose.fields |= {name: run.fields.get(name) for name in _JOINED}
            dose.after = None if run.after is None else doses[run.after]
        return [doses[run.number] for run in runs]

    def _ordered(self, dose: _Dose) -> dict[str, Any]:
        """What the order of an administration adds: its times, where the chart has none."""
        planned = self._planned.get(dose.order)
        if planned is None:
            return {}
        timed = dose.fields.get("start") is not None or dose.fields.get("stop") is not None
        if timed or not any(planned):
            return {"ordered": True}
        return {
            "ordered": True,
            "start": planned.start,
            "stop": planned.stop,
            "times_from": "ordered",
        }

    def _take_order(self, segment: Segment, order: _Order, kind: str, zone: str | None) -> None:
        """TQ1, RXE or RXD: what was planned or dispensed, of which nothing was given."""
        if segment.name == "RXD":
            self.case.note("a drug that was dispensed is not a drug given")
            return
        if order.live and order.number:
            self._plan(segment, order.number, zone)
        if segment.name == "RXE" and kind != "RAS":
            self.case.note("an order was read for its times; nothing in it was given")

    def _plan(self, segment: Segment, order: str, zone: str | None) -> None:
        """Keep the times of an order: TQ1-7 and TQ1-8, or the fourth and fifth part of RXE-1."""
        places = ((7, 1), (8, 1)) if segment.name == "TQ1" else ((1, 4), (1, 5))
        (_, start), (_, stop) = (
            day_and_time(segment, position, self.case, zone, component=component)
            for position, component in places
        )
        if start is not None or stop is not None or order not in self._planned:
            self._planned[order] = _Planned(start, stop)

    def _dose(self, segment: Segment, order: _Order, zone: str | None) -> _Dose:
        """The administration of an RXA."""
        case = self.case
        day, start = day_and_time(segment, 3, case, zone)
        _, stop = day_and_time(segment, 4, case, zone)
        # RXA-4 must be filled, so that systems without a stop repeat the start.
        if start is not None and start == stop:
            case.note("an administration ends when it starts, so that its stop is unknown")
            stop = None
        fields = {"start": start, "stop": stop, **codes_of(segment.raw(5), segment, case)}
        fields |= _amounts(segment, case)
        fields["performer"] = text_form(segment.part(10) or "", 200)
        said = said_of(segment, case)
        if start is None and day is not None:
            case.note("an administration has a date without a time, so that its start is unknown")
        return _Dose(
            segment=segment,
            order=order.number,
            part=segment.part(2) or "",
            code=segment.part(5) or segment.part(5, 2) or "",
            fields=fields,
            action=said.change,
            never=said.never,
            day=day,
            components=list(order.components),
            steps=said.steps,
        )

    def _take_detail(self, segment: Segment, order: _Order) -> None:
        """RXR, RXC or NTE."""
        if segment.name != "NTE":
            order.add(segment)
        elif order.batch:
            self._compare_note(segment, order.batch[-1])

    def _compare_note(self, segment: Segment, dose: _Dose) -> None:
        """Say where a note tells of another duration; its words go nowhere."""
        start, stop = dose.fields.get("start"), dose.fields.get("stop")
        texts = (_LASTING.search(text[:_MOST_NOTE]) for text in segment.repeats(3))
        lasting = next((match for match in texts if match is not None), None)
        if lasting is None or start is None or stop is None or _only_one_zoned(start, stop):
            return
        factor = 60 if lasting["unit"].casefold() == "h" else 1
        # A minute to either side: charts round.
        low, high = int(lasting["low"]) * factor, int(lasting["high"] or lasting["low"]) * factor
        if not low - 1 <= int((stop - start).total_seconds()) // 60 <= high + 1:
            self.case.note("a note speaks of another duration than RXA-3 and RXA-4, which are kept")

    def _apply(self, batch: list[_Dose]) -> None:
        """Add, update or delete the administrations that share their RXR."""
        _mix(batch, self.case)
        for dose in batch:
            _give_meaning(dose, self.case)
            if dose.action in _CHANGES or dose.never:
                self._change(dose)
            elif any(dose.repeats(self.doses[at]) for at in self._places.get(dose.key, ())):
                self.case.note("an administration was sent twice, and is read once")
            else:
                self._append(dose)

    def _append(self, dose: _Dose) -> None:
        self.doses[self._came] = dose
        self._places.setdefault(dose.key, []).append(self._came)
        self._came += 1

    def _change(self, dose: _Dose) -> None:
        """Put a dose in the place of the earlier one that it names, or take that one out."""
        changes = dose.action in _CHANGES
        earlier = list(self._places.get(dose.key, ()))
        # One order often has several doses without numbers of their own; then the start decides.
        if len(earlier) > 1:
            start = dose.fields.get("start")
            earlier = [at for at in earlier if self.doses[at].fields.get("start") == start]
        if changes and len(earlier) > 1:
            problem = "changes an administration that cannot be told from another"
            self.case.fault("RXA-21", problem, "give each its own order number or RXA-2")
            return
        if dose.never:
            self.case.note("an administration was never given, as RXA-20 says")
        if not earlier:
            self._change_nothing(dose)
        elif changes:
            self._replace(earlier[0], dose)

    def _change_nothing(self, dose: _Dose) -> None:
        """A change of what is not in the input: an update still tells of a dose."""
        if dose.action == "D":
            self.case.note("a deletion names an administration that is not in the input")
        elif not dose.never:
            self._append(dose)

    def _replace(self, at: int, dose: _Dose) -> None:
        """Update or delete the dose that stands at a place."""
        deleted = dose.action == "D" or dose.never
        done = "deleted" if deleted else "updated"
        self.case.note(f"an administration was {done} by a later message")
        if deleted:
            del self.doses[at]
            self._places[dose.key].remove(at)
        else:
            self.doses[at] = dose


def _event(number: int, dose: _Dose) -> Event:
    """The dose as an event of its order: one that ends a run has the later of its two times."""
    start, stop = dose.fields.get("start"), dose.fields.get("stop")
    ends = not ENDS.isdisjoint(dose.steps)
    return Event(
        number=number,
        order=dose.order,
        drug=dose.code,
        steps=dose.steps,
        at=stop if ends and stop is not None else start,
        fields={name: dose.fields.get(name) for name in _JOINED},
    )


def _order_number(segment: Segment) -> str:
    """The order's number by the filler, else by the placer."""
    return text_form(segment.part(3) or segment.part(2) or "", 150) or ""


def _unique(name: str, taken: dict[str, int]) -> str:
    """The name, or the name with the first free number behind it; it is taken from now on.

    ``taken`` says up to which number the names with one are taken.
    """
    unique, number = name, taken.get(name, 1)
    while unique in taken:
        number += 1
        unique = f"{name}.{number}"
    taken[name] = number
    taken.setdefault(unique, 1)
    return unique


def _stated(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def _only_one_zoned(start: datetime, stop: datetime) -> bool:
    """Whether two times cannot be compared, for only one of them has an offset."""
    return (start.tzinfo is None) != (stop.tzinfo is None)


def _mix(batch: list[_Dose], case: Case) -> None:
    """Drugs of one order that run from and to the same minute hang in one bag."""
    first = batch[0]
    for dose in batch[1:]:
        same = all(dose.fields.get(name) == first.fields.get(name) for name in ("start", "stop"))
        if same and first.fields.get("start") is not None and dose.code != first.code:
            dose.leader = first
            case.note("drugs of one order with the same times are read as one mixture")


def _give_meaning(dose: _Dose, case: Case) -> None:
    """Route, method and site by RXR and by RXA-8; two routes that differ leave it unknown."""
    said: list[Meaning] = []
    sites: set[str] = set()
    for route in dose.routes:
        said += _terms(route, 1, case, _ROUTES) + _terms(route, 4, case, _METHODS)
        said += _device(route, case)
        site = route.part(2, 2) or route.part(2)
        if site is not None:
            sites.add(site)
    if len(sites) == 1:
        dose.fields["site"] = text_form(sites.pop())
    elif sites:
        case.note("RXR says two things about the site, which is left unknown")
    said += meanings_of(dose.segment, 8, case, None)
    meaning, contradicted = combined(said)
    for name in contradicted:
        case.note(f"RXR says two things about the {name}, which is left unknown")
    dose.fields |= {name: getattr(meaning, name) for name in _MEANT}
    dose.never = dose.never or meaning.given == "no"


def _terms(segment: Segment, position: int, case: Case, table: str) -> list[Meaning]:
    """What a field of RXR says; a note where it says something that is not known."""
    meanings = meanings_of(segment, position, case, table)
    if not meanings and segment.part(position) is not None:
        case.note(f"RXR-{position} holds a term that rules/terms.yaml does not know")
    return meanings


def _device(segment: Segment, case: Case) -> list[Meaning]:
    """RXR-3 by its words; a bare code of the device table says nothing of the technique."""
    meanings = meanings_of(segment, 3, case, DEVICES)
    if not meanings and segment.part(3) is not None:
        case.note("RXR-3 names a device, which does not say how the drug was given")
    return meanings


def _amounts(segment: Segment, case: Case) -> dict[str, Any]:
    """Dose, volume or rate of an RXA: RXA-6 in the unit of RXA-7, in the time of RXA-12."""
    number = amount(segment, 6, case)
    if number == _UNKNOWN_AMOUNT and segment.part(12) is None:
        case.note("an amount of 999 stands for one that is not known (RXA-6), and is left out")
        return {}
    unit, time = segment.part(7) or segment.part(7, 2), segment.part(12)
    millilitres = _MILLILITRES.get((unit or "").casefold())
    if number is None or number < 0:
        return {}
    volume = number * millilitres if millilitres is not None else None
    if time is None:
        dose_unit = text_form(unit) if unit else None
        volumes = {"volume_ml": volume} if volume is not None else {}
        return {"dose": number, "dose_unit": dose_unit, **volumes}
    # An amount in a time is a rate; what ran in all is not said.
    times = _TIMES_AN_HOUR.get(time.casefold())
    if times is None or volume is None or volume * times >= _RATE_BOUND:
        case.note("RXA-12 makes the amount a rate that is not a volume in a time; left out")
        return {}
    return {"rate_ml_per_hour": volume * times}


def _parts(
    dose: _Dose, main: dict[str, Any], taken: dict[str, int], case: Case
) -> Iterator[dict[str, Any]]:
    """Further components of the same bag: additives, and the base that carries them."""
    additive = any(component.part(1) == "A" for component in dose.components)
    for component in dose.components:
        drug = codes_of(component.raw(2), component, case)
        # The drug itself may be among its components.
        if not drug or any(main.get(name) == value for name, value in drug.items()):
            continue
        record = {name: main[name] for name in _SHARED if name in main}
        record["id"] = _unique(f"{main['id']}/{component.name}", taken)
        record["mixed_with"] = main["id"]
        record |= drug
        if component.part(1) == "B" and additive:
            record["purpose"] = "drug_carrier"
        elif (number := amount(component, 3, case)) is not None and number >= 0:
            record["dose"], record["dose_unit"] = number, component.part(4) or component.part(4, 2)
        yield _stated(record)
