"""One encounter in, one result out: the only place that knows all steps.

code the chart -> ask what is open -> read the claim -> match -> judge -> hold the answers against
it -> correct -> put in words
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, NamedTuple

from ivpush.claim.correction import apply_edits, corrected_lines, folded_units
from ivpush.claim.facts import encounter_facts, suggestion_facts
from ivpush.claim.findings import (
    Findings,
    Judged,
    Worded,
    errors_of,
    lacks_chart,
    line_edits,
    run,
    standing,
    status_of,
    unjudged,
    worded,
)
from ivpush.claim.lines import line_facts
from ivpush.claim.matching import Matching, match
from ivpush.claim.reading import nearest
from ivpush.coding.chart import CodedChart, code_chart, coded_beside
from ivpush.coding.questions import Asked, decides, questions_of
from ivpush.coding.suggestions import not_billable, suggested_lines
from ivpush.contract.encounter import encounter_of, refuse_single
from ivpush.contract.result import PackStamp, Question, Result, Source, SuggestedLine, Visit
from ivpush.errors import require_kind
from ivpush.pack.pack import Pack

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.permission import Standing
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import ClaimLine, Encounter, Record
    from ivpush.contract.facts import EncounterFacts
    from ivpush.pack.book import Book

__all__ = ["Engine", "Worked"]

_MOST_BOOKS = 4_096
"""Books an engine keeps; a batch seldom has more dates times payers."""

_MOST_ROUNDS = 4
"""How often a claim is corrected: a new code may ask an edit of another line."""


class _Opened(NamedTuple):
    """A book with what results say of it."""

    book: Book
    stamp: PackStamp


@dataclass(slots=True, eq=False, repr=False)
class Worked:
    """Everything that was worked out about one encounter; what a trace is drawn from."""

    pack: Pack
    book: Book
    coded: CodedChart
    facts: EncounterFacts
    findings: Findings
    worded: Worded
    """The findings in words, before any is folded into another."""
    result: Result
    proposed: tuple[ClaimLine, ...]
    """The claim with its safe edits, whether or not it is fit to send."""
    unsettled: bool
    """Whether a question is or may be open, or no chart came that the claim needs."""

    @property
    def encounter(self) -> Encounter:
        """What came in."""
        return self.coded.encounter

    @property
    def standing(self) -> Standing:
        """Who may bill at all."""
        return self.coded.standing

    @property
    def derived(self) -> Derived:
        """What the chart comes to."""
        return self.coded.derived

    @property
    def drafts(self) -> list[Draft]:
        """The suggested lines, before they were put in words."""
        return self.coded.drafts

    def tell(self, silent: Collection[str], *, coverage: bool = False, visit: bool = False) -> int:
        """Leave out the findings of rules that are not to speak; gives how many that were.

        What follows from such a finding alone is told in its place. Rules are silenced after all is
        worked out: the corrected claim stays the same. With ``coverage`` the result then says
        against what it was checked.
        """
        left_out = 0
        if silent:
            left_out = sum(each.rule in silent for each in self.result.violations)
            broken = self.worded.violations(silent)
            self.result = replace(
                self.result,
                violations=broken,
                unjudged=tuple([each for each in self.result.unjudged if each.rule not in silent]),
                # Worked out anew: the silent findings may have been the only errors.
                status=status_of(broken, unsettled=self.unsettled),
            )
        if coverage:
            self.result = self.covered(silent)
        if visit:
            self.result = replace(self.result, visit=self.visit())
        return left_out

    def visit(self, *, show_text: bool = False) -> Visit:
        """What the result is about; with ``show_text`` in the chart's own words."""
        return _visit(self.coded, self.result, self.book, show_text=show_text)

    def covered(self, silent: Collection[str] = ()) -> Result:
        """The result with what it was checked against; ``silent`` are rules that may not speak."""
        from ivpush.claim.coverage import coverage_of

        # Coded once more, by a book that hears which policies it is asked for.
        listening, heard = self.book.listening()
        code_chart(self.encounter, listening)
        coverage = coverage_of(
            Judged(self.facts, self.findings, self.book),
            self.result.unjudged,
            pack=self.pack,
            heard=heard,
            silent=silent,
        )
        return replace(self.result, checked=coverage)


