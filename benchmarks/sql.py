"""The shipped rules as DuckDB SQL, translated by machine from the rule language.

SQL is three-valued as our language is, so a rule keeps its meaning word for word: true where it
holds, false where it is broken, NULL where it cannot be judged. A kind of subject (line,
administration, …) is a table with a row for each subject; its facts, and those of its encounter,
are columns; a list of records is a list of structs, over which a loop is a lambda. Policies and
limits are written in as constants. Only what the rules read becomes a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import Any

from benchmarks.foreign import NotPossibleError, plain, subjects
from ivpush.engine import Worked
from ivpush.language.parser import parse
from ivpush.language.tree import Kind, Node
from ivpush.language.vocabulary import Names
from ivpush.pack.rule import SUBJECTS, Rule

TYPES = {
    "flag": "BOOLEAN",
    "whole": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "texts": "VARCHAR[]",
    "row": "VARCHAR[]",
    "record": "BOOLEAN",
}

FORMS = {
    "not": "(NOT {0})",
    "known": "({0} IS NOT NULL)",
    "is": "({0} IS NOT DISTINCT FROM {1})",
    "surely": "({0} IS TRUE)",
    "fold": "trim(regexp_replace(lower({0}), '\\s+', ' ', 'g'))",
    "minus": "(-{0})",
    "overlaps": "list_has_any({0}, {1})",
    "subset": "list_has_all({1}, {0})",
    "size": "len({0})",
    "empty": "(len({0}) = 0)",
}
"""How SQL spells an operation on its arguments."""


@dataclass
class Shape:
    """The columns of a table, or the fields of a struct in a list; a list has a shape of its own."""

    scope: str
    columns: dict[tuple[str, ...], Kind] = field(default_factory=dict)
    lists: dict[tuple[str, ...], Shape] = field(default_factory=dict)


class Translator:
    """Writes rules about one kind of subject; ``shapes`` notes what they read."""

    def __init__(self, names: Names, subject: str, policy: Any, limits: Any) -> None:
        self.names, self.subject = names, subject
        self.settled = {"policy": policy, "limits": limits}
        self.shapes = {"encounter": Shape("encounter")}
        if subject != "encounter":
            self.shapes["subject"] = Shape(subject)
        self.loops: dict[str, Shape] = {}

    def rule(self, rule: Rule) -> tuple[str, str]:
        """Two conditions: the rule is broken, and the rule cannot be judged."""
        require = self.text(parse(rule.texts["require"], self.names, rule.for_each))
        broken, unsure = [f"NOT {require}"], f"{require} IS NULL"
        if rule.texts.get("when"):
            when = self.text(parse(rule.texts["when"], self.names, rule.for_each))
            broken.insert(0, when)
            unsure = f"({when} IS NULL OR ({when} AND {unsure}))"
        unsures = [unsure]
        if rule.codes is not None:
            code = self.text(parse("line.code == ''", self.names, "line").args[0])
            for conditions in (broken, unsures):
                conditions.insert(0, f"{code} IN {constant(rule.codes)}")
        return " AND ".join(broken), " AND ".join(unsures)

    def text(self, node: Node) -> str:
        """One node as SQL, in brackets where that matters."""
        op = node.op
        if op in {"const", "set"}:
            return constant(node.value)
        if op in {"policy", "limits"}:
            return constant(getattr(self.settled[op], node.name))
        if op == "fact":
            return self.fact(node)
        if op in {"any", "all", "count"}:
            return self.loop(node)
        args = [self.text(arg) for arg in node.args]
        if op in {"and", "or"}:
            return "(" + f" {op.upper()} ".join(args) + ")"
        if op == "cmp":
            return f"({args[0]} {'=' if node.name == '==' else node.name} {args[1]})"
        if op == "arith" and node.name != "//":  # // cuts towards zero in SQL
            return f"({args[0]} {node.name} {args[1]})"
        if op in {"in", "notin"}:
            return self.member(node, args)
        if op in FORMS:
            return FORMS[op].format(*args)
        raise NotPossibleError(op)

    def member(self, node: Node, args: list[str]) -> str:
        listed = node.args[1]
        if listed.op in {"set", "policy", "limits"}:
            # NULL IN () is not to be had, and an unknown is unknown in an empty set too.
            inside = f"({args[0]} IN {args[1]})" if args[1] != "()" else f"({args[0]} != {args[0]})"
        else:
            inside = f"list_contains({args[1]}, {args[0]})"
            if node.args[0].kind.nullable:  # DuckDB finds that an empty list lacks an unknown
                inside = f"(CASE WHEN {args[0]} IS NOT NULL THEN {inside} END)"
        return inside if node.op == "in" else f"(NOT {inside})"

    def fact(self, node: Node) -> str:
        shape, prefix, path = self.place(node)
        if node.kind.name == "list":
            if path not in shape.lists:
                shape.lists[path] = Shape(node.kind.scope or "")
        else:
            shape.columns[path] = node.kind
        return prefix + "__".join(path)

    def place(self, node: Node) -> tuple[Shape, str, tuple[str, ...]]:
        """The shape that holds a fact, how SQL begins its name, and its path in the record."""
        record = node.args[0]
        if record.op == "var":
            return self.loops[record.name], f"{record.name}.", (node.name,)
        if record.op == "root":
            root = record.name
            return self.shapes[root], f"{root}__", (node.name,)
        shape, prefix, path = self.place(record)
        return shape, prefix, (*path, node.name)

    def loop(self, node: Node) -> str:
        rows, item, conditions = node.args[0], node.args[1], node.args[2:]
        var, source = node.name, self.text(rows)
        shape, _, path = self.place(rows)
        self.loops[var] = shape.lists[path]
        each = [self.text(part) for part in (*conditions, item)]
        del self.loops[var]
        if node.op == "all":
            each[-1] = f"(NOT {each[-1]})"
        test = " AND ".join(each)
        passing = f"len(list_filter({source}, lambda {var}: {test}))"
        open_ = f"len(list_filter({source}, lambda {var}: ({test}) IS NULL)) > 0"
        nullable = any(part.kind.nullable for part in (*conditions, item))
        if node.op == "count":
            return f"(CASE WHEN {open_} THEN NULL ELSE {passing} END)" if nullable else passing
        text = f"({passing} > 0)"
        if nullable:
            text = f"({text} OR CASE WHEN {open_} THEN NULL ELSE FALSE END)"
        return f"(NOT {text})" if node.op == "all" else text


def constant(value: Any) -> str:
    """A constant in SQL; a set as the list of an IN."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, frozenset | set | tuple):
        return "(" + ", ".join(constant(part) for part in sorted(value)) + ")"
    return str(value)


