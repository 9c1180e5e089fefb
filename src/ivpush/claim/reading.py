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
from dataclasses import replace
from datetime import date
from itertools import islice, product
from typing import TYPE_CHECKING, NamedTuple

from ivpush.coding.answers import answered
from ivpush.coding.chart import code_chart
from ivpush.coding.questions import MOST_QUESTIONS, decides, questions_of
from ivpush.coding.tries import effort_of_claim
from ivpush.contract.result import Answer, Between, Equals, Question

if TYPE_CHECKING:
    from ivpush.claim.matching import Matching
    from ivpush.coding.chart import CodedChart
    from ivpush.coding.questions import Asked
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import Administration, Encounter
    from ivpush.contract.facts import LineFacts
    from ivpush.contract.result import SuggestedLine
    from ivpush.pack.book import Book

__all__ = ["Reading", "nearest"]

_MOST_OPENED = 16
"""Answers after which the chart is asked anew; one answer alone costs nothing to try."""

_MOST_ASKED = 600
"""A chart is asked anew so often at most, over its administrations: each time it is coded dozens of
times. Visits of up to a dozen doses never come near it ..."""

_FEWEST_ASKED = 4
"""... and the largest chart is asked so often."""

_TO_JUDGE = 3
"""To judge a whole claim takes about as long as to code its chart so many times."""

_FEW = 3
"""Questions up to which answers are tried two by two even where a single one brings nearer."""

_RIGHT = frozenset({"matched", "outside"})
_PLACE = "administrations["

_Answers = tuple[tuple[Question, Answer], ...]
_Kind = tuple[str, bool, "date | None"]


class Reading(NamedTuple):
    """A record with the answers by which the claim of one of its encounters is read."""

    encounter: Encounter
    book: Book
    missing: tuple[str, ...]
    """The facts that nobody stated, as paths."""
    part: int | None
    """Which encounter is read so, of a claim that holds several."""
    open_codes: frozenset[str]
    """Codes of which what is still open decides, where no answers explain all that is billed."""


class _Visit(NamedTuple):
    """One encounter of a claim with its chart alone; ``part`` is None where the claim is one."""

    part: int | None
    lines: Sequence[LineFacts]
    coded: CodedChart
    places: Sequence[int]
    """Where its administrations stand in the record."""

    def field(self, path: str) -> str:
        """A path of its own chart as one of the whole record."""
        if not path.startswith(_PLACE):
            return path
        place, rest = path.removeprefix(_PLACE).split("]", 1)
        return f"{_PLACE}{self.places[int(place)]}]{rest}"


class _Effort:
    """How many administrations may still be coded anew to read a claim."""

    def __init__(self, administrations: int) -> None:
        self.left = effort_of_claim(administrations)
        self._of_reading = _TO_JUDGE * administrations

    def judge(self) -> None:
        """Count that the whole claim is judged by a reading of one encounter."""
        self.left -= self._of_reading


