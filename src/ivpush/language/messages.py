"""Messages with paths in braces, checked when the pack loads: what a finding says.

``pack.rule`` reads a rule's message and fixes with it; ``claim.findings`` renders them. A clause
in square brackets is dropped where a path within it is unknown, and a word after a colon follows
its number in the singular or the plural:

    "Bill {line.replaced_by} instead[, at {line.supported_units:unit}]."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, time

from ivpush.errors import did_you_mean
from ivpush.language.parser import path_of
from ivpush.language.printer import Printer, function
from ivpush.language.tree import TEXT, ExpressionError, Node
from ivpush.language.vocabulary import Names
from ivpush.records import record

__all__ = ["Clause", "Template", "parse_template"]

# A message is a line of a report; the caps bound the code that a hostile pack makes us print.
MOST_CHARACTERS = 1_000
MOST_PATHS = 20
_PLAIN_WORD = "write what is counted, in the singular, as in {line.units:unit}"
# The group keeps the separators, so that parts before an error add up to its column.
_PARTS = re.compile(r"(\{\{|\}\}|\[\[|\]\]|\{[^{}]*\}|[\[\]])")
"""What a text is cut at: doubled brackets stand for themselves, then paths, then clauses."""


@record
class Clause:
    """A stretch of a message: texts around paths; an optional one is dropped if a path is null."""

    texts: tuple[str, ...]
    paths: tuple[Node, ...]
    counted: tuple[str, ...]
    """For each path the word that it counts, in the singular; empty where it counts nothing."""
    optional: bool = False

    @property
    def may_be_unknown(self) -> bool:
        """Whether a path of it may be null."""
        return any(path.kind.nullable for path in self.paths)


class Template:
    """A message with paths of the vocabulary in braces; ``render`` fills them in.

    In use::

        template = parse_template("Line {line.number} bills {line.code}.", names, "line")
        template.render(encounter_facts, line_facts, book.policy, book.limits)
    """

    __slots__ = ("_clauses", "_complete", "_filled", "_names")

    def __init__(self, clauses: tuple[Clause, ...], names: Names) -> None:
        self._clauses, self._names = clauses, names
        self._filled: Callable[..., str] | None = None
        self._complete: Callable[..., bool] | None = None

    def render(self, e: object, s: object, p: object, l: object) -> str:  # noqa: E741 - named as generated code
        """The message about one subject; a null path outside brackets prints "not stated"."""
        if self._filled is None:
            self._filled = self._printed()
        return self._filled(e, s, p, l)

    def complete(self, e: object, s: object, p: object, l: object) -> bool:  # noqa: E741 - named as generated code
        """Whether every path outside brackets is known."""
        if self._complete is None:
            self._complete = self._completeness()
        return self._complete(e, s, p, l)

    def _completeness(self) -> Callable[..., bool]:
        printer = Printer(self._names)
        paths = [
            printer.print(path)
            for clause in self._clauses
            for path in clause.paths
            if path.kind.nullable and not clause.optional
        ]
        # Each value with its comma: of one path that is a tuple still, and of none ().
        values = "".join(f"{path}, " for path in paths)
        complete: Callable[..., bool] = function(
            "complete", [f"return None not in ({values})"], printer, "message"
        )
        return complete

    def _printed(self) -> Callable[..., str]:
        printer = Printer(self._names)
        shown, join = printer.constant(_shown), printer.constant("".join)
        parts: list[str] = []
        for clause in self._clauses:
            pieces, values = _pieces(clause, printer, shown)
            text = f"{join}([{', '.join(pieces)}])"
            if clause.optional and clause.may_be_unknown:
                # Each path is read twice, but only in messages of findings, which are few.
                text = f"({text} if None not in ({', '.join(values)},) else '')"
            parts.append(text)
        render: Callable[..., str] = function(
            "message", [f"return {join}([{', '.join(parts)}])"], printer, "message"
        )
        return render

    def __reduce__(self) -> tuple[type[Template], tuple[tuple[Clause, ...], Names]]:
        # Generated functions cannot be pickled: the copy makes its own when it needs them.
        return Template, (self._clauses, self._names)


def _pieces(clause: Clause, printer: Printer, shown: str) -> tuple[list[str], list[str]]:
    """The source of a clause's texts and shown values in turn, and of the values alone."""
    values = [printer.print(path) for path in clause.paths]
    pieces = [printer.constant(clause.texts[0])]
    for text, value, word in zip(clause.texts[1:], values, clause.counted, strict=True):
        counted = f", {printer.constant(word)}" if word else ""
        pieces += (f"{shown}({value}{counted})", printer.constant(text))
    return pieces, values


