"""Column maps: YAML files that say what the columns and values of somebody's table mean.

A map names the columns that hold our facts, the forms of times, the delimiter and encoding, and
tables of values (routes, actions, states). It is checked whole, like a rule: unknown keys and
words are refused with ``file:line:column``. Ready maps and the spellings of routes and units that
all maps share stand in ``rules/maps``. Every reader by a column map calls ``load_map``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ivpush.errors import Fault, PackError, UsageError, did_you_mean
from ivpush.pack.checked import read_shape
from ivpush.pack.files import Faults, Say, Sheet, read_csv, read_yaml
from ivpush.pack.folder import rules_folder
from ivpush.pack.shapes.words import Shape
from ivpush.readers.tables.forms import TimeForm, plain_text, read_time, repeats, time_form
from ivpush.readers.tables.headers import empty_texts, fold
from ivpush.readers.tables.map_shapes import (
    ACTIONS,
    DELIMITERS,
    TIMES,
    WORDS,
    ChartMap,
    LinesMap,
    MapShape,
)

__all__ = [
    "ACTIONS",
    "TIMES",
    "ColumnMap",
    "Join",
    "Spellings",
    "load_map",
    "map_names",
    "map_path",
    "nearest_map",
    "parse_map",
    "spellings",
    "words_of",
]

_GENERIC = "generic-"
_LEAST_KNOWN = 3
Values = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Spellings:
    """Words that shipped tables know for routes and units, in small letters."""

    words: Mapping[str, Mapping[str, str]]

    def of(self, fact: str) -> Mapping[str, str]:
        """The spellings of one fact; empty where none are shipped."""
        return self.words.get(fact, {})


class Join(NamedTuple):
    """A second table, the column by which it joins, and the columns that it brings."""

    table: str
    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What the columns and values of one kind of table mean.

    A Lookup reads rows by it::

        column_map = load_map("epic-mar-admin-info")
        column_map.columns["action"]  # ("MAR_ACTION_NAME", "MAR_ACTION_C")
        column_map.values["action"]["6"]  # ("start",)
    """

    id: str
    title: str
    confidence: str
    sources: tuple[str, ...]
    table: str
    """``administrations`` or ``lines``."""
    shape: str
    """``dose``: one row a dose; ``event``: one row an event, joined by order and time."""
    columns: Mapping[str, tuple[str, ...]]
    setting: str | None = None
    sorted: bool = False
    """Whether the rows of one encounter stand together, so that encounters can be streamed."""
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    null: frozenset[str] = frozenset({""})
    decimal: str = "."
    """The sign before the decimals of a number."""
    forms: tuple[TimeForm, ...] = ()
    timezone: str | None = None
    times_from: str = "charted"
    duration_from: str = "charted"
    anchor: datetime | None = None
    """Where times are minutes counted from a start: the date that the map lets them start on."""
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    default_methods: frozenset[str] = frozenset()
    default_minutes: frozenset[int] = frozenset()
    """A row of such a method that lasts exactly so many minutes has an invented stop."""
    bag_ml: int | None = None
    """A push that comes with so much diluent is no plain push: its method is left open."""
    lines_count: bool = False
    """Whether lines of one order count from row to row, so that a gap is a row that is missing."""
    ndc_digits: int | None = None
    join: Join | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a column of such a table may have."""
        return tuple(name for names in self.columns.values() for name in names)


@cache
def map_names() -> tuple[str, ...]:
    """Names of the shipped maps."""
    return tuple(sorted(path.stem for path in _maps_folder().glob("*.yaml")))


def _maps_folder() -> Path:
    return rules_folder() / "maps"


def nearest_map(columns: Sequence[str]) -> str | None:
    """The shipped map that knows most of the columns; None where none knows the half of them."""
    here = {fold(name) for name in columns if name}
    known = {
        name: len(here & set(map(fold, load_map(name).names)))
        for name in map_names()
        if not name.startswith(_GENERIC)
    }
    best = max(known, key=lambda name: known[name])
    return best if known[best] >= max(_LEAST_KNOWN, len(here) / 2) else None


def map_path(named: Path | str) -> Path:
    """The file of a shipped map by its name, or the one that is named; raises UsageError."""
    text = str(named)
    path = Path(text)
    if text in map_names():
        return _maps_folder() / f"{text}.yaml"
    if path.suffix not in {".yaml", ".yml"}:
        remedy = did_you_mean(text, map_names()) + "; or name a YAML file"
        raise UsageError(Fault(f"map {text[:60]}", "is not shipped", remedy))
    return path


def load_map(named: Path | str) -> ColumnMap:
    """A shipped map by its name, or the one in a file; raises UsageError or PackError."""
    text, path = str(named), map_path(named)
    try:
        raw = path.read_bytes()
    except OSError:
        raise UsageError(Fault(text, "cannot be read", "name a map that exists")) from None
    return _remembered(path.name, raw)


@lru_cache(64)
def _remembered(name: str, raw: bytes) -> ColumnMap:
    """A map by its content, so that a run over many files checks it once."""
    return parse_map(name, raw)


@cache
def spellings() -> Spellings:
    """The spellings of routes and units that are shipped in ``rules/maps/spellings.csv``."""
    path = _maps_folder() / "spellings.csv"
    words: dict[str, dict[str, str]] = {}
    for line, (fact, spelling, word, _source) in read_csv(
        path.name, path.read_bytes(), ("fact", "spelling", "word", "source")
    ):
        place = f"{path.name}:{line}"
        if fact not in WORDS or word not in WORDS[fact]:
            raise PackError(Fault(place, "is no word of the contract", "mend it"))
        if spelling != plain_text(spelling) or spelling in words.setdefault(fact, {}):
            problem = "is not in small letters, or repeated"
            raise PackError(Fault(place, problem, "write each spelling once"))
        words[fact][spelling] = word
    return Spellings(words)


def parse_map(name: str, raw: bytes) -> ColumnMap:
    """The map of a YAML file, checked whole; raises PackError with every fault."""
    sheet = read_yaml(name, raw)
    faults = Faults()
    of_lines = sheet.mapping.get("table") == "lines"
    shape = read_shape(sheet, LinesMap if of_lines else ChartMap, faults.say)
    if shape is None:
        raise PackError(faults.found)
    clock = _clock(sheet, shape, faults.say)
    values = _values(sheet, shape, faults.say)
    _check_columns(sheet, shape, faults.say)
    if faults.found:
        raise PackError(faults.found)
    return _column_map(sheet, shape, clock, values)


def _column_map(sheet: Sheet, shape: MapShape, clock: _Clock, values: Values) -> ColumnMap:
    encoding = shape.format.encoding
    return ColumnMap(
        id=shape.id,
        title=shape.title,
        confidence=shape.confidence,
        sources=shape.sources,
        table=shape.table,
        shape=shape.shape,
        columns=_stated(sheet, "columns", shape.columns),
        setting=shape.setting,
        sorted=shape.sorted == "true",
        delimiter=DELIMITERS[shape.format.delimiter],
        encoding="utf-8-sig" if encoding == "utf-8" else encoding,
        null=_null(shape.format.null),
        decimal=shape.format.decimal,
        forms=clock.forms,
        timezone=shape.times.timezone,
        times_from=shape.times.source,
        duration_from=shape.times.duration_from,
        anchor=clock.anchor,
        constants=_stated(sheet, "constants", shape.constants),
        values=values,
        default_methods=frozenset(shape.defaulted.methods),
        default_minutes=frozenset(shape.defaulted.minutes),
        bag_ml=shape.defaulted.bag_ml,
        lines_count=shape.lines_count == "true",
        ndc_digits=int(shape.ndc_digits) if shape.ndc_digits is not None else None,
        join=_join(shape),
    )


def _null(declared: tuple[str, ...]) -> frozenset[str]:
    """The texts that stand for nothing: those of databases in any case, and the map's own."""
    known = empty_texts()
    written = (case(text) for text in known for case in (str.lower, str.upper, str.title))
    return frozenset((*known, *written, "NaN", "NaT", *declared))


