"""Reports that tests share: a few visits of every kind, made up ones, and hostile ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ivpush import Result
from ivpush.report import Ground, Report
from ivpush.testing.samples import encounters as samples
from tests.shipped import ENGINE
from tests.timeline.visits import NIGHT, OPEN, SIX, Record, given, visit
from tests.web.payloads import PAYLOADS

ROOT = Path(__file__).resolve().parents[2]
LITERALS = frozenset(
    {"severity", "disposition", "status", "safety", "shape", "setting", "schema", "why"}
)
"""Fields that hold one of a few words: a reader takes no other there."""
DATES = frozenset(
    {"date", "in_force_on", "start", "stop", "at", "since", "release", "quarter_ends"}
)

BILLED = visit(
    *SIX["administrations"],
    id="billed",
    payer="medicare",
    lines=[
        {"number": 1, "code": "96365", "units": 2, "charge": 200},
        {"number": 2, "code": "96375", "units": 1, "charge": 80},
    ],
)
VISITS: tuple[Record, ...] = (
    BILLED,
    {**NIGHT, "id": "night", "date": "2026-03-02"},
    {**OPEN, "id": "open"},
    visit(
        given("a1", "ceftriaxone", "infusion", "2026-03-16T10:00", "2026-03-16T10:40"),
        id="clean",
        date="2026-03-16",
        lines=[{"number": 1, "code": "96365", "units": 1, "charge": 150.5}],
    ),
    {"id": "no chart", "setting": "professional", "date": "2026-03-17", "place_of_service": "11",
     "lines": [{"number": 1, "code": "96375", "units": 1, "charge": 30}]},
)  # fmt: off


def report_of(records: Iterable[Record]) -> Report:
    report = Report({rule.id: rule.name for rule in ENGINE.pack.rules_by_word.values()})
    for record in records:
        work = ENGINE.work(record)
        result = replace(work.result, visit=work.visit())
        report.add(result, Ground(work.book.in_force, work.book.outdated))
    return report


@cache
def small() -> str:
    """The page of the visits of every kind."""
    return "".join(report_of(VISITS).pages())


@cache
def paged() -> str:
    """A page whose list has several pages."""
    return "".join(report_of([*VISITS, *samples(41, 115, engine=ENGINE)]).pages())


def written(file: Path, text: str) -> str:
    """A page as a file; gives its address."""
    file.write_text(text, "utf-8")
    return file.as_uri()


def replaced(data: Any, text: str, key: str = "") -> Any:
    """Plain data with one text in the place of every text that may be any."""
    if isinstance(data, dict):
        return {name: replaced(value, text, name) for name, value in data.items()}
    if isinstance(data, list):
        return [replaced(value, text, key) for value in data]
    if not isinstance(data, str) or key in LITERALS | DATES:
        return data
    return text


@cache
def _plain() -> dict[str, Any]:
    """A result with something of every kind in it."""
    record = BILLED | {"administrations": OPEN["administrations"]}
    return ENGINE.check(record, visit=True).to_dict()


@cache
def attacked() -> str:
    """A page in which every payload stands wherever a text may stand."""
    report = Report()
    for text in PAYLOADS:
        report.add(hostile(text))
    return "".join(report.pages())


def hostile(text: str) -> Result:
    """A result with a text wherever a chart, a claim or a pack could have put it."""
    plain = copy.deepcopy(_plain())
    lines = [plain["visit"].pop("lines"), plain.pop("corrected")]
    again = replaced(plain, text)
    # Codes and modifiers of a claim are held to their form wherever they are read.
    again["visit"]["lines"], again["corrected"] = lines
    for each, kept in zip(again["violations"], plain["violations"], strict=True):
        each["edit"] = kept["edit"]
    return Result.from_json(json.dumps(again))
