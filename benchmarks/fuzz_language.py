"""Expressions put together from the parts, words and signs of all rules.

Each is refused by an error of ours, or read, compiled and judged, and then the compiled form and the
slow tree-walker must come to the same verdict on every record of an encounter.
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from benchmarks.fuzz_json import ENCOUNTER, engine
from benchmarks.fuzz_packs import RULES
from benchmarks.fuzzing import Fuzzed, Target, UndocumentedError
from benchmarks.fuzzing_trees import copied, tree_of
from ivpush import Encounter
from ivpush.engine import Worked
from ivpush.language.compiler import compile_rule
from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from ivpush.language.tree import ExpressionError, Node

WORDS = re.compile(r"[a-z_]+(?:\.[a-z_]+)*|\d+|[<>=!]=|[-+*/<>(),]|'[^']*'")

CONSTANTS: tuple[int | float | str | bool | None, ...] = (
    *(0, 1, -1, 15, 2**63, 10**40, 0.5, 1e308, "", "x", "96375", "2026-03-02", "é" * 50),
    *(True, False, None),
)

VERDICTS: dict[object, int] = {True: 0, False: 1, None: 2}
PIECES = (
    *(b" and ", b" or ", b"not ", b"(", b")", b"[", b"]", b"{", b"}", b"=", b"==", b"<", b"*"),
    *(b"**", b"<<", b".", b",", b" for x in ", b" if ", b"lambda: ", b"'", b'"', b"0", b"9" * 40),
    *(b"-", b"~", b"\\", b"\n", b"\x00", b"\xff", b"\xc3\xa9", b"#", b":=", b"(" * 200, b""),
)


@cache
def expressions() -> tuple[tuple[str, str], ...]:
    """What the rules ask and require, each with the kind of record that it is about."""
    return tuple(
        (tree_of(path)["for_each"], text)
        for path in RULES
        for key in ("when", "require")
        if isinstance(text := tree_of(path).get(key), str)
    )


@cache
def parts() -> dict[type[ast.AST], tuple[ast.expr, ...]]:
    """All parts of all expressions, by their kind."""
    found = defaultdict(list)
    for _, text in expressions():
        for node in ast.walk(ast.parse(text, mode="eval")):
            if isinstance(node, ast.expr):
                found[type(node)].append(node)
    return {kind: tuple(nodes) for kind, nodes in found.items()}


class _Other(ast.NodeTransformer):
    """Puts another part, most often of the same kind, in the place of one part of an expression."""

    def __init__(self, at: int, rng: random.Random) -> None:
        self.at, self.rng = at, rng

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr):
            self.at -= 1
            if self.at == 0:
                return self._other(node)
        return self.generic_visit(node)

    def _other(self, node: ast.expr) -> ast.AST:
        rng, kinds = self.rng, tuple(parts())
        if isinstance(node, ast.Constant) and rng.random() < 0.5:
            return ast.Constant(rng.choice(CONSTANTS))
        kind = type(node) if rng.random() < 0.7 else rng.choice(kinds)
        return rng.choice(parts().get(kind, (node,)))


def expression(first: str, second: str, rng: random.Random) -> str:
    """An expression with parts of others in it, two of them joined, or words in another order."""
    way = rng.random()
    if way < 0.2:
        sign = rng.choice((" and ", " or ", " == ", " in ", " + ", " < "))
        return f"({first}){sign}not ({second})"
    if way < 0.4:
        words = WORDS.findall(first)
        for _ in range(rng.randint(1, 3)):
            words[rng.randrange(len(words))] = rng.choice(WORDS.findall(second))
        return " ".join(words)
    tree: ast.AST = ast.parse(first, mode="eval").body
    for _ in range(rng.randint(1, 2)):
        count = sum(isinstance(node, ast.expr) for node in ast.walk(tree))
        tree = _Other(rng.randint(1, count), rng).visit(copied(tree))
    return ast.unparse(tree)


def drawn(rng: random.Random) -> Fuzzed:
    """An expression; the name says what kind of record it is about."""
    (subject, first), (_, second) = rng.choices(expressions(), k=2)
    return Fuzzed(expression(first, second, rng).encode(), subject)


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """Whether an expression is refused, or what it comes to, by each way of judging."""
    names = work().book.vocabulary
    try:
        node = parse(fuzzed.raw.decode("utf-8", "replace"), names, fuzzed.name)
    except ExpressionError:
        yield "refused"
        return
    yield "accepted"
    yield from (f"verdict {verdict}" for verdict in _verdicts(node, fuzzed.name))


def _verdicts(node: Node, subject: str) -> Iterator[object]:
    """What an expression comes to for each record of its kind; the two ways must agree."""
    facts, book = work().facts, work().book
    rule = compile_rule(None, node, book.vocabulary, "fuzzed")
    settled = {"policy": book.policy, "limits": book.limits}
    for record in records()[subject]:
        worth = evaluate(node, book.vocabulary, {"encounter": facts, "subject": record, **settled})
        code = rule.judge(facts, record, book.policy, book.limits)
        if code != VERDICTS[worth]:
            raise UndocumentedError("the compiled rule and the tree-walker differ")
        if code == 1:
            rule.evidence(facts, record, book.policy, book.limits)
        if code == 2 and not rule.missing(facts, record, book.policy, book.limits):
            raise UndocumentedError("an unknown verdict lacks nothing")
        yield worth


@cache
def work() -> Worked:
    """An encounter with all of its facts."""
    return engine().work(Encounter.model_validate(ENCOUNTER))


@cache
def records() -> Mapping[str, Sequence[object]]:
    """The records of the encounter, by the kind that a rule may be about."""
    facts = work().facts
    return {
        "encounter": (facts,),
        "line": facts.lines or (),
        "administration": facts.administrations or (),
        "service": facts.services,
        "suggestion": facts.suggestions,
    }


TARGET = Target("language", drawn, outcomes, ("/language/",), PIECES)
