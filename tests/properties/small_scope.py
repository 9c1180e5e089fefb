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

from ivpush import Encounter, Engine
from ivpush.coding.derivation import derive
from ivpush.coding.permission import standing_of
from ivpush.coding.suggestions import drafts_of, not_billable, suggested_lines
from ivpush.contract.encounter import Administration
from ivpush.contract.result import SuggestedLine
from tests.properties.charts import NEEDED, Dose, as_lines, billed, chart, drip, fluid, push
from tests.properties.test_structure import errors, with_answer

DURATIONS = (None, 0, 15, 16, 30, 31, 90, 91)
GAPS = (29, 30, 31)
CLASSES = ("therapeutic", "chemotherapy")
DRUGS, SITES = ("alpha", "beta"), ("left arm", "right arm")
SETTINGS = ("facility", "professional")
FACILITY_PLACE = "21"
ENGINE = Engine()


class Given(NamedTuple):
    """One administration in the making; drug and site by number, None where the kind has none."""

    kind: str
    drug: int | None
    site: int | None
    minutes: int | None


class State(NamedTuple):
    """One small encounter; gaps run from start to start."""

    given: tuple[Given, ...]
    classes: tuple[int, ...]
    gaps: tuple[int, ...]
    setting: str
    need: bool


def _kinds(pushes: Any, infusions: Any, fluids: Any) -> list[Given]:
    made = [Given("injection", drug, None, None) for drug in (0, 1)]
    for site in (0, 1):
        made += [Given("hydration", None, site, minutes) for minutes in fluids]
        for drug in (0, 1):
            made += [Given("push", drug, site, minutes) for minutes in pushes]
            made += [Given("infusion", drug, site, minutes) for minutes in infusions]
    return made


FULL = _kinds(DURATIONS, DURATIONS, DURATIONS)
EDGES = _kinds((None, 15, 16), (None, 15, 16, 31, 91), (None, 30, 31, 91))


def _first(given: tuple[Given, ...]) -> bool:
    """Whether the first drug and the first access bear the first names."""
    drugs = [one.drug for one in given if one.drug is not None]
    sites = [one.site for one in given if one.site is not None]
    return (not drugs or drugs[0] == 0) and (not sites or sites[0] == 0)


def states() -> Iterator[State]:
    """Every state, always in the same order."""
    for most, kinds in ((1, FULL), (2, FULL), (3, EDGES)):
        for given in product(kinds, repeat=most):
            if not _first(given):
                continue
            drugs = len({one.drug for one in given} - {None})
            apart = any(one.site == 1 for one in given)
            needs = (True, False) if apart and most == 2 else (True,)
            for classes in product((0, 1), repeat=drugs):
                for gaps in product(GAPS, repeat=most - 1):
                    for setting in SETTINGS:
                        for need in needs:
                            yield State(given, classes, gaps, setting, need)


def sampled(number: int, one_in: int) -> bool:
    """Whether a state of this number is in a sample that has no period, and is always the same."""
    return (number * 2_654_435_761) % 4_294_967_296 < 4_294_967_296 // one_in


@lru_cache(maxsize=100_000)
def _administration(
    place: int, one: Given, category: str, offset: int, need: bool
) -> Administration:
    key, extra = f"a{place}", NEEDED if need and one.site == 1 else ()
    if one.kind == "hydration":
        dose = fluid(key, offset, one.minutes, site=SITES[one.site or 0], extra=extra)
    elif one.kind == "injection":
        dose = Dose(key, drug=DRUGS[one.drug or 0], category=category, route="IM", site=None,
                    method="injection", offset=offset, minutes=None)  # fmt: skip
    else:
        make = push if one.kind == "push" else drip
        dose = make(key, offset, drug=DRUGS[one.drug or 0], category=category, minutes=one.minutes,
                    site=SITES[one.site or 0], extra=extra)  # fmt: skip
    found = chart(dose).administrations
    assert found is not None
    return found[0]


_EMPTY = {setting: chart(setting=setting) for setting in SETTINGS}


def encounter_of(state: State) -> Encounter:
    """The encounter of a state; its parts are validated once and shared."""
    at, made = 0, []
    for place, one in enumerate(state.given):
        category = CLASSES[state.classes[one.drug]] if one.drug is not None else CLASSES[0]
        made.append(_administration(place, one, category, at, state.need))
        if place < len(state.gaps):
            at += state.gaps[place]
    return _EMPTY[state.setting].model_copy(update={"administrations": tuple(made)})


def is_open(state: State) -> bool:
    """Whether a stop is missing where minutes decide: such a chart is asked about."""
    return any(one.minutes is None for one in state.given if one.kind in {"infusion", "hydration"})


