"""HL7's RXA, RXR and RXC as administrations of the contract; RXE and RXD are orders and dispenses.

An order is never a dose: its times only fill those of an administration that has none, as
``ordered``. RXA-21 says whether an administration is added, updated or deleted. The code IVP is a
push in table 0165 and the pump in table 0164, so that in RXR-3 its text decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ivpush.readers.builder import Case, ndc_form, text_form
from ivpush.readers.hl7.segments import Message, Segment, stamp
from ivpush.readers.terms import Meaning, combined

__all__ = [
    "Chart",
    "amount",
    "codes_of",
    "day_and_time",
]

_GIVEN = frozenset({"", "CP", "PA"})
_NEVER = frozenset({"RE", "NA"})
_ACTIONS = frozenset({"", "A", "U", "D", "X"})
_CALLED_OFF = frozenset({"CA", "CR", "DC", "DR", "OC", "OD"})
_CODE = re.compile(r"[A-Z0-9]{5}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{0,12})?", re.ASCII)
_MOST_NOTE = 2_000
_LASTING = re.compile(r"\bover\s+(?P<low>[0-9]{1,4})(?:\s*(?:-|to)\s*(?P<high>[0-9]{1,4}))?\s*"
                      r"(?P<unit>min|h)", re.IGNORECASE | re.ASCII)  # fmt: skip
_MILLILITRES = {"ml": Decimal(1), "l": Decimal(1000), "cc": Decimal(1)}
_HOURLY = {"h": 1, "hr": 1, "hour": 1, "min": 60, "m": 60}
_SHARED = ("route", "method", "access", "device", "start", "stop", "site", "performer")


@dataclass(slots=True)
class _Dose:
    """One RXA with what belongs to it."""

    given: Segment
    order: str
    part: str
    code: str
    made: dict[str, Any]
    action: str
    never: bool
    day: date | None
    routes: list[Segment] = field(default_factory=list)
    components: list[Segment] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str]:
        """What an update or a deletion must name again."""
        return self.order, self.part, self.code


@dataclass(slots=True)
class Chart:
    """The administrations of one visit, message after message."""

    case: Case
    doses: list[_Dose] = field(default_factory=list)
    charted: bool = False
    _orders: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)

    def take(self, message: Message, zone: str | None) -> None:
        """What one message charts; ``zone`` is the offset of its MSH-7."""
        order, live, fresh, batch = "", True, True, list[_Dose]()
        kind = message.kind
        components = list[Segment]()
        arrived = list[list[_Dose]]()
        for one in message.segments:
            if one.name == "ORC":
                order, batch, fresh, components = _order_of(one), [], True, []
                live = (one.part(1) or "").upper() not in _CALLED_OFF
            elif one.name in {"TQ1", "RXE"}:
                self._plan(one, order if live else "", zone)
                if one.name == "RXE" and kind != "RAS":
                    self.case.note("an order was read for its times; nothing in it was given")
            elif one.name == "RXD":
                self.case.note("a drug that was dispensed is not a drug given")
            elif one.name == "RXA" and kind == "RAS":
                self.charted = True
                dose = self._dose(one, order, zone)
                if fresh or any(x.routes for x in batch):
                    batch, fresh = [], False
                    arrived.append(batch)
                dose.components = list(components)
                batch.append(dose)
            elif one.name == "RXR" and batch:
                for dose in batch:
                    dose.routes.append(one)
            elif one.name == "RXC":
                (batch[-1].components if batch else components).append(one)
            elif one.name == "NTE" and batch:
                self._note(one, batch[-1])
        for batch in arrived:
            self._apply(batch)

    def _plan(self, one: Segment, order: str, zone: str | None) -> None:
        if not order:
            return
        spots = ((7, 1), (8, 1)) if one.name == "TQ1" else ((1, 4), (1, 5))
        times = [day_and_time(one, f, self.case, zone, component=c) for f, c in spots]
        start, stop = (at for _, at in times)
        if start is not None or stop is not None or order not in self._orders:
            self._orders[order] = (start, stop)

    def _dose(self, one: Segment, order: str, zone: str | None) -> _Dose:
        case = self.case
        day, start = day_and_time(one, 3, case, zone)
        _, stop = day_and_time(one, 4, case, zone)
        if start is not None and start == stop:
            case.note("an administration ends when it starts, so that its stop is unknown")
            stop = None
        made: dict[str, Any] = {"start": start, "stop": stop, **codes_of(one.raw(5), one, case)}
        _amounts(one, made, case)
        made["performer"] = text_form(one.part(10) or "", 200)
        status, action = (one.part(20) or "").upper(), (one.part(21) or "").upper()
        if status not in _GIVEN | _NEVER:
            case.fault("RXA-20", "is no completion status", "write CP, PA, RE or NA")
        if action not in _ACTIONS:
            case.fault("RXA-21", "is no action code", "write A, U, D or X")
        if start is None and day is not None:
            case.note("an administration has a date without a time, so that its start is unknown")
        code = one.part(5) or one.part(5, 2) or ""
        return _Dose(one, order, one.part(2) or "", code, made, action, status in _NEVER, day)

    def _note(self, one: Segment, dose: _Dose) -> None:
        """Say where a note tells of another duration; its words go nowhere."""
        start, stop = dose.made.get("start"), dose.made.get("stop")
        found = next(
            (hit for text in one.repeats(3) if (hit := _LASTING.search(text[:_MOST_NOTE]))), None
        )
        if found is None or start is None or stop is None or _mixed(start, stop):
            return
        factor = 60 if found["unit"].casefold() == "h" else 1
        low, high = int(found["low"]) * factor, int(found["high"] or found["low"]) * factor
        if not low - 1 <= int((stop - start).total_seconds()) // 60 <= high + 1:
            self.case.note("a note speaks of another duration than RXA-3 and RXA-4, which are kept")

    def _apply(self, batch: list[_Dose]) -> None:
        _mixture(batch, self.case)
        for dose in batch:
            _means(dose, self.case)
            if dose.action in {"U", "D"} or dose.never:
                self._replace(dose)
            elif any(x.key == dose.key and x.made == dose.made for x in self.doses):
                self.case.note("an administration was sent twice, and is read once")
            else:
                self.doses.append(dose)

    def _replace(self, dose: _Dose) -> None:
        case = self.case
        found = [x for x in self.doses if x.key == dose.key]
        if len(found) > 1:
            found = [x for x in found if x.made.get("start") == dose.made.get("start")]
        if dose.action in {"U", "D"} and len(found) > 1:
            case.fault("RXA-21", "changes an administration that cannot be told from another",
                       "give each its own order number or RXA-2")  # fmt: skip
            return
        goes = dose.action == "D" or dose.never
        if dose.never:
            case.note("an administration was never given, as RXA-20 says")
        if not found:
            if dose.action == "D":
                case.note("a deletion names an administration that is not in the input")
            elif not goes:
                self.doses.append(dose)
            return
        if dose.action not in {"U", "D"}:
            return
        place = self.doses.index(found[0])
        case.note(f"an administration was {'deleted' if goes else 'updated'} by a later message")
        self.doses[place : place + 1] = [] if goes else [dose]

    def administrations(self) -> tuple[list[dict[str, Any]], date | None]:
        """The administrations that remain, each with its id, and the earliest untimed date."""
        made: list[dict[str, Any]] = []
        taken: set[str] = set()
        days = [x.day for x in self.doses if x.made.get("start") is None and x.day is not None]
        for dose in self.doses:
            one = dose.made
            one["id"] = _unique(dose.order or "administration", taken)
            planned = self._orders.get(dose.order)
            if planned is not None:
                one["ordered"] = True
                if one.get("start") is None and one.get("stop") is None and any(planned):
                    one["start"], one["stop"], one["times_from"] = *planned, "ordered"
            leader = one.pop("_mixed", None)
            if leader is not None and "id" in leader:
                one["mixed_with"] = leader["id"]
            made.append({name: value for name, value in one.items() if value is not None})
            made += _parts(dose, made[-1], taken, self.case)
        return made, min(days, default=None)


def _order_of(one: Segment) -> str:
    """The order's number by the filler, else by the placer."""
    return text_form(one.part(3) or one.part(2) or "", 150) or ""


