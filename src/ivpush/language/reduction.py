"""What is left of an expression once policies, limits and some facts of the subject are settled.

``compiler`` reduces rules before it fuses them: a part that is settled is worked out once, and not
for every record.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivpush.language.evaluator import evaluate
from ivpush.language.tree import AGGREGATES, FLAG, Kind, Node, Value, is_value
from ivpush.language.vocabulary import Names
from ivpush.records import record

__all__ = ["Settled", "reduced"]

_CONSTANT = frozenset({"const", "set"})
_LEAVES = _CONSTANT | {"root", "var", "given"}
"""Constants, and what stands for a record or a word that is known only when a function runs."""


@record
class Settled:
    """What is known before any record comes.

    ``values`` holds ``policy`` and ``limits``, and a ``subject`` if there are ``paths``: these
    begin the paths of those of its facts that are settled, such as ``coded.``.
    """

    values: Mapping[str, object]
    paths: tuple[str, ...] = ()


def reduced(node: Node, names: Names, settled: Settled) -> Node:
    """The expression with each part worked out that rests on settled facts alone.

    It is worth what the whole expression is worth for every record that shares those facts.
    """
    if node.op in _LEAVES:
        return node
    if node.op in {"policy", "limits"} or _is_settled(node, names, settled):
        worth = evaluate(node, names, settled.values)
        return _constant(node, worth) if is_value(worth) else node
    if node.op in {"and", "or"}:
        return _junction(node, names, settled)
    args = tuple([reduced(arg, names, settled) for arg in node.args])
    left = node._replace(args=args, kind=_kind(node, args))
    if all(arg.op in _CONSTANT for arg in args):
        worth = evaluate(left, names, {})
        return _constant(node, worth) if is_value(worth) else left
    return left


def _is_settled(node: Node, names: Names, settled: Settled) -> bool:
    """Whether a node is a fact of the subject that is the same for all records meant."""
    if node.op != "fact" or node.args[0].op != "root" or node.args[0].name == "encounter":
        return False
    return names.fact(node).path.startswith(settled.paths)


def _constant(node: Node, value: Value | None) -> Node:
    return Node("const", node.kind.opened(value is None), value=value, column=node.column)


def _kind(node: Node, args: tuple[Node, ...]) -> Kind:
    """The kind of an operator: it is unknown only where an operand may be."""
    if node.op in AGGREGATES or node.op == "fact":
        return node.kind
    return node.kind.opened(node.kind.nullable and any(arg.kind.nullable for arg in args))


def _junction(node: Node, names: Names, settled: Settled) -> Node:
    """``and`` or ``or`` without the operands that decide nothing."""
    strong, left = node.op == "or", []
    for operand in node.args:
        arg = reduced(operand, names, settled)
        if arg.value is None:
            left.append(arg)
        # One operand with the deciding value settles the whole, even beside an unknown one.
        elif arg.value is strong:
            return _constant(node, strong)
    if not left:
        return _constant(node, not strong)
    if len(left) == 1:
        return left[0]
    kind = FLAG.opened(any(arg.kind.nullable for arg in left))
    return node._replace(args=tuple(left), kind=kind)
