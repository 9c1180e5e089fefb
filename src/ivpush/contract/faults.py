"""What pydantic finds wrong, as faults: which field, what is wrong, what to write. No values.

The models of ``encounter`` and ``result`` call ``faults_of``; pydantic's own errors would show what
a chart says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ivpush.contract.fields import PLAIN
from ivpush.errors import Fault, did_you_mean, first_faults, nearest_word

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["Models", "faults_of", "place_of"]

Models = Mapping[str, "type[BaseModel]"]
"""The models that stand within a model, by the field that holds them."""

_REMEDIES = {
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "string_type": "write text",
    "tuple_type": "write a list",
    "model_type": "write one object",
    "json_invalid": "this is not the JSON of one record",
    "greater_than_equal": "write a number from {ge}",
    "less_than_equal": "write a number up to {le}",
    "string_too_long": "write at most {max_length} characters",
    "too_long": "write at most {max_length}",
}
"""What to write, by the type of pydantic's error; bounds come from its context."""
_SHAPES = {
    PLAIN: "leave out control characters such as tabs and line ends",
    "^[A-Z0-9]+$": "write capital letters A-Z and digits 0-9 only",
    "^[0-9]{2}$": "write two digits",
    "^0?[0-9]{2}[0-9A-Z]$": "write the three characters of the type of bill",
    "^[0-9]{3,4}$": "write the four digits of the revenue code",
    "^[0-9]{4,6}-?[0-9]{3,4}-?[0-9]{1,2}$": "write an NDC of 10 or 11 digits, with or without "
    "hyphens",
    "^[A-Z][0-9A-Z.]{2,8}$": "write an ICD-10-CM code, such as E86.0",
}
"""What to write, by the pattern of a field."""
_FIXED_LENGTHS = frozenset({2, 5})
"""Lengths of a modifier and of a code; other texts have other bounds."""
_MOST_OF_A_NAME = 30


_MOST_DETAILED = 10_000
"""Errors of one record that pydantic is asked to spell out, at a kilobyte each."""


def faults_of(error: ValidationError, model: type[BaseModel], within: Models) -> tuple[Fault, ...]:
    """The first things that are wrong, as pydantic found them, and how many others there are."""
    count = error.error_count()
    if count > _MOST_DETAILED:
        problem = f"does not fit the contract in {count:,} places"
        return (Fault(model.__name__, problem, "write only fields of the contract"),)
    return first_faults(_faults(error, model, within), count)


def _faults(error: ValidationError, model: type[BaseModel], within: Models) -> Iterator[Fault]:
    for found in error.errors():
        place = place_of(found["loc"])
        # Said of the whole encounter, which names the field within its text.
        if found["type"] == "crossed":
            yield Fault("the encounter", found["msg"])
        elif found["type"] == "missing":
            yield Fault(place, "is missing", "write it")
        elif found["type"] == "extra_forbidden":
            yield _unknown_field(found["loc"], _model_at(model, found["loc"][:-1], within))
        else:
            yield Fault(
                place or model.__name__, "is not what the contract asks for", _remedy(found)
            )


def place_of(path: tuple[int | str, ...]) -> str:
    """A path as the contract writes it, such as ``lines[0].code``."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")


def _unknown_field(path: tuple[int | str, ...], model: type[BaseModel]) -> Fault:
    """A field that the contract lacks; it is named where it looks like a name and no value."""
    name = str(path[-1])
    plain = name.isascii() and name.replace("_", "a").isalpha() and name.islower()
    called = f"holds '{name}'" if plain and len(name) <= _MOST_OF_A_NAME else "holds a field"
    place = place_of(path[:-1]) or "the top level"
    problem = f"{called}, which is not in the contract"
    return Fault(place, problem, did_you_mean(name, model.model_fields))


def _model_at(
    model: type[BaseModel], path: tuple[int | str, ...], within: Models
) -> type[BaseModel]:
    """The model that a path ends in."""
    for step in path:
        inner = within.get(str(step))
        if inner is not None:
            return inner
    return model


def _remedy(found: ErrorDetails) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "literal_error":
        return _word_of(str(context["expected"]), found["input"])
    if kind == "string_pattern_mismatch":
        return _SHAPES.get(str(context.get("pattern")), "write it in the form of the field")
    if kind in {"string_too_short", "string_too_long"}:
        length = context.get("min_length", context.get("max_length"))
        if length in _FIXED_LENGTHS:
            return f"write {length} capital letters or digits"
    if kind == "string_too_short":
        return "write a text that is not empty"
    if kind in _REMEDIES:
        return _REMEDIES[kind].format(**context)
    return found["msg"].removeprefix("Value error, ")


def _word_of(expected: str, written: object) -> str:
    """Which word to write: the nearest one, else all of a closed list."""
    words = expected.replace(" or ", ", ").replace("'", "").split(", ")
    near = nearest_word(written, words) if isinstance(written, str) else None
    return f"did you mean '{near}'?" if near is not None else f"write one of: {', '.join(words)}"
