"""What stands on its own: shots, infusions under the skin, doses by artery, pumps, a port's flush."""

from __future__ import annotations

from collections import Counter

from tests.oracle.billing import (
    DISTINCT,
    ORDER,
    SEPARATE_VISIT,
    Line,
    Lines,
    Unit,
    Units,
    further_hours,
    marked,
)
from tests.oracle.chart import (
    DAY,
    Dose,
    Technique,
    Visit,
    by_pump,
    days_of,
    is_complex,
    running_minutes,
    stretch,
)

FLUSH = "96523"
REFILLS = {"ambulatory_pump": "96521", "implanted_pump": "96522"}
ABOVE_A_SHOT = (*ORDER, "96369", "96401", "96402", "96416", "96420", "96422", "96425", "C8957")
ABOVE = {
    "96372": ABOVE_A_SHOT,
    "96377": ABOVE_A_SHOT,
    "96401": ("96369",),
    "96402": ("96369",),
}
"""NCCI pairs: codes that a shot beside them on one day needs to be told apart from."""


def units_alone(visit: Visit) -> list[Unit]:
    """The units of all doses that are not given by vein, and of pumps."""
    return [Unit(*unit, dose.visit) for dose in visit.doses for unit in _alone(dose, visit)]


def lines_alone(visit: Visit, by_vein: set[Unit]) -> Lines:
    """Their lines, each marked where an NCCI pair asks for it beside one that is not marked."""
    alone = units_alone(visit)
    every = by_vein | set(alone)
    lines: Lines = Counter()
    for code, day, number in alone:
        above = ABOVE.get(code, ())
        beside = {each.visit for each in every if each.code in above and each.day == day}
        apart = DISTINCT if number in beside else SEPARATE_VISIT
        lines[Line(code, marked(visit, apart) if beside else "", day)] += 1
    return lines


def flushes(visit: Visit, billed: Lines) -> Lines:
    """The flush of a port, on a day on which nothing else is billed."""
    flushed = {days_of(dose)[0] for dose in visit.doses if flushes_port(dose)}
    return Counter(Line(FLUSH, day=day) for day in flushed - {line.day for line in billed})


def flushes_port(dose: Dose) -> bool:
    """Whether the dose only flushes an implanted port."""
    return dose.purpose == "flush" and dose.access == "port"


def _alone(dose: Dose, visit: Visit) -> Units:
    """The units of one dose."""
    first, more = _codes_alone(dose, visit)
    if not first:
        return []
    span = stretch(dose) or (dose.start or 0, dose.start or 0)
    hours = further_hours(span[1] - span[0], visit) if more else 0
    ends = [min(span[0] + 60 * (hour + 2), span[1]) - 1 for hour in range(hours)]
    return [(first, days_of(dose)[0]), *((more, end // DAY) for end in ends)]


def _codes_alone(dose: Dose, visit: Visit) -> tuple[str, str]:
    """The code of a dose, and that of its further hours, or none."""
    hard = is_complex(dose, visit)
    match visit.technique(dose):
        case Technique.UNDER_SKIN:
            return "96369", "96370"
        case Technique.PUMP:
            return "96416" if hard else "C8957", ""
        case Technique.SHOT if dose.device == "on_body_injector":
            return "96377", ""
        case Technique.SHOT:
            return ("96402" if dose.hormonal else "96401") if hard else "96372", ""
        case Technique.ARTERIAL:
            return _codes_by_artery(dose, visit)
    return (REFILLS[dose.device], "") if dose.purpose == "pump_refill" and dose.device else ("", "")


def _codes_by_artery(dose: Dose, visit: Visit) -> tuple[str, str]:
    if not is_complex(dose, visit):
        return "96373", ""
    if by_pump(dose):
        return "96425", ""
    runs = dose.method == "infusion" and (running_minutes(dose) or 0) > visit.policies.push_ceiling
    return ("96422", "96423") if runs else ("96420", "")
