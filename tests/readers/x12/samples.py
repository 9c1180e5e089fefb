"""Claims of an 837 as the tests of this room write them, and how they are read."""

from __future__ import annotations

import io

from ivpush.contract.encounter import Encounter
from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
from ivpush.readers.x12.reader import read

HEADER = (
    b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260302*1145*^*00501"
    b"*000000001*0*T*:~"
)
BILL = (
    b"CLM*C1*300***11:B:1*Y*A*Y*Y",
    b"HI*ABK:R112*ABF:E119",
    b"LX*1",
    b"SV1*HC:96374:59*200*UN*1***1:2",
    b"DTP*472*D8*20260302",
    b"LX*2",
    b"SV1*HC:J2405*100*UN*4*22**1",
    b"DTP*472*D8*20260303",
    b"LIN**N4*00026063512",
)
INSTITUTIONAL = (
    b"CLM*C1*300***13:A:1*Y*A*Y*Y",
    b"DTP*434*RD8*20260301-20260304",
    b"HI*ABK:R112",
    b"LX*1",
    b"SV2*0260*HC:96374*200*UN*1",
    b"LX*2",
    b"SV2*0636*HC:J2405*100*UN*4",
    b"DTP*472*D8*20260303",
)


def envelope(
    *body: bytes,
    version: bytes = b"005010X222A1",
    kind: bytes = b"837",
    header: bytes = HEADER,
    end: bytes = b"~\n",
) -> bytes:
    segments = [
        b"GS*HC*A*B*20260302*1145*1*X*" + version,
        b"ST*%s*0001*%s" % (kind, version),
        b"HL*1**20*1",
        b"HL*2*1*22*0",
        *body,
        b"SE*%d*0001" % (len(body) + 4),
        b"GE*1*1",
        b"IEA*1*000000001",
    ]
    return header + b"".join(one + end for one in segments)


def readings(raw: bytes, options: ReadOptions | None = None) -> list[Reading]:
    return list(read("f.837", io.BytesIO(raw), options))


def records(raw: bytes, options: ReadOptions | None = None) -> list[Record]:
    return [one for one in readings(raw, options) if isinstance(one, Record)]


def only(raw: bytes) -> Encounter:
    (record,) = records(raw)
    return record.encounter


def notes(raw: bytes) -> list[str]:
    return [one.message for one in readings(raw) if isinstance(one, Note)]


def reason(raw: bytes) -> str:
    """Why the only claim was set aside."""
    (aside,) = [one for one in readings(raw) if isinstance(one, SetAside)]
    assert not records(raw)
    return str(aside.error)


def with_segment(old: bytes, new: bytes, bill: tuple[bytes, ...] = BILL) -> bytes:
    assert any(one.startswith(old) for one in bill)
    return envelope(*(new if one.startswith(old) else one for one in bill))
