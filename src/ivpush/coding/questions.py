"""What the chart leaves open: the one fact that decides, and what each answer would bill.

A candidate fact is put to the test: each answer is written into the chart and derived again. A
question is asked only where two answers bill differently, so every listed answer is what a second
check would suggest. Minutes are asked from 0 to the limit ``implausible_infusion_minutes``.

Beside facts of the chart, a question may be about a payer that the pack does not know: which side
of a dispute it takes. Its field is ``policy.NAME``, and its answer goes into the engine's policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, get_args

from ivpush.coding.lengths import Retimed, bends, kind_of
from ivpush.coding.suggestions import drafts_of, suggested_lines
from ivpush.contract.encounter import Supervision
from ivpush.contract.fields import Route
from ivpush.contract.result import Answer, Between, Equals, Question

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import Encounter
    from ivpush.contract.facts import AdministrationFacts
    from ivpush.pack.book import Book

__all__ = [
    "MOST_QUESTIONS",
    "Over",
    "Try",
    "decides",
    "questions_of",
]

MOST_QUESTIONS = 12
"""Questions an encounter is asked at most; what is still open then stands in not_billable."""
_TRIED_ADMINISTRATIONS, _FEWEST_TRIES = 12_000, 120
"""How often a chart is derived again at most: so many times its administrations, but never fewer
tries than the second number, which settles two missing stops."""

Drafts = list["Draft"]
Facts = list["AdministrationFacts"]
Derive = Callable[["Encounter"], "Derived"]
Try = Callable[[str, Any], Drafts]
"""Gives the drafts of the encounter's lines under another value of one policy."""
Over = Callable[["Book"], Drafts]
"""Gives the drafts of the encounter's lines by another book."""
Tried = tuple[Equals, Drafts]
"""An answer put to the test; what it bills is put in words only if the question is asked."""
_OPEN = frozenset({"charted", "pump", "calculated", None})
_TIMED = frozenset({"IV", "IA", "SC"})
_TOLD = frozenset({"clock", "stated"})
_PUSHED = frozenset({"push", "injection"})
_LONG = frozenset({"infusion", "pump", "ia_infusion"})
_CLASSES = ("therapeutic", "chemotherapy", "complex_biologic", "hydration")
"""Classes that earn codes of their own; who gives a vaccine or contrast knows it for what it is."""


class _EnoughError(Exception):
    """The tries of one encounter are used up."""


