"""The files of a pack: safe YAML and CSV with the place of every value, one check for all.

Every scalar of a YAML file is text until its reader says otherwise; anchors, tags, duplicate and
unknown keys are refused, and size, depth and nodes are capped before anything is composed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol, TypeAlias, TypeVar

import yaml

from ivpush.errors import Fault, PackError, did_you_mean, first_faults

__all__ = [
    "Faults",
    "KeyPath",
    "Layer",
    "Marks",
    "Say",
    "Sheet",
    "Window",
    "Yaml",
    "covers",
    "csv_of",
    "mappings_of",
    "read_csv",
    "read_yaml",
    "sheets_of",
    "word_of",
]

# Forty times the largest file of the shipped pack; CSV tables of CMS run to several megabytes.
MOST_BYTES = 1_048_576
MOST_CSV_BYTES = 16_777_216
MOST_DEPTH = 32
MOST_NODES = 40_000
MOST_FAULTS = 500
"""Faults of a pack that are told; looking for the nearest word of each takes its time."""
# Marks of direction and zero width could show a reviewer another rule than is read.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0085\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32), 127])
"""Those of them that are ASCII."""

Say = Callable[[Fault], None]
"""Whoever reads a file of a pack says each fault with it, and reads on."""


class Faults:
    """The faults of a pack as they are found; past the bound nothing more is looked for."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def say(self, fault: Fault) -> None:
        """Take in a fault; raises PackError with all of them where there are too many."""
        if len(self.found) >= MOST_FAULTS:
            more = Fault("", "there are further faults", "mend these first")
            raise PackError([*self.found, more])
        self.found.append(fault)


KeyPath = tuple[int | str, ...]


Marks = dict[KeyPath, tuple[int, int, int, int]]


Yaml: TypeAlias = "str | list[Yaml] | dict[str, Yaml]"
"""What a YAML file of a pack holds: texts, in lists and mappings."""


class _Events(Protocol):
    """A parser of YAML."""

    def get_event(self) -> yaml.Event:
        """The next event of the file."""

    def dispose(self) -> None:
        """Let go of what the parser holds."""


# libyaml's parser is several times as fast; both give the same events.
_LOADER: Callable[[str], _Events] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Sheet:
    """The plain data of one file with the place of each key and value."""

    __slots__ = ("data", "marks", "name")

    def __init__(self, name: str, data: Yaml, marks: Marks) -> None:
        self.name, self.data, self.marks = name, data, marks

    @property
    def mapping(self) -> dict[str, Yaml]:
        """The data as a mapping; an empty one where the file holds none."""
        return self.data if isinstance(self.data, dict) else {}

    def at(self, path: KeyPath) -> Yaml | None:
        """The value at a path; None where there is none."""
        data: Yaml | None = self.data
        for step in path:
            if isinstance(data, dict):
                data = data.get(str(step))
            elif isinstance(data, list) and isinstance(step, int) and step < len(data):
                data = data[step]
            else:
                return None
        return data

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
        raise PackError(Fault(f"{name}:1:1", f"is larger than {most:,} bytes", "split it"))
    try:
        # Excel and Windows editors put a byte order mark first, which is no part of the text.
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PackError(Fault(f"{name}:{line}:1", "is not UTF-8", "save it as UTF-8")) from None
    # Tables are large and nearly all plain, which one quick pass over the bytes tells.
    plain = raw.isascii() and len(raw.translate(None, _CONTROL)) == len(raw)
    found = None if plain else _HIDDEN.search(text)
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


def _place_of(event: yaml.Event) -> tuple[int, int]:
    """The line and column of an event, counted from 1."""
    mark = event.start_mark
    # Both parsers mark every event; the stubs allow for others.
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


class _Frame:
    """A mapping or list being read."""

    __slots__ = ("data", "key", "key_place", "path")

    def __init__(self, data: list[Yaml] | dict[str, Yaml], path: KeyPath) -> None:
        self.data, self.path = data, path
        self.key: str | None = None
        self.key_place = (1, 1)


