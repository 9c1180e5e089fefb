"""The report: one HTML file of many results, for who decides about claims.

``ivpush report`` gives every result to a ``Report`` and writes its pages. ``totals`` counts,
``details`` draws each encounter, ``rows`` is what the list of encounters can be searched by, and
``page`` puts the file together with the script and the style in ``static``.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ivpush.claim.statistics import Statistics
from ivpush.report.details import details_of
from ivpush.report.page import page_of
from ivpush.report.rows import Columns
from ivpush.report.totals import Totals

if TYPE_CHECKING:
    from ivpush.contract.result import Result

__all__ = ["Ground", "Report"]

_CHUNK = 40
"""Encounters packed together: few enough to be unpacked at once, and enough to pack well."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a result rests on and does not say itself.

    ``tables`` are the editions in force by kind, ``outdated`` those that are past their quarter,
    ``sites`` the labels of access sites by the chart's words for them.
    """

    tables: Mapping[str, date] = field(default_factory=dict)
    outdated: tuple[str, ...] = ()
    sites: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """Takes results one after another, and gives the file.

    In use::

        report = Report({rule.id: rule.name for rule in engine.pack.rules})
        for encounter in encounters:
            report.add(engine.check(encounter, visit=True))
        Path("report.html").write_text("".join(report.pages()), "utf-8")

    ``names`` are those of rules by their ids; ``show_text`` says that results may hold the chart's
    own words. Only counts, a row and the packed details of each encounter are kept.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    show_text: bool = False
    totals: Totals = field(default_factory=Totals)
    _columns: Columns = field(default_factory=Columns)
    _details: list[str] = field(default_factory=list)
    _chunks: list[str] = field(default_factory=list)

    def add(self, result: Result, ground: Ground | None = None) -> None:
        """Take one result; ``ground`` is what is known of it beside, where it was just made."""
        ground = ground or Ground()
        sites = None if self.show_text else ground.sites
        # First of all: where it cannot be drawn, nothing of it has been counted.
        details = details_of(result, self.names, sites)
        charges = Statistics()
        charges.add_visit(result)
        charges.outdated.update(ground.outdated)
        self.totals.add(result, charges, ground.tables)
        self._columns.add(result, charges)
        self._details.append(details)
        if len(self._details) == _CHUNK:
            self._pack()

    def pages(self) -> Iterator[str]:
        """The file, piece by piece; nothing may be added after it."""
        self._pack()
        rows = packed(self._columns.as_data())
        yield from page_of(self.totals, self.names, rows=rows, chunks=self._chunks)

    def _pack(self) -> None:
        if self._details:
            self._chunks.append(packed(self._details))
            self._details = []


def packed(data: Any) -> str:
    """Plain data as JSON, deflated, in letters that need no escape in a page."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # Lone surrogates of foreign ids have no UTF-8; they are shown as escapes before this.
    return base64.b64encode(zlib.compress(text.encode("utf-8"), 6)).decode("ascii")
