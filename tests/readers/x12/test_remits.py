"""Claim payments of an 835: every reason and remark, and nothing that names a person."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import Note, SetAside
from ivpush.readers.x12.remits import Adjustment, Remittance, read

DATA = Path(__file__).parents[2] / "data" / "x12"
HEADER = (
    b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260302*1145*^*00501"
    b"*000000001*0*T*:~"
)
PAYMENT = (
    b"CLP*C1*1*350*100*20*MC*9",
    b"CAS*PI*11*5",
    b"NM1*QC*1*ZEBRA*ZEBRA",
    b"MOA***MA01*MA02",
    b"SVC*HC:96374*200*100**1",
    b"DTM*472*20260302",
    b"CAS*CO*45*80",
    b"CAS*PR*1*20",
    b"REF*6R*L1",
    b"SVC*HC:96375:59*100*0**0*HC:96376:59*2",
    b"DTM*472*20260302",
    b"CAS*CO*97*60*1*236*40",
    b"LQ*HE*N20",
    b"LQ*RX*88",
    b"LQ*HE*M15",
    b"SVC*HC:J2405*50*-1.5**4",
)


def envelope(*body: bytes, kind: bytes = b"835", version: bytes = b"005010X221A1") -> bytes:
    segments = [
        b"GS*HP*A*B*20260302*1145*1*X*" + version,
        b"ST*" + kind + b"*0001",
        b"BPR*I*100",
        b"LX*1",
        *body,
        b"SE*%d*0001" % (len(body) + 4),
        b"GE*1*1",
        b"IEA*1*000000001",
    ]
    return HEADER + b"".join(one + b"~\n" for one in segments)


def readings(raw: bytes) -> list[Remittance | SetAside | Note]:
    return list(read("f.835", io.BytesIO(raw)))


def test_a_payment_is_read_whole() -> None:
    note, remittance = readings(envelope(*PAYMENT))
    assert isinstance(note, Note)
    assert note.message == "line 2: was adjudicated under another code than was billed"
    assert isinstance(remittance, Remittance)
    assert (remittance.id, remittance.status, remittance.charge, remittance.paid) == (
        "C1",
        "1",
        Decimal(350),
        Decimal(100),
    )
    assert remittance.adjustments == [Adjustment("PI", "11", Decimal(5))]
    assert remittance.remarks == ["MA01", "MA02"]
    first, second, third = remittance.lines
    assert (first.code, first.control, first.date) == ("96374", "L1", dt.date(2026, 3, 2))
    assert first.adjustments == [
        Adjustment("CO", "45", Decimal(80)),
        Adjustment("PR", "1", Decimal(20)),
    ]
    assert (second.code, second.paid_code, second.modifiers) == ("96376", "96375", ("59",))
    assert (second.units, second.paid_units) == (Decimal(2), Decimal(0))
    assert second.adjustments == [
        Adjustment("CO", "97", Decimal(60)),
        Adjustment("CO", "236", Decimal(40)),
    ]
    assert second.remarks == ["N20", "M15"]
    assert third.paid == Decimal("-1.5")
    assert "ZEBRA" not in repr(remittance)


def test_all_six_triples_of_an_adjustment_are_read() -> None:
    cas = b"CAS*CO*" + b"*".join(b"%d*%d*" % (n, n * 10) for n in range(1, 7)) + b"*7*70"
    (remittance,) = readings(envelope(b"CLP*C1*4*350*0**MC*9", b"SVC*HC:96374*210*0**1", cas))
    assert isinstance(remittance, Remittance)
    assert [x.reason for x in remittance.lines[0].adjustments] == ["1", "2", "3", "4", "5", "6"]
    assert [x.amount for x in remittance.lines[0].adjustments] == [
        Decimal(n * 10) for n in range(1, 7)
    ]


def test_inpatient_remarks_are_read() -> None:
    mia = b"MIA*0***1*MA10" + b"*" * 15 + b"N1*N2"
    (remittance,) = readings(envelope(b"CLP*C1*4*350*0**MC*9", mia))
    assert isinstance(remittance, Remittance)
    assert remittance.remarks == ["MA10", "N1", "N2"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"CLP*C1", b"CLP*", "CLP01: is empty"),
        (b"*350*", b"*ZEBRA*", "CLP03: is no amount"),
        (b"SVC*HC:96374*200*", b"SVC*HC>96374*200*", "line 1: SVC is not divided by"),
        (b"CAS*CO*45*80", b"CAS*CO*45*ZEBRA", "CAS: is no amount"),
    ],
)
def test_a_payment_that_cannot_be_read_is_set_aside(old: bytes, new: bytes, why: str) -> None:
    raw = envelope(*PAYMENT, b"CLP*C2*1*10*10**MC*9")
    aside, other = (one for one in readings(raw.replace(old, new, 1)) if not isinstance(one, Note))
    assert isinstance(aside, SetAside)
    assert str(aside.error).startswith(why)
    assert "ZEBRA" not in str(aside.error) + aside.place
    assert isinstance(other, Remittance)
    assert other.id == "C2"


def test_claims_are_no_remittances() -> None:
    (aside,) = (one for one in readings((DATA / "moov-sample.txt").read_bytes()))
    assert isinstance(aside, SetAside)
    assert str(aside.error).startswith("ST01: the transaction holds no remittances (835)")


def test_a_version_that_is_not_read_is_refused() -> None:
    (aside,) = readings(envelope(b"CLP*C1*1*10*10**MC*9", version=b"008020X322"))
    assert isinstance(aside, SetAside)
    assert str(aside.error) == "GS08: names a version that is not read; send 005010X221"


def test_what_follows_the_payments_belongs_to_none() -> None:
    raw = envelope(b"CLP*C1*1*10*10**MC*9", b"LX*2", b"CAS*CO*1*1", b"PLB*1*2*3*4", b"CAS*CO*1*1")
    (remittance,) = readings(raw)
    assert isinstance(remittance, Remittance)
    assert remittance.adjustments == []


@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(noise: bytes) -> None:
    for raw in (noise, envelope(*PAYMENT, noise)):
        for reading in readings(raw):
            assert isinstance(reading, Remittance | SetAside | Note)
