"""Mutated HL7 messages: every outcome is a record, a set-aside or a note, and none is silent.

    python -m benchmarks.fuzz_hl7 [inputs] [seed]

Real messages, and administrations in their shape, are changed by bytes, fields and segments. Prints
counts of outcomes and the longest single input, after an interrupt those so far; ends with status 1
where an outcome is none of these.
"""

from __future__ import annotations

import io
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.hl7.reader import read

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "hl7v2"
OPTIONS = (ReadOptions(setting="facility"), ReadOptions(), ReadOptions(timezone="America/Chicago"))
CANARY = "Zebra-canary"
READ = frozenset(
    {"PID", "PV1", "ORC", "RXA", "RXR", "RXC", "RXE", "RXD", "TQ1", "NTE", "DG1", "FT1"}
)
ODD = (
    "",
    '""',
    CANARY,
    "0",
    "-1",
    "1e9",
    "99999999999999",
    "20260302",
    "20260302100000",
    "20260230",
    "20260302100000+9999",
    "CP",
    "NA",
    "RE",
    "A",
    "D",
    "U",
    "CG",
    "CD",
    "IVP",
    "IV^x^HL70162",
    "^^^^",
    "&&",
    "\\X4\\",
    "\\E\\",
    "~",
    "J2405^ondansetron^HCPCS",
    "00409189001^x^NDC",
    "H",
    "mL",
)
BYTES = (
    b"",
    b"\r",
    b"\n",
    b"\r\n",
    b"|",
    b"^",
    b"~",
    b"\\",
    b"&",
    b"\x00",
    b"\xff",
    b"\x0b",
    b"MSH|^~\\&|",
    b"FHS|",
)
GIVEN = (
    "MSH|^~\\&|A|B|C|D|20260302100500-0600||RAS^O17|1|P|2.5\rPID|1||P1\rPV1|1|O" + "|" * 17 + "V1\r"
    "ORC|RE|P1|F1\rRXA|0|1|20260302100000|20260302100200|J2405^ondansetron^HCPCS|4|mg|||N7||||||||||CP|A\r"
    "RXR|IV^x^HL70162|LA^Left arm||IVP^IV push^HL70165\rNTE|1||over 2 min\r"
    "RXC|B|^saline|100|mL\rRXC|A|^kcl|20|meq\r"
)


def changed(text: str, draw: random.Random) -> str:
    """The messages with one to three fields or segments replaced, removed, doubled or moved."""
    lines = [one for one in text.split("\r") if one]
    for _ in range(draw.randint(1, 3)):
        if not lines:
            break
        at = draw.randrange(len(lines))
        what = draw.random()
        if what < 0.1:
            del lines[at]
        elif what < 0.2:
            lines.insert(draw.randrange(len(lines) + 1), lines[at])
        else:
            fields = lines[at].split("|")
            fields[draw.randrange(len(fields))] = draw.choice(ODD)
            lines[at] = "|".join(fields)
    return draw.choice(("\r", "\n", "\r\n")).join(lines)


def broken(text: bytes, draw: random.Random) -> bytes:
    """The text with one to four pieces cut, doubled or overwritten."""
    made = bytearray(text)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(made) + 1)
        end = min(len(made), at + draw.choice((0, 1, 1, 2, 8, 200)))
        made[at:end] = draw.choice((*BYTES, bytes([draw.randrange(256)]), bytes(made[at:end]) * 2))
    return bytes(made)


def main(inputs: int = 200_000, seed: int = 1) -> int:
    """Run, print, and say by the status whether all went well."""
    draw = random.Random(seed)
    real = [path.read_text("utf-8").replace("\n", "\r") for path in sorted(DATA.glob("*.hl7"))]
    small = [
        "\r".join(x for x in one.split("\r") if x[:3] == "MSH" or x[:3] in READ) for one in real
    ]
    seeds = [GIVEN, GIVEN, GIVEN.replace("CP|A", "CP|U"), *small, GIVEN + small[0]]
    counts: Counter[str] = Counter()
    longest, done = 0.0, 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for _ in range(inputs):
            text = changed(draw.choice(seeds), draw).encode("utf-8")
            text = broken(text, draw) if draw.random() < 0.4 else text
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
            if not every:
                counts["FAULT: lost in silence"] += 1
            done += 1
    except KeyboardInterrupt:
        print("interrupted")
    print(f"{done} of {inputs} inputs, seed {seed}")
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")
    print(f"  longest single input: {longest * 1000:.0f} ms")
    return int(any(name.startswith("FAULT") for name in counts))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