def _unique(name: str, taken: set[str]) -> str:
    made, number = name, 1
    while made in taken:
        number += 1
        made = f"{name}.{number}"
    taken.add(made)
    return made


def _mixed(one: datetime, other: datetime) -> bool:
    return (one.tzinfo is None) != (other.tzinfo is None)


def _mixture(batch: list[_Dose], case: Case) -> None:
    """Drugs of one order that run from and to the same minute hang in one bag."""
    first = batch[0]
    for dose in batch[1:]:
        same = all(dose.made.get(name) == first.made.get(name) for name in ("start", "stop"))
        if same and first.made.get("start") is not None and dose.code != first.code:
            dose.made["_mixed"] = first.made
            case.note("drugs of one order with the same times are read as one mixture")


def _means(dose: _Dose, case: Case) -> None:
    """Route, method and site by RXR and by RXA-8; two routes that differ leave it unknown."""
    said: list[Meaning] = []
    for one in dose.routes:
        said += _terms(one, 1, case, "v2-0162") + _terms(one, 4, case, "v2-0165")
        said += _device(one, case)
        site = one.part(2, 2) or one.part(2)
        if site is not None:
            dose.made["site"] = text_form(site)
    said += _found(dose.given, 8, case, None)
    meaning, odd = combined(said)
    for name in odd:
        case.note(f"RXR says two things about the {name}, which is left unknown")
    for name in ("route", "method", "purpose", "access", "device"):
        dose.made[name] = getattr(meaning, name)
    if meaning.given == "no":
        dose.never = True


