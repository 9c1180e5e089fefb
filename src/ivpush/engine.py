"""One encounter in, one result out: the only place that knows all steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.claim import correction, findings
from ivpush.claim.correction import corrected_lines
from ivpush.claim.facts import encounter_facts, suggestion_facts
from ivpush.claim.lines import line_facts
from ivpush.claim.matching import match
from ivpush.coding.derivation import Derived, derive
from ivpush.coding.permission import Standing, standing_of
from ivpush.coding.questions import decides, questions_of
from ivpush.coding.suggestions import Draft, drafts_of, not_billable, suggested_lines
from ivpush.contract.result import LineVerdict, PackStamp, Question, Result, Status, SuggestedLine
from ivpush.pack.pack import Pack

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.contract.facts import EncounterFacts, LineFacts
    from ivpush.pack.book import Book

__all__ = ["Engine", "Worked"]


_stamp = lru_cache(maxsize=4_096)(PackStamp)


class Worked:
    """Everything that was worked out about one encounter; what a trace is drawn from."""

    __slots__ = ("book", "derived", "drafts", "encounter", "facts", "found", "result", "standing")
    encounter: Encounter
    book: Book
    standing: Standing
    derived: Derived
    drafts: list[Draft]
    facts: EncounterFacts
    found: findings.Findings
    result: Result

    def release(self) -> None:
        """Let the memory go without a collector, once nobody traces it any more."""
        _untied(self.derived)


class Engine:
    """Checks encounters against one rule pack; immutable, safe to share between threads.

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
        self.pack = pack or Pack.load(extra=tuple(Path(one) for one in packs))
        self.payer = payer
        self.policies = dict(policies or {})
        self._books: dict[tuple[Any, ...], Book] = {}
        self._book(None, payer)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.payer, self.policies, self.pack)

    def _book(
        self, day: date | None, payer: str | None, name: str | None = None, value: Any = None
    ) -> Book:
        """What is in force on a date for a payer, kept as first asked for.

        ``name`` and ``value`` set one policy otherwise than this engine does.
        """
        key = (day, payer) if name is None else (day, payer, name, value)
        book = self._books.get(key)
        if book is None:
            if len(self._books) > 4_096:
                self._books.clear()
            policies = self.policies if name is None else {**self.policies, name: value}
            book = self._books[key] = self.pack.book(day, payer, policies)
        return book

    def check(self, encounter: Encounter) -> Result:
        """Suggested lines, violations, questions and the claim to send instead."""
        done = self.work(encounter)
        done.release()
        return done.result

    def check_many(self, encounters: Iterable[Encounter]) -> Iterator[Result]:
        """Results of encounters, one at a time and in order."""
        for encounter in encounters:
            yield self.check(encounter)

    def suggest(self, encounter: Encounter) -> tuple[SuggestedLine, ...]:
        """Only the lines that the chart supports."""
        book = self._book(encounter.service_date, encounter.payer or self.payer)
        return suggested_lines(_drafts(encounter, book), book)

    def _under(self, encounter: Encounter, name: str, value: Any) -> list[Draft]:
        """The drafts of the suggested lines under another value of one policy."""
        day, payer = encounter.service_date, encounter.payer or self.payer
        return _drafts(encounter, self._book(day, payer, name, value))

    def work(self, encounter: Encounter) -> Worked:
        """The result with everything that led to it."""
        return self._work(encounter, asking=True)

    def _work(self, encounter: Encounter, *, asking: bool) -> Worked:
        day = encounter.service_date
        payer = encounter.payer or self.payer
        book = self._book(day, payer)
        done = Worked()
        done.encounter, done.book = encounter, book
        standing = done.standing = standing_of(encounter, book)
        derived = done.derived = derive(encounter, book, standing.denied)
        drafts = done.drafts = drafts_of(derived, encounter, book)
        suggested = suggested_lines(drafts, book)
        barred = not_billable(derived.facts, book)
        questions, cut = ((), False) if not asking else questions_of(
            encounter, derived, book,
            lambda changed: _derived(changed, book),
            lambda name, value: self._under(encounter, name, value),
            lambda other: _drafts(encounter, other),
        )  # fmt: skip
        lines = line_facts(encounter, book)
        facts = done.facts = encounter_facts(encounter, derived, lines, standing, book)
        facts.questions, facts.questions_cut = len(questions), cut
        facts.complexity_asked = any(q.missing == "complexity_documented" for q in questions)
        charted = encounter.administrations is not None
        facts.suggested_codes = frozenset([one.code for one in suggested]) if charted else None
        corrected, verdicts = self._reconciled(encounter, done, lines)
        found = done.found = findings.run(facts, book)
        if corrected is not None:
            if _open(questions, lines):
                corrected = None
            else:
                corrected = self._settled(
                    correction.apply_edits(corrected, findings.line_edits(found), book), done, lines
                )
        broken = findings.violations(found, facts, book, corrected)
        errors = "error" in [one.severity for one in broken]
        status: Status = "violations" if errors else "needs_chart" if questions else "clean"
        stamp = _stamp(self.pack.name, self.pack.version, book.payer, day)
        done.result = Result(
            encounter.id, stamp, status, suggested, barred, questions, broken,
            findings.unjudged(found, facts, book), verdicts, corrected,
        )  # fmt: skip
        return done

    def _settled(
        self, corrected: tuple[ClaimLine, ...], done: Worked, lines: list[LineFacts]
    ) -> tuple[ClaimLine, ...]:
        """The corrected claim, judged again where a new code may ask an edit of another line."""
        new = {line.code for line in corrected} - {line.given.code for line in lines}
        if not new or not correction.may_be_edited(lines, done.book):
            return corrected
        again = done.encounter.model_copy(update={"lines": corrected})
        settled = self._work(again, asking=False).result.corrected
        return corrected if settled is None else settled

    def _reconciled(
        self, encounter: Encounter, done: Worked, lines: list[LineFacts]
    ) -> tuple[tuple[ClaimLine, ...] | None, tuple[LineVerdict, ...]]:
        drafts, facts, book = done.drafts, done.facts, done.book
        if encounter.lines is None:
            facts.suggestions = suggestion_facts(drafts, None, encounter, book)
            return (), ()
        if encounter.administrations is None:
            facts.suggestions = ()
            return encounter.lines, ()
        matching = match(lines, drafts, done.derived.facts)
        facts.suggestions = suggestion_facts(drafts, matching, encounter, book)
        corrected = corrected_lines(
            encounter.lines, lines, drafts, matching, book.separate_modifiers
        )
        return corrected, matching.verdicts(lines)


def _derived(encounter: Encounter, book: Book) -> Derived:
    derived = derive(encounter, book, standing_of(encounter, book).denied)
    _untied(derived)
    return derived


def _drafts(encounter: Encounter, book: Book) -> list[Draft]:
    return drafts_of(_derived(encounter, book), encounter, book)


def _untied(derived: Derived) -> None:
    """Cut the ring of administrations and services, so that memory is freed without a collector."""
    for one in derived.facts:
        one.service = None


def _open(questions: tuple[Question, ...], lines: list[LineFacts]) -> bool:
    """Whether an open question bears on a billed line."""
    if not questions:
        return False
    billed = {line.given.code for line in lines}
    return any(not billed.isdisjoint(decides(question)) for question in questions)


def _rebuilt(payer: str | None, policies: dict[str, Any], pack: Pack) -> Engine:
    return Engine(payer, policies=policies, pack=pack)
