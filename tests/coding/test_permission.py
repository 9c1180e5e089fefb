"""Who may bill at all: where, on which form, and under whose eyes."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush import Encounter, Supervision
from ivpush.coding.permission import standing_of, supervision_of
from tests.shipped import PACK
from tests.visits import billed, check, dose, push, reasons, visit

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


# Level, mode and presence together


def met(setting: str, day: str = "2026-03-02", **documented: Any) -> bool | None:
    """Whether documented supervision of a push is what its setting and date require."""
    record = visit({**PUSH, "start": f"{day}T10:00"}, setting=setting, date=day)
    encounter = record.model_copy(update={"supervision": Supervision(**documented)})
    return supervision_of(encounter, PACK.book(encounter.service_date)).met


@pytest.mark.parametrize(
    ("documented", "expected"),
    [
        ({}, None),
        ({"level": "direct"}, None),
        ({"mode": "in_person"}, None),
        ({"provider_present": True}, None),
        ({"level": "direct", "mode": "in_person"}, True),
        ({"level": "personal", "mode": "audio_video"}, True),
        ({"mode": "in_person", "provider_present": True}, True),
        ({"level": "direct", "provider_present": True}, None),
        ({"level": "direct", "mode": "in_person", "provider_present": False}, False),
        ({"provider_present": False}, False),
        ({"level": "general"}, False),
        ({"level": "none", "mode": "in_person", "provider_present": True}, False),
        ({"mode": "audio_only"}, False),
        ({"level": "direct", "mode": "audio_only", "provider_present": True}, False),
    ],
)
def test_direct_supervision_is_met_by_its_level_or_presence_in_an_allowed_way(
    documented: dict[str, Any], expected: bool | None
) -> None:
    assert met("professional", **documented) is expected


@pytest.mark.parametrize(
    ("documented", "expected"),
    [
        ({}, None),
        ({"mode": "audio_only"}, None),
        ({"level": "general"}, True),
        ({"level": "direct", "mode": "none"}, True),
        ({"provider_present": True}, True),
        ({"provider_present": False}, None),
        ({"level": "general", "provider_present": False}, True),
        ({"level": "none"}, False),
        ({"level": "none", "provider_present": True}, False),
    ],
)
def test_general_supervision_asks_for_nobody_at_hand(
    documented: dict[str, Any], expected: bool | None
) -> None:
    assert met("facility", **documented) is expected


@pytest.mark.parametrize(("day", "expected"), [("2020-02-29", False), ("2020-03-01", True)])
def test_live_video_counts_in_an_office_from_the_emergency_on(day: str, expected: bool) -> None:
    assert met("professional", day, level="direct", mode="audio_video") is expected


def test_the_result_says_what_was_required_and_what_was_met_of_it() -> None:
    encounter = visit(PUSH, setting="professional", supervision={"level": "general"})
    facts = supervision_of(encounter, PACK.book(encounter.service_date))
    assert facts.required_level == "direct"
    assert facts.allowed_modes == frozenset({"in_person", "audio_video"})
    assert (facts.level_met, facts.mode_met, facts.met) == (False, None, False)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"setting": "professional", "place_of_service": "11"}, (False, None, None, False)),
        ({"setting": "professional", "place_of_service": "22"}, (True, None, None, True)),
        ({"setting": "facility", "type_of_bill": "131"}, (None, "billable", None, False)),
        ({"setting": "facility", "type_of_bill": "111"}, (None, "not_billable", "packaged", False)),
    ],
)
def test_place_and_form_say_who_may_bill(
    facts: dict[str, Any], expected: tuple[bool | None, str | None, str | None, bool]
) -> None:
    encounter = Encounter.model_validate({"id": "E", "date": "2026-03-02", **facts})
    standing = standing_of(encounter, PACK.book(encounter.service_date))
    in_facility = standing.in_facility
    assert (standing.facility_place, standing.bill_use, standing.denied, in_facility) == expected


def test_a_practitioners_form_of_a_hospital_voids_nothing() -> None:
    """Only the facility's own bill is packaged by its type."""
    record = visit(PUSH, setting="professional").model_copy(update={"type_of_bill": "111"})
    assert standing_of(record, PACK.book(record.service_date)).denied is None
