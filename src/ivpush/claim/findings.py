"""Runs the compiled rules over the facts of one encounter: violations and unjudged rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ivpush.claim.correction import mended
from ivpush.contract.encounter import ClaimLine
from ivpush.contract.result import Edit, Unjudged, Violation

if TYPE_CHECKING:
    from ivpush.contract.facts import EncounterFacts, LineFacts
    from ivpush.pack.book import Book
    from ivpush.pack.rule import Rule
    from ivpush.pack.screens import Screen

__all__ = [
    "Findings",
    "run",
]

_RANK = {"error": 0, "warning": 1, "info": 2}


class Findings:
    """What the rules said: broken and unjudged ones, each with its subject."""

    __slots__ = ("broken", "uncharted", "unsure")

    def __init__(self) -> None:
        self.broken: list[tuple[Rule, Any]] = []
        self.unsure: list[tuple[Rule, Any]] = []
        self.uncharted: tuple[Rule, ...] = ()
        """Rules about the chart, where none came."""


def run(facts: EncounterFacts, book: Book) -> Findings:
    """Judge every rule in force on its subjects; lines are dispatched by billed code."""
    found = Findings()
    screens = book.screens
    memo: dict[int, Any] = {}
    for line in facts.lines or ():
        screen = screens.of_line(line.given.code)
        verdicts = screen.judge(facts, line, memo)
        if verdicts:
            _note(found, screen, line, verdicts)
    screen = screens.about("encounter")
    verdicts = screen.judge(facts, facts, memo)
    if verdicts:
        _note(found, screen, facts, verdicts)
    if not facts.charted:
        found.uncharted = screens.chart_rules
        return found
    for one in facts.administrations or ():
        screen = screens.about("administration")
        verdicts = screen.judge(facts, one, memo)
        if verdicts:
            _note(found, screen, one, verdicts)
    for kind, subjects in (("service", facts.services), ("suggestion", facts.suggestions)):
        screen = screens.about(kind)
        if not screen.rules:
            continue
        judge = screen.judge
        for subject in subjects:
            verdicts = judge(facts, subject, memo)
            if verdicts:
                _note(found, screen, subject, verdicts)
    return found


def _note(found: Findings, screen: Screen, subject: Any, verdicts: list[int]) -> None:
    rules = screen.rules
    for number in verdicts:
        if number >= 0:
            found.broken.append((rules[number], subject))
        else:
            found.unsure.append((rules[~number], subject))


def lacking(found: Findings, facts: EncounterFacts, book: Book) -> dict[str, dict[str, bool]]:
    """The facts that each unjudged rule lacked, as paths in order, by the rule's id."""
    made: dict[str, dict[str, bool]] = {}
    policy, limits = book.policy, book.limits
    for rule, subject in found.unsure:
        held = made.get(rule.id)
        if held is None:
            held = made[rule.id] = {}
        rule.compiled.missing(facts, subject, policy, limits, held)
    for rule in found.uncharted:
        made.setdefault(rule.id, {})["administrations"] = True
    return made


def unjudged(found: Findings, facts: EncounterFacts, book: Book) -> tuple[Unjudged, ...]:
    """Rules that lacked a fact, by id."""
    held = lacking(found, facts, book)
    return tuple([Unjudged(rule, tuple(held[rule])) for rule in sorted(held)])


def violations(
    found: Findings, facts: EncounterFacts, book: Book, corrected: tuple[ClaimLine, ...] | None
) -> tuple[Violation, ...]:
    """Broken rules as they go out: by line, then severity, then rule."""
    whole = None
    if any(rule.edit == "corrected" for rule, _ in found.broken):
        whole = _whole_edit(facts, corrected)
    made = [_violation(rule, subject, facts, book, whole) for rule, subject in found.broken]
    made.sort(key=lambda v: (v.line is None, v.line or 0, _RANK[v.severity], v.rule,
                             v.administrations))  # fmt: skip
    return tuple(made)


def _violation(
    rule: Rule, subject: Any, facts: EncounterFacts, book: Book, whole: Edit | None
) -> Violation:  # fmt: skip
    policy, limits = book.policy, book.limits
    line = subject if rule.for_each == "line" else None
    if rule.for_each == "administration":
        given: tuple[str, ...] = (subject.given.id,)
    else:
        those = getattr(subject, "administrations", None) if subject is not facts else None
        given = tuple([one.given.id for one in those]) if those else ()
    return Violation(
        rule.id, rule.name, rule.severity, rule.disposition,
        line.given.number if line is not None else None, given,
        rule.message.render(facts, subject, policy, limits),
        rule.fix_for(facts, subject, policy, limits),
        rule.compiled.evidence(facts, subject, policy, limits),
        _edit(rule, line, book, whole), rule.carc, rule.rarc, rule.cites,
    )  # fmt: skip


def _whole_edit(facts: EncounterFacts, corrected: tuple[ClaimLine, ...] | None) -> Edit | None:
    """The change from the claim to the corrected one, if there is any."""
    billed = facts.given.lines or ()
    if corrected is None or corrected == billed:
        return None
    kept = set(map(id, billed)) & set(map(id, corrected))
    return Edit(tuple([one for one in billed if id(one) not in kept]),
                tuple([one for one in corrected if id(one) not in kept]))  # fmt: skip


def _edit(rule: Rule, line: LineFacts | None, book: Book, whole: Edit | None) -> Edit | None:
    if rule.edit is None:
        return None
    if rule.edit == "corrected":
        return whole
    if line is None:
        return None
    changed = mended(line.billed, rule.edit, book)
    return Edit((line.billed,), () if changed is None else (changed,))


def line_edits(found: Findings) -> dict[int, list[Any]]:
    """The edits that broken rules ask of lines outside the family, by line number."""
    by_number: dict[int, list[Any]] = {}
    for rule, subject in found.broken:
        if rule.for_each == "line" and rule.edit not in (None, "corrected"):
            if subject.status in {"outside", None}:
                by_number.setdefault(subject.given.number, []).append(rule.edit)
    return by_number
