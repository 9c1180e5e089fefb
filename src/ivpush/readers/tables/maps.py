"""Column maps: YAML files that say what the columns and values of somebody's table mean.

A map names the columns that hold our facts, the forms of times, the delimiter and encoding, and
tables of values (routes, actions, states). It is checked whole, like a rule: unknown keys and
words are refused with ``file:line:column``. Ready maps and the spellings of routes and units that
all maps share stand in ``rules/maps``. Every reader by a column map calls ``load_map``.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, get_args

from dateutil import tz

from ivpush.contract.encounter import zone_is_plain
from ivpush.contract.fields import Access, Category, Method, Purpose, Route, Setting, TimesFrom
from ivpush.errors import Fault, PackError, UsageError, did_you_mean
from ivpush.pack.files import Sheet, read_csv, read_yaml
from ivpush.pack.folder import rules_folder
from ivpush.readers.tables.forms import TimeForm, plain_text, read_time, repeats, time_form

__all__ = [
    "ACTIONS",
    "TIMES",
    "ColumnMap",
    "Spellings",
    "load_map",
    "map_names",
    "parse_map",
    "spellings",
    "words_of",
]

ACTIONS = (
    "start",
    "next_bag",
    "rate",
    "verify",
    "site_change",
    "pause",
    "restart",
    "stop",
    "push",
    "bolus",
    "dose",
    "flush",
    "not_given",
    "deleted",
    "ignore",
)
_KEYS = (
    "id",
    "title",
    "confidence",
    "sources",
    "table",
    "shape",
    "setting",
    "sorted",
    "format",
    "times",
    "columns",
    "constants",
    "values",
    "defaulted",
    "ndc_digits",
)
_MAR_COLUMNS = (
    "encounter",
    "order",
    "run",
    "line",
    "version",
    "action",
    "action_time",
    "start",
    "stop",
    "duration",
    "duration_unit",
    "drug",
    "hcpcs",
    "ndc",
    "code",
    "code_system",
    "category",
    "dose",
    "dose_unit",
    "wasted",
    "rate",
    "rate_unit",
    "volume",
    "volume_unit",
    "route",
    "method",
    "site",
    "lumen",
    "access",
    "role",
    "status",
    "purpose",
    "performer",
    "administered_by",
    "last_seen_running",
    "setting",
    "payer",
    "place_of_service",
    "type_of_bill",
    "date",
)
_LINE_COLUMNS = (
    "encounter",
    "number",
    "code",
    "modifiers",
    "units",
    "date",
    "place_of_service",
    "revenue_code",
    "charge",
    "ndc",
    "minutes",
    "status",
    "setting",
    "payer",
    "type_of_bill",
    "diagnoses",
)
TIMES = ("action_time", "start", "stop", "last_seen_running", "date")
# A row stands only where its state is the first of these.
_STATES = ("keep", "rewritten", "deleted", "not_given", "planned", "not_final")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "route": (*get_args(Route), "unknown"),
    "action": ACTIONS,
    "method": (*get_args(Method), "unknown"),
    "category": (*get_args(Category), "unknown"),
    "purpose": (*get_args(Purpose), "unknown"),
    "access": (*get_args(Access), "unknown"),
    "setting": get_args(Setting),
    "status": _STATES,
    "role": ("main", "additive", "diluent"),
    "code_system": ("ndc", "hcpcs", "rxnorm", "other"),
    "duration_unit": ("minutes", "hours", "days", "seconds"),
    "rate_unit": ("ml/h", "ml/min", "other"),
    "volume_unit": ("ml", "l", "other"),
}
_FORMAT = ("delimiter", "encoding", "null")
_DEFAULTED = ("methods", "minutes", "bag_ml")
_CLOCK = ("forms", "timezone", "from", "duration_from", "offsets", "anchor")
Say = Callable[[Fault], None]


@dataclass(frozen=True, slots=True)
class Spellings:
    """Words that shipped tables know for routes and units, in small letters."""

    words: Mapping[str, Mapping[str, str]]

    def of(self, fact: str) -> Mapping[str, str]:
        """The spellings of one fact; empty where none are shipped."""
        return self.words.get(fact, {})


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
    ndc_digits: int | None = None


@cache
def map_names() -> tuple[str, ...]:
    """Names of the shipped maps."""
    return tuple(sorted(path.stem for path in _maps_folder().glob("*.yaml")))


def _maps_folder() -> Path:
    return rules_folder() / "maps"


def load_map(named: Path | str) -> ColumnMap:
    """A shipped map by its name, or the one in a file; raises UsageError or PackError."""
    text = str(named)
    path = Path(text)
    if text in map_names():
        path = _maps_folder() / f"{text}.yaml"
    elif path.suffix not in {".yaml", ".yml"}:
        remedy = did_you_mean(text, map_names()) + "; or name a YAML file"
        raise UsageError(Fault(f"map {text[:60]}", "is not shipped", remedy))
    try:
        raw = path.read_bytes()
    except OSError:
        raise UsageError(Fault(path.name, "cannot be read", "name a map that exists")) from None
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
        if fact not in _WORDS or word not in _WORDS[fact]:
            raise PackError(Fault(place, "is no word of the contract", "mend it"))
        if spelling != plain_text(spelling) or spelling in words.setdefault(fact, {}):
            problem = "is not in small letters, or repeated"
            raise PackError(Fault(place, problem, "write each spelling once"))
        words[fact][spelling] = word
    return Spellings(words)


def parse_map(name: str, raw: bytes) -> ColumnMap:
    """The map of a YAML file, checked whole; raises PackError with every fault."""
    faults: list[Fault] = []
    reader = _Reader(read_yaml(name, raw), faults.append)
    column_map = reader.read()
    if faults or column_map is None:
        raise PackError(faults)
    return column_map


class _Reader:
    """Reads one map and gathers what is wrong with it."""

    def __init__(self, sheet: Sheet, say: Say) -> None:
        self.sheet, self.tell = sheet, say
        self.sound = True

    def say(self, path: tuple[int | str, ...], problem: str, remedy: str, *, key: bool = False
            ) -> None:  # fmt: skip
        self.sound = False
        self.tell(Fault(self.sheet.place(path, key=key), problem, remedy))

    def mapping(self, data: Any, path: tuple[int | str, ...], known: tuple[str, ...]
                ) -> dict[str, Any]:  # fmt: skip
        """A mapping with known keys only."""
        if not isinstance(data, dict):
            self.say(path, "is no mapping", "write keys and values")
            return {}
        for one in data:
            if one not in known:
                self.say((*path, one), f"has an unknown key '{one[:60]}'",
                         did_you_mean(one, known), key=True)  # fmt: skip
        return {key: value for key, value in data.items() if key in known}

    def text(self, data: Mapping[str, Any], key: str, path: tuple[int | str, ...] = (),
             default: str = "", words: tuple[str, ...] = ()) -> str:  # fmt: skip
        value = data.get(key, default)
        if not isinstance(value, str):
            self.say((*path, key), "is no text", "write one value")
            return default
        if words and value != default and value not in words:
            self.say((*path, key), f"is not a word that '{key}' may hold",
                     did_you_mean(value, words))  # fmt: skip
            return default
        return value

    def texts(self, value: Any, path: tuple[int | str, ...]) -> tuple[str, ...]:
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.say(path, "is neither text nor a list of texts", "write a text or a list")
        return ()

    def read(self) -> ColumnMap | None:
        data = self.mapping(self.sheet.data, (), _KEYS)
        for key in ("id", "title", "sources", "columns"):
            if key not in data:
                self.say((), f"lacks '{key}'", "write it")
        table = self.text(data, "table", default="administrations",
                          words=("administrations", "lines"))  # fmt: skip
        shape = self.text(data, "shape", default="dose", words=("dose", "event"))
        setting = self.text(data, "setting", words=get_args(Setting))
        confidence = self.text(data, "confidence", default="medium",
                               words=("high", "medium", "low"))  # fmt: skip
        ordered = self.text(data, "sorted", default="false", words=("true", "false"))
        digits = self.text(data, "ndc_digits", words=("10", "11"))
        known = _LINE_COLUMNS if table == "lines" else _MAR_COLUMNS
        columns = self.columns(data.get("columns", {}), known, table, shape)
        made: dict[str, Any] = {
            **self.format(data.get("format", {})),
            **self.times(data.get("times", {}), columns),
            **self.defaulted(data.get("defaulted", {})),
        }
        constants, values = self.constants(data, known), self.values(data.get("values", {}))
        if table == "administrations" and shape == "event" and "action" not in (
            *columns, *constants
        ):  # fmt: skip
            self.say(("columns",), "lacks 'action'", "name the column of the action")
        sources = self.texts(data["sources"], ("sources",)) if "sources" in data else ()
        if not self.sound:
            return None
        return ColumnMap(
            self.text(data, "id"), self.text(data, "title"), confidence, sources, table, shape,
            columns, setting or None, ordered == "true", constants=constants, values=values,
            ndc_digits=int(digits) if digits else None, **made,
        )  # fmt: skip

    def columns(self, data: Any, known: tuple[str, ...], table: str, shape: str
                ) -> dict[str, tuple[str, ...]]:  # fmt: skip
        columns = {
            key: self.texts(value, ("columns", key))
            for key, value in self.mapping(data, ("columns",), known).items()
        }
        needed = ["encounter"] if table != "lines" else ["encounter", "code", "units"]
        if shape == "event" and table != "lines":
            needed.append("action_time")
        for key in needed:
            if key not in columns:
                self.say(("columns",), f"lacks '{key}'", "name its column")
        return columns

    def format(self, data: Any) -> dict[str, Any]:
        found = self.mapping(data, ("format",), _FORMAT)
        delimiter = self.text(found, "delimiter", ("format",), ",")
        delimiter = {"tab": "\t", "pipe": "|", "comma": ",", "semicolon": ";"}.get(
            delimiter, delimiter
        )
        if delimiter not in {",", "|", ";", "\t"}:
            self.say(("format", "delimiter"), "is no delimiter that is read",
                     "write one of: comma, pipe, semicolon, tab")  # fmt: skip
        encoding = self.text(found, "encoding", ("format",), "utf-8")
        try:
            name = codecs.lookup(encoding).name
            "a,b".encode(name).decode(name)
        except (LookupError, UnicodeError, ValueError):
            self.say(("format", "encoding"), "is no known encoding", "write utf-8 or cp1252")
            name = "utf-8"
        null = self.texts(found["null"], ("format", "null")) if "null" in found else ()
        encoding = "utf-8-sig" if name == "utf-8" else name
        return {"delimiter": delimiter, "encoding": encoding, "null": frozenset((*null, ""))}

    def times(self, data: Any, columns: Mapping[str, Any]) -> dict[str, Any]:
        found, path = self.mapping(data, ("times",), _CLOCK), ("times",)
        sources = get_args(TimesFrom)
        texts = self.texts(found["forms"], (*path, "forms")) if "forms" in found else ()
        forms = [time_form(one) for one in texts]
        for n, form in enumerate(forms):
            if form is None:
                self.say((*path, "forms", n), "is no form of a time",
                         "write iso, or tokens such as YYYY-MM-DD hh:mm:ss")  # fmt: skip
        good = tuple(one for one in forms if one is not None)
        if repeats(good):
            self.say((*path, "forms"), "holds two forms that read one text differently",
                     "keep the one that the table uses")  # fmt: skip
        zone = self.text(found, "timezone", path)
        if zone and (not zone_is_plain(zone) or tz.gettz(zone) is None):
            self.say((*path, "timezone"), "is not a known zone",
                     "write an IANA name such as America/Chicago")  # fmt: skip
        offsets = self.text(found, "offsets", path, words=("minutes",))
        start = read_time(self.text(found, "anchor", path), [_iso()]) if "anchor" in found else None
        anchor = start if isinstance(start, datetime) else None
        if bool(offsets) != (anchor is not None):
            self.say(path, "states offsets without an anchor, or an anchor without offsets",
                     "write both, the anchor as YYYY-MM-DDThh:mm")  # fmt: skip
        if not good and anchor is None and any(one in columns for one in TIMES):
            self.say(path, "states no form of its times", "write forms, such as iso")
        return {
            "forms": good, "timezone": zone or None, "anchor": anchor,
            "times_from": self.text(found, "from", path, "charted", sources),
            "duration_from": self.text(found, "duration_from", path, "charted", sources),
        }  # fmt: skip

    def defaulted(self, data: Any) -> dict[str, Any]:
        if not data:
            return {}
        path = ("defaulted",)
        found = self.mapping(data, path, _DEFAULTED)
        bag = self.text(found, "bag_ml", path)
        if bag and not (bag.isascii() and bag.isdigit()):
            self.say((*path, "bag_ml"), "is no number of millilitres", "write a number such as 50")
            bag = ""
        methods = self.texts(found.get("methods"), (*path, "methods"))
        minutes = self.texts(found.get("minutes"), (*path, "minutes"))
        for one in methods:
            if one not in get_args(Method):
                self.say((*path, "methods"), "names no method of the contract",
                         did_you_mean(one, get_args(Method)))  # fmt: skip
        if not all(one.isascii() and one.isdigit() and len(one) < 5 for one in minutes):
            self.say((*path, "minutes"), "holds no whole minutes", "write minutes such as 1")
            minutes = ()
        return {"default_methods": frozenset(methods),
                "default_minutes": frozenset(int(one) for one in minutes),
                "bag_ml": int(bag[:6]) if bag else None}  # fmt: skip

    def constants(self, data: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, str]:
        found = self.mapping(data.get("constants", {}), ("constants",), known)
        made = {}
        for key, value in found.items():
            word = self.text(found, key, ("constants",), words=_WORDS.get(key, ()))
            if isinstance(value, str) and word:
                made[key] = word
        return made

    def values(self, data: Any) -> dict[str, dict[str, tuple[str, ...]]]:
        made: dict[str, dict[str, tuple[str, ...]]] = {}
        for fact, rows in self.mapping(data, ("values",), tuple(_WORDS)).items():
            path, table = ("values", fact), made.setdefault(fact, {})
            if not isinstance(rows, dict):
                self.say(path, "is no mapping", "write each value and its word")
                continue
            for value, written in rows.items():
                words = self.texts(written, (*path, value))
                for one in words:
                    if one not in _WORDS[fact]:
                        self.say((*path, value), f"is not a word of '{fact}'",
                                 did_you_mean(one, _WORDS[fact]))  # fmt: skip
                if plain_text(value) in table:
                    self.say((*path, value), "repeats a value in other letters", "keep one",
                             key=True)  # fmt: skip
                if len(words) > 1 and fact != "action":
                    self.say((*path, value), "means several words", "write one")
                table[plain_text(value)] = words
        return made


def _iso() -> TimeForm:
    form = time_form("iso")
    assert form is not None
    return form


def words_of(fact: str) -> tuple[str, ...]:
    """The words that a fact may take."""
    return _WORDS.get(fact, ())
