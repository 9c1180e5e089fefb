"""Pages for a terminal: the Markdown that the docs hold, without its marks and within the width.

``explain``, ``rules show`` and ``docs`` print through ``for_terminal``.
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
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_FENCE = "```"
_BEGINS = re.compile(r"\s*$|#|\||<!--|\s*(?:- |[0-9]+\. )")
"""What begins a line of its own: nothing, a heading, a table, a comment, an item of a list."""
_CELL = re.compile(r"(?<!\\)\|")


def for_terminal(page: str, columns: int | None = None) -> str:
    """A page as plain text: headings in capitals, tables as a paragraph a row."""
    width = columns or shutil.get_terminal_size().columns
    width = max(_LEAST_COLUMNS, min(width, _MOST_COLUMNS))
    lines: list[str] = []
    heads: list[str] = []
    for line, is_code in _whole(page):
        if is_code:
            lines.append(f"    {line}".rstrip())
        elif not line.startswith("|"):
            heads = []
            lines += _paragraph(line, width)
        elif not heads:
            heads = _cells(line)
        elif not set(line) <= {"|", "-"}:
            lines += _row(heads, _cells(line), width)
    return "\n".join(lines) + "\n"


def _whole(page: str) -> Iterator[tuple[str, bool]]:
    """The lines of a page, those of one paragraph as one; and whether each is code."""
    parts: list[str] = []
    is_code = False
    for line in page.splitlines():
        begins = is_code or line.startswith(_FENCE) or _BEGINS.match(line) is not None
        if begins and parts:
            yield " ".join(parts), False
            parts = []
        if line.startswith(_FENCE):
            is_code = not is_code
        elif is_code or not line.strip() or line.startswith(("#", "|")):
            yield line, is_code
        elif not line.startswith("<!--"):
            parts.append(line.strip())
    if parts:
        yield " ".join(parts), False


def _paragraph(line: str, width: int) -> list[str]:
    text = _plain(line)
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
    return [_plain(part.replace("\\|", "|")).strip() for part in parts]


def _plain(text: str) -> str:
    """A text without marks; a link is followed by where it leads, unless that is in the page."""
    return _MARKS.sub("", _LINK.sub(_followed, text))


def _followed(link: re.Match[str]) -> str:
    return link[1] if link[2].startswith("#") else f"{link[1]} ({link[2]})"


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
