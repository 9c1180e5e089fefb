"""Made-up encounters by the million, the same for the same seed.

``ivpush.testing``, its command line and the benchmarks call it. A few hundred visits are drawn
once from the plans in ``rules/samples.yaml`` and judged; a record is then one of them with an id
and a day of its own, so that a million take minutes, not hours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Literal, NamedTuple

from ivpush.contract.encounter import Encounter
from ivpush.engine import Engine
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.pack.book import Book
from ivpush.pack.files import read_yaml
from ivpush.pack.folder import rules_folder

__all__ = ["Template", "days", "encounters", "lines", "templates", "visit_kinds"]

Verdict = Literal["clean", "violations", "needs_chart"]
Plan = Mapping[str, Any]
"""What ``samples.yaml`` says of a visit, or of a step of one; every value is text."""
Fields = dict[str, Any]
"""Fields of a record or a part of it, as its JSON has them."""
SHARES: Mapping[Verdict, float] = {"clean": 0.65, "violations": 0.30, "needs_chart": 0.05}
"""How many of the claims end which way, where the caller says nothing."""
_ID, _DAYS = "@id@", ("@day0@", "@day1@", "@day2@", "@day3@", "@day4@", "@day5@", "@day6@")
"""What stands in a template for the id, and for the day of the visit and those after it."""
_DAY_MINUTES = 24 * 60
_END = len(_DAYS) * _DAY_MINUTES
_STOCK = 400
"""Templates that records are stamped from; more would take longer to draw than to stamp."""
_MOST_UNITS = 999
_TRIES = 40
"""How often a visit is drawn again until the engine says of it what is wanted."""


@dataclass(frozen=True, slots=True)
class Template:
    """A visit without id and day: its kind, what the engine says of it, and its JSON.

    In use::

        for template in templates(seed=1, count=20):
            print(template.kind, template.verdict, template.line("E1", date(2026, 2, 2)))
    """

    kind: str
    verdict: Verdict
    text: str

    def line(self, name: str, day: date) -> str:
        """The visit as a line of NDJSON, without the line's end."""
        return _stamped(self.text, name, day)


def _stamped(text: str, name: str, day: date) -> str:
    """The JSON of a template with its id and its days."""
    text = text.replace(_ID, name)
    for n, mark in enumerate(_DAYS):
        if mark in text:
            text = text.replace(mark, (day + timedelta(days=n)).isoformat())
    return text


def visit_kinds() -> tuple[str, ...]:
    """The kinds of visit that can be drawn."""
    return tuple(visit["id"] for visit in _plans()["visits"])


def days() -> tuple[date, date]:
    """The first and the last day on which a visit can begin."""
    bounds = _plans()["days"]
    return date.fromisoformat(bounds["from"]), date.fromisoformat(bounds["to"])


def _plans() -> Fields:
    name = "samples.yaml"
    plans: Fields = read_yaml(name, (rules_folder() / name).read_bytes()).mapping
    return plans


# Records


def lines(
    seed: int,
    n: int,
    *,
    setting: str | None = None,
    shares: Mapping[Verdict, float] = SHARES,
    engine: Engine | None = None,
) -> Iterator[bytes]:
    """The records of ``encounters`` as lines of NDJSON, each with the line's end."""
    count = max(1, min(n, _STOCK))
    stock = templates(seed, count, setting=setting, shares=shares, engine=engine)
    first, last = days()
    span = (last - first).days + 1
    calendar = [first + timedelta(days=n) for n in range(span)]
    dice = Random(seed)
    size = len(stock)
    # random() times the size is much faster than randrange, and millions are stamped here.
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
) -> Iterator[Fields]:
    """Records of the contract as dicts, the same for the same seed and rules.

    Of the visits 45 in 100 are emergencies (pushes, often beside hydration), 20 in an infusion
    suite, 15 oncology days, 14 office visits and 6 observations that run past midnight and hold up
    to 24 pushes, so that sizes are skewed. ``setting`` keeps those of one setting only. Of the
    claims 65 in 100 are billed as the chart supports, 30 have an error (a unit too many, another
    code of the family, a line twice, a wrong day), and for 5 the chart lacks a stop or the name of
    a drug; ``shares`` sets this otherwise. Visits, procedures and scans stand beside, and some
    infusions come back on further days of one claim. The engine judges each visit as it is drawn,
    so that the verdict is the engine's own: these records exercise it, and prove nothing about it.

    Raises UsageError for a setting in which no visit takes place.
    """
    for line in lines(seed, n, setting=setting, shares=shares, engine=engine):
        yield json.loads(line)


# Templates


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
    visits = _visits(setting)
    engine = engine or Engine()
    day, _ = days()
    weights = [int(visit["share"]) for visit in visits]
    stock = []
    for number in range(count):
        # Each template has its own dice, so that a longer list begins like a shorter one.
        dice = Random(f"{seed}:{number}")
        (visit,) = dice.choices(visits, weights)
        (wanted,) = dice.choices(list(shares), list(shares.values()))
        stock.append(_template(dice, visit, wanted, engine=engine, day=day))
    return stock


