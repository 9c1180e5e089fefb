"""Charts and claims in one line."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from ivpush import InputError
from ivpush.testing import chart, claim
from tests.shipped import ENGINE

DAY = ENGINE.pack.case_date


def test_a_chart_holds_what_its_texts_say() -> None:
    visit = chart(
        "ceftriaxone 1 g IV infusion 10:00-10:35",
        "J1885 IV push 23:50-+1 0:02",
        {"drug": "normal saline", "route": "IV", "minutes": 60, "ordered": True},
        lines=["96365-59 x2", {"code": "96375", "units": 1, "charge": 20}],
    )
    assert visit.lines is not None and visit.administrations is not None
    first, second, third = visit.administrations
    assert (first.id, first.drug, first.dose_unit) == ("a1", "ceftriaxone", "g")
    assert (first.dose, first.route, first.method) == (Decimal(1), "IV", "infusion")
    assert first.start == datetime.fromisoformat(f"{DAY}T10:00")
    assert (second.drug, second.hcpcs) == (None, "J1885")
    assert second.start is not None and second.stop is not None
    assert (second.stop - second.start).total_seconds() == 12 * 60
    assert (third.minutes, third.ordered) == (60, True)
    assert [(line.number, line.code, line.modifiers, line.units) for line in visit.lines] == [
        (1, "96365", ("59",), 2),
        (2, "96375", (), 1),
    ]
    assert visit.lines[1].charge == Decimal(20)


def test_facts_may_be_python_values() -> None:
    visit = claim("96374", setting="professional", date=date(2025, 1, 2), administrations=None)
    assert (visit.setting, visit.date, visit.administrations) == (
        "professional",
        date(2025, 1, 2),
        None,
    )
    assert claim().lines == () and chart().administrations == ()
    assert chart().lines is None and claim().administrations is None


@pytest.mark.parametrize("text", ["ketorolac", "IV push 10:00", "ketorolac iv push", "x IV 10", ""])
def test_an_administration_in_no_known_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write DRUG ROUTE METHOD START-STOP"):
        chart(text)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(InputError, match="write CODE-MODIFIER xUNITS"):
        claim("9637")
    with pytest.raises(InputError, match="did you mean 'payer'"):
        claim("96374", payr="medicare")
    # Keys of a rule's case that are no facts of an encounter.
    with pytest.raises(InputError, match="policies"):
        claim("96374", policies={})
    with pytest.raises(InputError, match="date: is no date; write a date as YYYY-MM-DD"):
        claim("96374", date="yesterday")
