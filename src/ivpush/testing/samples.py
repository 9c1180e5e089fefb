"""Made-up encounters by the million, the same for the same seed.

A few hundred visits are drawn once from the plans in ``rules/samples.yaml`` and judged; a record
is then one of them with an id and a day of its own, so that a million take minutes, not hours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from ivpush.contract.encounter import Encounter
from ivpush.engine import Engine
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.pack.book import Book
from ivpush.pack.files import read_yaml
from ivpush.pack.folder import rules_folder

__all__ = ["Template", "days", "encounters", "lines", "templates", "visit_kinds"]

Verdict = Literal["clean", "violations", "needs_chart"]
SHARES: Mapping[Verdict, float] = {"clean": 0.65, "violations": 0.30, "needs_chart": 0.05}
_ID, _DAYS = "@id@", ("@day0@", "@day1@", "@day2@", "@day3@", "@day4@", "@day5@", "@day6@")
_DAY_MINUTES = 24 * 60
_TRIES = 40


@dataclass(frozen=True, slots=True)
class Template:
    """A visit without id and day: its kind, what the engine says of it, and its JSON."""

    kind: str
    verdict: Verdict
    text: str

    def line(self, name: str, day: date) -> str:
        """The visit as a line of NDJSON, without the line's end."""
        text = self.text.replace(_ID, name)
        for n, mark in enumerate(_DAYS):
            if mark not in text:
                break
            text = text.replace(mark, (day + timedelta(days=n)).isoformat())
        return text


def visit_kinds() -> tuple[str, ...]:
    """The kinds of visit that can be drawn."""
    return tuple(one["id"] for one in _plans()["visits"])


def days() -> tuple[date, date]:
    """The first and the last day on which a visit can begin."""
    given = _plans()["days"]
    return date.fromisoformat(given["from"]), date.fromisoformat(given["to"])


def _plans() -> dict[str, Any]:
    name = "samples.yaml"
    data: dict[str, Any] = read_yaml(name, (rules_folder() / name).read_bytes()).data
    return data


def templates(
    seed: int,
    count: int = 400,
    *,
    setting: str | None = None,
    shares: Mapping[Verdict, float] = SHARES,
    engine: Engine | None = None,
) -> list[Template]:
    """Visits to stamp records from; see ``encounters`` for what they are.

    Raises UsageError for a setting in which no visit takes place.
    """
    plans = _plans()
    visits = [one for one in plans["visits"]
              if setting in {None, one["encounter"]["setting"]}]  # fmt: skip
    if not visits:
        known = {one["encounter"]["setting"] for one in plans["visits"]}
        raise UsageError(Fault("setting", "has no visits", did_you_mean(str(setting), known)))
    engine = engine or Engine()
    day, _ = days()
    weights = [int(one["share"]) for one in visits]
    made = []
    for number in range(count):
        # Each template has its own dice, so that a longer list begins like a shorter one.
        dice = Random(f"{seed}:{number}")
        (visit,) = dice.choices(visits, weights)
        (wanted,) = dice.choices(list(shares), list(shares.values()))
        made.append(_template(dice, visit, wanted, engine, day))
    return made


def _template(
    dice: Random, visit: Mapping[str, Any], wanted: Verdict, engine: Engine, day: date
) -> Template:
    """A visit on which the engine says what is wanted, or the last one tried."""
    book = engine.pack.book(day, visit["encounter"].get("payer"))
    made = Template(visit["id"], wanted, "")
    for _ in range(_TRIES):
        record = _record(dice, visit, book)
        if wanted == "needs_chart":
            _forget(dice, record)
        chart = Template(visit["id"], wanted, json.dumps(record, separators=(",", ":")))
        record["lines"] = _billed(dice, chart, engine, book, day)
        if wanted == "violations":
            _spoil(dice, record["lines"], book)
        text = json.dumps(record, separators=(",", ":"))
        status = engine.check(_encounter(Template("", wanted, text), day)).status
        made = Template(visit["id"], status, text)
        if status == wanted:
            break
    return made


def _encounter(template: Template, day: date) -> Encounter:
    return Encounter.model_validate_json(template.line("template", day))


def _record(dice: Random, visit: Mapping[str, Any], book: Book) -> dict[str, Any]:
    low, high = (_minutes(one) for one in visit["begins"])
    now = dice.randrange(low, high)
    site = dice.choice(visit["site"])
    more = {"site": site, **({"access": visit["access"]} if "access" in visit else {})}
    given: list[dict[str, Any]] = []
    for step in visit["steps"]:
        if dice.randrange(100) >= int(step["chance"]):
            continue
        now += _between(dice, step["after"])
        drug = dice.choice(step["drugs"])
        at = now
        for turn in range(int(step.get("times", 1))):
            if turn and dice.randrange(100) >= int(step["again"]):
                break
            at += _between(dice, step["gap"]) if turn else 0
            stop = at + _between(dice, step["for"])
            if stop >= len(_DAYS) * _DAY_MINUTES:
                break
            given.append({**_dose(step, drug, book), **more, "start": _clock(at),
                          "stop": _clock(stop)})  # fmt: skip
        if step["method"] == "infusion" and step.get("purpose") != "hydration":
            now = stop
    record: dict[str, Any] = {"id": _ID, "date": _DAYS[0], **_facts(visit["encounter"])}
    if "supervision" in visit:
        record["supervision"] = _facts(visit["supervision"])
    given.sort(key=lambda one: one["start"])
    record["administrations"] = [{"id": f"a{n}", **one} for n, one in enumerate(given, 1)]
    if "primary" in visit and given:
        record["primary_administration"] = record["administrations"][-1]["id"]
    return record


