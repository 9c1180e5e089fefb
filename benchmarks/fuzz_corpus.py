"""The kept inputs of every fuzz target, chosen by what they reach.

    python -m benchmarks.fuzz_corpus [TARGET...] [--inputs N] [--seed S] [--from FOLDER]

Inputs are drawn, and kept ones broken further; one that takes a branch of the watched modules that
no earlier one took is kept. Of all that were kept, a few small ones that take every branch together
are cut short as far as they still do, and written to ``tests/data/fuzz/TARGET.ndjson``. The inputs
that stand there come first, then files of ``--from`` (such as ``benchmarks.fuzz_guided`` leaves),
so that nothing once reached is lost. The same seed gives the same files.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.fuzzing import Fuzzed, Target, broken
from ivpush.readers import ReadOptions

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "fuzz"
MOST_BYTES = 6_000
"""Longer inputs are not kept."""
MOST_TRIES = 150
"""How often an input is tried shorter."""
OPTIONS = ("setting", "timezone", "map")

Branch = tuple[str, int, int]
"""A step from one line to the next, in a file."""


def kept_inputs(target: str) -> list[Fuzzed]:
    """The kept inputs of a target."""
    path = FOLDER / f"{target}.ndjson"
    return [_input(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def write_inputs(path: Path, inputs: Iterable[Fuzzed]) -> None:
    """Keep inputs, one a line."""
    lines = [json.dumps(_row(fuzzed)) for fuzzed in inputs]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _row(fuzzed: Fuzzed) -> dict[str, str]:
    """An input as a line: bytes that are ASCII as text, others in base64."""
    row = {name: value for name in OPTIONS if (value := getattr(fuzzed.options, name))}
    if fuzzed.raw.isascii():
        return {"name": fuzzed.name, **row, "text": fuzzed.raw.decode()}
    return {"name": fuzzed.name, **row, "base64": base64.b64encode(fuzzed.raw).decode()}


def _input(row: dict[str, str]) -> Fuzzed:
    raw = row["text"].encode() if "text" in row else base64.b64decode(row["base64"])
    setting, timezone, column_map = (row.get(name) for name in OPTIONS)
    options = ReadOptions(setting=setting, timezone=timezone, map=column_map)
    return Fuzzed(raw, row["name"], options)


Way = tuple[str, ReadOptions]
"""The name of an input and how it is read."""


def ways_of(target: str) -> list[Way]:
    """The names and options of the kept inputs of a target, each once."""
    return list(dict.fromkeys((each.name, each.options) for each in kept_inputs(target)))


def coded(fuzzed: Fuzzed, ways: Sequence[Way]) -> bytes:
    """An input as bytes alone, of which the first says how the others are read."""
    way = (fuzzed.name, fuzzed.options)
    return bytes([ways.index(way) % 256 if way in ways else 0]) + fuzzed.raw


def guided_inputs(data: Iterable[bytes], ways: Sequence[Way]) -> list[Fuzzed]:
    """The inputs behind such bytes."""
    found = []
    for first, raw in ((each[0], each[1:]) for each in data if each):
        name, options = ways[first % len(ways)]
        found.append(Fuzzed(raw, name, options))
    return found


@cache
def _watching(parts: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a file is watched, remembered by its name."""
    return cache(lambda file: any(part in file for part in parts))


def reached(target: Target, fuzzed: Fuzzed) -> frozenset[Branch]:
    """The branches of the watched modules that an input takes."""
    branches: set[Branch] = set()
    watches = _watching(target.watched)

    def begun(frame: FrameType, _event: str, _arg: Any) -> Any:
        code = frame.f_code
        if not watches(code.co_filename):
            return None
        file, last = code.co_filename, -code.co_firstlineno

        def stepped(frame: FrameType, event: str, _arg: Any) -> Any:
            nonlocal last
            if event == "line":
                branches.add((file, last, frame.f_lineno))
                last = frame.f_lineno
            return stepped

        return stepped

    earlier = sys.gettrace()
    sys.settrace(begun)
    try:
        for _ in target.outcomes(fuzzed):
            pass
    except Exception as error:
        print(f"{target.name}: {error!r}\n{fuzzed!r}", file=sys.stderr)
    finally:
        sys.settrace(earlier)
    return frozenset(branches)


