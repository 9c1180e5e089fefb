"""Encounters that an 837 can hold, drawn at random."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from ivpush.contract.encounter import ClaimLine, Encounter

CODES = st.sampled_from(("96374", "96375", "96376", "96365", "96361", "J2405", "J1885", "99284"))
MODIFIERS = st.lists(st.sampled_from(("25", "59", "XS", "XE", "JW", "RT")), unique=True, max_size=4)
DAYS = st.dates(dt.date(2010, 1, 1), dt.date(2030, 12, 31))
CHARGES = st.none() | st.decimals(0, 99_999, places=2, allow_nan=False)
NDCS = st.none() | st.sampled_from(("00026063512", "0409-1918-01", "50242004001"))
NAMES = st.text("ABCxyz019-_ .é/", min_size=1, max_size=20).filter(
    lambda name: name == name.strip()
)
DIAGNOSES = st.lists(st.sampled_from(("R112", "C509", "E119", "Z5111", "I10")), max_size=12)
CHANGEABLE = (
    "code",
    "modifiers",
    "units",
    "charge",
    "date",
    "ndc",
    "revenue_code",
    "place_of_service",
    "diagnosis_pointers",
)
"""Fields of a line that a correction may change: all but its number."""


@st.composite
def claim_lines(draw: st.DrawFn, setting: str, number: int, dated: bool = True) -> ClaimLine:
    fields: dict[str, Any] = {
        "number": number,
        "code": draw(CODES),
        "modifiers": tuple(draw(MODIFIERS)),
        "units": draw(st.integers(0, 999)),
        "charge": draw(CHARGES),
        "ndc": draw(NDCS),
        "date": draw(DAYS) if dated else None,
    }
    if setting == "facility":
        fields["revenue_code"] = draw(st.none() | st.sampled_from(("0260", "450", "0636")))
    else:
        fields["place_of_service"] = draw(st.none() | st.sampled_from(("11", "22", "23")))
        fields["diagnosis_pointers"] = tuple(draw(st.lists(st.integers(1, 12), max_size=4)))
    return ClaimLine(**fields)


@st.composite
def claims(draw: st.DrawFn) -> Encounter:
    """An encounter without a chart, as an 837 holds it."""
    setting = draw(st.sampled_from(("facility", "professional")))
    numbers = draw(st.lists(st.integers(1, 999), unique=True, min_size=1, max_size=3))
    dated = [draw(st.booleans()) for _ in numbers]
    fields: dict[str, Any] = {
        "id": draw(NAMES),
        "setting": setting,
        "diagnoses": tuple(draw(DIAGNOSES)),
        "lines": tuple(
            draw(claim_lines(setting, number, has_date))
            for number, has_date in zip(numbers, dated, strict=True)
        ),
    }
    if not all(dated):
        fields["date"] = draw(DAYS)
    if setting == "facility":
        fields["type_of_bill"] = draw(st.none() | st.sampled_from(("131", "137", "851", "13G")))
    else:
        fields["place_of_service"] = draw(st.none() | st.sampled_from(("11", "19", "23")))
    return Encounter(**fields)


@st.composite
def corrections(draw: st.DrawFn, before: Encounter) -> tuple[ClaimLine, ...]:
    """Other lines for a claim: some as they were, some changed, dropped or new."""
    out = []
    for line in before.lines or ():
        what = draw(st.sampled_from(("same", "same", "changed", "dropped")))
        if what == "same":
            out.append(line)
        elif what == "changed":
            other = draw(claim_lines(before.setting, line.number))
            names = draw(st.sets(st.sampled_from(CHANGEABLE)))
            out.append(line.model_copy(update={name: getattr(other, name) for name in names}))
    number = max(line.number for line in before.lines or ()) + 1
    extras = range(draw(st.integers(0, 2)))
    out += [draw(claim_lines(before.setting, number + extra)) for extra in extras]
    return tuple(out)
