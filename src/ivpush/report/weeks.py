"""The trend by week of service: a drawing of errors for each encounter, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ivpush.report.markup import Markup, table
from ivpush.report.totals import dollars

if TYPE_CHECKING:
    from ivpush.report.totals import Group

__all__ = ["weeks_of"]

_WEEK = timedelta(days=7)
_MOST_BARS = 106
"""Weeks that are drawn: two years; of more the last ones."""
_WIDTH, _HEIGHT, _LEFT, _FOOT, _TOP = 960, 190, 46, 28, 24
_SIDES = ("missed", "unsupported")


def weeks_of(weeks: Mapping[date, Group]) -> Iterator[Markup]:
    """The drawing and its table."""
    yield _drawing(weeks)
    # Columns of money only where any charge is known.
    sides = _SIDES if any(group.amounts for group in weeks.values()) else ()
    rows = [
        (
            str(monday),
            f"{group.encounters:,}",
            f"{group.severities['error']:,}",
            f"{_rate(group):.2f}",
            *(dollars(group.amounts.get(side)) for side in sides),
        )
        for monday, group in sorted(weeks.items())
    ]
    heads = ["week from", "encounters", "errors", "errors an encounter"]
    heads += [f"{side} $" for side in sides]
    yield table("By week of service", heads, rows, numbers="tnnnnn"[: len(heads)])


def _drawing(weeks: Mapping[date, Group]) -> Markup:
    """A bar a week, weeks without encounters too: a gap in time must look like one."""
    first, last = min(weeks), max(weeks)
    count = min(_MOST_BARS, (last - first) // _WEEK + 1)
    mondays = [last - _WEEK * n for n in reversed(range(count))]
    rates = [_rate(weeks.get(monday)) for monday in mondays]
    most = max(*rates, 0.01)
    step = (_WIDTH - _LEFT - 10) / len(mondays)
    room = _HEIGHT - _FOOT - _TOP
    bottom = _HEIGHT - _FOOT
    parts = [
        f'<svg class="ivp trend" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        "<title>Errors an encounter, by week of service</title>"
        f'<rect class="p" width="{_WIDTH}" height="{_HEIGHT}"/>'
        f'<text class="s" x="4" y="{_TOP + 4}">{most:.2f}</text>'
        f'<text class="h" x="{_LEFT}" y="14">Errors an encounter</text>'
        f'<text class="s" x="4" y="{bottom}">0</text>'
        f'<path class="t" d="M{_LEFT} {_TOP}H{_WIDTH - 10}M{_LEFT} {bottom}H{_WIDTH - 10}"/>'
    ]
    every = -(-len(mondays) // 10)
    for number, (monday, rate) in enumerate(zip(mondays, rates, strict=True)):
        x, height = _LEFT + step * number, room * rate / most
        parts.append(
            f'<rect class="tf" x="{x + step * 0.15:.1f}" y="{bottom - height:.1f}" '
            f'width="{step * 0.7:.1f}" height="{height:.1f}"><title>{monday}: {rate:.2f}</title>'
            "</rect>"
        )
        if number % every == 0:
            middle = x + step / 2
            parts.append(
                f'<text class="x" x="{middle:.1f}" y="{_HEIGHT - 10}">{monday:%m-%d}</text>'
            )
    return Markup("".join(parts) + "</svg>")


def _rate(group: Group | None) -> float:
    return 0.0 if group is None else group.severities["error"] / group.encounters
