"""Every small encounter, once: ``python -m benchmarks.exhaustive [--claims N] [--only N]``.

The relations of a chart are held against every state. Those of its claims cost several checks each,
and of an open chart many times as many, so they are held against a part of the states, the same ones
each time: ``--claims 1 --small 1`` takes more, and hours. The counts say how many were taken.
"""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

from tests.properties.small_scope import (
    State,
    chart_faults,
    claim_faults,
    encounter_of,
    is_open,
    question_faults,
    sampled,
    states,
)

OPEN_COSTS, ASKING_COSTS = 16, 8
Found = dict[str, tuple[int, State]]


def shard(part: int, parts: int, claims: int, small: int, only: int) -> tuple[Counter[str], Found]:
    """One share of the states: what was counted, and the first state that breaks each relation."""
    count: Counter[str] = Counter()
    found: Found = {}
    for number, state in enumerate(states()):
        count["enumerated"] += 1
        if number % parts != part or (only > 1 and not sampled(number, only)):
            continue
        encounter = encounter_of(state)
        faults = chart_faults(state, encounter)
        count["charts"] += 1
        one_in = claims if len(state.planned) > 2 else small
        if is_open(state):
            one_in *= OPEN_COSTS
        if one_in == 1 or sampled(number, one_in):
            count["claims"] += 1
            faults += claim_faults(state, encounter, number)
        if is_open(state) and sampled(number, one_in * ASKING_COSTS):
            count["questions"] += 1
            faults += question_faults(encounter)
        for fault in faults:
            count[fault] += 1
            found.setdefault(fault, (number, state))
    return count, found


def main() -> None:
    """Share the states out and print what was found."""
    parser = argparse.ArgumentParser(prog="benchmarks.exhaustive")
    parser.add_argument(
        "--claims",
        type=int,
        default=256,
        metavar="N",
        help="claims of one in N states of three (default 256)",
    )
    parser.add_argument(
        "--small",
        type=int,
        default=8,
        metavar="N",
        help="claims of one in N states of one and two (default 8)",
    )
    parser.add_argument("--only", type=int, default=1, metavar="N", help="take one in N states")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    options = parser.parse_args()
    start = perf_counter()
    shares = [
        (n, options.workers, options.claims, options.small, options.only)
        for n in range(options.workers)
    ]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        made = list(pool.map(shard, *zip(*shares, strict=True)))
    spent = perf_counter() - start
    total: Counter[str] = Counter()
    found: Found = {}
    for count, first in made:
        total += count
        for fault, one in first.items():
            found[fault] = min(found.get(fault, one), one)
    every = total.pop("enumerated") // options.workers
    charts, claims, asked = total.pop("charts"), total.pop("claims", 0), total.pop("questions", 0)
    print(f"{every:,} states; {charts:,} charts, {claims:,} claims, {asked:,} open charts answered")
    print(f"{spent:,.0f} s with {options.workers} processes, {charts / spent:,.0f} states/s")
    for fault, count in sorted(total.items()):
        number, state = found[fault]
        print(f"BROKEN in {count:,}: {fault}\n  first: state {number}: {state}")
    if not total:
        print("no counterexample")


if __name__ == "__main__":
    main()
