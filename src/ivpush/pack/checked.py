"""The one reader of declared files: a model over a sheet, and every fault with its place.

``read_shape`` is called by whoever reads a file of a pack, a column map, the terms or the
configuration. It turns each error of pydantic into ``place: what is wrong; what to write``.

    shape = read_shape(sheet, CodesFile, say, known)
    for n, row in shape.codes.items() if shape else ():
        ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ivpush.contract.described import descriptions_of
from ivpush.errors import Fault, did_you_mean
from ivpush.pack.files import KeyPath, Say
from ivpush.pack.known import Known
from ivpush.pack.shapes.words import Numbered

__all__ = ["Placed", "read_shape", "unknown_key"]

Model = TypeVar("Model", bound=BaseModel)


class Placed(Protocol):
    """The plain data of a file, and where each value of it stands."""

    @property
    def data(self) -> object:
        """Mappings, lists and scalars."""

    def place(self, path: KeyPath = (), *, key: bool = False) -> str:
        """Where the value at a path stands, or its key."""


def read_shape(
    sheet: Placed, model: type[Model], say: Say, known: Known | None = None
) -> Model | None:
    """The data of a sheet as a model; None where it cannot be used at all.

    Every fault is said. Rows of lists and mappings that are broken are left out, and so are
    unknown keys, so that what rests on the others can still be checked. ``known`` is what the
    kinds of values ask for names of the pack.
    """
    try:
        return model.model_validate(sheet.data, context=known)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    broken: list[KeyPath] = []
    for row in errors:
        loc = _path_of(row["loc"], sheet.data)
        say(_fault(sheet, model, row))
        # An unknown key costs the key alone; any other error costs its row.
        broken.append(loc if row["type"] == "extra_forbidden" else loc[: _row_depth(model, loc)])
    try:
        return model.model_validate(_without(sheet.data, broken), context=known)
    except ValidationError:
        # What is left may still lack a key of the file itself; then nothing of it can be used.
        return None


def unknown_key(sheet: Placed, path: KeyPath, known: Iterable[str]) -> Fault:
    """The fault of a key that a mapping does not have, with the nearest that it has."""
    problem = f"unknown key '{str(path[-1])[:60]}'"
    return Fault(sheet.place(path, key=True), problem, did_you_mean(str(path[-1]), known))


def _path_of(loc: tuple[int | str, ...], data: Any) -> KeyPath:
    """Where an error lies in the data: without the tags of unions and the mark of a bad key."""
    path: list[int | str] = []
    for step in loc:
        if step in _steps_of(data):
            data = data[step]
        elif step in _MARKS:  # a key that is written so was found above
            continue
        else:
            data = None  # a key that is missing
        path.append(step)
    return tuple(path)


def _steps_of(data: Any) -> Container[int | str]:
    """The keys of a mapping, or the places of a list."""
    if isinstance(data, dict):
        return data
    return range(len(data)) if isinstance(data, list) else ()


# Our tags of unions, and what pydantic writes behind a bad key.
_MARKS = {"<text>", "<list>", "<mapping>", "[key]"}


def _fault(sheet: Placed, model: type[BaseModel], error: ErrorDetails) -> Fault:
    loc, kind = _path_of(error["loc"], sheet.data), error["type"]
    at = _type_at(model, loc[:-1])
    if kind == "extra_forbidden":
        return unknown_key(sheet, loc, _keys(at))
    if kind == "missing":
        problem = f"lacks the key '{loc[-1]}'"
        return Fault(sheet.place(loc[:-1]), problem, _meant(at, str(loc[-1])))
    # A mapping with closed words as keys: a wrong one reads as an unknown key.
    of_key = error["loc"][-1:] == ("[key]",)
    if of_key and kind == "literal_error":
        return unknown_key(sheet, loc, _expected(error))
    problem, remedy = _told(error, _type_at(model, loc))
    # The nearest name above: a place in a list says nothing to a reader.
    key = next((step for step in reversed(loc) if isinstance(step, str)), "")[:60]
    if of_key:
        problem = problem if problem.startswith("'") else f"'{key}' {problem}"
    elif key:
        problem = f"{key}: {problem}"
    return Fault(sheet.place(loc, key=of_key), problem, remedy)


def _told(error: ErrorDetails, at: object) -> tuple[str, str]:
    """What is wrong with a value and what to write, by the kind of pydantic's error."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "pack":
        known = context.get("known")
        remedy = context["remedy"] if known is None else did_you_mean(context["word"], known.words)
        return context["problem"], remedy
    if kind == "literal_error":
        shown = f"'{value[:60]}' is" if isinstance(value, str) else "is"
        return f"{shown} not among its words", did_you_mean(
            value if isinstance(value, str) else "", _expected(error)
        )
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        keys = ", ".join(_needed(at)) or "keys and values"
        return "is no mapping", f"write {keys}"
    teller = _TOLD.get(kind)
    return teller(context) if teller is not None else ("does not fit", "write it otherwise")


