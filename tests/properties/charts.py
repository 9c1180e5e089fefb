"""Hypothesis strategies for encounters, biased towards the boundaries of the rules.

Charts are drawn as small plans (``Dose``) and built into encounters, so that a test can shift,
swap or merge doses and build again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ivpush import Encounter

NOON = datetime(2026, 3, 2, 8, 0)
MINUTES = (0, 1, 15, 16, 17, 30, 31, 32, 60, 89, 90, 91, 150, 151, 480, 481)
GAPS = (0, 29, 30, 31, 32, 60)
DRUGS = ("alpha", "beta", "gamma")


@dataclass(frozen=True)
class Dose:
    """One administration in the making; minutes None means no stop is charted."""

    id: str
    drug: str = "alpha"
    category: str | None = "therapeutic"
    route: str = "IV"
    method: str | None = "push"
    offset: int | None = 0
    minutes: int | None = 2
    site: str | None = "left arm"
    extra: tuple[tuple[str, Any], ...] = ()

    def with_(self, **changes: Any) -> Dose:
        """The dose with some attributes changed."""
        return replace(self, **changes)

    def record(self, day: datetime = NOON) -> dict[str, Any]:
        """The administration as the contract writes it."""
        fields: dict[str, Any] = {
            "id": self.id,
            "drug": self.drug,
            "category": self.category,
            "route": self.route,
            "method": self.method,
            "site": self.site,
            **dict(self.extra),
            **self._times(day),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _times(self, day: datetime) -> dict[str, Any]:
        """Start and stop; without a start, its minutes alone."""
        if self.offset is None:
            return {"minutes": self.minutes}
        start = day + timedelta(minutes=self.offset)
        if self.minutes is None:
            return {"start": start.isoformat()}
        stop = start + timedelta(minutes=self.minutes)
        return {"start": start.isoformat(), "stop": stop.isoformat()}


def push(id: str, offset: int | None = 0, drug: str = "alpha", **more: Any) -> Dose:
    """A two-minute push."""
    return Dose(id, drug=drug, offset=offset, **more)


def drip(
    id: str, offset: int | None, minutes: int | None, drug: str = "alpha", **more: Any
) -> Dose:
    """An infusion."""
    return Dose(id, drug=drug, method="infusion", offset=offset, minutes=minutes, **more)


def fluid(id: str, offset: int | None, minutes: int | None, **more: Any) -> Dose:
    """Hydration."""
    hydration: dict[str, Any] = {"drug": "saline", "category": "hydration", "method": "infusion"}
    return Dose(id, offset=offset, minutes=minutes, **hydration, **more)


def shot(id: str, offset: int | None = 0, drug: str = "alpha", **more: Any) -> Dose:
    """An injection into a muscle."""
    injection: dict[str, Any] = {"route": "IM", "method": "injection", "minutes": None}
    return Dose(id, drug=drug, offset=offset, **injection, **more)


def chart(*doses: Dose, setting: str = "facility", day: datetime = NOON, **more: Any) -> Encounter:
    """The encounter of some doses."""
    record: dict[str, Any] = {
        "id": "E1",
        "setting": setting,
        "date": day.date().isoformat(),
        "administrations": [dose.record(day) for dose in doses],
    }
    if setting == "facility":
        record["type_of_bill"] = "131"
    else:
        record["place_of_service"] = "11"
    record.update(more)
    return Encounter.model_validate(record)


def billed(encounter: Encounter, lines: list[dict[str, Any]]) -> Encounter:
    """The same chart with a claim."""
    record = encounter.model_dump(mode="json")
    record["lines"] = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    return Encounter.model_validate(record)


def as_lines(suggested: Any) -> list[dict[str, Any]]:
    """Suggested lines as a claim would carry them."""
    return [
        {
            "code": line.code,
            "units": line.units,
            "modifiers": list(line.modifiers),
            "date": line.date.isoformat() if line.date else None,
        }
        for line in suggested
    ]


def as_printed(suggested: Any) -> list[tuple[Any, ...]]:
    """What a claim form shows of suggested lines: everything but the administrations behind."""
    return [(line.code, line.units, line.modifiers, line.date) for line in suggested]


minutes_drawn = st.one_of(st.sampled_from(MINUTES), st.integers(0, 600))
gaps_drawn = st.one_of(st.sampled_from(GAPS), st.integers(0, 240))


@st.composite
def doses(
    draw: st.DrawFn,
    most: int = 6,
    *,
    kinds: tuple[str, ...] = ("push", "drip", "fluid", "shot"),
    sites: tuple[str | None, ...] = ("left arm",),
    drugs: tuple[str, ...] = DRUGS,
    categories: tuple[str, ...] = ("therapeutic", "chemotherapy"),
    least: int = 1,
) -> list[Dose]:
    """Doses in time order, on clocks that fit together."""
    plan: list[Dose] = []
    at = 0
    family = {drug: draw(st.sampled_from(categories)) for drug in drugs}
    for number in range(draw(st.integers(least, most))):
        kind = draw(st.sampled_from(kinds))
        drug = draw(st.sampled_from(drugs))
        site = draw(st.sampled_from(sites))
        at += draw(gaps_drawn)
        more = {"category": family[drug], "site": site}
        plan.append(_dose(draw, kind, f"a{number}", at, drug=drug, **more))
    return plan


def _dose(draw: st.DrawFn, kind: str, id: str, at: int, drug: str, **more: Any) -> Dose:
    if kind == "push":
        return push(id, at, drug, minutes=draw(st.sampled_from((None, 0, 2, 15))), **more)
    if kind == "drip":
        return drip(id, at, draw(minutes_drawn), drug, **more)
    if kind == "fluid":
        return fluid(id, at, draw(minutes_drawn), site=more["site"])
    return shot(id, at, drug, **more)


settings_drawn = st.sampled_from(("facility", "professional"))
NEEDED = (("separate_site_reason", "the protocol needs two lines"),)


@st.composite
def encounters(draw: st.DrawFn, /, most: int = 6, **options: Any) -> Encounter:
    """Encounters of one or two sites, the second with or without a documented need."""
    options.setdefault("sites", ("left arm", "right arm", None))
    plan = draw(doses(most, **options))
    if draw(st.booleans()):
        plan = [dose.with_(extra=NEEDED) if dose.site == "right arm" else dose for dose in plan]
    return chart(*plan, setting=draw(settings_drawn))


# Whole claims: what stands beside the administrations

CHARTED: dict[str | None, str | None] = {
    "ondansetron": "J2405",
    "ceftriaxone": "J0696",
    "ketorolac": "J1885",
    "infliximab": "J1745",
    "oxaliplatin": "J9263",
    "normal saline": "J7030",
    "zzyzx 40 mg ivp": None,
    "LR 1L wide open": None,
    None: None,
}
"""Names as nurses write them, with their codes: known, read by their words, unknown, and none."""

PROCEDURES = ("74177", "12001", "43235", "92960", "36556", "93017", "20610")
"""A scan with contrast, a repair, a scope, a cardioversion, a line placed, a stress test, a joint."""

VISITS = (("99284", ("25",)), ("99284", ()), ("99213", ("25",)), ("99213", ()), ("99211", ()))
DRUG_LINES = ("J2405", "J0696", "J1885", "J1745", "J9263", "J7030")
PURPOSES = (None, "treatment", "procedure", "imaging", "premedication", "hydration")


def foreign_lines(draw: st.DrawFn, day: str) -> list[dict[str, Any]]:
    """Lines of no administration on a day: procedures, a visit, drugs."""
    lines: list[dict[str, Any]] = [
        {"code": code, "units": 1, "date": day}
        for code in draw(st.lists(st.sampled_from(PROCEDURES), max_size=1))
    ]
    for code, modifiers in draw(st.lists(st.sampled_from(VISITS), max_size=1)):
        lines.append({"code": code, "units": 1, "date": day, "modifiers": list(modifiers)})
    drugs = draw(st.lists(st.sampled_from(DRUG_LINES), max_size=2, unique=True))
    units = draw(st.integers(1, 4))
    return [*lines, *({"code": code, "units": units, "date": day} for code in drugs)]


def as_charted(draw: st.DrawFn, dose: Dose) -> Dose:
    """The dose under a name as a nurse writes it, of no stated class, with a purpose or none."""
    purpose = draw(st.sampled_from(PURPOSES))
    name = draw(st.sampled_from(tuple(CHARTED)))
    code = CHARTED[name] if draw(st.booleans()) else None
    facts = {"purpose": purpose, "hcpcs": code}
    stated = ((key, value) for key, value in facts.items() if value is not None)
    return dose.with_(drug=name, category=None, extra=(*dose.extra, *stated))


def day_of_doses(draw: st.DrawFn, most: int) -> list[Dose]:
    """The doses of one date: under any name, through one access or two, in one visit or two."""
    sites = draw(st.sampled_from((("left arm",), ("left arm", "right arm"))))
    plan = draw(doses(most, sites=sites))
    if draw(st.booleans()):
        plan = [dose.with_(extra=NEEDED) if dose.site == "right arm" else dose for dose in plan]
    returned = draw(st.integers(1, len(plan)))  # all in one visit where it is the number of them
    if draw(st.booleans()):
        plan = [
            dose.with_(
                offset=(dose.offset or 0) + 120 * (n >= returned),
                extra=(*dose.extra, ("visit", 1 + (n >= returned))),
            )
            for n, dose in enumerate(plan)
        ]
    return [as_charted(draw, dose) if draw(st.booleans()) else dose for dose in plan]


@st.composite
def whole_visits(
    draw: st.DrawFn, most: int = 3, dates: int = 3
) -> tuple[Encounter, list[dict[str, Any]]]:
    """Charts of one to three dates, days apart, and the foreign lines of the same claim."""
    setting = draw(settings_drawn)
    plan: list[Dose] = []
    foreign: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, dates))):
        days = 7 * number
        plan += [
            dose.with_(id=f"d{number}{dose.id}", offset=(dose.offset or 0) + 1440 * days)
            for dose in day_of_doses(draw, most)
        ]
        foreign += foreign_lines(draw, (NOON + timedelta(days=days)).date().isoformat())
    more: dict[str, Any] = {}
    if setting == "professional" and draw(st.booleans()):
        more["primary_administration"] = draw(st.sampled_from([dose.id for dose in plan]))
    return chart(*plan, setting=setting, **more), foreign