def _found(one: Segment, position: int, case: Case, table: str | None) -> list[Meaning]:
    """What a coded field says: by its system, else the field's own table, and by its words."""
    made: list[Meaning] = []
    for first, words, system in ((1, 2, 3), (4, 5, 6)):
        code, text = one.part(position, first), one.part(position, words)
        known = case.terms.system(one.part(position, system)) or table
        meaning = case.terms.codes.get((known, code.casefold())) if known and code else None
        said = case.terms.text(text) if text is not None else None
        if meaning is None and said is None and code is not None and known != "v2-0164":
            meaning = case.terms.text(code)
        made += [found for found in (meaning, said) if found is not None]
    return made


def _terms(one: Segment, position: int, case: Case, table: str) -> list[Meaning]:
    made = _found(one, position, case, table)
    if not made and one.part(position) is not None:
        case.note(f"RXR-{position} holds a term that rules/terms.yaml does not know")
    return made


def _device(one: Segment, case: Case) -> list[Meaning]:
    """RXR-3 by its words; a bare code of the device table says nothing of the technique."""
    made = _found(one, 3, case, "v2-0164")
    if not made and one.part(3) is not None:
        case.note("RXR-3 names a device, which does not say how the drug was given")
    return made


def _amounts(one: Segment, made: dict[str, Any], case: Case) -> None:
    number = amount(one, 6, case)
    unit = one.part(7) or one.part(7, 2)
    factor = _MILLILITRES.get((unit or "").casefold())
    per = _HOURLY.get((one.part(12) or "").casefold())
    if number is None or number < 0:
        return
    if one.part(12) is not None:
        # An amount in a time is a rate; what ran in all is not said.
        if per is None or factor is None or number * factor * per >= 1_000_000:
            case.note("RXA-12 makes the amount a rate that is not a volume in a time; left out")
        else:
            made["rate_ml_per_hour"] = number * factor * per
        return
    made["dose"], made["dose_unit"] = number, text_form(unit) if unit else None
    if factor is not None:
        made["volume_ml"] = number * factor


def amount(one: Segment, position: int, case: Case) -> Decimal | None:
    """A number of a field, to six places; one that is none is a fault."""
    written = one.part(position)
    if written is None:
        return None
    try:
        if _NUMBER.fullmatch(written):
            return Decimal(written).quantize(Decimal("0.000001")).normalize()
    except InvalidOperation:
        pass
    case.fault(f"{one.name}-{position}", "is no number", "write digits and a point")
    return None


def day_and_time(
    one: Segment, position: int, case: Case, zone: str | None, component: int = 1
) -> tuple[date | None, datetime | None]:
    """The date of a field, and the instant where the minute is known."""
    found = stamp(one.part(position, component), zone)
    if found is not None:
        try:
            at = case.local(found.at) if found.at is not None else None
        except OverflowError:
            found = None
        else:
            return (at.date() if at is not None else found.day), at
    case.fault(f"{one.name}-{position}", "is no time", "write it as YYYYMMDDHHMM[SS][+ZZZZ]")
    return None, None


def codes_of(written: str, one: Segment, case: Case) -> dict[str, Any]:
    """Name and codes of a drug, from a coded field with its alternate."""
    made: dict[str, Any] = {}
    unnamed: str | None = None
    for first in (1, 4):
        code, text, system = (one.of(written, first + n) for n in range(3))
        known = case.terms.system(system)
        if text is not None:
            made.setdefault("drug", text_form(text))
        if code is None:
            continue
        if known in {"hcpcs", "cpt"} and _CODE.fullmatch(code):
            made.setdefault("hcpcs", code)
        elif known == "ndc" and ndc_form(code) is not None:
            made.setdefault("ndc", code)
        elif known == "ndc":
            case.note("an NDC has not the form of one, and is left out")
        elif unnamed is None:
            unnamed = f"{known or 'code'} {code}"
    if not made and unnamed is not None:
        made["drug"] = text_form(unnamed)
    return made


def _parts(
    dose: _Dose, main: dict[str, Any], taken: set[str], case: Case
) -> Iterable[dict[str, Any]]:
    """Further components of the same bag: additives, and the base that carries them."""
    kinds = [(one.part(1) or "", one) for one in dose.components]
    additive = any(kind == "A" for kind, _ in kinds)
    for kind, one in kinds:
        drug = codes_of(one.raw(2), one, case)
        if not drug or any(main.get(name) == value for name, value in drug.items()):
            continue
        made = {name: main[name] for name in _SHARED if name in main}
        made |= {"id": _unique(f"{main['id']}/{one.name}", taken), "mixed_with": main["id"], **drug}
        if kind == "B" and additive:
            made["purpose"] = "drug_carrier"
        elif (number := amount(one, 3, case)) is not None and number >= 0:
            made["dose"], made["dose_unit"] = number, one.part(4) or one.part(4, 2)
        yield {name: value for name, value in made.items() if value is not None}