def chart_faults(state: State, encounter: Encounter) -> list[str]:
    """Relations that the suggestion of a chart breaks."""
    book = _book()
    derived = derive(encounter, book, standing_of(encounter, book).denied)
    lines = suggested_lines(drafts_of(derived, encounter, book), book)
    barred = [one.administration for one in not_billable(derived.facts, book)]
    rows = {line.code: book.code(line.code) for line in lines}
    stands = {key for line in lines for key in line.administrations}
    led = [line for line in lines if _role(rows, line) == "initial"]
    chains = [[one.role for one in chain.services].count("initial") for chain in derived.chains]
    by_vein = any(one.role not in {"stand_alone", "pump_start"} for one in derived.services)
    muscle = {f"a{n}" for n, one in enumerate(state.given) if one.kind == "injection"}
    codes = set(rows)
    held = {
        "65 every administration is billed or has one reason why not": (
            len(barred) == len(set(barred)) and stands.isdisjoint(barred)
            and stands | set(barred) == {one.id for one in encounter.administrations or ()}
        ),
        "38 units are whole and at least one": all(
            type(line.units) is int and line.units >= 1 for line in lines
        ),
        "40 and 49 one initial a chain, the rest set apart": (
            all(count <= 1 for count in chains) and sum(x.units for x in led) <= len(chains)
            and sum(not line.modifiers for line in led) <= 1
        ),
        "41 something by vein has an initial": not by_vein or 1 in chains,
        "42 every add-on has a primary": all(
            not (asked := book.primaries(code)) or not asked.isdisjoint(codes) for code in codes
        ),
        "52 no code outside its setting": all(
            row is not None and state.setting in row.settings for row in rows.values()
        ),
        "56 one concurrent infusion at most": sum(
            line.units for line in lines if _role(rows, line) == "concurrent"
        ) <= 1,
        "57 an injection is never billed by vein": all(
            _role(rows, line) == "stand_alone" or muscle.isdisjoint(line.administrations)
            for line in lines
        ),
    }  # fmt: skip
    return [name for name, holds in held.items() if not holds]


@lru_cache(maxsize=1)
def _book() -> Any:
    return ENGINE.pack.book(_EMPTY["facility"].service_date)


def _role(rows: dict[str, Any], line: SuggestedLine) -> str | None:
    row = rows[line.code]
    return row.role if row is not None else None


def claim_faults(state: State, encounter: Encounter, number: int) -> list[str]:
    """Relations that claims made of the suggestion break."""
    made = []
    first = ENGINE.check(encounter)
    lines = as_lines(first.suggested)
    second = ENGINE.check(billed(encounter, lines))
    if not (
        second.suggested == first.suggested
        and not errors(second)
        and all(one.status == "matched" for one in second.lines)
    ):
        made.append("6 the suggestion billed is a fixed point")
    wrong = billed(encounter, _wronged(lines, number))
    corrected = ENGINE.check(wrong).corrected
    if corrected is not None:
        settled = ENGINE.check(wrong.model_copy(update={"lines": corrected}))
        if errors(settled) or settled.corrected not in {None, corrected}:
            made.append("7 the corrected claim settles")
        elif settled.corrected is None and not settled.questions:
            # Only a line that the correction added may wait for the answer of an open question.
            made.append("7 the corrected claim settles")
    if state.setting == "professional" and lines:
        inside = billed(encounter.model_copy(update={"place_of_service": FACILITY_PLACE}), lines)
        result = ENGINE.check(inside)
        wrong_lines = {v.line for v in result.violations if v.severity == "error"}
        if result.suggested or wrong_lines != set(range(1, len(lines) + 1)):
            made.append("58 a professional claim in a facility place earns nothing")
    return made


def _wronged(lines: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The claim with one thing wrong, which thing by the number of the state."""
    made = [dict(line) for line in lines]
    rows = sorted(code for code, row in _book().codes.items() if row.administration)
    what = number % 4
    if not made or what == 0:
        made.append({"code": rows[number % len(rows)], "units": 1, "modifiers": []})
    elif what == 1:
        made[number % len(made)]["units"] += 1
    elif what == 2:
        made[number % len(made)]["code"] = rows[number % len(rows)]
    else:
        made[number % len(made)]["modifiers"] = []
        del made[(number + 1) % len(made)]
    return made


def question_faults(encounter: Encounter) -> list[str]:
    """Answers that bill something else than their question says."""
    for question in ENGINE.check(encounter).questions:
        for answer in question.answers:
            when = answer.when
            values = [when.value] if hasattr(when, "value") else [when.low, when.high]
            for value in values:
                told = ENGINE.check(with_answer(encounter, question, value)).suggested
                if _billed(told) != _billed(answer.suggested):
                    return ["17 every answer bills what the question says"]
    return []


def _billed(lines: Any) -> list[tuple[Any, ...]]:
    return [(one.code, one.units, one.modifiers, one.date) for one in lines]
