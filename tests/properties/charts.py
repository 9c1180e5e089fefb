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
        made: dict[str, Any] = {
            "id": self.id, "drug": self.drug, "category": self.category, "route": self.route,
            "method": self.method, "site": self.site, **dict(self.extra),
        }  # fmt: skip
        if self.offset is not None:
            start = day + timedelta(minutes=self.offset)
            made["start"] = start.isoformat()
            if self.minutes is not None:
                made["stop"] = (start + timedelta(minutes=self.minutes)).isoformat()
        elif self.minutes is not None:
            made["minutes"] = self.minutes
        return {key: value for key, value in made.items() if value is not None}


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
    return Dose(id, drug="saline", category="hydration", method="infusion", offset=offset,
                minutes=minutes, **more)  # fmt: skip


def chart(*doses: Dose, setting: str = "facility", day: datetime = NOON, **more: Any) -> Encounter:
    """The encounter of some doses."""
    record: dict[str, Any] = {
        "id": "E1", "setting": setting, "date": day.date().isoformat(),
        "administrations": [one.record(day) for one in doses],
    }  # fmt: skip
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
        {"code": one.code, "units": one.units, "modifiers": list(one.modifiers),
         "date": one.date.isoformat() if one.date else None}
        for one in suggested
    ]  # fmt: skip


minutes_drawn = st.one_of(st.sampled_from(MINUTES), st.integers(0, 600))
gaps_drawn = st.one_of(st.sampled_from(GAPS), st.integers(0, 240))


@st.composite
def doses(
    draw: st.DrawFn, most: int = 6, *, kinds: tuple[str, ...] = ("push", "drip", "fluid", "shot"),
    sites: tuple[str | None, ...] = ("left arm",), drugs: tuple[str, ...] = DRUGS,
    categories: tuple[str, ...] = ("therapeutic", "chemotherapy"), least: int = 1,
) -> list[Dose]:  # fmt: skip
    """Doses in time order, on clocks that fit together."""
    made: list[Dose] = []
    at = 0
    family = {drug: draw(st.sampled_from(categories)) for drug in drugs}
    for number in range(draw(st.integers(least, most))):
        kind = draw(st.sampled_from(kinds))
        drug = draw(st.sampled_from(drugs))
        site = draw(st.sampled_from(sites))
        at += draw(gaps_drawn)
        key = f"a{number}"
        if kind == "push":
            made.append(push(key, at, drug, category=family[drug], site=site,
                             minutes=draw(st.sampled_from((None, 0, 2, 15)))))  # fmt: skip
        elif kind == "drip":
            made.append(drip(key, at, draw(minutes_drawn), drug, category=family[drug], site=site))
        elif kind == "fluid":
            made.append(fluid(key, at, draw(minutes_drawn), site=site))
        else:
            made.append(Dose(key, drug=drug, category=family[drug], route="IM",
                             method="injection", offset=at, minutes=None, site=site))  # fmt: skip
    return made


settings_drawn = st.sampled_from(("facility", "professional"))
NEEDED = (("separate_site_reason", "the protocol needs two lines"),)


@st.composite
def encounters(draw: st.DrawFn, most: int = 6, **options: Any) -> Encounter:
    """Encounters of one or two sites, the second with or without a documented need."""
    options.setdefault("sites", ("left arm", "right arm", None))
    plan = draw(doses(most, **options))
    if draw(st.booleans()):
        plan = [one.with_(extra=NEEDED) if one.site == "right arm" else one for one in plan]
    return chart(*plan, setting=draw(settings_drawn))
