"""Rows of a medication record as doses, by the words of a column map.

``reader`` makes a dose of each row that stands; ``runs`` then joins those that belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ivpush import clock
from ivpush.readers.shapes import CODE
from ivpush.readers.tables.cells import Row
from ivpush.readers.tables.forms import number, plain_text
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.lookup import Lookup
from ivpush.readers.tables.maps import TIMES, spellings

__all__ = [
    "Dose",
    "dose_of",
]

_TO_MINUTES = {
    "seconds": Decimal(1) / 60,
    "minutes": Decimal(1),
    "hours": Decimal(60),
    "days": Decimal(1440),
}
_MOST_MINUTES = 1_000_000
_ENDLESS = f"stops over {_MOST_MINUTES:,} minutes after it began: its stop counts as not charted"
_TEXTS = ("drug", "dose_unit", "site", "lumen", "administered_by", "performer")
_TERMS = ("route", "method", "category", "purpose", "access")


class _Measure(NamedTuple):
    """An amount whose unit stands in a column of its own, and the field that takes it."""

    fact: str
    unit: str
    field: str
    factors: Mapping[str, Decimal]


_MEASURES = (
    _Measure(
        fact="rate",
        unit="rate_unit",
        field="rate_ml_per_hour",
        factors={"ml/h": Decimal(1), "ml/min": Decimal(60)},
    ),
    _Measure(
        fact="volume",
        unit="volume_unit",
        field="volume_ml",
        factors={"ml": Decimal(1), "l": Decimal(1000)},
    ),
)


@dataclass(slots=True, eq=False)
class Dose:
    """One dose, or one event of one, on its way to an administration.

    ``fields`` are those of the contract's administration; following its course adds to them::

        dose = dose_of(row, lookup, ledger)
        dose.fields["method"] = "infusion"
        dose.after = earlier  # the run that this one goes on with
    """

    number: int
    """Row of the table."""
    order: str
    run: str
    role: str
    name: str
    """Id in the table, from which the administration's id is made."""
    fields: dict[str, Any]
    actions: tuple[str, ...] = ()
    at: datetime | None = None
    """When an event happened."""
    day: date | None = None
    after: Dose | None = None
    """The run that this one goes on with."""
    beside: Dose | None = None
    """The dose in whose bag or syringe this one is."""


class _Times(NamedTuple):
    """The fields of an administration's times; when its event happened; its date."""

    fields: dict[str, Any]
    at: datetime | None
    day: date | None


def dose_of(row: Row, lookup: Lookup, ledger: Ledger) -> Dose:
    """The facts of a row; what cannot be read of it is left open and remarked."""
    stated = {
        **{fact: text for fact in _TEXTS if (text := lookup.text(row, fact))},
        **_terms(row, lookup, ledger),
        **_codes(row, lookup, ledger),
        **_amounts(row, lookup, ledger),
    }
    times = _times(row, lookup, ledger)
    fields = {**stated, **times.fields}
    source = _source(row, fields, lookup, ledger)
    return Dose(
        number=row.number,
        order=lookup.text(row, "order"),
        run=lookup.text(row, "run"),
        role=lookup.word(row, "role", ledger) or "",
        name=lookup.text(row, "line"),
        fields=fields if source is None else {**fields, "times_from": source},
        actions=lookup.words(row, "action", ledger),
        at=times.at,
        day=times.day,
    )


def _terms(row: Row, lookup: Lookup, ledger: Ledger) -> dict[str, str]:
    terms = {fact: word for fact in _TERMS if (word := lookup.word(row, fact, ledger))}
    if "method" not in terms:
        # Many sites write the technique into the route: "IV push" names both.
        method = spellings().of("method").get(plain_text(lookup.text(row, "route")))
        if method is not None:
            terms["method"] = method
    return terms


def _codes(row: Row, lookup: Lookup, ledger: Ledger) -> dict[str, str | None]:
    texts = _code_texts(row, lookup, ledger)
    codes: dict[str, str | None] = {}
    hcpcs = texts["hcpcs"].upper()  # exports differ in case; the code set does not
    if CODE.fullmatch(hcpcs):
        codes["hcpcs"] = hcpcs
    elif hcpcs:
        ledger.remark("hcpcs has not the form of a code", row.number)
    if texts["ndc"]:
        codes["ndc"] = lookup.ndc(texts["ndc"], row, ledger)
    return codes


def _code_texts(row: Row, lookup: Lookup, ledger: Ledger) -> dict[str, str]:
    """HCPCS code and NDC: from a column of their own, else from one of codes and their systems."""
    texts = {fact: lookup.text(row, fact) for fact in ("hcpcs", "ndc")}
    code = lookup.text(row, "code")
    if not code:
        return texts
    system = lookup.word(row, "code_system", ledger)
    if system in texts:
        # A column of its own is surer than one that mixes systems.
        texts[system] = texts[system] or code
    else:
        ledger.remark(
            "the drug code is of a system that is not read; the drug is known by its text alone",
            row.number,
        )
    return texts


