"""One encounter in, one result out: the only place that knows all steps.

code the chart -> ask what is open -> read the claim -> match -> judge -> correct -> put in words
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.claim.correction import apply_edits, corrected_lines, may_be_edited
from ivpush.claim.facts import encounter_facts, suggestion_facts
from ivpush.claim.findings import Findings, line_edits, run, status_of, unjudged, violations
from ivpush.claim.lines import line_facts
from ivpush.claim.matching import Matching, match
from ivpush.coding.chart import CodedChart, code_chart
from ivpush.coding.questions import Asked, decides, questions_of
from ivpush.coding.suggestions import not_billable, suggested_lines
from ivpush.contract.result import PackStamp, Question, Result, SuggestedLine
from ivpush.pack.pack import Pack

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.permission import Standing
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.contract.facts import EncounterFacts, LineFacts
    from ivpush.pack.book import Book

__all__ = ["Engine", "Worked"]

_MOST_BOOKS = 4_096
"""Books an engine keeps; a batch seldom has more dates times payers."""

_stamp = lru_cache(maxsize=4_096)(PackStamp)


@dataclass(slots=True)
class Worked:
    """Everything that was worked out about one encounter; what a trace is drawn from."""

    book: Book
    coded: CodedChart
    facts: EncounterFacts
    findings: Findings
    result: Result

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


class Engine:
    """Checks encounters against one rule pack; immutable, safe to share between threads.

    In use::

        engine = Engine(payer="medicare")
        result = engine.check(Encounter.model_validate(record))

    ``payer`` is the overlay of encounters that name none; ``policies`` set switches by name;
    ``packs`` are folders of further rules, stacked in order. Raises PackError where a pack is not
    fit to be used and UsageError for a policy or value that does not exist.
    """

    __slots__ = ("_books", "pack", "payer", "policies")

    def __init__(
        self,
        payer: str | None = None,
        *,
        policies: Mapping[str, Any] | None = None,
        packs: Sequence[Path | str] = (),
        pack: Pack | None = None,
    ) -> None:
        self.pack = pack or Pack.load(extra=tuple(Path(folder) for folder in packs))
        self.payer = payer
        self.policies = dict(policies or {})
        self._books: dict[tuple[date | None, str | None], Book] = {}
        self._book(None, payer)  # a policy that does not exist is refused now

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.payer, self.policies, self.pack)

    def _book(self, day: date | None, payer: str | None) -> Book:
        """What is in force on a date for a payer, kept as first asked for."""
        book = self._books.get((day, payer))
        if book is None:
            if len(self._books) > _MOST_BOOKS:
                self._books.clear()
            book = self._books[day, payer] = self.pack.book(day, payer, self.policies)
        return book

    def _book_of(self, encounter: Encounter) -> Book:
        return self._book(encounter.service_date, encounter.payer or self.payer)

    def check(self, encounter: Encounter) -> Result:
        """Suggested lines, violations, questions and the claim to send instead."""
        return self.work(encounter).result

    def check_many(self, encounters: Iterable[Encounter]) -> Iterator[Result]:
        """Results of encounters, one at a time and in order."""
        for encounter in encounters:
            yield self.check(encounter)

    def suggest(self, encounter: Encounter) -> tuple[SuggestedLine, ...]:
        """Only the lines that the chart supports."""
        book = self._book_of(encounter)
        return suggested_lines(code_chart(encounter, book).drafts, book)

    def work(self, encounter: Encounter) -> Worked:
        """The result with everything that led to it."""
        return self._work(encounter, asking=True)

    def _work(self, encounter: Encounter, *, asking: bool) -> Worked:
        book = self._book_of(encounter)
        coded = code_chart(encounter, book)
        suggested = suggested_lines(coded.drafts, book)
        left_out = not_billable(coded.derived.administrations, book)
        asked = questions_of(coded, book) if asking else Asked()
        lines = line_facts(encounter, book)
        charted = encounter.administrations is not None
        matching = None
        if charted and encounter.lines is not None:
            matching = match(lines, coded.drafts, coded.derived)
        unclear = not charted and encounter.lines is not None  # nothing to suggest from
        suggestions = () if unclear else suggestion_facts(coded, matching, book)
        facts = encounter_facts(coded, lines, suggestions, asked, book)
        findings = run(facts, book)
        corrected = self._corrected(facts, matching, findings, asked, book)
        broken = violations(findings, facts, book, corrected)
        result = Result(
            encounter=encounter.id,
            pack=_stamp(self.pack.name, self.pack.version, book.payer, encounter.service_date),
            status=status_of(broken, asked=bool(asked.questions)),
            suggested=suggested,
            not_billable=left_out,
            questions=asked.questions,
            violations=broken,
            unjudged=unjudged(findings, facts, book),
            lines=matching.verdicts(lines) if matching is not None else (),
            corrected=corrected,
        )
        return Worked(book, coded, facts, findings, result)

    def _corrected(
        self,
        facts: EncounterFacts,
        matching: Matching | None,
        findings: Findings,
        asked: Asked,
        book: Book,
    ) -> tuple[ClaimLine, ...] | None:
        """The claim to send instead; None while a question bears on it, empty without a claim."""
        billed, lines = facts.given.lines, facts.lines or ()
        if billed is None:
            return ()
        if _open(asked.questions, lines):
            return None
        corrected = billed
        if matching is not None:
            corrected = corrected_lines(billed, lines, matching, book)
        corrected = apply_edits(corrected, line_edits(findings), book)
        new = {line.code for line in corrected} - {line.given.code for line in lines}
        if not new or not may_be_edited(lines, book):
            return corrected
        # A new code may ask an edit of another line: the corrected claim is judged once more.
        again = facts.given.model_copy(update={"lines": corrected})
        settled = self._work(again, asking=False).result.corrected
        return corrected if settled is None else settled


def _open(questions: tuple[Question, ...], lines: Iterable[LineFacts]) -> bool:
    """Whether an open question bears on a billed line."""
    if not questions:
        return False
    billed = {line.given.code for line in lines}
    return any(not billed.isdisjoint(decides(question)) for question in questions)


def _rebuilt(payer: str | None, policies: dict[str, Any], pack: Pack) -> Engine:
    return Engine(payer, policies=policies, pack=pack)
