"""Random visits for the oracle, made to meet the limits; and the same visits in ivpush's words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from tests.oracle.chart import DAY, GOING_HOME, Dose, Kind, Policies, Visit, days_of
from tests.oracle.reach import beyond

FIRST_DAY = datetime(2026, 3, 2)
MINUTES = (0, 1, 5, 14, 15, 16, 17, 29, 30, 31, 32, 45, 60, 61, 89, 90, 91, 92, 120, 150, 151, 211)
GAPS = (-151, -91, -61, -31, -30, -16, -15, -1, 0, 0, 1, 5, 15, 29, 30, 31, 32, 60, 240)
SHORT_GAPS = (10, 15, 20, 29, 30, 31, 32)
"""Between pushes of one drug, given again and again."""
BEGINNINGS = (8 * 60, 8 * 60, 10 * 60 + 7, 22 * 60 + 30, 23 * 60 + 45)
SITES = ("left arm", "right arm", "port")
MOST_DOSES = 6
OTHERWISE = (
    Policies(same_drug_push_gap_minutes=30),
    Policies(same_drug_gap_measured_from="previous_push"),
    Policies(same_drug_gap_measured_from="first_push"),
    Policies(concurrent_min_overlap_minutes=0),
    Policies(second_site_requires_reason=False),
    Policies(second_initial_modifier="59"),
    Policies(complex_biologic_mode="always_complex"),
    Policies(complex_biologic_mode="always_simple"),
    Policies(hydration_floor_minutes=16),
    Policies(hydration_overlap="ignore"),
    Policies(additional_hour_minutes=60),
    Policies(exact_15_minutes="infusion"),
    Policies(encounter_boundary="encounter_id"),
    Policies(encounter_gap_hours=24),
)
"""Each open choice, taken otherwise than by default."""


class Drug(NamedTuple):
    """A drug whose class nobody contests, and whether it is ever pushed."""

    name: str
    kind: Kind
    pushable: bool = True
    hormonal: bool = False


ONDANSETRON = Drug("ondansetron", Kind.THERAPEUTIC)
KETOROLAC = Drug("ketorolac", Kind.THERAPEUTIC)
MORPHINE = Drug("morphine", Kind.THERAPEUTIC)
CEFTRIAXONE = Drug("ceftriaxone", Kind.THERAPEUTIC)
VANCOMYCIN = Drug("vancomycin", Kind.THERAPEUTIC, pushable=False)
AZITHROMYCIN = Drug("azithromycin", Kind.THERAPEUTIC, pushable=False)
SALINE = Drug("normal saline", Kind.FLUID)
RINGERS = Drug("lactated ringers", Kind.FLUID)
PACLITAXEL = Drug("paclitaxel", Kind.CHEMO, pushable=False)
CARBOPLATIN = Drug("carboplatin", Kind.CHEMO, pushable=False)
DOXORUBICIN = Drug("doxorubicin", Kind.CHEMO)
BORTEZOMIB = Drug("bortezomib", Kind.CHEMO)
INFLIXIMAB = Drug("infliximab", Kind.BIOLOGIC, pushable=False)
FULVESTRANT = Drug("fulvestrant", Kind.CHEMO, hormonal=True)
METHOTREXATE = Drug("methotrexate", Kind.CHEMO)
FLUOROURACIL = Drug("fluorouracil", Kind.CHEMO)
FLUSH = Drug("heparin lock flush", Kind.THERAPEUTIC)
MIDAZOLAM = Drug("midazolam", Kind.THERAPEUTIC)
PEGFILGRASTIM = Drug("pegfilgrastim", Kind.THERAPEUTIC, pushable=False)

PUSHED = (ONDANSETRON, KETOROLAC, MORPHINE, CEFTRIAXONE)
DRIPPED = (CEFTRIAXONE, VANCOMYCIN, AZITHROMYCIN, ONDANSETRON)
CHEMO_DRIPPED = (PACLITAXEL, CARBOPLATIN)
CHEMO_PUSHED = (DOXORUBICIN, BORTEZOMIB)
SHOTS = (KETOROLAC, MORPHINE, METHOTREXATE, FULVESTRANT)
KINDS_OF_DOSE = ("push", "drip", "fluid", "shot", "chemo drip", "chemo push", "biologic", "other")
EMERGENCY, ONCOLOGY, SUITE, REPEATED = (
    (38, 26, 22, 10, 0, 0, 0, 4),
    (22, 16, 14, 6, 22, 16, 0, 4),
    (26, 26, 12, 8, 0, 0, 24, 4),
    (80, 8, 8, 4, 0, 0, 0, 0),
)


def visits(seed: int, number: int) -> Iterator[Visit]:
    """Visits that the published rules decide, the same ones for the same seed."""
    return islice((visit for visit in drawn(seed) if not beyond(visit)), number)


def drawn(seed: int) -> Iterator[Visit]:
    """Visits without end, those beyond the oracle with the others."""
    rng = random.Random(seed)
    while True:
        visit = _visit(rng)
        yield _with_less(rng, visit) if rng.random() < 0.2 else visit


def _visit(rng: random.Random) -> Visit:
    weights = rng.choice((EMERGENCY, EMERGENCY, ONCOLOGY, SUITE, REPEATED))
    clock = rng.choice(BEGINNINGS)
    pushed, gaps = ((rng.choice(PUSHED),), SHORT_GAPS) if weights is REPEATED else (PUSHED, GAPS)
    doses: list[Dose] = []
    for number in range(rng.choice((1, 2, 2, 3, 3, 3, 4, 4, 5, MOST_DOSES))):
        kind, name = rng.choices(KINDS_OF_DOSE, weights)[0], f"a{number + 1}"
        dose = _dose(rng, kind, name, clock, pushed=pushed)
        doses.append(dose)
        ended = dose.start if dose.start is None or dose.stop is None else dose.stop
        clock = max(BEGINNINGS[0], (ended or clock) + rng.choice(gaps))
    facility = rng.random() < 0.5
    visit = Visit(
        facility,
        tuple(_placed(rng, doses)),
        complex_work=rng.random() < 0.5,
        policies=rng.choice(OTHERWISE) if rng.random() < 0.3 else Policies(),
    )
    for change in (_mixed, _placed_anew, _with_pump, _flushed, _over_days):
        visit = change(rng, visit) if rng.random() < 0.06 else visit
    if not facility and _by_night(visit) and rng.random() < 0.9:
        visit = replace(visit, policies=Policies(encounter_boundary="encounter_id"))
    if facility or rng.random() < 0.5:
        return visit
    return replace(visit, primary=rng.choice(visit.doses).id)


def _by_night(visit: Visit) -> bool:
    return any(len(days_of(dose)) > 1 for dose in visit.doses)


def _after(doses: list[Dose], before: list[Dose], pause: int) -> list[Dose]:
    """Doses moved so that they begin once those before them have ended."""
    ended = max((d.stop or d.start or 0 for d in before), default=0)
    begins = min((d.start for d in doses if d.start is not None), default=ended)
    return [_later(d, max(0, ended - begins) + pause) for d in doses]


def _mixed(rng: random.Random, visit: Visit) -> Visit:
    """A drug or a fluid in the bag or syringe of another."""
    given = [d.drug for d in visit.doses]
    by_vein = [d for d in visit.doses if d.route == "IV" and not d.idle]
    alone = [d for d in by_vein if given.count(d.drug) == 1]
    if not alone:
        return visit
    first = rng.choice(alone)
    drugs = [d for d in (KETOROLAC, MORPHINE, SALINE, CARBOPLATIN, RINGERS) if d.name not in given]
    drug = rng.choice(drugs or [AZITHROMYCIN])
    part = replace(first, id="m1", drug=drug.name, kind=drug.kind, mixed_with=first.id)
    return replace(visit, doses=(*visit.doses, part))


def _placed_anew(rng: random.Random, visit: Visit) -> Visit:
    """The line of all doses from one on is a new one in place of the first."""
    place = rng.randrange(len(visit.doses))
    before = [
        replace(d, site=d.site and SITES[0], needs_own_site=False) for d in visit.doses[:place]
    ]
    after = [
        replace(d, site=d.site and SITES[1], needs_own_site=False) for d in visit.doses[place:]
    ]
    anew = [replace(d, resited_from=SITES[0]) if d.site else d for d in after]
    return replace(visit, doses=(*before, *_after(anew, before, rng.choice((0, 5, 15)))))


def _with_pump(rng: random.Random, visit: Visit) -> Visit:
    """Some drug by a pump that goes home, or the refill of one, after the other doses or alone."""
    hard = any(d.kind is Kind.CHEMO and d.route == "IV" for d in visit.doses)
    doses = visit.doses if hard and rng.random() < 0.8 else ()
    clock = max((d.stop or d.start or 0 for d in visit.doses), default=0) + rng.choice((0, 5, 30))
    drug = FLUOROURACIL if doses else rng.choice((FLUOROURACIL, VANCOMYCIN))
    pump = replace(_given(drug, "p1", clock), device=rng.choice(sorted(GOING_HOME)))
    if rng.random() < 0.2:
        return replace(visit, doses=(replace(pump, purpose="pump_refill"),))
    placed = next((d for d in doses if d.route == "IV" and d.site), pump)
    minutes = rng.choice((90, 479, 480, 481, 600, 22 * 60, 46 * 60))
    route = "IA" if not doses and rng.random() < 0.2 else "IV"
    pump = replace(pump, site=placed.site, needs_own_site=placed.needs_own_site)
    pump = replace(pump, stop=clock + minutes, route=route)
    return replace(visit, doses=(*doses, pump))


def _flushed(rng: random.Random, visit: Visit) -> Visit:
    """A port flushed after the other doses, or after those that are not by vein."""
    by_vein = rng.random() < 0.5
    doses = [d for d in visit.doses if by_vein or d.route != "IV"]
    clock = max((d.stop or d.start or 0 for d in doses), default=BEGINNINGS[0])
    return replace(visit, doses=(*doses, _flush(rng, "f1", clock)))


def _over_days(rng: random.Random, visit: Visit) -> Visit:
    """The doses from one on are given hours later, in one stay or in another."""
    place = rng.randrange(len(visit.doses))
    hours = rng.choice((6, 9, 12, 15, 22, 24, 30, 48))
    late = [_later(d, hours * 60) for d in visit.doses[place:]]
    doses = tuple(replace(d, visit=1) for d in (*visit.doses[:place], *late))
    return replace(visit, doses=doses, stayed=visit.facility and rng.random() < 0.3)


def _later(dose: Dose, minutes: int) -> Dose:
    moved = {
        name: value + minutes
        for name in ("start", "stop", "last_seen")
        if (value := getattr(dose, name)) is not None
    }
    return replace(dose, **moved)


def _with_less(rng: random.Random, visit: Visit) -> Visit:
    """The visit with facts left out of the record: stops, classes, attendance, complexity."""
    doses = tuple(_dose_with_less(rng, dose) for dose in visit.doses)
    return replace(visit, doses=doses, complex_work=rng.choice((None, visit.complex_work)))


def _dose_with_less(rng: random.Random, dose: Dose) -> Dose:
    draw = rng.randrange(10)
    if draw == 0 and dose.kind is Kind.THERAPEUTIC:
        return replace(dose, drug=f"compound {dose.id}", kind=None, pushable=False)
    if draw == 1 and dose.method == "infusion" and dose.route == "IV":
        return replace(dose, stop=None, volume_ml=None, rate_ml_per_hour=None)
    return replace(dose, attended=rng.choice((None, dose.attended)))


def _placed(rng: random.Random, doses: list[Dose]) -> list[Dose]:
    """The doses by vein at one access or more, the further ones with a documented need or without.

    Now and then the patient leaves and comes back.
    """
    sites = SITES[: rng.choice((1, 1, 1, 1, 1, 2, 2, 3))]
    needed = {site for site in sites[1:] if rng.random() < 0.7}
    charted = rng.random() < 0.8
    back = rng.randrange(1, 7) if rng.random() < 0.1 else len(doses)
    doses = [*doses[:back], *_after(doses[back:], doses[:back], 30)]
    placed = []
    for place, dose in enumerate(doses):
        dose = replace(dose, visit=1 if place < back else 2)
        if dose.route == "IV" and charted:
            site = rng.choice(sites)
            dose = replace(dose, site=site, needs_own_site=site in needed)
        placed.append(dose)
    return placed


def _dose(
    rng: random.Random, kind: str, name: str, clock: int, *, pushed: tuple[Drug, ...]
) -> Dose:
    minutes = rng.choice(MINUTES)
    match kind:
        case "push":
            return _push(rng, rng.choice(pushed), name, clock)
        case "chemo push":
            return _push(rng, rng.choice(CHEMO_PUSHED), name, clock)
        case "fluid":
            return _drip(rng, rng.choice((SALINE, SALINE, RINGERS)), name, clock, minutes)
        case "chemo drip":
            return _drip(rng, rng.choice(CHEMO_DRIPPED), name, clock, max(minutes, 14))
        case "biologic":
            return _drip(rng, INFLIXIMAB, name, clock, max(minutes, 14))
        case "drip":
            return _drip(rng, rng.choice(DRIPPED), name, clock, minutes)
        case "shot":
            return _shot(rng, rng.choice(SHOTS), name, clock)
    return _other(rng, name, clock, minutes)


def _given(drug: Drug, name: str, start: int | None) -> Dose:
    return Dose(
        id=name,
        drug=drug.name,
        kind=drug.kind,
        start=start,
        pushable=drug.pushable,
        hormonal=drug.hormonal,
    )


def _push(rng: random.Random, drug: Drug, name: str, clock: int) -> Dose:
    start = None if rng.random() < 0.05 else clock
    dose = replace(_given(drug, name, start), method="push")
    if start is None or rng.random() < 0.6:
        return dose
    minutes = rng.choice((1, 2, 5, 15, 16, 20))
    return replace(dose, stop=clock + minutes, attended=rng.random() < 0.5)


def _drip(rng: random.Random, drug: Drug, name: str, clock: int, minutes: int) -> Dose:
    dose = _given(drug, name, clock)
    draw = rng.random()
    if draw < 0.85:
        return replace(dose, stop=clock + minutes)
    if draw < 0.91 and minutes:
        return replace(dose, volume_ml=minutes * 2, rate_ml_per_hour=120)
    if draw < 0.94:
        return replace(dose, start=None, minutes=minutes)
    if draw < 0.97 and drug.kind is not Kind.FLUID:
        return replace(dose, last_seen=clock + minutes)
    return dose


def _shot(rng: random.Random, drug: Drug, name: str, clock: int) -> Dose:
    return replace(_given(drug, name, clock), method="injection", route=rng.choice(("IM", "SC")))


def _other(rng: random.Random, name: str, clock: int, minutes: int) -> Dose:
    """What is no plain push, drip or shot by vein or into a muscle."""
    match rng.randrange(11):
        case 0:
            return replace(_given(ONDANSETRON, name, clock), method=None, route="PO")
        case 1 | 2:
            purpose = rng.choice(("keep_open", "drug_carrier"))
            return replace(_given(SALINE, name, clock), stop=clock + minutes, purpose=purpose)
        case 3:
            return replace(_given(MORPHINE, name, clock), stop=clock + minutes, route="SC")
        case 4:
            return replace(_given(METHOTREXATE, name, clock), method="push", route="IA")
        case 5:
            return replace(_given(MORPHINE, name, clock), method="push", route="IA")
        case 6:
            return replace(_given(METHOTREXATE, name, clock), stop=clock + minutes, route="IA")
        case 7 | 8:
            return _of_a_procedure(rng, name, clock)
        case 9:
            return _flush(rng, name, clock)
    worn = replace(_given(PEGFILGRASTIM, name, clock), method="injection", route="SC")
    return replace(worn, device="on_body_injector")


def _of_a_procedure(rng: random.Random, name: str, clock: int) -> Dose:
    if rng.random() < 0.5:
        contrast = Dose(name, "gadobutrol", None, method="push", start=clock, purpose="imaging")
        return contrast
    return replace(_given(MIDAZOLAM, name, clock), method="push", purpose="procedure")


def _flush(rng: random.Random, name: str, clock: int) -> Dose:
    access = rng.choice(("port", "port", "peripheral"))
    flush = replace(_given(FLUSH, name, clock), method="push")
    return replace(flush, purpose="flush", access=access)


def record(visit: Visit, name: str = "V") -> dict[str, Any]:
    """The visit as a record of ivpush's contract."""
    claim = {"type_of_bill": "131"} if visit.facility else {"place_of_service": "11"}
    return {
        "id": name,
        "setting": "facility" if visit.facility else "professional",
        "date": FIRST_DAY.date().isoformat(),
        **claim,
        "supervision": {"level": "direct", "mode": "in_person", "provider_present": True},
        **(_span(visit) if visit.stayed else {}),
        "primary_administration": visit.primary,
        "complexity_documented": visit.complex_work,
        "administrations": [_administration(dose) for dose in visit.doses],
    }


def _span(visit: Visit) -> dict[str, str | None]:
    """A stay from before the first dose to well after the last."""
    begins = [dose.start for dose in visit.doses if dose.start is not None]
    return {
        "start": _clock(min(begins, default=0)),
        "end": _clock(max(begins, default=0) + 3 * DAY),
    }


def _administration(dose: Dose) -> dict[str, Any]:
    return {
        "id": dose.id,
        "drug": dose.drug,
        "route": dose.route,
        "method": dose.method,
        "start": _clock(dose.start),
        "stop": _clock(dose.stop),
        "minutes": dose.minutes,
        "volume_ml": dose.volume_ml,
        "rate_ml_per_hour": dose.rate_ml_per_hour,
        "last_seen_running": _clock(dose.last_seen),
        "site": dose.site,
        "visit": dose.visit,
        "separate_site_reason": "protocol requires two accesses" if dose.needs_own_site else None,
        "continuously_attended": dose.attended,
        "purpose": dose.purpose,
        "device": dose.device,
        "access": dose.access,
        "mixed_with": dose.mixed_with,
        "resited_from": dose.resited_from,
    }


def _clock(minute: int | None) -> str | None:
    return None if minute is None else (FIRST_DAY + timedelta(minutes=minute)).isoformat()
