"""The kinds of values in the files of a pack: texts, days, numbers, names of other rows.

Every scalar of a pack file is text (``pack.files``); these kinds say what it must be and read it.
The models of the files are built of them, and ``pack.checked`` puts the place before what a kind
has to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as cs

from ivpush.contract.described import Described
from ivpush.contract.fields import JsonSchema
from ivpush.records import record

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

__all__ = [
    "Cell",
    "Cells",
    "Cites",
    "Day",
    "Named",
    "Numbered",
    "OneOf",
    "OneOrMore",
    "Prose",
    "Rows",
    "Shape",
    "Source",
    "Text",
    "Texts",
    "Value",
    "Whole",
    "Window",
    "Word",
    "Written",
    "listed",
    "unknown",
    "wrong",
]


class Shape(Described):
    """A mapping of a pack file: its keys, each with what it holds and a text for editors."""

    model_config = ConfigDict(
        # defer_build: models of files that a run never reads are never built.
        extra="forbid",
        frozen=True,
        defer_build=True,
    )


def wrong(problem: str, remedy: str = "") -> PydanticCustomError:
    """What a validator raises: what is wrong with a value, and what to write instead."""
    return PydanticCustomError("pack", "{problem}", {"problem": problem, "remedy": remedy})


@record
class KnownWords:
    """The words that stand beside a fault, out of pydantic's sight.

    Pydantic writes out what comes with an error, for each of thousands: here a whole table's rows.
    """

    words: Collection[str]

    def __str__(self) -> str:
        return ""


def unknown(word: str, problem: str, known: Collection[str]) -> PydanticCustomError:
    """What a validator raises for a word that is none of those known.

    Which is nearest is looked up only where the fault is told: a file may hold thousands.
    """
    context = {"problem": problem, "word": word, "known": KnownWords(known)}
    return PydanticCustomError("pack", "{problem}", context)


def _refusing(schema: CoreSchema, problem: str, remedy: str) -> CoreSchema:
    return cs.custom_error_schema(
        schema,
        custom_error_type="pack",
        custom_error_message="{problem}",
        custom_error_context={"problem": problem, "remedy": remedy},
    )


@record
class Written:
    """Text of one form: ``Annotated[str, Written("[a-z]+", "is no word", "write letters")]``.

    ``then`` reads the text on, to a day or a whole number.
    """

    pattern: str
    problem: str
    remedy: str
    then: Literal["date", "int"] | None = None

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        # Anchored at both ends: pydantic's pattern alone matches anywhere in the text.
        schema: CoreSchema = cs.str_schema(pattern=f"^(?:{self.pattern})$", strict=True)
        if self.then is not None:
            read = cs.date_schema() if self.then == "date" else cs.int_schema()
            schema = cs.chain_schema([schema, read])
        return _refusing(schema, self.problem, self.remedy)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@record
class Named:
    """A word that names something of the pack, by the attribute of the context that holds it.

    A file that is read without a context, or before the other file, is not checked for it. The JSON
    Schema carries the attribute as ``x-names``, for ``authoring.schema`` to list the words.
    """

    what: str

    def check(self, value: str, info: ValidationInfo) -> str:
        """The word; refused where the pack holds no such thing."""
        # None: that file was not read yet, and is no reason to refuse a name.
        held = getattr(info.context, self.what, None)
        if held is not None and value not in held:
            raise unknown(value, f"'{value[:60]}' {_NOWHERE[self.what]}", held)
        return value

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return cs.with_info_after_validator_function(self.check, cs.str_schema(strict=True))

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {"type": "string", "x-names": self.what}


@record
class OneOf:
    """A word of a closed list that code holds: ``Annotated[str, OneOf(WORDS["route"])]``."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return cs.literal_schema(list(self.words))

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {"enum": list(self.words)}