def _join(shape: MapShape) -> Join | None:
    join = shape.join
    return None if join is None else Join(join.table, join.key, join.columns)


def _stated(sheet: Sheet, part: str, shape: Shape) -> dict[str, Any]:
    """What a mapping of the map holds, in the order of the file."""
    written, held = sheet.mapping.get(part), shape.model_fields_set
    return {
        key: getattr(shape, key)
        for key in (written if isinstance(written, dict) else ())
        if key in held
    }


class _Clock(NamedTuple):
    """How a map's times are read."""

    forms: tuple[TimeForm, ...]
    anchor: datetime | None


def _clock(sheet: Sheet, shape: MapShape, say: Say) -> _Clock:
    """The forms of times that a map states, none of which reads another's text otherwise."""
    times, path = shape.times, ("times",)
    forms = tuple(form for text in times.forms if (form := time_form(text)) is not None)
    if repeats(forms):
        problem = "holds two forms that read one text differently"
        say(Fault(sheet.place((*path, "forms")), problem, "keep the one that the table uses"))
    start = read_time(times.anchor, [_iso()]) if times.anchor is not None else None
    anchor = start if isinstance(start, datetime) else None
    if (times.offsets is not None) != (anchor is not None):
        problem = "states offsets without an anchor, or an anchor without offsets"
        say(Fault(sheet.place(path), problem, "write both, the anchor as YYYY-MM-DDThh:mm"))
    if not forms and anchor is None and shape.columns.model_fields_set & set(TIMES):
        problem = "states no form of its times"
        say(Fault(sheet.place(path), problem, "write forms, such as iso"))
    return _Clock(forms, anchor)


def _values(sheet: Sheet, shape: MapShape, say: Say) -> Values:
    """The words that the values of a table stand for, by fact and plain value."""
    values: dict[str, dict[str, tuple[str, ...]]] = {}
    for fact, rows in _stated(sheet, "values", shape.values).items():
        table = values.setdefault(fact, {})
        for value, words in rows.items():
            path = ("values", fact, value)
            if plain_text(value) in table:
                problem = "repeats a value in other letters"
                say(Fault(sheet.place(path, key=True), problem, "keep one"))
            if len(words) > 1 and fact != "action":
                say(Fault(sheet.place(path), "means several words", "write one"))
            table[plain_text(value)] = words
    return values


def _check_columns(sheet: Sheet, shape: MapShape, say: Say) -> None:
    """Say which columns rows of events lack: each is an action at a time."""
    if shape.table == "lines" or shape.shape != "event":
        return
    columns, constants = shape.columns.model_fields_set, shape.constants.model_fields_set
    for key, held in (("action_time", columns), ("action", columns | constants)):
        if key not in held:
            place = sheet.place(("columns",))
            say(Fault(place, f"lacks the key '{key}'", "name its column"))


def _iso() -> TimeForm:
    form = time_form("iso")
    assert form is not None
    return form


def words_of(fact: str) -> tuple[str, ...]:
    """The words that a fact may take."""
    return WORDS.get(fact, ())
