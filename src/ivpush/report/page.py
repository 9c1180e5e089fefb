"""The file itself: totals as they stand, then the rows and details as packed data.

A policy in the page lets only its own script and style run, by their hashes, and nothing leave.
The script is ``static/report.js``; without it the totals are still there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ivpush.pack.folder import package_folder
from ivpush.plural import counted
from ivpush.report.markup import Markup, element
from ivpush.report.summary import ground_of, summary_of
from ivpush.timeline.style import PATTERNS, STYLE

if TYPE_CHECKING:
    from ivpush.report.totals import Totals

__all__ = ["page_of"]


@cache
def _asset(name: str) -> str:
    return (package_folder() / "report" / "static" / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page_of(
    totals: Totals, names: Mapping[str, str], *, rows: str, chunks: Sequence[str]
) -> Iterator[str]:
    """The file, piece by piece; ``rows`` and ``chunks`` are packed data."""
    style, script = _asset("report.css") + STYLE, _asset("report.js")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    count = counted(totals.statistics.statuses.total(), "encounter")
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    # First of all, so that it holds for whatever follows.
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    yield f"<title>ivpush report: {count}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    yield f'<svg class="ivp patterns" aria-hidden="true" width="0" height="0">{PATTERNS}</svg>\n'
    yield element("header", element("h1", "Infusion and injection claims"), element("p", count))
    yield "<main>\n"
    yield from summary_of(totals)
    yield _list()
    yield from ground_of(totals, names)
    yield "</main>\n"
    yield f'<script type="application/octet-stream" id="rows">{rows}</script>\n'
    for number, chunk in enumerate(chunks):
        yield f'<script type="application/octet-stream" id="chunk-{number}">{chunk}</script>\n'
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _list() -> Markup:
    """The frame of the list, which the script fills."""
    return element(
        "section",
        element("h2", "Encounters", id="list-head"),
        element("noscript", element("p", "The list of encounters needs the page's own script.")),
        Markup(_asset("list.html")),
        id="encounters",
        aria_labelledby="list-head",
    )
