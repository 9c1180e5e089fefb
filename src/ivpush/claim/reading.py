"""A claim read by the answers that it may rest on: no error while a question is open.

Where the chart leaves a fact open, the claim may be the practice's word for it. Each answer of each
open question is held against the claim, and where one bills it more nearly than what is suggested
meanwhile, the claim is judged by that one: what it says is wrong is wrong either way. Where a
policy says what is billed while a fact is missing, no answer about it counts. The engine calls
``nearest``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.answers import answered
from ivpush.coding.chart import code_chart
from ivpush.coding.questions import questions_of
from ivpush.contract.result import Answer, Equals, Question

if TYPE_CHECKING:
    from ivpush.claim.matching import Matching
    from ivpush.coding.chains import Chain
    from ivpush.coding.chart import CodedChart
    from ivpush.coding.questions import Asked
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import Encounter
    from ivpush.contract.facts import LineFacts
    from ivpush.contract.result import SuggestedLine
    from ivpush.pack.book import Book

__all__ = ["Reading", "nearest"]

_MOST_ROUNDS = 3
"""How often further answers are looked for, should some not be enough."""

_MOST_OPENED = 16
"""Answers after which the chart is asked anew; one answer alone costs nothing to try."""

_PRIMARY = "primary_administration"

_Answers = tuple[tuple[Question, Answer], ...]
_Kind = tuple[str, bool, "date | None"]


class Reading(NamedTuple):
    """An encounter with the answers by which its claim is read."""

    encounter: Encounter
    book: Book
    missing: tuple[str, ...]
    """The facts that nobody stated, as paths."""
    leads: frozenset[str] = frozenset()
    """Primary reasons of encounters whose reason nobody named, as the claim has them."""

    def coded(self) -> CodedChart:
        """The chart, coded by the answers."""
        return code_chart(self.encounter, self.book, self.leads)

    def with_(self, answers: _Answers) -> Reading:
        """The reading with further answers."""
        encounter, book = self.encounter, self.book
        for _, answer in answers:
            encounter, book = answered(encounter, book, answer.when)
        missing = dict.fromkeys((*self.missing, *(question.missing for question, _ in answers)))
        return self._replace(encounter=encounter, book=book, missing=tuple(missing))


class _Distance(NamedTuple):
    """How far a claim lies from what an answer bills; the first weighs more."""

    beyond: int
    lacking: int


def nearest(
    encounter: Encounter,
    lines: Sequence[LineFacts],
    matching: Matching,
    asked: Asked,
    book: Book,
) -> Reading | None:
    """The answers that the claim fits better than what is suggested meanwhile; None: no better."""
    questions = asked.open
    visits = book.by_reason(encounter.setting) and any(draft.part for draft in matching.drafts)
    if not (questions or visits) or _right(lines, matching):
        return None
    scale = _Scale(lines, questions, matching.drafts)
    # What is suggested meanwhile is the mark: an answer must fit better, not as well.
    best = scale.distance(matching.drafts)
    reading = Reading(encounter, book, ())
    led = _led_as_billed(reading, lines) if visits else None
    if led is not None and _nearer(distance := scale.distance(led.coded().drafts), best):
        best, reading, questions = distance, led, _questions(led)
    for _ in range(_MOST_ROUNDS):
        closer = _closest(reading, questions, scale, best)
        if closer is None:
            break
        best, reading = closer
        # All that is billed is explained; what is merely unbilled needs no further answer.
        if not best.beyond:
            break
        questions = _questions(reading)
    return reading if reading.missing else None


def _led_as_billed(reading: Reading, lines: Iterable[LineFacts]) -> Reading | None:
    """A claim of several visits, each led by the service whose initial code it bills.

    On a claim of one the primary reason is asked for; a record names that of one visit alone.
    """
    chains = reading.coded().derived.chains
    billed = {(line.beside.part, line.given.code) for line in lines}
    leads = frozenset(
        [lead for chain in chains if (lead := _lead_as_billed(chain, billed, reading)) is not None]
    )
    return reading._replace(leads=leads, missing=(_PRIMARY,)) if leads else None


def _lead_as_billed(
    chain: Chain, billed: Collection[tuple[int | None, str]], reading: Reading
) -> str | None:
    """The service of a chain whose initial code is billed, where that of its initial is not."""
    initial, named = chain.initial, reading.encounter.primary_administration
    if initial is None or (chain.part, initial.code) in billed:
        return None
    if any(each.given.id == named for each in chain.administrations):
        return None
    for service in chain.services:
        row = reading.book.pick(service.family, service.technique, "initial")
        if row is not None and (chain.part, row.code) in billed:
            return service.lead.given.id
    return None


def _closest(
    reading: Reading, questions: Sequence[Question], scale: _Scale, best: _Distance
) -> tuple[_Distance, Reading] | None:
    """The answers, one or two more, that bring a claim nearest; None: none does."""
    answers: _Answers = ()
    for candidate, distance in _single(questions, scale):
        if _nearer(distance, best):
            best, answers = distance, candidate
    # From the cheapest to the dearest: single answers are made, others code the chart anew.
    if best.beyond:
        for candidate, distance in _same_drug(reading, scale):
            if _nearer(distance, best):
                best, answers = distance, candidate
    if best.beyond:
        for candidate, distance in _together(reading, questions, scale):
            if _nearer(distance, best):
                best, answers = distance, candidate
    return (best, reading.with_(answers)) if answers else None


def _questions(reading: Reading) -> tuple[Question, ...]:
    return questions_of(reading.coded(), reading.book).open


def _nearer(distance: _Distance, best: _Distance) -> bool:
    """Whether answers fit the claim better than the best so far.

    Who bills a line says that something was given which earns it: an answer by which nothing does
    must explain more of what is billed, and not merely leave less of the chart unbilled.
    """
    return distance < best and (not distance.beyond or distance.beyond < best.beyond)


def _right(lines: Iterable[LineFacts], matching: Matching) -> bool:
    """Whether the claim is what is suggested: then there is nothing to read otherwise."""
    stands = all(line.match.status in {"matched", "outside"} for line in lines)
    return stands and not any(matching.left)


class _Scale:
    """What is billed, by code, distinct-service modifier and date."""

    def __init__(
        self,
        lines: Sequence[LineFacts],
        questions: Iterable[Question],
        drafts: Sequence[Draft],
    ) -> None:
        answers = [line for each in questions for a in each.answers for line in a.suggested]
        codes = {line.code for line in answers} | {draft.row.code for draft in drafts}
        own = [line for line in lines if line.coded.in_family or line.given.code in codes]
        # One line without a date could be any day's, so then no date is compared.
        self._dated = all(line.given.date is not None for line in own)
        self._billed: Counter[_Kind] = Counter()
        for line in own:
            day = line.given.date if self._dated else None
            self._billed[line.given.code, line.marks.separate, day] += line.given.units

    def distance(self, drafts: Iterable[Draft]) -> _Distance:
        """How far the claim lies from drafts."""
        return self._from([(d.row.code, d.units, d.modifiers, d.date) for d in drafts])

    def distance_from(self, suggested: Iterable[SuggestedLine]) -> _Distance:
        """How far the claim lies from what an answer bills."""
        return self._from([(s.code, s.units, s.modifiers, s.date) for s in suggested])

    def _from(self, rows: Iterable[tuple[str, int, tuple[str, ...], date | None]]) -> _Distance:
        supported: Counter[_Kind] = Counter()
        for code, units, modifiers, day in rows:
            # Which distinct modifier it is does not count (DESIGN section 3, step 6).
            supported[code, bool(modifiers), day if self._dated else None] += units
        beyond, lacking = self._billed - supported, supported - self._billed
        return _Distance(beyond.total(), lacking.total())


def _single(questions: Iterable[Question], scale: _Scale) -> Iterator[tuple[_Answers, _Distance]]:
    for question in questions:
        for answer in question.answers:
            yield ((question, answer),), scale.distance_from(answer.suggested)


def _same_drug(reading: Reading, scale: _Scale) -> Iterator[tuple[_Answers, _Distance]]:
    """A drug that is not understood read as another of the chart: it may be a name of that one."""
    chart = reading.coded().derived.administrations
    names = dict.fromkeys(each.given.drug for each in chart if each.drug.drug_known)
    unknown = [each for each in chart if each.drug.drug_known is False]
    for administration, name in islice(product(unknown, names), _MOST_OPENED):
        # With a stated class the drug's name decides nothing.
        if administration.given.category is None and name is not None:
            path = f"administrations[{administration.index}].drug"
            answer = Answer(Equals(path, name), suggested=())
            answers = ((Question(administration.given.id, path, "", "", (answer,)), answer),)
            after = reading.with_(answers)
            yield answers, scale.distance(after.coded().drafts)


def _together(
    reading: Reading, questions: Iterable[Question], scale: _Scale
) -> Iterator[tuple[_Answers, _Distance]]:
    """Answers to two questions: one may open what is asked only then."""
    for first, _ in islice(_single(questions, scale), _MOST_OPENED):
        for second, distance in _single(_questions(reading.with_(first)), scale):
            yield (*first, *second), distance
