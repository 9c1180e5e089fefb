"""False alarms: ``python -m benchmarks.right_claims [--count N] [--seed N] [--open]``.

Claims that are right by construction (``tests.properties.right_claims``) are checked one after
another; each error on them is printed, and what the chart earns but is not suggested. With
``--open`` their charts leave out facts that decide them, which must raise no error either. Exit 1
if there is anything.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from time import perf_counter

from ivpush import Encounter, Engine
from tests.properties.right_lines import RightClaim, false_alarms, right_claims, with_open_facts


def open_faults(claim: RightClaim, engine: Engine, seed: int) -> Iterator[str]:
    """What is wrong with the answer to one right claim whose chart leaves facts open."""
    result = engine.check(Encounter.model_validate(with_open_facts(claim, seed)))
    for name, rule, line in false_alarms(claim, result):
        yield f"{name}: {rule} on line {line}"


def faults(claim: RightClaim, engine: Engine) -> Iterator[str]:
    """What is wrong with the answer to one right claim."""
    result = engine.check(Encounter.model_validate(claim.record))
    for name, rule, line in false_alarms(claim, result):
        yield f"{name}: {rule} on line {line}"
    suggested = Counter[str]()
    for row in result.suggested:
        suggested[row.code] += row.units
    if claim.certain and suggested != claim.earned:
        yield f"{claim.record['id']}: {dict(claim.earned)} earned, {dict(suggested)} suggested"


def main() -> None:
    """Check the claims and print what is wrong with the answers."""
    parser = argparse.ArgumentParser(prog="benchmarks.right_claims")
    parser.add_argument("--count", type=int, default=2_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--open", action="store_true", help="leave facts of the charts open")
    parser.add_argument("--show", metavar="ID", help="print the record of one claim")
    options = parser.parse_args()
    engine, start = Engine(), perf_counter()
    wrong = certain = 0
    for claim in right_claims(options.seed, options.count):
        certain += claim.certain
        if claim.record["id"] == options.show:
            print(json.dumps(claim.record))
        wrongly = (
            open_faults(claim, engine, options.seed) if options.open else faults(claim, engine)
        )
        for fault in wrongly:
            wrong += 1
            print(fault)
    spent = perf_counter() - start
    print(
        f"{options.count:,} right claims, {certain:,} of one answer, {spent:.0f} s: {wrong} faults"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
