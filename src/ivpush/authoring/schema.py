"""JSON Schemas of a rule file and of a payer's overlay, for editors.

They say which keys there are and which words; types of facts and cases are left to
``ivpush rules lint``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from ivpush.contract.encounter import Encounter
from ivpush.contract.result import Disposition, Severity
from ivpush.pack.codes import COLUMNS
from ivpush.pack.rule import KEYS, OPTIONAL, SUBJECTS

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack

__all__ = [
    "overlay_schema",
    "rule_schema",
]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_SCALAR = {"type": ["string", "number", "boolean"]}


def rule_schema(pack: Pack) -> dict[str, Any]:
    """The schema of one rule file of this pack."""
    return {"$schema": _DRAFT, "title": "ivpush rule", **_rule(pack)}


def overlay_schema(pack: Pack) -> dict[str, Any]:
    """The schema of one payer's overlay of this pack."""
    ids = {"enum": sorted(rule.id for rule in pack.rules)}
    return {
        "$schema": _DRAFT,
        "title": "ivpush payer overlay",
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^[a-z0-9_]+$"},
            "title": _TEXT,
            "cites": _sources(pack),
            "base": {"type": "string"},
            "checked": _DAY,
            "policies": {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: {"description": policy.why}
                               for name, policy in pack.policies.items()},
            },
            "severity": {"type": "object", "propertyNames": ids,
                         "additionalProperties": {"enum": list(get_args(Severity))}},
            "off": {"type": "object", "propertyNames": ids, "additionalProperties": _TEXT},
            "rules": {"type": "array", "items": _rule(pack)},
        },
    }  # fmt: skip


def _sources(pack: Pack) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": {"enum": sorted(pack.sources)}}


def _rule(pack: Pack) -> dict[str, Any]:
    kinds = {"enum": [*sorted(pack.data.modifiers), "separate"]}
    shapes: dict[str, Any] = {
        "id": {"type": "string", "pattern": "^[A-Z]{3}[0-9]{3,4}$"},
        "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        "title": {"type": "string", "pattern": r"\.$"},
        "severity": {"enum": list(get_args(Severity))},
        "disposition": {"enum": list(get_args(Disposition))},
        "in_force": _window(),
        "for_each": {"enum": list(SUBJECTS)},
        "codes": _codes(pack),
        "edit": {"anyOf": [{"enum": ["remove", "corrected"]},
                           _only("code", {"const": "successor"}),
                           _only("add_modifier", kinds), _only("drop_modifiers", kinds)]},
        "denial": {"type": "object", "additionalProperties": False,
                   "properties": {"carc": _TEXT, "rarc": _TEXT}},
        "cites": _sources(pack),
        "cases": {"type": "array", "minItems": 2, "items": _case(pack)},
    }  # fmt: skip
    return {
        "type": "object",
        "required": [key for key in KEYS if key not in OPTIONAL],
        "additionalProperties": False,
        "properties": {key: shapes.get(key, _TEXT) for key in KEYS},
    }


def _window() -> dict[str, Any]:
    return {"type": "object", "required": ["from"], "additionalProperties": False,
            "properties": {"from": _DAY, "to": _DAY}}  # fmt: skip


def _only(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [key], "additionalProperties": False,
            "properties": {key: value}}  # fmt: skip


def _codes(pack: Pack) -> dict[str, Any]:
    words = {"anyOf": [{"type": ["string", "boolean"]}, _TEXTS]}
    return {"anyOf": [
        {"const": "any"},
        {"type": "array", "minItems": 1, "items": {"enum": sorted(pack.codes)}},
        {"type": "object", "minProperties": 1, "additionalProperties": False,
         "properties": dict.fromkeys(COLUMNS, words)},
    ]}  # fmt: skip


def _case(pack: Pack) -> dict[str, Any]:
    """A case: what it expects, and any field of an encounter but its id."""
    own = {
        "name": _TEXT,
        "policies": {"type": "object",
                     "propertyNames": {"enum": sorted(pack.policies)}},
        "expect": {"type": "array",
                   "items": {"type": "object", "minProperties": 1,
                             "additionalProperties": _SCALAR}},
        "unjudged": {},
    }  # fmt: skip
    given: dict[str, Any] = {
        name: {"description": field.description or ""}
        for name, field in Encounter.model_fields.items()
        if name != "id"
    }
    return {"type": "object", "required": ["name", "expect"], "additionalProperties": False,
            "properties": {**given, **own}}  # fmt: skip
