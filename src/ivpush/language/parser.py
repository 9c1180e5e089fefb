"""The rule language: a closed, typed subset of Python expressions.

A text is read with ``ast`` under caps, checked against the fact vocabulary, and becomes nodes of
our own; nothing of ``ast`` survives. ``pack.rule`` and ``messages`` call it when a pack loads.

An expression is worth true, false or unknown (Kleene): a fact that nobody stated is unknown, and
only subtrees that may be unknown pay for it. Three forms are never unknown: ``known(x)``;
``x is 'push'``, true only where x is known and equal; ``surely(test)``, true only where the test
is known to be true. ``words.NAME`` is a word list of the pack: ``x in words.NAME`` heeds neither
case nor spaces. ``modifier.KIND`` is the modifier of a kind, as modifiers.yaml has it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from ivpush.errors import did_you_mean
from ivpush.language.caps import check_text
from ivpush.language.tree import AGGREGATES, FLAG, TEXT, WHOLE, ExpressionError, Kind, Node
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.language.vocabulary import Names

__all__ = ["parse", "path_of"]

# Caps while walking, beside those of ``caps``: a hostile pack is refused in bounded time.
MOST_NODES = 300
# A scan in a rule about each line takes 10**8 steps in a claim of 9,999 lines.
MOST_SCANS = 2
# Cost multiplies with depth: two loops over 5,000 administrations are 25 million steps.
MOST_DEPTH = 2

_WHOLE_LISTS = {
    ("encounter", "lines"),
    ("encounter", "administrations"),
    ("encounter", "services"),
    ("encounter", "suggestions"),
    ("claim", "lines"),
}
"""Lists of the whole encounter: a rule about each line that scans them often is slow."""

_PREDICATES = {"known": 1, "surely": 1, "overlaps": 2, "subset": 2, "empty": 1, "size": 1}
"""Functions that are no aggregates, with the number of their arguments."""

_ROOTS = ("policy", "limits", "words", "modifier")
"""Names that are never records: what a pack holds beside the facts."""

_ASSIGNS = re.compile("(?<![=!<>])=(?!=)")
_COMPARES: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    # No true division: minutes and units stay whole, so no verdict hangs on a rounding.
    ast.FloorDiv: "//",
}
_NUMBERS = frozenset({"whole", "number"})
_TEXTS = frozenset({"text", "word"})
_LISTS = frozenset({"texts", "row"})

_KIND_IN_WORDS = {
    "flag": "true or false",
    "whole": "a whole number",
    "number": "a number",
    "text": "a text",
    "word": "a word",
    "date": "a date",
    "instant": "a time",
    "texts": "a list of texts",
    "row": "a list of texts",
    "list": "a list of records",
    "record": "a record",
}


def parse(text: str, names: Names, subject: str) -> Node:
    """The checked tree of a true-or-false expression; raises ExpressionError with its column."""
    node = _Reader(names, subject).read(text)
    if node.kind.name != "flag":
        raise ExpressionError(1, "is not true or false", "compare it with something")
    return node


def path_of(text: str, names: Names, subject: str) -> Node:
    """The tree of a bare path such as ``line.code``, for messages; raises ExpressionError."""
    # No tests and no loops in a message: they belong into ``require``, where cases cover them.
    if not re.fullmatch(r"[a-z_]+(\.[a-zA-Z_0-9]+)+", text):
        raise ExpressionError(
            1, "is not a path of the vocabulary", "write a path such as line.code"
        )
    node = _Reader(names, subject).read(text)
    if node.kind.name in {"list", "record"}:
        raise ExpressionError(1, "names records, not a value", "name one of its facts")
    # Free text may hold a patient's name, and results go into logs and tickets.
    if node.op == "fact" and names.fact(node).free_text:
        raise ExpressionError(
            1,
            "is the chart's own words, which no message repeats",
            "name an id or a code instead",
        )
    return node


class _Reader:
    """Reads one text: ``ast`` to nodes, with the loop variables in sight."""

    def __init__(self, names: Names, subject: str) -> None:
        self.names, self.subject = names, subject
        self.seen: dict[str, Node] = names.roots(subject)
        self.depth = self.scans = 0

    def read(self, text: str) -> Node:
        """The tree of a text that passes the caps."""
        check_text(text)
        try:
            tree = ast.parse(" ".join(text.split()), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # Python's parser raises the last two for deep nesting, without a place.
            column = getattr(error, "offset", None) or 1
            remedy = "write == to compare" if _ASSIGNS.search(text) else "correct the syntax"
            raise ExpressionError(column, "is not an expression", remedy) from None
        if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
            raise ExpressionError(1, f"has more than {MOST_NODES} parts", "split the rule")
        return self.node(tree.body)

    def node(self, tree: ast.expr) -> Node:
        """The node of any part of an expression."""
        match tree:
            case ast.BoolOp():
                return self._junction(tree)
            case ast.UnaryOp():
                return self._sign(tree)
            case ast.BinOp():
                return self._sum(tree)
            case ast.Compare():
                return self._comparison(tree)
            case ast.Call():
                return self._call(tree)
            case ast.Constant():
                return _constant(tree)
            case ast.Name():
                return self._name(tree)
            case ast.Attribute():
                return self._attribute(tree)
        remedy = "write comparisons, and, or, not, in, arithmetic"
        if isinstance(tree, ast.Tuple):
            remedy = "write a list in square brackets; a number has no comma"
        problem = f"uses {type(tree).__name__}, which the language lacks"
        raise ExpressionError(tree.col_offset + 1, problem, remedy)

    def _need(self, tree: ast.expr, kinds: Collection[str], what: str) -> Node:
        node = self.node(tree)
        if node.kind.name not in kinds:
            raise ExpressionError(
                tree.col_offset + 1,
                f"is {_in_words(node.kind)}, not {what}",
                f"write {what} here",
            )
        return node

    def _flags(self, trees: Iterable[ast.expr]) -> tuple[Node, ...]:
        return tuple(self._need(tree, {"flag"}, "true or false") for tree in trees)

    def _junction(self, tree: ast.BoolOp) -> Node:
        args = self._flags(tree.values)
        op = "and" if isinstance(tree.op, ast.And) else "or"
        return Node(op, FLAG.opened(_open(args)), args, column=tree.col_offset + 1)

    def _sign(self, tree: ast.UnaryOp) -> Node:
        column = tree.col_offset + 1
        if isinstance(tree.op, ast.Not):
            (arg,) = self._flags([tree.operand])
            return Node("not", arg.kind, (arg,), column=column)
        if isinstance(tree.op, ast.USub):
            arg = self._need(tree.operand, _NUMBERS, "a number")
            return Node("minus", arg.kind, (arg,), column=column)
        raise ExpressionError(column, "uses an unknown sign", "write - or not")

    def _sum(self, tree: ast.BinOp) -> Node:
        column, sign = tree.col_offset + 1, _ARITHMETIC.get(type(tree.op))
        if sign is None:
            raise ExpressionError(
                column, "uses an operator that the language lacks", "write + - * or //"
            )
        left = self._need(tree.left, _NUMBERS, "a number")
        right = self._need(tree.right, _NUMBERS, "a number")
        if sign == "//" and not (isinstance(right.value, int) and right.value > 0):
            raise ExpressionError(
                tree.right.col_offset + 1,
                "divides by what may be zero",
                "divide by a positive constant",
            )
        name = "whole" if left.kind.name == right.kind.name == "whole" else "number"
        return Node(
            "arith", Kind(name, _open((left, right))), (left, right), name=sign, column=column
        )

    def _comparison(self, tree: ast.Compare) -> Node:
        lefts = [tree.left, *tree.comparators]
        parts = tuple(
            self._compared(left, _compare_sign(op, tree), right)
            for left, op, right in zip(lefts, tree.ops, tree.comparators, strict=False)
        )
        if len(parts) == 1:
            return parts[0]
        return Node("and", FLAG.opened(_open(parts)), parts, column=tree.col_offset + 1)

    def _compared(self, left: ast.expr, sign: str, right: ast.expr) -> Node:
        if sign in {"in", "not in"}:
            return self._member(left, sign, right)
        if sign == "is":
            return self._surely_equal(left, right)
        return self._pair(left, sign, right)

    def _pair(self, left_tree: ast.expr, sign: str, right_tree: ast.expr) -> Node:
        left, right = self.node(left_tree), self.node(right_tree)
        column = left_tree.col_offset + 1
        left, right = _dated(left, right), _dated(right, left)
        if not _comparable(left.kind.name, sign, right.kind.name):
            raise ExpressionError(
                column,
                f"compares {_in_words(left.kind)} with {_in_words(right.kind)}",
                "compare like with like",
            )
        _check_word(left, right, column)
        _check_word(right, left, column)
        return Node(
            "cmp", FLAG.opened(_open((left, right))), (left, right), name=sign, column=column
        )

    def _surely_equal(self, left_tree: ast.expr, right_tree: ast.expr) -> Node:
        pair = self._pair(left_tree, "==", right_tree)
        if pair.args[1].op != "const":
            raise ExpressionError(
                right_tree.col_offset + 1, "is no constant", "write a constant after is"
            )
        return Node("is", FLAG, pair.args, column=pair.column)

    def _member(self, left_tree: ast.expr, sign: str, right_tree: ast.expr) -> Node:
        left = self._need(left_tree, {*_TEXTS, "whole"}, "a text or whole number")
        column = left_tree.col_offset + 1
        if isinstance(right_tree, ast.Tuple | ast.List | ast.Set):
            right = self._constants(left, right_tree.elts, right_tree.col_offset + 1)
        else:
            right = self._need(right_tree, _LISTS, "a list of texts")
            if left.kind.name == "whole":
                raise ExpressionError(column, "looks for a number among texts", "compare texts")
            if right.op == "set":
                # A word list of the pack is folded, and so is what is looked up in it.
                left = Node("fold", TEXT.opened(left.kind.nullable), (left,), column=column)
        kind = FLAG.opened(_open((left, right)))
        return Node("in" if sign == "in" else "notin", kind, (left, right), column=column)

    def _constants(self, left: Node, trees: Iterable[ast.expr], column: int) -> Node:
        values: list[str | int] = []
        for tree in trees:
            constant, place = self.node(tree), tree.col_offset + 1
            alike = (constant.kind.name == "whole") == (left.kind.name == "whole")
            if not isinstance(constant.value, str | int) or not alike:
                raise ExpressionError(
                    place, "is not a constant of the same kind", "list constants only"
                )
            _check_word(left, constant, place)
            values.append(constant.value)
        return Node("set", Kind("texts"), value=frozenset(values), column=column)

    def _name(self, tree: ast.Name) -> Node:
        if tree.id in self.seen:
            return self.seen[tree.id]
        known = [*self.seen, *_ROOTS, *AGGREGATES, *_PREDICATES]
        raise ExpressionError(
            tree.col_offset + 1,
            f"names '{tree.id[:60]}', not known here",
            did_you_mean(tree.id, known),
        )

    def _attribute(self, tree: ast.Attribute) -> Node:
        column = tree.col_offset + 1
        if isinstance(tree.value, ast.Name) and tree.value.id in _ROOTS:
            return self._of_pack(tree.value.id, tree.attr, column)
        record = self._need(tree.value, {"record"}, "a record such as line")
        facts = self.names.facts(record)
        if tree.attr not in facts:
            raise ExpressionError(
                column,
                f"{record.kind.scope} has no fact '{tree.attr[:60]}'",
                did_you_mean(tree.attr, facts),
            )
        kind = facts[tree.attr].kind
        nullable = kind.nullable or record.kind.nullable
        return Node("fact", kind.opened(nullable), (record,), name=tree.attr, column=column)

    def _of_pack(self, root: str, name: str, column: int) -> Node:
        """A policy or limit, looked up when the rule runs; a word list or modifier, as it is."""
        names = self.names
        if root == "words":
            words = _entry(names.words, root, name, column)
            return Node("set", Kind("texts"), value=words, column=column)
        if root == "modifier":
            code = _entry(names.modifiers, root, name, column)
            return Node("const", TEXT, value=code, column=column)
        kinds = names.policies if root == "policy" else names.limits
        return Node(root, _entry(kinds, root, name, column), name=name, column=column)

    def _call(self, tree: ast.Call) -> Node:
        column = tree.col_offset + 1
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if name in AGGREGATES and not tree.keywords:
            return self._aggregate(name, tree)
        if name not in _PREDICATES or tree.keywords:
            raise ExpressionError(
                column,
                "calls what the language does not know",
                did_you_mean(name, [*AGGREGATES, *_PREDICATES]),
            )
        if len(tree.args) != _PREDICATES[name]:
            arguments = counted(_PREDICATES[name], "argument")
            raise ExpressionError(column, f"{name} takes {arguments}", "correct it")
        return self._predicate(name, tree.args, column)

    def _predicate(self, name: str, trees: list[ast.expr], column: int) -> Node:
        if name == "known":
            return Node("known", FLAG, (self.node(trees[0]),), column=column)
        if name == "surely":
            return Node("surely", FLAG, self._flags(trees), column=column)
        kinds = {*_LISTS, "list"} if name in {"empty", "size"} else _LISTS
        args = tuple(self._need(tree, kinds, "a list of texts") for tree in trees)
        kind = WHOLE if name == "size" else FLAG
        return Node(name, kind.opened(_open(args)), args, column=column)

    def _aggregate(self, name: str, tree: ast.Call) -> Node:
        column = tree.col_offset + 1
        loop = tree.args[0] if len(tree.args) == 1 else None
        if not isinstance(loop, ast.GeneratorExp) or len(loop.generators) != 1:
            raise ExpressionError(
                column,
                f"{name} takes one comprehension",
                f"write {name}(… for x in line.administrations)",
            )
        generator = loop.generators[0]
        variable = self._variable(generator, column)
        rows = self._need(generator.iter, {"list"}, "a list of records")
        self._count_scan(rows, column)
        self._enter(variable, rows, column)
        conditions = self._flags(generator.ifs)
        tested = name in {"any", "all", "count"}
        wanted = ({"flag"}, "true or false") if tested else (_NUMBERS, "a number")
        item = self._need(loop.elt, *wanted)
        self._leave(variable)
        kind = FLAG if name in {"any", "all"} else WHOLE if name == "count" else item.kind
        # Of no rows there is neither a least nor a most.
        nullable = _open((rows, item, *conditions)) or name in {"min", "max"}
        args = (rows, item, *conditions)
        return Node(name, kind.opened(nullable), args, name=variable, column=column)

    def _variable(self, generator: ast.comprehension, column: int) -> str:
        if not isinstance(generator.target, ast.Name) or generator.is_async:
            raise ExpressionError(
                column, "has a loop variable that is not a name", "write for x in …"
            )
        variable = generator.target.id
        if variable in self.seen or variable in _ROOTS or variable.startswith("_"):
            raise ExpressionError(
                column, f"hides the name '{variable[:60]}'", "choose another variable"
            )
        return variable

    def _enter(self, variable: str, rows: Node, column: int) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise ExpressionError(column, "loops more than two deep", "state it with fewer loops")
        self.seen[variable] = Node(
            "var", Kind("record", scope=rows.kind.scope), name=variable, column=column
        )

    def _leave(self, variable: str) -> None:
        del self.seen[variable]
        self.depth -= 1

    def _count_scan(self, rows: Node, column: int) -> None:
        # A rule about the encounter runs once, so that its scans do not multiply.
        if self.subject == "encounter":
            return
        if (rows.args[0].kind.scope, rows.name) in _WHOLE_LISTS:
            self.scans += 1
            if self.scans > MOST_SCANS:
                raise ExpressionError(
                    column,
                    "scans the whole encounter too often",
                    "use a set fact or a linked list",
                )


Entry = TypeVar("Entry")


def _entry(table: Mapping[str, Entry], root: str, name: str, column: int) -> Entry:
    """What a pack holds under a name; raises ExpressionError where it has no such name."""
    if name not in table:
        raise ExpressionError(column, f"names no {root} '{name[:60]}'", did_you_mean(name, table))
    return table[name]


def _compare_sign(op: ast.cmpop, tree: ast.Compare) -> str:
    sign = _COMPARES.get(type(op))
    if sign is None:
        raise ExpressionError(
            tree.col_offset + 1, "compares with 'is not'", "write != or not (… is …)"
        )
    return sign


def _constant(tree: ast.Constant) -> Node:
    value, column = tree.value, tree.col_offset + 1
    if isinstance(value, bool):
        return Node("const", FLAG, value=value, column=column)
    if isinstance(value, int):
        return Node("const", WHOLE, value=value, column=column)
    if isinstance(value, str):
        return Node("const", TEXT, value=value, column=column)
    raise ExpressionError(
        column,
        f"holds a constant of type {type(value).__name__}",
        "write text in quotes, a whole number, True or False; known(x) asks if x is stated",
    )


def _open(nodes: Iterable[Node]) -> bool:
    """Whether any part may be unknown."""
    return any(node.kind.nullable for node in nodes)


def _comparable(left: str, sign: str, right: str) -> bool:
    """Whether two kinds may stand on the sides of a comparison."""
    if left in _NUMBERS and right in _NUMBERS:
        return True
    if left == right and left in {"date", "instant"}:
        return True
    # Texts have no order: as text, '9' comes after '10'.
    if sign not in {"==", "!="}:
        return False
    return (left in _TEXTS and right in _TEXTS) or left == right == "flag"


def _dated(node: Node, other: Node) -> Node:
    """A text constant beside a date becomes that date."""
    if isinstance(node.value, str) and other.kind.name == "date":
        try:
            day = date.fromisoformat(node.value)
            return Node("const", Kind("date"), value=day, column=node.column)
        except ValueError:
            raise ExpressionError(node.column, "is not a date", "write YYYY-MM-DD") from None
    return node


def _check_word(word: Node, constant: Node, column: int) -> None:
    words, value = word.kind.words, constant.value
    if words is not None and isinstance(value, str) and value not in words:
        raise ExpressionError(
            column, f"'{value[:60]}' is not among its words", did_you_mean(value, words)
        )


def _in_words(kind: Kind) -> str:
    return _KIND_IN_WORDS.get(kind.name, "something else")
