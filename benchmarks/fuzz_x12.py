"""Broken X12: ``python -m benchmarks.fuzz_x12 [INPUTS] [SEED]`` (default 200,000 and 1).

Real files are cut, spliced and overwritten; every input goes through the 837 and the 835 reader and
some through the writer. Nothing but the documented outcomes may come of it, and what the writer
copies must come out byte for byte.
"""

from __future__ import annotations

import io
import random
import sys
import time
from collections import Counter
from pathlib import Path

from ivpush.readers import Note, Record, SetAside
from ivpush.readers.x12 import reader, remits
from ivpush.writers.x12 import mend

FILES = sorted((Path(__file__).parents[1] / "tests" / "data" / "x12").iterdir())
MOST_SEED_BYTES = 2_500  # larger files are tried cut short: more inputs in the same time
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
    b"",
)


def mutated(source: random.Random, seeds: list[bytes]) -> bytes:
    """A real file, or two of them, broken in one to eight places."""
    raw = bytearray(source.choice(seeds))
    for _ in range(source.randint(1, 8)):
        at = source.randrange(len(raw) + 1)
        what = source.randrange(6)
        if what == 0:
            raw[at : at + 1] = source.randbytes(source.randint(1, 3))
        elif what == 1:
            raw[at:at] = source.choice(TOKENS)
        elif what == 2:
            del raw[at : at + source.randint(1, 60)]
        elif what == 3:
            other = source.choice(seeds)
            start = source.randrange(len(other))
            raw[at:at] = other[start : start + source.randint(1, 300)]
        elif what == 4:
            raw = raw.replace(
                source.choice((b"*", b":", b"~")), source.choice(TOKENS), source.randint(1, 20)
            )
        else:
            del raw[source.randint(max(1, at), len(raw) + 1) :]
    return bytes(raw)


def main() -> None:
    """Run, count the outcomes, and stop at the first one that is not documented."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    source = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    seeds = [file.read_bytes()[:MOST_SEED_BYTES] for file in FILES]
    counts: Counter[str] = Counter()
    slowest, start = 0.0, time.perf_counter()
    for number in range(inputs):
        raw, began = mutated(source, seeds), time.perf_counter()
        try:
            for one in reader.read("f", io.BytesIO(raw)):
                assert isinstance(one, Record | SetAside | Note)
                counts[type(one).__name__] += 1
            for other in remits.read("f", io.BytesIO(raw)):
                assert isinstance(other, remits.Remittance | SetAside | Note)
                counts["835 " + type(other).__name__] += 1
            if number % 4 == 0:
                out = io.BytesIO()
                counts["copied readings"] += len(
                    list(mend("f", io.BytesIO(raw), out, lambda _one: None))
                )
                assert out.getvalue() == raw, "the copy differs"
                list(mend("f", io.BytesIO(raw), io.BytesIO(), dropped))
        except BaseException:
            Path("fuzz_x12.crash").write_bytes(raw)
            print(f"input {number} breaks it; it is kept in fuzz_x12.crash")
            raise
        slowest = max(slowest, time.perf_counter() - began)
    print(
        f"{inputs:,} inputs, {time.perf_counter() - start:.0f} s, slowest {slowest:.3f} s; "
        f"only documented outcomes: {dict(sorted(counts.items()))}"
    )


def dropped(record: Record) -> tuple[object, ...]:
    """Other lines: the last one dropped, the first one doubled as a new line."""
    lines = record.encounter.lines or ()
    new = lines[0].model_copy(
        update={"number": max(one.number for one in lines) + 1, "charge": None}
    )
    return *lines[:-1], new


if __name__ == "__main__":
    main()
