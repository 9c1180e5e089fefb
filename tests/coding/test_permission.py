"""Who may bill at all: where, on which form, and under whose eyes."""

from __future__ import annotations

import pytest

from tests.visits import billed, check, push, reasons

PUSH = push("a", "10:00")


def test_a_professional_bills_nothing_that_a_facility_gave() -> None:
    assert billed(check(PUSH, setting="professional", place_of_service="11")) == [("96374", 1)]
    hospital = check(PUSH, setting="professional", place_of_service="22")
    assert billed(hospital) == []
    assert "in a facility" in reasons(hospital)["a"]


@pytest.mark.parametrize(
    ("supervision", "codes"),
    [
        (None, [("96374", 1)]),
        ({"level": "direct", "mode": "in_person"}, [("96374", 1)]),
        ({"level": "personal", "mode": "in_person"}, [("96374", 1)]),
        ({"level": "general", "mode": "in_person"}, []),
        ({"provider_present": True}, [("96374", 1)]),
        ({"provider_present": False}, []),
    ],
)
def test_an_office_bills_unless_direct_supervision_is_documented_as_absent(
    supervision: dict[str, object] | None, codes: list[tuple[str, int]]
) -> None:
    assert billed(check(PUSH, setting="professional", supervision=supervision)) == codes


def test_a_hospital_needs_no_direct_supervision() -> None:
    assert billed(check(PUSH, supervision={"level": "general"})) == [("96374", 1)]


def test_an_inpatient_stay_bills_no_administration() -> None:
    inpatient = check(PUSH, type_of_bill="111")
    assert billed(inpatient) == []
    assert "packaged" in reasons(inpatient)["a"]
