"""The whole record of visits drawn as right: procedures, visit codes, drug lines and modifiers.

``right_claims`` draws the visits; ``test_right_claims`` and ``benchmarks.right_claims`` ask for whole
records here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from ivpush import Result
from tests.properties.right_claims import (
    DAY_MINUTES,
    Visit,
    biologic,
    by_vein,
    injections,
    observation,
    port_flush,
)
from tests.properties.right_tables import (
    FLUIDS,
    LABORATORY,
    OBSERVATION,
    OF_PROCEDURES,
    PORT_FLUSH,
    PROCEDURES,
    SPLIT,
    VISITS,
    Drug,
    indicators,
)

FIRST, DAYS = date(2026, 2, 2), 50
SUPERVISED = {"level": "direct", "mode": "in_person", "provider_present": True}
KINDS: tuple[Callable[[Random, Visit], None], ...] = (
    *(by_vein,) * 6,
    injections,
    port_flush,
    biologic,
    observation,
)


class RightClaim(NamedTuple):
    """A record whose claim is right, with what the chart earns."""

    record: dict[str, Any]
    earned: Counter[str]
    """Units by code of the administrations."""
    certain: bool
    """Whether no other codes would be as right."""


def right_claims(seed: int, count: int) -> Iterator[RightClaim]:
    """So many right claims, the same for the same seed."""
    rng = Random(seed)
    drawn = 0
    while drawn < count:
        claim = _claim(rng, f"R{seed}-{drawn}")
        if claim is not None:
            drawn += 1
            yield claim


def with_open_facts(claim: RightClaim, seed: int) -> dict[str, Any]:
    """The same claim beside a chart on which somebody left out facts that decide it.

    Stops, needs of a further site and the primary reason are not charted, and names of drugs are
    such that no table holds them. What was given is the same, so the claim is as right.
    """
    rng = Random(f"{seed}:{claim.record['id']}")
    record = {key: value for key, value in claim.record.items() if key not in _LEFT_OUT}
    record["administrations"] = [_less(rng, dose) for dose in claim.record["administrations"]]
    return record


_LEFT_OUT = {"primary_administration", "complexity_documented"}


def _less(rng: Random, dose: dict[str, Any]) -> dict[str, Any]:
    """A dose without its stop, its need or a name that anybody reads."""
    gone = {"separate_site_reason"}
    infused = dose["method"] == "infusion" and "device" not in dose
    if infused and rng.randrange(4) == 0:
        gone.add("stop")
    less = {key: value for key, value in dose.items() if key not in gone}
    if dose.get("purpose") in {None, "treatment"} and rng.randrange(5) == 0:
        # One drug has one name, read or not.
        less["drug"] = f"zzyzx {dose['drug'].casefold()[::-1]}"
        less.pop("hcpcs", None)
    return less


def false_alarms(claim: RightClaim, result: Result) -> list[tuple[str, str, int | None]]:
    """The errors that a right claim gets, each with the claim's id, its rule and its line."""
    return [
        (claim.record["id"], violation.rule, violation.line)
        for violation in result.violations
        if violation.severity == "error"
    ]


def _claim(rng: Random, name: str) -> RightClaim | None:
    """A record of one to four visits a week apart; None where what was drawn cannot be right."""
    setting = rng.choice(("facility", "professional"))
    first = FIRST + timedelta(days=rng.randrange(DAYS))
    times = rng.choice((1, 1, 2, 4))
    visits = [_visit(rng, setting, first + timedelta(weeks=n), f"v{n}-") for n in range(times)]
    facts: dict[str, Any] = {}
    for visit in visits:
        facts |= visit.facts
    several = sum("complexity_documented" in visit.facts for visit in visits) > 1
    if several or any(not visit.lines or _too_late(visit) for visit in visits):
        return None
    lines = [line for visit in visits for line in _lines(rng, visit)]
    named = _named(rng, visits)
    doses = [_as_written(rng, dose) for visit in visits for dose in visit.doses]
    record = {"id": name, **_form(rng, setting, first), **facts, "administrations": doses}
    if named is not None:
        record["primary_administration"] = named
    rng.shuffle(lines)
    record["lines"] = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    earned = Counter[str]()
    for line in (line for visit in visits for line in visit.lines if line.code != OBSERVATION):
        earned[line.code] += line.units
    certain = all(
        visit.certain and (visit.leads_by_rank or visit.lead == named) for visit in visits
    )
    return RightClaim(record, earned, certain)


def _visit(rng: Random, setting: str, day: date, key: str) -> Visit:
    visit = Visit(setting, day, key)
    kinds = [kind for kind in KINDS if setting == "facility" or kind is not observation]
    rng.choice(kinds)(rng, visit)
    return visit


