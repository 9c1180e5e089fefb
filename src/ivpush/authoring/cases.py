"""Tests of rules: the cases inside the rule files, built into encounters and judged.

``ivpush rules test`` and the tests of the pack run every case. A case that does not come out as it
says is no exception but an outcome with its problem in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivpush.authoring.encounters import case_encounter
from ivpush.authoring.judging import compare, expectations_of, finding_of
from ivpush.claim import findings
from ivpush.engine import Engine, Worked
from ivpush.errors import IvpushError
from ivpush.pack.pack import Pack
from ivpush.pack.rule import Rule

__all__ = [
    "CaseOutcome",
    "EnginesByPolicy",
    "policies_of",
    "run_case",
    "run_cases",
]


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How one case of one rule went; ``problem`` is empty where it did as it says."""

    rule: str
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class EnginesByPolicy:
    """Engines of one pack, each made when a case first asks for its policies.

    ::

        engines = EnginesByPolicy(Pack.load())
        engine = engines.under({"long_push": "warn"})
    """

    pack: Pack
    _held: dict[str, Engine] = field(default_factory=dict)

    def under(self, policies: Mapping[str, Any]) -> Engine:
        """The engine under some policies; raises UsageError where one does not exist."""
        key = repr(sorted(policies.items()))
        engine = self._held.get(key)
        if engine is None:
            engine = self._held[key] = Engine(pack=self.pack, policies=policies)
        return engine


def policies_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """The policies that a case sets."""
    return dict(case.get("policies") or {})


def run_cases(pack: Pack, only: str | None = None) -> Iterator[CaseOutcome]:
    """Every case of every rule, or of the rule with this id or name, in the pack's order."""
    engines = EnginesByPolicy(pack)
    for rule in pack.every_rule:
        if only is None or only in {rule.id, rule.name}:
            for case in rule.every_case:
                yield run_case(rule, case, engines)


def run_case(rule: Rule, case: Mapping[str, Any], engines: EnginesByPolicy) -> CaseOutcome:
    """Judge one case by its own rule and compare with what it expects."""
    name = str(case.get("name"))
    try:
        engine = engines.under(policies_of(case))
        work = engine.work(case_encounter(case, engines.pack.case_date))
        return CaseOutcome(rule.id, name, _problem(work, rule, case))
    except IvpushError as error:
        return CaseOutcome(rule.id, name, str(error))


def _problem(work: Worked, rule: Rule, case: Mapping[str, Any]) -> str:
    """What a case expects and does not get, or gets and does not expect; empty where neither."""
    comparison = compare(
        expectations_of(case),
        [
            finding_of(broken, subject, work)
            for broken, subject in work.findings.broken
            if broken.id == rule.id
        ],
    )
    parts = []
    if comparison.missing:
        subjects = sorted(expectation.subject for expectation in comparison.missing)
        parts.append("did not fire on " + ", ".join(subjects))
    if comparison.surplus:
        subjects = sorted(finding.subject for finding in comparison.surplus)
        parts.append("fired on " + ", ".join(subjects))
    # A rule may be unjudged on one line and judged on another; a case then must say so too.
    lacking = findings.lacking(work.findings, work.facts, work.book).get(rule.id)
    if lacking is not None and "unjudged" not in case:
        parts.append("could not be judged for want of " + ", ".join(lacking))
    if lacking is None and "unjudged" in case:
        parts.append("was judged after all")
    return "; ".join(parts)
