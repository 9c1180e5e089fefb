"""Mutated tables and maps, only documented outcomes: ``python -m benchmarks.fuzz_tables [COUNT [SEED]]``.

Each input is a small table with some bytes changed, cut, repeated or swapped. Allowed are records,
records set aside, notes, and a PackError for a map; and the rows that notes account for must add up.
"""

from __future__ import annotations

import io
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path

from ivpush.errors import PackError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.tables.maps import parse_map
from ivpush.readers.tables.reader import read

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
PIECES = (
    b"\x00",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\xff",
    b"\xef\xbb\xbf",
    b"-",
    b"9" * 40,
    b"1e999",
    b"NaN",
    b"2026-11-01 01:30",
    b"Paused, [Restarted]",
    b"|",
    b";",
    b"=cmd()",
    b"\x1b[31m",
    b"\xc3\xa9",
    b" ",
    b"0",
)
OWN = (
    b"encounter,id,drug,route,method,start,stop,minutes,site\n"
    b"A,a1,saline,IV,infusion,2026-03-02T08:00,2026-03-02T09:00,,arm\n"
    b"A,a2,ketorolac,IV,push,2026-03-02T08:10,,2,arm\n"
    b"B,a1,ketorolac,IM,injection,2026-03-02T08:10,,,\n"
)
LINES = (
    b"encounter,number,code,units,date,modifiers\nA,1,96374,1,2026-03-02,59;XS\n"
    b"A,2,96375,2,2026-03-02,\nB,1,96372,1,2026-03-02,\n"
)
EVENTS = (
    b"encounter,order,action,action_time,drug,route,rate,rate_unit\n"
    b"A,1,New Bag,2026-03-02 08:00,d,IV,100,ml/hr\nA,1,Rate Change,2026-03-02 08:20,d,IV,50,ml/hr\n"
    b'A,1,"Paused, [Restarted]",2026-03-02 08:30,d,IV,,\nA,1,Stopped,2026-03-02 09:00,d,IV,,\n'
    b"B,2,Push,2026-03-02 08:00,e,IV,,\n"
)


def cut(raw: bytes, lines: int) -> bytes:
    return b"\n".join(raw.split(b"\n")[: lines + 1])


def seeds() -> list[tuple[bytes, str | None]]:
    mar, claims = DATA / "mar", DATA / "claims_csv"
    return [
        (OWN, None),
        (LINES, None),
        (EVENTS, "generic-event"),
        (OWN, "generic-dose"),
        (cut((mar / "mimic3_inputevents_mv.csv").read_bytes(), 5), "mimic-iii-inputevents-mv"),
        (cut((mar / "eicu_medication.csv").read_bytes(), 4), "eicu-medication"),
        (cut((claims / "rif_outpatient.csv").read_bytes(), 2), "cms-rif-outpatient"),
        (cut((claims / "idr_clm_line.csv").read_bytes(), 3), "cms-idr-line"),
    ]


def mutate(raw: bytes, rng: random.Random) -> bytes:
    made = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(made) + 1)
        end = min(len(made), at + rng.randint(0, 20))
        match rng.randrange(5):
            case 0:
                made[at:at] = rng.choice(PIECES)
            case 1:
                del made[at:end]
            case 2:
                made[at:end] = rng.choice(PIECES)
            case 3:
                made[at:at] = made[at:end]
            case _:
                if at < len(made):
                    made[at] = rng.randrange(256)
    return bytes(made)


def judge(raw: bytes, name: str | None, seen: Counter[str]) -> None:
    options = ReadOptions(setting="facility", map=name)
    for one in read("f", io.BytesIO(raw), options):
        if isinstance(one, Record):
            seen["read"] += 1
        elif isinstance(one, SetAside):
            seen["set aside"] += 1
        else:
            assert isinstance(one, Note)
            told = re.fullmatch(r"([0-9]+) row\(s\) = (.*)", one.message)
            if told is not None and told[2] != "none":
                parts = [int(part.split(" ", 1)[0]) for part in told[2].split(" + ")]
                assert sum(parts) == int(told[1]), one.message


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 200_000
    seed = int(arguments[1]) if len(arguments) > 1 else 7
    rng, seen, started = random.Random(seed), Counter[str](), time.perf_counter()
    folder = Path(__file__).resolve().parents[1] / "rules" / "maps"
    maps = [one.read_bytes() for one in sorted(folder.glob("*.yaml"))]
    given = seeds()
    for number in range(count):
        if number % 20 == 0:
            try:
                parse_map("m.yaml", mutate(rng.choice(maps), rng))
                seen["maps read"] += 1
            except PackError:
                seen["maps refused"] += 1
            continue
        raw, name = rng.choice(given)
        raw = mutate(raw, rng)
        try:
            judge(raw, name, seen)
        except BaseException:
            print(f"input {number}, map {name}: {raw!r}", file=sys.stderr)
            raise
    print(f"{count} inputs: {dict(seen)}; no other outcome ({time.perf_counter() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
