"""Pages written from the code and the pack: vocabulary, schemas and the catalogue of rules.

``pages`` gives every generated page of ``docs/`` by its path; ``ivpush rules docs`` writes
them, and a test holds them fresh.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ivpush.authoring.catalogue import (
    WRITTEN,
    payers_page,
    room_page,
    rules_page,
    table_head,
    table_row,
)
from ivpush.authoring.numbers import numbers_page
from ivpush.contract.encounter import Encounter
from ivpush.contract.result import result_adapter
from ivpush.language.vocabulary import SCOPES, facts_of, kind_of
from ivpush.pack.rule import ROOMS

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack
    from ivpush.pack.policies import Policy

__all__ = [
    "encounter_schema",
    "pages",
    "result_schema",
    "vocabulary_page",
]

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_CALLS = {
    "any(test for x in rows)": "some row passes; `all` asks it of every row",
    "count(test for x in rows)": "how many rows pass; loops go at most two deep",
    "sum(value for x in rows if test)": "sum of a number; `min` and `max` in the same way",
    "known(fact)": "somebody stated it, or it could be worked out",
    "overlaps(a, b)": "two sets share a member",
    "subset(a, b)": "every member of the first is in the second",
    "empty(set)": "it has no members; `size` counts them",
}


def pages(pack: Pack) -> dict[str, str]:
    """Every generated page: path below ``docs/`` to text."""
    written = {
        "vocabulary.md": vocabulary_page(pack),
        "schemas/encounter.json": _as_json(encounter_schema()),
        "schemas/result.json": _as_json(result_schema()),
        "rules/README.md": rules_page(pack),
        "payers.md": payers_page(pack),
        "numbers.md": numbers_page(pack),
    }
    for room in ROOMS:
        written[f"rules/{room}.md"] = room_page(room, pack)
    return written


def encounter_schema() -> dict[str, Any]:
    """JSON Schema of an encounter."""
    return {"$schema": _SCHEMA, **Encounter.model_json_schema()}


def result_schema() -> dict[str, Any]:
    """JSON Schema of a result."""
    schema = result_adapter().json_schema(by_alias=True, mode="serialization")
    return {"$schema": _SCHEMA, **schema}


def _as_json(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def vocabulary_page(pack: Pack) -> str:
    """The facts, functions, policies and limits that a rule may name."""
    lines = [
        "# The vocabulary of rules\n",
        WRITTEN,
        "A rule names facts by path: `line.units`, `line.service.technique`. What may be",
        "unknown is worth neither true nor false where nobody stated it, and a rule that depends",
        "on it is unjudged. Beside these stand `policy.NAME` and `limits.NAME`.\n",
    ]
    for scope, record in SCOPES.items():
        lines += [f"## {scope}\n", *_fact_rows(scope, record), ""]
    lines += ["## Functions\n", *table_head("function", "meaning")]
    lines += [table_row(f"`{shape}`", meaning) for shape, meaning in _CALLS.items()]
    lines += ["\n## Policies\n", *table_head("policy", "values (default first)", "touches", "why")]
    lines += [
        table_row(f"`policy.{policy.name}`", values_of(policy), policy.touches, policy.why)
        for policy in pack.policies.values()
    ]
    limits = pack.book(pack.checked).limits
    lines += ["\n## Limits\n", *table_head("limit", "value today")]
    lines += [
        table_row(f"`limits.{name}`", str(getattr(limits, name))) for name in sorted(pack.limits)
    ]
    return "\n".join(lines) + "\n"


def _fact_rows(scope: str, record: type) -> Iterator[str]:
    yield from table_head("fact", "kind", "may be unknown", "meaning")
    for name, fact in sorted(facts_of(record).items()):
        kind = kind_of(fact.type)
        if kind.name == "other":  # no expression can compare it
            continue
        words = ": " + ", ".join(sorted(kind.words)) if kind.words else ""
        unknown = "yes" if kind.nullable else "no"
        yield table_row(f"`{scope}.{name}`", kind.name + words, unknown, fact.meaning)


def values_of(policy: Policy) -> str:
    """What a policy can be set to, its default first."""
    if isinstance(policy.default, frozenset):
        return "words: " + (", ".join(sorted(policy.default)) or "none")
    if policy.form == "number":
        return f"{policy.default}, from {policy.low} to {policy.high}"
    return ", ".join(dict.fromkeys([str(policy.default), *policy.values]))
