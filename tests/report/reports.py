"""Reports that tests share: a few visits of every kind, made up ones, and hostile ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ivpush import Encounter, Result
from ivpush.report import Ground, Report
from ivpush.testing.samples import encounters as samples
from tests.shipped import ENGINE
from tests.timeline.visits import NIGHT, OPEN, SIX, Record, given, visit

ROOT = Path(__file__).resolve().parents[2]
LITERALS = frozenset(
    {"severity", "disposition", "status", "safety", "shape", "setting", "schema", "why"}
)
"""Fields that hold one of a few words: a reader takes no other there."""
DATES = frozenset(
    {"date", "in_force_on", "start", "stop", "at", "since", "release", "quarter_ends"}
)

BODIES = ("alert(1)", "print`1`", "document.title=1", "fetch('//evil.example')", "1/*")
WRAPS: tuple[Callable[[str], str], ...] = (
    lambda body: f"<script>{body}</script>",
    lambda body: f"</script><script>{body}</script>",
    lambda body: f"</title></style></textarea><script>{body}</script>",
    lambda body: f'"><img src=x onerror="{body}">',
    lambda body: f"'><svg onload='{body}'>",
    lambda body: f"<svg><animate onbegin={body} attributeName=x dur=1s>",
    lambda body: f"<iframe srcdoc='<script>{body}</script>'></iframe>",
    lambda body: f'<a href="javascript:{body}">x</a>',
    lambda body: f"]]><script>{body}</script><![CDATA[",
    lambda body: f"<!--><script>{body}</script>-->",
    lambda body: f"&lt;script&gt;{body}&#60;/script&#62;",
    lambda body: f"\u202e\u2028<math><mtext><style><img onerror={body} src=x>",
)
PAYLOADS = tuple(wrap(body) for wrap in WRAPS for body in BODIES)
"""Sixty texts that would run something, if anything took them for more than text."""

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


def add(report: Report, record: Record | Encounter, *, show_text: bool = False) -> Result:
    """Check a record and let a report take its result."""
    work = ENGINE.work(record)
    result = ENGINE.check(record, visit=True)
    if show_text:
        result = Result.from_json(result.to_json())
    report.add(result, Ground(work.book.in_force, work.book.outdated))
    return result


def report_of(records: Iterable[Record]) -> Report:
    report = Report({rule.id: rule.name for rule in ENGINE.pack.rules_by_word.values()})
    for record in records:
        add(report, record)
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


def hostile(text: str) -> Result:
    """A result with a text wherever a chart, a claim or a pack could have put it."""
    result = ENGINE.check(BILLED | {"administrations": OPEN["administrations"]}, visit=True)
    plain = result.to_dict()
    lines = [plain["visit"].pop("lines"), plain.pop("corrected")]
    again = replaced(plain, text)
    # Codes and modifiers of a claim are held to their form wherever they are read.
    again["visit"]["lines"], again["corrected"] = lines
    for each, kept in zip(again["violations"], plain["violations"], strict=True):
        each["edit"] = kept["edit"]
    return Result.from_json(json.dumps(again))
