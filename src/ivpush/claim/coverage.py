"""What one encounter was checked against, and what was not checked and why.

The engine calls ``coverage_of`` where a caller asks for it, after all else is worked out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from ivpush.contract.coverage import (
    CheckedAdministration,
    CheckedLine,
    CheckedTable,
    Coverage,
    LiftedPair,
    NotChecked,
)
from ivpush.contract.encounter import ClaimLine, Encounter, Supervision
from ivpush.contract.facts import AdministrationFacts, LineFacts
from ivpush.pack.releases import QUARTERLY, TABLES, TITLES, quarter_end

if TYPE_CHECKING:
    from ivpush.claim.findings import Findings, Judged
    from ivpush.contract.facts import EncounterFacts
    from ivpush.contract.result import Unjudged
    from ivpush.pack.book import Book
    from ivpush.pack.pack import Pack
    from ivpush.pack.rule import Rule

__all__ = ["coverage_of", "needs_chart"]

_STATED = frozenset().union(
    Encounter.model_fields, Supervision.model_fields, ClaimLine.model_fields
)
"""Fields of the contract that a claim may state."""
_SURROUNDINGS = ("owners", "procedures", "uses", "beside")
"""The tables by which coding sets a dose beside the other services of its day."""
_OF_DRUGS = ("drug.", "waste.")
"""Facts of a line that are looked up for drugs alone, by the beginnings of their paths."""
_POSITIONS = {
    None: "No payer is named",
    False: "This payer has no overlay",
    True: "This payer's overlay does not say",
}
"""Why the payer's position on a policy is not known, by whether the payer is known."""


class _Judging(NamedTuple):
    """A line or an administration, and the rules that were judged on it."""

    subject: LineFacts | AdministrationFacts
    rules: tuple[Rule, ...]


def coverage_of(
    judged: Judged,
    unjudged: Sequence[Unjudged],
    *,
    pack: Pack,
    heard: Collection[str],
    silent: Collection[str],
) -> Coverage:
    """What was checked of one encounter, and what was not.

    ``unjudged`` is what the result says; ``heard`` names the policies that coding the chart asked
    for, and ``silent`` the rules that may not speak.
    """
    facts, book = judged.facts, judged.book
    judgings = [*_judgings(judged, silent)]
    tables = _tables(judgings, facts, book)
    return Coverage(
        lines=tuple(
            CheckedLine(subject.given.number, subject.given.code, len(by))
            for subject, by in judgings
            if isinstance(subject, LineFacts)
        ),
        administrations=tuple(
            CheckedAdministration(subject.given.id, len(by))
            for subject, by in judgings
            if isinstance(subject, AdministrationFacts)
        ),
        tables=tables,
        lifted=tuple(_lifted(facts.lines or (), facts.given.setting, book)),
        not_checked=(
            *_left_out(pack, book, silent),
            *_unjudged(unjudged, judged),
            *_outside(facts.lines or ()),
            *_outdated(tables, book),
            *_of_payer(judged, judgings, pack=pack, heard=heard),
        ),
    )


def needs_chart(unjudged: Unjudged) -> bool:
    """Whether a rule lacks what no field of a claim could state."""
    names = [path.rpartition(".")[2] for path in unjudged.missing]
    return any(name == "administrations" or name not in _STATED for name in names)


# What was checked


def _judgings(judged: Judged, silent: Collection[str]) -> Iterator[_Judging]:
    facts, screens = judged.facts, judged.book.screens
    # By identity: facts are themselves, and stay alive for as long as this is worked out.
    unsure = {(id(subject), rule.id) for rule, subject in judged.findings.unsure}
    of_lines: list[tuple[LineFacts | AdministrationFacts, tuple[Rule, ...]]] = [
        (line, (*screens.rules_about("line"), *screens.rules_of_code(line.given.code)))
        for line in facts.lines or ()
    ]
    about = screens.rules_about("administration")
    for subject, rules in (*of_lines, *((each, about) for each in facts.administrations or ())):
        able = [rule for rule in rules if rule.id not in silent]
        yield _Judging(
            subject, tuple([rule for rule in able if (id(subject), rule.id) not in unsure])
        )


