"""What a case expects of its rule, what the rule said, and whether the two agree.

``authoring.cases`` takes what the rule said from a whole run of the engine. ``authoring.mutation``
judges one rule alone on facts that are worked out already, because it tries the same case with
hundreds of changed rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ivpush.contract.facts import EncounterFacts
from ivpush.engine import Worked
from ivpush.pack.pack import Pack
from ivpush.pack.rule import Rule

__all__ = [
    "Comparison",
    "Expectation",
    "Finding",
    "RuleVerdict",
    "case_holds",
    "compare",
    "expectations_of",
    "finding_of",
    "judge_alone",
    "subject_name",
    "subjects_of",
]


class Finding(NamedTuple):
    """Where a rule is broken, as cases name it, and the texts that a user would read."""

    subject: str
    """Such as ``line 2`` or ``administration a1``."""
    message: str = ""
    fix: str = ""


class Expectation(NamedTuple):
    """One finding that a case expects; of the texts it may name parts."""

    subject: str
    message_part: str = ""
    fix_part: str = ""

    def met_by(self, finding: Finding) -> bool:
        """Whether this finding is the one expected."""
        return (
            finding.subject == self.subject
            and self.message_part in finding.message
            and self.fix_part in finding.fix
        )


class Comparison(NamedTuple):
    """Where findings and expectations differ: nothing in either list means that they agree."""

    missing: list[Expectation]
    surplus: list[Finding]


def compare(expected: Sequence[Expectation], findings: Sequence[Finding]) -> Comparison:
    """Expectations that no finding meets, and findings that nobody expected."""
    return Comparison(
        missing=[
            expectation
            for expectation in expected
            if not any(expectation.met_by(finding) for finding in findings)
        ],
        surplus=[
            finding
            for finding in findings
            if not any(expectation.met_by(finding) for expectation in expected)
        ],
    )


def expectations_of(case: Mapping[str, Any]) -> list[Expectation]:
    """What a case expects under ``expect``."""
    return [
        Expectation(
            subject=" ".join(
                f"{key} {value}" for key, value in stated.items() if key not in {"message", "fix"}
            ),
            message_part=stated.get("message", ""),
            fix_part=stated.get("fix", ""),
        )
        for stated in case.get("expect") or ()
    ]


def subject_name(rule: Rule, subject: Any) -> str:
    """A subject as cases name it, such as ``line 2``."""
    if rule.for_each == "line":
        return f"line {subject.given.number}"
    if rule.for_each == "administration":
        return f"administration {subject.given.id}"
    if rule.for_each == "encounter":
        return "encounter true"
    return f"{rule.for_each} {subject.code}"


def finding_of(rule: Rule, subject: Any, work: Worked) -> Finding:
    """The finding that a broken rule makes of a subject."""
    facts, policy, limits = work.facts, work.book.policy, work.book.limits
    return Finding(
        subject_name(rule, subject),
        rule.message.render(facts, subject, policy, limits),
        rule.fix_for(facts, subject, policy, limits),
    )


class RuleVerdict(NamedTuple):
    """What one rule says of one encounter."""

    broken_on: Sequence[Any] = ()
    """Subjects that break it."""
    unjudged: bool = False
    """Whether it lacked a fact on any subject."""


def judge_alone(rule: Rule, work: Worked, pack: Pack) -> RuleVerdict:
    """One rule on the facts of an encounter, whatever rules the pack itself has."""
    facts, book = work.facts, work.book
    day = work.encounter.service_date or pack.checked
    if not rule.in_force(day) or not _applies_to(book.payer, rule, pack):
        return RuleVerdict()
    subjects = subjects_of(rule, facts)
    if subjects is None:
        return RuleVerdict(unjudged=True)
    judge = rule.compiled.judge
    verdicts = [(subject, judge(facts, subject, book.policy, book.limits)) for subject in subjects]
    # A compiled rule answers 1 where it is broken and 2 where a fact is missing.
    return RuleVerdict(
        broken_on=[subject for subject, verdict in verdicts if verdict == 1],
        unjudged=any(verdict == 2 for _, verdict in verdicts),
    )


def subjects_of(rule: Rule, facts: EncounterFacts) -> Iterable[Any] | None:
    """What a rule looks at; None where that stands in a chart and none came."""
    if rule.for_each == "line":
        return [
            line
            for line in facts.lines or ()
            if rule.codes is None or line.given.code in rule.codes
        ]
    if rule.for_each == "encounter":
        return (facts,)
    if not facts.charted:
        return None
    subjects: Iterable[Any] | None = getattr(facts, f"{rule.for_each}s")
    return subjects or ()


def _applies_to(payer: str | None, rule: Rule, pack: Pack) -> bool:
    """Whether a payer knows the rule: it is not switched off, and no other payer's own."""
    overlay = pack.payers.get(payer) if payer is not None else None
    if overlay is not None and rule.id in overlay.off:
        return False
    owners = [
        other.id for other in pack.payers.values() if any(own.id == rule.id for own in other.rules)
    ]
    return not owners or payer in owners


def case_holds(rule: Rule, case: Mapping[str, Any], work: Worked, pack: Pack) -> bool:
    """Whether a case comes out as it says when one rule alone judges its facts."""
    verdict = judge_alone(rule, work, pack)
    if verdict.unjudged != ("unjudged" in case):
        return False
    expected = expectations_of(case)
    # Texts are rendered only where the case looks at them: most cases name the subject alone.
    with_texts = any(stated.message_part or stated.fix_part for stated in expected)
    findings = [
        finding_of(rule, subject, work) if with_texts else Finding(subject_name(rule, subject))
        for subject in verdict.broken_on
    ]
    comparison = compare(expected, findings)
    return not comparison.missing and not comparison.surplus
