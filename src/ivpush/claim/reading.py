"""A claim read by the answers that it may rest on: no error while a question is open.

Where the chart leaves a fact open, the claim may be the practice's word for it. Each answer of each
open question is held against the claim, and where one bills it more nearly than what is suggested
meanwhile, the claim is judged by that one: what it says is wrong is wrong either way. Where a
policy says what is billed while a fact is missing, no answer about it counts. A claim of several
encounters is read encounter by encounter. The engine calls ``nearest``.
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
_RIGHT = frozenset({"matched", "outside"})

_Answers = tuple[tuple[Question, Answer], ...]
_Kind = tuple[str, bool, "date | None"]


class Reading(NamedTuple):
    """An encounter with the answers by which its claim is read."""

    encounter: Encounter
    book: Book
    missing: tuple[str, ...] = ()
    """The facts that nobody stated, as paths."""
    part: int | None = None
    """The encounter that is read so, of a claim that holds several."""
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


class _Visit(NamedTuple):
    """One encounter of a claim; ``part`` is None where the claim is one."""

    part: int | None
    lines: Sequence[LineFacts]
    given: frozenset[str]
    """Ids of its administrations."""

    def holds(self, draft: Draft) -> bool:
        """Whether a suggestion belongs to it."""
        return self.part is None or draft.part == self.part

    def is_right(self, matching: Matching) -> bool:
        """Whether its lines are what is suggested: then there is nothing to read otherwise."""
        if any(line.match.status not in _RIGHT for line in self.lines):
            return False
        pairs = zip(matching.drafts, matching.left, strict=True)
        return not any(left and self.holds(draft) for draft, left in pairs)

    def asked(self, questions: Iterable[Question]) -> tuple[Question, ...]:
        """The questions that are about it."""
        about = (None, *self.given)
        return tuple([each for each in questions if each.administration in about])


def nearest(
    coded: CodedChart,
    lines: Sequence[LineFacts],
    matching: Matching,
    asked: Asked,
    book: Book,
) -> list[Reading]:
    """The answers that the claim fits better than what is suggested meanwhile, by encounter.

    What one encounter rests on says nothing of another, so each of a claim is read on its own.
    """
    questions = asked.open
    several = any(each.part for each in coded.derived.administrations)
    if not questions and not (several and book.by_reason(coded.encounter.setting)):
        return []
    readings = []
    for visit in _visits(coded, lines) if several else (_Visit(None, lines, _ids(coded)),):
        if not visit.is_right(matching):
            reading = Reading(coded.encounter, book, part=visit.part)
            readings.append(_nearest(visit, reading, visit.asked(questions), matching.drafts))
    return [reading for reading in readings if reading.missing]


def _visits(coded: CodedChart, lines: Sequence[LineFacts]) -> Iterator[_Visit]:
    for part in sorted({each.part for each in coded.derived.administrations}):
        own = [line for line in lines if line.beside.part == part]
        yield _Visit(part, own, _ids(coded, part))


def _ids(coded: CodedChart, part: int | None = None) -> frozenset[str]:
    chart = coded.derived.administrations
    return frozenset([each.given.id for each in chart if part is None or each.part == part])


def _nearest(
    visit: _Visit, reading: Reading, questions: Sequence[Question], drafts: Sequence[Draft]
) -> Reading:
    """The nearest answers about one encounter; a reading without any where none is nearer."""
    scale = _Scale(visit, questions, drafts)
    # What is suggested meanwhile is the mark: an answer must fit better, not as well.
    best = scale.distance(drafts)
    led = _led_as_billed(visit, reading)
    if led is not None and _nearer(distance := scale.distance(led.coded().drafts), best):
        best, reading, questions = distance, led, visit.asked(_questions(led))
    for _ in range(_MOST_ROUNDS):
        closer = _closest(reading, questions, scale, best)
        if closer is None:
            break
        best, reading = closer
        # All that is billed is explained; what is merely unbilled needs no further answer.
        if not best.beyond:
            break
        questions = visit.asked(_questions(reading))
    return reading


def _led_as_billed(visit: _Visit, reading: Reading) -> Reading | None:
    """One of several encounters, led by the service whose initial code it bills.

    On a claim of one the primary reason is asked for; a record names that of one encounter alone.
    """
    named = reading.encounter.primary_administration
    heeded = visit.part is not None and reading.book.by_reason(reading.encounter.setting)
    if not heeded or named in visit.given:
        return None
    billed = {line.given.code for line in visit.lines}
    chains = [each for each in reading.coded().derived.chains if each.part == visit.part]
    leads = [_lead_as_billed(chain, billed, reading.book) for chain in chains]
    stated = frozenset([lead for lead in leads if lead is not None])
    return reading._replace(leads=stated, missing=(_PRIMARY,)) if stated else None


def _lead_as_billed(chain: Chain, billed: Collection[str], book: Book) -> str | None:
    """The service of a chain whose initial code is billed, where that of its initial is not."""
    if chain.initial is None or chain.initial.code in billed:
        return None
    for service in chain.services:
        row = book.pick(service.family, service.technique, "initial")
        if row is not None and row.code in billed:
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


class _Scale:
    """What is billed, by code, distinct-service modifier and date."""

    def __init__(
        self, visit: _Visit, questions: Iterable[Question], drafts: Sequence[Draft]
    ) -> None:
        self.visit = visit
        answers = [line for each in questions for a in each.answers for line in a.suggested]
        codes = {line.code for line in answers} | {draft.row.code for draft in drafts}
        own = [line for line in visit.lines if line.coded.in_family or line.given.code in codes]
        # One line without a date could be any day's, so then no date is compared.
        self._dated = all(line.given.date is not None for line in own)
        self._billed: Counter[_Kind] = Counter()
        for line in own:
            day = line.given.date if self._dated else None
            self._billed[line.given.code, line.marks.separate, day] += line.given.units

    def distance(self, drafts: Iterable[Draft]) -> _Distance:
        """How far the claim lies from drafts."""
        own = [draft for draft in drafts if self.visit.holds(draft)]
        return self._from([(d.row.code, d.units, d.modifiers, d.date) for d in own])

    def distance_from(self, suggested: Iterable[SuggestedLine]) -> _Distance:
        """How far the claim lies from what an answer bills."""
        given = self.visit.given
        own = [line for line in suggested if not given.isdisjoint(line.administrations)]
        return self._from([(s.code, s.units, s.modifiers, s.date) for s in own])

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
    given = scale.visit.given
    chart = [each for each in reading.coded().derived.administrations if each.given.id in given]
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
        opened = scale.visit.asked(_questions(reading.with_(first)))
        for second, distance in _single(opened, scale):
            yield (*first, *second), distance
