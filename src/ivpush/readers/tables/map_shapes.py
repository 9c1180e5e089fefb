"""The shape of a column map: its keys, its columns, and the words that they may hold.

``readers.tables.maps`` reads a map by it; ``WORDS`` are the closed words of the facts that tables
state by values of their own.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from ivpush import clock
from ivpush.contract.fields import Access, Category, Method, Purpose, Route, Setting, TimesFrom
from ivpush.pack.shapes.words import OneOf, OneOrMore, Shape, Text, Written, listed, wrong
from ivpush.readers.tables.forms import time_form

__all__ = ["ACTIONS", "DELIMITERS", "TIMES", "WORDS", "ChartMap", "LinesMap", "MapShape"]

ACTIONS = (
    "start",
    "next_bag",
    "rate",
    "verify",
    "site_change",
    "pause",
    "restart",
    "hold",
    "unhold",
    "stop",
    "push",
    "bolus",
    "dose",
    "flush",
    "not_given",
    "deleted",
    "ignore",
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
# A row stands only where its state is one of the first two; the second is remarked.
_STATES = ("keep", "unverified", "rewritten", "deleted", "not_given", "planned", "not_final")
WORDS: Mapping[str, tuple[str, ...]] = {
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
Minutes = Annotated[
    int, Written("[0-9]{1,4}", "is no whole number of minutes", "write minutes such as 1", "int")
]
Millilitres = Annotated[
    int,
    Written("[0-9]{1,6}", "is no number of millilitres", "write a number such as 50", "int"),
]
DELIMITERS = {
    "tab": "\t",
    "\t": "\t",
    "pipe": "|",
    "|": "|",
    "comma": ",",
    ",": ",",
    "semicolon": ";",
    ";": ";",
}


def _delimiter(text: str) -> str:
    if text not in DELIMITERS:
        raise wrong("is no delimiter that is read", "write one of: comma, pipe, semicolon, tab")
    return text


def _encoding(text: str) -> str:
    try:
        name = codecs.lookup(text).name
        "a,b".encode(name).decode(name)
    except (LookupError, UnicodeError, ValueError):
        raise wrong("is no known encoding", "write utf-8 or cp1252") from None
    return name


def _form(text: str) -> str:
    if time_form(text) is None:
        remedy = "write iso, or tokens such as YYYY-MM-DD hh:mm:ss"
        raise wrong("is no form of a time", remedy)
    return text


def _zone(text: str) -> str:
    if clock.zone_named(text) is None:
        raise wrong("is not a known zone", "write an IANA name such as America/Chicago")
    return text


class FormatShape(Shape):
    """How the file of a table is written."""

    delimiter: Annotated[str, AfterValidator(_delimiter)] = "comma"
    """comma, pipe, semicolon or tab."""
    encoding: Annotated[Text, AfterValidator(_encoding)] = "utf-8"
    """utf-8, cp1252, or another that Python knows."""
    null: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    """Texts that stand for nothing, beside an empty cell and NULL, NaN and the like."""
    decimal: Literal[".", ","] = "."
    """The sign before the decimals of a number; no sign parts the thousands."""


class TimesShape(Shape):
    """How the times of a table are written."""

    forms: Annotated[
        tuple[Annotated[Text, AfterValidator(_form)], ...], BeforeValidator(listed)
    ] = ()
    """iso, or tokens such as MM/DD/YYYY hh:mm."""
    timezone: Annotated[Text, AfterValidator(_zone)] | None = None
    """The IANA zone of the times."""
    source: TimesFrom = Field(default="charted", alias="from")
    """Where the times come from."""
    duration_from: TimesFrom = "charted"
    """Where durations come from."""
    offsets: Literal["minutes"] | None = None
    """Times are minutes counted from a start."""
    anchor: Text | None = None
    """The date that the map lets such a start stand for, as YYYY-MM-DDThh:mm."""


class JoinShape(Shape):
    """A second table that has what the first one lacks."""

    table: Text
    """Its name, such as ORDER_MED."""
    key: Text
    """The column that both have."""
    columns: OneOrMore
    """What it brings: columns that the map reads."""


class DefaultedShape(Shape):
    """What a system fills in where nobody charted it."""

    methods: Annotated[tuple[Method, ...], BeforeValidator(listed)] = ()
    """Methods whose stops are filled in."""
    minutes: Annotated[tuple[Minutes, ...], BeforeValidator(listed)] = ()
    """After so many minutes."""
    bag_ml: Millilitres | None = None
    """A push that comes with so much diluent is no plain push."""


def _columns(names: Iterable[str], needed: Iterable[str]) -> dict[str, Any]:
    """The column or columns of a table for each fact; the first that is filled counts."""
    return {
        name: (OneOrMore, Field(description=f"The column of {name}."))
        if name in needed
        else (OneOrMore | None, Field(default=None, description=f"The column of {name}."))
        for name in names
    }


def _constants(names: Iterable[str]) -> dict[str, Any]:
    """One value for all rows, of the words of the fact where they are closed."""
    return {
        name: (
            (Annotated[str, OneOf(WORDS[name])] if name in WORDS else Text) | None,
            Field(default=None, description=f"The {name} of every row."),
        )
        for name in names
    }


def _meanings() -> dict[str, Any]:
    """The words of each fact that a table's own values stand for."""
    return {
        fact: (
            dict[
                str,
                Annotated[
                    tuple[Annotated[str, OneOf(words)], ...],
                    BeforeValidator(listed),
                    Field(min_length=1),
                ],
            ],
            Field(default={}, description=f"What each value of the {fact} means."),
        )
        for fact, words in WORDS.items()
    }


