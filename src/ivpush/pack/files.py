"""The files of a pack: safe YAML and CSV with the place of every value, one check for all.

Every scalar of a YAML file is text until its reader says otherwise; anchors, tags, duplicate and
unknown keys are refused, and size, depth and nodes are capped before anything is composed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import yaml

from ivpush.errors import Fault, PackError, did_you_mean

__all__ = [
    "Marks",
    "Sheet",
    "covers",
    "read_csv",
    "read_yaml",
]

# Forty times the largest file of the shipped pack; CSV tables of CMS run to several megabytes.
MOST_BYTES = 1_048_576
MOST_CSV_BYTES = 16_777_216
MOST_DEPTH = 32
MOST_NODES = 200_000
# Marks of direction and zero width could show a reviewer another rule than is read.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0085\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)

Say = Callable[[Fault], None]
"""Whoever reads a file of a pack says each fault with it, and reads on."""


KeyPath = tuple[int | str, ...]


Marks = dict[KeyPath, tuple[int, int, int, int]]


# libyaml's parser is several times as fast; both give the same events.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Sheet:
    """The plain data of one file with the place of each key and value."""

    __slots__ = ("data", "marks", "name")

    def __init__(self, name: str, data: Any, marks: Marks) -> None:
        self.name, self.data, self.marks = name, data, marks

    def place(self, path: KeyPath = (), *, key: bool = False) -> str:
        """``file:line:column`` of a value, or of its key; of its parent where it has none."""
        # A missing key has no mark; its mapping is the nearest place to look at.
        while path and path not in self.marks:
            path = path[:-1]
        line, column, value_line, value_column = self.marks.get(path, (1, 1, 1, 1))
        if key:
            return f"{self.name}:{line}:{column}"
        return f"{self.name}:{value_line}:{value_column}"


def _text(name: str, raw: bytes, most: int) -> str:
    if len(raw) > most:
        raise PackError(Fault(name, f"is larger than {most} bytes", "split it"))
    try:
        # Excel and Windows editors put a byte order mark first, which is no part of the text.
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PackError(Fault(f"{name}:{line}:1", "is not UTF-8", "save it as UTF-8")) from None
    found = _HIDDEN.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise PackError(
            Fault(f"{name}:{line}:{column}", "holds a hidden or control character", "delete it")
        )
    return text


def read_yaml(name: str, raw: bytes) -> Sheet:
    """The data of one YAML file, all scalars as text; raises PackError with the place."""
    text = _text(name, raw, MOST_BYTES)
    loader = _LOADER(text)
    try:
        return _compose(name, loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else f"{name}:1:1"
        raise PackError(Fault(place, f"is not YAML: {error.problem}", "mend it")) from None
    except (yaml.YAMLError, UnicodeError, ValueError):
        raise PackError(Fault(f"{name}:1:1", "is not YAML", "mend it")) from None
    finally:
        loader.dispose()


class _Frame:
    """A mapping or list being read."""

    __slots__ = ("count", "data", "key", "key_mark", "path")

    def __init__(self, data: Any, path: KeyPath) -> None:
        self.data, self.path = data, path
        self.key: str | None = None
        self.key_mark = (1, 1)
        self.count = 0


def _compose(name: str, loader: Any) -> Sheet:
    stack: list[_Frame] = []
    marks: Marks = {}
    made: list[Any] = []
    nodes = documents = 0

    def refuse(event: Any, problem: str, remedy: str) -> PackError:
        mark = event.start_mark
        return PackError(Fault(f"{name}:{mark.line + 1}:{mark.column + 1}", problem, remedy))

    while True:
        event = loader.get_event()
        kind = type(event)
        if kind is yaml.StreamEndEvent:
            break
        if kind is yaml.StreamStartEvent or kind is yaml.DocumentEndEvent:
            continue
        if kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise refuse(event, "begins a second document", "write one document a file")
            # A directive can change what tags mean for the whole document.
            if event.version or event.tags:
                raise refuse(event, "holds a YAML directive", "delete it")
            continue
        if kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            stack.pop()
            continue
        # Aliases can make a file of a kilobyte grow to gigabytes, and hide what a rule says.
        if kind is yaml.AliasEvent or event.anchor is not None:
            raise refuse(event, "uses an anchor or alias", "write the value out")
        # A tag would let the file choose a type of Python; here every scalar is text.
        if event.tag is not None:
            raise refuse(event, "carries a tag", "write plain values")
        nodes += 1
        if nodes > MOST_NODES:
            raise refuse(event, f"holds more than {MOST_NODES} values", "split the file")
        scalar = kind is yaml.ScalarEvent
        # Escapes such as \u202e hide them from the check of the raw text.
        if scalar and not event.value.isprintable() and _HIDDEN.search(event.value):
            raise refuse(event, "writes a hidden or control character", "delete it")
        data: Any = event.value if scalar else {} if kind is yaml.MappingStartEvent else []
        path = _put(stack, made, data, scalar, event, marks, refuse)
        if path is not None and not scalar:
            # Readers walk the data recursively and must never meet Python's own limit.
            if len(stack) >= MOST_DEPTH:
                raise refuse(event, f"is nested deeper than {MOST_DEPTH} levels", "flatten it")
            stack.append(_Frame(data, path))
    if not made:
        raise PackError(Fault(f"{name}:1:1", "is empty", "write a mapping"))
    return Sheet(name, made[0], marks)


def _put(
    stack: list[_Frame],
    made: list[Any],
    data: Any,
    scalar: bool,
    event: Any,
    marks: Marks,
    refuse: Any,
) -> KeyPath | None:
    """Place a value in its parent; None where it was a mapping's key."""
    mark = event.start_mark
    here = (mark.line + 1, mark.column + 1)
    if not stack:
        made.append(data)
        marks[()] = (*here, *here)
        return ()
    frame = stack[-1]
    if isinstance(frame.data, list):
        path: KeyPath = (*frame.path, frame.count)
        frame.count += 1
        frame.data.append(data)
        marks[path] = (*here, *here)
        return path
    if frame.key is None:
        if not scalar:
            raise refuse(event, "has a key that is not text", "write a word as the key")
        # YAML 1.1 merges by this key; keys from elsewhere would have no place of their own.
        if data == "<<":
            raise refuse(event, "merges another mapping", "write the values out")
        # PyYAML keeps the last of two silently, so half of what is written would not count.
        if data in frame.data:
            raise refuse(event, f"repeats the key '{data[:60]}'", "keep one of them")
        frame.key, frame.key_mark = data, here
        return None
    key, frame.key = frame.key, None
    frame.data[key] = data
    path = (*frame.path, key)
    marks[path] = (*frame.key_mark, *here)
    return path


