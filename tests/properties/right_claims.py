"""Right claims by construction: roles and minutes first, their codes next, the chart last.

``test_right_claims`` and ``benchmarks.right_claims`` ask for them. A visit is drawn as services; the
table in ``right_tables`` says what they bill; then a chart is written that earns it, and
``right_lines`` sets the other lines of the day beside it. Nothing here asks the engine, so that its
answer can be held against what is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from tests.properties.right_tables import (
    BIOLOGIC,
    BY_RANK,
    CHEMO_DRIP,
    CHEMO_DRIPPED,
    CHEMO_PUSH,
    CHEMO_PUSHED,
    CONCURRENT,
    DRIP,
    DRIPPED,
    FLUID,
    FLUID_FLOOR,
    FLUIDS,
    FURTHER,
    HORMONE_SHOT,
    HORMONES,
    INITIAL,
    INJECTED,
    LATER,
    MOST_PUSH_MINUTES,
    OBSERVATION,
    PORT_FLUSH,
    PRIMARIES,
    PUMP_START,
    PUMPED,
    PUSH,
    PUSHED,
    REPEAT,
    REPEAT_GAP,
    SHOT,
    Drug,
    Kind,
    further_hours,
)

DAY_MINUTES = 24 * 60
FORMULARY = {
    CHEMO_DRIP: CHEMO_DRIPPED,
    CHEMO_PUSH: CHEMO_PUSHED,
    DRIP: DRIPPED,
    PUSH: PUSHED,
    FLUID: FLUIDS,
}
PLANS = (
    (PUSH, PUSH),
    (PUSH, PUSH, PUSH, FLUID),
    (DRIP, PUSH, FLUID),
    (DRIP, DRIP, PUSH, PUSH),
    (FLUID,),
    (FLUID, PUSH),
    (DRIP,),
    (PUSH,),
    (PUSH, CHEMO_DRIP, CHEMO_DRIP),
    (PUSH, PUSH, FLUID, CHEMO_DRIP, CHEMO_PUSH),
    (PUSH, CHEMO_PUSH, CHEMO_PUSH, DRIP),
    (DRIP, CHEMO_DRIP),
)
"""What is given by vein at one access, in order of time."""

DRIP_MINUTES = (16, 17, 30, 31, 60, 89, 90, 91, 150, 151)
FLUID_MINUTES = (10, 30, 31, 60, 90, 91, 150, 151)
NEEDS = ("the protocol needs two lines", "the drugs are incompatible")
LEFT = {"site": "left arm"}


class Service(NamedTuple):
    """One drug by vein as it was given; it starts so many minutes after its day began."""

    kind: Kind
    drug: Drug
    dose: str
    start: int
    minutes: int

    @property
    def earns(self) -> bool:
        """Whether it ran long enough to be billed at all."""
        return self.kind != FLUID or self.minutes >= FLUID_FLOOR


class Line(NamedTuple):
    """A code with units on a date, and the modifier that its chain gives it."""

    code: str
    units: int
    day: date
    modifier: str = ""


@dataclass
class Visit:
    """One visit in the making: its chart, and what it bills."""

    setting: str
    day: date
    key: str
    """Begins the ids of its doses."""
    doses: list[dict[str, Any]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    amounts: dict[tuple[Drug, date], Decimal] = field(default_factory=dict)
    """What was given of each drug on each date."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Facts of the whole record that the visit needs."""
    lead: str | None = None
    """Id of the dose that leads."""
    certain: bool = True
    """Whether the codes follow from the chart, but for who leads."""
    leads_by_rank: bool = True
    """Whether only this one could lead."""
    end: int = 0

    def give(self, drug: Drug, dose: str, start: int, minutes: int | None, **facts: Any) -> str:
        """Chart a dose; its id."""
        name = f"{self.key}{len(self.doses)}"
        amount: dict[str, Any] = {"dose": float(dose), "dose_unit": drug.measure}
        times = {"start": self.clock(start)}
        if minutes is not None:
            times["stop"] = self.clock(start + minutes)
        if drug in FLUIDS:
            amount = {"volume_ml": float(dose)}
        known = {"id": name, "drug": drug.name, "hcpcs": drug.code, "ordered": True}
        self.doses.append({**known, **amount, **times, "administered_by": "RN", **facts})
        key = (drug, self.day + timedelta(days=start // DAY_MINUTES))
        self.amounts[key] = self.amounts.get(key, Decimal(0)) + Decimal(dose)
        self.end = max(self.end, start + (minutes or 0))
        return name

    def bill(self, codes: Counter[str], modifier: str = "") -> None:
        """Add the lines of some codes on its day."""
        self.lines += [Line(code, units, self.day, modifier) for code, units in codes.items()]

    def clock(self, minutes: int) -> str:
        """A time so many minutes after the day began."""
        midnight = datetime.combine(self.day, datetime.min.time())
        return (midnight + timedelta(minutes=minutes)).isoformat()


# What is given by vein, and what it bills


def plan_of(rng: Random, start: int) -> list[Service]:
    """Services one after another, each of a drug of its own."""
    stock = {kind: rng.sample(drugs, len(drugs)) for kind, drugs in FORMULARY.items()}
    services, at = [], start
    for kind in rng.choice(PLANS):
        drug, minutes = stock[kind].pop(), _minutes(rng, kind)
        services.append(Service(kind, drug, rng.choice(drug.doses), at, minutes))
        at += minutes + rng.choice((0, 1, 5, 20))
    return services


def _minutes(rng: Random, kind: Kind) -> int:
    if kind.technique == "push":
        return rng.choice((0, 1, 2, 5, MOST_PUSH_MINUTES))
    if kind == FLUID:
        return rng.choice((*FLUID_MINUTES, rng.randint(31, 200)))
    return rng.choice((*DRIP_MINUTES, rng.randint(16, 200)))


def billed(services: Sequence[Service], lead: Service) -> Counter[str]:
    """What the services of one access bill, when this one leads."""
    codes: Counter[str] = Counter()
    for service in services:
        if not service.earns:
            continue
        codes[(INITIAL if service is lead else LATER)[service.kind]] += 1
        if service.kind in FURTHER:
            codes[FURTHER[service.kind]] += further_hours(service.minutes)
    return +codes


def leads(services: Sequence[Service], setting: str) -> list[Service]:
    """Who may lead: the highest in a hospital; in an office whom every add-on can hang on."""
    earning = [service for service in services if service.earns]
    if setting == "facility":
        return sorted(earning, key=_rank)[:1]
    return [service for service in earning if _carries_all(billed(earning, service))]


def _rank(service: Service) -> int:
    return BY_RANK.index(service.kind)


def _carries_all(codes: Counter[str]) -> bool:
    return all(code not in PRIMARIES or PRIMARIES[code] & set(codes) for code in codes)


def by_vein(rng: Random, visit: Visit) -> None:
    """A visit of one access or two, with injections, repeats and a pump at times."""
    services = plan_of(rng, rng.randrange(7 * 60, 10 * 60))
    able = leads(services, visit.setting)
    if not able:
        return
    lead = rng.choice(able)
    # In an office whoever bills may say what the patient came for; the hierarchy is a guess.
    visit.leads_by_rank = len(able) == 1
    codes = billed(services, lead)
    for service in services:
        name = _chart(visit, service, LEFT)
        visit.lead = name if service is lead else visit.lead
    _concurrent(rng, visit, services, lead, codes)
    _repeat(rng, visit, services, codes)
    visit.bill(codes)
    extra, one_in = rng.choice(((_second_site, 3), (_return, 3), (_shots, 2), (_pump, 2)))
    if rng.randrange(one_in) == 0:
        extra(rng, visit, lead)


def _chart(visit: Visit, service: Service, where: dict[str, Any]) -> str:
    facts = {"route": "IV", "method": service.kind.technique, **where}
    return visit.give(service.drug, service.dose, service.start, service.minutes, **facts)


def _concurrent(
    rng: Random, visit: Visit, services: list[Service], lead: Service, codes: Counter[str]
) -> None:
    """A second bag that runs within the leading one, and is shorter: once an encounter."""
    long = lead.kind in {DRIP, CHEMO_DRIP} and lead.minutes > 31
    if not long or rng.randrange(4):
        return
    given = {service.drug for service in services}
    drug = rng.choice([each for each in DRIPPED if each not in given])
    minutes = rng.randint(16, lead.minutes - 1)
    start = lead.start + rng.randint(0, lead.minutes - minutes)
    _chart(visit, Service(DRIP, drug, drug.doses[0], start, minutes), LEFT)
    codes[CONCURRENT] += 1


def _repeat(rng: Random, visit: Visit, services: list[Service], codes: Counter[str]) -> None:
    """A pushed drug again: a hospital reports it from 31 minutes after the last one reported."""
    pushes = [service for service in services if service.kind == PUSH]
    if not pushes or rng.randrange(2):
        return
    first = rng.choice(pushes)
    at = reported = first.start
    for _ in range(rng.randint(1, 3)):
        at += rng.choice((20, 30, 31, 45, 90))
        _chart(visit, first._replace(start=at, minutes=2), LEFT)
        if visit.setting == "facility" and at - reported >= REPEAT_GAP:
            codes[REPEAT] += 1
            reported = at


def _second_site(rng: Random, visit: Visit, lead: Service) -> None:
    """Drugs through another access, of which the record says the need."""
    where = {"site": "right arm", "separate_site_reason": rng.choice(NEEDS)}
    _further_chain(rng, visit, lead, where, start=lead.start, modifier="XS")


def _return(rng: Random, visit: Visit, lead: Service) -> None:
    """The patient left and came back the same day."""
    for dose in visit.doses:
        dose["visit"] = 1
    _further_chain(rng, visit, lead, {**LEFT, "visit": 2}, start=visit.end + 120, modifier="XE")


def _further_chain(
    rng: Random, visit: Visit, lead: Service, where: dict[str, Any], *, start: int, modifier: str
) -> None:
    """Another chain, of other drugs and no fluid, that does not outrank the first."""
    given = {drug for drug, _ in visit.amounts}
    services = [each for each in plan_of(rng, start) if each.drug not in given]
    services = [each for each in services if each.kind != FLUID]
    able = leads(services, visit.setting)
    if not able or _rank(own := min(able, key=_rank)) < _rank(lead):
        return
    for service in services:
        _chart(visit, service, where)
    visit.certain = visit.certain and len(able) == 1
    visit.bill(billed(services, own), modifier)


def _shots(rng: Random, visit: Visit, lead: Service) -> None:
    for drug in rng.sample(INJECTED, rng.randint(1, 2)):
        _inject(visit, drug, SHOT, at=lead.start + 10)
    if rng.randrange(3) == 0:
        _inject(visit, rng.choice(HORMONES), HORMONE_SHOT, at=lead.start + 12)


def _inject(visit: Visit, drug: Drug, code: str, at: int) -> None:
    visit.give(drug, drug.doses[0], at, None, route="IM", method="injection")
    visit.bill(Counter({code: 1}))


def _pump(rng: Random, visit: Visit, lead: Service) -> None:
    """Chemotherapy that goes home with the patient."""
    if lead.kind != CHEMO_DRIP:
        return
    hours = rng.choice((9, 24, 46))
    facts = {"route": "IV", "method": "infusion", "device": "ambulatory_pump", **LEFT}
    in_the_chair = visit.end
    visit.give(PUMPED, rng.choice(PUMPED.doses), visit.end + 10, hours * 60, **facts)
    visit.end = in_the_chair
    visit.bill(Counter({PUMP_START: 1}))


# Visits of other kinds


def injections(rng: Random, visit: Visit) -> None:
    """Injections alone."""
    for drug in rng.sample(INJECTED, rng.randint(1, 3)):
        _inject(visit, drug, SHOT, at=rng.randrange(8 * 60, 16 * 60))


def port_flush(rng: Random, visit: Visit) -> None:
    """A port flushed, and nothing else."""
    facts = {"purpose": "flush", "route": "IV", "method": "push", "access": "port"}
    times = {"start": visit.clock(rng.randrange(8 * 60, 16 * 60))}
    visit.doses = [{"id": f"{visit.key}0", "drug": "heparin lock flush", **times, **facts}]
    visit.bill(Counter({PORT_FLUSH: 1}))


def biologic(rng: Random, visit: Visit) -> None:
    """A complex biologic: documented as complex or as simple, or billed on the practice's word."""
    minutes, start = rng.choice(DRIP_MINUTES), rng.randrange(8 * 60, 12 * 60)
    documented = rng.choice((True, False, None))
    family = CHEMO_DRIP if documented or (documented is None and rng.randrange(2)) else DRIP
    service = Service(family, BIOLOGIC, rng.choice(BIOLOGIC.doses), start, minutes)
    visit.lead = _chart(visit, service, LEFT)
    visit.facts["complexity_documented"] = documented
    visit.certain = documented is not None
    visit.bill(billed([service], service))


def observation(rng: Random, visit: Visit) -> None:
    """A hospital stay past midnight: one first push, new drugs, and the same ones again."""
    drugs = rng.sample(PUSHED, rng.randint(1, 4))
    at = begun = rng.randrange(14 * 60, 22 * 60)
    reported: dict[Drug, int] = {}
    for number in range(rng.randint(3, 10)):
        drug = rng.choice(drugs)
        visit.give(drug, rng.choice(drug.doses), at, 2, route="IV", method="push", **LEFT)
        code = LATER[PUSH] if number else INITIAL[PUSH]
        if drug in reported:
            code = REPEAT if at - reported[drug] >= REPEAT_GAP else ""
        if code:
            visit.lines.append(Line(code, 1, visit.day + timedelta(days=at // DAY_MINUTES)))
            reported[drug] = at
        at += rng.choice((10, 30, 31, 120, 240, 360))
    visit.lines = [Line(line.code, units, line.day) for line, units in Counter(visit.lines).items()]
    visit.lines.append(Line(OBSERVATION, 1 + (at - begun) // 60, visit.day))
