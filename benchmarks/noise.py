"""How much is said: ``python -m benchmarks.noise [--count N] [--seed N] [--show N]``.

Made-up visits (``ivpush.testing.samples``), each drawn by itself. Of the faulty ones a single line
of the claim was changed, so that one error each would be the least that can be said. Printed are
the errors of a faulty visit, the findings of severity info that every visit has, and how many paths
a finding names as its evidence. Exit 1 where a figure misses its mark.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import mean, median

from ivpush import Encounter, Engine, Result
from ivpush.testing.samples import days, templates

MOST_ERRORS = 1.3
"""Errors of a faulty visit, on average."""
MOST_PATHS = 4
"""Paths that a finding names, in the middle."""


@dataclass
class Noise:
    """What is counted over many results."""

    visits: int = 0
    errors: list[int] = field(default_factory=list)
    """Errors of each faulty visit."""
    together: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """Errors that one visit has beside each other, where there are several."""
    notes: Counter[str] = field(default_factory=Counter)
    """Visits by the rules of severity info that speak of them."""
    paths: list[int] = field(default_factory=list)
    """Paths of each finding."""

    def add(self, result: Result) -> None:
        """Take in one result."""
        self.visits += 1
        if result.errors:
            self.errors.append(len(result.errors))
        if len(result.errors) > 1:
            self.together[tuple(f"{each.rule}@{each.line}" for each in result.errors)] += 1
        self.notes.update({each.rule for each in result.notes})
        self.paths += [len(each.evidence) for each in result.violations]

    @property
    def everywhere(self) -> list[str]:
        """The rules of severity info that speak of every visit."""
        return [rule for rule, count in self.notes.items() if count == self.visits]


def results(seed: int, count: int, engine: Engine) -> Iterator[Result]:
    """The results of made-up visits, each of a chart and a claim of its own."""
    day, _ = days()
    for number, template in enumerate(templates(seed, count, engine=engine)):
        yield engine.check(Encounter.model_validate_json(template.line(f"V{number}", day)))


def measured(of: Iterable[Result]) -> Noise:
    """What the results say, counted."""
    noise = Noise()
    for result in of:
        noise.add(result)
    return noise


def main() -> None:
    """Print the figures beside their marks."""
    parser = argparse.ArgumentParser(prog="benchmarks.noise")
    parser.add_argument("--count", type=int, default=5_000, metavar="N")
    parser.add_argument("--seed", type=int, default=5, metavar="N")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="most frequent companions")
    options = parser.parse_args()
    noise = measured(results(options.seed, options.count, Engine()))
    errors, paths = mean(noise.errors or [0]), median(noise.paths or [0])
    print(
        f"{noise.visits:,} visits, {len(noise.errors):,} with an error, {len(noise.paths):,} findings"
    )
    print(f"errors of a faulty visit: {errors:.2f} on average (at most {MOST_ERRORS})")
    print(f"errors by visit: {dict(sorted(Counter(noise.errors).items()))}")
    print(f"notes on every visit: {len(noise.everywhere)} (none)")
    for rule, count in noise.notes.most_common(options.show):
        print(f"  {rule} on {count / noise.visits:.0%}")
    print(
        f"paths of a finding: {paths:g} in the middle (at most {MOST_PATHS}), {max(noise.paths)} at most"
    )
    for rules, count in noise.together.most_common(options.show):
        print(f"  {count:>4} {' '.join(rules)}")
    sys.exit(errors > MOST_ERRORS or paths > MOST_PATHS or bool(noise.everywhere))


if __name__ == "__main__":
    main()
