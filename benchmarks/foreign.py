"""The shipped rules in the languages of two other engines, judged on the same facts.

Ours is three-valued; theirs are not. A rule is written for them as "definitely broken": ``when`` is
surely true and ``require`` surely false, with a test for null wherever a fact may be unknown. So
all engines answer the same question, and their answers are compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from ivpush.engine import Worked
from ivpush.language.parser import parse
from ivpush.language.tree import Node
from ivpush.language.vocabulary import Names
from ivpush.pack.rule import Rule

IN_CEL = {
    "known": "({0} != null)",
    "in": "({0} in {1})",
    "notin": "!({0} in {1})",
    "size": "size({0})",
    "empty": "(size({0}) == 0)",
    "overlaps": "{0}.exists(q, q in {1})",
    "subset": "{0}.all(q, q in {1})",
}
"""How Rust CEL spells an operation on its arguments."""
IN_ZEN = {
    "known": "({0} != null)",
    "in": "({0} in {1})",
    "notin": "(not ({0} in {1}))",
    "size": "len({0})",
    "empty": "(len({0}) == 0)",
    "overlaps": "some({0}, # in {1})",
    "subset": "all({0}, # in {1})",
}
"""The same for zen-engine."""


class NotPossibleError(Exception):
    """The other language has no way to say it."""


class Dialect:
    """How one language spells what ours says."""

    def __init__(self, *, cel: bool, names: Names, settled: dict[str, Any]) -> None:
        self.cel = cel
        self.names = names
        self.settled = settled
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
            parts = [self.surely(arg, truth, loop) for arg in node.args]
            return self.both(parts) if (op == "and") is truth else self.either(parts)
        if op in {"any", "all"}:
            return self.scan(node, truth, loop)
        if op in {"surely", "is"}:
            text = self.certain(node, loop)
            return text if truth else self.negated(text)
        known = [
            f"{self.value(arg, loop)} != null"
            for arg in node.args
            if arg.kind.nullable and node.op != "known"
        ]
        plain = self.value(node, loop)
        if node.kind.nullable and node.op == "fact":
            known = [f"{plain} != null"]
        text = plain if truth else self.negated(plain)
        return self.both([*known, text]) if known else text

    def certain(self, node: Node, loop: str | None) -> str:
        """Text of a test that is false, not unknown, where what it looks at is unknown."""
        if node.op == "surely":
            return self.surely(node.args[0], True, loop)
        left, right = (self.value(arg, loop) for arg in node.args)
        return self.both([f"{left} != null", f"{left} == {right}"])

    def negated(self, text: str) -> str:
        return f"!({text})" if self.cel else f"not ({text})"

    def scan(self, node: Node, truth: bool, loop: str | None) -> str:
        if loop is not None:
            raise NotPossibleError("a loop in a loop")
        rows, item, conditions = node.args[0], node.args[1], node.args[2:]
        var = node.name
        within = [self.surely(condition, True, var) for condition in conditions]
        # any is surely true: a row surely passes; all is surely false: a row surely fails.
        if (node.op == "any") is truth:
            test = self.both([*within, self.surely(item, node.op == "any", var)])
            many, source = False, self.value(rows, loop)
        else:
            outside = [self.surely(condition, False, var) for condition in conditions]
            test = self.either([*outside, self.surely(item, node.op == "all", var)])
            many, source = True, self.value(rows, loop)
        if self.cel:
            text = f"{source}.{'all' if many else 'exists'}({var}, {test})"
        else:
            text = f"{'all' if many else 'some'}({source}, {test})"
        return self.both([f"{source} != null", text]) if rows.kind.nullable else text

    def value(self, node: Node, loop: str | None) -> str:
        """Text of a value; ``loop`` names the row of the loop around it."""
        op = node.op
        if op in {"const", "set"}:
            return self.constant(node.value)
        if op in {"policy", "limits"}:
            return self.constant(getattr(self.settled[op], node.name))
        if op == "root":
            return node.name
        if op == "var":
            return node.name if self.cel else "#"
        if op == "fact":
            record = node.args[0]
            self.used.add((record.kind.scope or "", node.name))
            return f"{self.value(record, loop)}.{node.name}"
        args = [self.value(arg, loop) for arg in node.args]
        if op == "cmp" or (op == "arith" and node.name != "//"):
            return f"({args[0]} {node.name} {args[1]})"
        form = (IN_CEL if self.cel else IN_ZEN).get(op)
        # The row of a zen-engine loop is always "#", so one loop cannot stand in another.
        if form is None or (loop is not None and not self.cel and "#" in form):
            raise NotPossibleError(op)
        return form.format(*args)

    def constant(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return f"'{value}'"
        if isinstance(value, frozenset | set | tuple):
            return "[" + ", ".join(self.constant(part) for part in sorted(value)) + "]"
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
        return [plain(part) for part in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value.toordinal() if isinstance(value, date) else value


def record(thing: Any, scope: str, used: set[tuple[str, str]], names: Names, depth: int = 0) -> Any:
    """Only the facts that the rules of the program read: the smallest record to hand over."""
    if thing is None:
        return None
    facts = {}
    for owner, name in used:
        if owner != scope or depth > 3:
            continue
        fact = names.scopes[scope][name]
        value = thing
        for part in fact.path.split("."):
            value = getattr(value, part)
        inner = partial(
            record, scope=fact.kind.scope or "", used=used, names=names, depth=depth + 1
        )
        if fact.kind.name == "record":
            value = inner(value)
        elif fact.kind.name == "list" and value is not None:
            value = [inner(row) for row in value]
        else:
            value = plain(value)
        facts[name] = value
    return facts


Program = Callable[[dict[str, Any]], list[bool]]


class Compiled(NamedTuple):
    """Rules as one program of the other engine, with the facts that they read."""

    rules: list[Rule]
    run: Program
    used: set[tuple[str, str]]


class Job(NamedTuple):
    """One subject to be judged: its rules, their program, and the record handed to it."""

    rules: list[Rule]
    subject: Any
    run: Program
    facts: dict[str, Any]


class Programs(NamedTuple):
    """Every subject of one encounter, and the rules that the other language cannot say."""

    jobs: list[Job]
    skipped: set[str]


class Compiler:
    """Compiles rules for another engine, each set of rules once."""

    def __init__(self, work: Worked, compile_text: Callable[[str], Program], *, cel: bool) -> None:
        book = work.book
        self.names = book.vocabulary
        self.dialect = Dialect(
            cel=cel, names=self.names, settled={"policy": book.policy, "limits": book.limits}
        )
        self.compile_text = compile_text
        self.compiled: dict[tuple[str, ...], Compiled] = {}
        self.skipped: set[str] = set()

    def program(self, rules: tuple[Rule, ...]) -> Compiled:
        """The rules as one array expression, without those that cannot be said."""
        key = tuple(rule.id for rule in rules)
        if key not in self.compiled:
            kept, texts = [], []
            self.dialect.used = set()
            for rule in rules:
                try:
                    texts.append(broken(rule, self.dialect, self.names))
                except NotPossibleError:
                    self.skipped.add(rule.id)
                    continue
                kept.append(rule)
            run = self.compile_text("[" + ", ".join(texts) + "]")
            self.compiled[key] = Compiled(kept, run, self.dialect.used)
        return self.compiled[key]


def subjects(work: Worked) -> Iterator[tuple[str, Any]]:
    """What rules judge in one encounter, each with its kind, in our order."""
    facts = work.facts
    yield from (("line", line) for line in facts.lines or ())
    yield "encounter", facts
    yield from (
        ("administration", administration) for administration in facts.administrations or ()
    )
    yield from (("service", service) for service in facts.services)
    yield from (("suggestion", suggestion) for suggestion in facts.suggestions)


def programs(work: Worked, compile_text: Callable[[str], Program], *, cel: bool) -> Programs:
    """Every subject of one encounter with its program and its record, ready to run.

    The best form measured: the rules of one billed code (or one kind of subject) as one array
    expression, policies and limits written in as constants, the record ready as plain dictionaries
    that hold only what those rules read.
    """
    compiler = Compiler(work, compile_text, cel=cel)
    jobs = []
    screens = work.book.screens
    for kind, subject in subjects(work):
        screen = screens.of_line(subject) if kind == "line" else screens.about(kind)
        compiled = compiler.program(screen.rules)
        if not compiled.rules:
            continue
        encounter = record(work.facts, "encounter", compiled.used, compiler.names)
        facts = {"encounter": encounter}
        if kind != "encounter":
            facts["subject"] = record(subject, kind, compiled.used, compiler.names)
        jobs.append(Job(compiled.rules, subject, compiled.run, facts))
    return Programs(jobs, compiler.skipped)


def verdicts(programs: Programs) -> set[tuple[str, int]]:
    """Rules that the other engine calls broken, with their subjects."""
    return {
        (rule.id, id(job.subject))
        for job in programs.jobs
        for rule, is_broken in zip(job.rules, job.run(job.facts), strict=True)
        if is_broken
    }


def run_all(programs: Programs) -> None:
    """One encounter through the other engine."""
    for job in programs.jobs:
        job.run(job.facts)
