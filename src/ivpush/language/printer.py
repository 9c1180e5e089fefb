"""Prints checked expressions as Python source; constants are bound as values, never spelled.

``compiler`` and ``messages`` make functions of what is printed here. In generated code these names
have a meaning, and no others occur:

    e  the facts of the encounter          p  policies in force      v_NAME  a loop variable
    s  the facts of the subject            l  limits in force        tN      a value in passing
    m  the memo of what was worked out about the encounter           kN      a bound constant
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import count
from sys import intern
from typing import Any

from ivpush.language.tree import AGGREGATES, FLAG, Node, Number, fold
from ivpush.language.vocabulary import Names

__all__ = ["Printer", "function"]


# Kleene's logic over gathered values: a value that decides beats an unknown one.
def _any3(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _all3(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _count3(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _min3(values: list[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return min(known) if known and len(known) == len(values) else None


def _max3(values: list[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return max(known) if known and len(known) == len(values) else None


def _overlaps(left: Iterable[object], right: Iterable[object]) -> bool:
    return not frozenset(left).isdisjoint(right)


def _subset(left: Iterable[object], right: Iterable[object]) -> bool:
    return frozenset(left).issubset(right)


# Paths repeat from claim to claim; the bound keeps the memory of a long batch flat.
@lru_cache(maxsize=16_384)
def _path(place: str, index: int, name: str) -> str:
    return f"{place}[{index}].{name}"


_HELPERS = {
    "any3": _any3,
    "all3": _all3,
    "count3": _count3,
    "min3": _min3,
    "max3": _max3,
    "overlaps": _overlaps,
    "subset": _subset,
    "path": _path,
    "fold": fold,
    "len": len,
    "frozenset": frozenset,
}
"""All that generated code can call."""


class Printer:
    """Prints nodes as Python expressions.

    A printer serves one function: it hands out the names of its constants and passing values.

        printer = Printer(names)
        text = printer.print(node)
        judge = function("judge", [f"return {text}"], printer, "IVP104")

    With ``memo`` what is said of the whole encounter is worked out once and kept in ``m``.
    """

    def __init__(self, names: Names, *, memo: bool = False) -> None:
        self.names, self.memo = names, memo
        self.bound: dict[str, object] = {}
        self._temps = count()

    def temp(self) -> str:
        """A fresh name for a value in passing."""
        return f"t{next(self._temps)}"

    def constant(self, value: object) -> str:
        """The name that a constant is bound to."""
        name = f"k{len(self.bound)}"
        self.bound[name] = value
        return name

    def print(self, node: Node) -> str:
        """The source of an expression."""
        op = node.op
        if op in {"const", "set"}:
            # Only numbers and flags are spelled out: a text is bound, so that none becomes code.
            return str(node.value) if type(node.value) in {int, bool} else self.constant(node.value)
        if op == "root":
            return "e" if node.name == "encounter" else "s"
        if op == "var":
            return f"v_{node.name}"
        if op == "given":
            return f"s[{self.constant(node.name)}]"  # a word handed in with a reason
        if op in {"policy", "limits"}:
            return f"{op[0]}.{node.name}"
        if op == "fact":
            return self._fact(node)
        if op in {"and", "or"}:
            return self._junction(node)
        if op in AGGREGATES:
            return self._aggregate(node)
        return self._operator(node)

    def _fact(self, node: Node) -> str:
        """A fact of a record; None where the record is."""
        record = node.args[0]
        path = self.names.fact(node).path
        source = self.print(record)
        if not record.kind.nullable:
            return f"{source}.{path}"
        temp = self.temp()
        return f"(None if ({temp} := {source}) is None else {temp}.{path})"

    def _junction(self, node: Node) -> str:
        """``and`` or ``or`` of three values; plain Python where nothing may be unknown."""
        parts = [(self.print(arg), arg.kind.nullable) for arg in node.args]
        if not node.kind.nullable:
            return "(" + f" {node.op} ".join(text for text, _ in parts) + ")"
        strong, weak = ("True", "False") if node.op == "or" else ("False", "True")
        # Built from the right: each operand holds the rest, so that Python stops where one decides.
        source, _ = parts[-1]
        for text, nullable in reversed(parts[:-1]):
            if nullable:
                source = self._either(text, source, strong, weak)
            else:
                test = text if node.op == "or" else f"not {text}"
                source = f"({strong} if {test} else {source})"
        return source

    def _either(self, text: str, rest: str, strong: str, weak: str) -> str:
        """Two operands of which the first may be unknown: a strong one decides, a weak one not."""
        first, second = self.temp(), self.temp()
        return (
            f"({strong} if ({first} := {text}) is {strong} else "
            f"({first} if ({second} := {rest}) is {weak} else {second}))"
        )

    def _operator(self, node: Node) -> str:
        if node.op == "known":
            if node.args[0].op == "const":
                return "True"  # Python warns of a constant that is compared with None
            return f"({self.print(node.args[0])} is not None)"
        if node.op == "surely":
            return f"({self.print(node.args[0])} is True)"
        if node.op == "is":
            # An unknown operand is None, which equals no constant.
            return f"({self.print(node.args[0])} == {self.print(node.args[1])})"
        return self._lifted(node)

    def _lifted(self, node: Node) -> str:
        """An operator that is unknown where an operand is."""
        tests, texts = [], []
        for arg in node.args:
            text = self.print(arg)
            if arg.kind.nullable:
                temp = self.temp()
                # Kept by := because it is both tested and used; printed twice it would run twice.
                tests.append(f"({temp} := {text}) is None")
                text = temp
            texts.append(text)
        source = _operation(node, texts)
        return f"(None if {' or '.join(tests)} else {source})" if tests else f"({source})"

    def _aggregate(self, node: Node) -> str:
        """A comprehension; one about the whole encounter is worked out once for all subjects.

        So a claim of many lines is not scanned once for each of them.
        """
        text = self._comprehension(node)
        if not self.memo or not _of_encounter(node):
            return text
        # The tree as text is the key: a test that several rules share is worked out once.
        temp, key = self.temp(), self.constant(intern(repr(node)))
        # e stands for "not kept yet": no expression is ever worth the encounter itself.
        return f"({temp} if ({temp} := m.get({key}, e)) is not e else m.setdefault({key}, {text}))"

    def _comprehension(self, node: Node) -> str:
        rows = node.args[0]
        source = self.print(rows)
        temp = self.temp() if rows.kind.nullable else ""
        gather = self._values if node.op in {"sum", "min", "max"} else self._verdicts
        text = gather(node, temp or source)
        return f"(None if ({temp} := {source}) is None else {text})" if temp else text

    def _verdicts(self, node: Node, rows: str) -> str:
        """``any``, ``all`` or ``count`` of what each row comes to."""
        item, conditions = node.args[1], node.args[2:]
        unsure = any(part.kind.nullable for part in (item, *conditions))
        test = self.print(item) if not conditions else self._tested(node, unsure=unsure)
        values = f"[{test} for v_{node.name} in {rows}]"
        if unsure or node.op == "count":
            return f"{node.op}3({values})"
        return f"(True in {values})" if node.op == "any" else f"(False not in {values})"

    def _tested(self, node: Node, *, unsure: bool) -> str:
        """A row under its conditions: all of them hold for any, and one fails for all."""
        item, conditions = node.args[1], node.args[2:]
        op = "and"
        if node.op == "all":
            op = "or"
            conditions = tuple(Node("not", part.kind, (part,)) for part in conditions)
        return self._junction(Node(op, item.kind.opened(unsure), (*conditions, item)))

    def _values(self, node: Node, rows: str) -> str:
        """``sum``, ``min`` or ``max`` of the rows that count."""
        item, conditions = node.args[1], node.args[2:]
        value, row = self.print(item), f"v_{node.name}"
        name = {"sum": "count3"}.get(node.op, f"{node.op}3")
        if not any(condition.kind.nullable for condition in conditions):
            guard = "".join(f" if {self.print(condition)}" for condition in conditions)
            return f"{name}([{value} for {row} in {rows}{guard}])"
        # An unknown condition makes the whole unknown: it puts an unknown among the values.
        test, mark = self._junction(Node("and", FLAG.opened(True), conditions)), self.temp()
        return (
            f"{name}([None if {mark} is None else {value} for {row} in {rows} "
            f"if ({mark} := {test}) is not False])"
        )


def _operation(node: Node, texts: list[str]) -> str:
    """An operation on operands that are known."""
    op, first = node.op, texts[0]
    match op:
        case "not":
            return f"not {first}"
        case "minus":
            return f"-{first}"
        case "cmp" | "arith":
            return f"{first} {node.name} {texts[1]}"
        case "in":
            return f"{first} in {texts[1]}"
        case "notin":
            return f"{first} not in {texts[1]}"
        # Texts are frozensets and compare at once; a record's list is a tuple, so a helper does it.
        case "overlaps" if node.args[0].kind.name == "texts":
            return f"not {first}.isdisjoint({texts[1]})"
        case "overlaps" | "subset":
            return f"{op}({first}, {texts[1]})"
        case "fold":
            return f"fold({first})"
        case "size":
            return f"len({first})"
    return f"len({first}) == 0"


def _of_encounter(node: Node) -> bool:
    """Whether an expression rests on the encounter alone: no subject, no row of a loop around."""
    parts = list(node.walk())
    bound = {part.name for part in parts if part.op in AGGREGATES}
    return not any(
        (part.op == "root" and part.name != "encounter")
        or (part.op == "var" and part.name not in bound)
        for part in parts
    )


def function(
    name: str, lines: list[str], printer: Printer, label: str, parameters: str = "e, s, p, l"
) -> Any:
    """A function made of printed lines; it sees the helpers and the printer's constants only.

    ``label`` names the rule in tracebacks.
    """
    source = f"def {name}({parameters}):\n" + "\n".join(f"    {line}" for line in lines)
    # Without builtins even wrongly printed code reaches nothing but these names.
    space: dict[str, object] = {"__builtins__": {}, **_HELPERS, **printer.bound}
    exec(compile(source, f"<rule {label}>", "exec"), space)
    return space[name]