def _amounts(row: Row, lookup: Lookup, ledger: Ledger) -> dict[str, Decimal | None]:
    amounts: dict[str, Decimal | None] = {}
    for fact in ("dose", "wasted"):
        amount = lookup.quantity(row, fact, ledger)
        if amount is not None:
            amounts[fact] = amount
    for measure in _MEASURES:
        amount = lookup.quantity(row, measure.fact, ledger)
        if amount is None:
            continue
        words = lookup.known(measure.unit, plain_text(lookup.text(row, measure.unit))) or ("",)
        factor = measure.factors.get(words[0])
        if factor is None:  # a rate by weight or a volume in milligrams says nothing here
            continue
        amounts[measure.field] = number(str(amount * factor))
    return amounts


def _times(row: Row, lookup: Lookup, ledger: Ledger) -> _Times:
    written = {fact: lookup.time(row, fact, ledger) for fact in TIMES}
    at = written["action_time"]
    is_event = lookup.map.shape == "event"
    # In a table of doses the time of the action is when the dose was begun.
    if not is_event and written["start"] is None:
        written["start"] = at
    fields: dict[str, Any] = {**_clock_times(row, written, ledger)}
    minutes = _minutes(row, lookup, ledger)
    if minutes is not None:
        fields["minutes"] = minutes
    event_at = at if is_event and isinstance(at, datetime) else None
    if event_at is not None and fields.get("stop") == event_at:
        # Systems fill in the end of an event that has none.
        ledger.remark("an event ends when it begins: its stop counts as not charted", row.number)
        del fields["stop"]
    if _never_ends(fields.get("start") or event_at, fields.get("stop"), lookup):
        ledger.remark(_ENDLESS, row.number)
        del fields["stop"]
    return _Times(fields, event_at, _day(written))


def _never_ends(start: datetime | None, stop: datetime | None, lookup: Lookup) -> bool:
    """Whether a stop is so far off that it says only that there is none, such as 31-DEC-2100."""
    if start is None or stop is None:
        return False
    seconds = [clock.moment(time, lookup.zone).seconds for time in (start, stop)]
    return clock.between(*seconds) > _MOST_MINUTES


def _clock_times(
    row: Row, written: Mapping[str, datetime | date | None], ledger: Ledger
) -> dict[str, datetime]:
    """Times with their time of day; from a mere date no minute can be counted."""
    times: dict[str, datetime] = {}
    for fact in ("start", "stop", "last_seen_running"):
        time = written[fact]
        if isinstance(time, datetime):
            times[fact] = time
        elif time is not None:
            ledger.remark(f"{fact} is a date without a clock time", row.number)
    return times


def _day(written: Mapping[str, datetime | date | None]) -> date | None:
    """The date of a row: the one stated as such, else that of the time nearest to its start."""
    for fact in ("date", "start", "action_time", "stop"):
        time = written[fact]
        if time is not None:
            return time.date() if isinstance(time, datetime) else time
    return None


def _minutes(row: Row, lookup: Lookup, ledger: Ledger) -> int | None:
    """A duration in whole minutes; None where none is stated, or without a unit."""
    if not lookup.text(row, "duration"):
        return None
    amount = lookup.quantity(row, "duration", ledger)
    unit = lookup.word(row, "duration_unit", ledger)
    if amount is None:
        return None
    if unit is None:
        ledger.remark("duration is stated without a unit", row.number)
        return None
    minutes = int(amount * _TO_MINUTES[unit])
    if minutes > _MOST_MINUTES:
        ledger.remark(f"duration is longer than {_MOST_MINUTES:,} minutes", row.number)
        return None
    return minutes


def _source(row: Row, fields: Mapping[str, object], lookup: Lookup, ledger: Ledger) -> str | None:
    """Where the times come from; None where they were charted."""
    columns = lookup.map
    if _is_invented(row, fields, lookup, ledger):
        return "defaulted"
    if columns.times_from != "charted" and {"start", "stop", "minutes"} & fields.keys():
        return columns.times_from
    if columns.duration_from != "charted" and "minutes" in fields and "stop" not in fields:
        return columns.duration_from
    return None


def _is_invented(row: Row, fields: Mapping[str, Any], lookup: Lookup, ledger: Ledger) -> bool:
    """Whether the system filled in the stop; remarks that, and a stop before its start."""
    minutes = fields.get("minutes")
    start, stop = fields.get("start"), fields.get("stop")
    if start is not None and stop is not None:
        begun = clock.moment(start, lookup.zone).seconds
        # Where the clock went back meanwhile, the stop is the reading that comes after the start.
        ended = clock.moment(stop, lookup.zone, begun).seconds
        if ended < begun:
            ledger.remark("stops before it starts", row.number)
            return False
        minutes = clock.between(begun, ended)
    columns = lookup.map
    if (
        minutes not in columns.default_minutes
        or fields.get("method") not in columns.default_methods
    ):
        return False
    ledger.remark(
        "lasts exactly as long as the system's default for such a method: "
        "its stop counts as not charted",
        row.number,
    )
    return True
