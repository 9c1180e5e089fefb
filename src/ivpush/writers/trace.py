"""The trace of one result: fact, rule or policy, source and decision, and a drawn timeline.

Nothing here is built while encounters are checked; ``trace`` reads what the engine worked with.
What a chart writes in its own words is not repeated: drugs are named by the drug table or by id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush.coding.suggestions import named

if TYPE_CHECKING:
    from ivpush.contract.facts import AdministrationFacts
    from ivpush.engine import Worked

__all__ = [
    "Step",
    "drug_name",
    "site_names",
    "timeline",
    "trace",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One decision about one administration: the fact, what decided, and its sources."""

    administration: str
    about: str
    fact: str
    decided_by: str
    decision: str
    cites: tuple[str, ...] = ()


def drug_name(one: AdministrationFacts) -> str:
    """The drug table's name, or the administration's id where no table holds the drug."""
    return one.row.name if one.row is not None else f"drug of {one.given.id}"


def site_names(work: Worked) -> dict[str, str]:
    """Labels S1, S2 … for the access sites, in order of the chart."""
    names: dict[str, str] = {}
    for one in work.derived.facts:
        if one.site_named and one.site not in names:
            names[one.site] = f"S{len(names) + 1}"
    return names


def trace(work: Worked) -> list[Step]:
    """Every decision of one encounter, administration by administration."""
    steps: list[Step] = []
    if work.standing.denied is not None:
        _, cites = work.book.reason(work.standing.denied)
        steps.append(Step("", "who may bill", work.standing.denied, "step 0", "nothing is billable",
                          cites))  # fmt: skip
    for one in work.derived.facts:
        steps += _steps(one, work)
    return steps


def _steps(one: AdministrationFacts, work: Worked) -> Iterator[Step]:
    key, policy, limits = one.given.id, work.book.policy, work.book.limits
    said = "the chart" if one.stated_category else "the drug table" if one.row else "the default"
    yield Step(key, "category", f"route {one.given.route or 'not stated'}", said, one.category,
               ("ivpush-data",))  # fmt: skip
    if one.category == "complex_biologic":
        yield Step(key, "family", "complex biologic",
                   f"policy complex_biologic_mode={policy.complex_biologic_mode}",
                   one.family or "none", ("cms-cr-13468",))  # fmt: skip
    missing = f"policy missing_stop_time={policy.missing_stop_time}"
    source = {"clock": "start and stop", "stated": "stated minutes", "volume_and_rate": missing,
              "last_seen_running": missing}  # fmt: skip
    minutes = "not known" if one.running_minutes is None else f"{one.running_minutes} min"
    yield Step(key, "minutes", f"times from {one.given.times_from or 'the chart'}",
               source.get(one.minutes_from or "", "nothing charted"), minutes)  # fmt: skip
    yield Step(key, "technique", f"method {one.given.method or 'not stated'}, {minutes}",
               f"limit push_max_minutes={limits.push_max_minutes}, policy long_push="
               f"{policy.long_push}", one.technique or "none", ("noridian-admin",))  # fmt: skip
    if not one.billable:
        text, cites = work.book.reason(one.reason or "no_code")
        yield Step(key, "not billable", one.reason or "no_code", "rules/reasons.yaml",
                   text.replace("{what}", drug_name(one)), cites)  # fmt: skip
        return
    service = one.service
    assert service is not None
    yield Step(key, "chain", f"visit {one.visit}", "policy second_site_requires_reason="
               f"{policy.second_site_requires_reason}", f"chain {one.chain + 1}",
               ("mcpm-ch12",))  # fmt: skip
    if one.gap_minutes is not None:
        yield Step(key, "gap", f"{one.gap_minutes} min since the last reported push",
                   f"policy same_drug_push_gap_minutes={policy.same_drug_push_gap_minutes}",
                   "repeat" if service.role == "repeat" else "none",
                   ("cpt-assistant-2011",))  # fmt: skip
    text, cites = work.book.reason(service.because)
    units = 1 + service.further if service.role == "further_hour" else service.further
    further = f" and {units} further hour(s)" if units else ""
    yield Step(key, "role", named(service), f"rank {service.rank}",
               f"{service.role}: {service.code}{further}", cites)  # fmt: skip


def timeline(work: Worked, width: int = 72, *, plain: bool = False) -> list[str]:
    """The chart drawn against the clock, one row an administration; empty without times."""
    spans = [one.span or (one.start_seconds, one.start_seconds) for one in work.derived.facts
             if one.start_seconds is not None]  # fmt: skip
    if not spans:
        return []
    low = min(start for start, _ in spans)
    high = max(low + 60, *(stop for _, stop in spans))
    label = max(len(one.given.id) for one in work.derived.facts) + 1
    room = max(20, width - label - 14)
    mark, bar = ("|", "=") if plain else ("▏", "█")
    rows = []
    for one in work.derived.facts:
        if one.start_seconds is None or one.given.start is None:
            continue
        start, stop = one.span or (one.start_seconds, one.start_seconds)
        left = (start - low) * (room - 1) // (high - low)
        long = max(1, (stop - low) * (room - 1) // (high - low) - left)
        drawn = " " * left + (bar * long if one.technique == "infusion" else mark)
        clock = f"{one.given.start.hour:02d}:{one.given.start.minute:02d}"
        rows.append(f"{one.given.id:<{label}}{clock} {drawn}".rstrip())
    return rows