def _tables(
    judgings: Sequence[_Judging], facts: EncounterFacts, book: Book
) -> tuple[CheckedTable, ...]:
    """The tables in force in which something was looked up."""
    looked_up: dict[str, list[LineFacts | AdministrationFacts]] = {}
    for subject, rules in judgings:
        for kind in _kinds(subject, rules, facts):
            looked_up.setdefault(kind, []).append(subject)
    charted = facts.administrations or ()
    for kind in _SURROUNDINGS if charted and _billed_beside(facts) else ():
        looked_up.setdefault(kind, []).extend(charted)
    held = [kind for kind in TABLES if kind in looked_up and kind in book.in_force]
    return tuple([_table(kind, looked_up[kind], facts, book) for kind in held])


def _kinds(
    subject: LineFacts | AdministrationFacts, rules: Iterable[Rule], facts: EncounterFacts
) -> set[str]:
    """The kinds of tables in which rules looked something up of a subject."""
    kinds: set[str] = set()
    for rule in rules:
        for scope, fact in rule.compiled.looked_up:
            record = {rule.for_each: subject, "encounter": facts}.get(scope)
            if record is None or not _is_of(fact.path, subject):
                continue
            # Unknown: there was nothing to look up, such as a line without an NDC.
            if attrgetter(fact.path)(record) is not None:
                kinds.update(fact.tables)
    return kinds


def _is_of(path: str, subject: LineFacts | AdministrationFacts) -> bool:
    """Whether a fact is looked up for such a subject at all."""
    if not isinstance(subject, LineFacts) or not path.startswith(_OF_DRUGS):
        return True
    return subject.coded.is_drug


def _billed_beside(facts: EncounterFacts) -> bool:
    return any(not line.coded.in_family for line in facts.lines or ())


def _table(
    kind: str,
    subjects: Iterable[LineFacts | AdministrationFacts],
    facts: EncounterFacts,
    book: Book,
) -> CheckedTable:
    lines = [each.given for each in subjects if isinstance(each, LineFacts)]
    release = book.in_force[kind]
    return CheckedTable(
        kind=kind,
        title=TITLES[kind],
        release=release,
        quarter_ends=quarter_end(release) if kind in QUARTERLY else None,
        lines=tuple([line.number for line in lines]),
        without_row=tuple(
            [
                line.number
                for line in lines
                if book.has_row(kind, line.code, facts.given.setting) is False
            ]
        ),
        administrations=tuple(
            [each.given.id for each in subjects if isinstance(each, AdministrationFacts)]
        ),
    )


def _lifted(lines: Sequence[LineFacts], setting: str, book: Book) -> Iterator[LiftedPair]:
    """Pairs of indicator 1 that are billed, and that a modifier of either line lifts."""
    for line in lines:
        pairs = book.pairs_of(line.given.code, setting)
        if pairs is None:
            continue
        for other in lines:
            # No code forms a pair with itself.
            if other.service_date != line.service_date:
                continue
            if other.given.code in pairs.with_modifier - book.flushes:
                yield from _lifting(line, other, book)


def _lifting(line: LineFacts, into: LineFacts, book: Book) -> Iterator[LiftedPair]:
    able = book.visit_modifiers if line.coded.family == "visit" else book.lifting_modifiers
    by, marks = line, line.marks.modifiers & able
    # The column-1 code is taken out of ``modifier_beside`` where its own modifier counts.
    if not marks and into.given.code not in (line.modifier_beside or ()):
        by, marks = into, into.marks.modifiers & book.lifting_modifiers
    if marks:
        yield LiftedPair(
            code=line.given.code,
            line=line.given.number,
            into=into.given.code,
            into_line=into.given.number,
            modifier=min(marks),
            by_line=by.given.number,
        )


# What was not checked


def _left_out(pack: Pack, book: Book, silent: Collection[str]) -> Iterator[NotChecked]:
    in_force, day = {rule.id for rule in book.rules}, book.opened_on
    left_out = tuple(sorted(in_force.intersection(silent)))
    if left_out:
        because = "The configuration leaves these rules out."
        yield NotChecked("silenced", because, rules=left_out)
    off = tuple([rule.id for rule in pack.rules if rule.in_force(day) and rule.id not in in_force])
    if off:
        yield NotChecked("switched_off", "The payer's overlay switches these rules off.", rules=off)


