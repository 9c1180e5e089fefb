"""The drawing as SVG: lanes by access site, bars with the minutes that count, ticks for pushes.

``Timeline.svg`` and the report call it. Only numbers of ours and escaped text go into it. A row an
administration keeps names, times and codes in columns, so that no two texts ever meet::

    names            |  the clock  |  |                codes
    access S1
    a1 ceftriaxone      ███15███████60████             its codes
                                                       role, minutes
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import pairwise

from ivpush.printable import visible
from ivpush.timeline.records import Drawing, Given
from ivpush.timeline.scale import Scale, scale_of
from ivpush.timeline.style import PATTERNS, STYLE
from ivpush.timeline.words import (
    LEGEND,
    billed_as,
    details_of,
    lanes_of,
    sentence_of,
    summary_of,
    title_of,
)

__all__ = ["svg_of"]

WIDTH = 960
_NAMES, _LEFT, _RIGHT, _CODES = 10, 196, 716, 730
"""Where columns begin and end: names, the clock from and to, codes."""
_AXIS, _HEAD, _ROW, _TAIL, _FOOT = 40, 24, 38, 12, 34
"""Heights of the axis, of a lane's head, its rows and its end, and of the legend."""
_BAR = 16
"""Height of a bar; it stands as far below the top of its row as marks need for their numbers."""
_BAR_TOP = 14
_TICK_APART = 64.0
_NUMBER_APART = 15
_LONGEST_NAME, _LONGEST_ID, _LONGEST_CODE, _LONGEST_DETAIL = 27, 30, 33, 37
_OPEN_WIDTH = 36
"""How far a bar without a stop is drawn."""
_FAMILIES = {"hydration": "h", "therapeutic": "t", "chemotherapy": "c"}


def svg_of(drawing: Drawing, *, styled: bool) -> str:
    """The drawing as one SVG element."""
    lanes = lanes_of(drawing)
    scale = scale_of(drawing, _LEFT, _RIGHT)
    height = _AXIS + sum(_lane_height(members) for members in lanes.values()) + _FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ivp" viewBox="0 0 {WIDTH} {height}" '
        'role="img">',
        f"<title>{_text(title_of(drawing))}</title><desc>{_text(summary_of(lanes))}</desc>",
        f"<style>{STYLE}</style>{PATTERNS}" if styled else "",
        f'<rect class="p" width="{WIDTH}" height="{height}"/>',
    ]
    if not lanes:
        parts.append(f'<text class="n" x="{_NAMES}" y="26">{_text(title_of(drawing))}</text></svg>')
        return "".join(parts)
    parts += _lanes(lanes, scale)
    parts += _legend(lanes, height - _FOOT)
    return "".join([*parts, "</svg>"])


def _text(text: str, longest: int | None = None) -> str:
    """Foreign text that is safe in SVG, cut to its column."""
    shown = visible(text)
    if longest is not None and len(shown) > longest:
        shown = f"{shown[: longest - 1]}…"
    return escape(shown)


def _number(value: float) -> str:
    # Four digits: a tenth of a pixel, and no zeros at the end.
    return f"{value:.4g}"


def _lane_height(members: Sequence[Given]) -> int:
    return _HEAD + _ROW * len(members) + _TAIL


def _lanes(lanes: dict[str, list[Given]], scale: Scale | None) -> Iterator[str]:
    top, tops = _AXIS, []
    for members in lanes.values():
        tops.append(top)
        height = _lane_height(members)
        yield f'<rect class="l" y="{top}" width="{WIDTH}" height="{height - 6}" rx="4"/>'
        if scale is not None:
            yield from _overlaps(members, scale, top + _HEAD)
        top += height
    if scale is not None:
        yield from _axis(scale, top - 6)
    for (lane, members), top in zip(lanes.items(), tops, strict=True):
        yield f'<text class="h" x="{_NAMES}" y="{top + 17}">{_text(lane, _LONGEST_ID)}</text>'
        for number, given in enumerate(members):
            yield from _row(given, scale, top + _HEAD + _ROW * number)