def _visits(setting: str | None) -> list[Plan]:
    """The plans of visits that take place in a setting, or all."""
    visits: list[Plan] = _plans()["visits"]
    if setting is None:
        return visits
    known = {visit["encounter"]["setting"] for visit in visits}
    if setting not in known:
        raise UsageError(Fault("setting", "has no visits", did_you_mean(setting, known)))
    return [visit for visit in visits if visit["encounter"]["setting"] == setting]


def _template(dice: Random, visit: Plan, wanted: Verdict, *, engine: Engine, day: date) -> Template:
    """A visit of which the engine says what is wanted, or the last of many tries."""
    for _ in range(_TRIES):
        template = _attempt(dice, visit, wanted, engine=engine, day=day)
        if template.verdict == wanted:
            break
    return template


def _attempt(dice: Random, visit: Plan, wanted: Verdict, *, engine: Engine, day: date) -> Template:
    """A visit drawn once: its chart, what is billed for it, and what the engine says of both."""
    book = engine.pack.book(day, visit["encounter"].get("payer"))
    record = _record(dice, visit, book)
    if wanted == "needs_chart":
        dice.choice((_forget_a_stop, _write_a_name))(dice, record)
    record["lines"] = _beside(dice, visit, record)
    encounter = _encounter(_as_json(record), day)
    record["lines"] += _billed(encounter, engine, book, dated=_on_several_days(visit, record))
    for number, line in enumerate(record["lines"], 1):
        line |= {"number": number, "charge": dice.randrange(20, 900)}
    if wanted == "violations":
        _spoil(dice, record["lines"], book)
    text = _as_json(record)
    return Template(visit["id"], engine.check(_encounter(text, day)).status, text)


def _as_json(record: Fields) -> str:
    return json.dumps(record, separators=(",", ":"))


def _encounter(text: str, day: date) -> Encounter:
    return Encounter.model_validate_json(_stamped(text, "template", day))


# The chart of a visit


class _Run(NamedTuple):
    """When a drug runs, in minutes from the beginning of the visit's first day."""

    start: int
    stop: int


def _record(dice: Random, visit: Plan, book: Book) -> Fields:
    """A record without lines."""
    record: Fields = {"id": _ID, "date": _DAYS[0], **_facts(visit["encounter"])}
    record["diagnoses"] = list(visit["diagnoses"])
    if "supervision" in visit:
        record["supervision"] = _facts(visit["supervision"])
    administrations = sorted(_administrations(dice, visit, book), key=lambda facts: facts["start"])
    record["administrations"] = [
        {"id": f"a{n}", **facts} for n, facts in enumerate(administrations, 1)
    ]
    if "primary" in visit and administrations:
        record["primary_administration"] = record["administrations"][-1]["id"]
    return record


def _administrations(dice: Random, visit: Plan, book: Book) -> Iterator[Fields]:
    """What the steps of a plan give on each of its days; a run that ends too late is left out.

    A patient who comes back the same day is on a visit of its own.
    """
    again = visit.get("returns", {"days": 0, "times": 0, "chance": 0})
    yield from _one_visit(dice, visit, book, 0)
    if "back" in visit and dice.randrange(100) < int(visit["back"]["chance"]):
        later = {**visit, "begins": visit["back"]["begins"]}
        yield from ({**facts, "visit": 2} for facts in _one_visit(dice, later, book, 0))
    if dice.randrange(100) < int(again["chance"]):
        for turn in range(int(again["times"])):
            first = (turn + 1) * int(again["days"]) * _DAY_MINUTES
            yield from _one_visit(dice, visit, book, first)


def _one_visit(dice: Random, visit: Plan, book: Book, first: int) -> Iterator[Fields]:
    """What the steps of a plan give, in their order, from the minute at which their day begins."""
    low, high = map(_minutes, visit["begins"])
    now = first + dice.randrange(low, high)
    where = {"site": dice.choice(visit["site"])}
    if "access" in visit:
        where["access"] = visit["access"]
    for step in visit["steps"]:
        if dice.randrange(100) >= int(step["chance"]):
            continue
        now += _between(dice, step["after"])
        dose = _as_charted(dice, visit, _dose(step, dice.choice(step["drugs"]), book))
        runs = _runs(dice, step, now)
        for run in runs:
            if run.stop < _END:
                yield {**dose, **where, "start": _clock(run.start), "stop": _clock(run.stop)}
        # The next drug waits for an infusion, but not for a push or for fluid beside it.
        if step["method"] == "infusion" and step.get("purpose") != "hydration":
            now = runs[-1].stop


def _as_charted(dice: Random, visit: Plan, dose: Fields) -> Fields:
    """The dose, at times under a name as a nurse writes it, which no code goes with."""
    charted = visit.get("charted")
    if charted is None or dice.randrange(100) >= int(charted["chance"]):
        return dose
    return {key: value for key, value in dose.items() if key != "hcpcs"} | {
        "drug": dice.choice(charted["names"])
    }


