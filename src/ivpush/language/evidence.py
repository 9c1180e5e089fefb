"""Which fields of the contract decided a finding: statements that gather their paths.

``compiler`` makes one function a rule of them. It runs only for a finding, so ``when`` is known to
be true and ``require`` to be false: of an ``or`` that is true the first true part decided, of an
``and`` that is false the first false one, of ``any`` the first row that satisfies it.
"""

from __future__ import annotations

from ivpush.contract.encounter import Encounter
from ivpush.contract.means import SHAPING
from ivpush.language.printer import Printer
from ivpush.language.tree import Node, facts_in, loops_in

__all__ = ["evidence_lines", "place_of"]

_LISTED = {"administration": "administrations", "line": "lines"}
"""Scopes whose records stand in a list of the encounter, so that their paths carry an index."""

_BILL = frozenset({"type_of_bill"})
_CHARTED = frozenset({"administration", "service"})
"""Scopes of what was charted."""

_NOTHING = "(None, ())"


def evidence_lines(when: Node | None, require: Node, printer: Printer) -> list[str]:
    """Statements that return the paths of stated fields by which a rule is broken.

    Where nothing of it is stated, the paths are those of the fields that are lacking.
    """
    lines = [] if when is None else _why(when, truth=True, printer=printer)
    lines += _why(require, truth=False, printer=printer)
    return ["out, bare, shaped = [], [], e.shaped_by()", *lines, "return out or bare"]


def place_of(record: Node, name: str, printer: Printer, text: str) -> str:
    """Source of a fact's path, such as ``administrations[2].start``."""
    scope = record.kind.scope
    if scope in _LISTED:
        return f"path({printer.constant(_LISTED[scope])}, {text}.index, {printer.constant(name)})"
    # The claim's lines are a field of the encounter.
    return printer.constant(name if scope in {"encounter", "claim"} else f"{scope}.{name}")


def _why(node: Node, *, truth: bool, printer: Printer) -> list[str]:
    """Statements that gather what made a node true, or false."""
    if node.op == "not":
        return _why(node.args[0], truth=not truth, printer=printer)
    if node.op == "surely" and truth:
        return _why(node.args[0], truth=True, printer=printer)
    if node.op in {"known", "surely"} and not truth:
        # What is stated did not decide that: with less of it, still nobody would know.
        return _all_of(node, printer, stated="bare")
    if node.op in {"and", "or"}:
        if (node.op == "or") is truth:
            return _first(node.args, truth=truth, printer=printer)
        return [line for arg in node.args for line in _why(arg, truth=truth, printer=printer)]
    if (node.op == "any" and truth) or (node.op == "all" and not truth):
        return _first_row(node, truth=truth, printer=printer)
    return _all_of(node, printer)


def _first(parts: tuple[Node, ...], *, truth: bool, printer: Printer) -> list[str]:
    """What the first part says that has the value by itself: it settles the whole."""
    lines: list[str] = []
    for part in parts:
        body = _why(part, truth=truth, printer=printer) or ["pass"]
        lines.append(f"{'elif' if lines else 'if'} ({printer.print(part)}) is {truth}:")
        lines += [f"    {line}" for line in body]
    return lines


def _first_row(node: Node, *, truth: bool, printer: Printer) -> list[str]:
    """What the first row says that has the value by itself, and that it counts."""
    rows, item, *conditions = node.args
    tests = [f"({printer.print(condition)})" for condition in conditions]
    tests.append(f"({printer.print(item)}) is {truth}")
    body = [
        line for condition in conditions for line in _why(condition, truth=True, printer=printer)
    ]
    body += _why(item, truth=truth, printer=printer)
    return [
        f"for v_{node.name} in {printer.print(rows)} or ():",
        f"    if {' and '.join(tests)}:",
        *(f"        {line}" for line in body),
        "        break",
        # A row whose own fields say nothing still is part of its list.
        *([] if body else _all_of(rows, printer)),
    ]


def _all_of(node: Node, printer: Printer, *, stated: str = "out") -> list[str]:
    """Every fact of a node, and of the rows of its comprehensions; ``stated`` takes the paths."""
    lines = [line for fact in facts_in(node) for line in _fact(fact, printer, stated)]
    for loop in loops_in(node):
        body = [line for part in loop.args[1:] for line in _all_of(part, printer, stated=stated)]
        if body:
            lines += [f"for v_{loop.name} in {printer.print(loop.args[0])} or ():"]
            lines += [f"    {line}" for line in _counting(loop, body, printer)]
    return lines


def _counting(loop: Node, body: list[str], printer: Printer) -> list[str]:
    """What one row says; a row that is not counted takes no part in a count."""
    if loop.op != "count":
        return body
    tests = " and ".join(f"({printer.print(part)}) is True" for part in loop.args[1:])
    return [f"if {tests}:", *(f"    {line}" for line in body)]


def _fact(fact: Node, printer: Printer, stated: str) -> list[str]:
    """Statements for one fact: a path for each field that it rests on, where that is stated."""
    record = fact.args[0]
    # A record that may be missing has no index; the fact that leads to it is named instead.
    if record.kind.nullable:
        return []
    lines: list[str] = []
    paths = _rests_on(fact, printer)
    shaping = _shaping(record, paths)
    for path in paths:
        if path.startswith("."):
            lines += _own_field(record, path[1:], printer, stated)
        elif path in shaping:
            place = printer.constant(path)
            lines.append(f"if {place} in shaped: {stated}.append({place})")
        else:
            # An empty chart or claim says that nothing was given or billed, which is stated.
            unstated = printer.constant(Encounter.model_fields[path].default)
            place = printer.constant(path)
            lines.append(f"({stated} if e.given.{path} != {unstated} else bare).append({place})")
    return lines


def _shaping(record: Node, paths: tuple[str, ...]) -> frozenset[str]:
    """Those of the paths that count only where they shaped the coding of the chart."""
    if not SHAPING.issubset(paths):
        # Alone it is what the fact is about; beside others it seldom decides.
        return frozenset() if _BILL.issuperset(paths) else _BILL
    # Lines of a claim rest on each other; a chart seldom rests on them.
    return SHAPING | {"lines"} if record.kind.scope in _CHARTED else SHAPING


def _own_field(record: Node, name: str, printer: Printer, stated: str) -> list[str]:
    """Statements for one field of a record of the contract."""
    text = printer.print(record)
    place = place_of(record, name, printer, text)
    if record.kind.scope != "administration":
        return [f"({stated} if {text}.given.{name} not in {_NOTHING} else bare).append({place})"]
    charted = f"e.given.administrations[{text}.index].{name}"
    named = place_of(record, "drug", printer, text)
    return [
        f"if {charted} not in {_NOTHING}: {stated}.append({place})",
        # A rate, a route and more may stand in the drug's own text.
        f"elif {text}.given.{name} not in {_NOTHING}: {stated}.append({named})",
        f"else: bare.append({place})",
    ]


def _rests_on(fact: Node, printer: Printer) -> tuple[str, ...]:
    """The contract's fields that a fact rests on."""
    if fact.kind.name == "record" and not fact.kind.nullable:
        return ()  # its facts say what they rest on
    return printer.names.fact(fact).rests_on
