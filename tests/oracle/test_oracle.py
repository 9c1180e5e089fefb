"""An independent derivation, written from the coding rules alone, agrees with ivpush.

`python -m benchmarks.oracle` compares many more visits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.oracle.chart import Policies
from tests.oracle.compare import difference, shrunk
from tests.oracle.kept import Kept, kept, row_of, visit_in
from tests.oracle.oracle import derive
from tests.oracle.published import SCENARIOS, published, undated, visit_of
from tests.oracle.reach import beyond
from tests.oracle.visits import OTHERWISE, record, visits

SEEDS = range(8)
VISITS = 250
CODES = {
    *("96360", "96361", "96365", "96366", "96367", "96368", "96369", "96370"),
    *("96372", "96373", "96374", "96375", "96376", "96401", "96402", "96409"),
    *("96411", "96413", "96415", "96416", "96417", "96420", "96422", "96423"),
    *("96377", "96425", "96521", "96522", "96523", "C8957"),
}
CLEAR = [scenario for scenario in SCENARIOS if not scenario.get("doubt")]
WITHIN = [scenario for scenario in CLEAR if visit_of(scenario) is not None]


def said(seed: int, number: int) -> str | None:
    """The first disagreement among these visits, made small."""
    for visit in visits(seed, number):
        if difference(visit) is not None:
            less = shrunk(visit)
            return f"{difference(less)}\n{less}\n{record(less)}"
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_oracle_and_ivpush_bill_and_ask_the_same(seed: int) -> None:
    assert said(seed, VISITS) is None


@pytest.mark.parametrize("row", kept(), ids=lambda row: row.why)
def test_a_visit_that_once_differed_differs_no_longer(row: Kept) -> None:
    assert beyond(row.visit) is None
    assert difference(row.visit) is None


def test_a_visit_is_kept_as_it_is() -> None:
    assert all(visit_in(row_of(visit)) == visit for visit in visits(0, 100))


def test_the_visits_bill_every_code_within_the_reach_of_the_oracle() -> None:
    codes = {line.code for visit in visits(0, 1_000) for line in derive(visit)}
    assert codes == CODES


ONE_MINUTE_OFF = (
    *(Policies(same_drug_push_gap_minutes=minutes) for minutes in (30, 32)),
    *(Policies(concurrent_min_overlap_minutes=minutes) for minutes in (15, 17)),
    *(Policies(hydration_floor_minutes=minutes) for minutes in (30, 32)),
    *(Policies(additional_hour_minutes=minutes) for minutes in (30, 32)),
)


@pytest.mark.parametrize("policies", [*ONE_MINUTE_OFF, *OTHERWISE])
def test_some_visit_notices_each_limit_and_each_choice(policies: Policies) -> None:
    plain = (replace(visit, policies=Policies()) for visit in visits(0, VISITS * len(SEEDS)))
    changed = ((visit, replace(visit, policies=policies)) for visit in plain)
    within = (pair for pair in changed if not any(map(beyond, pair)))
    assert any(derive(visit) != derive(other) for visit, other in within)


@pytest.mark.parametrize("scenario", WITHIN, ids=[scenario["id"] for scenario in WITHIN])
def test_the_oracle_answers_as_the_source_prints(scenario: dict[str, Any]) -> None:
    visit = visit_of(scenario)
    assert visit is not None
    assert undated(derive(visit)) == published(scenario)