def reached(thing: Any, path: tuple[str, ...], scope: str, names: Names) -> Any:
    """The value of a path of facts, None where a record on the way is unknown."""
    for name in path:
        if thing is None:
            return None
        fact = names.scopes[scope][name]
        thing = attrgetter(fact.path)(thing)
        scope = fact.kind.scope or ""
    return thing


def fields(thing: Any, shape: Shape, names: Names) -> Iterator[tuple[str, Any]]:
    """The columns of one record."""
    for path, kind in shape.columns.items():
        value = reached(thing, path, shape.scope, names)
        if kind.name == "record":
            value = None if value is None else True
        elif not isinstance(value, date) or kind.name == "instant":
            value = plain(value)
        yield "__".join(path), value
    for path, inner in shape.lists.items():
        rows = reached(thing, path, shape.scope, names)
        structs = None if rows is None else [dict(fields(row, inner, names)) for row in rows]
        yield "__".join(path), structs


def declared(shape: Shape) -> Iterator[tuple[str, str]]:
    """Names and SQL types of the columns."""
    for path, kind in shape.columns.items():
        yield "__".join(path), TYPES.get(kind.name, "VARCHAR")
    for path, inner in shape.lists.items():
        # A struct needs a field; a list that is only counted has none of its own.
        parts = [f'"{name}" {type_}' for name, type_ in declared(inner)] or ["nothing BOOLEAN"]
        yield "__".join(path), f"STRUCT({', '.join(parts)})[]"


def columns(shapes: dict[str, Shape]) -> str:
    """The columns of a table for subjects and their encounters, as CREATE TABLE takes them."""
    typed = [
        (f"{root}__{name}", type_)
        for root, shape in shapes.items()
        for name, type_ in declared(shape)
    ]
    return ", ".join(f'"{name}" {type_}' for name, type_ in [("n", "BIGINT"), *typed])


def row(n: int, things: dict[str, Any], shapes: dict[str, Shape], names: Names) -> dict[str, Any]:
    """One subject as a row of that table, with its number."""
    return {"n": n} | {
        f"{root}__{name}": value
        for root, shape in shapes.items()
        for name, value in fields(things[root], shape, names)
    }


