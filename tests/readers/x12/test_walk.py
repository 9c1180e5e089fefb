"""The walk over an 837: separators, blocks, envelopes, places, and files that are none."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import Note, Record, SetAside
from ivpush.readers.x12.reader import read, sniff
from ivpush.readers.x12.segments import BLOCK, Loose, chunks
from ivpush.readers.x12.walk import Claim, walk
from tests.readers.x12.samples import (
    BILL,
    HEADER,
    envelope,
    notes,
    only,
    readings,
    reason,
    records,
)


def test_places_lead_to_the_claim() -> None:
    raw = envelope(*BILL, *BILL)
    claims = records(raw)
    assert [one.place.partition(" (")[0] for one in claims] == [
        "f.837: interchange 1, transaction 1, claim 1",
        "f.837: interchange 1, transaction 1, claim 2",
    ]
    for claim in claims:
        numbers = claim.place.partition("(segment ")[2].rstrip(")").split(", byte ")
        assert raw.split(b"~")[int(numbers[0]) - 1].strip() == BILL[0]
        assert raw[int(numbers[1]) :].lstrip().startswith(BILL[0])


@given(
    st.sampled_from("*|^\x1d!"),
    st.sampled_from(":><\x1f@"),
    st.sampled_from("~_\n\r\x1c'"),
    st.sampled_from(("", "\n", "\r\n", "\r\n    ", "\t")),
    st.sampled_from(("", "\ufeff", "  \r\n")),
)
def test_any_separators_read_alike(
    element: str, component: str, terminator: str, between: str, before: str
) -> None:
    text = envelope(*BILL, end=b"~").decode().replace("^", "U")
    table = {"*": element, ":": component, "~": terminator + between}
    raw = (before + "".join(table.get(one, one) for one in text)).encode()
    assert sniff(raw[:200])
    assert only(raw) == only(envelope(*BILL))
    assert notes(raw) == []


def test_interchanges_may_differ_in_separators_and_follow_one_another() -> None:
    other = envelope(*BILL).replace(b"~", b"'").replace(b"*", b"|").replace(b":", b">")
    raw = envelope(*BILL) + b"\r\n\n" + other + envelope(*BILL)
    claims = records(raw)
    assert [one.encounter for one in claims] == [only(envelope(*BILL))] * 3
    assert [one.place.partition(",")[0] for one in claims] == [
        f"f.837: interchange {number}" for number in (1, 2, 3)
    ]
    assert notes(raw) == []


def test_many_claims_in_one_transaction_are_all_read() -> None:
    raw = envelope(*BILL * 820)
    assert len(records(raw)) == 820


@given(st.integers(1, 400))
def test_blocks_may_end_anywhere(size: int) -> None:
    """The same claims come whatever the stream gives at a time."""

    class Slow(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            return super().read(size)

    raw = envelope(*BILL, *BILL) + envelope(*BILL).replace(b"~", b"'")
    slow = list(read("f.837", Slow(raw)))
    claims = [one for one in slow if isinstance(one, Record)]
    assert claims == records(raw)
    assert len(claims) == 3


def test_no_more_than_one_claim_is_held() -> None:
    """The walk hands each claim on before it has read a block beyond it."""
    taken = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal taken
            block = super().read(size)
            taken += len(block)
            return block

    raw = envelope(*BILL * 3_000)
    for event in walk("f", Counting(raw)):
        if isinstance(event, Claim):
            assert taken - event.offset < 140_000
    assert taken == len(raw) > 500_000


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (b"SE*13*", b"SE*12*", "SE01 does not give the number of segments: there are 13"),
        (b"SE*13*0001", b"SE*13*0002", "SE02 does not repeat the control number of its header"),
        (b"GE*1*1", b"GE*3*1", "GE01 does not give the number of transactions: there are 1"),
        (b"GE*1*1", b"GE*1*9", "GE02 does not repeat the control number of its header"),
        (b"IEA*1*", b"IEA*x*", "IEA01 does not give the number of groups: there are 1"),
        (b"IEA*1*000000001", b"IEA*1*1", "IEA02 does not repeat the control number of its header"),
    ],
)
def test_trailers_that_lie_are_noted_and_the_claim_is_read(
    old: bytes, new: bytes, note: str
) -> None:
    raw = envelope(*BILL)
    assert old in raw
    assert notes(raw.replace(old, new)) == [note]
    assert only(raw.replace(old, new)) == only(raw)


@given(st.data())
def test_a_file_that_is_cut_short_never_gives_a_claim_with_lines_missing(
    data: st.DataObject,
) -> None:
    raw = envelope(*BILL, *BILL)
    cut = data.draw(st.integers(0, len(raw) - 2))  # the last byte is white space
    whole = only(envelope(*BILL))
    every = readings(raw[:cut])
    claims = [one for one in every if isinstance(one, Record)]
    aside = [one for one in every if isinstance(one, SetAside)]
    assert all(one.encounter == whole for one in claims)
    begun = raw[:cut].count(b"CLM*C1*300***11:B:1*Y*A*Y*Y~")
    assert len(claims) + len(aside) >= begun
    if cut:
        assert aside or any(isinstance(one, Note) for one in every)


def test_claims_outside_of_a_transaction_are_set_aside() -> None:
    raw = HEADER + b"".join(one + b"~" for one in (b"GS*HC*A", *BILL, b"IEA*1*000000001"))
    assert reason(raw).startswith("the claim stands outside of a transaction")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"GS*HC*A*B*20260302~ST*837*1~", "the file begins with GS, and without an ISA"),
        (b"ST*837*0001*005010X222A1~", "the file begins with ST, and without an ISA"),
        (b"\xff\xfeI\x00S\x00A\x00", "the file is UTF-16"),
        (b"hello", "the text before the first ISA is not X12"),
        (b"ISA*00*", "an ISA does not show its separators"),
        (HEADER[:-1] + b"9" + b"GS*HC~", "an ISA does not show its separators"),
        (HEADER[:-2] + b"**GS*HC~", "an ISA does not show its separators"),
        (HEADER + b"GS*HC*A", "the input ends in the middle of a segment"),
        (HEADER + b"GS*HC*A" + b"A" * 1_100_000, "a segment does not end within a mebibyte"),
    ],
)
def test_what_is_no_x12_is_refused_with_its_reason(raw: bytes, why: str) -> None:
    assert reason(raw).startswith(why)


def test_text_before_the_first_interchange_is_set_aside_and_the_rest_is_read() -> None:
    every = readings(b"sent by mail\n" + envelope(*BILL))
    assert [type(one) for one in every] == [SetAside, Record]


@pytest.mark.parametrize(
    ("head", "verdict"),
    [
        (HEADER, True),
        (b"\xef\xbb\xbf" + HEADER, True),
        (b" \r\n" + HEADER, True),
        (b"ST*837*0001*005010X222A1~", True),
        (b"GS*HC*A*B~", True),
        (b'{"id": 1}', False),
        (b"", False),
        (b"STUDY id, code, units", False),
        (b"MSH|^~\\&|", False),
        (b"ST", False),
        (b"GS, ST, and more, text", False),
    ],
)
def test_x12_is_told_by_its_beginning(head: bytes, verdict: bool) -> None:
    assert sniff(head) is verdict


def test_white_space_before_the_first_segment_is_taken_block_by_block() -> None:
    raw = b"\xef\xbb\xbf" + b"\n" * (3 * BLOCK) + envelope(*BILL)
    pieces = list(chunks(io.BytesIO(raw)))
    lead = [piece.raw for piece in pieces if isinstance(piece, Loose) and not piece.raw.strip()]
    assert b"".join(lead).count(b"\n") >= 3 * BLOCK
    assert max(map(len, lead)) <= BLOCK
    assert len(records(raw)) == 1
