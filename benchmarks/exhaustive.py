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
from operator import itemgetter
from time import perf_counter
from typing import NamedTuple

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
Broken = dict[str, tuple[int, State]]
"""Relations that some state breaks, each with the number of the first such state."""


class Share(NamedTuple):
    """Which of the states one process takes, and of how many it tries the claims."""

    part: int
    parts: int
    claims: int
    small: int
    only: int

    def has(self, number: int) -> bool:
        """Whether a state belongs to the share."""
        return number % self.parts == self.part and (self.only <= 1 or sampled(number, self.only))

    def claims_one_in(self, state: State) -> int:
        """Of how many such states the claims of one are tried."""
        share = self.claims if len(state.planned) > 2 else self.small
        return share * OPEN_COSTS if is_open(state) else share


def tried(share: Share) -> tuple[Counter[str], Broken]:
    """One share of the states: what was counted, and the first state that breaks each relation."""
    counts: Counter[str] = Counter()
    broken: Broken = {}
    for number, state in enumerate(states()):
        counts["enumerated"] += 1
        if not share.has(number):
            continue
        encounter = encounter_of(state)
        faults = chart_faults(state, encounter)
        counts["charts"] += 1
        one_in = share.claims_one_in(state)
        if one_in == 1 or sampled(number, one_in):
            counts["claims"] += 1
            faults += claim_faults(state, encounter, number)
        if is_open(state) and sampled(number, one_in * ASKING_COSTS):
            counts["questions"] += 1
            faults += question_faults(encounter)
        for fault in faults:
            counts[fault] += 1
            broken.setdefault(fault, (number, state))
    return counts, broken


def options_of_command() -> argparse.Namespace:
    """What the command line asks for."""
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
    return parser.parse_args()


def main() -> None:
    """Share the states out and print what was found."""
    options = options_of_command()
    start = perf_counter()
    shares = [
        Share(
            part=part,
            parts=options.workers,
            claims=options.claims,
            small=options.small,
            only=options.only,
        )
        for part in range(options.workers)
    ]
    total: Counter[str] = Counter()
    first: Broken = {}
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        for counts, broken in pool.map(tried, shares):
            total += counts
            for fault, where in broken.items():
                first[fault] = min(first.get(fault, where), where, key=itemgetter(0))
    spent = perf_counter() - start
    every = total.pop("enumerated") // options.workers
    charts, claims, asked = total.pop("charts"), total.pop("claims", 0), total.pop("questions", 0)
    print(f"{every:,} states; {charts:,} charts, {claims:,} claims, {asked:,} open charts answered")
    print(f"{spent:,.0f} s with {options.workers} processes, {charts / spent:,.0f} states/s")
    for fault, count in sorted(total.items()):
        number, state = first[fault]
        print(f"BROKEN in {count:,}: {fault}\n  first: state {number}: {state}")
    if not total:
        print("no counterexample")


if __name__ == "__main__":
    main()
