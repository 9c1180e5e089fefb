"""Mutated FHIR files: every outcome is a record, a set-aside or a note, and none is silent.

    python -m benchmarks.fuzz_fhir [INPUTS] [SEED]

Real files are changed by bytes and by elements, alone, in bundles and as NDJSON.
"""

from __future__ import annotations

import copy
import io
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fuzzing import CANARY, File, UndocumentedError, broken, fuzz, reader_outcomes
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
            for item in resource["item"]:
                item.pop("adjudication", None)
    return resources


SEEDS = seeds()


def slots(data: Any) -> list[tuple[Any, Any]]:
    """Every place of a document that holds a value: its container and its key."""
    places: list[tuple[Any, Any]] = []
    containers = [data]
    while containers:
        container = containers.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            places.append((container, key))
            if isinstance(container[key], dict | list):
                containers.append(container[key])
    return places


def twisted(resource: Any, rng: random.Random) -> Any:
    """The resource with one to three elements replaced, removed or taken from elsewhere."""
    document = copy.deepcopy(resource)
    for _ in range(rng.randint(1, 3)):
        places = slots(document)
        if not places:
            return document
        container, key = rng.choice(places)
        if rng.random() < 0.2:
            del container[key]
        elif rng.random() < 0.2:
            other, other_key = rng.choice(places)
            container[key] = copy.deepcopy(other[other_key])
        else:
            container[key] = copy.deepcopy(rng.choice(ODD))
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


def drawn(rng: random.Random) -> File:
    """One input."""
    return File(text(rng), rng.choice(OPTIONS))


def outcomes(file: File) -> Iterator[str]:
    """What the reader gives; only an empty file may give nothing."""
    items = list(read("f", io.BytesIO(file.raw), file.options))
    if not items and file.raw.strip():
        raise UndocumentedError("lost in silence")
    yield from reader_outcomes(items)


if __name__ == "__main__":
    sys.exit(fuzz(drawn, outcomes, sys.argv[1:]))
