"""Mutants of a rule pack: each is the pack with one small thing wrong.

An expression is changed as the parser of the language reads it, and what the language refuses is no
mutant. Rows of data are changed one cell at a time. ``mutation`` finds out which of them the cases
notice.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from ivpush.language.compiler import compile_rule
from ivpush.language.parser import parse
from ivpush.language.tree import ExpressionError, Node
from ivpush.language.vocabulary import Names
from ivpush.pack.codes import COLUMNS, FAMILIES, CodeRow, selected, words_of
from ivpush.pack.data import SupervisionRow
from ivpush.pack.pack import Pack
from ivpush.pack.policies import Policy
from ivpush.pack.rule import Rule

__all__ = [
    "Mutant",
    "expressions",
    "mutants_of",
    "mutants_of_data",
    "mutants_of_rule",
]

_DAY = timedelta(days=1)
_EVER = date(1984, 1, 1)
"""From this day on means since ever: no code of this kind is older."""
_SIGNS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_OTHERS = {"any": "all", "all": "any", "min": "max", "max": "min", "overlaps": "subset",
           "subset": "overlaps"}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult}  # fmt: skip
_NOTHING = "no such word"
"""Stands for a text that nothing carries, where a fact has no closed list of words."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong pack: the file and key changed, how, and what to judge it with.

    ``rule`` is the mutated rule, where a rule was changed; else ``parts`` and ``data`` are what
    ``Pack.with_`` replaces. A mutant that a pack's own checks refuse says why in ``refused``.
    """

    file: str
    key: str
    change: str
    rule: Rule | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    refused: str = ""

    @property
    def label(self) -> str:
        """How lists and marks name it."""
        return f"{self.file}: {self.key}: {self.change}"


def mutants_of(pack: Pack, only: Sequence[str] = ()) -> Iterator[Mutant]:
    """Every mutant of the pack, or of the rules named by id or name, in a fixed order."""
    for rule in (*pack.rules, *(one for payer in pack.payers.values() for one in payer.rules)):
        if not only or rule.id in only or rule.name in only:
            yield from mutants_of_rule(rule, pack)
    if not only:
        yield from mutants_of_data(pack)


def mutants_of_rule(rule: Rule, pack: Pack) -> Iterator[Mutant]:
    """One rule with another ``when``, ``require``, choice of codes or dates."""
    file = rule.place.rsplit(":", 2)[0]
    trees = {key: parse(rule.texts[key], pack.names, rule.for_each)
             for key in ("when", "require") if key in rule.texts}  # fmt: skip
    for key in trees:
        seen: dict[str, int] = {}
        for change, text in expressions(rule.texts[key], pack.names, rule.for_each):
            made = {**trees, key: parse(text, pack.names, rule.for_each)}
            seen[change] = times = seen.get(change, 0) + 1
            told = change if times == 1 else f"{change} ({times})"
            yield Mutant(file, key, told, rule=_judged_by(rule, made, pack.names))
    if "when" in trees:
        made = {"require": trees["require"]}
        yield Mutant(file, "when", "drop it", rule=_judged_by(rule, made, pack.names))
    for change, asked in _choices(rule.asked):
        codes = selected(asked, pack.codes)
        if codes != rule.codes:
            yield Mutant(file, "codes", change, rule=rule.with_(codes=codes))
    for change, window in _windows((rule.valid_from, rule.valid_to)):
        moved = rule.with_(valid_from=window[0], valid_to=window[1])
        yield Mutant(file, "in_force", change, rule=moved)


def _judged_by(rule: Rule, trees: Mapping[str, Node], names: Names) -> Rule:
    compiled = compile_rule(trees.get("when"), trees["require"], names, rule.id)
    return rule.with_(compiled=compiled)


def _choices(asked: Any) -> Iterator[tuple[str, Any]]:
    """A choice of codes with one column or word less, or widened to any."""
    if asked is None or asked == "any":
        return
    yield "any", "any"
    if isinstance(asked, list):
        for one in asked if len(asked) > 1 else ():
            yield f"drop {one}", [other for other in asked if other != one]
        return
    for column, words in asked.items():
        if len(asked) > 1:
            yield f"drop {column}", {key: one for key, one in asked.items() if key != column}
        for word in words if isinstance(words, list) and len(words) > 1 else ():
            fewer = [other for other in words if other != word]
            yield f"drop {column} {word}", {**asked, column: fewer}


def _windows(window: tuple[date, date | None]) -> Iterator[tuple[str, tuple[date, date | None]]]:
    """A window that begins or ends a day sooner or later; one open at its start begins nowhere."""
    low, high = window
    if low > _EVER:
        yield f"from {low - _DAY}", (low - _DAY, high)
        if high is None or low < high:
            yield f"from {low + _DAY}", (low + _DAY, high)
    if high is not None:
        yield f"to {high + _DAY}", (low, high + _DAY)
        if low < high:
            yield f"to {high - _DAY}", (low, high - _DAY)


def expressions(text: str, names: Names, subject: str) -> Iterator[tuple[str, str]]:
    """Every other reading of an expression by one change, as (change, text); all well typed."""
    tree = ast.parse(" ".join(text.split()), mode="eval").body
    words = _words(parse(text, names, subject))
    plain, seen = ast.unparse(tree), set()
    found = list(_variants(tree, words))
    if not isinstance(tree, ast.UnaryOp | ast.Compare):
        found.append(("negate it", ast.UnaryOp(ast.Not(), tree)))
    for change, made in found:
        other = ast.unparse(made)
        if other == plain or other in seen:
            continue
        try:
            parse(other, names, subject)
        except ExpressionError:
            continue
        seen.add(other)
        yield change, other


def _words(tree: Node) -> dict[str, frozenset[str]]:
    """For each text constant the closed list of words that it was taken from."""
    found: dict[str, frozenset[str]] = {}
    for node in tree.walk():
        if node.op not in {"cmp", "in", "notin"}:
            continue
        words = next((one.kind.words for one in node.args if one.kind.words is not None), None)
        for one in node.args if words is not None else ():
            held = one.value if one.op == "set" else (one.value,) if one.op == "const" else ()
            found.update({value: words for value in held if isinstance(value, str) and words})
    return found


def _variants(node: ast.expr, words: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, Any]]:
    """A node with one thing changed in it or below it."""
    yield from _local(node, words)
    if isinstance(node, ast.Call):
        fields: tuple[str, ...] = ("args",)
    else:
        fields = () if isinstance(node, ast.Attribute) else node._fields
    for name in fields:
        held = getattr(node, name)
        if isinstance(held, ast.expr):
            for change, made in _variants(held, words):
                yield change, _with(node, name, made)
        elif isinstance(held, list):
            for n, one in enumerate(held):
                if isinstance(one, ast.comprehension):
                    for change, made in _loops(one, words):
                        yield change, _with(node, name, [*held[:n], made, *held[n + 1 :]])
                elif isinstance(one, ast.expr):
                    for change, made in _variants(one, words):
                        yield change, _with(node, name, [*held[:n], made, *held[n + 1 :]])


def _loops(
    loop: ast.comprehension, words: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, ast.comprehension]]:
    for n, one in enumerate(loop.ifs):
        yield f"drop if {ast.unparse(one)}", _with(loop, "ifs", loop.ifs[:n] + loop.ifs[n + 1 :])
        for change, made in _variants(one, words):
            yield change, _with(loop, "ifs", [*loop.ifs[:n], made, *loop.ifs[n + 1 :]])


def _with(node: Any, name: str, value: Any) -> Any:
    made = copy(node)
    setattr(made, name, value)
    return made


def _local(node: ast.expr, words: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, ast.expr]]:
    """A node changed in itself."""
    if isinstance(node, ast.BoolOp):
        yield from _junction(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"drop not of {ast.unparse(node.operand)}", node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for sign in _SIGNS[type(node.ops[0])]:
            made = _with(node, "ops", [sign()])
            yield f"{ast.unparse(node)} -> {ast.unparse(made)}", made
    elif isinstance(node, ast.Constant):
        for value in _constants(node.value, words):
            yield f"{node.value!r} -> {value!r}", ast.Constant(value)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for n, one in enumerate(node.elts if len(node.elts) > 1 else ()):
            yield (f"drop {ast.unparse(one)}",
                   ast.Tuple([*node.elts[:n], *node.elts[n + 1 :]], ast.Load()))  # fmt: skip
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in _OTHERS:
            other = _OTHERS[node.func.id]
            yield f"{node.func.id} -> {other}", _with(node, "func", ast.Name(other, ast.Load()))
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        made = _with(node, "op", _ARITHMETIC[type(node.op)]())
        yield f"{ast.unparse(node)} -> {ast.unparse(made)}", made


def _junction(node: ast.BoolOp) -> Iterator[tuple[str, ast.expr]]:
    word, other = ("and", ast.Or()) if isinstance(node.op, ast.And) else ("or", ast.And())
    yield f"{word} -> {'or' if word == 'and' else 'and'}", _with(node, "op", other)
    for n, one in enumerate(node.values):
        rest = [*node.values[:n], *node.values[n + 1 :]]
        left = rest[0] if len(rest) == 1 else _with(node, "values", rest)
        yield f"drop {ast.unparse(one)}", left
        if not isinstance(one, ast.Compare | ast.UnaryOp):
            negated = [*node.values[:n], ast.UnaryOp(ast.Not(), one), *node.values[n + 1 :]]
            yield f"negate {ast.unparse(one)}", _with(node, "values", negated)


def _constants(value: Any, words: Mapping[str, frozenset[str]]) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        if value:
            yield value - 1
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        day = date.fromisoformat(value)
        yield from (str(day - _DAY), str(day + _DAY))
    elif isinstance(value, str):
        yield _next(value, words.get(value, ()))


def _next(word: str, words: Any) -> str:
    """The word after this one in a closed list; where there is none, a word nothing carries."""
    listed = sorted(words)
    if word not in listed or len(listed) < 2:
        return _NOTHING
    return str(listed[(listed.index(word) + 1) % len(listed)])


def mutants_of_data(pack: Pack) -> Iterator[Mutant]:
    """The pack with one number, rank, row of codes or of supervision, or default changed."""
    yield from _of_limits(pack)
    yield from _of_ranks(pack)
    for row in pack.codes.values():
        yield from _of_code(row, pack)
    for n, one in enumerate(pack.data.supervision):
        yield from _of_supervision(n, one, pack)
    for policy in pack.policies.values():
        for value in _values(policy):
            changed = {**pack.policies, policy.name: replace(policy, default=value)}
            shown = ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)
            yield Mutant("policies.yaml", policy.name, f"default {shown}",
                         parts={"policies": changed})  # fmt: skip


def _of_limits(pack: Pack) -> Iterator[Mutant]:
    for name, rows in pack.limits.items():
        for n, (low, high, value) in enumerate(rows):
            for other in (value + 1, value - 1):
                changed = [*rows[:n], (low, high, other), *rows[n + 1 :]]
                yield Mutant("limits.yaml", name, f"{value} -> {other}",
                             parts={"limits": {**pack.limits, name: changed}})  # fmt: skip


def _of_ranks(pack: Pack) -> Iterator[Mutant]:
    """Two rows of different ranks swapped."""
    ranks = pack.data.ranks
    for one, other in combinations(ranks, 2):
        if ranks[one] != ranks[other]:
            swapped = {**ranks, one: ranks[other], other: ranks[one]}
            yield Mutant("hierarchy.yaml", " ".join(one), f"swap with {' '.join(other)}",
                         data={"ranks": swapped})  # fmt: skip


def _of_code(row: CodeRow, pack: Pack) -> Iterator[Mutant]:
    yield _recoded(row, None, "row", "drop it", pack)
    columns = {column: words for column, words in words_of(pack.codes).items()
               if column in COLUMNS}  # fmt: skip
    for column, words in columns.items():
        value = getattr(row, column)
        if value is not None:
            other = _next(value, words)
            yield _recoded(row, _cell(row, column, other), column, other, pack)
        if column == "variant" and value is not None:
            yield _recoded(row, replace(row, variant=None), column, "drop it", pack)
    for setting in sorted(row.settings):
        fewer = replace(row, settings=row.settings - {setting})
        yield _recoded(row, fewer, "settings", f"drop {setting}", pack)
    for name in ("further", "once"):
        if getattr(row, name) is not None:
            yield _recoded(row, _cell(row, name, None), name, "drop it", pack)
    for code in row.succeeded_by:
        fewer = replace(row, succeeded_by=tuple(c for c in row.succeeded_by if c != code))
        yield _recoded(row, fewer, "succeeded_by", f"drop {code}", pack)
    for change, (low, high) in _windows((row.valid_from, row.valid_to)):
        moved = replace(row, valid_from=low, valid_to=high)
        yield _recoded(row, moved, "in_force", change, pack)


def _cell(row: CodeRow, column: str, value: str | None) -> CodeRow:
    cells: dict[str, Any] = {column: value}
    return replace(row, **cells)


def _recoded(row: CodeRow, other: CodeRow | None, key: str, change: str, pack: Pack) -> Mutant:
    """The pack with another row of a code, and its rules choosing their codes anew."""
    if other is None:
        codes = {code: one for code, one in pack.codes.items() if code != row.code}
    else:
        belongs = other.family in FAMILIES and other.role != "companion"
        other = replace(other, administration=belongs)
        codes = {**pack.codes, row.code: other}
    rules, refused = [], ""
    alone = {} if other is None else {row.code: other}
    for rule in pack.rules:
        if isinstance(rule.asked, dict):
            before, after = row.code in (rule.codes or ()), bool(selected(rule.asked, alone))
            if before != after:
                chosen = frozenset((rule.codes or frozenset()) ^ {row.code})
                rule = rule.with_(codes=chosen)
        elif other is None and row.code in (rule.codes or ()):
            refused = f"{rule.id} names a code without a row"
        rules.append(rule)
    if any(code not in codes for one in codes.values()
           for code in (one.further, *one.succeeded_by) if code is not None):  # fmt: skip
        refused = "another row names a code without a row"
    return Mutant("codes.yaml", f"{row.code} {key}", change,
                  parts={"codes": codes, "rules": tuple(rules)},
                  codes=frozenset({row.code}), refused=refused)  # fmt: skip


def _of_supervision(n: int, row: SupervisionRow, pack: Pack) -> Iterator[Mutant]:
    rows = pack.data.supervision
    levels = frozenset(one.level for one in rows)
    modes = frozenset(mode for one in rows for mode in one.modes)
    changed: list[tuple[str, SupervisionRow | None]] = [("drop it", None)]
    changed.append((f"level {_next(row.level, levels)}",
                    replace(row, level=_next(row.level, levels))))  # fmt: skip
    changed += [(f"drop mode {mode}", replace(row, modes=row.modes - {mode}))
                for mode in sorted(row.modes)]  # fmt: skip
    changed += [(f"add mode {mode}", replace(row, modes=row.modes | {mode}))
                for mode in sorted(modes - row.modes)]  # fmt: skip
    changed += [(f"drop family {one}", replace(row, families=row.families - {one}))
                for one in sorted(row.families)]  # fmt: skip
    changed += [(change, replace(row, valid_from=low, valid_to=high))
                for change, (low, high) in _windows((row.valid_from, row.valid_to))]  # fmt: skip
    if row.policy:
        changed.append(("drop policy", replace(row, policy=())))
    for change, other in changed:
        made = [*rows[:n], *([] if other is None else [other]), *rows[n + 1 :]]
        yield Mutant("supervision.yaml", f"row {n + 1}", change, data={"supervision": made})


def _values(policy: Policy) -> Iterator[Any]:
    """Every other default of a choice or flag; a number's neighbours; a list less a word."""
    if policy.form == "choice":
        yield from (value for value in policy.values if value != policy.default)
    elif policy.form == "flag":
        yield not policy.default
    elif policy.form == "number":
        yield from (value for value in (policy.default - 1, policy.default + 1)
                    if policy.low <= value <= policy.high)  # fmt: skip
    elif policy.form == "words":
        yield from (policy.default - {word} for word in sorted(policy.default))
    elif policy.form == "units":
        for code in sorted(policy.default):
            yield {key: one for key, one in policy.default.items() if key != code}