def questions_of(
    encounter: Encounter, derived: Derived, book: Book, derive: Derive, under: Try, over: Over
) -> tuple[tuple[Question, ...], bool]:
    """The open questions of one encounter, in chart order, then those about the whole.

    ``derive`` derives a changed chart, ``under`` gives the drafts of the same chart under another
    policy, ``over`` by another book. The flag says that there may be more: the questions of a
    long stay are cut short by number and by the tries that they take.
    """
    left = max(_FEWEST_TRIES, _TRIED_ADMINISTRATIONS // max(1, len(derived.facts)))

    def tried(changed: Encounter) -> Derived:
        nonlocal left
        left -= 1
        if left < 0:
            raise _EnoughError
        return derive(changed)

    made: list[Question] = []
    try:
        for found in _candidates(encounter, derived, book, tried, under, over):
            made.append(found)
            if len(made) == MOST_QUESTIONS:
                return tuple(made), True
    except _EnoughError:
        return tuple(made), True
    return tuple(made), False


def _candidates(
    encounter: Encounter, derived: Derived, book: Book, derive: Derive, under: Try, over: Over
) -> Iterator[Question]:
    for one in derived.facts:
        if _may_be_open(one):
            yield from _about(one, derived.facts, encounter, book, derive)
    if not derived.facts:
        return
    yield from _sites(encounter, derived, book, derive)
    yield from _primary(encounter, derived, book, derive)
    yield from _presence(encounter, book, derive)
    found = _complexity(encounter, derived, book, derive)
    if found is not None:
        yield found
    if book.payer_known is False:
        listener, heard = book.listening()
        over(listener)
        yield from _payer(book, under, heard)


def decides(question: Question) -> frozenset[str]:
    """Codes of which the answers bill different units, modifiers or dates."""
    kinds = [
        {(one.code, one.units, one.modifiers, one.date) for one in answer.suggested}
        for answer in question.answers
    ]
    return frozenset(row[0] for one in kinds for row in one ^ kinds[0])


def _may_be_open(one: AdministrationFacts) -> bool:
    """Whether there is anything to ask about an administration: most are charted in full."""
    if one.minutes_from not in _TOLD or one.drug_known is False or one.given.route is None:
        return True
    return one.given.method in _PUSHED and one.technique in _LONG


def _about(
    one: AdministrationFacts, facts: Facts, encounter: Encounter, book: Book, derive: Derive
) -> Iterator[Question]:
    given = one.given
    if one.reason not in {None, "stop_missing", "route_missing"}:
        return
    if one.drug_known is False and one.stated_category is None and given.purpose is None:
        yield from _asked("category", one, encounter, book, derive, "category", _CLASSES)
    if one.reason == "route_missing":
        yield from _asked("route", one, encounter, book, derive, "route", get_args(Route))
    elif one.minutes_from not in _TOLD and _drips(one):
        if given.times_from in _OPEN:
            yield from _minutes(one, facts, encounter, book, derive)
        elif given.stop is not None or given.minutes is not None:
            words = ("charted", "pump", "calculated", "ordered", "defaulted")
            yield from _asked("times_from", one, encounter, book, derive, "times_from", words)
    elif _long_push(one, book):
        yield from _asked(
            "attended", one, encounter, book, derive, "continuously_attended", (True, False)
        )


def _drips(one: AdministrationFacts) -> bool:
    given = one.given
    if given.method in _PUSHED or given.route not in _TIMED:
        return False
    return given.method == "infusion" or given.route == "IV"


def _long_push(one: AdministrationFacts, book: Book) -> bool:
    given = one.given
    return (
        given.method in _PUSHED
        and given.route in {"IV", "IA"}
        and given.continuously_attended is None
        and one.technique in _LONG
        and one.family != "hydration"
        and book.policy.long_push != "infusion"
    )


def _with(encounter: Encounter, index: int, **facts: Any) -> Encounter:
    given = list(encounter.administrations or ())
    given[index] = given[index].model_copy(update=facts)
    return encounter.model_copy(update={"administrations": tuple(given)})


def _asked(
    name: str,
    one: AdministrationFacts,
    encounter: Encounter,
    book: Book,
    derive: Derive,
    field: str,
    values: tuple[Any, ...],
) -> Iterator[Question]:
    path = f"administrations[{one.index}].{field}"
    tries: list[Tried] = [
        _tried(Equals(path, value), _with(encounter, one.index, **{field: value}), book, derive)
        for value in values
    ]
    if _differ(tries):
        who, ask = book.question(name)
        ask = ask.replace("{what}", _name(one))
        yield Question(one.given.id, path, who, ask, _answers(tries, book))


def _name(one: AdministrationFacts) -> str:
    return one.row.name if one.row is not None else one.given.id


def _minutes(
    one: AdministrationFacts, facts: Facts, encounter: Encounter, book: Book, derive: Derive
) -> Iterator[Question]:
    path, index = f"administrations[{one.index}].minutes", one.index
    most = book.limits.implausible_infusion_minutes
    retimed = Retimed(
        encounter, book, lambda n: derive(_with(encounter, index, minutes=n, stop=None)),
        bends(one, facts, book, most),
    )  # fmt: skip
    found = [(low, suggested_lines(drafts, book)) for low, drafts in retimed.changes()]
    if len(found) > 1:
        bounds = [*(low - 1 for low, _ in found[1:]), most]
        answers = tuple([
            Answer(Between(path, low, high), lines)
            for (low, lines), high in zip(found, bounds, strict=True)
        ])  # fmt: skip
        who, ask = book.question("stop")
        place = f"administrations[{index}].stop"
        ask = ask.replace("{what}", _name(one))
        yield Question(one.given.id, place, who, ask, answers)


def _complexity(
    encounter: Encounter, derived: Derived, book: Book, derive: Derive
) -> Question | None:
    if encounter.complexity_documented is not None:
        return None
    if book.policy.complex_biologic_mode != "documented_factors":
        return None
    about = next(
        (o for o in derived.facts if o.category == "complex_biologic" and o.reason is None), None
    )
    if about is None:
        return None
    field = "complexity_documented"
    tries: list[Tried] = [
        _tried(Equals(field, value), encounter.model_copy(update={field: value}), book, derive)
        for value in (True, False)
    ]
    if not _differ(tries):
        return None
    who, ask = book.question("complexity")
    ask = ask.replace("{what}", _name(about))
    return Question(about.given.id, field, who, ask, _answers(tries, book))


def _tried(when: Equals, changed: Encounter, book: Book, derive: Derive) -> Tried:
    return when, drafts_of(derive(changed), changed, book)


def _differ(tries: list[Tried]) -> bool:
    first = kind_of(tries[0][1])
    return any(kind_of(drafts) != first for _, drafts in tries[1:])


def _answers(tries: list[Tried], book: Book) -> tuple[Answer, ...]:
    return tuple([Answer(when, suggested_lines(drafts, book)) for when, drafts in tries])


def _sites(
    encounter: Encounter, derived: Derived, book: Book, derive: Derive
) -> Iterator[Question]:
    """A further site whose need nobody stated, and an unnamed access where there are several."""
    seen: set[tuple[int, str]] = set()
    places = {chain.site for chain in derived.chains}
    places.update([one.site for chain in derived.chains for one in chain.facts])
    if len(places) < 2:
        return
    for chain in derived.chains:
        for one in chain.facts:
            place = (one.visit, one.site)
            if one.given.separate_site_reason is not None or place in seen:
                continue
            seen.add(place)
            if one.site_named and one.site != chain.site:
                words = (book.word("site_need", "yes"), book.word("site_need", "no"))
                field = "separate_site_reason"
                yield from _asked("site_need", one, encounter, book, derive, field, words)
    named = tuple(dict.fromkeys(c.site for c in derived.chains if c.site))
    if len(named) > 1:
        for one in derived.facts:
            if one.reason is None and not one.site_named and one.given.route == "IV":
                yield from _asked("site", one, encounter, book, derive, "site", named)


def _primary(
    encounter: Encounter, derived: Derived, book: Book, derive: Derive
) -> Iterator[Question]:
    """A professional claim whose primary reason nobody named, where it could be several."""
    if encounter.primary_administration is not None:
        return
    if not book.by_reason(encounter.setting):
        return
    ids = [s.lead.given.id for chain in derived.chains for s in chain.services]
    if len(ids) > 1:
        field = "primary_administration"
        tries: list[Tried] = [
            _tried(Equals(field, one), encounter.model_copy(update={field: one}), book, derive)
            for one in ids
        ]
        if _differ(tries):
            who, ask = book.question("primary")
            yield Question(None, field, who, ask, _answers(tries, book))


def _presence(encounter: Encounter, book: Book, derive: Derive) -> Iterator[Question]:
    """Whether the supervising practitioner was there, where a policy has it asked."""
    if not book.policy.ask_supervision:
        return
    known = encounter.supervision or Supervision()
    if known.provider_present is not None:
        return
    field = "supervision.provider_present"
    tries: list[Tried] = []
    for there in (True, False):
        stated = known.model_copy(update={"provider_present": there})
        changed = encounter.model_copy(update={"supervision": stated})
        tries.append(_tried(Equals(field, there), changed, book, derive))
    if _differ(tries):
        who, ask = book.question("presence")
        yield Question(None, field, who, ask, _answers(tries, book))


def _payer(book: Book, under: Try, heard: set[str]) -> Iterator[Question]:
    """Which side an unknown payer takes in each dispute that decides this encounter.

    ``heard`` names the policies that its derivation reads; the others cannot decide it.
    """
    for name, others in book.disputes:
        if name not in heard:
            continue
        held = getattr(book.policy, name)
        field = f"policy.{name}"
        values = (held, *(one for one in others if one != held))
        tries: list[Tried] = [(Equals(field, value), under(name, value)) for value in values]
        if _differ(tries):
            who, ask = book.question("payer")
            ask = ask.replace("{what}", name)
            yield Question(None, field, who, ask, _answers(tries, book))
