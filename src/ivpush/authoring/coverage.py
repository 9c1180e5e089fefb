"""What the cases of a rule show of its conditions: ``ivpush rules test --coverage``.

A condition is a part of ``when`` or ``require`` that holds no ``and``, ``or`` or ``not`` at its
top. A case shows it true (or false) only where it decides: with the opposite value, all others
alike, the verdict would be another one. This is the masking form of modified condition and
decision coverage (MC/DC; RTCA DO-178C names it for software that must not fail).

Of one that may be unknown the cases may also show that: the verdict is open because of it.

The conditions of a comprehension are judged row by row, where the comprehension itself decides.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from ivpush.authoring.cases import EnginesByPolicy, policies_of
from ivpush.authoring.encounters import case_encounter
from ivpush.authoring.judging import subjects_of
from ivpush.engine import Worked
from ivpush.errors import IvpushError
from ivpush.language.evaluator import evaluate, kleene
from ivpush.language.parser import parse
from ivpush.language.tree import Node, loops_in
from ivpush.language.vocabulary import Names
from ivpush.pack.pack import Pack
from ivpush.pack.rule import Rule

__all__ = ["Condition", "coverage_of", "rule_coverage"]

Truth = bool | None
"""Kleene's three: None is unknown."""
_Env = Mapping[str, object]
_Values = Mapping[int, Truth]
"""For each condition, by its identity, what it is worth."""
_JUNCTIONS = frozenset({"and", "or", "not"})


@dataclass(slots=True)
class Condition:
    """One condition of a rule, and the values that its cases show to decide."""

    rule: str
    part: str
    """``when`` or ``require``."""
    text: str
    may_be_unknown: bool
    shown: set[Truth] = field(default_factory=set)

    @property
    def not_shown(self) -> tuple[str, ...]:
        """``true`` and ``false``, as far as no case hangs on its being so."""
        return tuple(str(value).lower() for value in (True, False) if value not in self.shown)

    def __str__(self) -> str:
        return f"{self.rule} {self.part}: {self.text}: never {' or '.join(self.not_shown)}"


class _Decision(NamedTuple):
    """Conditions, and the verdict that their values give: a whole rule, or one row of a loop."""

    conditions: tuple[Node, ...]
    verdict: Callable[[_Values], Truth]

    def deciding(self, values: _Values) -> Iterator[Node]:
        """The conditions whose opposite value, all others alike, would give another verdict."""
        verdict = self.verdict(values)
        for condition in self.conditions:
            value = values[id(condition)]
            # Of an unknown one both values are opposite, and both must differ from "unknown".
            opposite = (True, False) if value is None else (not value,)
            if all(self.verdict({**values, id(condition): v}) != verdict for v in opposite):
                yield condition


def coverage_of(pack: Pack, only: str | None = None) -> Iterator[Condition]:
    """Every condition of every rule, or of the rule with this id or name, in the pack's order."""
    engines = EnginesByPolicy(pack)
    for rule in pack.every_rule:
        if only is None or only in {rule.id, rule.name}:
            yield from rule_coverage(rule, engines)


def rule_coverage(rule: Rule, engines: EnginesByPolicy) -> list[Condition]:
    """The conditions of one rule, with what its own cases show of each."""
    watch = _Watch(rule, engines.pack.names)
    for case in rule.every_case:
        try:
            engine = engines.under(policies_of(case))
            work = engine.work(case_encounter(case, engines.pack.case_date))
        except IvpushError:
            continue  # a case that cannot be run shows nothing, and ``rules test`` says so
        watch.see(work)
    return watch.conditions


