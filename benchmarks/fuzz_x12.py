"""Broken X12: nothing but documented outcomes, and what is copied is copied byte for byte.

Real files are cut, spliced and overwritten; every input goes through the 837 and the 835 reader and
some through the writer.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzzing import CANARY, Fuzzed, Target, UndocumentedError, reader_outcomes
from ivpush.contract.encounter import ClaimLine
from ivpush.readers import Record
from ivpush.readers.x12 import reader, remits
from ivpush.writers.x12 import mend

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "x12"
MOST_SEED_BYTES = 2_500
"""Larger files are tried cut short: more inputs in the same time."""
TOKENS = (
    b"~",
    b"*",
    b":",
    b"ISA",
    b"IEA*1*1~",
    b"GS*HC*",
    b"ST*837*1~",
    b"SE*1*1~",
    b"CLM*A*1***11:B:1~",
    b"CLP*A*1*1*1~",
    b"SV1*HC:96374*1*UN*1~",
    b"SV2*0260*HC:96374*1*UN*1~",
    b"SVC*HC:96374*1*1~",
    b"LX*1~",
    b"LX*~",
    b"HL*1**20~",
    b"DTP*472*D8*20260302~",
    b"LIN**N4*~",
    b"CAS*CO*1*",
    b"-",
    b".",
    b"\n",
    b"\xef\xbb\xbf",
    b"\x00",
    b"9" * 40,
    b"\xc3\xa9",
    CANARY.encode(),
    f"*{CANARY}*".encode(),
    b"",
)

SEEDS = tuple(file.read_bytes()[:MOST_SEED_BYTES] for file in sorted(DATA.iterdir()))


def drawn(rng: random.Random) -> Fuzzed:
    """A real file, or two of them, broken in one to eight places."""
    raw = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(raw) + 1)
        match rng.choice(("overwrite", "insert", "cut", "splice", "exchange", "end")):
            case "overwrite":
                raw[place : place + 1] = rng.randbytes(rng.randint(1, 3))
            case "insert":
                raw[place:place] = rng.choice(TOKENS)
            case "cut":
                del raw[place : place + rng.randint(1, 60)]
            case "splice":
                other = rng.choice(SEEDS)
                start = rng.randrange(len(other))
                raw[place:place] = other[start : start + rng.randint(1, 300)]
            case "exchange":
                delimiter = rng.choice((b"*", b":", b"~"))
                raw = raw.replace(delimiter, rng.choice(TOKENS), rng.randint(1, 20))
            case _:
                del raw[rng.randint(max(1, place), len(raw) + 1) :]
    return Fuzzed(bytes(raw))


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """What the readers give, and whether the writer copies what it does not change."""
    raw = fuzzed.raw
    yield from reader_outcomes(reader.read("f", io.BytesIO(raw)))
    for item in remits.read("f", io.BytesIO(raw)):
        if isinstance(item, remits.Remittance):
            yield "835 Remittance"
        else:
            yield from (f"835 {kind}" for kind in reader_outcomes([item]))
    if len(raw) % 4 == 0:  # a quarter of them: the writer takes as long as both readers
        copied = io.BytesIO()
        for _ in mend("f", io.BytesIO(raw), copied, lambda _record: None):
            yield "reading copied"
        if copied.getvalue() != raw:
            raise UndocumentedError("the copy differs")
        for _ in mend("f", io.BytesIO(raw), io.BytesIO(), other_lines):
            yield "reading changed"


def other_lines(record: Record) -> tuple[ClaimLine, ...]:
    """Other lines: the last one dropped, the first one doubled as a new line."""
    lines = record.encounter.lines or ()
    number = max(line.number for line in lines) + 1
    return *lines[:-1], lines[0].model_copy(update={"number": number, "charge": None})


TARGET = Target("x12", drawn, outcomes, ("/readers/", "/writers/x12/"), TOKENS)