_TOLD: Mapping[str, Callable[[Mapping[str, object]], tuple[str, str]]] = {
    "string_type": lambda _context: ("is not text", "write one text"),
    "string_too_short": lambda _context: ("is empty", "write a text"),
    "string_too_long": lambda context: (
        f"is longer than {context['max_length']} characters",
        "shorten it",
    ),
    "list_type": lambda _context: ("is no list", "write one"),
    "tuple_type": lambda _context: ("is no list", "write one"),
    "too_short": lambda _context: ("is empty", "write at least one"),
    "too_long": lambda context: (f"holds more than {context['max_length']}", "shorten it"),
}


def _expected(error: ErrorDetails) -> list[str]:
    # pydantic gives the words of a Literal as one sentence with quotes.
    return re.findall("'([^']*)'", error["ctx"]["expected"])


def _type_at(model: object, loc: KeyPath) -> object:
    """The model, list or mapping that the models declare at a path."""
    at = model
    for step in loc:
        at = _bare(at)
        fields = _fields(at)
        if fields is not None:
            at = fields[step].annotation if step in fields else None
        elif get_args(at):
            at = [arg for arg in get_args(at) if arg is not ...][-1]
    return _bare(at)


def _bare(at: object) -> object:
    """A type without what annotates it; of a union, the mapping."""
    while get_origin(at) is Annotated:
        at = get_args(at)[0]
    if get_origin(at) in {dict, list, tuple} or isinstance(at, type):
        return at
    kinds = [_bare(arg) for arg in get_args(at) if arg is not type(None)]
    # Errors of a union lie below its model, where it has one; its texts have no keys.
    models = [kind for kind in kinds if _fields(kind) is not None]
    return next(iter(models or kinds), at)


def _fields(at: object) -> dict[int | str, FieldInfo] | None:
    """The fields of a model by the keys of its mapping; None where it is no model."""
    if not (isinstance(at, type) and issubclass(at, BaseModel)):
        return None
    return {field.alias or name: field for name, field in at.model_fields.items()}


def _keys(at: object) -> list[str]:
    return [str(key) for key in _fields(at) or ()]


def _needed(at: object) -> list[str]:
    return [str(key) for key, field in (_fields(at) or {}).items() if field.is_required()]


def _meant(at: object, key: str) -> str:
    """What to write where a key is missing: what the model says that it holds."""
    text = _described(at).get(key)
    if not text:
        return "add it"
    text = text.partition("\n\n")[0].rstrip(".")
    return "add it: " + " ".join(text.split())


def _described(at: object) -> dict[str, str]:
    """What a model says of its keys."""
    if not (isinstance(at, type) and issubclass(at, BaseModel)):
        return {}
    texts = descriptions_of(at).items()
    return {at.model_fields[name].alias or name: text for name, text in texts}


def _row_depth(model: type[BaseModel], loc: KeyPath) -> int:
    """How many steps of a path lead to the row that holds it: mappings and lists of rows."""
    depth = 1
    at = _type_at(model, loc[:1])
    while get_origin(at) is dict:
        depth += 1
        at = _bare(get_args(at)[1])
    return depth


_Tree: TypeAlias = "dict[int | str, _Tree | None]"
"""Paths by their first steps; None stands where everything below goes."""


def _without(data: object, paths: Iterable[KeyPath]) -> object:
    """The data without the values at some paths; what holds them is copied, lists as Numbered."""
    tree: _Tree = {}
    for path in paths:
        _graft(tree, path)
    return _pruned(data, tree)


def _graft(tree: _Tree, path: KeyPath) -> None:
    """Note a path in a tree of steps."""
    branch = tree
    for step in path[:-1]:
        below = branch.setdefault(step, {})
        if below is None:
            return
        branch = below
    if path:
        branch[path[-1]] = None


def _pruned(data: object, tree: _Tree) -> object:
    if isinstance(data, list):
        # Rows keep their numbers, so that later faults name the right place in the file.
        return Numbered(_kept(enumerate(data), tree))
    return dict(_kept(data.items(), tree)) if isinstance(data, dict) else data


Step = TypeVar("Step", int, str)


def _kept(rows: Iterable[tuple[Step, object]], tree: _Tree) -> Iterator[tuple[Step, object]]:
    for step, value in rows:
        if step not in tree:
            yield step, value
        elif (below := tree[step]) is not None:
            yield step, _pruned(value, below)