def load(connection: Any, name: str, typed: str, rows: list[dict[str, Any]]) -> None:
    """Make a table and fill it."""
    import pyarrow as pa

    connection.execute(f'CREATE TABLE "{name}" ({typed})')
    # The empty table tells Arrow the types, which NULLs and empty lists do not.
    schema = connection.table(name).to_arrow_table().schema
    connection.register("loaded", pa.Table.from_pylist(rows, schema=schema))
    connection.execute(f'INSERT INTO "{name}" FROM loaded')
    connection.unregister("loaded")


class Database:
    """Encounters of one book loaded into DuckDB, with the rules in force as queries."""

    def __init__(self, works: Iterable[Worked], threads: int = 1) -> None:
        import duckdb

        self.works = list(works)
        book = self.book = self.works[0].book
        if any(
            work.book.rules is not book.rules or work.book.policy is not book.policy
            for work in self.works
        ):
            raise ValueError("encounters under different rules; give those of one payer and window")
        self.connection = duckdb.connect(config={"threads": threads})
        self.rules: list[Rule] = []
        self.skipped: set[str] = set()
        self.subjects: list[Any] = []
        self.texts: dict[str, list[tuple[int, str, str]]] = {kind: [] for kind in SUBJECTS}
        writers = {
            kind: Translator(book.vocabulary, kind, book.policy, book.limits) for kind in SUBJECTS
        }
        for rule in book.rules:
            try:
                broken, unsure = writers[rule.for_each].rule(rule)
            except NotPossibleError:
                self.skipped.add(rule.id)
                continue
            self.texts[rule.for_each].append((len(self.rules), broken, unsure))
            self.rules.append(rule)
        self._load(writers)

    def _load(self, writers: dict[str, Translator]) -> None:
        rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in SUBJECTS}
        for work in self.works:
            for kind, subject in subjects(work):
                if self.texts[kind]:
                    things = {"encounter": work.facts, "subject": subject}
                    rows[kind].append(
                        row(len(self.subjects), things, writers[kind].shapes, self.book.vocabulary)
                    )
                    self.subjects.append(subject)
        for kind, about in rows.items():
            if self.texts[kind]:
                load(self.connection, kind, columns(writers[kind].shapes), about)

    def query(self, *, unsure: bool = False) -> str:
        """A row for each rule broken, with ``unsure`` also ``~rule`` for each not judged.

        The best of the forms tried: a filter for each rule, all put together. A column for each
        rule took 3 times as long (it gives up the short cuts of a filter), a list of rules for
        each subject 4 times.
        """
        return " UNION ALL ".join(
            f'SELECT {number if turn == 0 else ~number} AS rule, n FROM "{kind}" WHERE {conditions[turn]}'
            for kind, rules in self.texts.items()
            for number, *conditions in rules
            for turn in ((0, 1) if unsure else (0,))
        )

    def run(self, text: str) -> list[tuple[Any, ...]]:
        """One query, all its rows."""
        rows: list[tuple[Any, ...]] = self.connection.execute(text).fetchall()
        return rows

    def prepare(self) -> dict[str, str]:
        """Prepared queries by name: what runs them."""
        for name, unsure in (("broken", False), ("judged", True)):
            self.connection.execute(f"PREPARE {name} AS {self.query(unsure=unsure)}")
        return {name: f"EXECUTE {name}" for name in ("broken", "judged")}

    def repeat(self, times: int) -> None:
        """Hold every subject so many times, under numbers of its own; for timing only."""
        size = len(self.subjects)
        for kind, rules in self.texts.items():
            if rules:
                self.connection.execute(
                    f'INSERT INTO "{kind}" SELECT one.* REPLACE (n + {size} * turn AS n) '
                    f'FROM "{kind}" AS one, range(1, {times}) AS turns(turn)'
                )

    def verdicts(self) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
        """Broken and unjudged rules, each with the identity of its subject."""
        broken: set[tuple[str, int]] = set()
        unjudged: set[tuple[str, int]] = set()
        for number, n in self.run(self.query(unsure=True)):
            rule = self.rules[number if number >= 0 else ~number]
            (unjudged if number < 0 else broken).add((rule.id, id(self.subjects[n])))
        return broken, unjudged

    def ours(self) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
        """What our own judges said of the same subjects, without the rules that SQL lacks."""
        return (
            {
                (rule.id, id(subject))
                for work in self.works
                for rule, subject in work.findings.broken
                if rule.id not in self.skipped
            },
            {
                (rule.id, id(subject))
                for work in self.works
                for rule, subject in work.findings.unsure
                if rule.id not in self.skipped
            },
        )