def _axis(scale: Scale, bottom: int) -> Iterator[str]:
    """Clock times above, a line down from each, and a stronger one where a day begins."""
    for tick in scale.ticks(_TICK_APART):
        x = _number(tick.place)
        yield f'<path class="t" d="M{x} {_AXIS - 6}V{bottom}"/>'
        yield f'<text class="x" x="{x}" y="{_AXIS - 10}">{tick.clock}</text>'
        if tick.day:
            yield f'<text class="x" x="{x}" y="{_AXIS - 25}">{tick.day}</text>'
    for place in scale.midnights(_NUMBER_APART):
        yield f'<path class="d" d="M{_number(place)} {_AXIS - 6}V{bottom}"/>'
    for before, after in scale.breaks():
        for place in (before + 4, after - 4):
            yield f'<path class="b" d="M{_number(place)} {_AXIS - 6}V{bottom}"/>'


def _overlaps(members: Sequence[Given], scale: Scale, top: int) -> Iterator[str]:
    """Bands behind the rows of a lane in which two runs or more go on at once."""
    height = _ROW * len(members)
    for start, stop in _together(members):
        x, width = scale.place(start), scale.place(stop) - scale.place(start)
        yield (
            f'<rect class="o" x="{_number(x)}" y="{top}" width="{_number(width)}" '
            f'height="{height}"/>'
        )


def _together(members: Sequence[Given]) -> Iterator[tuple[datetime, datetime]]:
    """When two runs or more go on at once."""
    turns = []
    for each in members:
        if each.shape == "run" and each.start is not None and each.stop is not None:
            turns += [(each.start, 1), (each.stop, -1)]
    running, since = 0, None
    # Of one instant the stops first: runs that touch do not overlap.
    for at, turn in sorted(turns):
        running += turn
        if running == 2 and turn == 1:
            since = at
        elif running == 1 and turn == -1 and since is not None and since < at:
            yield since, at
            since = None


# One administration


def _row(given: Given, scale: Scale | None, top: int) -> Iterator[str]:
    name = given.id if given.name is None else given.name
    yield f"<g><title>{_text(sentence_of(given))}</title>"
    yield f'<text class="n" x="{_NAMES}" y="{top + 18}">{_text(name, _LONGEST_NAME)}</text>'
    if given.name is not None:
        yield f'<text class="s" x="{_NAMES}" y="{top + 31}">{_text(given.id, _LONGEST_ID)}</text>'
    if scale is None or given.start is None:
        yield f'<text class="s" x="{_LEFT}" y="{top + 24}">no clock time</text>'
    elif given.shape == "run":
        yield from _run(given, given.start, scale, top)
    else:
        yield from _dose(given, given.start, scale, top)
    code = _text(billed_as(given), _LONGEST_CODE)
    yield f'<text class="{"c" if given.codes else "s"}" x="{_CODES}" y="{top + 18}">{code}</text>'
    if details := _text(details_of(given), _LONGEST_DETAIL):
        yield f'<text class="s" x="{_CODES}" y="{top + 31}">{details}</text>'
    yield "</g>"


def _family(given: Given) -> str:
    return _FAMILIES.get(given.family or "", "o")


def _run(given: Given, start: datetime, scale: Scale, top: int) -> Iterator[str]:
    """A bar: hatched as far as it does not count, filled where it does, dashed where open."""
    family, y = _family(given), top + _BAR_TOP
    low = scale.place(start)
    high = low + _OPEN_WIDTH if given.stop is None else max(low + 2, scale.place(given.stop))
    if given.stop is not None and not _counts_whole(given):
        yield _rectangle(f"z {family}s", low, high, y)
    for stretch in given.counted:
        left, right = scale.place(stretch.start), scale.place(stretch.stop)
        yield _rectangle(f"{family}f", left, max(left + 2, right), y)
    if given.missing or given.stop is None:
        yield _rectangle(f"q {family}s", low - 2, high + 2, y - 2, _BAR + 4)
    if given.stop is None:
        yield f'<text class="m" x="{_number((low + high) / 2)}" y="{y + 12}">?</text>'
    yield from _marks(given, scale, top)
    yield from _minutes(given, scale, y)


def _counts_whole(given: Given) -> bool:
    bounds = [(each.start, each.stop) for each in given.counted]
    return bounds == [(given.start, given.stop)]


def _rectangle(looks: str, low: float, high: float, y: int, height: int = _BAR) -> str:
    return (
        f'<rect class="{looks}" x="{_number(low)}" y="{y}" width="{_number(high - low)}" '
        f'height="{height}" rx="2"/>'
    )