class Corpus:
    """The smallest input that takes each branch, as inputs come."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.kept: list[Fuzzed] = []
        self._best: dict[Branch, int] = {}
        self._taken: dict[int, frozenset[Branch]] = {}

    def offer(self, fuzzed: Fuzzed) -> bool:
        """Keep an input where it takes a new branch, or an old one in fewer bytes."""
        if len(fuzzed.raw) > MOST_BYTES:
            return False
        branches = reached(self.target, fuzzed)
        better = [each for each in branches if self._is_better(fuzzed, each)]
        if better:
            number = len(self.kept)
            self.kept.append(fuzzed)
            self._taken[number] = branches
            self._best.update(dict.fromkeys(better, number))
        return bool(better)

    def _is_better(self, fuzzed: Fuzzed, branch: Branch) -> bool:
        at = self._best.get(branch)
        return at is None or len(fuzzed.raw) < len(self.kept[at].raw)

    def chosen(self) -> list[Fuzzed]:
        """Few and short inputs that take every branch together."""
        short = [
            shortened(self.target, self.kept[number], needed)
            for number, needed in self._cover(self._taken)
        ]
        self._taken = {number: reached(self.target, each) for number, each in enumerate(short)}
        self.kept = short
        return [short[number] for number, _ in self._cover(self._taken)]

    def _cover(
        self, taken: dict[int, frozenset[Branch]]
    ) -> Iterator[tuple[int, frozenset[Branch]]]:
        """Inputs that together take every branch, each with the branches that it adds."""
        open_ = set().union(*taken.values())
        while open_:
            # Most new branches first; of equals the shorter, then the earlier.
            number = max(taken, key=lambda n: (len(taken[n] & open_), -len(self.kept[n].raw), -n))
            added = frozenset(taken[number] & open_)
            open_ -= added
            yield number, added


def shortened(target: Target, fuzzed: Fuzzed, needed: frozenset[Branch]) -> Fuzzed:
    """The input with all pieces cut out that it needs for none of the branches.

    Branches that it takes only once in a process, where something is remembered, are not needed.
    """
    needed &= reached(target, fuzzed)
    tries, size = 0, len(fuzzed.raw)
    while size >= 1 and tries < MOST_TRIES:
        start = 0
        while start < len(fuzzed.raw) and tries < MOST_TRIES:
            shorter = fuzzed._replace(raw=fuzzed.raw[:start] + fuzzed.raw[start + size :])
            tries += 1
            if needed <= reached(target, shorter):
                fuzzed = shorter
            else:
                start += size
        size //= 2
    return fuzzed


def collected(target: Target, first: Sequence[Fuzzed], *, inputs: int, seed: int) -> list[Fuzzed]:
    """The kept inputs after so many drawn ones; ``first`` are offered before them."""
    rng = random.Random(seed)
    # What is read once and remembered is no input's own.
    for _ in range(50):
        reached(target, target.drawn(rng))
    corpus = Corpus(target)
    for fuzzed in first:
        corpus.offer(fuzzed)
    for _ in range(inputs):
        corpus.offer(_next(target, corpus, rng))
    return corpus.chosen()


def _next(target: Target, corpus: Corpus, rng: random.Random) -> Fuzzed:
    """A new input, or half of the times a kept one broken further."""
    if not corpus.kept or rng.random() < 0.5:
        return target.drawn(rng)
    kept = rng.choice(corpus.kept)
    return kept._replace(raw=broken(kept.raw, target.pieces, rng))


def main() -> int:
    """Rebuild what the command line names."""
    from benchmarks.fuzz import TARGETS

    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_corpus", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--inputs", type=int, default=8_000, help="so many inputs a target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="folder", type=Path, help="a folder of further inputs")
    options = parser.parse_args()
    for name in options.targets or TARGETS:
        target, path = TARGETS[name], FOLDER / f"{name}.ndjson"
        first = kept_inputs(name) if path.exists() else []
        files = sorted(options.folder.iterdir()) if options.folder else ()
        first += guided_inputs((file.read_bytes() for file in files), ways_of(name))
        inputs = collected(target, first, inputs=options.inputs, seed=options.seed)
        write_inputs(path, inputs)
        print(f"{name}: {len(inputs)} inputs, {path.stat().st_size:,} bytes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