class Engine:
    """Checks encounters against one rule pack; immutable, safe to share between threads.

    In use::

        engine = Engine(payer="medicare")
        result = engine.check(Encounter.model_validate(record))

    ``payer`` is the overlay of encounters that name none; ``policies`` set switches by name;
    ``packs`` are folders of further rules, stacked in order. Raises PackError where a pack is not
    fit to be used and UsageError for a payer, policy or value that does not exist. A payer that an
    encounter names may be unknown: its result says so.
    """

    __slots__ = ("_books", "pack", "payer", "policies")

    def __init__(
        self,
        payer: str | None = None,
        *,
        policies: Mapping[str, object] | None = None,
        packs: Sequence[Path | str] = (),
        pack: Pack | None = None,
    ) -> None:
        require_kind("policies", policies or {}, Mapping, "give a dictionary of names and values")
        require_kind("payer", payer, (str, NoneType), "give the name of an overlay")
        require_kind("pack", pack, (Pack, NoneType), "give a Pack; folders of rules are packs=[…]")
        self.pack = pack or Pack.shipped(packs)
        if payer is not None:
            self.pack.require_payer(payer)
        self.payer = payer
        self.policies = dict(policies or {})
        self._books: dict[tuple[date | None, str | None, str | None], _Opened] = {}
        self._opened(None, payer)  # a policy that does not exist is refused now

    def __reduce__(self) -> tuple[Callable[..., Engine], tuple[object, ...]]:
        return _rebuilt, (self.payer, self.policies, self.pack)

    def _opened(self, day: date | None, payer: str | None, setting: str | None = None) -> _Opened:
        """What is in force on a date for a payer and kind of claim, kept as first asked for."""
        key = (day, payer, setting if payer is not None else None)
        opened = self._books.get(key)
        if opened is None:
            if len(self._books) > _MOST_BOOKS:
                self._books.clear()
            book = self.pack.book(day, payer, self.policies, setting)
            opened = self._books[key] = _Opened(book, self.pack.stamp(book))
        return opened

    def _opened_for(self, encounter: Encounter) -> _Opened:
        payer = encounter.payer or self.payer
        return self._opened(encounter.service_date, payer, encounter.setting)

    def check(
        self, encounter: Encounter | Record, *, coverage: bool = False, visit: bool = False
    ) -> Result:
        """Suggested lines, violations, questions and the claim to send instead.

        A dictionary, or a JSON text of one encounter, is read as the contract says; raises
        InputError where it does not fit, with the fields and no value. With ``coverage`` the result
        says in ``checked`` against what it was checked, and what was not checked. With ``visit`` it
        holds, and writes, what it is about: a report can then be made of it without the chart.
        """
        work = self.work(encounter)
        work.tell((), coverage=coverage, visit=visit)
        return work.result

    def check_many(
        self,
        encounters: Iterable[Encounter | Record],
        *,
        coverage: bool = False,
        visit: bool = False,
    ) -> Iterator[Result]:
        """Results of encounters, one at a time and in order; raises as ``check`` does.

        Raises UsageError at the call for a record that stands where a list of them is asked for.
        """
        refuse_single(encounters)
        return map(partial(self.check, coverage=coverage, visit=visit), encounters)

    def sources(self, result: Result) -> dict[str, Source]:
        """The sources that a result of this engine cites, by the names by which it cites them."""
        require_kind("result", result, Result, "give a result of this engine")
        return {name: self.pack.source(name) for name in result.cites}

    def suggest(self, encounter: Encounter | Record) -> tuple[SuggestedLine, ...]:
        """Only the lines that the chart supports; raises as ``check`` does."""
        encounter = encounter_of(encounter)
        book = self._opened_for(encounter).book
        return suggested_lines(code_chart(encounter, book).drafts, book)

    def work(self, encounter: Encounter | Record) -> Worked:
        """The result with everything that led to it; raises as ``check`` does."""
        encounter = encounter_of(encounter)
        book, stamp = self._opened_for(encounter)
        coded = code_chart(encounter, book)
        asked = questions_of(coded, book)
        judged, matching = _judge(coded, asked, book)
        heard, missing = judged.heard(), dict[str, None]()
        if matching is not None:
            for reading in nearest(coded, judged.facts.lines or (), matching, asked, book):
                otherwise = _judge(
                    code_chart(reading.encounter, reading.book), asked, reading.book
                )[0]
                heard = standing(heard, otherwise, reading.part, reading.open_codes)
                missing |= dict.fromkeys(reading.missing)
        proposal = _proposed(
            coded,
            judged=judged,
            matching=matching,
            questions=asked.questions,
            missing=tuple(missing),
        )
        every = worded(heard, judged.facts, proposal.corrected)
        broken = every.violations()
        # A search that was cut short before it found a question has settled nothing.
        open_or_cut = bool(asked.questions) or asked.cut
        unsettled = open_or_cut or lacks_chart(judged.facts, judged.findings)
        result = Result(
            encounter=encounter.id,
            pack=stamp,
            status=status_of(broken, unsettled=unsettled),
            suggested=suggested_lines(coded.drafts, book),
            not_billable=not_billable(coded.derived.administrations, book),
            questions=asked.questions,
            violations=broken,
            unjudged=unjudged(judged, heard, tuple(missing)),
            lines=matching.verdicts(judged.facts.lines or ()) if matching is not None else (),
            corrected=proposal.corrected,
            withheld=proposal.withheld,
            make_visit=_VisitMaker(encounter, book),
        )
        return Worked(
            pack=self.pack,
            book=book,
            coded=coded,
            facts=judged.facts,
            findings=judged.findings,
            worded=every,
            result=result,
            proposed=proposal.lines,
            unsettled=unsettled,
        )


