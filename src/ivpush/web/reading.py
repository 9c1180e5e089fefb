"""Bodies read as encounters, each by the reader that its content type asks for.

``checking``, ``batch``, ``fhir`` and ``cds`` call it. What is compressed is refused, so that a
small body cannot become a large one; a workbook, which always is, says to how much it unpacks.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from ivpush.errors import Fault, attempt, did_you_mean
from ivpush.readers import Reading, ReadOptions, Record, SetAside
from ivpush.readers.detect import Source, detect
from ivpush.readers.json import record
from ivpush.readers.unpack import HEAD_BYTES, ZIP, Plain, plain
from ivpush.web.problems import RefusedError

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.web.settings import Limits

__all__ = ["ANY", "JSON", "TYPES", "encounter_of", "format_of", "readings", "require_type"]

JSON = "application/json"
ANY = "application/octet-stream"
TYPES = {
    "application/fhir+json": "fhir",
    "application/edi-x12": "x12",
    "application/hl7-v2": "hl7",
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
"""Content types beside JSON, and the format of each."""
_PLACE = "the body"
_GZIP = b"\x1f\x8b"


def media_type_of(request: Request) -> str:
    """The content type of a request without its parameters, in small letters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def format_of(request: Request, *, given: str | None, anything: bool) -> str | None:
    """The format of a body; None where its content says; raises RefusedError for an unknown type.

    ``given`` is the one that the query names; ``anything`` takes bodies of no known type too.
    """
    known = (*TYPES.values(), "json")
    if given is not None:
        if given not in known:
            fault = Fault("format", "is no format", did_you_mean(given, known))
            raise RefusedError(HTTPStatus.BAD_REQUEST, fault)
        return given
    known_types = {JSON, *TYPES, *((ANY,) if anything else ())}
    require_type(request, known_types, f"send one of: {', '.join([JSON, *TYPES])}")
    return TYPES.get(media_type_of(request))


def require_type(request: Request, types: Collection[str], remedy: str) -> None:
    """Raise RefusedError for a body whose content type is none of these."""
    if media_type_of(request) not in types:
        fault = Fault("Content-Type", "is none that is read here", remedy)
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, fault)


def encounter_of(raw: bytes, options: ReadOptions) -> Record:
    """The one encounter of a JSON body; raises InputError."""
    read = record(_PLACE, raw, options)
    if isinstance(read, SetAside):
        raise read.error
    return read


def is_single(raw: bytes, format_: str | None) -> bool:
    """Whether a body is one encounter of our own JSON, and no format of others."""
    if format_ is not None or raw.startswith((_GZIP, ZIP)):
        return False
    return detect(_PLACE, raw[:HEAD_BYTES].lstrip() or b"{", ReadOptions()).name == "json"


def readings(
    raw: bytes, options: ReadOptions, format_: str | None, limits: Limits
) -> Iterator[Reading]:
    """What a body holds, record by record; raises UsageError for an unknown format."""
    if raw.startswith(_GZIP):
        raise _compressed()
    if raw.startswith(ZIP):
        _check_workbook(raw, limits)
        given = Plain(_PLACE, raw[:HEAD_BYTES], io.BytesIO(raw))
    else:
        given = plain(_PLACE, io.BytesIO(raw))
    chosen = detect(given.name, given.head, options, format_, shown=_PLACE)
    # One stored byte of a Parquet table may stand for any number of them.
    if chosen.name == "parquet" or (raw.startswith(ZIP) and chosen.name != "xlsx"):
        raise _compressed()
    source = Source(_PLACE, chosen, given.stream, given.notes, given.head)
    yield from source.read(options)


def _check_workbook(raw: bytes, limits: Limits) -> None:
    """Raise RefusedError for a workbook that says it unpacks to more than is granted.

    Its reader reads no more of a part than the part says of itself.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return  # its reader says what is wrong with it
    if unpacked > limits.unpacked_bytes:
        problem = f"unpacks to more than {limits.unpacked_bytes:,} bytes"
        fault = Fault(_PLACE, problem, "split it, or send it as CSV")
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, fault)


def _compressed() -> RefusedError:
    fault = Fault(_PLACE, "is compressed", "unpack it first, or send a table as CSV")
    return RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, fault)


def line_of(place: str, raw: bytes, options: ReadOptions) -> Record | SetAside:
    """One line of a batch; a failure of ours on it costs no other line."""
    read = attempt(record, place, raw, options)
    return read if isinstance(read, Record | SetAside) else SetAside(place, read)
