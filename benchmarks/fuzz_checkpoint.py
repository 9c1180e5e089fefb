"""Checkpoints with their structure changed, sealed again or not: gone on with, or refused."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.fuzz_json import PIECES
from benchmarks.fuzzing import Fuzzed, Target, broken, scratch_folder
from benchmarks.fuzzing_trees import changed
from ivpush import UsageError
from ivpush.batch.intake import Intake
from ivpush.batch.outputs import _seal
from ivpush.batch.plan import Plan
from ivpush.batch.runner import _Setup

STATE: dict[str, Any] = {
    "version": "0",
    "pack": "p",
    "input": "i",
    "options": {"payer": None},
    "at": {"file": 0, "records": 1, "offset": 9, "line": 1},
    "counts": {
        "read": 1,
        "checked": 1,
        "set_aside": 0,
        "statistics": {"statuses": {"clean": 1}, "amounts": {"missed": "1.5"}},
    },
    "kept": [{"length": 0, "digest": "d"}],
    "done": False,
}
"""What a run writes, without its seal."""


def drawn(rng: random.Random) -> Fuzzed:
    """A changed state under its own seal, as nothing but a hand makes it; seldom broken as well."""
    state = changed(STATE, rng)
    if isinstance(state, dict):
        state["seal"] = _seal(state)
    raw = json.dumps(state).encode()
    return Fuzzed(broken(raw, PIECES, rng) if rng.random() < 0.1 else raw, "o.checkpoint")


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """Whether a run would go on from a checkpoint or refuses it."""
    source = _source()
    path = source.with_name(fuzzed.name)
    path.unlink(missing_ok=True)  # a file that is cut to nothing is waited for by some disks
    path.write_bytes(fuzzed.raw)
    plan = Plan((str(source),), (("ndjson", str(source.with_name("o"))),), resume=True)
    try:
        _Setup(plan, Intake(plan, lambda _note: None))
    except UsageError:
        yield "checkpoint refused"
    else:
        yield "checkpoint accepted"


@cache
def _source() -> Path:
    """The input of the run, beside which its checkpoint stands."""
    source = scratch_folder() / "in.ndjson"
    source.write_bytes(b"{}\n")
    return source


TARGET = Target("checkpoint", drawn, outcomes, ("/batch/", "/claim/"), PIECES)
