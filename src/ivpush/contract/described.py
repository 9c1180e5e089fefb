"""Models whose fields are described by the texts below them, which are read when asked for.

The schemas that ivpush publishes and the messages about packs show them. To read them takes the
source of a module, so no import does it::

    class Dose(Described):
        amount: int
        \"\"\"How much, in milligrams.\"\"\"

    descriptions_of(Dose)["amount"]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema

if TYPE_CHECKING:
    import ast

__all__ = ["Described", "descriptions_of"]


class Described(BaseModel):
    """A model whose schema tells what stands below each field."""

    described_by: ClassVar[type[BaseModel] | None] = None
    """Another model that describes fields of the same names, of one that no source holds."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema of pydantic with the texts below the fields as descriptions."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in descriptions_of(cls).items():
            for key in (name, cls.model_fields[name].alias):
                if key in properties:
                    properties[key].setdefault("description", text)
        return schema


@cache
def descriptions_of(model: type[BaseModel]) -> Mapping[str, str]:
    """The text below each field of a model, its bases' among them."""
    texts: dict[str, str] = {}
    for each in reversed(model.__mro__):
        texts |= _texts(each)
    other = getattr(model, "described_by", None)
    if other is not None:
        texts |= descriptions_of(other)
    return {name: text for name, text in texts.items() if name in model.model_fields}


def _texts(model: type) -> dict[str, str]:
    """The texts below the fields of one class; none where no source holds it."""
    import ast  # noqa: PLC0415  (here and below: no run needs them but to publish a schema)
    import inspect  # noqa: PLC0415

    body = _classes(model.__module__).get(model.__qualname__, ())
    return {
        before.target.id: inspect.cleandoc(after.value.value)
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


@cache
def _classes(module: str) -> Mapping[str, list[ast.stmt]]:
    """The bodies of the classes of a module, by qualified name."""
    if not module.startswith(f"{__package__.partition('.')[0]}."):
        return {}
    import ast  # noqa: PLC0415
    import inspect  # noqa: PLC0415

    try:
        text = inspect.getsource(sys.modules[module])
    except OSError:  # installed without its source
        return {}
    return dict(_bodies(ast.parse(text), ""))


def _bodies(tree: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    import ast  # noqa: PLC0415

    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node.body
            yield from _bodies(node, f"{prefix}{node.name}.")
