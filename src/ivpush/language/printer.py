"""Prints checked expressions as Python source; constants are bound as values, never spelled.

One expression is worth True, False or None; only subtrees that may be unknown get None tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from sys import intern
from typing import Any

from ivpush.language.tree import Node
from ivpush.language.vocabulary import Names

__all__ = [
    "Printer",
    "function",
    "narrowed",
    "told",
]


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


class Printer:
    """Prints nodes as Python expressions; constants and words are bound, never spelled.

    With ``settled`` given, policies and limits are bound as the values they have there, and the
    subject's contract record is read from the local name ``g``.
    """

    def __init__(self, names: Names, settled: Mapping[str, Any] | None = None) -> None:
        self.names, self.settled = names, settled
        self.bound: dict[str, Any] = {}
        self.temps = 0

    def temp(self) -> str:
        """A fresh name for a value in passing."""
        self.temps += 1
        return f"t{self.temps}"

    def constant(self, value: Any) -> str:
        """The name that a constant is bound to."""
        name = f"k{len(self.bound)}"
        self.bound[name] = value
        return name

    def print(self, node: Node) -> str:
        """The source of an expression."""
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
        """A fact of a record; None where the record is."""
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
        """``and`` or ``or`` of three values; plain where nothing may be unknown."""
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
        """An operation on operands that are known."""
        op = node.op
        if op == "not":
            return f"not {texts[0]}"
        if op == "minus":
            return f"-{texts[0]}"
        if op in {"cmp", "arith"}:
            return f"{texts[0]} {node.value} {texts[1]}"
        if op in {"in", "notin"}:
            return f"{texts[0]} {'in' if op == 'in' else 'not in'} {texts[1]}"
        if op == "overlaps" and node.args[0].kind.name == "texts":
            return f"not {texts[0]}.isdisjoint({texts[1]})"
        if op in {"overlaps", "subset"}:
            return f"{op}({texts[0]}, {texts[1]})"
        return f"len({texts[0]})" if op == "size" else f"len({texts[0]}) == 0"

    def aggregate(self, node: Node) -> str:
        """A comprehension; with settled policies one about the whole encounter is worked out once.

        What it comes to is kept in the memo ``m``, so that a screen of many lines does not
        scan the claim for each of them.
        """
        text = self.comprehension(node)
        if self.settled is None or not _of_encounter(node):
            return text
        temp, key = self.temp(), self.constant(intern(repr(node)))
        return (f"({temp} if ({temp} := m.get({key}, e)) is not e "
                f"else m.setdefault({key}, {text}))")  # fmt: skip

    def comprehension(self, node: Node) -> str:
        """A comprehension, short-circuiting where nothing may be unknown."""
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
        """The rows of a comprehension, with None where a test is unknown."""
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


Told = frozenset[tuple[Any, Any]]
"""Facts of a root record that a test before has shown to be known: root and name."""
_LOOPS = frozenset({"any", "all", "count", "sum", "min", "max"})


def told(node: Node) -> Told:
    """The facts that are known wherever an expression is true, as far as it says so itself."""
    if node.op == "known" and _of_root(node.args[0]):
        return frozenset({(node.args[0].args[0].value, node.args[0].value)})
    if node.op == "and":
        return frozenset().union(*(told(one) for one in node.args))
    return frozenset()


def narrowed(node: Node, sure: Told) -> Node:
    """The same expression without the care for null where a test before rules it out.

    Facts in ``sure`` are known, and so are those that an earlier operand of ``and`` asks for.
    """
    if node.op == "fact" and _of_root(node) and (node.args[0].value, node.value) in sure:
        return replace(node, kind=replace(node.kind, nullable=False))
    if not node.args or node.op in _LOOPS or node.op in {"fact", "known"}:
        return node
    made = []
    for one in node.args:
        made.append(narrowed(one, sure))
        if node.op == "and":
            sure |= told(one)
    nullable = node.kind.nullable and any(one.kind.nullable for one in made)
    return replace(node, args=tuple(made), kind=replace(node.kind, nullable=nullable))


def _of_encounter(node: Node) -> bool:
    """Whether an expression rests on the encounter alone: no subject, no row of a loop around."""
    parts = list(node.walk())
    bound = {one.value for one in parts if one.op in _LOOPS}
    return not any(
        (one.op == "root" and one.value != "encounter")
        or (one.op == "var" and one.value not in bound)
        for one in parts
    )


def _of_root(node: Node) -> bool:
    return node.op == "fact" and node.args[0].op == "root"


def function(
    name: str, lines: list[str], printer: Printer, label: str, given: str = "e, s, p, l"
) -> Any:
    """A function made of printed lines; it sees the helpers and the printer's constants only."""
    source = f"def {name}({given}):\n" + "\n".join(f"    {line}" for line in lines)
    space: dict[str, Any] = {"__builtins__": {}, **_HELPERS, **printer.bound}
    exec(compile(source, f"<rule {label}>", "exec"), space)
    return space[name]
