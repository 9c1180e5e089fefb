"""Foreign text made harmless: what cannot be printed is shown as an escape, never sent on.

Every writer passes ids, messages and places through here: control characters, terminal sequences
and characters that turn the direction of text could hide or forge output.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ivpush.printable import visible

__all__ = ["STDIN", "Place", "as_json", "aside_row", "escaped_json", "place_of", "visible"]

STDIN = "stdin"
"""What documents call standard input, which places call ``-``."""

# A file's name may hold colons and line ends, so the last ":number" is the line. At most 16 digits:
# no file has more lines, and int() of a longer run would cost time.
_LINE = re.compile(r"(?s)(.*):([1-9][0-9]{0,15})")
_ITEM = re.compile(r"(?s)(.*)\[[0-9]+\]")


def escaped_json(text: bytes) -> bytes:
    r"""JSON with what cannot be printed as ``\uXXXX``: the same values, harmless to look at."""
    # Nearly every result is ASCII, in which JSON has escaped its control characters already.
    if text.isascii():
        return text
    characters = text.decode()
    if all(map(_harmless, characters)):
        return text
    return "".join(
        character if _harmless(character) else json.dumps(character)[1:-1]
        for character in characters
    ).encode()


def _harmless(character: str) -> bool:
    return character.isprintable() or character in "\n\r\t"


def as_json(value: Any) -> bytes:
    """Compact JSON in plain ASCII, so that every foreign character is an escape."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def aside_row(place: str, reason: str, raw: bytes | None, *, show_text: bool) -> bytes:
    """Place and reason of a record set aside, as a line of JSON; the record itself if asked."""
    row = {"place": place, "reason": reason}
    if show_text and raw:
        try:
            row["raw"] = raw.decode()
        except UnicodeDecodeError:
            row["raw_base64"] = base64.b64encode(raw).decode()
    return as_json(row) + b"\n"


@dataclass(frozen=True, slots=True)
class Place:
    """A reader's place in parts: the file, its line where there is one, and the reader's words."""

    file: str
    line: int | None
    within: str

    @property
    def name(self) -> str:
        """The file as documents call it; standard input has a name."""
        return STDIN if self.file == "-" else self.file

    @property
    def uri(self) -> str:
        """The file as a URI: relative paths stay relative; standard input has a name."""
        if self.file == "-":
            return STDIN
        path = PurePath(self.file)
        if path.is_absolute():
            return path.as_uri()
        return quote(path.as_posix(), safe="/", errors="surrogateescape")


def place_of(text: str) -> Place:
    """A place such as ``file:12``, ``file[3]`` or ``file: claim 4``, taken apart."""
    if match := _LINE.fullmatch(text):
        return Place(match[1], int(match[2]), "")
    if match := _ITEM.fullmatch(text):
        return Place(match[1], None, text[len(match[1]) :])
    file, _, within = text.partition(": ")
    return Place(file, None, within)
