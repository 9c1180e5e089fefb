"""``POST /v1/check-batch``: NDJSON in, NDJSON out, while it comes, in flat memory.

A line of the answer stands for each line of the request, in order: its result, or why there is
none. More is read only when the answer so far was taken, so the caller must read while writing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from ivpush.engine import Worked
from ivpush.errors import Fault, InputError
from ivpush.readers import Record, SetAside
from ivpush.web.asked import GIVEN, Asked, asked_of
from ivpush.web.checking import judged
from ivpush.web.reading import JSON, line_of, require_type
from ivpush.web.service import Service, service_of
from ivpush.writers.safe import aside_row

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

__all__ = ["NDJSON", "Lines", "check_batch"]

NDJSON = "application/x-ndjson"
_TYPES = {NDJSON, "application/ndjson", "application/jsonl", JSON}
_BATCH = frozenset({*GIVEN, "coverage"})


async def check_batch(request: Request) -> Response:
    """A result a line for an encounter a line, in order, as they come."""
    service, asked = service_of(request), asked_of(request, _BATCH)
    require_type(request, _TYPES, f"send {NDJSON}")
    return _Streamed(_answers(request, asked, service), media_type=NDJSON)


async def _answers(request: Request, asked: Asked, service: Service) -> AsyncIterator[bytes]:
    lines = Lines(service.settings.limits.body_bytes)
    try:
        async for block in request.stream():
            whole = lines.take(block) if block else lines.end()
            if whole:
                yield await service.run(_judged, whole, asked, service)
    except ClientDisconnect:
        return


class Line(NamedTuple):
    """A line that is not blank; None in place of one that is too large."""

    number: int
    raw: bytes | None


class Lines:
    """Cuts blocks of bytes into lines, and holds never more than one line and one block.

    In use::

        lines = Lines(most=1_000_000)
        lines.take(b'{"id": ')
        lines.take(b'"E1"}' + newline)      # [Line(1, b'{"id": "E1"}')]
        lines.end()                         # []
    """

    def __init__(self, most: int) -> None:
        self._most, self._number = most, 1
        self._begun = bytearray()
        self._too_large = False

    def take(self, block: bytes) -> list[Line]:
        """The lines that end in a block."""
        *ended, rest = block.split(b"\n")
        whole = [line for part in ended for line in self._ended(part)]
        self._add(rest)
        return whole

    def end(self) -> list[Line]:
        """The last line, where nothing ended it."""
        return [*self._ended(b"")]

    def _add(self, part: bytes) -> None:
        if len(self._begun) + len(part) > self._most:
            self._too_large = True
            self._begun.clear()
        elif not self._too_large:
            self._begun += part

    def _ended(self, part: bytes) -> Iterator[Line]:
        self._add(part)
        raw = bytes(self._begun)
        if self._too_large:
            yield Line(self._number, None)
        elif raw.strip():
            yield Line(self._number, raw)
        self._begun.clear()
        self._too_large = False
        self._number += 1


def _judged(lines: list[Line], asked: Asked, service: Service) -> bytes:
    return b"".join([_row(line, asked, service) for line in lines])


def _row(line: Line, asked: Asked, service: Service) -> bytes:
    place = f"line {line.number}"
    read: Record | SetAside
    if line.raw is None:
        read = SetAside(place, InputError(Fault("", "the line is too large", "split it")))
    else:
        read = line_of(place, line.raw, asked.read)
    outcome = judged(read, asked, service) if isinstance(read, Record) else read
    if isinstance(outcome, Worked):
        return outcome.result.to_json() + b"\n"
    service.metrics.add("ivpush_set_aside_total")
    return aside_row(place, outcome.error.one_line, None, show_text=False)


class _Streamed(Response):
    """An answer that is sent as it comes; it leaves the request's body to whoever reads it.

    Starlette's own reads it on, to hear of a caller that goes away, and so takes lines from the
    batch.
    """

    def __init__(self, parts: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        # Its length is known when it is over.
        self.raw_headers = [each for each in self.raw_headers if each[0] != b"content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts, each as soon as the one before was taken."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