def _shown(value: object, counted: str = "") -> str:
    """A value as a message has it, with the word that it counts."""
    if counted:
        return f"{_shown(value)} {counted if str(value) == '1' else f'{counted}s'}"
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | tuple):
        # Sorted, because a frozenset has no order and equal claims must print equal bytes.
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, datetime | time):
        return f"{value.hour:02d}:{value.minute:02d}"
    return str(value)


def parse_template(text: str, names: Names, subject: str, words: Collection[str] = ()) -> Template:
    """The template of a message; raises ExpressionError for a path that is not known.

    ``words`` are bare names such as ``{what}`` that whoever renders it hands in as a dictionary,
    in the place of the subject: reasons and questions are written so.
    """
    if len(text) > MOST_CHARACTERS or text.count("{") > MOST_PATHS:
        raise ExpressionError(1, "is longer than a message may be", "shorten it")
    return Template(tuple(_clauses(text, _Paths(names, subject, words))), names)


def _clauses(text: str, known: _Paths) -> Iterator[Clause]:
    texts, inside = [""], False
    paths: list[Node] = []
    counted: list[str] = []
    at = 0
    for part in _PARTS.split(text):
        column, at = at + 1, at + len(part)
        if part in {"{{", "}}", "[[", "]]"}:
            texts[-1] += part[:1]
        elif part in {"[", "]"}:
            # A clause within a clause is refused too: what an unknown path drops would be unclear.
            if (part == "]") != inside:
                raise _unpaired(column)
            if texts != [""]:
                yield Clause(tuple(texts), tuple(paths), tuple(counted), optional=inside)
            texts, paths, counted, inside = [""], [], [], not inside
        elif part.startswith("{") and part.endswith("}"):
            path, colon, word = part[1:-1].partition(":")
            # A word that ends in s is its plural already, or makes it by more than an s.
            if colon and (not word.replace(" ", "").isalpha() or word.endswith("s")):
                raise ExpressionError(column, "has no singular word after the colon", _PLAIN_WORD)
            paths.append(known.path(path, column))
            counted.append(word)
            texts.append("")
        elif "{" in part or "}" in part:
            raise _unpaired(column)
        else:
            texts[-1] += part
    if inside:
        raise _unpaired(len(text))
    if texts != [""]:
        yield Clause(tuple(texts), tuple(paths), tuple(counted))


@record
class _Paths:
    """What a template may name: paths of the vocabulary, and words handed in."""

    names: Names
    subject: str
    words: Collection[str]

    def path(self, text: str, column: int) -> Node:
        """The tree of one path; raises ExpressionError at its column of the template."""
        if text in self.words:
            return Node("given", TEXT, name=text, column=column)
        try:
            return path_of(text, self.names, self.subject)
        except ExpressionError as error:
            remedy = error.remedy
            if self.words:
                remedy = did_you_mean(text, self.words)
            # The place in the message replaces the place in the path.
            raise ExpressionError(column, error.problem, remedy) from None


def _unpaired(column: int) -> ExpressionError:
    return ExpressionError(
        column, "has a brace or bracket without its partner", "double it to print it"
    )