def _dose(step: Mapping[str, Any], drug: str, book: Book) -> dict[str, Any]:
    """The facts of an administration that do not hang on the clock."""
    made: dict[str, Any] = {"drug": drug}
    row = book.drug(None, None, drug)
    if row is not None and row.hcpcs and "dose" in step:
        made["hcpcs"] = row.hcpcs
    if "dose" in step:
        made |= {"dose": int(step["dose"]), "dose_unit": "mg"}
    for key in ("purpose", "method"):
        if key in step:
            made[key] = step[key]
    if "volume_ml" in step:
        made["volume_ml"] = int(step["volume_ml"])
    return {**made, "route": "IV", "ordered": True, "administered_by": "RN", "monitoring": True,
            "response": True}  # fmt: skip


def _billed(
    dice: Random, chart: Template, engine: Engine, book: Book, day: date
) -> list[dict[str, Any]]:
    """The lines that the chart supports, then a line for each drug."""
    encounter = _encounter(chart, day)
    made: list[dict[str, Any]] = [
        {"code": one.code, "units": one.units, "modifiers": list(one.modifiers)}
        for one in engine.suggest(encounter)
    ]
    amounts: dict[str, float] = {}
    for one in encounter.administrations or ():
        if one.hcpcs is not None:
            amounts[one.hcpcs] = amounts.get(one.hcpcs, 0) + float(one.dose or 0)
    for hcpcs, amount in amounts.items():
        unit = book.drugs[hcpcs].unit_amount
        units = max(1, round(amount / float(unit))) if unit else 1
        made.append({"code": hcpcs, "units": min(units, 999), "modifiers": []})
    for number, line in enumerate(made, 1):
        line["number"] = number
        line["charge"] = dice.randrange(20, 900)
    return made


def _spoil(dice: Random, lines: list[dict[str, Any]], book: Book) -> None:
    """What goes wrong on real claims: a unit too many, another code, a line twice."""
    own = [one for one in lines if one["code"] in book.codes]
    if not own:
        return
    line = dice.choice(own)
    what = dice.choice(("units", "code", "twice"))
    if what == "units":
        line["units"] += dice.randint(1, 3)
    elif what == "code":
        family = book.codes[line["code"]].family
        others = sorted(code for code, row in book.codes.items()
                        if row.family == family and code != line["code"])  # fmt: skip
        line["code"] = dice.choice(others or [line["code"]])
    else:
        lines.append({**line, "number": len(lines) + 1})


def _forget(dice: Random, record: dict[str, Any]) -> None:
    """A stop that nobody charted."""
    runs = [one for one in record["administrations"] if one["method"] == "infusion"]
    if runs:
        dice.choice(runs).pop("stop")


def _facts(given: Mapping[str, str]) -> dict[str, Any]:
    words: dict[str, Any] = {"true": True, "false": False}
    return {key: words.get(value, value) for key, value in given.items()}


def _between(dice: Random, bounds: list[str]) -> int:
    return dice.randint(int(bounds[0]), int(bounds[1]))


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    days, rest = divmod(minutes, _DAY_MINUTES)
    return f"{_DAYS[days]}T{rest // 60:02}:{rest % 60:02}"


def lines(
    seed: int,
    n: int,
    *,
    setting: str | None = None,
    shares: Mapping[Verdict, float] = SHARES,
    engine: Engine | None = None,
) -> Iterator[bytes]:
    """The records of ``encounters`` as lines of NDJSON."""
    stock = templates(seed, max(1, min(n, 400)), setting=setting, shares=shares, engine=engine)
    first, last = days()
    span = (last - first).days + 1
    calendar = [first + timedelta(days=one) for one in range(span)]
    dice = Random(seed)
    size = len(stock)
    for number in range(1, n + 1):
        template, day = stock[int(dice.random() * size)], calendar[int(dice.random() * span)]
        yield template.line(f"S{seed}-{number:08}", day).encode() + b"\n"


def encounters(
    seed: int,
    n: int,
    *,
    setting: str | None = None,
    shares: Mapping[Verdict, float] = SHARES,
    engine: Engine | None = None,
) -> Iterator[dict[str, Any]]:
    """Records of the contract as dicts, the same for the same seed and rules.

    Of the visits 45 in 100 are emergencies (pushes, often beside hydration), 20 in an infusion
    suite, 15 oncology days, 14 office visits and 6 observations that run past midnight and hold up
    to 24 pushes, so that sizes are skewed. ``setting`` keeps those of one setting only. Of the
    claims 65 in 100 are billed as the chart supports, 30 have an error (a unit too many, another
    code of the family, a line twice), and for 5 the chart lacks a stop that decides what is billed;
    ``shares`` sets this otherwise. The engine judges each visit as it is drawn, so that the verdict
    is the engine's own: these records exercise it, and prove nothing about it.
    """
    for one in lines(seed, n, setting=setting, shares=shares, engine=engine):
        yield json.loads(one)
