"""Doses, rates and durations of an administration's dosage, in the units of the contract.

``chart`` asks for them. Rates are millilitres an hour, volumes millilitres, durations whole
minutes; an amount in other units is left out and noted, never converted by guess.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from ivpush.readers.builder import text_form
from ivpush.readers.fhir.elements import Node
from ivpush.readers.tables.forms import plain_text
from ivpush.readers.tables.maps import spellings

__all__ = [
    "amounts",
    "comparable",
    "note_other_durations",
]

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_MILLILITRES = {"ml": Decimal(1), "l": Decimal(1000)}
_PER = re.compile(r"\s*/\s*|\s+per\s+")
_SIX_PLACES = Decimal("0.000001")
_MOST = 1_000_000
"""The contract takes no rate and no duration from here on."""
_MOST_TEXT = 2_000
"""So much of a dosage's text is searched, so that a long one costs no time."""
_LASTING = re.compile(
    r"\bover\s+[0-9]+(\.[0-9]+)?(\s*(-|to)\s*([0-9]+(\.[0-9]+)?))?\s*(?P<unit>min|h)",
    re.IGNORECASE | re.ASCII,
)
_FIGURE = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


def amounts(dosage: Node) -> dict[str, Any]:
    """Dose, volume, rate and running minutes, as far as the dosage states them."""
    return {**_dose(dosage), **_ratio(dosage), **_quantities(dosage)}


def _dose(dosage: Node) -> dict[str, Any]:
    dose = dosage.child("dose") or dosage.child("simpleDose")
    if dose is None or (amount := dose.number("value")) is None:
        return {}
    unit = dose.text("unit") or dose.text("code")
    stated = {"dose": amount, "dose_unit": text_form(unit) if unit else None}
    factor = _MILLILITRES.get(_word("volume_unit", unit or ""))
    return stated if factor is None else {**stated, "volume_ml": amount * factor}


def _ratio(dosage: Node) -> dict[str, Any]:
    """A rate written as an amount over a time."""
    ratio = dosage.child("rateRatio")
    if ratio is None:
        return {}
    above, below = ratio.child("numerator"), ratio.child("denominator")
    if above is None or below is None:
        return {}
    return _rate(dosage, above, _unit(below), below.number("value"))


def _quantities(dosage: Node) -> dict[str, Any]:
    """A rate written as one quantity, whose unit says the time."""
    stated: dict[str, Any] = {}
    for name in ("rateQuantity", "rateSimpleQuantity"):
        rate = dosage.child(name)
        if rate is None:
            continue
        unit = _unit(rate)
        seconds = _SECONDS.get(unit or "")
        if seconds is not None:
            # A time alone is how long it ran, whatever the element is called.
            stated |= _lasted(dosage, rate.number("value"), seconds)
        elif unit is not None:
            stated |= _rate(dosage, rate, unit.partition("/")[2] or None, Decimal(1))
    return stated


def _unit(quantity: Node) -> str | None:
    """The unit in one way of writing it; None: its code and its text disagree, or both lack."""
    code, unit = quantity.text("code"), quantity.text("unit")
    if code and unit and _plain_unit(code) != _plain_unit(unit):
        quantity.case.note("a rate's unit and its code disagree, so that the rate is unknown")
        return None
    return _plain_unit(code or unit or "") or None


def _plain_unit(unit: str) -> str:
    """``milliliters per hour``, ``mL / hr`` and ``ml/h`` alike."""
    above, *below = _PER.split(plain_text(unit), maxsplit=1)
    top = _word("volume_unit", above)
    # Where nothing stands below, the unit may be that of a time.
    return "/".join([top if below else _word("duration_unit", top), *map(_time_word, below)])


def _time_word(text: str) -> str:
    return _word("duration_unit", text)


def _word(fact: str, text: str) -> str:
    """The word for a spelling that the tables know, else the text in small letters."""
    plain = plain_text(text)
    return spellings().of(fact).get(plain, plain)


def _rate(dosage: Node, above: Node, per: str | None, count: Decimal | None) -> dict[str, Any]:
    """A rate in millilitres an hour; a rate of another kind, such as mg/h, has no field."""
    unit, amount = _unit(above), above.number("value")
    # The unit of a quantity says volume and time; that of a numerator, the volume alone.
    volume = _MILLILITRES.get((unit or "").partition("/")[0])
    seconds = _SECONDS.get(per or "")
    if volume is None or seconds is None or amount is None or not count:
        dosage.case.note("a rate is not a volume in a time, so that it is left out")
        return {}
    hourly = amount * volume * 3600 / (seconds * count)
    if hourly >= _MOST:
        dosage.case.note("a rate is larger than any pump's, and is left out")
        return {}
    return {"rate_ml_per_hour": hourly.quantize(_SIX_PLACES).normalize()}


def _lasted(dosage: Node, amount: Decimal | None, seconds: int) -> dict[str, Any]:
    if amount is None:
        return {}
    minutes = int(amount * seconds) // 60
    if minutes > _MOST:
        dosage.wrong("rateQuantity", "write minutes up to a million")
        return {}
    dosage.case.note("a rate is written as a time, and is read as running minutes")
    return {"minutes": minutes}


def comparable(first: datetime, second: datetime) -> bool:
    """Whether two times are both with an offset, or both without."""
    return (first.tzinfo is None) == (second.tzinfo is None)


def note_other_durations(
    dosage: Node, start: datetime | None, stop: datetime | None, minutes: int | None
) -> None:
    """Note where the period and what else is known of the duration tell different stories."""
    if start is None or stop is None or not comparable(start, stop):
        return
    case = dosage.case
    ran = int((stop - start).total_seconds()) // 60
    if minutes is not None and minutes != ran:
        case.note("a period differs from the charted minutes; both are kept, and clock times count")
    text = dosage.text("text")
    phrase = _LASTING.search(text[:_MOST_TEXT]) if text else None
    if phrase is not None:
        factor = 60 if phrase["unit"].casefold() == "h" else 1
        spoken = [float(figure) * factor for figure in _FIGURE.findall(phrase[0])]
        # One minute either way is rounding.
        if not min(spoken) - 1 <= ran <= max(spoken) + 1:
            case.note("a dosage's text speaks of another duration than its period, which is kept")
