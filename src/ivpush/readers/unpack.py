"""An input as plain bytes: unpacked where it is gzip or zip, and UTF-8 where it is UTF-16.

``detect`` opens every input here, so that no reader knows of either. Unpacking is a stream with a
cap: a small file cannot grow without end.
"""

from __future__ import annotations

import codecs
import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath
from typing import IO, Any, NamedTuple, cast

from ivpush.errors import Fault, InputError, UsageError
from ivpush.plural import counted
from ivpush.readers import SetAside

__all__ = ["DAMAGE", "HEAD_BYTES", "ZIP", "Plain", "damaged", "grows_too_much", "plain"]

HEAD_BYTES = 64 * 1024
MOST_UNPACKED_BYTES = 8 * 1024**3
MOST_RATIO = 500
"""Charts and claims seldom shrink below a hundredth, and one record over and over to a 200th; only
runs of a few bytes pass this."""
_FREE_BYTES = 4 * 1024**2
_GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
"""How a zip archive begins, and a workbook, which is one."""
# Longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LOOKED_AT = 64
_LEAST_LOOKED_AT = 8


class _TooMuchError(Exception):
    """Compressed bytes that unpack to more than the cap."""


class _BadTextError(Exception):
    """Bytes that are not of the encoding that their mark names."""


DAMAGE = (
    _TooMuchError,
    _BadTextError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
)
"""What reading packed or recoded bytes may raise where they are unsound."""


class Plain(NamedTuple):
    """An input unpacked: the name that its content bears, its first bytes, and all of them."""

    name: str
    head: bytes
    stream: IO[bytes]
    notes: tuple[str, ...] = ()


def plain(name: str, stream: IO[bytes]) -> Plain:
    """The bytes of an input, unpacked and in UTF-8; raises UsageError for what is not unpacked."""
    head, stream = _headed(stream)
    inner = name
    # What is inside decides, not the ending .gz: a packed file may bear any name.
    if head.startswith(_GZIP):
        packed, source = gzip.GzipFile(fileobj=stream, mode="rb"), stream
        head, stream = _capped(cast("IO[bytes]", packed), source.tell)
        inner = name.removesuffix(".gz")
    elif head.startswith(ZIP):
        inner, head, stream = _from_archive(name, head, stream)
    if head.startswith(_GZIP) or (head.startswith(ZIP) and not _is_workbook(head, stream)):
        raise UsageError(Fault(name, "is packed twice", "unpack it once"))
    encoding, notes = _encoding_of(head)
    if encoding is None:
        return Plain(inner, head, stream)
    head, stream = _headed(io.BufferedReader(_Recoded(stream, encoding), HEAD_BYTES))
    return Plain(inner, head, stream, notes)


def _capped(unpacked: IO[bytes], packed_bytes: Callable[[], int]) -> tuple[bytes, IO[bytes]]:
    return _headed(io.BufferedReader(_Capped(unpacked, packed_bytes), HEAD_BYTES))


# Archives


def _from_archive(name: str, head: bytes, stream: IO[bytes]) -> tuple[str, bytes, IO[bytes]]:
    """The only file of a zip archive; a workbook is one too, and stays as it is."""
    if not stream.seekable():
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - its bytes are read later
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        stream = copy
    if _is_workbook(head, stream):
        return name, head, stream
    archive = zipfile.ZipFile(stream)
    files = [member for member in archive.infolist() if _is_file(member)]
    if len(files) != 1:
        problem = f"is a zip archive of {counted(len(files), 'file')}"
        raise UsageError(Fault(name, problem, "unpack it, and name the files to read"))
    (member,) = files
    if member.flag_bits & 1:
        raise UsageError(Fault(name, "is an encrypted archive", "unpack it with its password"))
    try:
        unpacked = archive.open(member)
    except NotImplementedError:
        raise UsageError(Fault(name, "is packed in a way that is not read", "unpack it")) from None
    if _starts_a_workbook(unpacked):
        return member.filename, ZIP, unpacked
    head, stream = _capped(unpacked, lambda: member.compress_size)
    return member.filename, head, stream


