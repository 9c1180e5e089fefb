"""The drawing as an HTML table, and both together as a figure.

Who does not see the drawing reads the table: it says all that is drawn.
"""

from __future__ import annotations

from html import escape

from ivpush.printable import visible
from ivpush.timeline.records import Drawing, Given
from ivpush.timeline.svg import svg_of
from ivpush.timeline.words import (
    billed_as,
    clock_of,
    day_and_hour,
    details_of,
    lanes_of,
    stop_of,
    title_of,
)

__all__ = ["figure_of", "table_of"]

_HEADS = (
    "administration",
    "drug",
    "access or route",
    "start",
    "stop",
    "billed as",
    "role, minutes",
    "why",
)


def table_of(drawing: Drawing) -> str:
    """Every administration as a row, lane by lane in time."""
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    rows = "".join(_row(given) for members in lanes_of(drawing).values() for given in members)
    caption = _text(title_of(drawing))
    return (
        f'<table class="ivp-table"><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def figure_of(drawing: Drawing) -> str:
    """The drawing with its table folded away below."""
    table = f"<details><summary>The same as a table</summary>{table_of(drawing)}</details>"
    return f'<figure class="ivp-figure">{svg_of(drawing, styled=True)}{table}</figure>'


def _row(given: Given) -> str:
    cells = (
        given.name or "",
        given.lane,
        _started(given),
        stop_of(given),
        billed_as(given),
        details_of(given),
        _reasons(given),
    )
    rest = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{_text(given.id)}</th>{rest}</tr>'


def _started(given: Given) -> str:
    return clock_of(given) if given.start is None else day_and_hour(given.start)


def _reasons(given: Given) -> str:
    marks = (f"{mark.minutes} min: {mark.text}" for mark in given.marks)
    return "; ".join(filter(None, (given.because, *marks)))


def _text(text: str) -> str:
    return escape(visible(text))
