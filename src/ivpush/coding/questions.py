"""What the chart leaves open: the one fact that decides, and what each answer would bill.

The engine asks once an encounter. A candidate fact is put to the test: each answer is written into
the chart and the chart coded again. A question is asked only where two answers bill differently, so
every listed answer is what a second check would suggest. ``stops`` says which lengths are asked.

Beside facts of the chart, a question may be about a payer that the pack does not know: which side
of a dispute it takes. Its field is ``policy.NAME``, and its answer goes into the engine's policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from ivpush.coding.chart import CodedChart, code_chart
from ivpush.coding.derivation import derive, derive_again
from ivpush.coding.lengths import Retimed, bends, billing_of
from ivpush.coding.mixtures import in_one_bag
from ivpush.coding.open_facts import (
    KNOWN_MINUTES,
    LONG,
    PUSHED,
    drips,
    may_be_hormone,
    may_be_open,
    may_keep_open,
    prolonged,
)
from ivpush.coding.permission import standing_of
from ivpush.coding.roles import BESIDE_ANOTHER
from ivpush.coding.stops import end_of, every_length, few_lengths
from ivpush.coding.suggestions import drafts_of, suggested_lines
from ivpush.coding.tries import EnoughError, Tries, most_tries
from ivpush.contract.encounter import Supervision
from ivpush.contract.fields import PumpSupplier, Route, TimesFrom
from ivpush.contract.result import Answer, Equals, Question

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.chart_facts import AdministrationFacts, DrugFacts
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["MOST_QUESTIONS", "Asked", "decides", "questions_of"]

MOST_QUESTIONS = 12
"""Questions an encounter is asked at most; what is still open then stands in not_billable."""

_CHARTED = frozenset({"charted", "pump", "calculated", None})
"""Sources of times that somebody saw."""

_PUMPS = ("ambulatory_pump", "implanted_pump", "stationary_pump")
_CLASSES: tuple[str, ...] = ("therapeutic", "chemotherapy", "complex_biologic", "hydration")
"""Classes that earn codes of their own."""
_CLASSES_BY_ROUTE = {"IM": ("vaccine",), "SC": ("vaccine",), "IV": ("blood",)}
"""Classes that others' codes pay, by the routes on which they are given."""
_SLOW_FLUID = ("hydration", "keep_open")
_OF_ANY_CLASS = frozenset({None, "treatment"})
"""Purposes that leave the class of a drug open."""

_WITHOUT_STOP = ("missing_stop_time", "missing_stop_time_hydration")
"""What a drip without a stop bills: the policy of drugs, and that of hydration."""

_ENDED_EARLY = "infusion_stopped_early"
"""The one policy that is asked about whoever pays: a chart says that it decides."""

_MAY_BE_OPEN = frozenset({None, *BESIDE_ANOTHER, "route_missing", "stop_missing"})
"""Reasons that another answer could lift."""

_BY_TIME = frozenset(
    {
        "before_reported_gap",
        "bolus_of_infusion",
        "hydration_too_short",
        "no_time",
        "repeat_dose_too_short",
        "repeat_not_reportable",
        "within_first_hour",
    }
)
"""Reasons that other minutes, or somebody who stayed, could lift."""