@record
class Cell:
    """A word that some row of codes.yaml holds in a column."""

    column: str

    def check(self, value: str, info: ValidationInfo) -> str:
        """The word; refused where no row holds it."""
        cells = info.context.cells if info.context is not None else {}
        held = cells.get(self.column)
        if held is not None and value not in held:
            problem = f"no row of codes.yaml has {self.column} '{value[:40]}'"
            raise unknown(value, problem, held)
        return value

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return cs.with_info_after_validator_function(self.check, cs.str_schema(strict=True))

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {"type": ["string", "boolean"], "x-cells": self.column}


@record
class Cells:
    """A word, or a list of words, that rows of codes.yaml hold in a column."""

    column: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        word = Cell(self.column).__get_pydantic_core_schema__(source, handler)
        words = cs.tuple_schema([word], variadic_item_index=0, min_length=1)
        return cs.no_info_before_validator_function(listed, words)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        word = Cell(self.column).__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}


def listed(value: object) -> object:
    """A lone text as a list of one."""
    return [value] if isinstance(value, str) else value


_NOWHERE: Mapping[str, str] = {
    "codes": "is in no row of codes.yaml",
    "kinds": "is no kind of modifier",
    "policies": "is no policy",
    "rules": "is no rule",
    "sources": "is in no row of sources.yaml",
}

Text = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=1_000)
]
"""Any text, but not an empty one."""
Prose = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=1_200),
    # YAML keeps line ends in a block; they are no part of a sentence.
    AfterValidator(lambda text: " ".join(text.split())),
]
"""Sentences, on however many lines of the file."""
Word = Annotated[
    str, Written("[a-z0-9]+(_[a-z0-9]+)*", "is no word", "write small letters, joined by _")
]
Day = Annotated[
    date,
    # From 1900 to 2199, so that a day before or after it is always a day too.
    Written(
        "(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}",
        "is no day from 1900 to 2199",
        "write YYYY-MM-DD",
        "date",
    ),
]
# Nine digits stay within 32 bits; no sign and no point, for such numbers count things.
Whole = Annotated[int, Written("[0-9]{1,9}", "is no whole number", "write one", "int")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Source = Annotated[str, Named("sources")]
Cites = Annotated[tuple[Source, ...], Field(min_length=1)]


OneOrMore = Annotated[tuple[Text, ...], BeforeValidator(listed), Field(min_length=1)]
"""A text, or a list of texts."""


def _value(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
    text = cs.str_schema(strict=True)
    texts = cs.list_schema(text, strict=True)
    kinds = cs.union_schema([text, texts, cs.dict_schema(text, text)], mode="left_to_right")
    return _refusing(kinds, "is neither text, nor texts in a list or a mapping", "write a text")


Value = Annotated[
    str | list[str] | dict[str, str],
    GetPydanticSchema(
        _value,
        lambda _schema, _handler: {"type": ["string", "number", "boolean", "array", "object"]},
    ),
]
"""What another reader makes sense of: a text, a list of texts, or a mapping of texts."""


class Numbered(dict[int, object]):
    """A list that lost some of its rows: what is left, by its place in the file."""


def _numbered(value: object) -> Numbered:
    if isinstance(value, list):
        return Numbered(enumerate(value))
    # The second pass of ``read_shape`` gives back what the first left of the list.
    if isinstance(value, Numbered):
        return value
    raise wrong("is no list", "write one row after each dash")


def _as_array(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
    return {"type": "array", "items": handler(schema).get("additionalProperties", {})}


class _AsArray:
    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return _as_array(schema, handler)


Row = TypeVar("Row")
Rows = Annotated[dict[int, Row], BeforeValidator(_numbered), _AsArray()]
"""A list of rows, by their place in it: a broken row is left out, and the rest keep theirs."""


class Window(Shape):
    """The dates from which and to which something counts, both included."""

    low: Day = Field(alias="from")
    """The first day."""
    high: Day | None = Field(default=None, alias="to")
    """The last day; left out where it has not ended."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.high is not None and self.high < self.low:
            raise wrong("ends before it begins", "swap the dates")
        return self
