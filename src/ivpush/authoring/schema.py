"""JSON Schemas of a rule file, of its pins and of a payer's overlay, for editors.

``ivpush rules schema`` prints them. They follow from the models that read the files, with the
words of the pack at hand filled in; types of facts are left to ``ivpush rules lint``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from ivpush.pack.codes import cells_by_column
from ivpush.pack.shapes.cases import OverlayFile, PinsFile, RuleShape

if TYPE_CHECKING:
    from pydantic_core import core_schema as cs

    from ivpush.pack.pack import Pack

__all__ = [
    "overlay_schema",
    "pins_schema",
    "rule_schema",
]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def rule_schema(pack: Pack) -> dict[str, Any]:
    """The schema of one rule file of this pack."""
    return _schema(RuleShape, "ivpush rule", pack)


def pins_schema(pack: Pack) -> dict[str, Any]:
    """The schema of one file of further cases of a rule of this pack."""
    return _schema(PinsFile, "ivpush pins", pack)


def overlay_schema(pack: Pack) -> dict[str, Any]:
    """The schema of one payer's overlay of this pack."""
    return _schema(OverlayFile, "ivpush payer overlay", pack)


class _Generator(GenerateJsonSchema):
    """Schemas as a YAML file is written: a key is left out, never null."""

    def nullable_schema(self, schema: cs.NullableSchema) -> dict[str, Any]:
        """What may stand there; nobody writes null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: cs.WithDefaultSchema) -> dict[str, Any]:
        """What may stand there; what counts without it is told in words."""
        return self.generate_inner(schema["schema"])


def _schema(model: type[BaseModel], title: str, pack: Pack) -> dict[str, Any]:
    plain = model.model_json_schema(schema_generator=_Generator)
    filled = _filled(plain, _words(pack))
    return {"$schema": _DRAFT, **filled, "title": title}


def _words(pack: Pack) -> dict[tuple[str, str], Iterable[str | bool]]:
    """The words of the pack for each mark that a kind of value leaves in a schema."""
    words: dict[tuple[str, str], Iterable[str | bool]] = {
        ("x-names", "codes"): pack.codes,
        ("x-names", "kinds"): {*pack.data.modifiers, "separate"},
        ("x-names", "policies"): pack.policies,
        ("x-names", "rules"): {rule.id for rule in pack.every_rule},
        ("x-names", "sources"): pack.sources,
    }
    for column, cells in cells_by_column(pack.codes).items():
        words["x-cells", column] = cells
    # An editor reads an unquoted true as a flag, our own reader as text.
    words["x-cells", "administration"] = ("true", "false", True, False)
    return words


def _filled(schema: Any, words: dict[tuple[str, str], Iterable[str | bool]]) -> Any:
    if isinstance(schema, list):
        return [_filled(part, words) for part in schema]
    if not isinstance(schema, dict):
        return schema
    filled = {key: _filled(part, words) for key, part in schema.items() if key[:2] != "x-"}
    for mark in ("x-names", "x-cells"):
        if mark in schema:
            filled["enum"] = sorted(words[mark, schema[mark]], key=str)
    return filled
