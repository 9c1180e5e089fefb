"""A fixed sample of every small encounter; ``python -m benchmarks.exhaustive`` takes them all."""

from __future__ import annotations

from collections import Counter

from tests.properties.charts import chart
from tests.properties.small_scope import (
    FULL,
    Planned,
    State,
    chart_faults,
    claim_faults,
    encounter_of,
    is_open,
    question_faults,
    sampled,
    states,
)

CHARTS, CLAIMS, OPEN = 500, 8_000, 100_000


def test_the_relations_hold_on_a_sample_of_small_encounters() -> None:
    first_broken: dict[str, State] = {}
    count: Counter[str] = Counter()
    for number, state in enumerate(states()):
        count["states"] += 1
        if not sampled(number, CHARTS):
            continue
        encounter = encounter_of(state)
        faults = chart_faults(state, encounter)
        count["charts"] += 1
        if sampled(number, OPEN if is_open(state) else CLAIMS):
            count["claims"] += 1
            faults += claim_faults(state, encounter, number)
        if is_open(state) and sampled(number, OPEN):
            count["asked"] += 1
            faults += question_faults(encounter)
        for fault in faults:
            first_broken.setdefault(fault, state)
    assert first_broken == {}
    assert count["states"] > 1_000_000
    assert (count["charts"] > 2_000, count["claims"] > 80, count["asked"] > 2) == (True,) * 3


def test_parts_that_are_shared_make_the_encounter_that_validation_makes() -> None:
    """The states are put together without validating the whole; that must change nothing."""
    for number, state in enumerate(states()):
        if sampled(number, 40_000):
            shared = encounter_of(state)
            validated = type(shared).model_validate_json(shared.model_dump_json())
            assert shared == validated


def test_the_states_are_what_they_say() -> None:
    seen = 0
    for state in states():
        if len(state.planned) > 1:
            break
        seen += 1
        assert state.gaps == ()
    # One push, infusion or hydration of eight durations, or an injection; two classes where a drug
    # stands; two settings. Only the first names are taken.
    assert seen == (2 * 8 * 2 + 8 + 1 * 2) * 2
    assert len(FULL) == len(set(FULL)) == 2 + 2 * (8 + 2 * 16)


def test_a_wrong_suggestion_would_be_seen() -> None:
    """The relations are able to fail: a chart judged as another kind breaks them."""
    pushed = State((Planned("push", 0, 0, 2),), (0,), (), "facility", True)
    shot = State((Planned("injection", 0, None, None),), (0,), (), "facility", True)
    faults = chart_faults(shot, encounter_of(pushed))
    assert faults == ["57 an injection is never billed by vein"]
    nothing = chart_faults(pushed, chart())
    assert nothing == []