_ChartColumns: Any = create_model(
    "ChartColumns", __base__=Shape, **_columns(_MAR_COLUMNS, {"encounter"})
)
_LineColumns: Any = create_model(
    "LineColumns", __base__=Shape, **_columns(_LINE_COLUMNS, {"encounter", "code", "units"})
)
_ChartConstants: Any = create_model("ChartConstants", __base__=Shape, **_constants(_MAR_COLUMNS))
_LineConstants: Any = create_model("LineConstants", __base__=Shape, **_constants(_LINE_COLUMNS))
_ValuesShape: Any = create_model("ValuesShape", __base__=Shape, **_meanings())


class MapShape(Shape):
    """A column map: what the columns and values of somebody's table mean."""

    id: Text
    """The map's name."""
    title: Text
    """Whose table it reads."""
    confidence: Literal["high", "medium", "low"] = "medium"
    """How sure its sources make it."""
    sources: OneOrMore
    """Where its columns and values were found."""
    table: Literal["administrations", "lines"] = "administrations"
    """What a row is: of a chart, or of a claim."""
    shape: Literal["dose", "event"] = "dose"
    """One row a dose, or one row an event."""
    setting: Setting | None = None
    """The kind of claim, where the table holds one kind only."""
    sorted: Literal["true", "false"] = "false"
    """Whether the rows of one encounter stand together."""
    format: FormatShape = FormatShape()
    """How the file is written."""
    times: TimesShape = TimesShape()
    """How its times are written."""
    columns: Shape
    """The columns of each fact."""
    join: JoinShape | None = None
    """A second table that has what the first one lacks."""
    constants: Shape = Shape()
    """One value for all rows, where the table has no column."""
    values: _ValuesShape = Field(default_factory=_ValuesShape)
    """The words of the contract for the table's own values."""
    defaulted: DefaultedShape = DefaultedShape()
    """What the system fills in."""
    lines_count: Literal["true", "false"] = "false"
    """Whether lines of one order count from row to row, so that a gap is a row that is missing."""
    ndc_digits: Literal["10", "11"] | None = None
    """How many digits its NDCs have."""


class ChartMap(MapShape):
    """A map of a chart's table."""

    columns: _ChartColumns
    """The columns of each fact."""
    constants: _ChartConstants = Field(default_factory=_ChartConstants)
    """One value for all rows, where the table has no column."""


class LinesMap(MapShape):
    """A map of a table of claim lines."""

    columns: _LineColumns
    """The columns of each fact."""
    constants: _LineConstants = Field(default_factory=_LineConstants)
    """One value for all rows, where the table has no column."""
