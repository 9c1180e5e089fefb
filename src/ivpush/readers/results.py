"""Results that were written down, read back: NDJSON, an array, or one object.

``ivpush report`` calls it, where an input holds results and no encounters. What is no result is set
aside with its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from ivpush.contract.result import Result
from ivpush.errors import Fault, InputError
from ivpush.readers import SetAside
from ivpush.readers.json import MOST_DOCUMENT_BYTES, lines, opening

__all__ = ["Kept", "holds_results", "read"]

_KEYS = (b'"suggested"', b'"pack"')
"""Names that every result has, and no encounter."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A result that was read back, and where it stands."""

    place: str
    result: Result


def holds_results(head: bytes) -> bool:
    """Whether an input whose first bytes are these holds results, and no encounters."""
    return all(key in head for key in _KEYS)


def read(name: str, stream: IO[bytes]) -> Iterator[Kept | SetAside]:
    """The results of a stream, in order; ``name`` begins every place."""
    number, first, is_lines = opening(stream)
    if is_lines:
        for at, line in lines(stream, number, first):
            yield _kept(f"{name}:{at}", line)
        return
    text = first + stream.read(MOST_DOCUMENT_BYTES + 1)
    if len(text) > MOST_DOCUMENT_BYTES:
        problem = "the document is too large to be read at once"
        yield SetAside(name, InputError(Fault("", problem, "write one result a line")))
        return
    yield from _document(name, text)


def _document(name: str, text: bytes) -> Iterator[Kept | SetAside]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        problem = "this is not JSON"
        yield SetAside(name, InputError(Fault("", problem, "write it with ivpush check")), text)
        return
    if not isinstance(data, list):
        yield _kept(name, text)
        return
    for number, element in enumerate(data, 1):
        yield _kept(f"{name}[{number}]", json.dumps(element).encode())


def _kept(place: str, text: bytes) -> Kept | SetAside:
    try:
        return Kept(place, Result.from_json(text))
    except InputError as error:
        return SetAside(place, error, text)