def _visit(coded: CodedChart, result: Result, book: Book, *, show_text: bool) -> Visit:
    from ivpush.claim.drawing import drawing_of

    drawing = drawing_of(coded, result, book, show_text=show_text)
    return Visit(coded.encounter.setting, coded.encounter.lines, drawing)


@dataclass(slots=True, eq=False, repr=False)
class _VisitMaker:
    """Codes a chart again for its drawing: a result then keeps no coded chart alive."""

    encounter: Encounter
    book: Book

    def __call__(self, result: Result, show_text: bool) -> Visit:
        coded = code_chart(self.encounter, self.book)
        return _visit(coded, result, self.book, show_text=show_text)

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        # A pickled result takes no chart with it, and no rules.
        return NoneType, ()


def _judge(coded: CodedChart, asked: Asked, book: Book) -> tuple[Judged, Matching | None]:
    """One encounter judged by one coding of its chart."""
    encounter = coded.encounter
    lines = line_facts(coded, book)
    charted = encounter.administrations is not None
    matching = None
    if charted and encounter.lines is not None:
        matching = match(lines, coded.drafts, coded.derived)
    unclear = not charted and encounter.lines is not None  # nothing to suggest from
    suggestions = () if unclear else suggestion_facts(coded, matching, book)
    facts = encounter_facts(coded, lines, suggestions, asked, book)
    return Judged(facts, run(facts, book), book), matching


class _Proposal(NamedTuple):
    """The claim with its safe edits, and why it is withheld, if it is."""

    lines: tuple[ClaimLine, ...]
    withheld: str | None = None

    @property
    def corrected(self) -> tuple[ClaimLine, ...] | None:
        """The claim to send instead; None where it is withheld."""
        return self.lines if self.withheld is None else None


def _proposed(
    coded: CodedChart,
    judged: Judged,
    matching: Matching | None,
    questions: Sequence[Question],
    missing: Sequence[str],
) -> _Proposal:
    """The claim to send instead, judged with the same chart until nothing more is changed."""
    billed, book = coded.encounter.lines, judged.book
    if billed is None:
        return _Proposal(())
    lines = _mended(judged, matching)
    waits = missing or _open(questions, (*billed, *lines))
    if waits:
        return _Proposal(billed, f"It waits for an answer: {', '.join(waits)}.")
    current = billed
    for _ in range(_MOST_ROUNDS):
        if lines == current:
            break
        current = lines
        coded = coded_beside(coded, current, book)
        judged, matching = _judge(coded, Asked(), book)
        lines = _mended(judged, matching)
    errors = errors_of(judged.findings)
    if errors:
        return _Proposal(current, f"No safe edit makes it fit to send: {'; '.join(errors)}.")
    return _Proposal(current)


def _mended(judged: Judged, matching: Matching | None) -> tuple[ClaimLine, ...]:
    """The lines as the chart supports them, with the safe edits of rules."""
    billed, book = judged.facts.given.lines or (), judged.book
    lines = billed
    if matching is not None:
        lines = corrected_lines(billed, judged.facts.lines or (), matching, book)
    return folded_units(apply_edits(lines, line_edits(judged.findings), book), book)


def _open(questions: Iterable[Question], lines: Iterable[ClaimLine]) -> tuple[str, ...]:
    """The open facts that bear on lines billed or to be added."""
    codes = {line.code for line in lines}
    missing = [each.missing for each in questions if not codes.isdisjoint(decides(each))]
    return tuple(dict.fromkeys(missing))


def _rebuilt(payer: str | None, policies: dict[str, object], pack: Pack) -> Engine:
    return Engine(payer, policies=policies, pack=pack)
