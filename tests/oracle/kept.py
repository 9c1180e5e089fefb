"""Visits on which the oracle and ivpush once disagreed, made small, and kept in `kept.ndjson`.

A row holds why it is kept, and the visit in the oracle's own words, without what is as by default.
`python -m benchmarks.oracle` prints each new disagreement as such a row.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, NamedTuple

from tests.oracle.chart import Dose, Kind, Policies, Visit

DATA = Path(__file__).with_suffix(".ndjson")


class Kept(NamedTuple):
    """A visit, and what was once wrong with it."""

    why: str
    visit: Visit


def kept() -> list[Kept]:
    """The visits of the file."""
    rows = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
    return [Kept(row.pop("why"), visit_in(row)) for row in rows]


def visit_in(row: dict[str, Any]) -> Visit:
    """The visit that a row holds."""
    doses = tuple(_dose(dose) for dose in row["doses"])
    policies = Policies(**row.get("policies", {}))
    return Visit(**{**row, "doses": doses, "policies": policies})


def row_of(visit: Visit) -> dict[str, Any]:
    """The row that holds a visit."""
    row = _unlike_default(visit)
    doses = [_unlike_default(dose) for dose in visit.doses]
    for dose in doses:
        dose["kind"] = dose["kind"] and dose["kind"].value
    row["doses"] = doses
    if policies := _unlike_default(row.pop("policies")):
        row["policies"] = policies
    return row


def _dose(row: dict[str, Any]) -> Dose:
    return Dose(**{**row, "kind": row["kind"] and Kind(row["kind"])})


def _unlike_default(whole: Visit | Dose | Policies) -> dict[str, Any]:
    values = {each: getattr(whole, each.name) for each in fields(whole)}
    return {each.name: value for each, value in values.items() if _is_said(each, value)}


def _is_said(each: Field[Any], value: object) -> bool:
    return each.default is MISSING or value != each.default