class Asked(NamedTuple):
    """The open questions of one encounter, and whether there may be more.

    The questions of a long stay are cut short by number and by the tries that they take.
    """

    questions: tuple[Question, ...] = ()
    cut: bool = False
    settled: frozenset[str] = frozenset()
    """Facts of which a policy says what is billed while they are missing."""
    tries: int = 0
    """How often the chart was coded again to learn this."""

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions of which any answer may be what the claim rests on."""
        return tuple([each for each in self.questions if each.missing not in self.settled])


def questions_of(
    coded: CodedChart, book: Book, *, every_length: bool = False, most: int | None = None
) -> Asked:
    """The open questions of one encounter, in chart order, then those about the whole.

    With ``every_length`` a missing stop is answered by all lengths that bill differently, and not
    only by those that are put to a person. ``most`` are the tries that may be spent; else the chart
    says how many.
    """
    candidates = _Candidates(coded, book, every_length=every_length, most=most)
    questions: list[Question] = []
    cut = False
    try:
        for question in islice(candidates.questions(), MOST_QUESTIONS):
            questions.append(question)  # noqa: PERF402 - kept one by one, should the tries run out
    except EnoughError:
        cut = True
    cut = cut or len(questions) == MOST_QUESTIONS
    spent = candidates.most - max(0, candidates.tries.left)
    return Asked(tuple(questions), cut, frozenset(candidates.settled), spent)


def decides(question: Question) -> frozenset[str]:
    """Codes of which the answers bill different units, modifiers or dates."""
    billings = [
        {(line.code, line.units, line.modifiers, line.date) for line in answer.suggested}
        for answer in question.answers
    ]
    return frozenset(row[0] for billing in billings for row in billing ^ billings[0])


class _Try(NamedTuple):
    """An answer put to the test; what it bills is put in words only if the question is asked."""

    when: Equals
    drafts: list[Draft]


class _Candidates:
    """Facts that may be open in one encounter, each put to the test."""

    def __init__(
        self, coded: CodedChart, book: Book, *, every_length: bool, most: int | None
    ) -> None:
        self.coded, self.book, self.encounter = coded, book, coded.encounter
        self.every_length = every_length
        self.derived = coded.derived
        self.chart = coded.derived.administrations
        self.settled: set[str] = set()
        usual = most_tries(len(self.chart))
        self.most = usual if most is None else min(usual, most)
        self.tries = Tries(self.most)

    def questions(self) -> Iterator[Question]:
        """Each open fact that decides; raises EnoughError where too much would be tried."""
        for administration in self.chart:
            if may_be_open(administration):
                yield from self._about(administration)
        if not self.chart:
            return
        yield from self._sites()
        yield from self._primary()
        yield from self._presence()
        yield from self._complexity()
        yield from self._stopped_early()
        if self.book.payer_known is False:
            yield from self._payer()

    def _try(self, field: str, value: Any, changed: Encounter) -> _Try:
        self.tries.spend()
        derived = derive(changed, self.book, standing_of(changed, self.book))
        return _Try(Equals(field, value), drafts_of(derived, changed, self.book))

    def _try_on(self, administration: AdministrationFacts, field: str, value: Any) -> _Try:
        """An answer about one administration, which alone is read again."""
        derived = self._again(administration, **{field: value})
        when = Equals(f"administrations[{administration.index}].{field}", value)
        return _Try(when, drafts_of(derived, self.encounter, self.book))

    def _again(self, administration: AdministrationFacts, **changes: object) -> Derived:
        self.tries.spend()
        changed, standing = self._with(administration, **changes), self.coded.standing
        # The supervision that a visit needs rests on the classes of its drugs.
        if "category" in changes:
            standing = standing_of(changed, self.book)
        return derive_again(self.derived, administration.index, changed, self.book, standing)

    def _with(self, administration: AdministrationFacts, **changes: object) -> Encounter:
        """The encounter with other facts of one administration."""
        administrations = list(self.encounter.administrations or ())
        changed = administrations[administration.index].model_copy(update=changes)
        administrations[administration.index] = changed
        return self.encounter.model_copy(update={"administrations": tuple(administrations)})

    def _asked(
        self, name: str, tries: list[_Try], about: AdministrationFacts | None, what: str = ""
    ) -> Iterator[Question]:
        """The question of some tries, if two of them bill differently."""
        first = billing_of(tries[0].drafts)
        if all(billing_of(each.drafts) == first for each in tries[1:]):
            return
        who, ask = self.book.question(name, **_words(about, what))
        yield Question(
            administration=about.given.id if about is not None else None,
            missing=tries[0].when.field,
            who=who,
            ask=ask,
            answers=tuple(
                [Answer(each.when, suggested_lines(each.drafts, self.book)) for each in tries]
            ),
        )

    def _field(
        self,
        name: str,
        administration: AdministrationFacts,
        field: str,
        values: Sequence[Any],
        what: str = "",
    ) -> Iterator[Question]:
        """A question about one field of an administration."""
        self.tries.need(len(values))
        tries = [self._try_on(administration, field, value) for value in values]
        yield from self._asked(name, tries, administration, what)

    def _whole(
        self, name: str, field: str, values: Sequence[Any], about: AdministrationFacts | None
    ) -> Iterator[Question]:
        """A question about one field of the encounter."""
        self.tries.need(len(values))
        tries = [
            self._try(field, value, self.encounter.model_copy(update={field: value}))
            for value in values
        ]
        yield from self._asked(name, tries, about)

    def _about(self, administration: AdministrationFacts) -> Iterator[Question]:
        given = administration.given
        if administration.purpose_open:
            apart = "hydration" if administration.family == "hydration" else "treatment"
            yield from self._field("purpose", administration, "purpose", (apart, "procedure"))
        if administration.reason in _BY_TIME:
            yield from self._how_long(administration)
        if administration.reason not in _MAY_BE_OPEN:
            return
        if not administration.drug.drug_known and given.purpose in _OF_ANY_CLASS:
            if given.category is None:
                yield from self._class(administration)
            elif may_be_hormone(administration):
                yield from self._field("hormonal", administration, "hormonal", (True, False))
        if may_keep_open(administration, self.book):
            yield from self._field("keep_open", administration, "purpose", _SLOW_FLUID)
        if administration.reason == "route_missing":
            yield from self._field("route", administration, "route", get_args(Route))
        else:
            yield from self._how_long(administration)
        yield from self._pump(administration)

    def _how_long(self, administration: AdministrationFacts) -> Iterator[Question]:
        """How long it ran, or whether somebody stayed, where nobody charted that."""
        if administration.minutes_from not in KNOWN_MINUTES and drips(administration):
            yield from self._length(administration)
        elif self._may_be_attended(administration):
            answers = (True, False)
            yield from self._field("attended", administration, "continuously_attended", answers)

    def _pump(self, administration: AdministrationFacts) -> Iterator[Question]:
        """What held a prolonged infusion, and whose pump goes home if the practice's is billed."""
        if prolonged(administration, self.book):
            yield from self._field("device", administration, "device", _PUMPS)
        elif administration.technique == "pump" and self._bills_home_pump():
            if administration.given.pump_supplied_by is None:
                field = "pump_supplied_by"
                yield from self._field(field, administration, field, get_args(PumpSupplier))

    def _bills_home_pump(self) -> bool:
        row = self.book.pick("chemotherapy", "pump", "pump_start", "home_pump")
        return row is not None and any(line.code == row.code for line in self.encounter.lines or ())

    def _class(self, administration: AdministrationFacts) -> Iterator[Question]:
        """Which class a drug is of, with the drugs that what is written may mean first."""
        written = administration.given.drug
        answer = self.book.names.look_up(written) if written is not None else None
        rows = () if answer is None else answer.offered or (answer.row,)
        held = {row.name: row.category for row in rows if row is not None}
        usual = _CLASSES
        # Blood and vaccines are given by themselves, in no bag with a drug.
        if len(in_one_bag(administration, self.chart)) == 1:
            usual += _CLASSES_BY_ROUTE.get(administration.given.route or "", ())
        classes = sorted(usual, key=lambda each: each not in held.values())
        name = "unnamed" if administration.drug.drug_known is None else "category"
        name, what = ("category_held", " or ".join(held)) if held else (name, "")
        yield from self._field(name, administration, "category", classes, what)

    def _length(self, administration: AdministrationFacts) -> Iterator[Question]:
        for question in self._end(administration):
            if _WITHOUT_STOP[administration.family == "hydration"] in self.book.settled:
                self.settled.add(question.missing)
            yield question

    def _end(self, administration: AdministrationFacts) -> Iterator[Question]:
        given = administration.given
        if administration.follows is not None:
            return  # a bag is asked about once, by the drug that stands for it
        if given.times_from in _CHARTED:
            yield from self._minutes(administration)
        elif given.stop is not None or given.minutes is not None:
            sources = get_args(TimesFrom)
            yield from self._field("times_from", administration, "times_from", sources)

    def _may_be_attended(self, administration: AdministrationFacts) -> bool:
        """Whether a charted push ran so long that only attendance makes it one."""
        given = administration.given
        return (
            given.method in PUSHED
            and given.route in {"IV", "IA"}
            and given.continuously_attended is None
            and administration.technique in LONG
            and administration.family != "hydration"
            and self.book.policy.long_push != "infusion"
        )

    def _minutes(self, administration: AdministrationFacts) -> Iterator[Question]:
        """When an infusion stopped: each stretch of minutes that bills the same is an answer."""
        most = self.book.limits.implausible_infusion_minutes
        retimed = Retimed(
            self.encounter,
            self.book,
            lambda minutes: self._again(administration, minutes=minutes, stop=None),
            bends(administration, self.chart, self.book, most),
        )
        place = f"administrations[{administration.index}]"
        field, end = f"{place}.minutes", end_of(administration, self.book)
        if self.every_length:
            answers = every_length(retimed, field, most)
        else:
            answers = few_lengths(retimed, field, end, self.coded.drafts, self.book)
        if len(answers) < 2:
            return
        who, ask = self.book.question("stop", what=administration.name)
        yield Question(
            administration=administration.given.id,
            missing=f"{place}.stop",
            who=who,
            ask=ask,
            answers=answers,
        )

    def _sites(self) -> Iterator[Question]:
        """A further site whose need nobody stated; an unnamed access where there are several."""
        chains = self.derived.chains
        sites = {each.site for chain in chains for each in chain.administrations}
        if len(sites | {chain.site for chain in chains}) < 2:
            return
        yield from self._site_needs()
        named = tuple(dict.fromkeys(chain.site for chain in chains if chain.site))
        if len(named) > 1:
            for administration in self.chart:
                unnamed = administration.reason is None and not administration.site_named
                if unnamed and administration.given.route == "IV":
                    yield from self._field("site", administration, "site", named)

    def _site_needs(self) -> Iterator[Question]:
        words = [self.book.word("site_need", answer) for answer in ("yes", "no")]
        seen: set[tuple[int, str]] = set()
        for chain in self.derived.chains:
            for administration in chain.administrations:
                place = (administration.visit, administration.site)
                if administration.given.separate_site_reason is not None or place in seen:
                    continue
                seen.add(place)
                if administration.site_named and administration.site != chain.site:
                    yield from self._field(
                        "site_need", administration, "separate_site_reason", words
                    )

    def _primary(self) -> Iterator[Question]:
        """A professional claim whose primary reason nobody named, where it could be several."""
        named = self.encounter.primary_administration is not None
        if named or not self.book.by_reason(self.encounter.setting):
            return
        leads: dict[int, list[str]] = {}
        for chain in self.derived.chains:
            of_encounter = leads.setdefault(chain.part, [])
            # Named, a drip beside another would keep a role of its own.
            beside = [each for each in chain.every_service if each.lead.reason in BESIDE_ANOTHER]
            of_encounter += [each.lead.given.id for each in (*chain.services, *beside)]
        for able in leads.values():
            if len(able) > 1:
                yield from self._whole("primary", "primary_administration", able, None)

    def _presence(self) -> Iterator[Question]:
        """Whether the supervising practitioner was there, where a policy has it asked."""
        stated = self.encounter.supervision or Supervision()
        if not self.book.policy.ask_supervision or stated.provider_present is not None:
            return
        tries = []
        for present in (True, False):
            answered = stated.model_copy(update={"provider_present": present})
            changed = self.encounter.model_copy(update={"supervision": answered})
            tries.append(self._try("supervision.provider_present", present, changed))
        yield from self._asked("presence", tries, None)

    def _complexity(self) -> Iterator[Question]:
        """Whether a complex biologic was given as one, where the documentation decides."""
        decided_by = self.book.policy.complex_biologic_mode
        if self.encounter.complexity_documented is not None or decided_by != "documented_factors":
            return
        for administration in self.chart:
            if self._may_be_complex(administration.drug) and administration.reason is None:
                field = "complexity_documented"
                yield from self._whole("complexity", field, (True, False), administration)
                return

    def _may_be_complex(self, drug: DrugFacts) -> bool:
        """Whether its complexity is open; of what is injected as a rule where a claim says so."""
        if drug.category == "complex_biologic":
            return True
        stated, row = drug.stated_category, drug.row
        if stated is not None or row is None or row.category != "complex_biologic":
            return False
        billed = [self.book.code(line.code) for line in self.encounter.lines or ()]
        return any(code is not None and code.family == "chemotherapy" for code in billed)

    def _stopped_early(self) -> Iterator[Question]:
        """What an infusion ended within push minutes is, where nobody set the policy."""
        others = dict(self.book.disputes).get(_ENDED_EARLY, ())
        for administration in self.chart if others else ():
            if administration.stopped_short and administration.reason is None:
                tries = self._tried(_ENDED_EARLY, others)
                yield from self._asked("stopped_early", tries, administration)
                return

    def _payer(self) -> Iterator[Question]:
        """Which side an unknown payer takes in each dispute that decides this encounter."""
        listener, heard = self.book.listening()
        self.tries.spend()
        code_chart(self.encounter, listener)  # tells which policies this chart is coded by
        for name, others in self.book.disputes:
            if name in heard and name != _ENDED_EARLY:
                yield from self._asked("payer", self._tried(name, others), None, what=name)

    def _tried(self, policy: str, others: Iterable[Any]) -> list[_Try]:
        """What a policy bills by the value held and by others."""
        held = getattr(self.book.policy, policy)
        values = (held, *(value for value in others if value != held))
        self.tries.need(len(values))
        return [self._by_policy(policy, value) for value in values]

    def _by_policy(self, policy: str, value: Any) -> _Try:
        self.tries.spend()
        coded = code_chart(self.encounter, self.book.with_policy(policy, value))
        return _Try(Equals(f"policy.{policy}", value), coded.drafts)


def _words(about: AdministrationFacts | None, what: str) -> dict[str, str]:
    """What a question names: an administration, or something else."""
    if about is None:
        return {"what": what}
    return {"what": about.name, "beside": about.beside or "", "held": what}
