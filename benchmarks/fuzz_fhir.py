"""Mutated FHIR files: every outcome is a record, a set-aside or a note, and none is silent.

Real files are changed by bytes and by elements, alone, in bundles and as NDJSON.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import (
    CANARY,
    Fuzzed,
    Target,
    UndocumentedError,
    broken,
    reader_outcomes,
)
from benchmarks.fuzzing_trees import copied, places
from ivpush.readers import ReadOptions
from ivpush.readers.fhir.reader import read

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "fhir"
OPTIONS = (
    ReadOptions(setting="facility"),
    ReadOptions(),
    ReadOptions(timezone="America/Chicago"),
)
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    " ",
    CANARY,
    "2026-02-30",
    "2026-03-02",
    "#m",
    "\ud800",
    [],
    {},
    [None],
    [[]],
    [CANARY],
    {CANARY: CANARY},
    "not-done",
    "entered-in-error",
    "Encounter/e1",
)
PIECES = (
    b"",
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\",
    b"\x00",
    b"\xff",
    b"NaN",
    b"1e999",
    b"\n",
    b"\r\n",
    b"null",
    b"[" * 3_000,
)


def seeds() -> list[dict[str, Any]]:
    """The real files, without their bulk; code systems and responses hold nothing to read."""
    resources = [
        json.loads(path.read_bytes())
        for path in sorted(DATA.glob("*.json"))
        if not path.name.startswith(("CodeS", "eobR"))
    ]
    for resource in resources:
        resource.pop("text", None)
        resource.pop("supportingInfo", None)
        if "item" in resource:
            resource.pop("contained", None)
            resource.pop("adjudication", None)
            for item in resource["item"]:
                item.pop("adjudication", None)
    return resources


SEEDS = seeds()


def twisted(resource: Any, rng: random.Random) -> Any:
    """The resource with one to three elements replaced, removed or taken from elsewhere."""
    document = copied(resource)
    for _ in range(rng.randint(1, 3)):
        every = places(document)
        if not every:
            return document
        container, key = rng.choice(every)
        if rng.random() < 0.2:
            del container[key]
        elif rng.random() < 0.2:
            other, other_key = rng.choice(every)
            container[key] = copied(other[other_key])
        else:
            container[key] = copied(rng.choice(ODD))
    return document


def bundle(rng: random.Random) -> dict[str, Any]:
    """Three resources as a bundle, about half of them twisted."""
    resources = [
        twisted(resource, rng) if rng.random() < 0.5 else resource
        for resource in rng.choices(SEEDS, k=3)
    ]
    return {
        "resourceType": "Bundle",
        "type": rng.choice(("collection", "searchset")),
        "entry": [
            {"resource": resource, "fullUrl": rng.choice(("urn:uuid:1", CANARY))}
            for resource in resources
        ],
    }


def text(rng: random.Random) -> bytes:
    """A resource, a bundle, or lines of resources."""
    kind = rng.random()
    if kind < 0.4:
        return encoded(twisted(rng.choice(SEEDS), rng))
    if kind < 0.6:
        whole = bundle(rng)
        return encoded(twisted(whole, rng) if rng.random() < 0.3 else whole)
    if kind < 0.8:
        lines = b"\n".join(encoded(resource) for resource in rng.choices(SEEDS, k=3))
        return broken(lines, PIECES, rng) if kind > 0.7 else lines
    return broken(encoded(rng.choice(SEEDS)), PIECES, rng)


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def drawn(rng: random.Random) -> Fuzzed:
    """One input."""
    return Fuzzed(text(rng), options=rng.choice(OPTIONS))


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """What the reader gives; only an empty file may give nothing."""
    items = list(read("f", io.BytesIO(fuzzed.raw), fuzzed.options))
    if not items and fuzzed.raw.strip():
        raise UndocumentedError("lost in silence")
    yield from reader_outcomes(items)


TARGET = Target("fhir", drawn, outcomes, ("/readers/",), PIECES)