class _Asks:
    """How often a chart may still be asked anew; shared by all that is tried of one encounter."""

    def __init__(self, administrations: int, effort: _Effort) -> None:
        self._left = max(_FEWEST_ASKED, _MOST_ASKED // max(1, administrations))
        self._count, self._effort = max(1, administrations), effort
        self.known: dict[tuple[tuple[int, int], ...], _Known] = {}
        """What is open by answers, by their identities."""

    def questions(self, coded: CodedChart, book: Book) -> tuple[Question, ...]:
        """What is open in a chart, with every length of a missing stop: a claim may bill any."""
        most = max(0, self._effort.left // self._count)
        asked = questions_of(coded, book, every_length=True, most=most)
        self.code(asked.tries)
        return asked.open

    def code(self, times: int = 1) -> bool:
        """Count codings of the chart; whether it may be coded once more."""
        self._effort.left -= times * self._count
        return self._effort.left >= self._count

    def spend(self) -> bool:
        """Whether it may be asked once more."""
        self._left -= 1
        return self._left >= 0


class _Known(NamedTuple):
    """What is open by some answers, which are kept so that they stay themselves."""

    answers: _Answers
    questions: tuple[Question, ...]


class _Tried(NamedTuple):
    """An encounter with answers that are held against its claim."""

    encounter: Encounter
    book: Book
    asks: _Asks
    answers: _Answers = ()

    def coded(self) -> CodedChart:
        """The chart, coded by the answers."""
        self.asks.code()
        return code_chart(self.encounter, self.book)

    def questions(self) -> tuple[Question, ...]:
        """What is open by the answers; nothing more once it was asked often enough."""
        if not self.asks.spend():
            return ()
        # The same answers are tried on the way to a claim, and again to see what they leave open.
        key = tuple([(id(question), id(answer)) for question, answer in self.answers])
        known = self.asks.known.get(key)
        if known is None:
            found = self.asks.questions(self.coded(), self.book)
            known = self.asks.known[key] = _Known(self.answers, found)
        return known.questions

    def with_(self, answers: _Answers) -> _Tried:
        """The same with further answers."""
        encounter, book = self.encounter, self.book
        for _, answer in answers:
            encounter, book = answered(encounter, book, answer.when)
        return _Tried(encounter, book, self.asks, (*self.answers, *answers))


class _Distance(NamedTuple):
    """How far a claim lies from what an answer bills; the first weighs more."""

    beyond: int
    lacking: int


def nearest(
    coded: CodedChart,
    lines: Sequence[LineFacts],
    matching: Matching,
    asked: Asked,
    book: Book,
) -> Iterator[Reading]:
    """The answers that the claim fits better than what is suggested meanwhile, by encounter.

    What one encounter rests on says nothing of another, so each of a claim is read on its own.
    """
    chart = coded.derived.administrations
    effort = _Effort(len(chart))
    if not any(each.part for each in chart):
        if asked.open and (_unbilled(matching) or not _all_right(lines)):
            visit = _Visit(None, lines, coded, range(len(chart)))
            asks = _Asks(len(chart), effort)
            yield from _read(visit, asks.questions(coded, book), asks, coded.encounter, book)
        return
    own: dict[int | None, list[LineFacts]] = {}
    for line in lines:
        own.setdefault(line.beside.part, []).append(line)
    places: dict[int, list[int]] = {}
    for each in chart:
        places.setdefault(each.part, []).append(each.index)
    unbilled = _unbilled(matching)
    for part in sorted(places):
        if effort.left < 0:
            return
        if part in unbilled or not _all_right(own.get(part, ())):
            visit = _alone(part, own.get(part, ()), places[part], coded, book)
            # Asked anew: the questions of a long claim are cut short, and each costs the whole.
            asks = _Asks(len(visit.places), effort)
            if questions := asks.questions(visit.coded, book):
                for reading in _read(visit, questions, asks, coded.encounter, book):
                    effort.judge()
                    yield reading


def _all_right(lines: Iterable[LineFacts]) -> bool:
    """Whether lines are what is suggested: if nothing is missed, nothing is read otherwise."""
    return all(line.match.status in _RIGHT for line in lines)


def _unbilled(matching: Matching) -> set[int]:
    """The encounters of which something suggested was not billed."""
    pairs = zip(matching.drafts, matching.left, strict=True)
    return {draft.part for draft, left in pairs if left}


def _alone(
    part: int,
    lines: Sequence[LineFacts],
    places: Sequence[int],
    coded: CodedChart,
    book: Book,
) -> _Visit:
    """One of several encounters of a claim, coded alone."""
    record = coded.encounter
    charted = [(record.administrations or ())[place] for place in places]
    names = {each.id for each in charted}
    given = tuple([_unlinked(each, names) for each in charted])
    # The record names the primary reason of one encounter: of others it is asked.
    stated = record.primary_administration
    changes = {
        "date": record.service_date,
        "administrations": given,
        "lines": tuple([line.given for line in lines]),
        "primary_administration": stated if stated in names else None,
    }
    return _Visit(part, lines, code_chart(record.model_copy(update=changes), book), places)


def _unlinked(given: Administration, names: Collection[str]) -> Administration:
    """A dose without its links to those of other encounters: a link may be mistyped."""
    links = {"mixed_with": given.mixed_with, "continues": given.continues}
    gone = {name: None for name, other in links.items() if other not in {None, *names}}
    return given.model_copy(update=gone) if gone else given


def _read(
    visit: _Visit, questions: Sequence[Question], asks: _Asks, record: Encounter, book: Book
) -> Iterator[Reading]:
    """The nearest answers about one encounter, written into the record; none if none is nearer."""
    start = _Tried(visit.coded.encounter, book, asks)
    tried, still_open = _nearest(visit, start, questions)
    for _, answer in tried.answers:
        when = replace(answer.when, field=visit.field(answer.when.field))
        record, book = answered(record, book, when)
    codes = _decided(visit.lines, still_open, book)
    asked = [*(question for question, _ in tried.answers), *(still_open if codes else ())]
    missing = dict.fromkeys(visit.field(question.missing) for question in asked)
    if missing:
        yield Reading(record, book, tuple(missing), visit.part, codes)


def _decided(
    lines: Iterable[LineFacts], questions: Iterable[Question], book: Book
) -> frozenset[str]:
    """The billed codes that questions decide, together with others of their family and technique.

    What one answer alone makes an initial service is another's add-on beside further answers.
    """
    codes = {code for question in questions for code in decides(question)}
    rows = [row for code in codes if (row := book.code(code)) is not None]
    kinds = {(row.family, row.technique) for row in rows}
    return frozenset(
        [line.given.code for line in lines if (line.coded.family, line.coded.technique) in kinds]
    )


def _nearest(
    visit: _Visit, start: _Tried, questions: Sequence[Question]
) -> tuple[_Tried, Sequence[Question]]:
    """The answers that explain most of a claim, and what is open where they leave any of it.

    Two facts are tried in all their answers. More are found one after another, so that others may
    explain the claim better.
    """
    tried, asked, best = _searched(visit, start, questions)
    if not best.beyond:
        return tried, ()
    still_open = (*questions, *_opened(start, questions))
    if tried.answers:
        still_open += (*asked, *_opened(tried, asked))
    facts = {question.missing for question in still_open}
    facts |= {question.missing for question, _ in tried.answers}
    return tried, still_open if len(facts) > 2 else ()


def _searched(
    visit: _Visit, start: _Tried, questions: Sequence[Question]
) -> tuple[_Tried, Sequence[Question], _Distance]:
    """The answers that come nearest, what is open beside them, and how near they come."""
    tried, scale = start, _Scale(visit.lines, questions, visit.coded.drafts)
    # What is suggested meanwhile is the mark: an answer must fit better, not as well.
    best = scale.distance(visit.coded.drafts)
    # As many rounds as there may be open facts: each of many may need its own answer.
    for _ in range(MOST_QUESTIONS):
        closer = _closest(tried, questions, scale, best) or _retimed(start, tried, scale, best)
        if closer is None:
            break
        best, tried = closer
        # All that is billed is explained; what is merely unbilled needs no further answer.
        if not best.beyond:
            break
        questions = tried.questions()
    return tried, questions, best


def _opened(tried: _Tried, questions: Iterable[Question]) -> Iterator[Question]:
    """What further answers to each question open: of a drip without an end nobody asks a class.

    The second and the last: an hour's drip may be billed, and where it ran all day, a pump.
    """
    for question in questions:
        for answer in dict.fromkeys((question.answers[1], question.answers[-1])):
            yield from tried.with_(((question, answer),)).questions()


def _closest(
    tried: _Tried, questions: Sequence[Question], scale: _Scale, best: _Distance
) -> tuple[_Distance, _Tried] | None:
    """The answers, one or two more, that bring a claim nearest; None: none does."""
    # From the cheapest to the dearest: single answers are made, others code the chart anew.
    ways = (
        _single(questions, scale),
        _same_drug(tried, scale),
        _together(tried, questions, scale),
    )
    answers: _Answers = ()
    for way in ways:
        for candidate, distance in way:
            if _nearer(distance, best):
                best, answers = distance, candidate
        if not best.beyond or (answers and len(questions) > _FEW):
            break
    return (best, tried.with_(answers)) if answers else None


def _retimed(
    start: _Tried, tried: _Tried, scale: _Scale, best: _Distance
) -> tuple[_Distance, _Tried] | None:
    """Another length of a run, asked anew beside the other answers; None: none is nearer.

    Lengths that bill the same beside fewer answers are one answer, and its first minute stood for
    it.
    """
    answers: _Answers = ()
    for question, answer in tried.answers:
        if isinstance(answer.when, Between):
            others = tuple([each for each in tried.answers if each[0].missing != question.missing])
            anew = start.with_(others).questions()
            again = [each for each in anew if each.missing == question.missing]
            for candidate, distance in _single(again, scale):
                if _nearer(distance, best):
                    best, answers = distance, candidate
    return (best, tried.with_(answers)) if answers else None


def _nearer(distance: _Distance, best: _Distance) -> bool:
    """Whether answers fit the claim better than the best so far.

    Who bills a line says that something was given which earns it: an answer by which nothing does
    must explain more of what is billed, and not merely leave less of the chart unbilled.
    """
    return distance < best and (not distance.beyond or distance.beyond < best.beyond)


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


def _same_drug(tried: _Tried, scale: _Scale) -> Iterator[tuple[_Answers, _Distance]]:
    """A drug that is not understood read as another of the chart: it may be a name of that one."""
    chart = tried.coded().derived.administrations
    names = dict.fromkeys(each.given.drug for each in chart if each.drug.drug_known)
    unread: dict[str, list[str]] = {}
    for each in chart:
        # With a stated class the drug's name decides nothing.
        if each.drug.drug_known is False and each.given.category is None:
            path = f"{_PLACE}{each.index}].drug"
            unread.setdefault(each.drug.drug_key, []).append(path)
    for paths, name in islice(product(unread.values(), names), _MOST_OPENED):
        if name is not None and tried.asks.code(0):
            answers = tuple([_read_as(path, name) for path in paths])
            yield answers, scale.distance(tried.with_(answers).coded().drafts)


def _read_as(path: str, name: str) -> tuple[Question, Answer]:
    """A dose whose drug is read as another; nobody is asked in these words."""
    answer = Answer(Equals(path, name), suggested=())
    return Question(None, path, "", "", (answer,)), answer


def _together(
    tried: _Tried, questions: Iterable[Question], scale: _Scale
) -> Iterator[tuple[_Answers, _Distance]]:
    """Answers to two questions: one may open what is asked only then."""
    for first, _ in islice(_single(questions, scale), _MOST_OPENED):
        for second, distance in _single(tried.with_(first).questions(), scale):
            yield (*first, *second), distance
