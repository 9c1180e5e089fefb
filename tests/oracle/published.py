"""The published scenarios as the oracle's visits, as far as it reaches."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.oracle.billing import Line, Lines
from tests.oracle.chart import IDLE, Dose, Kind, Policies, Visit
from tests.oracle.reach import beyond

DATA = Path(__file__).resolve().parents[1] / "data" / "scenarios" / "scenarios.ndjson"
SCENARIOS: list[dict[str, Any]] = [
    json.loads(line) for line in DATA.read_text("utf-8").splitlines()
]
PURPOSES = {None, "treatment", "hydration", "premedication"}
UNREAD = (
    "continues",
    "lumen",
    "last_seen_running",
)
"""Facts that the oracle does not know; a chart with one of them is beyond it."""
KNOWN = {policy.name for policy in fields(Policies)}


def visit_of(scenario: dict[str, Any]) -> Visit | None:
    """The scenario's chart, and its policies; None: it is beyond the oracle."""
    record = scenario["encounter"]
    given = record.get("administrations") or []
    unsupervised = record.get("supervision", {}).get("mode") == "none"
    if unsupervised or record.get("type_of_bill", "131") != "131" or not all(map(_read, given)):
        return None
    begins = datetime.fromisoformat(record["date"])
    visit = Visit(
        facility=record["setting"] == "facility",
        doses=tuple(_dose(dose, begins) for dose in given),
        primary=record.get("primary_administration"),
        complex_work=record.get("complexity_documented"),
        policies=Policies(**{k: v for k, v in scenario["policies"].items() if k in KNOWN}),
    )
    return None if beyond(visit) else visit


def published(scenario: dict[str, Any]) -> Lines:
    """The lines that the source prints, all on the first day."""
    lines: Lines = Counter()
    for line in scenario["published"]:
        if line["code"].startswith(("963", "964")):
            lines[Line(line["code"], "-".join(line["modifiers"]))] += line["units"]
    return lines


def undated(lines: Lines) -> Lines:
    """The lines, all on the first day: sources print no dates."""
    whole: Lines = Counter()
    for line, units in lines.items():
        whole[line._replace(day=0)] += units
    return whole


def _read(given: dict[str, Any]) -> bool:
    """Whether the oracle knows all that is charted of one administration."""
    known = given.get("purpose") in PURPOSES | IDLE
    classed = "category" in given or given.get("purpose") in IDLE
    return known and classed and not any(given.get(name) for name in UNREAD)


def _dose(given: dict[str, Any], begins: datetime) -> Dose:
    category = given.get("category")
    kinds = {kind.value: kind for kind in Kind}
    dose = Dose(
        id=given["id"],
        drug=given["drug"],
        kind=kinds.get(category or ""),
        route=given["route"],
        method=given.get("method"),
        start=_minute(given.get("start"), begins),
        stop=_minute(given.get("stop"), begins),
        minutes=given.get("minutes"),
        site=given.get("site"),
        visit=given.get("visit") or 1,
        needs_own_site=bool(given.get("separate_site_reason")),
        attended=given.get("continuously_attended"),
        purpose=given.get("purpose"),
        device=given.get("device"),
        access=given.get("access"),
        mixed_with=given.get("mixed_with"),
        resited_from=given.get("resited_from"),
    )
    return replace(dose, kind=Kind.FLUID) if given.get("purpose") == "hydration" else dose


def _minute(text: str | None, begins: datetime) -> int | None:
    if text is None:
        return None
    return int((datetime.fromisoformat(text) - begins).total_seconds()) // 60
