"""Who may bill at all: where, on which form, and under whose eyes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import billed, check, dose, push, reasons

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


@pytest.mark.parametrize(
    ("chart", "codes", "too_little"),
    [
        ([PUSH], [("96374", 1)], False),
        ([{**PUSH, "category": "chemotherapy"}], [], True),
        ([push("a", "10:00", drug="fluorouracil", category=None)], [], True),
        ([push("a", "10:00", drug="ondansetron", category=None)], [("96374", 1)], False),
        ([PUSH, push("b", "10:30", category="chemotherapy")], [("96374", 1)], True),
    ],
)
def test_where_chemotherapy_needs_direct_supervision_in_a_hospital_no_other_drug_does(
    chart: list[dict[str, Any]], codes: list[tuple[str, int]], too_little: bool
) -> None:
    policies = {"chemo_hospital_supervision": "direct"}
    result = check(*chart, supervision={"level": "general"}, policies=policies)
    assert billed(result) == codes
    assert ("IVP402" in {violation.rule for violation in result.violations}) is too_little


def test_an_inpatient_stay_bills_no_administration() -> None:
    inpatient = check(PUSH, type_of_bill="111")
    assert billed(inpatient) == []
    assert "packaged" in reasons(inpatient)["a"]


def test_a_practitioners_own_work_is_paid_in_a_facility_too() -> None:
    spine = dose("a", "10:00", None, category="chemotherapy", route="IT", method="injection")
    vein = push("b", "10:30")
    result = check(spine, vein, setting="professional", place_of_service="22")
    assert billed(result) == [("96450", 1)]
    assert "in a facility" in reasons(result)["b"]


def test_before_the_first_fee_schedule_held_the_technique_says_whose_work_it_is() -> None:
    lesion = dose("a", "10:00", None, category="chemotherapy", route="IL", method="injection")
    facts: dict[str, Any] = {
        "setting": "professional",
        "place_of_service": "22",
        "date": "2015-03-02",
    }
    assert billed(check(lesion, push("b", "10:30"), **facts)) == [("96405", 1)]


def test_a_payers_own_list_says_what_it_denies_in_a_facility() -> None:
    facts: dict[str, Any] = {"setting": "professional", "place_of_service": "22"}
    own = {"facility_denied_codes": "96372"}
    shot = dose("b", "10:30", None, drug="ketorolac", route="IM", method="injection")
    assert billed(check(PUSH, shot, policies=own, **facts)) == [("96374", 1)]


@pytest.mark.parametrize("role", ["MD", "m.d.", "Physician", "PA-C", "nurse practitioner", "APRN"])
@pytest.mark.parametrize("setting", ["professional", "facility"])
def test_a_practitioner_who_gives_the_drug_needs_no_supervisor(role: str, setting: str) -> None:
    nobody = {"level": "none", "mode": "none", "provider_present": False}
    given = push("a", "10:00", administered_by=role)
    assert billed(check(given, setting=setting, supervision=nobody)) == [("96374", 1)]


@pytest.mark.parametrize("role", ["RN", "Medical Assistant", None])
@pytest.mark.parametrize("setting", ["professional", "facility"])
def test_staff_under_too_little_supervision_earn_nothing_in_either_setting(
    role: str | None, setting: str
) -> None:
    nobody = {"level": "none", "mode": "none", "provider_present": False}
    result = check(push("a", "10:00", administered_by=role), setting=setting, supervision=nobody)
    assert billed(result) == []
    assert "supervision" in reasons(result)["a"]


@pytest.mark.parametrize("role", ["patient", "Self-administered", "PCA", "family member"])
def test_a_dose_that_the_patient_releases_earns_nothing(role: str) -> None:
    loading = push("a", "10:00", administered_by="RN")
    result = check(loading, push("b", "11:00", administered_by=role))
    assert billed(result) == [("96374", 1)]
    assert "not the staff" in reasons(result)["b"]


@pytest.mark.parametrize(("day", "why"), [("1984-01-01", "supervision"), ("1983-12-31", "no code")])
def test_before_the_first_rule_of_supervision_none_is_asked_for(day: str, why: str) -> None:
    given = push("a", f"{day}T10:00")
    assert why in reasons(check(given, date=day, supervision={"level": "none"}))["a"]