def _minutes(given: Given, scale: Scale, y: int) -> Iterator[str]:
    """How many minutes the longest stretch that counts has, where the bar has room for it."""
    if not given.counted or given.minutes is None:
        return
    stretch = max(given.counted, key=lambda each: each.stop - each.start)
    low, high = scale.place(stretch.start), scale.place(stretch.stop)
    minutes = int((stretch.stop - stretch.start).total_seconds()) // 60
    # Past the lines of the marks, which would strike the number through.
    places = [low, *(x for mark in given.marks if low < (x := scale.place(mark.at)) < high), high]
    left, right = max(pairwise(places), key=lambda gap: gap[1] - gap[0])
    if right - left > 44:
        looks = "wh" if given.family == "hydration" else "w"
        middle = _number((left + right) / 2)
        yield f'<text class="{looks}" x="{middle}" y="{y + 12}">{minutes} min</text>'


def _marks(given: Given, scale: Scale, top: int) -> Iterator[str]:
    """A line across for each minute that decided, with its number above where there is room."""
    free = float("-inf")
    for mark in given.marks:
        x = scale.place(mark.at)
        # Dashed where the run ended on the way to it, which decided as well.
        looks = "k" if given.stop is None or mark.at <= given.stop else "k e"
        yield (
            f'<path class="{looks}" d="M{_number(x)} {top + _BAR_TOP - 3}v{_BAR + 6}">'
            f"<title>{mark.minutes} min: {_text(mark.text)}</title></path>"
        )
        if x >= free:
            yield f'<text class="m" x="{_number(x)}" y="{top + 9}">{mark.minutes}</text>'
            free = x + _NUMBER_APART


def _dose(given: Given, start: datetime, scale: Scale, top: int) -> Iterator[str]:
    """A tick with a head: full where it is billed, hollow where not, dashed where open."""
    x, y, family = scale.place(start), top + _BAR_TOP, _family(given)
    if given.stop is not None and scale.place(given.stop) - x > 4:
        yield f'<path class="g" d="M{_number(x)} {y + 8}H{_number(scale.place(given.stop))}"/>'
    if given.since is not None:
        yield f'<path class="b" d="M{_number(scale.place(given.since))} {y + 8}H{_number(x - 6)}"/>'
    yield from _marks(given, scale, top)
    yield f'<path class="y {family}s" d="M{_number(x)} {y - 2}v{_BAR + 4}"/>'
    head = f"M{_number(x)} {y + 2}l6 6-6 6-6-6z"
    looks = f"{family}f {family}s" if given.codes else f"p {family}s"
    yield f'<path class="{looks}" stroke-width="1.5" d="{head}"/>'
    if given.missing:
        yield _rectangle(f"q {family}s", x - 11, x + 11, y - 4, _BAR + 8)


# The legend


def _legend(lanes: Mapping[str, Sequence[Given]], top: int) -> Iterator[str]:
    """What the looks mean, of those that are there."""
    x, y = _NAMES, top + 8
    for kind in _kinds(lanes):
        yield _SAMPLES[kind].format(x=x, y=y, middle=x + 11, end=y + 12)
        yield f'<text class="s" x="{x + 28}" y="{y + 10}">{LEGEND[kind]}</text>'
        x += 46 + 6 * len(LEGEND[kind])


_SAMPLES = {
    "counted": '<rect class="tf" x="{x}" y="{y}" width="22" height="12" rx="2"/>',
    "barred": '<rect class="z os" x="{x}" y="{y}" width="22" height="12" rx="2"/>',
    "open": '<rect class="q ts" x="{x}" y="{y}" width="22" height="12" rx="2"/>',
    "overlap": '<rect class="o" x="{x}" y="{y}" width="22" height="12"/>',
    "mark": '<path class="k" d="M{middle} {y}V{end}"/>',
}


def _kinds(lanes: Mapping[str, Sequence[Given]]) -> Iterator[str]:
    every = [given for members in lanes.values() for given in members]
    if any(each.counted for each in every):
        yield "counted"
    if any(_is_barred(each) for each in every):
        yield "barred"
    if any(each.missing for each in every):
        yield "open"
    if any(True for members in lanes.values() for _ in _together(members)):
        yield "overlap"
    if any(each.marks for each in every):
        yield "mark"


def _is_barred(given: Given) -> bool:
    if given.shape == "dose":
        return not given.codes
    return given.stop is not None and not _counts_whole(given)