def _runs(dice: Random, step: Plan, start: int) -> list[_Run]:
    """A drug once, and again as its chance has it, up to the first run past the last day."""
    runs: list[_Run] = []
    for turn in range(int(step.get("times", 1))):
        if turn:
            if dice.randrange(100) >= int(step["again"]):
                break
            start += _between(dice, step["gap"])
        runs.append(_Run(start, start + _between(dice, step["for"])))
        if runs[-1].stop >= _END:
            break
    return runs


def _dose(step: Plan, drug: str, book: Book) -> Fields:
    """The facts of an administration that do not hang on the clock."""
    facts: Fields = {"drug": drug}
    row = book.drug(None, None, drug)
    if row is not None and row.hcpcs and "dose" in step:
        facts["hcpcs"] = row.hcpcs
    if "dose" in step:
        facts |= {"dose": int(step["dose"]), "dose_unit": "mg"}
    for key in ("purpose", "method"):
        if key in step:
            facts[key] = step[key]
    if "volume_ml" in step:
        facts["volume_ml"] = int(step["volume_ml"])
    return {
        **facts,
        "route": "IV",
        "ordered": True,
        "administered_by": "RN",
        "monitoring": True,
        "response": True,
    }


def _forget_a_stop(dice: Random, record: Fields) -> None:
    """Take away the stop of an infusion, as if nobody had charted it."""
    infusions = [facts for facts in record["administrations"] if facts["method"] == "infusion"]
    if infusions:
        dice.choice(infusions).pop("stop")


def _write_a_name(dice: Random, record: Fields) -> None:
    """Write a name that no table holds in place of a drug's, as charts do of a study."""
    if record["administrations"]:
        facts = dice.choice(record["administrations"])
        facts["drug"] = dice.choice(_plans()["unknown"])
        for known in ("hcpcs", "purpose"):
            facts.pop(known, None)


def _facts(plan: Mapping[str, str]) -> Fields:
    words: Fields = {"true": True, "false": False}
    return {key: words.get(value, value) for key, value in plan.items()}


def _between(dice: Random, bounds: list[str]) -> int:
    return dice.randint(int(bounds[0]), int(bounds[1]))


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    days, rest = divmod(minutes, _DAY_MINUTES)
    return f"{_DAYS[days]}T{rest // 60:02}:{rest % 60:02}"


# The claim of a visit


def _on_several_days(visit: Plan, record: Fields) -> bool:
    """Whether the patient came back on further days, so that each line needs its date."""
    return (
        "returns" in visit
        and len({facts["start"].partition("T")[0] for facts in record["administrations"]}) > 1
    )


def _beside(dice: Random, visit: Plan, record: Fields) -> list[Fields]:
    """Lines of the claim that no administration earns: visits, procedures."""
    drawn = [
        line
        for line in visit.get("beside", ())
        if record["administrations"] and dice.randrange(100) < int(line["chance"])
    ]
    return [
        {
            "number": n,
            "code": line["code"],
            "units": 1,
            "modifiers": list(line.get("modifiers", ())),
        }
        for n, line in enumerate(drawn, 1)
    ]


def _billed(encounter: Encounter, engine: Engine, book: Book, *, dated: bool) -> list[Fields]:
    """The lines that the chart supports, then a line for each drug and day."""
    lines: list[Fields] = []
    begun = encounter.service_date
    for line in engine.suggest(encounter):
        lines.append({"code": line.code, "units": line.units, "modifiers": list(line.modifiers)})
        if dated and begun is not None and line.date is not None:
            lines[-1]["date"] = _DAYS[(line.date - begun).days]
    amounts: dict[tuple[str, date | None], float] = {}
    for administration in encounter.administrations or ():
        if administration.hcpcs is not None:
            day = administration.start.date() if dated and administration.start else None
            key = (administration.hcpcs, day)
            amounts[key] = amounts.get(key, 0) + float(administration.dose or 0)
    for (hcpcs, day), amount in amounts.items():
        unit = book.drugs[hcpcs].unit_amount
        units = max(1, round(amount / float(unit))) if unit else 1
        lines.append({"code": hcpcs, "units": min(units, _MOST_UNITS), "modifiers": []})
        if begun is not None and day is not None:
            lines[-1]["date"] = _DAYS[(day - begun).days]
    return lines


def _spoil(dice: Random, lines: list[Fields], book: Book) -> None:
    """What goes wrong on real claims: a unit too many, another code, a line twice, a wrong day."""
    own = [line for line in lines if line["code"] in book.codes]
    if not own:
        return
    line = dice.choice(own)
    what = dice.choice(("units", "code", "twice", "day"))
    if what == "units":
        line["units"] += dice.randint(1, 3)
    elif what == "day":
        line["date"] = _DAYS[-1]
    elif what == "code":
        line["code"] = dice.choice(_others_of_family(line["code"], book))
    else:
        lines.append({**line, "number": len(lines) + 1})


def _others_of_family(code: str, book: Book) -> list[str]:
    """The other codes of a code's family, or the code itself where it is alone."""
    family = book.codes[code].family
    others = [other for other, row in book.codes.items() if row.family == family and other != code]
    return sorted(others) or [code]
