"""Messages of HL7 as the tests of this room write them, and how they are read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ivpush.contract.encounter import Administration, Encounter
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.hl7.reader import read

DATA = Path(__file__).resolve().parents[2] / "data" / "hl7v2"
HERE = ReadOptions(setting="facility")
CANARIES = ("EVERYMAN", "ADAM", "PATID1234", "Smith", "Zebra", "MRN-4711")


def seg(name: str, **fields: str) -> str:
    """A segment with fields by position, such as ``f3="20260302"``."""
    at = {int(key[1:]): value for key, value in fields.items()}
    first = 3 if name == "MSH" else 1
    return "|".join(
        [
            name,
            *(["^~\\&"] if first == 3 else []),
            *(at.get(n, "") for n in range(first, max(at, default=0) + 1)),
        ]
    )


def message(
    kind: str, *segments: str, visit: str = "V1", patient: str = "MRN-4711", **head: str
) -> str:
    head = {"f7": "20260302100500-0600", "f9": kind, "f10": "C1", "f12": "2.5", **head}
    start = [
        seg("MSH", **head),
        seg("PID", f3=patient, f5="Zebra^Zoe"),
        seg("PV1", f2="O", f19=visit),
    ]
    return "\r".join([*start, *segments]) + "\r"


def rxa(start: str = "20260302100000", stop: str = "20260302100200", **fields: str) -> str:
    usual = {
        "f1": "0",
        "f2": "1",
        "f3": start,
        "f4": stop,
        "f5": "J2405^ondansetron^HCPCS",
        "f6": "4",
        "f7": "mg",
        "f10": "N7^Zebra^Zoe",
        "f20": "CP",
        "f21": "A",
    }
    return seg("RXA", **{**usual, **fields})


def orc(order: str = "F1", control: str = "RE") -> str:
    return seg("ORC", f1=control, f2=f"P{order}", f3=order)


def ras(*segments: str, **more: str) -> str:
    return message("RAS^O17", *segments, **more)


def ft1(code: str = "96374", **fields: str) -> str:
    usual = {"f4": "20260302", "f6": "CG", "f10": "1", "f25": f"{code}^x^C4"}
    return seg("FT1", **{**usual, **fields})


def dft(*segments: str, **more: str) -> str:
    return message("DFT^P03", *segments, **more)


def readings(*texts: str, options: ReadOptions = HERE) -> list[Any]:
    return list(read("f", io.BytesIO("".join(texts).encode()), options))


def read_visit(*texts: str, options: ReadOptions = HERE) -> tuple[Encounter, list[str]]:
    every = readings(*texts, options=options)
    (record,) = [x for x in every if not isinstance(x, Note)]
    assert isinstance(record, Record), str(record.error)
    return record.encounter, [x.message for x in every if isinstance(x, Note)]


def refused(*texts: str, options: ReadOptions = HERE) -> str:
    (aside,) = [x for x in readings(*texts, options=options) if not isinstance(x, Note)]
    assert isinstance(aside, SetAside)
    return str(aside.error)


def administrations(encounter: Encounter) -> Sequence[Administration]:
    assert encounter.administrations is not None
    return encounter.administrations


def only(encounter: Encounter) -> Administration:
    (administration,) = administrations(encounter)
    return administration
