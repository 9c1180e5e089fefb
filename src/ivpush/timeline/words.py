"""What the drawings say: the sentences and short texts that SVG, table and text share.

Foreign text, the ids and names of a chart, leaves here as it came; each form escapes it in its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf

from ivpush.clock import seconds_of
from ivpush.plural import counted
from ivpush.timeline.records import Drawing, Given

__all__ = [
    "LEGEND",
    "billed_as",
    "clock_of",
    "day_and_hour",
    "details_of",
    "lanes_of",
    "sentence_of",
    "stop_of",
    "summary_of",
    "title_of",
]

_MINUTE = timedelta(minutes=1)
LEGEND = {
    "counted": "minutes that count",
    "barred": "not billable, or not counted",
    "open": "a fact is open",
    "overlap": "runs overlap",
    "mark": "a minute that decided",
}
"""The kinds of things drawn, and what each means."""


def lanes_of(drawing: Drawing) -> dict[str, list[Given]]:
    """The administrations by lane, each lane in time; lanes in order of the chart."""
    lanes: dict[str, list[Given]] = {}
    for given in drawing.given or ():
        lanes.setdefault(given.lane, []).append(given)
    for members in lanes.values():
        members.sort(key=_begun)
    return lanes


def _begun(given: Given) -> float:
    # What has no time stands last, in order of the chart.
    return inf if given.start is None else seconds_of(given.start)


def title_of(drawing: Drawing) -> str:
    """What the drawing shows, in a line."""
    if drawing.given is None:
        return "Timeline: no chart came"
    if not drawing.given:
        return "Timeline: nothing was given"
    what = f"Timeline of {counted(len(drawing.given), 'administration')}"
    times = [at for each in drawing.given for at in (each.start, each.stop) if at is not None]
    if not times:
        return f"{what} without clock times"
    first, last = min(times), max(times)
    until = _hour(last) if last.date() == first.date() else day_and_hour(last)
    return f"{what}, {day_and_hour(first)} to {until}"


def summary_of(lanes: Mapping[str, Sequence[Given]]) -> str:
    """The lanes and what each holds, in sentences."""
    return " ".join(
        f"{lane}: {counted(len(members), 'administration')}." for lane, members in lanes.items()
    )


def billed_as(given: Given) -> str:
    """The codes that an administration stands in, or that it earns none."""
    if given.codes:
        return " + ".join(given.codes)
    return "not billable" if given.because is not None else "no code"


def details_of(given: Given) -> str:
    """Its role, its minutes and what is open, in short."""
    role = None if given.role is None else given.role.replace("_", " ")
    missing = f"open: {', '.join(given.missing)}" if given.missing else None
    return ", ".join(filter(None, (role, _length(given), missing)))


def _length(given: Given) -> str | None:
    if given.minutes is None:
        return None
    if given.counted:
        counts = sum((each.stop - each.start for each in given.counted), timedelta()) // _MINUTE
        if counts != given.minutes:
            return f"{counts} of {given.minutes} min"
    return f"{given.minutes} min"


def clock_of(given: Given) -> str:
    """When it started, as a clock shows it."""
    return "not charted" if given.start is None else _hour(given.start)


def stop_of(given: Given) -> str:
    """When it stopped, with the date where that is another day's."""
    if given.stop is None:
        return "" if given.shape == "dose" and "stop" not in given.missing else "not charted"
    if given.start is not None and given.stop.date() != given.start.date():
        return day_and_hour(given.stop)
    return _hour(given.stop)


def day_and_hour(at: datetime) -> str:
    """A time with its date."""
    return f"{at.date()} {_hour(at)}"


def _hour(at: datetime) -> str:
    # Ten times as fast as strftime, which a chart of hundreds asks for thousands of times.
    return f"{at.hour:02}:{at.minute:02}"


def sentence_of(given: Given) -> str:
    """One administration in a sentence."""
    name = "" if given.name is None else f" {given.name}"
    stop = stop_of(given)
    when = clock_of(given) + (f" to {stop}" if stop else "")
    more = ", ".join(filter(None, (billed_as(given), details_of(given))))
    return f"{given.id}{name}: {when}: {more}"
