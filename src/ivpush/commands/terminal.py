"""Pages for a terminal: the Markdown that the docs hold, without its marks and within the width.

``explain`` and ``rules show`` print through ``for_terminal``.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator

__all__ = ["for_terminal"]

_LEAST_COLUMNS, _MOST_COLUMNS = 40, 100
"""Below, little but an indent fits; above, lines are hard to follow."""
_MARKS = re.compile(r"\*\*|`")
_CELL = re.compile(r"(?<!\\)\|")


def for_terminal(page: str, columns: int | None = None) -> str:
    """A page as plain text: headings in capitals, tables as a paragraph a row."""
    width = columns or shutil.get_terminal_size().columns
    width = max(_LEAST_COLUMNS, min(width, _MOST_COLUMNS))
    lines: list[str] = []
    heads: list[str] = []
    for line in page.splitlines():
        if not line.startswith("|"):
            heads = []
            lines += _paragraph(line, width)
        elif not heads:
            heads = _cells(line)
        elif not set(line) <= {"|", "-"}:
            lines += _row(heads, _cells(line), width)
    return "\n".join(lines) + "\n"


def _paragraph(line: str, width: int) -> list[str]:
    text = _MARKS.sub("", line)
    if text.startswith("# "):
        return [text[2:]]
    if text.startswith("#"):
        return [text.lstrip("# ").upper()]
    indent = "    " if text.startswith("- ") else ""
    return _wrapped(text.removeprefix("- "), width, first="  " if indent else "", rest=indent)


def _row(heads: list[str], cells: list[str], width: int) -> Iterator[str]:
    """One row of a table: its first cell, then each other cell that says something."""
    yield from _wrapped(cells[0], width, first="  ", rest="    ")
    for head, cell in zip(heads[1:], cells[1:], strict=False):
        for part in filter(None, cell.split("<br>")):
            yield from _wrapped(f"{head}: {part}", width, first="    ", rest="      ")


def _cells(line: str) -> list[str]:
    parts = _CELL.split(line.strip().strip("|"))
    return [_MARKS.sub("", part.replace("\\|", "|")).strip() for part in parts]


def _wrapped(text: str, width: int, *, first: str, rest: str) -> list[str]:
    if not text:
        return [""]
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
