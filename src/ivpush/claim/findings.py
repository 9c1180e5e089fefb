"""Runs the compiled rules over the facts of one encounter: violations and unjudged rules.

The engine judges with ``run``, then has what was found put in words by ``violations`` and
``unjudged``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ivpush.claim.correction import mended
from ivpush.contract.result import Edit, Unjudged, Violation

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine
    from ivpush.contract.facts import (
        AdministrationFacts,
        EncounterFacts,
        LineFacts,
        ServiceFacts,
        SuggestionFacts,
    )
    from ivpush.contract.result import Status
    from ivpush.pack.book import Book
    from ivpush.pack.rule import Rule
    from ivpush.pack.screens import Screen

    Subject = EncounterFacts | LineFacts | AdministrationFacts | ServiceFacts | SuggestionFacts

__all__ = [
    "Finding",
    "Findings",
    "lacking",
    "line_edits",
    "run",
    "status_of",
    "unjudged",
    "violations",
]

_RANK = {"error": 0, "warning": 1, "info": 2}


class Finding(NamedTuple):
    """A rule and the record that it speaks of."""

    rule: Rule
    subject: Subject


@dataclass(slots=True)
class Findings:
    """What the rules said: broken and unjudged ones, each with its subject."""

    broken: list[Finding] = field(default_factory=list)
    unsure: list[Finding] = field(default_factory=list)
    uncharted: tuple[Rule, ...] = ()
    """Rules about the chart, where none came."""


def run(facts: EncounterFacts, book: Book) -> Findings:
    """Judge every rule in force on its subjects; lines are dispatched by billed code."""
    findings = Findings(uncharted=() if facts.charted else book.screens.chart_rules)
    # What is said of the whole encounter is worked out once for all subjects.
    memo: dict[str, Any] = {}
    for screen, subject in _judged(facts, book):
        for number in screen.judge(facts, subject, memo):
            # ~n, always negative: rule n could not be judged.
            if number >= 0:
                findings.broken.append(Finding(screen.rules[number], subject))
            else:
                findings.unsure.append(Finding(screen.rules[~number], subject))
    return findings


def _judged(facts: EncounterFacts, book: Book) -> Iterator[tuple[Screen, Subject]]:
    """Every subject with the rules that may speak of it."""
    screens = book.screens
    for line in facts.lines or ():
        yield screens.of_line(line.given.code), line
    yield screens.about("encounter"), facts
    if not facts.charted:
        return
    for kind, subjects in (
        ("administration", facts.administrations or ()),
        ("service", facts.services),
        ("suggestion", facts.suggestions),
    ):
        screen = screens.about(kind)
        if screen.rules:
            for subject in subjects:
                yield screen, subject


def unjudged(findings: Findings, facts: EncounterFacts, book: Book) -> tuple[Unjudged, ...]:
    """Rules that lacked a fact, by id, with the paths of what they lacked."""
    paths = lacking(findings, facts, book)
    return tuple([Unjudged(rule, paths[rule]) for rule in sorted(paths)])


def lacking(findings: Findings, facts: EncounterFacts, book: Book) -> dict[str, tuple[str, ...]]:
    """The facts that each unjudged rule lacked, as paths in order, by the rule's id."""
    paths: dict[str, dict[str, bool]] = {}
    for rule, subject in findings.unsure:
        held = paths.setdefault(rule.id, {})
        rule.compiled.missing(facts, subject, book.policy, book.limits, held)
    for rule in findings.uncharted:
        paths.setdefault(rule.id, {})["administrations"] = True
    return {rule: tuple(held) for rule, held in paths.items()}


def violations(
    findings: Findings,
    facts: EncounterFacts,
    book: Book,
    corrected: tuple[ClaimLine, ...] | None,
) -> tuple[Violation, ...]:
    """Broken rules as they go out: by line, then severity, then rule."""
    whole = None
    if any(rule.edit == "corrected" for rule, _ in findings.broken):
        whole = _whole_edit(facts, corrected)
    broken = [_violation(finding, facts, book, whole) for finding in findings.broken]
    broken.sort(key=_place)
    return tuple(broken)


def _place(violation: Violation) -> tuple[object, ...]:
    return (
        violation.line is None,
        violation.line or 0,
        _RANK[violation.severity],
        violation.rule,
        violation.administrations,
    )


def _violation(
    finding: Finding, facts: EncounterFacts, book: Book, whole: Edit | None
) -> Violation:
    rule, subject = finding
    line, administrations = _about(finding)
    looked_at = (facts, subject, book.policy, book.limits)
    return Violation(
        rule=rule.id,
        name=rule.name,
        severity=rule.severity,
        disposition=rule.disposition,
        line=line.given.number if line is not None else None,
        administrations=tuple([each.given.id for each in administrations]),
        message=rule.message.render(*looked_at),
        fix=rule.fix_for(*looked_at),
        evidence=rule.compiled.evidence(*looked_at),
        edit=_edit(rule, line, book, whole),
        carc=rule.carc,
        rarc=rule.rarc,
        cites=rule.cites,
    )


def _about(finding: Finding) -> tuple[LineFacts | None, Iterable[AdministrationFacts]]:
    """The line and the administrations that a finding speaks of."""
    subject: Any = finding.subject
    if finding.rule.for_each == "line":
        return subject, subject.match.administrations or ()
    if finding.rule.for_each == "administration":
        return None, (subject,)
    if finding.rule.for_each == "encounter":
        return None, ()
    return None, subject.administrations


def _whole_edit(facts: EncounterFacts, corrected: tuple[ClaimLine, ...] | None) -> Edit | None:
    """The change from the claim to the corrected one, if there is any."""
    billed = facts.given.lines or ()
    if corrected is None or corrected == billed:
        return None
    # Lines that stay are the very same objects on both sides.
    kept = {id(line) for line in billed} & {id(line) for line in corrected}
    return Edit(
        before=tuple([line for line in billed if id(line) not in kept]),
        after=tuple([line for line in corrected if id(line) not in kept]),
    )


def _edit(rule: Rule, line: LineFacts | None, book: Book, whole: Edit | None) -> Edit | None:
    if rule.edit is None:
        return None
    if rule.edit == "corrected":
        return whole
    if line is None:
        return None
    changed = mended(line.given, rule.edit, book)
    return Edit((line.given,), () if changed is None else (changed,))


def line_edits(findings: Findings) -> dict[int, list[Any]]:
    """The edits that broken rules ask of lines outside the family, by line number."""
    by_number: dict[int, list[Any]] = {}
    for rule, subject in findings.broken:
        line: Any = subject
        if rule.for_each != "line" or rule.edit in (None, "corrected"):
            continue
        if line.match.status in {"outside", None}:
            by_number.setdefault(line.given.number, []).append(rule.edit)
    return by_number


def status_of(violations: Iterable[Violation], *, asked: bool) -> Status:
    """The status of a result: any error, else an open question, else clean."""
    if any(violation.severity == "error" for violation in violations):
        return "violations"
    return "needs_chart" if asked else "clean"
