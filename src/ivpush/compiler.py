"""Turns checked expressions into generated Python functions, and messages into templates.

Only our own printer writes source: names come from the vocabulary, constants are bound as values.
One expression is worth True, False or None; only subtrees that may be unknown get None tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ivpush.evaluator import evaluate
from ivpush.language import ExpressionError, Names, Node, path_of
from ivpush.models import Encounter

__all__ = ["Compiled", "Template", "compile_rule", "fuse", "parse_template"]

HOLDS, BROKEN, UNKNOWN = 0, 1, 2
WHOLE = tuple(name for name in Encounter.model_fields if name != "id")
"""The evidence of a fact that rests on the whole encounter: every field of it."""

Judge = Callable[[Any, Any, Any, Any], int]
_HELD = "e, s, p, l, held"
_LISTED = {"administration": "administrations", "line": "lines"}


def _any3(values: list[Any]) -> bool | None:
    return True if True in values else None if None in values else False


def _all3(values: list[Any]) -> bool | None:
    return False if False in values else None if None in values else True


def _count3(values: list[Any]) -> int | None:
    return None if None in values else sum(values)


def _min3(values: list[Any]) -> Any:
    return None if None in values or not values else min(values)


def _max3(values: list[Any]) -> Any:
    return None if None in values or not values else max(values)


def _overlaps(one: Any, other: Any) -> bool:
    return not frozenset(one).isdisjoint(other)


def _subset(one: Any, other: Any) -> bool:
    return frozenset(one).issubset(other)


@lru_cache(maxsize=16_384)
def _path(place: str, index: int, name: str) -> str:
    return f"{place}[{index}].{name}"


_HELPERS = {
    "any3": _any3, "all3": _all3, "count3": _count3, "min3": _min3, "max3": _max3,
    "overlaps": _overlaps, "subset": _subset, "path": _path, "len": len, "frozenset": frozenset,
}  # fmt: skip


class _Printer:
    """Prints nodes as Python expressions; constants and words are bound, never spelled.

    With ``settled`` given, policies and limits are bound as the values they have there, and the
    subject's contract record is read from the local name ``g``.
    """

    def __init__(self, names: Names, settled: Mapping[str, Any] | None = None) -> None:
        self.names, self.settled = names, settled
        self.bound: dict[str, Any] = {}
        self.temps = 0

    def temp(self) -> str:
        self.temps += 1
        return f"t{self.temps}"

    def constant(self, value: Any) -> str:
        name = f"k{len(self.bound)}"
        self.bound[name] = value
        return name

    def print(self, node: Node) -> str:
        op = node.op
        if op in {"const", "set"}:
            return str(node.value) if type(node.value) in {int, bool} else self.constant(node.value)
        if op == "root":
            return "e" if node.value == "encounter" else "s"
        if op == "var":
            return f"v_{node.value}"
        if op in {"policy", "limits"}:
            if self.settled is not None:
                return self.constant(getattr(self.settled[op], node.value))
            return f"{op[0]}.{node.value}"
        if op == "fact":
            return self.fact(node)
        if op in {"and", "or"}:
            return self.junction(node)
        if op in {"any", "all", "count", "sum", "min", "max"}:
            return self.aggregate(node)
        return self.lifted(node)

    def fact(self, node: Node) -> str:
        record = node.args[0]
        path = self.names.scopes[record.kind.scope or ""][node.value].path
        inner = self.print(record)
        if not record.kind.nullable:
            if self.settled is not None and inner == "s" and path.startswith("given."):
                return f"g.{path.removeprefix('given.')}"
            return f"{inner}.{path}"
        temp = self.temp()
        return f"(None if ({temp} := {inner}) is None else {temp}.{path})"

    def junction(self, node: Node) -> str:
        parts = [(self.print(one), one.kind.nullable) for one in node.args]
        if not node.kind.nullable:
            return "(" + f" {node.op} ".join(text for text, _ in parts) + ")"
        strong = "True" if node.op == "or" else "False"
        weak = "False" if node.op == "or" else "True"
        out, _ = parts[-1]
        for text, nullable in reversed(parts[:-1]):
            if not nullable:
                test = text if node.op == "or" else f"not {text}"
                out = f"({strong} if {test} else {out})"
                continue
            first, second = self.temp(), self.temp()
            out = (f"({strong} if ({first} := {text}) is {strong} else "
                   f"({first} if ({second} := {out}) is {weak} else {second}))")  # fmt: skip
        return out

    def lifted(self, node: Node) -> str:
        """An operator that is unknown where an operand is."""
        if node.op == "known":
            return f"({self.print(node.args[0])} is not None)"
        tests, texts = [], []
        for one in node.args:
            text = self.print(one)
            if one.kind.nullable:
                temp = self.temp()
                tests.append(f"({temp} := {text}) is None")
                text = temp
            texts.append(text)
        made = self.plain(node, texts)
        return f"(None if {' or '.join(tests)} else {made})" if tests else f"({made})"

    def plain(self, node: Node, texts: list[str]) -> str:
        op = node.op
        if op == "not":
            return f"not {texts[0]}"
        if op == "minus":
            return f"-{texts[0]}"
        if op in {"cmp", "sum"}:
            return f"{texts[0]} {node.value} {texts[1]}"
        if op in {"in", "notin"}:
            return f"{texts[0]} {'in' if op == 'in' else 'not in'} {texts[1]}"
        if op == "overlaps" and node.args[0].kind.name == "texts":
            return f"not {texts[0]}.isdisjoint({texts[1]})"
        if op in {"overlaps", "subset"}:
            return f"{op}({texts[0]}, {texts[1]})"
        return f"len({texts[0]})" if op == "size" else f"len({texts[0]}) == 0"

    def aggregate(self, node: Node) -> str:
        rows, item, conditions = node.args[0], node.args[1], node.args[2:]
        source = self.print(rows)
        temp = self.temp() if rows.kind.nullable else ""
        over = temp or source
        var = f"v_{node.value}"
        unsure = any(one.kind.nullable for one in (item, *conditions))
        if node.op in {"sum", "min", "max"}:
            made = self.gathered(node, var, over, unsure)
        else:
            op = "or" if node.op == "all" else "and"
            kind = item.kind.opened(unsure)
            within = [Node("not", one.kind, (one,)) if node.op == "all" else one
                      for one in conditions]  # fmt: skip
            test = self.junction(Node(op, kind, (*within, item))) if within else self.print(item)
            made = f"[{test} for {var} in {over}]"
            if unsure:
                made = f"{node.op}3({made})"
            elif node.op == "count":
                made = f"count3({made})"
            else:
                strong = "True" if node.op == "any" else "False"
                made = f"({strong} in {made})" if node.op == "any" else f"({strong} not in {made})"
        return f"(None if ({temp} := {source}) is None else {made})" if temp else made

    def gathered(self, node: Node, var: str, over: str, unsure: bool) -> str:
        item, conditions = node.args[1], node.args[2:]
        texts = [self.print(one) for one in conditions]
        value = self.print(item)
        name = {"sum": "count3"}.get(node.op, f"{node.op}3")
        if not unsure or not any(one.kind.nullable for one in conditions):
            guard = "".join(f" if {text}" for text in texts)
            return f"{name}([{value} for {var} in {over}{guard}])"
        # An unknown condition makes the whole unknown: it puts an unknown among the values.
        test = self.junction(Node("and", conditions[0].kind.opened(True), conditions)) if len(
            conditions) > 1 else texts[0]  # fmt: skip
        mark = self.temp()
        return (f"{name}([None if {mark} is None else {value} for {var} in {over} "
                f"if ({mark} := {test}) is not False])")  # fmt: skip


def _function(
    name: str, lines: list[str], printer: _Printer, label: str, given: str = "e, s, p, l"
) -> Any:
    source = f"def {name}({given}):\n" + "\n".join(f"    {line}" for line in lines)
    space: dict[str, Any] = {"__builtins__": {}, **_HELPERS, **printer.bound}
    exec(compile(source, f"<rule {label}>", "exec"), space)
    return space[name]


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
        printer, lines = _Printer(self._names), []
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
        made: Judge = _function("judge", lines, printer, self._label)
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

    def inlined(self, number: int, printer: _Printer) -> list[str]:
        """Statements that append a broken rule's number to ``out``, an unjudged one's complement."""
        lines: list[str] = []
        pad = ""
        if self._when is not None:
            text = printer.print(self._when)
            if self._when.kind.nullable:
                lines += [f"w = {text}", f"if w is None: out.append({~number})", "elif w:"]
            else:
                lines.append(f"if {text}:")
            pad = "    "
        text = printer.print(self._require)
        if self._require.kind.nullable:
            told = f"{~number} if r is None else {number}"
            lines += [f"{pad}r = {text}", f"{pad}if not r: out.append({told})"]
        else:
            lines.append(f"{pad}if not {text}: out.append({number})")
        return lines

    def never(self, env: Mapping[str, Any]) -> bool:
        """Whether the rule cannot apply, whatever the facts that ``env`` leaves open."""
        if self._when is None:
            return False
        return evaluate(self._when, self._names, _Open(env)) is False

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
                _function("missing", _missing_lines(node, printer), printer, self._label, _HELD)
                for node in (self._when, self._require)
                if node is not None
                for printer in (_Printer(self._names),)
            ]
        held = {} if held is None else held
        for collect in self._missing:
            if collect(e, s, p, l, held):
                break
        return held

    def evidence(self, e: Any, s: Any, p: Any, l: Any) -> tuple[str, ...]:  # noqa: E741 - limits
        """Paths of the contract's fields that the verdict rests on."""
        if self._evidence is None:
            printer = _Printer(self._names)
            nodes = [one for one in (self._when, self._require) if one is not None]
            lines = _evidence_lines(nodes, printer)
            self._evidence = _function("evidence", lines, printer, self._label)
        return tuple(dict.fromkeys(self._evidence(e, s, p, l)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self._when, self._require, self._names, self._label)


def fuse(
    rules: Sequence[Compiled], names: Names, settled: Mapping[str, Any]
) -> Callable[[Any, Any], list[int]]:
    """One function for many rules on one subject, under settled policies and limits.

    It returns the positions of the rules that are broken, and the complements (``~n``) of those
    that could not be judged.
    """
    printer = _Printer(names, settled)
    lines = ["out = []", "g = s.given" if any(r.reads_given for r in rules) else "g = None"]
    for number, rule in enumerate(rules):
        lines += rule.inlined(number, printer)
    made: Callable[[Any, Any], list[int]] = _function(
        "screen", [*lines, "return out"], printer, "screen", "e, s"
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


def _place(record: Node, name: str, printer: _Printer, text: str) -> str:
    """Source of a fact's path."""
    scope = record.kind.scope or ""
    if scope in _LISTED:
        return f"path({printer.constant(_LISTED[scope])}, {text}.index, {printer.constant(name)})"
    return printer.constant(name if scope == "encounter" else f"{scope}.{name}")


def _missing_lines(node: Node, printer: _Printer) -> list[str]:
    return ["found = False", *_missing_of([node], printer), "return found"]


def _missing_of(nodes: list[Node], printer: _Printer) -> list[str]:
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
            path = printer.names.scopes[record.kind.scope or ""][one.value].path
            place = _place(record, one.value, printer, text)
            lines.append(f"if {guard}{text}.{path} is None: held[{place}] = found = True")
        for loop in _loops(node):
            body = _missing_of(list(loop.args[1:]), printer)
            if body:
                rows = printer.print(loop.args[0])
                lines.append(f"for v_{loop.value} in {rows} or ():")
                lines += [f"    {line}" for line in body]
    return lines


def _evidence_lines(nodes: list[Node], printer: _Printer) -> list[str]:
    for node in nodes:
        for one in node.walk():
            if one.op == "fact" and not _rests(one, printer):
                return [f"return {printer.constant(list(WHOLE))}"]
    return ["out = []", *_evidence_of(nodes, printer), "return out"]


def _rests(node: Node, printer: _Printer) -> tuple[str, ...]:
    scope = node.args[0].kind.scope or ""
    if node.kind.name == "record" and node.value in {"supervision", "claim"}:
        return (node.value,)
    return printer.names.scopes[scope][node.value].rests_on


def _evidence_of(nodes: list[Node], printer: _Printer) -> list[str]:
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


class Template:
    """A message with paths of the vocabulary in braces; ``render`` fills them in."""

    __slots__ = ("_getters", "_names", "_nodes", "_texts")

    def __init__(self, texts: tuple[str, ...], nodes: tuple[Node, ...], names: Names) -> None:
        self._texts, self._nodes, self._names = texts, nodes, names
        self._getters: list[Callable[..., Any]] | None = None

    def render(self, e: Any, s: Any, p: Any, l: Any) -> str:  # noqa: E741 - limits
        """The message about one subject; a null path prints "not stated"."""
        if self._getters is None:
            made = []
            for node in self._nodes:
                printer = _Printer(self._names)
                made.append(_function("get", [f"return {printer.print(node)}"], printer, "message"))
            self._getters = made
        out = [self._texts[0]]
        for text, get in zip(self._texts[1:], self._getters, strict=True):
            out += (_shown(get(e, s, p, l)), text)
        return "".join(out)

    def __reduce__(self) -> tuple[Any, ...]:
        return Template, (self._texts, self._nodes, self._names)


def _shown(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(value)) or "none"
    if hasattr(value, "hour"):
        return f"{value.hour:02d}:{value.minute:02d}"
    return str(value)


def parse_template(text: str, names: Names, subject: str) -> Template:
    """The template of a message; raises ExpressionError for a path that is not known."""
    if len(text) > 1_000 or text.count("{") > 20:
        raise ExpressionError(1, "is longer than a message may be", "shorten it")
    texts, nodes = [""], []
    for part in re.split(r"(\{\{|\}\}|\{[^{}]*\})", text):
        if part in {"{{", "}}"}:
            texts[-1] += part[0]
        elif part.startswith("{") and part.endswith("}"):
            try:
                nodes.append(path_of(part[1:-1], names, subject))
            except ExpressionError as error:
                column = text.index(part) + 1
                raise ExpressionError(column, error.problem, error.remedy) from None
            texts.append("")
        elif "{" in part or "}" in part:
            raise ExpressionError(text.index(part) + 1, "has a brace without its partner",
                                  "write {{ or }} for a brace")  # fmt: skip
        else:
            texts[-1] += part
    return Template(tuple(texts), tuple(nodes), names)
