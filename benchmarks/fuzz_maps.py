"""Maps of columns with their structure or their bytes changed: read, or refused by an error of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.fuzz_packs import PIECES
from benchmarks.fuzzing import Fuzzed, Target, broken
from benchmarks.fuzzing_trees import changed, text_of, tree_of
from ivpush.errors import PackError
from ivpush.pack.folder import rules_folder
from ivpush.readers.tables.maps import parse_map

MAPS = sorted((rules_folder() / "maps").glob("*.yaml"))


def drawn(rng: random.Random) -> Fuzzed:
    """A map; one in four times its bytes are broken, else its structure."""
    path = rng.choice(MAPS)
    if rng.random() < 0.25:
        return Fuzzed(broken(path.read_bytes(), PIECES, rng), path.name)
    return Fuzzed(text_of(changed(tree_of(path), rng), rng), path.name)


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """Whether a map is read or refused."""
    try:
        parse_map(fuzzed.name, fuzzed.raw)
    except PackError:
        yield "map refused"
    else:
        yield "map accepted"


TARGET = Target("maps", drawn, outcomes, ("/readers/tables/map", "/pack/files"), PIECES)
