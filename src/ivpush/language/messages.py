"""Messages with paths in braces, checked when the pack loads: what a finding says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ivpush.language.parser import path_of
from ivpush.language.printer import Printer, function
from ivpush.language.tree import ExpressionError, Node
from ivpush.language.vocabulary import Names

__all__ = [
    "Template",
    "parse_template",
]


class Template:
    """A message with paths of the vocabulary in braces; ``render`` fills them in."""

    __slots__ = ("_filled", "_names", "_nodes", "_texts")

    def __init__(self, texts: tuple[str, ...], nodes: tuple[Node, ...], names: Names) -> None:
        self._texts, self._nodes, self._names = texts, nodes, names
        self._filled: Callable[..., str] | None = None

    def render(self, e: Any, s: Any, p: Any, l: Any) -> str:  # noqa: E741 - limits
        """The message about one subject; a null path prints "not stated"."""
        if self._filled is None:
            self._filled = self._made()
        return self._filled(e, s, p, l)

    def _made(self) -> Callable[..., str]:
        printer = Printer(self._names)
        shown, parts = printer.constant(_shown), [printer.constant(self._texts[0])]
        for text, node in zip(self._texts[1:], self._nodes, strict=True):
            parts += (f"{shown}({printer.print(node)})", printer.constant(text))
        join = printer.constant("".join)
        made: Callable[..., str] = function(
            "message", [f"return {join}([{', '.join(parts)}])"], printer, "message"
        )
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Template, (self._texts, self._nodes, self._names)


def _shown(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(value)) or "none"
    if hasattr(value, "hour"):
        return f"{value.hour:02d}:{value.minute:02d}"
    return str(value)


def parse_template(text: str, names: Names, subject: str) -> Template:
    """The template of a message; raises ExpressionError for a path that is not known."""
    if len(text) > 1_000 or text.count("{") > 20:
        raise ExpressionError(1, "is longer than a message may be", "shorten it")
    texts, nodes = [""], []
    for part in re.split(r"(\{\{|\}\}|\{[^{}]*\})", text):
        if part in {"{{", "}}"}:
            texts[-1] += part[0]
        elif part.startswith("{") and part.endswith("}"):
            try:
                nodes.append(path_of(part[1:-1], names, subject))
            except ExpressionError as error:
                column = text.index(part) + 1
                raise ExpressionError(column, error.problem, error.remedy) from None
            texts.append("")
        elif "{" in part or "}" in part:
            raise ExpressionError(text.index(part) + 1, "has a brace without its partner",
                                  "write {{ or }} for a brace")  # fmt: skip
        else:
            texts[-1] += part
    return Template(tuple(texts), tuple(nodes), names)
