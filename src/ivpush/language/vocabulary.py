"""The closed vocabulary of the language: the facts a rule may name, their kinds, what they rest on.

It is read off the records of ``contract.facts``; a pack adds its policies, limits and the words of
its code columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from ivpush.contract.annotations import field_type
from ivpush.contract.described import descriptions_of
from ivpush.contract.facts import (
    AdministrationFacts,
    ClaimFacts,
    EncounterFacts,
    LineFacts,
    ServiceFacts,
    SuggestionFacts,
    SupervisionFacts,
)
from ivpush.contract.fields import Text
from ivpush.contract.means import WORKING, Means, Part
from ivpush.language.tree import Kind, Node
from ivpush.records import record

__all__ = [
    "COLUMN_FACTS",
    "SCOPES",
    "Fact",
    "FactName",
    "Names",
    "facts_of",
    "kind_of",
]


@record
class FactName:
    """A fact as the language knows it: type, attribute path, and what it rests on.

    ``tables`` are the kinds of dated tables that it is looked up in.
    """

    kind: Kind
    path: str
    rests_on: tuple[str, ...]
    lacks: tuple[str, ...]
    free_text: bool
    tables: tuple[str, ...] = ()


_PLAIN = {
    bool: "flag",
    int: "whole",
    Decimal: "number",
    str: "text",
    date: "date",
    datetime: "instant",
}


def kind_of(annotation: object) -> Kind:
    """The kind of a Python annotation."""
    stated = field_type(annotation)
    if stated.words:
        return Kind("word", stated.nullable, stated.words)
    if stated.members is not None:
        scope = _scope_of(stated.members)
        # A tuple keeps order and repeats, such as a line's modifiers, so it is no set.
        name = "texts" if stated.of is frozenset else "row"
        return Kind("list" if scope else name, stated.nullable, scope=scope)
    if stated.of in _PLAIN:
        return Kind(_PLAIN[stated.of], stated.nullable)
    scope = _scope_of(stated.of)
    return Kind("record" if scope else "other", stated.nullable, scope=scope)


def _scope_of(hint: object) -> str | None:
    return next((name for name, scope in SCOPES.items() if scope is hint), None)


@dataclass(frozen=True)
class Names:
    """The closed vocabulary: the scopes with their facts, and a pack's policies and limits.

    ``columns`` holds the words of the pack's codes by column; facts of a column take no others.
    ``words`` are the pack's word lists, folded, and ``modifiers`` its modifiers by kind.
    """

    policies: Mapping[str, Kind]
    limits: Mapping[str, Kind]
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    modifiers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def scopes(self) -> Mapping[str, Mapping[str, FactName]]:
        """The facts of each scope by name; worked out when an expression is first read."""
        scopes = {
            name: {
                fact: FactName(
                    kind=kind_of(one.type),
                    path=one.path,
                    rests_on=one.rests_on,
                    lacks=one.lacks,
                    free_text=one.free_text,
                    tables=one.tables,
                )
                for fact, one in facts_of(scope).items()
            }
            for name, scope in SCOPES.items()
        }
        for (scope, fact), column in COLUMN_FACTS.items():
            if column in self.columns:
                known = scopes[scope][fact]
                kind = Kind("word", known.kind.nullable, self.columns[column])
                scopes[scope][fact] = replace(known, kind=kind)
        return scopes

    def facts(self, record: Node) -> Mapping[str, FactName]:
        """The facts of a record, or of each record of a list."""
        scope = record.kind.scope
        assert scope is not None, "what is no record has no facts"
        return self.scopes[scope]

    def fact(self, node: Node) -> FactName:
        """The fact that a node reads."""
        return self.facts(node.args[0])[node.name]

    def roots(self, subject: str) -> dict[str, Node]:
        """The names that an expression about ``subject`` may begin with."""
        whole = Node("root", Kind("record", scope="encounter"), name="encounter")
        found = {"encounter": whole}
        # Rules name these without the encounter: claim.codes, supervision.met.
        for name in ("supervision", "claim"):
            found[name] = Node("fact", Kind("record", scope=name), (whole,), name)
        if subject != "encounter":
            found[subject] = Node("root", Kind("record", scope=subject), name="subject")
        return found


SCOPES: Mapping[str, type] = {
    "encounter": EncounterFacts,
    "supervision": SupervisionFacts,
    "claim": ClaimFacts,
    "line": LineFacts,
    "administration": AdministrationFacts,
    "service": ServiceFacts,
    "suggestion": SuggestionFacts,
}


COLUMN_FACTS: Mapping[tuple[str, str], str] = {
    ("line", "family"): "family",
    ("line", "technique"): "technique",
    ("line", "role"): "role",
    ("line", "variant"): "variant",
    ("line", "replaced_role"): "role",
    ("service", "family"): "family",
    ("service", "technique"): "technique",
    ("suggestion", "family"): "family",
    ("suggestion", "role"): "role",
}
"""Facts whose words are those of a column of codes.yaml: a pack knows them, the code does not."""


Given = type[BaseModel]


@record
class Fact:
    """One fact of a scope: its type, how to reach it, what it means, what it rests on.

    ``rests_on`` holds field names of the contract: ``.minutes`` is a field of the same record,
    ``setting`` a field of the encounter.
    ``lacks`` names the fields of the record that, unstated, leave it unknown. ``free_text`` marks
    the chart's own words, which no message may repeat. ``tables`` are the kinds of dated tables
    that it is looked up in.
    """

    type: object
    path: str
    text: str
    """What it means; empty where the field of the contract that it is says so itself."""
    rests_on: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    free_text: bool = False
    tables: tuple[str, ...] = ()
    given: Given | None = None
    """The record of the contract whose field it is."""

    @property
    def meaning(self) -> str:
        """What it means, as the vocabulary tells it."""
        if self.given is None:
            return self.text
        return descriptions_of(self.given).get(self.path.removeprefix("given."), "")


@cache
def _hints(scope: type) -> Mapping[str, Any]:
    """The annotations of a record; to read them costs more than all else of its facts."""
    return get_type_hints(scope, include_extras=True)


def facts_of(scope: type) -> dict[str, Fact]:
    """Facts of a scope by name, its own before the contract's.

    Raises TypeError for a field that is neither fact nor record nor working state.
    """
    facts = dict(_own_facts(scope, ""))
    given = _hints(scope).get("given")
    for name, info in given.model_fields.items() if given is not None else ():
        # A worked-out fact beats the field as stated: the date may come from the first dose.
        if name not in facts:
            own = name if scope is EncounterFacts else f".{name}"
            facts[name] = Fact(
                type=info.annotation,
                path=f"given.{name}",
                text="",
                given=given,
                rests_on=(own,),
                free_text=Text in get_args(info.annotation),
            )
    return facts


def _own_facts(record: type, prefix: str) -> Iterator[tuple[str, Fact]]:
    for name, hint in _hints(record).items():
        if name == "given":
            continue
        if isinstance(hint, type) and issubclass(hint, Part):
            yield from _own_facts(hint, f"{prefix}{name}.")
            continue
        means = next(iter(getattr(hint, "__metadata__", ())), None)
        plain = hint if means is None else hint.__origin__
        if means is None and kind_of(plain).scope is None:
            raise TypeError(f"{record.__name__}.{name} says neither what it means nor WORKING")
        if means is not WORKING:
            means = means or Means("")
            rests_on = means.rests_on or getattr(record, "RESTS_ON", ())
            yield (
                name,
                Fact(
                    type=plain,
                    path=prefix + name,
                    text=means.text,
                    rests_on=rests_on,
                    lacks=means.lacks,
                    tables=means.tables,
                ),
            )