def _too_late(visit: Visit) -> bool:
    """Whether something but a pump or an observation runs past midnight."""
    stays = any(line.code == OBSERVATION for line in visit.lines)
    return not stays and visit.end >= DAY_MINUTES


def _as_written(rng: Random, dose: dict[str, Any]) -> dict[str, Any]:
    """The dose as a chart may have it: by its name alone, and with less beside it."""
    silent = rng.choice(((), (), ("hcpcs",), ("administered_by",), ("ordered", "hcpcs")))
    written = {key: value for key, value in dose.items() if key not in silent}
    if rng.randrange(6) == 0:
        written["drug"] = str(written["drug"]).upper()
    return written


def _named(rng: Random, visits: list[Visit]) -> str | None:
    """The primary reason that an office names: a record names that of one visit."""
    first = visits[0]
    return first.lead if first.setting == "professional" and rng.randrange(2) else None


def _form(rng: Random, setting: str, day: date) -> dict[str, Any]:
    form: dict[str, Any] = {"setting": setting, "date": day.isoformat()}
    if setting == "facility":
        form["type_of_bill"] = "131"
    else:
        form["place_of_service"] = "11"
        if rng.randrange(2):
            form["supervision"] = SUPERVISED
    if rng.randrange(2):
        form["payer"] = "medicare"
    return form


# The lines of a visit


def _lines(rng: Random, visit: Visit) -> Iterator[dict[str, Any]]:
    """Every line of a visit, in no order that matters."""
    beside = _beside(rng, visit)
    codes = {code for code, _ in beside}
    for line in visit.lines:
        of_day = {other.code for other in visit.lines if other.day == line.day}
        others = of_day | (codes if line.day == visit.day else set())
        needed = indicators(visit.setting, line.code, others)
        modifier = line.modifier or (SPLIT if needed else "")
        yield _line(line.code, line.units, line.day, modifier)
    for code, modifier in beside:
        yield _line(code, 1, visit.day, modifier)
    for drug, day in visit.amounts:
        yield from _drug_lines(rng, visit, drug, day)


def _line(code: str, units: int, day: date, modifier: str = "") -> dict[str, Any]:
    modifiers = [modifier] if modifier else []
    return {"code": code, "units": units, "date": day.isoformat(), "modifiers": modifiers}


def _beside(rng: Random, visit: Visit) -> list[tuple[str, str]]:
    """A visit code, laboratory tests and a procedure of the day, each with its modifier."""
    if any(line.code == PORT_FLUSH for line in visit.lines):
        return []
    beside = [(code, "25") for code in rng.sample(VISITS[visit.setting], rng.randrange(2))]
    beside += [(code, "") for code in rng.sample(LABORATORY, rng.randrange(3))]
    procedure = rng.choice(PROCEDURES)
    barred = any("0" in indicators(visit.setting, x.code, {procedure}) for x in visit.lines)
    if rng.randrange(3) == 0 and not barred:
        beside.append((procedure, ""))
        _say_what_for(rng, visit)
    return beside


def _say_what_for(rng: Random, visit: Visit) -> None:
    """State the purpose of each dose beside a procedure; at times one served the procedure."""
    fluids = {drug.code for drug in FLUIDS}
    for dose in visit.doses:
        dose["purpose"] = "hydration" if dose["hcpcs"] in fluids else "treatment"
    if rng.randrange(2):
        drug = rng.choice(OF_PROCEDURES)
        start = visit.doses[0]["start"]
        facts = {"route": "IV", "method": "push", "purpose": "procedure", "site": "left arm"}
        visit.doses.append(
            {"id": f"{visit.key}p", "drug": drug.name, "start": start, "visit": 1} | facts
        )
        if "visit" not in visit.doses[0]:
            del visit.doses[-1]["visit"]


def _drug_lines(rng: Random, visit: Visit, drug: Drug, day: date) -> Iterator[dict[str, Any]]:
    """The drug in whole billing units, and what was discarded of a single-dose vial."""
    amount, modifier = visit.amounts[drug, day], ""
    doses = [dose for dose in visit.doses if dose.get("hcpcs") == drug.code]
    if drug.vial and len(doses) == 1 and rng.randrange(2):
        wasted = drug.opened(amount) - amount
        doses[0] |= {"single_dose_container": True, "wasted": float(wasted)}
        if wasted:
            yield _line(drug.code, int(wasted / Decimal(drug.unit)), day, "JW")
        else:
            modifier = "JZ"
    yield _line(drug.code, drug.units_of(amount), day, modifier)