class _Composer:
    """Puts the events of one file together to its data, and refuses what no pack may hold."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: Marks = {}
        self.whole: Yaml | None = None
        self._stack: list[_Frame] = []
        self._nodes = self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take in one event of the file."""
        if isinstance(event, yaml.ScalarEvent):
            self._check(event, event.tag)
            # Escapes such as \u202e hide them from the check of the raw text.
            if not event.value.isprintable() and _HIDDEN.search(event.value):
                raise self._fault(event, "writes a hidden or control character", "delete it")
            self._put(event.value, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check(event, event.tag)
            self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise self._fault(event, *_ALIAS)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._begin(event)

    def _begin(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._fault(event, "begins a second document", "write one document a file")
        # A directive can change what tags mean for the whole document.
        if event.version or event.tags:
            raise self._fault(event, "holds a YAML directive", "delete it")

    def _check(self, event: yaml.NodeEvent, tag: str | None) -> None:
        if event.anchor is not None:
            raise self._fault(event, *_ALIAS)
        # A tag would let the file choose a type of Python; here every scalar is text.
        if tag is not None:
            raise self._fault(event, "carries a tag", "write plain values")
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise self._fault(event, f"holds more than {MOST_NODES} values", "split the file")

    def _fault(self, event: yaml.Event, problem: str, remedy: str) -> PackError:
        line, column = _place_of(event)
        return PackError(Fault(f"{self.name}:{line}:{column}", problem, remedy))

    def _open(self, data: list[Yaml] | dict[str, Yaml], event: yaml.Event) -> None:
        """Place a list or mapping in its parent, and let what follows go into it."""
        path = self._put(data, event)
        # Readers walk the data recursively and must never meet Python's own limit.
        if len(self._stack) >= MOST_DEPTH:
            problem = f"is nested deeper than {MOST_DEPTH} levels"
            raise self._fault(event, problem, "flatten it")
        self._stack.append(_Frame(data, path))

    def _put(self, data: Yaml, event: yaml.Event) -> KeyPath:
        """Place a value, or a key, in its parent; gives its path."""
        here = _place_of(event)
        if not self._stack:
            self.whole = data
            self.marks[()] = (*here, *here)
            return ()
        frame = self._stack[-1]
        if isinstance(frame.data, list):
            path: KeyPath = (*frame.path, len(frame.data))
            frame.data.append(data)
            self.marks[path] = (*here, *here)
            return path
        if frame.key is None:
            frame.key, frame.key_place = self._key(data, frame.data, event), here
            return frame.path
        key, frame.key = frame.key, None
        frame.data[key] = data
        path = (*frame.path, key)
        self.marks[path] = (*frame.key_place, *here)
        return path

    def _key(self, data: Yaml, beside: Mapping[str, Yaml], event: yaml.Event) -> str:
        """A value as the key that it stands for in a mapping."""
        if not isinstance(data, str):
            raise self._fault(event, "has a key that is not text", "write a word as the key")
        # YAML 1.1 merges by this key; keys from elsewhere would have no place of their own.
        if data == "<<":
            raise self._fault(event, "merges another mapping", "write the values out")
        # PyYAML keeps the last of two silently, so half of what is written would not count.
        if data in beside:
            raise self._fault(event, f"repeats the key '{data[:60]}'", "keep one of them")
        return data


# Aliases can make a file of a kilobyte grow to gigabytes, and hide what a rule says.
_ALIAS = ("uses an anchor or alias", "write the value out")


def _compose(name: str, loader: _Events) -> Sheet:
    composer = _Composer(name)
    while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
        composer.take(event)
    if composer.whole is None:
        raise PackError(Fault(f"{name}:1:1", "is empty", "write a mapping"))
    return Sheet(name, composer.whole, composer.marks)


def read_csv(name: str, raw: bytes, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows of one CSV file with their line numbers; the header must be exactly ``columns``."""
    text = _text(name, raw, MOST_CSV_BYTES)
    # strict: a stray quote would else swallow rows without a word.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    # Where a row begins, for a quote that is not closed takes the rest of the file into it.
    line = 1
    try:
        header = next(reader, None)
        if header is None:
            raise PackError(Fault(f"{name}:1", "is empty", "write " + ",".join(columns)))
        if header != list(columns):
            raise PackError(_header_faults(name, header, columns))
        line = reader.line_num + 1
        for row in reader:
            if len(row) != len(columns):
                problem = f"has {len(row)} cells"
                raise PackError(Fault(f"{name}:{line}", problem, f"write {len(columns)}"))
            yield line, row
            line = reader.line_num + 1
    except csv.Error:
        remedy = "close the quote or shorten the cell"
        raise PackError(Fault(f"{name}:{line}", "is not CSV", remedy)) from None


def _header_faults(name: str, header: Sequence[str], columns: Sequence[str]) -> list[Fault]:
    unknown = [column for column in header if column not in columns]
    told = (
        Fault(f"{name}:1", f"has an unknown column '{one[:60]}'", did_you_mean(one, columns))
        for one in unknown
    )
    faults = list(first_faults(told, len(unknown)))
    faults += [
        Fault(f"{name}:1", f"lacks the column '{one}'", "add it")
        for one in columns
        if one not in header
    ]
    return faults or [
        Fault(f"{name}:1", "has its columns out of order or twice", "write " + ",".join(columns))
    ]


Layer = Mapping[str, Sheet | bytes]
"""The files of one pack of a stack, by relative path: YAML as a sheet, CSV as its bytes."""


def sheets_of(layer: Layer) -> Iterator[tuple[str, Sheet]]:
    """The YAML files of a pack, by relative path."""
    for name, file in layer.items():
        if isinstance(file, Sheet):
            yield name, file


def mappings_of(data: Yaml | None) -> tuple[dict[str, Yaml], ...]:
    """The mappings of a list, such as the cases of a rule."""
    rows = data if isinstance(data, list) else []
    return tuple(row for row in rows if isinstance(row, dict))


def csv_of(layer: Layer, name: str) -> bytes:
    """The bytes of a CSV file of a pack; none where it has no such file."""
    file = layer.get(name)
    return file if isinstance(file, bytes) else b""


Choice = TypeVar("Choice", bound=str)


def word_of(words: Iterable[Choice], written: str) -> Choice:
    """What a cell of a table writes, as one of a closed list of words; raises ValueError."""
    for word in words:
        if word == written:
            return word
    raise ValueError(written)


Window = tuple[date, date | None]


def covers(low: date, high: date | None, day: date) -> bool:
    """Whether a day lies within a window of dates, both ends included."""
    return low <= day and (high is None or day <= high)
