"""Visits that tests of drawings share: pushes and drips, two sites, midnight, what is open."""

from __future__ import annotations

import datetime as dt
from typing import Any

DAY = "2026-03-02"
NEXT = "2026-03-03"
Record = dict[str, Any]


def at(clock: str) -> str:
    """A clock time of the day, or a time with its date as it stands."""
    return clock if "T" in clock else f"{DAY}T{clock}"


def given(
    id: str, drug: str, method: str, start: str, stop: str | None = None, **more: Any
) -> Record:
    return {
        "id": id,
        "drug": drug,
        "route": "IV",
        "method": method,
        "start": at(start),
        "stop": None if stop is None else at(stop),
        "site": "left forearm",
        **more,
    }


def visit(*administrations: Record, **more: Any) -> Record:
    return {
        "id": "visit",
        "setting": "facility",
        "date": DAY,
        "type_of_bill": "131",
        "administrations": list(administrations),
        **more,
    }


SIX = visit(
    given("a1", "ceftriaxone", "infusion", "09:00", "10:35"),
    given("a2", "normal saline", "infusion", "09:20", "12:10", purpose="hydration"),
    given("a3", "ondansetron", "push", "09:10", "09:12"),
    given("a4", "ketorolac", "push", "09:40", "09:41"),
    given("a5", "ondansetron", "push", "10:50", "10:52"),
    given("a6", "heparin", "push", "12:15", "12:16", purpose="flush"),
)
NIGHT = visit(
    given("a1", "vancomycin", "infusion", "22:10", f"{NEXT}T00:15"),
    given(
        "a2",
        "cefepime",
        "infusion",
        "22:30",
        f"{NEXT}T00:40",
        site="right hand",
        separate_site_reason="incompatible",
    ),
    given("a3", "morphine", "push", "23:50", "23:52"),
    given("a4", "ketorolac", "injection", f"{NEXT}T01:00", route="IM", site=None),
)
OPEN = visit(
    given("a1", "ceftriaxone", "infusion", "09:00"),
    given("a2", "ketorolac", "push", "09:50", "09:51"),
    {"id": "a3", "drug": "morphine", "route": "IV", "method": "push"},
)


def long_stay(count: int) -> Record:
    """Many administrations of all kinds, three minutes apart."""
    drugs = ("ondansetron", "ketorolac", "ceftriaxone", "normal saline", "morphine")
    methods = ("push", "push", "infusion", "infusion", "push")
    lengths = (2, 1, 40, 70, 2)
    begun = dt.datetime(2026, 3, 2, 8)
    rows = []
    for number in range(count):
        kind, start = number % 5, begun + dt.timedelta(minutes=3 * number)
        stop = start + dt.timedelta(minutes=lengths[kind])
        times = (start.isoformat(), stop.isoformat())
        rows.append(given(f"a{number}", drugs[kind], methods[kind], *times))
    return visit(*rows)