def _unjudged(unjudged: Sequence[Unjudged], judged: Judged) -> Iterator[NotChecked]:
    charted, rules_by_id = judged.facts.charted, {rule.id: rule for rule in judged.book.rules}
    waiting: list[str] = []
    without: dict[str, set[str]] = {}
    by_missing: dict[tuple[str, ...], list[str]] = {}
    for each in unjudged:
        if tables := _not_held(each, rules_by_id[each.rule], judged.book):
            without[each.rule] = tables
        elif not charted and needs_chart(each):
            waiting.append(each.rule)
        else:
            by_missing.setdefault(each.missing, []).append(each.rule)
    if without:
        kinds = [kind for kind in TABLES if kind in set().union(*without.values())]
        because = f"No edition is held that counts on the service date of {_titles(kinds)}."
        yield NotChecked("table_missing", because, rules=tuple(without), tables=tuple(kinds))
    if waiting:
        because = "No chart came, but these rules look at the chart."
        yield NotChecked("needs_chart", because, rules=tuple(waiting))
    for missing, rules in by_missing.items():
        yield _for_want_of(missing, rules, judged.findings)


def _not_held(unjudged: Unjudged, rule: Rule, book: Book) -> set[str]:
    """The kinds of tables that would say what a rule lacked, and of which none is in force."""
    lacked = {path.rpartition(".")[2] for path in unjudged.missing}
    return {
        kind
        for _, fact in rule.compiled.looked_up
        if fact.path.rpartition(".")[2] in lacked
        for kind in fact.tables
        if kind not in book.in_force
    }


def _titles(kinds: Iterable[str]) -> str:
    return ", ".join(TITLES[kind] for kind in kinds)


def _for_want_of(missing: tuple[str, ...], rules: Sequence[str], findings: Findings) -> NotChecked:
    subjects = [subject for rule, subject in findings.unsure if rule.id in rules]
    lines = [each.given.number for each in subjects if isinstance(each, LineFacts)]
    given = [each.given.id for each in subjects if isinstance(each, AdministrationFacts)]
    return NotChecked(
        "fact_unknown",
        "Nobody stated what these rules need to know.",
        rules=tuple(rules),
        missing=missing,
        lines=tuple(dict.fromkeys(lines)),
        administrations=tuple(dict.fromkeys(given)),
    )


def _outside(lines: Iterable[LineFacts]) -> Iterator[NotChecked]:
    outside = [line for line in lines if not line.coded.in_family and not line.coded.is_drug]
    if outside:
        numbers = tuple([line.given.number for line in outside])
        because = (
            "These lines bill no administration and no drug, so only the administrations beside "
            "them were looked at."
        )
        yield NotChecked("outside_family", because, lines=numbers)


def _outdated(tables: Iterable[CheckedTable], book: Book) -> Iterator[NotChecked]:
    day = book.date or book.opened_on
    dated = [(table.kind, table.quarter_ends) for table in tables]
    late = [kind for kind, last in dated if last is not None and last < day]
    if late:
        because = f"The service date is past the quarter of {_titles(late)}."
        yield NotChecked("table_outdated", because, tables=tuple(late))


def _of_payer(
    judged: Judged, judgings: Iterable[_Judging], *, pack: Pack, heard: Collection[str]
) -> Iterator[NotChecked]:
    book = judged.book
    read = {name for _, rules in judgings for rule in rules for name in rule.compiled.policies}
    stated: Collection[str] = ()
    if book.payer is not None:
        overlay = pack.payers[book.payer].speaking(book.opened_on, judged.facts.given.setting)
        stated = overlay.policies
    disputed = [name for name, _ in book.disputes if name in read.union(heard)]
    policies = tuple([name for name in disputed if name not in stated])
    if policies:
        whose = _POSITIONS[book.payer_known]
        because = f"{whose}, and payers differ on these policies: the default was taken."
        yield NotChecked("payer_position", because, policies=policies)
