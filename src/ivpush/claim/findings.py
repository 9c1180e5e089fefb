"""Runs the compiled rules over the facts of one encounter: violations and unjudged rules.

The engine judges with ``run``, then has what was found put in words by ``worded`` and
``unjudged``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from ivpush.claim.correction import mended
from ivpush.claim.fingerprints import Fingerprints
from ivpush.claim.folding import RANK, folded
from ivpush.coding.suggestions import SharedIds
from ivpush.contract.facts import AdministrationFacts, LineFacts, ServiceFacts, SuggestionFacts
from ivpush.contract.result import Edit, Unjudged, Violation
from ivpush.pack.edits import Corrected, DropModifiers

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine
    from ivpush.contract.facts import EncounterFacts
    from ivpush.contract.result import Status
    from ivpush.pack.book import Book
    from ivpush.pack.edits import LineEdit
    from ivpush.pack.rule import Rule
    from ivpush.pack.screens import Screen

    Subject = EncounterFacts | LineFacts | AdministrationFacts | ServiceFacts | SuggestionFacts

__all__ = [
    "Finding",
    "Findings",
    "Heard",
    "Judged",
    "Worded",
    "errors_of",
    "lacking",
    "lacks_chart",
    "line_edits",
    "run",
    "standing",
    "status_of",
    "unjudged",
    "worded",
]


class Finding(NamedTuple):
    """A rule and the record that it speaks of."""

    rule: Rule
    subject: Subject


_OF_CLAIM = frozenset({"setting", "date", "payer", "type_of_bill", "place_of_service", "lines"})
"""Fields that a claim states."""


@dataclass(slots=True, eq=False, repr=False)
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
    memo: dict[str, object] = {}
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
        yield screens.of_line(line), line
    yield screens.about("encounter"), facts
    # Without a chart these rules are unjudged as a whole, by ``uncharted``.
    if not facts.charted:
        return
    for administration in facts.administrations or ():
        yield screens.of_administration(administration), administration
    if screens.rules_about("service"):
        for service in facts.services:
            yield screens.about("service"), service
    for suggestion in facts.suggestions:
        yield screens.about("suggestion"), suggestion


def unjudged(
    judged: Judged, heard: Iterable[Heard], missing: Sequence[str]
) -> tuple[Unjudged, ...]:
    """Rules that lacked a fact, by id, with the paths of what they lacked.

    ``missing`` are the open facts that decide whether a finding stands that is not ``heard``.
    """
    known = _uncharted(judged.findings, judged.book)
    paths = _unsure(judged.findings, judged.facts, judged.book, known)
    if missing:
        stands = {_key(each.finding) for each in heard}
        for finding in judged.findings.broken:
            if _key(finding) not in stands:
                lacked = (*paths.get(finding.rule.id, ()), *missing)
                paths[finding.rule.id] = tuple(dict.fromkeys(lacked))
    rows = known | {rule: Unjudged(rule, lacked) for rule, lacked in paths.items()}
    return tuple([rows[rule] for rule in sorted(rows)])


def lacking(findings: Findings, facts: EncounterFacts, book: Book) -> dict[str, tuple[str, ...]]:
    """The facts that each unjudged rule lacked, as paths in order, by the rule's id."""
    known = _uncharted(findings, book)
    return {rule: row.missing for rule, row in known.items()} | _unsure(
        findings, facts, book, known
    )


def _uncharted(findings: Findings, book: Book) -> dict[str, Unjudged]:
    """Where no chart came: the rules that lack it and nothing else."""
    if not findings.uncharted:
        return {}
    screens = book.screens
    rows = dict(screens.uncharted)
    for rule, _ in findings.unsure:
        if rule.id not in rows and (row := screens.lacking_chart(rule)) is not None:
            rows[rule.id] = row
    return rows


def _unsure(
    findings: Findings, facts: EncounterFacts, book: Book, known: Mapping[str, Unjudged]
) -> dict[str, tuple[str, ...]]:
    """The facts that unjudged rules lacked, but for rules of which that is ``known``."""
    paths: dict[str, dict[str, bool]] = {}
    for rule, subject in findings.unsure:
        if rule.id not in known:
            held = paths.setdefault(rule.id, {})
            rule.compiled.missing(facts, subject, book.policy, book.limits, held)
    return {rule: tuple(held) for rule, held in paths.items()}


class Heard(NamedTuple):
    """A finding with the facts by which it was judged, and by which it is put in words."""

    finding: Finding
    facts: EncounterFacts
    book: Book


class Judged(NamedTuple):
    """A claim judged by one reading of the chart."""

    facts: EncounterFacts
    findings: Findings
    book: Book

    def heard(self) -> list[Heard]:
        """Every finding."""
        return [Heard(finding, self.facts, self.book) for finding in self.findings.broken]


