"""Foreign text made harmless: what cannot be printed is shown as an escape, never sent on.

Control characters, terminal sequences and characters that turn the direction of text could hide
or forge output; every writer passes ids and messages through here.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

__all__ = ["Place", "as_json", "aside_row", "escaped_json", "place_of", "visible"]

_LINE = re.compile(r"(?s)(.*):([1-9][0-9]{0,15})")
_ITEM = re.compile(r"(?s)(.*)\[[0-9]+\]")


def visible(text: str) -> str:
    r"""The text with each character that cannot be printed as an escape such as ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(one) for one in text)


def _escape(one: str) -> str:
    return one.encode("unicode_escape").decode()


def escaped_json(text: bytes) -> bytes:
    r"""JSON with what cannot be printed as ``\uXXXX``: the same values, harmless to look at."""
    if text.isascii():
        return text
    said = text.decode()
    if all(one.isprintable() or one in "\n\r\t" for one in said):
        return text
    return "".join(
        one if one.isprintable() or one in "\n\r\t" else json.dumps(one)[1:-1] for one in said
    ).encode()


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
    def uri(self) -> str:
        """The file as a URI: relative paths stay relative; standard input has a name."""
        if self.file == "-":
            return "stdin"
        path = PurePath(self.file)
        if path.is_absolute():
            return path.as_uri()
        return quote(path.as_posix(), safe="/", errors="surrogateescape")


def place_of(text: str) -> Place:
    """A place such as ``file:12``, ``file[3]`` or ``file: claim 4``, taken apart."""
    if found := _LINE.fullmatch(text):
        return Place(found[1], int(found[2]), "")
    if found := _ITEM.fullmatch(text):
        return Place(found[1], None, text[len(found[1]) :])
    file, _, within = text.partition(": ")
    return Place(file, None, within)
