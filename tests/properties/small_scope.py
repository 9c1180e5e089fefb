"""Every small encounter, and the relations that must hold on each (relations 6, 7, 17, 38 to 58).

One and two administrations are taken over every kind, drug, class, site and duration; three over the
durations on both sides of the limits that a kind has. What only renames is taken once: the first drug
is A, the first access is 1, a drug has one class throughout, an injection has no access of its own and
hydration no drug. The second access has a documented need, and with two administrations also none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from ivpush import Encounter
from ivpush.coding.derivation import derive
from ivpush.coding.permission import standing_of
from ivpush.coding.suggestions import drafts_of, not_billable, suggested_lines
from ivpush.contract.encounter import Administration
from ivpush.contract.result import SuggestedLine
from tests.properties.charts import (
    NEEDED,
    Dose,
    as_lines,
    as_printed,
    billed,
    chart,
    drip,
    fluid,
    push,
    shot,
)
from tests.properties.questions import values_of, with_answer
from tests.properties.test_structure import errors
from tests.shipped import ENGINE

DURATIONS = (None, 0, 15, 16, 30, 31, 90, 91)
GAPS = (29, 30, 31)
CLASSES = ("therapeutic", "chemotherapy")
DRUGS, SITES = ("alpha", "beta"), ("left arm", "right arm")
SETTINGS = ("facility", "professional")
FACILITY_PLACE = "21"


class Planned(NamedTuple):
    """One administration in the making; drug and site by number, None where the kind has none."""

    kind: str
    drug: int | None
    site: int | None
    minutes: int | None


class State(NamedTuple):
    """One small encounter; gaps run from start to start."""

    planned: tuple[Planned, ...]
    classes: tuple[int, ...]
    gaps: tuple[int, ...]
    setting: str
    need: bool


def _kinds(pushes: Any, infusions: Any, fluids: Any) -> list[Planned]:
    """Every administration, with these durations of each kind."""
    kinds = [Planned("injection", drug, None, None) for drug in (0, 1)]
    for site in (0, 1):
        kinds += [Planned("hydration", None, site, minutes) for minutes in fluids]
        for drug in (0, 1):
            kinds += [Planned("push", drug, site, minutes) for minutes in pushes]
            kinds += [Planned("infusion", drug, site, minutes) for minutes in infusions]
    return kinds


FULL = _kinds(DURATIONS, DURATIONS, DURATIONS)
EDGES = _kinds((None, 15, 16), (None, 15, 16, 31, 91), (None, 30, 31, 91))


def _bears_first_names(plan: tuple[Planned, ...]) -> bool:
    """Whether the first drug and the first access bear the first names."""
    drugs = [planned.drug for planned in plan if planned.drug is not None]
    sites = [planned.site for planned in plan if planned.site is not None]
    return (not drugs or drugs[0] == 0) and (not sites or sites[0] == 0)


def states() -> Iterator[State]:
    """Every state, always in the same order."""
    for most, kinds in ((1, FULL), (2, FULL), (3, EDGES)):
        for plan in product(kinds, repeat=most):
            if _bears_first_names(plan):
                yield from _states_of(plan)


def _states_of(plan: tuple[Planned, ...]) -> Iterator[State]:
    drugs = len({planned.drug for planned in plan} - {None})
    apart = any(planned.site == 1 for planned in plan)
    needs = (True, False) if apart and len(plan) == 2 else (True,)
    classes = product((0, 1), repeat=drugs)
    gaps = product(GAPS, repeat=len(plan) - 1)
    return (State(plan, *rest) for rest in product(classes, gaps, SETTINGS, needs))


def sampled(number: int, one_in: int) -> bool:
    """Whether a state of this number is in a sample that has no period, and is always the same."""
    # Knuth's multiplicative hash: 2**32 divided by the golden ratio.
    return (number * 2_654_435_761) % 4_294_967_296 < 4_294_967_296 // one_in


@lru_cache(maxsize=100_000)
def _administration(
    place: int, planned: Planned, category: str, offset: int, need: bool
) -> Administration:
    administrations = chart(_dose(f"a{place}", planned, category, offset, need)).administrations
    assert administrations is not None
    return administrations[0]


def _dose(id: str, planned: Planned, category: str, offset: int, need: bool) -> Dose:
    drug, minutes = DRUGS[planned.drug or 0], planned.minutes
    if planned.kind == "injection":
        return shot(id, offset, drug, category=category, site=None)
    at_site: dict[str, Any] = {
        "site": SITES[planned.site or 0],
        "extra": NEEDED if need and planned.site == 1 else (),
    }
    if planned.kind == "hydration":
        return fluid(id, offset, minutes, **at_site)
    make = push if planned.kind == "push" else drip
    return make(id, offset, drug=drug, category=category, minutes=minutes, **at_site)


_EMPTY = {setting: chart(setting=setting) for setting in SETTINGS}


def encounter_of(state: State) -> Encounter:
    """The encounter of a state; its parts are validated once and shared."""
    at, administrations = 0, []
    for place, planned in enumerate(state.planned):
        category = CLASSES[0 if planned.drug is None else state.classes[planned.drug]]
        administrations.append(_administration(place, planned, category, at, state.need))
        if place < len(state.gaps):
            at += state.gaps[place]
    empty = _EMPTY[state.setting]
    return empty.model_copy(update={"administrations": tuple(administrations)})


def is_open(state: State) -> bool:
    """Whether a stop is missing where minutes decide: such a chart is asked about."""
    return any(
        planned.minutes is None
        for planned in state.planned
        if planned.kind in {"infusion", "hydration"}
    )


def chart_faults(state: State, encounter: Encounter) -> list[str]:
    """Relations that the suggestion of a chart breaks."""
    book = _book()
    derived = derive(encounter, book, standing_of(encounter, book))
    lines = suggested_lines(drafts_of(derived, encounter, book), book)
    barred = [reason.administration for reason in not_billable(derived.administrations, book)]
    rows = {line.code: book.code(line.code) for line in lines}
    roles = {code: row.role if row is not None else None for code, row in rows.items()}
    initial = [line for line in lines if roles[line.code] == "initial"]
    concurrent = [line for line in lines if roles[line.code] == "concurrent"]
    by_chain = [
        [service.role for service in chain.services].count("initial") for chain in derived.chains
    ]
    by_vein = any(service.role not in {"stand_alone", "pump_start"} for service in derived.services)
    into_muscle = {
        f"a{place}" for place, planned in enumerate(state.planned) if planned.kind == "injection"
    }
    primaries = [book.primaries(code) for code in rows]
    holds = {
        "65 every administration is billed or has one reason why not": _accounted_for(
            encounter, lines, barred
        ),
        "38 units are whole and at least one": all(
            type(line.units) is int and line.units >= 1 for line in lines
        ),
        "40 and 49 one initial a chain, the rest set apart": (
            all(count <= 1 for count in by_chain)
            and sum(line.units for line in initial) <= len(by_chain)
            and sum(not line.modifiers for line in initial) <= 1
        ),
        "41 something by vein has an initial": not by_vein or 1 in by_chain,
        "42 every add-on has a primary": all(
            not asked or not asked.isdisjoint(rows) for asked in primaries
        ),
        "52 no code outside its setting": all(
            row is not None and state.setting in row.settings for row in rows.values()
        ),
        "56 one concurrent infusion at most": sum(line.units for line in concurrent) <= 1,
        "57 an injection is never billed by vein": all(
            roles[line.code] == "stand_alone" or into_muscle.isdisjoint(line.administrations)
            for line in lines
        ),
    }
    return [relation for relation, held in holds.items() if not held]


def _accounted_for(
    encounter: Encounter, lines: tuple[SuggestedLine, ...], barred: list[str]
) -> bool:
    """Whether each administration stands behind lines, or is barred once, and not both."""
    stands = {id for line in lines for id in line.administrations}
    every = {administration.id for administration in encounter.administrations or ()}
    return (
        len(barred) == len(set(barred))
        and stands.isdisjoint(barred)
        and stands | set(barred) == every
    )


@lru_cache(maxsize=1)
def _book() -> Any:
    return ENGINE.pack.book(_EMPTY["facility"].service_date)


def claim_faults(state: State, encounter: Encounter, number: int) -> list[str]:
    """Relations that claims made of the suggestion break; ``number`` chooses what goes wrong."""
    first = ENGINE.check(encounter)
    lines = as_lines(first.suggested)
    second = ENGINE.check(billed(encounter, lines))
    holds = {
        "6 the suggestion billed is a fixed point": (
            second.suggested == first.suggested
            and not errors(second)
            and all(verdict.status == "matched" for verdict in second.lines)
        ),
        "7 the corrected claim settles": _settles(billed(encounter, _wronged(lines, number))),
        "58 a professional claim in a facility place earns nothing": (
            state.setting != "professional" or not lines or _earns_nothing(encounter, lines)
        ),
    }
    return [relation for relation, held in holds.items() if not held]


def _settles(wrong: Encounter) -> bool:
    corrected = ENGINE.check(wrong).corrected
    if corrected is None:
        return True
    again = ENGINE.check(wrong.model_copy(update={"lines": corrected}))
    if errors(again) or again.corrected not in {None, corrected}:
        return False
    # Only a line that the correction added may wait for the answer of an open question.
    return again.corrected is not None or bool(again.questions)


def _earns_nothing(encounter: Encounter, lines: list[dict[str, Any]]) -> bool:
    inside = encounter.model_copy(update={"place_of_service": FACILITY_PLACE})
    result = ENGINE.check(billed(inside, lines))
    wrong = {v.line for v in result.violations if v.severity == "error"}
    return not result.suggested and wrong == set(range(1, len(lines) + 1))


def _wronged(lines: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The claim with one thing wrong, which thing by the number of the state."""
    wrong = [dict(line) for line in lines]
    codes = sorted(code for code, row in _book().codes.items() if row.administration)
    code, what = codes[number % len(codes)], number % 4
    if not wrong or what == 0:
        return [*wrong, {"code": code, "units": 1, "modifiers": []}]
    line = wrong[number % len(wrong)]
    if what == 1:
        line["units"] += 1
    elif what == 2:
        line["code"] = code
    else:
        line["modifiers"] = []
        del wrong[(number + 1) % len(wrong)]
    return wrong


def question_faults(encounter: Encounter) -> list[str]:
    """Answers that bill something else than their question says."""
    for question in ENGINE.check(encounter).questions:
        for answer in question.answers:
            for value in values_of(answer.when):
                answered = ENGINE.check(with_answer(encounter, question, value))
                if as_printed(answered.suggested) != as_printed(answer.suggested):
                    return ["17 every answer bills what the question says"]
    return []