def standing(
    meanwhile: Sequence[Heard], nearest: Judged, part: int | None, open_codes: Collection[str]
) -> list[Heard]:
    """What is wrong either way: by what is suggested meanwhile, and by the nearest answers.

    Errors and edits stand only where the nearest answers find them too; what these find on the
    claim comes with them. The rest rests on the chart as it is, and so does what is said of other
    encounters than the one of which the answers speak; None: the claim is one. Of codes that a
    further question decides nothing is certain but what the claim alone shows.
    """
    first = {_key(heard.finding) for heard in meanwhile}
    certain = [
        each
        for each in nearest.heard()
        if _code(each.finding) not in open_codes or _shown_by_claim(each)
    ]
    second = {_key(heard.finding) for heard in certain}
    kept = [
        stands
        for heard in meanwhile
        if (stands := _either_way(heard, second) if _may_concern(heard, part) else heard)
        is not None
    ]
    return kept + [
        heard
        for heard in certain
        if _contested(heard.finding)
        and _of_family(heard.finding.subject)
        and _key(heard.finding) not in first
        and _may_concern(heard, part)
    ]


def _shown_by_claim(heard: Heard) -> bool:
    """Whether a finding looks at nothing but the claim: no answer about the chart touches it."""
    (rule, subject), book = heard.finding, heard.book
    paths = rule.compiled.evidence(heard.facts, subject, book.policy, book.limits)
    return all(path.partition("[")[0] in _OF_CLAIM for path in paths)


def _of_family(subject: Subject) -> bool:
    """Whether a finding is about administration codes, billed or suggested.

    What answers find on the chart would speak of facts that nobody charted, and what they find on a
    drug line, of a drug that they only guess.
    """
    match subject:
        case LineFacts() as line:
            return line.coded.in_family
        case SuggestionFacts():
            return True
    return False


def _code(finding: Finding) -> str | None:
    """The code of the line that a finding speaks of, billed or suggested."""
    match finding.subject:
        case LineFacts() as line:
            return line.given.code
        case SuggestionFacts() as suggestion:
            return suggestion.code
    return None


def _may_concern(heard: Heard, part: int | None) -> bool:
    """Whether a finding may be about one encounter of a claim; what is said of all may."""
    if part is None:
        return True
    match heard.finding.subject:
        case LineFacts() as line:
            # None is the date of no charted encounter, of which no answer speaks.
            return line.beside.part == part
        case AdministrationFacts() as administration:
            return administration.part == part
        case ServiceFacts() | SuggestionFacts() as subject:
            return subject.administrations[0].part == part
    return True


def _either_way(heard: Heard, nearest: Collection[tuple[str, object]]) -> Heard | None:
    """What stands of a finding, whose like the nearest answers bring or do not."""
    rule = heard.finding.rule
    # A lighter finding without an edit moves no money, so it may stand on one reading.
    if not _contested(heard.finding) or _key(heard.finding) in nearest:
        return heard
    if rule.disposition != "needs_documentation":
        return None
    # While its question is open, what the record lacks is worth a warning, but no edit.
    milder = heard.finding._replace(rule=replace(rule, severity="warning", edit=None))
    return heard._replace(finding=milder)


def _contested(finding: Finding) -> bool:
    """Whether a finding may be wrong of a claim that equals an answer of an open question."""
    return finding.rule.severity == "error" or finding.rule.edit is not None


def _key(finding: Finding) -> tuple[str, object]:
    rule, subject = finding
    # By number and id, not by object: each reading of the chart makes facts of its own.
    match subject:
        case LineFacts():
            return rule.id, subject.given.number
        case AdministrationFacts():
            return rule.id, subject.given.id
        case ServiceFacts() | SuggestionFacts():
            # By encounter too: each of a claim has services of its own.
            return rule.id, (subject.code, subject.administrations[0].part)
    return rule.id, None


class Worded(NamedTuple):
    """Every finding in words, those that follow from others too."""

    every: Sequence[Violation]
    follows: Mapping[str, tuple[str, ...]]
    lines: Sequence[LineFacts]

    def violations(self, silent: Collection[str] = ()) -> tuple[Violation, ...]:
        """Broken rules as they go out: by line, then severity, then rule; one for each fault.

        Rules that are ``silent`` explain nothing: what follows from them alone comes forward.
        """
        speaking = [each for each in self.every if each.rule not in silent]
        broken = folded(speaking, self.follows, self.lines)
        broken.sort(key=_place)
        return tuple(broken)


