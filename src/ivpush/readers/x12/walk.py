"""The walk over interchanges, transactions and claims of X12.

Every byte of the input stands in exactly one event, so that a writer can give back what it does not
change. No more than one claim is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from ivpush.errors import Fault, InputError
from ivpush.readers import Note, SetAside
from ivpush.readers.x12.segments import CUT, SPACE, chunks

if TYPE_CHECKING:
    from ivpush.readers.x12.segments import Separators

__all__ = [
    "Claim",
    "End",
    "Event",
    "Passed",
    "Transaction",
    "place_of",
    "walk",
    "wrong_kind",
]


MOST_CLAIM_SEGMENTS = 250_000


@dataclass(slots=True)
class Transaction:
    """One ST…SE: where it stands, what it says it is, and what was counted in it."""

    interchange: int
    number: int
    kind: bytes = b""
    """ST01: 837, 835 …"""
    version: bytes = b""
    """GS08, or ST03 where the group names none."""
    control: bytes = b""
    first_segment: int = 0
    claims: int = 0
    place: str = ""


@dataclass(slots=True)
class Claim:
    """One claim: the segments from CLM (or CLP) to the next claim, loop or end, as they stand.

    A piece is a segment with the white space before it and without its terminator.
    """

    transaction: Transaction
    number: int
    segment: int
    offset: int
    separators: Separators
    pieces: list[bytes] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    """First three bytes of each piece, white space apart."""
    fault: Fault | None = None
    """Why the claim is not whole; None: it is."""

    @property
    def raw(self) -> bytes:
        """The bytes of the claim, as they stand in the input."""
        mark = self.separators.terminator
        return mark.join(self.pieces) + mark


@dataclass(slots=True)
class Passed:
    """Bytes that belong to no claim: envelopes, loops of providers and subscribers, white space."""

    raw: bytes


@dataclass(slots=True)
class End:
    """An SE as it stands, and the true number of segments from its ST."""

    piece: bytes
    transaction: Transaction
    separators: Separators
    counted: int


Event = Claim | Passed | End | SetAside | Note


_CLAIMS = {b"837": (b"CLM", (b"HL",)), b"835": (b"CLP", (b"LX", b"PLB"))}


_UNENDED = Fault("", "its transaction has no end (SE), so that lines may be missing",
                 "send the whole transaction")  # fmt: skip
_VAST = Fault("", f"the claim has more than {MOST_CLAIM_SEGMENTS} segments", "split it")
_NO_TRANSACTION = Fault("", "the claim stands outside of a transaction",
                        "write ST before the claims and SE after them")  # fmt: skip


class _Walk:
    """Where a walk stands: envelope counts, the open claim, and bytes waiting to be passed on."""

    def __init__(self, name: str, kind: bytes) -> None:
        self.name, self.kind = name, kind
        self.start, self.also_ends = _CLAIMS[kind]
        self.interchange = self.groups = self.transactions = 0
        self.segment, self.offset = 0, 0
        self.in_group = 0
        self.version = self.group_control = self.interchange_control = b""
        self.transaction: Transaction | None = None
        self.claim: Claim | None = None
        self.marks: Separators | None = None
        self.between: list[bytes] = []
        self.open = ""
        self.loops: frozenset[bytes] = frozenset()

    def place(self, transaction: bool = False) -> str:
        """Where the walk stands now, in words that let a person find it."""
        if not self.interchange:
            return f"{self.name}: byte {self.offset}"
        text = f"{self.name}: interchange {self.interchange}"
        if transaction:
            text += f", transaction {self.transactions}"
        return f"{text} (segment {self.segment}, byte {self.offset})"

    def flush(self) -> Iterator[Event]:
        """Pass on what belongs to no claim."""
        if self.between and self.marks is not None:
            mark = self.marks.terminator
            yield Passed(mark.join(self.between) + mark)
            self.between = []

    def close(self, fault: Fault | None = None) -> Iterator[Event]:
        """End the open claim."""
        claim, self.claim = self.claim, None
        if claim is not None:
            claim.fault = claim.fault or fault
            yield claim

    def leave(self, fault: Fault | None = _UNENDED) -> Iterator[Event]:
        """End the open claim and transaction, where no SE did so."""
        yield from self.close(fault)
        if self.transaction is not None:
            yield Note(self.transaction.place, "the transaction has no end (SE)")
            yield from self.empty()

    def leave_interchange(self) -> Iterator[Event]:
        """End the open interchange, where no IEA did so."""
        yield from self.leave()
        if self.open:
            yield Note(
                self.open, "the interchange has no end (IEA); what came after may be missing"
            )
        self.open = ""

    def empty(self) -> Iterator[Event]:
        """End the transaction; say so where it held no claim."""
        left, self.transaction = self.transaction, None
        if left is None or left.claims:
            return
        if left.kind == self.kind:
            yield Note(left.place, "the transaction holds no claim")
        else:
            yield SetAside(left.place, InputError(wrong_kind(self.kind)))


def wrong_kind(wanted: bytes) -> Fault:
    """Why a transaction of another kind is not read."""
    what = {b"837": "claims (837)", b"835": "remittances (835)"}[wanted]
    return Fault("ST01", f"the transaction holds no {what}", f"send {what} here")


def walk(name: str, stream: IO[bytes], kind: bytes = b"837") -> Iterator[Event]:
    """Every byte of a stream, as events in order; ``kind`` is 837 or 835."""
    at = _Walk(name, kind)
    for marks, pieces, loose, fault in chunks(stream):
        if marks is not None and marks is not at.marks:
            yield from at.leave_interchange()
            yield from at.flush()
            at.marks = marks
            ends = _ends(marks, at.start, at.also_ends)
            at.loops = frozenset((one + marks.element)[:3] for one in at.also_ends)
        if pieces and marks is not None:
            yield from _pieces(at, pieces, marks, ends)
        if loose or fault is not None:
            yield from _loose(at, loose, fault)
    yield from at.leave_interchange()
    yield from at.flush()


def _ends(marks: Separators, start: bytes, also: tuple[bytes, ...]) -> frozenset[bytes]:
    """First three bytes of the segments that end a claim."""
    two = (b"SE", b"ST", b"GS", b"GE", *also)
    return frozenset((start, b"ISA", b"IEA", *((one + marks.element)[:3] for one in two)))


def _loose(at: _Walk, raw: bytes, fault: Fault | None) -> Iterator[Event]:
    """Bytes outside of segments: white space, or what could not be cut."""
    said, claim = at.place(), at.claim
    ended = fault is CUT and claim is None and raw.lstrip(SPACE).startswith(b"IEA")
    yield from at.leave(fault or _UNENDED)
    yield from at.flush()
    yield Passed(raw)
    at.offset += len(raw)
    if ended:
        at.open = ""
        yield Note(said, "the last segment, IEA, does not end with the terminator")
    elif fault is not None and (claim is None or fault is not CUT):
        yield SetAside(said, InputError(fault))


def _pieces(at: _Walk, pieces: list[bytes], marks: Separators,
            ends: frozenset[bytes]) -> Iterator[Event]:  # fmt: skip
    """A run of segments: only those that end or begin a claim are looked at one by one."""
    keys = [piece.lstrip()[:3] for piece in pieces]
    stops = [place for place, key in enumerate(keys) if key in ends]
    done, segment, offset = 0, at.segment, at.offset
    for stop in (*stops, len(pieces)):
        if stop > done:
            yield from _inside(at, pieces[done:stop], keys[done:stop])
        offset += sum(map(len, pieces[done:stop])) + stop - done
        # Blank lines, where the terminator is a line end, are no segments.
        segment += sum(map(bool, keys[done:stop]))
        at.segment, at.offset, done = segment, offset, stop
        if stop == len(pieces):
            return
        piece, key = pieces[stop], keys[stop]
        segment += 1
        at.segment = segment
        if key == at.start:
            yield from at.close()
            yield from at.flush()
            at.claim = _begun(at, marks, piece, key)
        elif key in at.loops:
            yield from at.close()
            at.between.append(piece)
        else:
            yield from _envelope(at, piece, marks)
        offset += len(piece) + 1
        at.offset, done = offset, stop + 1


def _inside(at: _Walk, pieces: list[bytes], keys: list[bytes]) -> Iterator[Event]:
    """Segments that neither begin nor end a claim."""
    claim = at.claim
    if claim is not None and len(claim.pieces) + len(pieces) > MOST_CLAIM_SEGMENTS:
        yield from at.close(_VAST)
        claim = None
    if claim is not None:
        claim.pieces += pieces
        claim.keys += keys
        return
    at.between += pieces
    if len(at.between) > 4_000:
        yield from at.flush()


def _begun(at: _Walk, marks: Separators, piece: bytes, key: bytes) -> Claim:
    transaction, fault = at.transaction, None
    if transaction is None:
        transaction = Transaction(at.interchange, at.transactions, place=at.place())
        fault = _NO_TRANSACTION
    transaction.claims += 1
    return Claim(transaction, transaction.claims, at.segment, at.offset, marks,
                 [piece], [key], fault)  # fmt: skip


def _envelope(at: _Walk, piece: bytes, marks: Separators) -> Iterator[Event]:
    """A segment of an envelope, which ends the open claim."""
    tag, *rest = piece.strip(SPACE).split(marks.element)
    item = dict(enumerate(rest, 1))
    if tag == b"SE":
        yield from at.close()
        yield from at.flush()
        yield from _end(at, piece, item, marks)
        return
    yield from at.leave()
    at.between.append(piece)
    if tag == b"ISA":
        at.interchange, at.groups, at.transactions = at.interchange + 1, 0, 0
        at.open = at.place()
        at.in_group, at.version, at.interchange_control = 0, b"", item.get(13, b"")
        if not marks.standard:
            yield Note(at.place(), "the ISA does not have 106 characters; its separators were "
                       "found by counting its elements")  # fmt: skip
    elif tag == b"GS":
        at.groups, at.in_group = at.groups + 1, 0
        at.version, at.group_control = item.get(8, b""), item.get(6, b"")
    elif tag == b"ST":
        at.transactions, at.in_group = at.transactions + 1, at.in_group + 1
        version = at.version.strip() or item.get(3, b"").strip()
        at.transaction = Transaction(at.interchange, at.transactions, item.get(1, b""), version,
                                     item.get(2, b""), at.segment,
                                     place=at.place(True))  # fmt: skip
    elif tag == b"GE":
        yield from _tally(at, "GE", item, at.in_group, at.group_control)
    elif tag == b"IEA":
        at.open = ""
        yield from _tally(at, "IEA", item, at.groups, at.interchange_control)


def _end(at: _Walk, piece: bytes, item: dict[int, bytes], marks: Separators) -> Iterator[Event]:
    open_one, at.transaction = at.transaction, None
    if open_one is None:
        yield Note(at.place(), "an SE ends no transaction")
        at.between.append(piece)
        return
    counted = at.segment - open_one.first_segment + 1
    yield from _tally(at, "SE", item, counted, open_one.control)
    yield End(piece, open_one, marks, counted)
    at.transaction = open_one
    yield from at.empty()


def _tally(at: _Walk, tag: str, item: dict[int, bytes], counted: int,
           control: bytes) -> Iterator[Note]:  # fmt: skip
    """Notes where a trailer counts otherwise than the file, or names another control number."""
    stated, place = item.get(1, b"").strip(), at.place(tag == "SE")
    if not stated.isdigit() or len(stated) > 12 or int(stated) != counted:
        what = {"SE": "segments", "GE": "transactions", "IEA": "groups"}[tag]
        yield Note(place, f"{tag}01 does not give the number of {what}: there are {counted}")
    if item.get(2, b"").strip() != control.strip():
        yield Note(place, f"{tag}02 does not repeat the control number of its header")


def place_of(name: str, claim: Claim) -> str:
    """Where a claim stands, in words that let a person find it."""
    at = claim.transaction
    return (f"{name}: interchange {at.interchange}, transaction {at.number}, claim {claim.number} "
            f"(segment {claim.segment}, byte {claim.offset})")  # fmt: skip
