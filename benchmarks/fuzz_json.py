"""Encounters as JSON with their structure changed; what is read, is checked too."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.fuzzing import CANARY, Fuzzed, Target, broken, reader_outcomes
from benchmarks.fuzzing_trees import changed
from ivpush import Engine
from ivpush.readers import Record
from ivpush.readers.json import read

ENCOUNTER: dict[str, Any] = {
    "id": f"{CANARY}1",
    "setting": "facility",
    "date": "2026-03-02",
    "timezone": "America/New_York",
    "supervision": {"level": "direct", "provider_present": True},
    "administrations": [
        {
            "id": f"{CANARY}a",
            "drug": f"{CANARY} drug",
            "category": "therapeutic",
            "route": "IV",
            "method": "infusion",
            "start": "2026-03-02T10:00",
            "stop": "2026-03-02T11:31",
            "site": CANARY,
        },
        {"id": "b", "drug": "ondansetron", "route": "IV", "method": "push", "minutes": 2},
    ],
    "lines": [
        {"number": 1, "code": "96365", "units": 1, "charge": 10.5, "administrations": ["b"]},
        {"number": 2, "code": "96375", "units": 2, "modifiers": ["59"], "date": "2026-03-02"},
    ],
}
PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\n", b"\x00", b"\xff", b""),
    *(b"NaN", b"1e999", b"9" * 40, b"null", b"true", b"-0", b'"\\ud800"', b"[" * 3_000),
)


@cache
def engine() -> Engine:
    """The engine of the shipped pack."""
    return Engine()


def drawn(rng: random.Random) -> Fuzzed:
    """An encounter, or one in five times several, of which the last one's bytes are broken too."""
    texts = [json.dumps(changed(ENCOUNTER, rng)).encode()]
    if rng.random() < 0.2:
        texts += [json.dumps(ENCOUNTER).encode(), broken(texts[0], PIECES, rng)]
    return Fuzzed(b"\n".join(texts), "f.ndjson" if len(texts) > 1 else "f.json")


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """What the reader gives; what it read, the engine checks."""
    items = list(read(fuzzed.name, io.BytesIO(fuzzed.raw)))
    for item in items:
        if isinstance(item, Record):
            engine().check(item.encounter)
    yield from reader_outcomes(items)


TARGET = Target("json", drawn, outcomes, ("/readers/", "/contract/"), PIECES)