def worded(
    findings: Sequence[Heard], facts: EncounterFacts, corrected: tuple[ClaimLine, ...] | None
) -> Worded:
    """Findings in words; ``corrected`` is the claim to send instead."""
    whole = None
    # Made once and shared: the change of the whole claim is the same for each finding.
    if any(isinstance(heard.finding.rule.edit, Corrected) for heard in findings):
        whole = _whole_edit(facts, corrected)
    follows = {heard.finding.rule.id: heard.finding.rule.follows_from for heard in findings}
    fingerprints = Fingerprints(facts.lines or ())
    ids = SharedIds()
    every = [_violation(heard, whole, fingerprints, ids) for heard in findings]
    return Worded(every, follows, facts.lines or ())


def _place(violation: Violation) -> tuple[object, ...]:
    return (
        # False sorts first: findings of lines in claim order, then those of the whole.
        violation.line is None,
        violation.line,
        RANK[violation.severity],
        violation.rule,
        violation.administrations,
    )


def _violation(
    heard: Heard, whole: Edit | None, fingerprints: Fingerprints, ids: SharedIds
) -> Violation:
    (rule, subject), facts, book = heard
    line, administrations = _about(heard.finding)
    looked_at = (facts, subject, book.policy, book.limits)
    return Violation(
        rule=rule.id,
        name=rule.name,
        severity=rule.severity,
        disposition=rule.disposition,
        line=line.given.number if line is not None else None,
        administrations=ids.of(administrations),
        message=rule.message.render(*looked_at),
        fix=rule.fix_for(*looked_at),
        evidence=rule.compiled.evidence(*looked_at),
        edit=_edit(rule, line, book, whole),
        folds=(),
        fingerprint=_fingerprint(heard.finding, fingerprints),
        carc=rule.carc,
        rarc=rule.rarc,
        cites=rule.cites,
    )


def _fingerprint(finding: Finding, fingerprints: Fingerprints) -> str:
    rule, kind = finding.rule.id, finding.rule.for_each
    match finding.subject:
        case LineFacts() as line:
            return fingerprints.of_line(rule, line)
        case SuggestionFacts() as suggestion:
            return fingerprints.of_suggestion(rule, suggestion)
        case _:
            _, administrations = _about(finding)
            return fingerprints.of_place(rule, kind, [each.index for each in administrations])


def _about(finding: Finding) -> tuple[LineFacts | None, Sequence[AdministrationFacts]]:
    """The line and the administrations that a finding speaks of."""
    subject = finding.subject
    match subject:
        case LineFacts():
            return subject, subject.match.administrations or ()
        case AdministrationFacts():
            return None, (subject,)
        case ServiceFacts() | SuggestionFacts():
            return None, subject.administrations
    return None, ()


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
    if isinstance(rule.edit, Corrected):
        return whole
    if line is None:
        return None
    changed = mended(line.given, rule.edit, book)
    return Edit((line.given,), () if changed is None else (changed,), rule.safety)


def line_edits(findings: Findings) -> dict[int, list[LineEdit]]:
    """The safe edits that broken rules ask of single lines, by line number.

    Lines of the family follow the chart; of them a rule takes off no more than a modifier.
    """
    by_number: dict[int, list[LineEdit]] = {}
    for rule, line in findings.broken:
        edit = rule.edit
        if edit is None or isinstance(edit, Corrected) or rule.safety != "safe":
            continue
        if not isinstance(line, LineFacts):
            continue
        # Else rule and matching would both change the line.
        if line.match.status in {"outside", None} or isinstance(edit, DropModifiers):
            by_number.setdefault(line.given.number, []).append(edit)
    return by_number


def errors_of(findings: Findings) -> tuple[str, ...]:
    """The errors among findings, each as its rule and its line."""
    errors = []
    for rule, subject in findings.broken:
        if rule.severity == "error":
            place = f" on line {subject.given.number}" if isinstance(subject, LineFacts) else ""
            errors.append(f"{rule.id} {rule.name}{place}")
    return tuple(dict.fromkeys(errors))


def lacks_chart(facts: EncounterFacts, findings: Findings) -> bool:
    """Whether no chart came, though what is billed cannot be judged without it.

    A claim of other services is judged by itself. What was given can be judged by a chart alone, so
    that without a claim, or where nothing is billed, there is nothing to judge.
    """
    if facts.charted:
        return False
    if not facts.lines or any(line.coded.is_drug for line in facts.lines):
        return True
    return any(isinstance(finding.subject, LineFacts) for finding in findings.unsure)


def status_of(violations: Iterable[Violation], *, unsettled: bool) -> Status:
    """The status of a result: any error, else what is ``unsettled`` without more, else clean."""
    if any(violation.severity == "error" for violation in violations):
        return "violations"
    return "needs_chart" if unsettled else "clean"
