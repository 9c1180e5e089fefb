"""The walk over interchanges, transactions and claims of X12, for readers and the 837 writer.

Every byte of the input stands in exactly one event, so that a writer can give back what it does not
change. No more than one claim is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, NamedTuple

from ivpush.errors import Fault, InputError
from ivpush.readers import Note, SetAside
from ivpush.readers.x12.segments import CUT, SPACE, Run, chunks

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
_MOST_PASSED_SEGMENTS = 4_000


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


class _Kind(NamedTuple):
    """What the walk must know of a kind of transaction."""

    holds: str
    """What its claims are called in an error."""
    start: bytes
    """The tag that begins a claim."""
    loops: tuple[bytes, ...]
    """Tags that end a claim, for they begin a loop around other claims or none."""


_KINDS = {
    b"837": _Kind("claims (837)", b"CLM", (b"HL",)),
    b"835": _Kind("remittances (835)", b"CLP", (b"LX", b"PLB")),
}
_UNENDED = Fault(
    "",
    "its transaction has no end (SE), so that lines may be missing",
    "send the whole transaction",
)
_VAST = Fault("", f"the claim has more than {MOST_CLAIM_SEGMENTS} segments", "split it")
_NO_TRANSACTION = Fault(
    "",
    "the claim stands outside of a transaction",
    "write ST before the claims and SE after them",
)
_COUNTED = {"SE": "segments", "GE": "transactions", "IEA": "groups"}


def wrong_kind(wanted: bytes) -> Fault:
    """Why a transaction of another kind is not read."""
    holds = _KINDS[wanted].holds
    return Fault("ST01", f"the transaction holds no {holds}", f"send {holds} here")


def place_of(name: str, claim: Claim) -> str:
    """Where a claim stands, in words that let a person find it."""
    transaction = claim.transaction
    return (
        f"{name}: interchange {transaction.interchange}, transaction {transaction.number}, "
        f"claim {claim.number} (segment {claim.segment}, byte {claim.offset})"
    )


def walk(
    name: str, stream: IO[bytes], kind: bytes = b"837", assumed: Separators | None = None
) -> Iterator[Event]:
    """Every byte of a stream, as events in order; ``kind`` is 837 or 835.

    ``assumed`` are the separators of a file that begins without an ISA.

    ::

        for event in walk("claims.837", stream):
            if isinstance(event, Claim):
                out.write(event.raw)
    """
    walker = _Walker(name, kind)
    for chunk in chunks(stream, assumed):
        if isinstance(chunk, Run):
            # Each interchange has a Separators of its own, even where the characters are the same.
            if chunk.separators is not walker.separators:
                yield from walker.change_interchange(chunk.separators)
            yield from walker.take_run(chunk.separators, chunk.pieces)
        elif chunk.raw or chunk.fault is not None:
            yield from walker.take_loose(chunk.raw, chunk.fault)
    yield from walker.leave_interchange()
    yield from walker.flush()


class _Keys(NamedTuple):
    """First three bytes of the segments that the walk looks at, for one set of separators.

    A tag of two letters is told from a longer one by the separator after it.
    """

    start: bytes
    loops: frozenset[bytes]
    stops: frozenset[bytes]
    """All that end a claim, those above among them."""


def _keys(kind: bytes, element: bytes) -> _Keys:
    _, start, loops = _KINDS[kind]
    envelopes = (b"ISA", b"IEA", b"SE", b"ST", b"GS", b"GE")
    stops = frozenset((tag + element)[:3] for tag in (start, *envelopes, *loops))
    return _Keys(start, frozenset((tag + element)[:3] for tag in loops), stops)


class _Walker:
    """Where a walk stands: envelope counts, the open claim, and bytes waiting to be passed on.

    Segments are counted from 1 and bytes from 0, over the whole input.
    """

    def __init__(self, name: str, kind: bytes) -> None:
        self.name, self.kind = name, kind
        self.separators: Separators | None = None
        self.keys = _keys(kind, b"")
        self.segment = self.offset = 0
        self.interchange = self.groups = self.transactions = 0
        self.transactions_in_group = 0
        self.version = self.group_control = self.interchange_control = b""
        self.open_interchange = ""
        self.transaction: Transaction | None = None
        self.claim: Claim | None = None
        self.between: list[bytes] = []

    def place(self, transaction: bool = False) -> str:
        """Where the walk stands now, in words that let a person find it."""
        if not self.interchange:
            return f"{self.name}: byte {self.offset}"
        text = f"{self.name}: interchange {self.interchange}"
        if transaction:
            text += f", transaction {self.transactions}"
        return f"{text} (segment {self.segment}, byte {self.offset})"

    def change_interchange(self, separators: Separators) -> Iterator[Event]:
        """End what is open, and go on with the separators of the next interchange."""
        yield from self.leave_interchange()
        yield from self.flush()
        self.separators = separators
        self.keys = _keys(self.kind, separators.element)

    def take_run(self, separators: Separators, pieces: list[bytes]) -> Iterator[Event]:
        """A run of segments: only those that end or begin a claim are looked at one by one."""
        known = self.keys
        keys = [piece.lstrip()[:3] for piece in pieces]
        stops = [at for at, key in enumerate(keys) if key in known.stops]
        done = 0
        for stop in (*stops, len(pieces)):
            if stop > done:
                yield from self.take_inside(pieces[done:stop], keys[done:stop])
            # Each segment has its terminator with it.
            self.offset += sum(map(len, pieces[done:stop])) + stop - done
            # Blank lines, where the terminator is a line end, are no segments.
            self.segment += sum(map(bool, keys[done:stop]))
            if stop == len(pieces):
                return
            piece, key = pieces[stop], keys[stop]
            self.segment += 1
            if key == known.start:
                yield from self.close()
                yield from self.flush()
                self.claim = self.begun(separators, piece, key)
            elif key in known.loops:
                yield from self.close()
                self.between.append(piece)
            else:
                yield from self.take_envelope(separators, piece)
            self.offset += len(piece) + 1
            done = stop + 1

    def take_inside(self, pieces: list[bytes], keys: list[bytes]) -> Iterator[Event]:
        """Segments that neither begin nor end a claim."""
        claim = self.claim
        if claim is not None and len(claim.pieces) + len(pieces) > MOST_CLAIM_SEGMENTS:
            yield from self.close(_VAST)
            claim = None
        if claim is not None:
            claim.pieces += pieces
            claim.keys += keys
            return
        self.between += pieces
        if len(self.between) > _MOST_PASSED_SEGMENTS:
            yield from self.flush()

    def begun(self, separators: Separators, piece: bytes, key: bytes) -> Claim:
        """The claim that a CLM or CLP begins."""
        transaction, fault = self.transaction, None
        if transaction is None:
            transaction = Transaction(self.interchange, self.transactions, place=self.place())
            fault = _NO_TRANSACTION
        transaction.claims += 1
        return Claim(
            transaction=transaction,
            number=transaction.claims,
            segment=self.segment,
            offset=self.offset,
            separators=separators,
            pieces=[piece],
            keys=[key],
            fault=fault,
        )

    def take_loose(self, raw: bytes, fault: Fault | None) -> Iterator[Event]:
        """Bytes outside of segments: white space, or what could not be cut."""
        place, claim = self.place(), self.claim
        # A file may end without the last terminator; nothing is lost where that segment is IEA.
        only_mark_missing = fault is CUT and claim is None and raw.lstrip(SPACE).startswith(b"IEA")
        yield from self.leave(fault or _UNENDED)
        yield from self.flush()
        yield Passed(raw)
        self.offset += len(raw)
        if only_mark_missing:
            self.open_interchange = ""
            yield Note(place, "the last segment, IEA, does not end with the terminator")
        elif fault is not None and (claim is None or fault is not CUT):
            yield SetAside(place, InputError(fault))

    def take_envelope(self, separators: Separators, piece: bytes) -> Iterator[Event]:
        """A segment of an envelope, which ends the open claim."""
        tag, *values = piece.strip(SPACE).split(separators.element)
        elements = dict(enumerate(values, 1))
        if tag == b"SE":
            yield from self.close()
            yield from self.flush()
            yield from self.end_transaction(separators, piece, elements)
            return
        yield from self.leave()
        self.between.append(piece)
        if tag == b"ISA":
            self.begin_interchange(elements)
            if not separators.standard:
                yield Note(
                    self.place(),
                    "the ISA does not have 106 characters; its separators were found by counting "
                    "its elements",
                )
        elif tag == b"GS":
            self.begin_group(elements)
        elif tag == b"ST":
            self.begin_transaction(elements)
        elif tag == b"GE":
            yield from self.tally("GE", elements, self.transactions_in_group, self.group_control)
        elif tag == b"IEA":
            self.open_interchange = ""
            yield from self.tally("IEA", elements, self.groups, self.interchange_control)

    def begin_interchange(self, elements: dict[int, bytes]) -> None:
        """Count an ISA; its groups and transactions are counted from there."""
        self.interchange, self.groups, self.transactions = self.interchange + 1, 0, 0
        self.open_interchange = self.place()
        self.transactions_in_group, self.version = 0, b""
        self.interchange_control = elements.get(13, b"")

    def begin_group(self, elements: dict[int, bytes]) -> None:
        """Count a GS, and keep the version of its transactions."""
        self.groups, self.transactions_in_group = self.groups + 1, 0
        self.version, self.group_control = elements.get(8, b""), elements.get(6, b"")

    def begin_transaction(self, elements: dict[int, bytes]) -> None:
        """Count an ST."""
        self.transactions += 1
        self.transactions_in_group += 1
        self.transaction = Transaction(
            interchange=self.interchange,
            number=self.transactions,
            kind=elements.get(1, b""),
            version=self.version.strip() or elements.get(3, b"").strip(),
            control=elements.get(2, b""),
            first_segment=self.segment,
            place=self.place(transaction=True),
        )

    def end_transaction(
        self, separators: Separators, piece: bytes, elements: dict[int, bytes]
    ) -> Iterator[Event]:
        """An SE, which ends the open transaction where there is one."""
        transaction = self.transaction
        if transaction is None:
            yield Note(self.place(), "an SE ends no transaction")
            self.between.append(piece)
            return
        counted = self.segment - transaction.first_segment + 1
        yield from self.tally("SE", elements, counted, transaction.control)
        yield End(piece, transaction, separators, counted)
        yield from self.forget_transaction()

    def tally(
        self, tag: str, elements: dict[int, bytes], counted: int, control: bytes
    ) -> Iterator[Note]:
        """Notes where a trailer counts otherwise than the file, or names another control number."""
        stated, place = elements.get(1, b"").strip(), self.place(tag == "SE")
        # A count of more than 12 digits is none, and would cost time to convert.
        if not stated.isdigit() or len(stated) > 12 or int(stated) != counted:
            message = f"{tag}01 does not give the number of {_COUNTED[tag]}: there are {counted}"
            yield Note(place, message)
        if elements.get(2, b"").strip() != control.strip():
            yield Note(place, f"{tag}02 does not repeat the control number of its header")

    def flush(self) -> Iterator[Event]:
        """Pass on what belongs to no claim."""
        if self.between and self.separators is not None:
            mark = self.separators.terminator
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
            yield from self.forget_transaction()

    def leave_interchange(self) -> Iterator[Event]:
        """End the open interchange, where no IEA did so."""
        yield from self.leave()
        if self.open_interchange:
            message = "the interchange has no end (IEA); what came after may be missing"
            yield Note(self.open_interchange, message)
        self.open_interchange = ""

    def forget_transaction(self) -> Iterator[Event]:
        """End the transaction; say so where it held no claim."""
        transaction, self.transaction = self.transaction, None
        if transaction is None or transaction.claims:
            return
        if transaction.kind == self.kind:
            yield Note(transaction.place, "the transaction holds no claim")
        else:
            yield SetAside(transaction.place, InputError(wrong_kind(self.kind)))
