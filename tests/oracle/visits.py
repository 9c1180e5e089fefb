"""Random visits for the oracle, made to meet the limits; and the same visits in ivpush's words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.oracle.chart import Dose, Kind, Policies, Visit
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
    rng = random.Random(seed)
    left = number
    while left:
        visit = _visit(rng)
        if rng.random() < 0.2:
            visit = _with_less(rng, visit)
        if not beyond(visit):
            left -= 1
            yield visit


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
    if facility or rng.random() < 0.5:
        return visit
    return replace(visit, primary=rng.choice(visit.doses).id)


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
    draw = rng.randrange(6)
    if draw == 0:
        return replace(_given(ONDANSETRON, name, clock), method=None, route="PO")
    if draw == 1:
        return replace(_given(SALINE, name, clock), stop=clock + minutes, idle=True)
    if draw == 2:
        return replace(_given(MORPHINE, name, clock), stop=clock + minutes, route="SC")
    if draw in {3, 4}:
        drug = METHOTREXATE if draw == 3 else MORPHINE
        return replace(_given(drug, name, clock), method="push", route="IA")
    return replace(_given(METHOTREXATE, name, clock), stop=clock + minutes, route="IA")


def record(visit: Visit, name: str = "V") -> dict[str, Any]:
    """The visit as a record of ivpush's contract."""
    claim = {"type_of_bill": "131"} if visit.facility else {"place_of_service": "11"}
    return {
        "id": name,
        "setting": "facility" if visit.facility else "professional",
        "date": FIRST_DAY.date().isoformat(),
        **claim,
        "supervision": {"level": "direct", "mode": "in_person", "provider_present": True},
        "primary_administration": visit.primary,
        "complexity_documented": visit.complex_work,
        "administrations": [_administration(dose) for dose in visit.doses],
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
        "purpose": "keep_open" if dose.idle else None,
    }


def _clock(minute: int | None) -> str | None:
    return None if minute is None else (FIRST_DAY + timedelta(minutes=minute)).isoformat()
