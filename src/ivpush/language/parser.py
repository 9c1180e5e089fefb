"""The rule language: a closed, typed subset of Python expressions.

A text is read with ``ast`` under caps, checked against the fact vocabulary, and becomes nodes of
our own; nothing of ``ast`` survives. An expression is worth true, false or unknown (Kleene): a
fact that nobody stated is unknown, and only subtrees that may be unknown pay for it.
"""

from __future__ import annotations

import ast
import re
from datetime import date
from typing import TYPE_CHECKING

from ivpush.errors import did_you_mean
from ivpush.language.tree import FLAG, TEXT, WHOLE, ExpressionError, Kind, Node

if TYPE_CHECKING:
    from ivpush.language.vocabulary import Names

__all__ = [
    "parse",
    "path_of",
]

MOST_CHARACTERS = 2_000
MOST_NODES = 300
MOST_DIGITS = 9
MOST_SCANS = 2
_WHOLE_LISTS = {("encounter", "lines"), ("encounter", "administrations"), ("claim", "lines"),
                ("encounter", "services"), ("encounter", "suggestions")}  # fmt: skip
_AGGREGATES = frozenset({"any", "all", "count", "sum", "min", "max"})
_PREDICATES = {"known": 1, "overlaps": 2, "subset": 2, "empty": 1, "size": 1}
_COMPARES = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
             ast.In: "in", ast.NotIn: "not in"}  # fmt: skip
_SUMS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//"}
_NUMBERS = frozenset({"whole", "number"})


def parse(text: str, names: Names, subject: str) -> Node:
    """The checked tree of a true-or-false expression; raises ExpressionError with its column."""
    node = _Reader(names, subject).read(text)
    if node.kind.name != "flag":
        raise ExpressionError(1, "is not true or false", "compare it with something")
    return node


def path_of(text: str, names: Names, subject: str) -> Node:
    """The tree of a bare path such as ``line.code``, for messages; raises ExpressionError."""
    if not re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", text):
        raise ExpressionError(
            1, "is not a path of the vocabulary", "write a path such as line.code"
        )
    node = _Reader(names, subject).read(text)
    if node.kind.name in {"list", "record", "other"}:
        raise ExpressionError(1, "names records, not a value", "name one of its facts")
    scope = node.args[0].kind.scope if node.args else None
    if scope is not None and names.scopes[scope][node.value].free_text:
        raise ExpressionError(1, "is the chart's own words, which no message repeats",
                              "name an id or a code instead")  # fmt: skip
    return node