def _starts_a_workbook(unpacked: Any) -> bool:
    """Whether the file in an archive is a workbook, which must be read at any place."""
    head = unpacked.read(len(ZIP))
    unpacked.seek(0)
    return bool(head == ZIP)


def _is_file(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a file of its sender's, and not what a system adds to it."""
    parts = PurePath(member.filename).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not member.is_dir() and not hidden


def _is_workbook(head: bytes, stream: IO[bytes]) -> bool:
    """Whether a zip archive is an Excel workbook; the stream is left where it stands."""
    if not head.startswith(ZIP) or not stream.seekable():
        return False
    try:
        names = zipfile.ZipFile(stream).namelist()
    finally:
        stream.seek(0)
    return any(name.startswith("xl/") for name in names)


def grows_too_much(unpacked: int, packed_bytes: Callable[[], int]) -> bool:
    """Whether so many bytes are more than packed ones may unpack to."""
    # Small files may shrink as far as they like: a run of blanks is no attack.
    return unpacked > MOST_UNPACKED_BYTES or (
        unpacked > _FREE_BYTES and unpacked > MOST_RATIO * packed_bytes()
    )


class _Capped(io.RawIOBase):
    """Unpacked bytes, up to the cap; more would fill the memory or the day."""

    def __init__(self, unpacked: IO[bytes], packed_bytes: Callable[[], int]) -> None:
        self._unpacked, self._packed_bytes, self._count = unpacked, packed_bytes, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._unpacked.read(len(buffer))
        buffer[: len(block)] = block
        self._count += len(block)
        if grows_too_much(self._count, self._packed_bytes):
            raise _TooMuchError
        return len(block)


# Encodings


def _encoding_of(head: bytes) -> tuple[str | None, tuple[str, ...]]:
    """The encoding of two or four bytes a sign, by its mark or its zeros; None: it is another."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding, ()
    start = head[:_LOOKED_AT]
    if len(start) >= _LEAST_LOOKED_AT:
        for encoding, zeros, signs in (
            ("utf-16-le", start[1::2], start[0::2]),
            ("utf-16-be", start[0::2], start[1::2]),
        ):
            if not any(zeros) and 0 not in signs:
                return encoding, ("is UTF-16 without its mark, as its zeros show; read as such",)
    return None, ()


class _Recoded(io.RawIOBase):
    """Text of another encoding as UTF-8, behind UTF-8's mark: whoever reads it need ask no more."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = codecs.BOM_UTF8
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            block = self._stream.read(HEAD_BYTES)
            self._ended = not block
            try:
                text = self._decoder.decode(block, final=self._ended)
                self._ready = text.removeprefix("\ufeff").encode()
            except UnicodeError:
                raise _BadTextError from None
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


# First bytes


def _headed(stream: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """The first bytes, and a stream that still begins with them."""
    if stream.seekable():
        here = stream.tell()
        head = stream.read(HEAD_BYTES)
        stream.seek(here)
        return head, stream
    # A pipe may give less than it is asked for.
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    return head, io.BufferedReader(_Joined(head, stream), HEAD_BYTES)


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of their stream."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = io.BytesIO(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def damaged(name: str, error: Exception) -> SetAside:
    """The rest of an input whose bytes are unsound, set aside."""
    if isinstance(error, _TooMuchError):
        problem, remedy = "the compressed bytes unpack to too much", "unpack the file, or split it"
    elif isinstance(error, _BadTextError):
        problem = "its bytes are not those of its encoding; the rest of the file was not read"
        remedy = "save it as UTF-8"
    else:
        problem = "the compressed bytes are damaged or cut short; the rest of the file was not read"
        remedy = "pack the file again"
    return SetAside(name, InputError(Fault("", problem, remedy)))