def read_csv(name: str, raw: bytes, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows of one CSV file with their line numbers; the header must be exactly ``columns``."""
    text = _text(name, raw, MOST_CSV_BYTES)
    # strict: a stray quote would else swallow rows without a word.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise PackError(Fault(f"{name}:1", "is empty", "write " + ",".join(columns)))
        if header != list(columns):
            raise PackError(_header_faults(name, header, columns))
        for row in reader:
            if len(row) != len(columns):
                problem = f"has {len(row)} cells"
                raise PackError(
                    Fault(f"{name}:{reader.line_num}", problem, f"write {len(columns)}")
                )
            yield reader.line_num, row
    except csv.Error:
        raise PackError(
            Fault(f"{name}:{reader.line_num}", "is not CSV", "close the quote or shorten the cell")
        ) from None


def _header_faults(name: str, header: Sequence[str], columns: Sequence[str]) -> list[Fault]:
    faults = [
        Fault(f"{name}:1", f"has an unknown column '{one[:60]}'", did_you_mean(one, columns))
        for one in header
        if one not in columns
    ]
    faults += [
        Fault(f"{name}:1", f"lacks the column '{one}'", "add it")
        for one in columns
        if one not in header
    ]
    return faults or [
        Fault(f"{name}:1", "has its columns out of order or twice", "write " + ",".join(columns))
    ]


Window = tuple[date, date | None]


def covers(low: date, high: date | None, day: date) -> bool:
    """Whether a day lies within a window of dates, both ends included."""
    return low <= day and (high is None or day <= high)
