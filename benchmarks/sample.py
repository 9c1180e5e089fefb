"""Encounters that the benchmarks measure: one ordinary visit, visits of any size, a long series."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any, NamedTuple

from ivpush import Encounter, Engine


class Planned(NamedTuple):
    """One administration to be charted, with the billing units of its dose."""

    drug: str
    hcpcs: str
    milligrams: int
    units: int
    method: str
    minutes: int
    route: str = "IV"
    after: int = 0
    """Minutes after nine o'clock, in a series."""

    def charted(self, key: str, start: datetime) -> dict[str, Any]:
        """The administration, charted in full."""
        stop = start + timedelta(minutes=self.minutes)
        return {
            "id": key,
            "drug": self.drug,
            "hcpcs": self.hcpcs,
            "dose": self.milligrams,
            "dose_unit": "mg",
            "route": self.route,
            "method": self.method,
            "start": start.isoformat(timespec="minutes"),
            "stop": stop.isoformat(timespec="minutes"),
            "site": "left forearm",
            "ordered": True,
            "administered_by": "RN",
            "monitoring": True,
            "response": True,
        }


EMERGENCY = (
    Planned("ondansetron", "J2405", milligrams=4, units=4, method="push", minutes=2),
    Planned("ketorolac", "J1885", milligrams=30, units=2, method="push", minutes=2),
    Planned("ondansetron", "J2405", milligrams=4, units=4, method="push", minutes=2),
    Planned("ceftriaxone", "J0696", milligrams=1000, units=4, method="infusion", minutes=45),
    Planned("levofloxacin", "J1956", milligrams=500, units=2, method="infusion", minutes=45),
    Planned("morphine", "J2270", milligrams=4, units=1, method="push", minutes=2),
)
"""What an emergency visit gives, over and over."""
DAY = (
    Planned("ondansetron", "J2405", milligrams=4, units=4, method="push", minutes=2, after=0),
    Planned(
        "dexamethasone", "J1100", milligrams=10, units=10, method="infusion", minutes=20, after=5
    ),
    Planned(
        "ceftriaxone", "J0696", milligrams=1000, units=4, method="infusion", minutes=100, after=30
    ),
    Planned(
        "levofloxacin", "J1956", milligrams=500, units=2, method="infusion", minutes=60, after=140
    ),
    Planned(
        "famotidine", "S0028", milligrams=20, units=1, method="infusion", minutes=30, after=150
    ),
    Planned("ketorolac", "J1885", milligrams=30, units=2, method="push", minutes=2, after=210),
    Planned("morphine", "J2270", milligrams=4, units=1, method="push", minutes=2, after=230),
    Planned(
        "haloperidol",
        "J1630",
        milligrams=5,
        units=1,
        method="injection",
        minutes=1,
        route="IM",
        after=240,
    ),
    Planned("ondansetron", "J2405", milligrams=4, units=4, method="push", minutes=2, after=300),
)
"""What each day of a series gives."""
SERIES = {"encounter_boundary": "calendar_day"}
"""Policies under which each day of a series has an initial service of its own."""


class Visit(NamedTuple):
    """A billed visit, as it comes and as it was read."""

    raw: bytes
    encounter: Encounter


def emergency(administrations: int) -> list[Planned]:
    """So many administrations of an emergency visit, in their order."""
    return list(islice(cycle(EMERGENCY), administrations))


def visit(administrations: int = 6, name: str = "E1") -> dict[str, Any]:
    """An emergency visit: pushes and infusions in turn, 50 minutes apart; nothing billed yet."""
    arrival = datetime(2026, 3, 2, 8, 0)
    doses = [
        planned.charted(f"a{number:03d}", arrival + timedelta(minutes=50 * number))
        for number, planned in enumerate(emergency(administrations))
    ]
    return charted(name, "2026-03-02", doses)


def charted(name: str, day: str, administrations: list[dict[str, Any]]) -> dict[str, Any]:
    """A hospital's encounter with its chart; nothing billed yet."""
    return {
        "id": name,
        "setting": "facility",
        "type_of_bill": "131",
        "date": day,
        "diagnoses": ["R112", "R520"],
        "supervision": {"level": "general", "mode": "in_person"},
        "administrations": administrations,
        "lines": [],
    }


def billed(record: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The visit with claim lines, numbered."""
    numbered = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    return {**record, "lines": numbered}


def drug_lines(doses: Iterable[Planned]) -> list[dict[str, Any]]:
    """A claim line for each drug, with the units of all its doses."""
    units: Counter[str] = Counter()
    for plan in doses:
        units[plan.hcpcs] += plan.units
    return [{"code": code, "units": count} for code, count in units.items()]


def ready(engine: Engine, administrations: int, *, wrong: bool = False) -> Visit:
    """A visit billed as its chart supports, or with two errors."""
    chart = visit(administrations)
    suggested = engine.check(Encounter.model_validate(chart)).suggested
    lines: list[dict[str, Any]] = [
        {"code": line.code, "units": line.units, "modifiers": list(line.modifiers)}
        for line in suggested
    ]
    lines += drug_lines(emergency(administrations))
    if wrong:
        lines[0]["units"] = 2
        lines.append({"code": "96368", "units": 1})
    raw = json.dumps(billed(chart, lines)).encode()
    return Visit(raw, Encounter.model_validate_json(raw))


def whole(engine: Engine, raw: bytes) -> bytes:
    """A check from bytes to bytes."""
    return engine.check(Encounter.model_validate_json(raw)).to_json()


def series(engine: Engine, days: int, administrations: int = len(DAY)) -> dict[str, Any]:
    """An outpatient series on one claim, the same drugs each day, billed as the chart supports.

    Suggested lines stand on their dates, each drug on one line for the whole series; at 9
    administrations a day that is 7 lines and a line for each day after the first 6 more.
    """
    planned = DAY[:administrations]
    first = datetime(2026, 2, 1, 9, 0)
    doses = [
        plan.charted(f"a{day:03d}-{number}", first + timedelta(days=day, minutes=plan.after))
        for day in range(days)
        for number, plan in enumerate(planned)
    ]
    chart = charted("SERIES", "2026-02-01", doses)
    lines: list[dict[str, Any]] = [
        {
            "code": line.code,
            "units": line.units,
            "modifiers": list(line.modifiers),
            "date": line.date.isoformat() if line.date is not None else None,
        }
        for line in engine.suggest(Encounter.model_validate(chart))
    ]
    return billed(chart, [*lines, *drug_lines(planned * days)])