class _Watch:
    """One rule under watch: what each encounter shows of its conditions."""

    def __init__(self, rule: Rule, names: Names) -> None:
        self._rule, self._names = rule, names
        self._by_node: dict[int, Condition] = {}
        trees = {part: self._read(part) for part in ("when", "require") if part in rule.texts}
        self._decision = _of_rule(trees.get("when"), trees["require"])

    @property
    def conditions(self) -> list[Condition]:
        return list(self._by_node.values())

    def _read(self, part: str) -> Node:
        """The tree of a part, its conditions enrolled."""
        text = " ".join(self._rule.texts[part].split())
        tree = parse(text, self._names, self._rule.for_each)
        written = _written(text)
        for node in _conditions_within(tree):
            label = written.get(node.column, text)
            condition = Condition(self._rule.id, part, label, may_be_unknown=node.kind.nullable)
            self._by_node[id(node)] = condition
        return tree

    def see(self, work: Worked) -> None:
        """Note what each subject of an encounter shows."""
        for subject in subjects_of(self._rule, work.facts) or ():
            env = {
                "encounter": work.facts,
                "subject": subject,
                "policy": work.book.policy,
                "limits": work.book.limits,
            }
            self._note(self._decision, env)

    def _note(self, decision: _Decision, env: _Env) -> None:
        values = {
            id(condition): _truth(evaluate(condition, self._names, env))
            for condition in decision.conditions
        }
        for condition in decision.deciding(values):
            self._by_node[id(condition)].shown.add(values[id(condition)])
            for loop in loops_in(condition):
                self._note_rows(loop, env)

    def _note_rows(self, loop: Node, env: _Env) -> None:
        rows = evaluate(loop.args[0], self._names, env)
        decision = _of_row(loop)
        for row in rows if isinstance(rows, tuple) else ():
            self._note(decision, {**env, loop.name: row})


def _of_rule(when: Node | None, require: Node) -> _Decision:
    """A rule as a decision: whether it is broken."""

    def broken(values: _Values) -> Truth:
        applies = True if when is None else _worth(when, values)
        # An unknown ``when`` leaves the rule unjudged, even where ``require`` holds.
        return _not(_worth(require, values)) if applies else applies

    conditions = (() if when is None else _conditions(when), _conditions(require))
    return _Decision(tuple(chain(*conditions)), broken)


def _of_row(loop: Node) -> _Decision:
    """One row of a comprehension as a decision: whether it counts."""
    _, item, *within = loop.args
    tests = [*within, item] if item.kind.name == "flag" else within

    def counts(values: _Values) -> Truth:
        *asked, last = [_worth(test, values) for test in tests]
        if loop.op == "all":
            # ``all`` is broken by a row within the conditions of which the item is false.
            last = _not(last)
        return kleene("and", [*asked, last])

    return _Decision(tuple(chain(*map(_conditions, tests))), counts)


def _conditions(node: Node) -> tuple[Node, ...]:
    """The conditions at the top of an expression; a constant is none."""
    if node.op in _JUNCTIONS:
        return tuple(chain.from_iterable(map(_conditions, node.args)))
    return () if node.op == "const" else (node,)


def _conditions_within(node: Node) -> Iterator[Node]:
    """Those at the top, and those of the rows of comprehensions inside them."""
    for condition in _conditions(node):
        yield condition
        for loop in loops_in(condition):
            for test in loop.args[1:]:
                if test.kind.name == "flag":
                    yield from _conditions_within(test)


def _worth(node: Node, values: _Values) -> Truth:
    """What an expression is worth when its conditions have these values."""
    if node.op == "const":
        return _truth(node.value)
    if node.op not in _JUNCTIONS:
        return values[id(node)]
    parts = [_worth(arg, values) for arg in node.args]
    return _not(parts[0]) if node.op == "not" else kleene(node.op, parts)


def _not(value: Truth) -> Truth:
    return None if value is None else not value


def _truth(worth: object) -> Truth:
    assert worth is None or isinstance(worth, bool)
    return worth


def _written(text: str) -> dict[int, str]:
    """For each column the longest condition that begins there, as it is written."""
    longest: dict[int, str] = {}
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.BoolOp) or not isinstance(node, ast.expr):
            continue
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            continue
        segment = ast.get_source_segment(text, node) or text
        # Columns of the language count from 1.
        column = node.col_offset + 1
        longest[column] = max(longest.get(column, ""), segment, key=len)
    return longest
