"""Encounters that the benchmarks measure: one ordinary visit, visits of any size, a long series."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from ivpush import Encounter, Engine

DRUGS = ("ondansetron", "ketorolac", "ondansetron", "ceftriaxone", "levofloxacin", "morphine")
HCPCS = ("J2405", "J1885", "J2405", "J0696", "J1956", "J2270")
DOSES = (4, 30, 4, 1000, 500, 4)
UNITS = {"J2405": 4, "J1885": 2, "J0696": 4, "J1956": 2, "J2270": 1}
"""Billing units of one dose of each drug."""


def visit(administrations: int = 6, name: str = "E1") -> dict[str, Any]:
    """An emergency visit with its claim: pushes and infusions in turn, billed as suggested."""
    start, given = datetime(2026, 3, 2, 8, 0), []
    for n in range(administrations):
        infused = n % 6 in {3, 4}
        given.append(
            dose(
                f"a{n:03d}",
                DRUGS[n % 6],
                HCPCS[n % 6],
                DOSES[n % 6],
                method="infusion" if infused else "push",
                start=start,
                minutes=45 if infused else 2,
            )
        )
        start += timedelta(minutes=50)
    return charted(name, "2026-03-02", given)


def dose(
    key: str,
    drug: str,
    code: str,
    amount: int,
    *,
    method: str,
    start: datetime,
    minutes: int,
    route: str = "IV",
) -> dict[str, Any]:
    """One administration, charted in full."""
    return {
        "id": key,
        "drug": drug,
        "hcpcs": code,
        "dose": amount,
        "dose_unit": "mg",
        "route": route,
        "method": method,
        "start": start.isoformat(timespec="minutes"),
        "stop": (start + timedelta(minutes=minutes)).isoformat(timespec="minutes"),
        "site": "left forearm",
        "ordered": True,
        "administered_by": "RN",
        "monitoring": True,
        "response": True,
    }


def charted(name: str, day: str, given: list[dict[str, Any]]) -> dict[str, Any]:
    """A hospital's encounter with its chart; nothing billed yet."""
    return {
        "id": name,
        "setting": "facility",
        "type_of_bill": "131",
        "date": day,
        "diagnoses": ["R112", "R520"],
        "supervision": {"level": "general", "mode": "in_person"},
        "administrations": given,
        "lines": [],
    }


def billed(record: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The visit with claim lines, and a drug line for each drug line a real claim would hold."""
    numbered = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    return {**record, "lines": numbered}


def ready(engine: Engine, administrations: int, *, wrong: bool = False) -> tuple[bytes, Encounter]:
    """A visit billed as its chart supports (or with two errors), as bytes and as an encounter."""
    chart = visit(administrations)
    suggested = engine.check(Encounter.model_validate(chart)).suggested
    lines: list[dict[str, Any]] = [
        {"code": one.code, "units": one.units, "modifiers": list(one.modifiers)}
        for one in suggested
    ]
    given = Counter(one["hcpcs"] for one in chart["administrations"])
    lines += [{"code": hcpcs, "units": count * UNITS[hcpcs]} for hcpcs, count in given.items()]
    if wrong:
        lines[0]["units"] = 2
        lines.append({"code": "96368", "units": 1})
    raw = json.dumps(billed(chart, lines)).encode()
    return raw, Encounter.model_validate_json(raw)


def whole(engine: Engine, raw: bytes) -> bytes:
    """A check from bytes to bytes."""
    return engine.check(Encounter.model_validate_json(raw)).to_json()


# Drug, HCPCS code, milligrams, billing units of the dose, method, route, minutes, minutes from nine.
DAY = (
    ("ondansetron", "J2405", 4, 4, "push", "IV", 2, 0),
    ("dexamethasone", "J1100", 10, 10, "infusion", "IV", 20, 5),
    ("ceftriaxone", "J0696", 1000, 4, "infusion", "IV", 100, 30),
    ("levofloxacin", "J1956", 500, 2, "infusion", "IV", 60, 140),
    ("famotidine", "S0028", 20, 1, "infusion", "IV", 30, 150),
    ("ketorolac", "J1885", 30, 2, "push", "IV", 2, 210),
    ("morphine", "J2270", 4, 1, "push", "IV", 2, 230),
    ("haloperidol", "J1630", 5, 1, "injection", "IM", 1, 240),
    ("ondansetron", "J2405", 4, 4, "push", "IV", 2, 300),
)
SERIES = {"encounter_boundary": "calendar_day"}
"""Policies under which each day of a series has an initial service of its own."""


def series(engine: Engine, days: int, administrations: int = len(DAY)) -> dict[str, Any]:
    """An outpatient series on one claim, the same drugs each day, billed as the chart supports.

    Suggested lines stand on their dates, each drug on one line for the whole series; at 9
    administrations a day that is 7 lines and a line for each day after the first 6 more.
    """
    given: list[dict[str, Any]] = []
    amounts: Counter[str] = Counter()
    for day in range(days):
        for n, (drug, code, amount, units, method, route, minutes, at) in enumerate(
            DAY[:administrations]
        ):
            start = datetime(2026, 2, 1, 9, 0) + timedelta(days=day, minutes=at)
            given.append(
                dose(
                    f"a{day:03d}-{n}",
                    drug,
                    code,
                    amount,
                    method=method,
                    start=start,
                    minutes=minutes,
                    route=route,
                )
            )
            amounts[code] += units
    chart = charted("SERIES", "2026-02-01", given)
    lines: list[dict[str, Any]] = [
        {
            "code": one.code,
            "units": one.units,
            "modifiers": list(one.modifiers),
            "date": one.date.isoformat() if one.date is not None else None,
        }
        for one in engine.suggest(Encounter.model_validate(chart))
    ]
    lines += [{"code": code, "units": units} for code, units in amounts.items()]
    return billed(chart, lines)
