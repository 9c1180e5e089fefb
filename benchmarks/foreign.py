"""The shipped rules in the languages of two other engines, judged on the same facts.

Ours is three-valued; theirs are not. A rule is written for them as "definitely broken": ``when`` is
surely true and ``require`` surely false, with a test for null wherever a fact may be unknown. So
all engines answer the same question, and their answers are compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ivpush.engine import Worked
from ivpush.language.parser import parse
from ivpush.language.tree import Node
from ivpush.language.vocabulary import Names
from ivpush.pack.rule import Rule


class NotPossibleError(Exception):
    """The other language has no way to say it."""


class Dialect:
    """How one language spells what ours says."""

    def __init__(self, *, cel: bool, names: Names, settled: dict[str, Any]) -> None:
        self.cel, self.names, self.settled = cel, names, settled
        self.used: set[tuple[str, str]] = set()

    def both(self, parts: list[str]) -> str:
        return "(" + (" && " if self.cel else " and ").join(parts) + ")"

    def either(self, parts: list[str]) -> str:
        return "(" + (" || " if self.cel else " or ").join(parts) + ")"

    def surely(self, node: Node, truth: bool, loop: str | None = None) -> str:
        """Text that is true where the node is surely true (or surely false)."""
        op = node.op
        if op == "not":
            return self.surely(node.args[0], not truth, loop)
        if op in {"and", "or"}:
            parts = [self.surely(one, truth, loop) for one in node.args]
            return self.both(parts) if (op == "and") is truth else self.either(parts)
        if op in {"any", "all"}:
            return self.scan(node, truth, loop)
        known = [
            f"{self.value(one, loop)} != null"
            for one in node.args
            if one.kind.nullable and node.op != "known"
        ]
        plain = self.value(node, loop)
        if node.kind.nullable and node.op == "fact":
            known = [f"{plain} != null"]
        text = plain if truth else f"!({plain})" if self.cel else f"not ({plain})"
        return self.both([*known, text]) if known else text

    def scan(self, node: Node, truth: bool, loop: str | None) -> str:
        if loop is not None:
            raise NotPossibleError("a loop in a loop")
        rows, item, conditions = node.args[0], node.args[1], node.args[2:]
        var = node.value
        within = [self.surely(one, True, var) for one in conditions]
        # any is surely true: a row surely passes; all is surely false: a row surely fails.
        if (node.op == "any") is truth:
            test = self.both([*within, self.surely(item, node.op == "any", var)])
            many, source = False, self.value(rows, loop)
        else:
            outside = [self.surely(one, False, var) for one in conditions]
            test = self.either([*outside, self.surely(item, node.op == "all", var)])
            many, source = True, self.value(rows, loop)
        if self.cel:
            text = f"{source}.{'all' if many else 'exists'}({var}, {test})"
        else:
            text = f"{'all' if many else 'some'}({source}, {test})"
        return self.both([f"{source} != null", text]) if rows.kind.nullable else text

    def value(self, node: Node, loop: str | None) -> str:
        op = node.op
        if op in {"const", "set"}:
            return self.constant(node.value)
        if op in {"policy", "limits"}:
            return self.constant(getattr(self.settled[op], node.value))
        if op == "root":
            return str(node.value)
        if op == "var":
            return str(node.value) if self.cel else "#"
        if op == "fact":
            record = node.args[0]
            self.used.add((record.kind.scope or "", node.value))
            return f"{self.value(record, loop)}.{node.value}"
        args = [self.value(one, loop) for one in node.args]
        if op == "cmp":
            return f"({args[0]} {node.value} {args[1]})"
        if op == "arith" and node.value != "//":
            return f"({args[0]} {node.value} {args[1]})"
        if op == "known":
            return f"({args[0]} != null)"
        if op in {"in", "notin"}:
            inside = f"({args[0]} in {args[1]})"
            return inside if op == "in" else f"!{inside}" if self.cel else f"(not {inside})"
        size = f"size({args[0]})" if self.cel else f"len({args[0]})"
        if op in {"size", "empty"}:
            return size if op == "size" else f"({size} == 0)"
        if op in {"overlaps", "subset"} and (self.cel or loop is None):
            if self.cel:
                return f"{args[0]}.{'exists' if op == 'overlaps' else 'all'}(q, q in {args[1]})"
            return f"{'some' if op == 'overlaps' else 'all'}({args[0]}, # in {args[1]})"
        raise NotPossibleError(op)

    def constant(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return f"'{value}'"
        if isinstance(value, frozenset | set | tuple):
            return "[" + ", ".join(self.constant(one) for one in sorted(value)) + "]"
        return str(value)


def broken(rule: Rule, dialect: Dialect, names: Names) -> str:
    """The rule as one text: surely broken."""
    parts = []
    if rule.texts.get("when"):
        parts.append(dialect.surely(parse(rule.texts["when"], names, rule.for_each), True))
    parts.append(dialect.surely(parse(rule.texts["require"], names, rule.for_each), False))
    return dialect.both(parts) if len(parts) > 1 else parts[0]


def plain(value: Any) -> Any:
    """A fact as the other engines take it."""
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value.toordinal() if isinstance(value, date) else value


def record(thing: Any, scope: str, used: set[tuple[str, str]], names: Names, depth: int = 0) -> Any:
    """Only the facts that the rules of the program read: the smallest record to hand over."""
    if thing is None:
        return None
    made = {}
    for owner, name in used:
        if owner != scope or depth > 3:
            continue
        fact = names.scopes[scope][name]
        value = thing
        for part in fact.path.split("."):
            value = getattr(value, part)
        if fact.kind.name == "record":
            value = record(value, fact.kind.scope or "", used, names, depth + 1)
        elif fact.kind.name == "list" and value is not None:
            value = [record(one, fact.kind.scope or "", used, names, depth + 1) for one in value]
        else:
            value = plain(value)
        made[name] = value
    return made


Program = Callable[[dict[str, Any]], list[bool]]


def programs(work: Worked, compile_: Callable[[str], Program], *, cel: bool) -> dict[str, Any]:
    """Every subject of one encounter with its program and its record, ready to run.

    The best form measured: the rules of one billed code (or one kind of subject) as one array
    expression, policies and limits written in as constants, the record ready as plain dictionaries
    that hold only what those rules read.
    """
    book, facts = work.book, work.facts
    names = book.vocabulary
    dialect = Dialect(cel=cel, names=names, settled={"policy": book.policy, "limits": book.limits})
    cache: dict[tuple[str, ...], tuple[list[Rule], Program, set[tuple[str, str]]]] = {}
    skipped: set[str] = set()
    ready: list[tuple[list[Rule], Any, Program, dict[str, Any]]] = []

    def program(rules: tuple[Rule, ...]) -> tuple[list[Rule], Program, set[tuple[str, str]]]:
        key = tuple(rule.id for rule in rules)
        if key not in cache:
            kept, texts = [], []
            dialect.used = set()
            for rule in rules:
                try:
                    texts.append(broken(rule, dialect, names))
                except NotPossibleError:
                    skipped.add(rule.id)
                    continue
                kept.append(rule)
            cache[key] = (kept, compile_("[" + ", ".join(texts) + "]"), dialect.used)
        return cache[key]

    def add(kind: str, subject: Any, rules: tuple[Rule, ...]) -> None:
        kept, run, used = program(rules)
        if kept:
            shared = record(facts, "encounter", used, names)
            mine = shared if kind == "encounter" else record(subject, kind, used, names)
            given = {"encounter": shared} | ({} if mine is shared else {"subject": mine})
            ready.append((kept, subject, run, given))

    for line in facts.lines or ():
        add("line", line, book.screens.of_line(line.given.code).rules)
    add("encounter", facts, book.screens.rules_about("encounter"))
    for kind, subjects, rules in (
        ("administration", facts.administrations or (), book.screens.rules_about("administration")),
        ("service", facts.services, book.screens.rules_about("service")),
        ("suggestion", facts.suggestions, book.screens.rules_about("suggestion")),
    ):
        for subject in subjects:
            add(kind, subject, rules)
    return {"jobs": ready, "skipped": skipped}


def verdicts(made: dict[str, Any]) -> set[tuple[str, int]]:
    """Rules that the other engine calls broken, with their subjects."""
    found = set()
    for rules, subject, run, given in made["jobs"]:
        for rule, says in zip(rules, run(given), strict=True):
            if says:
                found.add((rule.id, id(subject)))
    return found


def run_all(made: dict[str, Any]) -> None:
    """One encounter through the other engine."""
    for _, _, run, given in made["jobs"]:
        run(given)
