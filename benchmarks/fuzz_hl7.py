"""Mutated HL7 messages: every outcome is a record, a set-aside or a note, and none is silent.

Real messages, and administrations in their shape, are changed by bytes, fields and segments.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzzing import (
    CANARY,
    Fuzzed,
    Target,
    UndocumentedError,
    broken,
    reader_outcomes,
)
from ivpush.readers import ReadOptions
from ivpush.readers.hl7.reader import read

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "hl7v2"
OPTIONS = (
    ReadOptions(setting="facility"),
    ReadOptions(),
    ReadOptions(timezone="America/Chicago"),
)
SEGMENTS_READ = frozenset(
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
PIECES = (
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
ADMINISTRATION = (
    "MSH|^~\\&|A|B|C|D|20260302100500-0600||RAS^O17|1|P|2.5\rPID|1||P1\rPV1|1|O" + "|" * 17 + "V1\r"
    "ORC|RE|P1|F1\rRXA|0|1|20260302100000|20260302100200|J2405^ondansetron^HCPCS|4|mg|||N7||||||||||CP|A\r"
    "RXR|IV^x^HL70162|LA^Left arm||IVP^IV push^HL70165\rNTE|1||over 2 min\r"
    "RXC|B|^saline|100|mL\rRXC|A|^kcl|20|meq\r"
)


def seeds() -> list[str]:
    """Administrations, one of them not completed, and the real messages cut to what is read."""
    real = [path.read_text("utf-8").replace("\n", "\r") for path in sorted(DATA.glob("*.hl7"))]
    small = ["\r".join(filter(is_read, message.split("\r"))) for message in real]
    refused = ADMINISTRATION.replace("CP|A", "CP|U")
    # The administration stands twice, so that it is drawn more often than a real message.
    return [ADMINISTRATION, ADMINISTRATION, refused, *small, ADMINISTRATION + small[0]]


def is_read(segment: str) -> bool:
    """Whether the reader looks into a segment."""
    return segment[:3] == "MSH" or segment[:3] in SEGMENTS_READ


SEEDS = seeds()


def changed(message: str, rng: random.Random) -> str:
    """The message with one to three fields or segments replaced, removed, doubled or moved."""
    segments = list(filter(None, message.split("\r")))
    for _ in range(rng.randint(1, 3)):
        if not segments:
            break
        place = rng.randrange(len(segments))
        kind = rng.random()
        if kind < 0.1:
            del segments[place]
        elif kind < 0.2:
            segments.insert(rng.randrange(len(segments) + 1), segments[place])
        else:
            fields = segments[place].split("|")
            fields[rng.randrange(len(fields))] = rng.choice(ODD)
            segments[place] = "|".join(fields)
    return rng.choice(("\r", "\n", "\r\n")).join(segments)


def drawn(rng: random.Random) -> Fuzzed:
    """One input."""
    raw = changed(rng.choice(SEEDS), rng).encode("utf-8")
    if rng.random() < 0.4:
        raw = broken(raw, PIECES, rng)
    return Fuzzed(raw, options=rng.choice(OPTIONS))


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """What the reader gives, which is never nothing."""
    items = list(read("f", io.BytesIO(fuzzed.raw), fuzzed.options))
    if not items:
        raise UndocumentedError("lost in silence")
    yield from reader_outcomes(items)


TARGET = Target("hl7", drawn, outcomes, ("/readers/",), PIECES)