class _Reader:
    """Reads one text: ast to nodes, with the loop variables in sight."""

    def __init__(self, names: Names, subject: str) -> None:
        self.names, self.subject = names, subject
        self.seen: dict[str, Node] = names.roots(subject)
        self.depth = self.scans = 0

    def read(self, text: str) -> Node:
        if len(text) > MOST_CHARACTERS:
            raise ExpressionError(
                1, f"is longer than {MOST_CHARACTERS} characters", "split the rule"
            )
        if not text.isascii():
            column = next(n for n, one in enumerate(text, 1) if not one.isascii())
            raise ExpressionError(column, "holds a character outside ASCII", "write plain ASCII")
        long = re.search(rf"[0-9_]{{{MOST_DIGITS + 1},}}|0[xXoObB]", text)
        if long is not None:
            raise ExpressionError(long.start() + 1, "holds a number too long or not decimal",
                                  f"write at most {MOST_DIGITS} digits")  # fmt: skip
        try:
            tree = ast.parse(" ".join(text.split()), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            column = error.offset or 1 if isinstance(error, SyntaxError) else 1
            raise ExpressionError(column, "is not an expression", "mend the syntax") from None
        if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
            raise ExpressionError(1, f"has more than {MOST_NODES} parts", "split the rule")
        return self.node(tree.body)

    def node(self, tree: ast.expr) -> Node:
        name = f"_{type(tree).__name__.lower()}"
        if name not in {"_boolop", "_unaryop", "_binop", "_compare", "_call", "_constant", "_name",
                        "_attribute"}:  # fmt: skip
            raise ExpressionError(tree.col_offset + 1,
                                  f"uses {type(tree).__name__}, which the language lacks",
                                  "write comparisons, and, or, not, in, arithmetic")  # fmt: skip
        made: Node = getattr(self, name)(tree)
        return made

    def _need(self, tree: ast.expr, kinds: frozenset[str] | set[str], what: str) -> Node:
        node = self.node(tree)
        if node.kind.name not in kinds:
            raise ExpressionError(tree.col_offset + 1, f"is {_said(node.kind)}, not {what}",
                                  f"write {what} here")  # fmt: skip
        return node

    def _boolop(self, tree: ast.BoolOp) -> Node:
        args = tuple(self._need(one, {"flag"}, "true or false") for one in tree.values)
        op = "and" if isinstance(tree.op, ast.And) else "or"
        kind = FLAG.opened(any(one.kind.nullable for one in args))
        return Node(op, kind, args, None, tree.col_offset + 1)

    def _unaryop(self, tree: ast.UnaryOp) -> Node:
        if isinstance(tree.op, ast.Not):
            arg = self._need(tree.operand, {"flag"}, "true or false")
            return Node("not", arg.kind, (arg,), None, tree.col_offset + 1)
        if isinstance(tree.op, ast.USub):
            arg = self._need(tree.operand, _NUMBERS, "a number")
            return Node("minus", arg.kind, (arg,), None, tree.col_offset + 1)
        raise ExpressionError(tree.col_offset + 1, "uses an unknown sign", "write - or not")

    def _binop(self, tree: ast.BinOp) -> Node:
        sign = _SUMS.get(type(tree.op))
        if sign is None:
            raise ExpressionError(tree.col_offset + 1, "uses an operator that the language lacks",
                                  "write + - * or //")  # fmt: skip
        left = self._need(tree.left, _NUMBERS, "a number")
        right = self._need(tree.right, _NUMBERS, "a number")
        if sign == "//" and not (right.op == "const" and right.value > 0):
            raise ExpressionError(tree.right.col_offset + 1, "divides by what may be zero",
                                  "divide by a positive constant")  # fmt: skip
        name = "whole" if left.kind.name == right.kind.name == "whole" else "number"
        kind = Kind(name, left.kind.nullable or right.kind.nullable)
        return Node("arith", kind, (left, right), sign, tree.col_offset + 1)

    def _compare(self, tree: ast.Compare) -> Node:
        parts = []
        lefts = [tree.left, *tree.comparators]
        for left, op, right in zip(lefts, tree.ops, tree.comparators, strict=False):
            sign = _COMPARES.get(type(op))
            if sign is None:
                raise ExpressionError(
                    tree.col_offset + 1, "compares with 'is'", "write == or known()"
                )
            if sign in {"in", "not in"}:
                parts.append(self._member(left, sign, right))
            else:
                parts.append(self._pair(left, sign, right))
        if len(parts) == 1:
            return parts[0]
        kind = FLAG.opened(any(one.kind.nullable for one in parts))
        return Node("and", kind, tuple(parts), None, tree.col_offset + 1)

    def _pair(self, left_tree: ast.expr, sign: str, right_tree: ast.expr) -> Node:
        left, right = self.node(left_tree), self.node(right_tree)
        column = left_tree.col_offset + 1
        left, right = _dated(left, right), _dated(right, left)
        one, other = left.kind.name, right.kind.name
        ordered = sign not in {"==", "!="}
        texts = {"text", "word"}
        fits = (
            (one in _NUMBERS and other in _NUMBERS)
            or (one == other and one in {"date", "instant"})
            or (not ordered and one in texts and other in texts)
            or (not ordered and one == other == "flag")
        )
        if not fits:
            raise ExpressionError(column, f"compares {_said(left.kind)} with {_said(right.kind)}",
                                  "compare like with like")  # fmt: skip
        for word, said in ((left, right), (right, left)):
            _check_word(word, said, column)
        kind = FLAG.opened(left.kind.nullable or right.kind.nullable)
        return Node("cmp", kind, (left, right), sign, column)

    def _member(self, left_tree: ast.expr, sign: str, right_tree: ast.expr) -> Node:
        left = self._need(left_tree, {"text", "word", "whole"}, "a text or whole number")
        column = left_tree.col_offset + 1
        if isinstance(right_tree, ast.Tuple | ast.List | ast.Set):
            values = []
            for one in right_tree.elts:
                said = self.node(one)
                if said.op != "const" or (said.kind.name == "whole") != (left.kind.name == "whole"):
                    raise ExpressionError(one.col_offset + 1, "is not a constant of the same kind",
                                          "list constants only")  # fmt: skip
                _check_word(left, said, one.col_offset + 1)
                values.append(said.value)
            right = Node("set", Kind("texts"), (), frozenset(values), right_tree.col_offset + 1)
        else:
            right = self._need(right_tree, {"texts", "row"}, "a list of texts")
            if left.kind.name == "whole":
                raise ExpressionError(column, "looks for a number among texts", "compare texts")
        kind = FLAG.opened(left.kind.nullable or right.kind.nullable)
        return Node("in" if sign == "in" else "notin", kind, (left, right), None, column)

    def _constant(self, tree: ast.Constant) -> Node:
        value, column = tree.value, tree.col_offset + 1
        if isinstance(value, bool):
            return Node("const", FLAG, (), value, column)
        if isinstance(value, int):
            return Node("const", WHOLE, (), value, column)
        if isinstance(value, str):
            return Node("const", TEXT, (), value, column)
        raise ExpressionError(column, f"holds a constant of type {type(value).__name__}",
                              "write text in quotes, a whole number, True or False")  # fmt: skip

    def _name(self, tree: ast.Name) -> Node:
        if tree.id in self.seen:
            return self.seen[tree.id]
        known = [*self.seen, "policy", "limits", *_AGGREGATES, *_PREDICATES]
        raise ExpressionError(tree.col_offset + 1, f"names '{tree.id[:60]}', not known here",
                              did_you_mean(tree.id, known))  # fmt: skip

    def _attribute(self, tree: ast.Attribute) -> Node:
        column = tree.col_offset + 1
        if isinstance(tree.value, ast.Name) and tree.value.id in {"policy", "limits"}:
            table = self.names.policies if tree.value.id == "policy" else self.names.limits
            if tree.attr not in table:
                raise ExpressionError(column, f"names no {tree.value.id} '{tree.attr[:60]}'",
                                      did_you_mean(tree.attr, table))  # fmt: skip
            return Node(tree.value.id, table[tree.attr], (), tree.attr, column)
        record = self._need(tree.value, {"record"}, "a record such as line")
        facts = self.names.scopes[record.kind.scope or ""]
        if tree.attr not in facts or facts[tree.attr].kind.name == "other":
            raise ExpressionError(column, f"{record.kind.scope} has no fact '{tree.attr[:60]}'",
                                  did_you_mean(tree.attr, facts))  # fmt: skip
        kind = facts[tree.attr].kind
        nullable = kind.nullable or record.kind.nullable
        return Node("fact", kind.opened(nullable), (record,), tree.attr, column)

    def _call(self, tree: ast.Call) -> Node:
        column = tree.col_offset + 1
        name = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if tree.keywords or name not in _AGGREGATES | set(_PREDICATES):
            raise ExpressionError(column, "calls what the language does not know",
                                  did_you_mean(name, [*_AGGREGATES, *_PREDICATES]))  # fmt: skip
        if name in _AGGREGATES:
            return self._aggregate(name, tree)
        if len(tree.args) != _PREDICATES[name]:
            raise ExpressionError(
                column, f"{name} takes {_PREDICATES[name]} argument(s)", "mend it"
            )
        if name == "known":
            arg = self.node(tree.args[0])
            return Node("known", FLAG, (arg,), None, column)
        kinds = {"texts", "row", "list"} if name in {"empty", "size"} else {"texts", "row"}
        args = tuple(self._need(one, kinds, "a list of texts") for one in tree.args)
        kind = (WHOLE if name == "size" else FLAG).opened(any(one.kind.nullable for one in args))
        return Node(name, kind, args, None, column)

    def _aggregate(self, name: str, tree: ast.Call) -> Node:
        column = tree.col_offset + 1
        made = tree.args[0] if len(tree.args) == 1 else None
        if not isinstance(made, ast.GeneratorExp) or len(made.generators) != 1:
            raise ExpressionError(column, f"{name} takes one comprehension",
                                  f"write {name}(… for x in line.administrations)")  # fmt: skip
        loop = made.generators[0]
        if not isinstance(loop.target, ast.Name) or loop.is_async:
            raise ExpressionError(
                column, "has a loop variable that is not a name", "write for x in …"
            )
        var = loop.target.id
        if var in self.seen or var in {"policy", "limits"} or var.startswith("_"):
            raise ExpressionError(column, f"hides the name '{var[:60]}'", "choose another variable")
        rows = self._need(loop.iter, {"list"}, "a list of records")
        self._count_scan(rows, column)
        self.depth += 1
        if self.depth > 2:
            raise ExpressionError(column, "loops more than two deep", "state it with fewer loops")
        self.seen[var] = Node("var", Kind("record", scope=rows.kind.scope), (), var, column)
        conditions = tuple(self._need(one, {"flag"}, "true or false") for one in loop.ifs)
        needed = {"flag"} if name in {"any", "all", "count"} else _NUMBERS
        what = "true or false" if name in {"any", "all", "count"} else "a number"
        item = self._need(made.elt, needed, what)
        del self.seen[var]
        self.depth -= 1
        open_ = rows.kind.nullable or any(one.kind.nullable for one in (*conditions, item))
        kind = FLAG if name in {"any", "all"} else WHOLE if name == "count" else item.kind
        kind = kind.opened(open_ or name in {"min", "max"})
        return Node(name, kind, (rows, item, *conditions), var, column)

    def _count_scan(self, rows: Node, column: int) -> None:
        if rows.op != "fact" or self.subject == "encounter":
            return
        scope = rows.args[0].kind.scope or ""
        if (scope, rows.value) in _WHOLE_LISTS:
            self.scans += 1
            if self.scans > MOST_SCANS:
                raise ExpressionError(column, "scans the whole encounter too often",
                                      "use a set fact or a linked list")  # fmt: skip


def _dated(one: Node, other: Node) -> Node:
    """A text constant beside a date becomes that date."""
    if one.op == "const" and one.kind.name == "text" and other.kind.name == "date":
        try:
            return Node("const", Kind("date"), (), date.fromisoformat(one.value), one.column)
        except ValueError:
            raise ExpressionError(one.column, "is not a date", "write YYYY-MM-DD") from None
    return one


def _check_word(word: Node, said: Node, column: int) -> None:
    words = word.kind.words
    if words is not None and said.op == "const" and said.kind.name == "text":
        if said.value not in words:
            raise ExpressionError(column, f"'{said.value[:60]}' is not among its words",
                                  did_you_mean(said.value, words))  # fmt: skip


def _said(kind: Kind) -> str:
    return {"flag": "true or false", "whole": "a whole number", "number": "a number",
            "text": "a text", "word": "a word", "date": "a date", "instant": "a time",
            "texts": "a list of texts", "row": "a list of texts", "list": "a list of records",
            "record": "a record"}.get(kind.name, "something else")  # fmt: skip
