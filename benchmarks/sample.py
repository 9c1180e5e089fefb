"""Encounters that the benchmarks measure: one ordinary visit, and visits of any size."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

DRUGS = ("ondansetron", "ketorolac", "ondansetron", "ceftriaxone", "levofloxacin", "morphine")
HCPCS = ("J2405", "J1885", "J2405", "J0696", "J1956", "J2270")
DOSES = (4, 30, 4, 1000, 500, 4)
UNITS = {"J2405": 4, "J1885": 2, "J0696": 4, "J1956": 2, "J2270": 1}
"""Billing units of one dose of each drug."""


def visit(administrations: int = 6, name: str = "E1") -> dict[str, Any]:
    """An emergency visit with its claim: pushes and infusions in turn, billed as suggested."""
    start = datetime(2026, 3, 2, 8, 0)
    given = []
    for n in range(administrations):
        infused = n % 6 in {3, 4}
        minutes = 45 if infused else 2
        given.append({
            "id": f"a{n:03d}", "drug": DRUGS[n % 6], "hcpcs": HCPCS[n % 6],
            "dose": DOSES[n % 6],
            "dose_unit": "mg", "route": "IV", "method": "infusion" if infused else "push",
            "start": start.isoformat(timespec="minutes"),
            "stop": (start + timedelta(minutes=minutes)).isoformat(timespec="minutes"),
            "site": "left forearm", "ordered": True, "administered_by": "RN",
            "monitoring": True, "response": True,
        })  # fmt: skip
        start += timedelta(minutes=50)
    return {
        "id": name, "setting": "facility", "type_of_bill": "131", "date": "2026-03-02",
        "diagnoses": ["R112", "R520"], "supervision": {"level": "general", "mode": "in_person"},
        "administrations": given, "lines": [],
    }  # fmt: skip


def billed(record: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The visit with claim lines, and a drug line for each drug line a real claim would hold."""
    numbered = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    return {**record, "lines": numbered}
