"""Turns checked expressions into generated Python functions, and messages into templates.

A rule becomes a judge and, when asked for, what it lacked and what it looked at; rules of one
subject are fused into one function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ivpush.contract.encounter import Encounter
from ivpush.language.evaluator import evaluate, folded
from ivpush.language.printer import Printer, function, narrowed, told
from ivpush.language.tree import Node
from ivpush.language.vocabulary import Names

__all__ = [
    "Compiled",
    "compile_rule",
    "fuse",
]

HOLDS, BROKEN, UNKNOWN = 0, 1, 2
WHOLE = tuple(name for name in Encounter.model_fields if name != "id")
"""The evidence of a fact that rests on the whole encounter: every field of it."""

Judge = Callable[[Any, Any, Any, Any], int]
_HELD = "e, s, p, l, held"
_LISTED = {"administration": "administrations", "line": "lines"}


class Compiled:
    """One rule ready to run: ``judge`` gives 0 holds, 1 broken, 2 unknown."""

    __slots__ = ("_evidence", "_label", "_missing", "_names", "_require", "_when", "judge")
    judge: Judge

    def __init__(self, when: Node | None, require: Node, names: Names, label: str) -> None:
        self._when, self._require, self._names, self._label = when, require, names, label
        self._missing: list[Callable[..., bool]] | None = None
        self._evidence: Callable[..., list[str]] | None = None
        self.judge = self._first

    def _first(self, e: Any, s: Any, p: Any, l: Any) -> int:  # noqa: E741 - limits
        self.judge = self._built()
        return self.judge(e, s, p, l)

    def _built(self) -> Judge:
        printer, lines = Printer(self._names), []
        if self._when is not None:
            text = printer.print(self._when)
            if self._when.kind.nullable:
                lines += [f"w = {text}", "if not w: return 0 if w is False else 2"]
            else:
                lines.append(f"if not {text}: return 0")
        text = printer.print(self._require)
        if self._require.kind.nullable:
            lines += [f"r = {text}", "return 0 if r else 1 if r is False else 2"]
        else:
            lines.append(f"return 0 if {text} else 1")
        made: Judge = function("judge", lines, printer, self._label)
        return made

    @property
    def reads_given(self) -> bool:
        """Whether the rule reads a field of its subject's contract record."""
        nodes = [node for top in (self._when, self._require) if top is not None
                 for node in top.walk()]  # fmt: skip
        return any(
            node.op == "fact" and node.args[0].op == "root" and node.args[0].value == "subject"
            and self._names.scopes[node.args[0].kind.scope or ""][node.value].path[:6] == "given."
            for node in nodes
        )  # fmt: skip

    def inlined(self, number: int, printer: Printer, known: _Open) -> list[str]:
        """Statements that append a broken rule's number to ``out``, or an unjudged one's ``~``.

        What is ``known`` is written in as what it comes to.
        """
        lines: list[str] = []
        pad = ""
        sure: frozenset[tuple[Any, Any]] = frozenset()
        when = None if self._when is None else folded(self._when, self._names, known)
        if when is not None and when.value is not True:
            when, sure = narrowed(when, sure), told(when)
            text = printer.print(when)
            if when.kind.nullable:
                lines += [f"w = {text}", f"if w is None: out.append({~number})", "elif w:"]
            else:
                lines.append(f"if {text}:")
            pad = "    "
        require = narrowed(folded(self._require, self._names, known), sure)
        text = printer.print(require)
        if require.kind.nullable:
            told_by = f"{~number} if r is None else {number}"
            lines += [f"{pad}r = {text}", f"{pad}if not r: out.append({told_by})"]
        else:
            lines.append(f"{pad}if not {text}: out.append({number})")
        return lines

    def settled(self, env: Mapping[str, Any]) -> bool:
        """Whether the rule cannot be broken nor unjudged, whatever the facts left open by ``env``.

        Either it never applies, or it is known to apply or not and always holds.
        """
        known = _Open(env)
        applies = True if self._when is None else evaluate(self._when, self._names, known)
        if applies is False:
            return True
        if applies is None and self._when is not None and self._when.kind.nullable:
            return False
        return evaluate(self._require, self._names, known) is True

    def missing(
        self,
        e: Any,
        s: Any,
        p: Any,
        l: Any,  # noqa: E741 - limits
        held: dict[str, bool] | None = None,
    ) -> dict[str, bool]:
        """The null facts for which the rule could not be judged, as paths in order.

        They are added to ``held`` where it is given.
        """
        if self._missing is None:
            self._missing = [
                function("missing", _missing_lines(node, printer), printer, self._label, _HELD)
                for node in (self._when, self._require)
                if node is not None
                for printer in (Printer(self._names),)
            ]
        held = {} if held is None else held
        for collect in self._missing:
            if collect(e, s, p, l, held):
                break
        return held

    def evidence(self, e: Any, s: Any, p: Any, l: Any) -> tuple[str, ...]:  # noqa: E741 - limits
        """Paths of the contract's fields that the verdict rests on."""
        if self._evidence is None:
            printer = Printer(self._names)
            nodes = [one for one in (self._when, self._require) if one is not None]
            lines = _evidence_lines(nodes, printer)
            self._evidence = function("evidence", lines, printer, self._label)
        return tuple(dict.fromkeys(self._evidence(e, s, p, l)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self._when, self._require, self._names, self._label)


def fuse(
    rules: Sequence[Compiled], names: Names, settled: Mapping[str, Any]
) -> Callable[..., list[int]]:
    """One function for many rules on one subject, under settled policies, limits and facts.

    ``settled`` holds ``policy`` and ``limits``, and may hold plain dictionaries of those facts of
    ``encounter`` and ``subject`` that are the same wherever the function is used.

    It takes the encounter, the subject and a memo of what was worked out about the encounter for
    other subjects (none: everything anew). It returns the positions of the rules that are broken,
    and the complements (``~n``) of those that could not be judged.
    """
    printer, known = Printer(names, settled), _Open({"open": True, **settled})
    lines = ["out = []", "m = {} if m is None else m"]
    lines += ["g = s.given" if any(r.reads_given for r in rules) else "g = None"]
    for number, rule in enumerate(rules):
        lines += rule.inlined(number, printer, known)
    made: Callable[..., list[int]] = function(
        "screen", [*lines, "return out"], printer, "screen", "e, s, m=None"
    )
    return made


def compile_rule(when: Node | None, require: Node, names: Names, label: str) -> Compiled:
    """A rule that generates its function on first use; ``label`` names it in tracebacks."""
    return Compiled(when, require, names, label)


def _facts(node: Node) -> Iterator[Node]:
    """Fact nodes outside of comprehensions, parents first."""
    if node.op in {"any", "all", "count", "sum", "min", "max"}:
        yield from _facts(node.args[0])
        return
    if node.op == "fact":
        yield node
    for one in node.args:
        yield from _facts(one)


def _loops(node: Node) -> Iterator[Node]:
    """Comprehensions outside of comprehensions."""
    if node.op in {"any", "all", "count", "sum", "min", "max"}:
        yield node
        return
    for one in node.args:
        yield from _loops(one)


def _place(record: Node, name: str, printer: Printer, text: str) -> str:
    """Source of a fact's path."""
    scope = record.kind.scope or ""
    if scope in _LISTED:
        return f"path({printer.constant(_LISTED[scope])}, {text}.index, {printer.constant(name)})"
    return printer.constant(name if scope == "encounter" else f"{scope}.{name}")


def _missing_lines(node: Node, printer: Printer) -> list[str]:
    return ["found = False", *_missing_of([node], printer), "return found"]


def _missing_of(nodes: list[Node], printer: Printer) -> list[str]:
    lines: list[str] = []
    seen: set[tuple[Any, ...]] = set()
    for node in nodes:
        for one in _facts(node):
            record = one.args[0]
            kind = printer.names.scopes[record.kind.scope or ""][one.value].kind
            key = (record, one.value)
            if not kind.nullable or key in seen or record.op not in {"root", "var", "fact"}:
                continue
            seen.add(key)
            text = printer.print(record)
            guard = ""
            if record.kind.nullable:
                temp = printer.temp()
                guard, text = f"({temp} := {text}) is not None and ", temp
            fact = printer.names.scopes[record.kind.scope or ""][one.value]
            lines.append(f"if {guard}{text}.{fact.path} is None:")
            for lack in fact.lacks:
                place = _place(record, lack[1:], printer, text)
                lines.append(f"    if {text}.given{lack} is None: held[{place}] = True")
            if not fact.lacks:
                lines.append(f"    held[{_place(record, one.value, printer, text)}] = True")
            lines.append("    found = True")
        for loop in _loops(node):
            body = _missing_of(list(loop.args[1:]), printer)
            if body:
                rows = printer.print(loop.args[0])
                lines.append(f"for v_{loop.value} in {rows} or ():")
                lines += [f"    {line}" for line in body]
            source = loop.args[0]
            if loop.op in {"min", "max"} and source.op == "fact":
                # Of no rows that count there is no least: the list itself is what is missing.
                place = _place(source.args[0], source.value, printer,
                               printer.print(source.args[0]))  # fmt: skip
                counts = " and ".join(f"({printer.print(one)})" for one in loop.args[2:]) or "True"
                rows = f"[1 for v_{loop.value} in {printer.print(source)} or () if {counts}]"
                lines.append(f"if not {rows}: held[{place}] = found = True")
    return lines


def _evidence_lines(nodes: list[Node], printer: Printer) -> list[str]:
    for node in nodes:
        for one in node.walk():
            if one.op == "fact" and not _rests(one, printer):
                return [f"return {printer.constant(list(WHOLE))}"]
    return ["out = []", *_evidence_of(nodes, printer), "return out"]


def _rests(node: Node, printer: Printer) -> tuple[str, ...]:
    scope = node.args[0].kind.scope or ""
    if node.kind.name == "record" and node.value in {"supervision", "claim"}:
        return (node.value,)
    return printer.names.scopes[scope][node.value].rests_on


def _evidence_of(nodes: list[Node], printer: Printer) -> list[str]:
    lines: list[str] = []
    for node in nodes:
        for one in _facts(node):
            record = one.args[0]
            if record.kind.nullable:
                continue
            text = printer.print(record)
            for rest in _rests(one, printer):
                if rest.startswith("."):
                    lines.append(f"out.append({_place(record, rest[1:], printer, text)})")
                else:
                    lines.append(f"out.append({printer.constant(rest)})")
        for loop in _loops(node):
            body = _evidence_of(list(loop.args[1:]), printer)
            if body:
                rows = printer.print(loop.args[0])
                lines.append(f"for v_{loop.value} in {rows} or ():")
                lines += [f"    {line}" for line in body]
    return lines


class _Open(dict[str, Any]):
    """An environment of which most is open: what it does not hold is unknown."""

    def __missing__(self, key: str) -> None:
        return None
