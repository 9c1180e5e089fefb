"""Mutated FHIR files: every outcome is a record, a set-aside or a note, and none is silent.

    python -m benchmarks.fuzz_fhir [inputs] [seed]

Real files are changed by bytes and by elements, alone, in bundles and as NDJSON. Prints counts of
outcomes and the longest single input, after an interrupt those so far; ends with status 1 where an outcome is none of these.
"""

from __future__ import annotations

import copy
import io
import json
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.fhir.reader import read

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "fhir"
OPTIONS = (ReadOptions(setting="facility"), ReadOptions(), ReadOptions(timezone="America/Chicago"))
CANARY = "Zebra-canary"
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
BYTES = (
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


def slots(data: Any) -> list[tuple[Any, Any]]:
    """Every place of a document that holds a value: its container and its key."""
    found: list[tuple[Any, Any]] = []
    stack = [data]
    while stack:
        here = stack.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here))
        for key in keys:
            found.append((here, key))
            if isinstance(here[key], dict | list):
                stack.append(here[key])
    return found


def twisted(resource: Any, draw: random.Random) -> Any:
    """The resource with one to three elements replaced, removed or taken from elsewhere."""
    made = json.loads(json.dumps(resource))
    for _ in range(draw.randint(1, 3)):
        places = slots(made)
        if not places:
            return made
        here, key = draw.choice(places)
        if draw.random() < 0.2:
            del here[key]
        elif draw.random() < 0.2:
            other, name = draw.choice(places)
            here[key] = json.loads(json.dumps(other[name]))
        else:
            here[key] = copy.deepcopy(draw.choice(ODD))
    return made


def broken(text: bytes, draw: random.Random) -> bytes:
    """The text with one to four pieces cut, doubled or overwritten."""
    made = bytearray(text)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(made) + 1)
        end = min(len(made), at + draw.choice((0, 1, 1, 2, 8, 200)))
        made[at:end] = draw.choice((*BYTES, bytes([draw.randrange(256)]), bytes(made[at:end]) * 2))
    return bytes(made)


def drawn(seeds: list[Any], draw: random.Random) -> bytes:
    """One input."""
    kind = draw.random()
    if kind < 0.4:
        made = json.dumps(twisted(draw.choice(seeds), draw)).encode()
    elif kind < 0.6:
        some = [twisted(x, draw) if draw.random() < 0.5 else x for x in draw.choices(seeds, k=3)]
        entries = [
            {"resource": one, "fullUrl": draw.choice(("urn:uuid:1", CANARY))} for one in some
        ]
        bundle = {
            "resourceType": "Bundle",
            "type": draw.choice(("collection", "searchset")),
            "entry": entries,
        }
        made = json.dumps(twisted(bundle, draw) if draw.random() < 0.3 else bundle).encode()
    elif kind < 0.8:
        made = b"\n".join(json.dumps(one).encode() for one in draw.choices(seeds, k=3))
    else:
        made = json.dumps(draw.choice(seeds)).encode()
    return broken(made, draw) if kind > 0.7 else made


def main(inputs: int = 200_000, seed: int = 1) -> int:
    """Run, print, and say by the status whether all went well."""
    draw = random.Random(seed)
    files = [
        path for path in sorted(DATA.glob("*.json")) if not path.name.startswith(("CodeS", "eobR"))
    ]
    seeds = [json.loads(path.read_bytes()) for path in files]
    for one in seeds:
        for bulky in ("text", "supportingInfo", "contained" if "item" in one else "text"):
            one.pop(bulky, None)
        if "item" in one:
            one["item"] = [{k: v for k, v in x.items() if k != "adjudication"} for x in one["item"]]
    counts: Counter[str] = Counter()
    longest, done = 0.0, 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for _ in range(inputs):
            text = drawn(seeds, draw)
            began = time.perf_counter()
            try:
                every = list(read("f", io.BytesIO(text), draw.choice(OPTIONS)))
            except Exception as error:
                counts["FAULT: raised " + type(error).__name__] += 1
                sys.stderr.write(f"{error!r}\n{text[:2000]!r}\n")
                continue
            longest = max(longest, time.perf_counter() - began)
            for one in every:
                counts[type(one).__name__] += 1
                said = getattr(one, "message", "") or str(getattr(one, "error", ""))
                if not isinstance(one, Record | SetAside | Note) or CANARY in said:
                    counts["FAULT: no documented outcome, or one with a value"] += 1
            if not every and text.strip():
                counts["FAULT: lost in silence"] += 1
            done += 1
    except KeyboardInterrupt:
        print("interrupted")
    print(f"{done} of {inputs} inputs, seed {seed}, from {len(files)} files")
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")
    print(f"  longest single input: {longest * 1000:.0f} ms")
    return int(any(name.startswith("FAULT") for name in counts))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
