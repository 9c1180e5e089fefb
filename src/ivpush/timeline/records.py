"""What a drawing of an encounter is made of: times, minutes, codes and names that are known.

``claim.drawing`` makes these records of a coded chart, ``timeline`` draws them, and a result holds
them where it was asked to. Names are those of the drug table unless the chart's own words were
asked for; nothing else of a chart's free text is in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["Drawing", "Given", "Mark", "Shape", "Stretch"]

Shape = Literal["run", "dose"]
"""``run``: what lasts, drawn as a bar; ``dose``: what is given at once, drawn as a tick."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, from its start to its stop."""

    start: datetime
    stop: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """A number of minutes that decided: the last at which something else would have been billed.

    ``at`` is when so many minutes had passed, and ``text`` says what counts after it.
    """

    at: datetime
    minutes: int
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """One administration as it was coded.

    ``name`` is the drug table's, None where it holds no such drug. ``lane`` names the access site,
    by a number, or the route. ``counted`` are the stretches whose minutes count, ``minutes`` how
    long it ran within the stay. ``codes`` are the suggested lines it stands in, ``because`` says
    why it is in none. ``missing`` are the facts that a question asks for. ``since`` is the start of
    the last reported push of the drug, where this one repeats it.
    """

    id: str
    name: str | None
    lane: str
    shape: Shape
    start: datetime | None
    stop: datetime | None
    counted: tuple[Stretch, ...]
    minutes: int | None
    technique: str | None
    family: str | None
    role: str | None
    codes: tuple[str, ...]
    because: str | None
    missing: tuple[str, ...]
    marks: tuple[Mark, ...]
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """The chart of one encounter as it was coded; ``given`` is None where no chart came."""

    given: tuple[Given, ...] | None
