"""What a drug is for and which class it has decide whether and in which family it is billed."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.coding.administrations import read_again, read_chart
from ivpush.coding.permission import standing_of
from ivpush.contract.chart_facts import AdministrationFacts
from tests.visits import DAY, asked, billed, check, dose, drip, push, reasons, work

BIOLOGIC = {"category": "complex_biologic"}


@pytest.mark.parametrize("purpose", ["keep_open", "flush", "imaging", "drug_carrier", "procedure"])
def test_what_serves_another_service_is_not_billed(purpose: str) -> None:
    served = check(drip("a", "10:00", "11:00", purpose=purpose))
    assert billed(served) == []
    assert set(reasons(served)) == {"a"}


@pytest.mark.parametrize("category", ["contrast", "flush", "blood", "vaccine", "anesthesia"])
def test_classes_with_codes_of_their_own_are_not_billed_here(category: str) -> None:
    assert billed(check(push("a", "10:00", category=category))) == []


@pytest.mark.parametrize("category", ["contrast", "flush", "blood", "vaccine"])
@pytest.mark.parametrize("given", [push("a", "10:00"), drip("a", "10:00", "11:00")])
def test_a_class_with_codes_of_its_own_is_not_billed_for_a_procedure_either(
    given: dict[str, Any], category: str
) -> None:
    """Where a payer takes pain relief after a procedure, it takes no contrast for it."""
    for_procedure = {**given, "category": category, "purpose": "procedure"}
    result = check(for_procedure, policies={"postop_pain_push": "warn"})
    assert billed(result) == []
    assert reasons(result) == reasons(check({**given, "category": category}))


def test_what_a_drugs_name_says_beside_it_stands_where_no_field_states_it() -> None:
    swallowed = dose("a", "10:00", None, drug="Tylenol PO", category=None, route=None, site=None)
    result = check(swallowed)
    assert asked(result) == [] and "this route has no" in reasons(result)["a"]
    open_vein = drip("a", "10:00", "12:00", drug="NS KVO", category=None)
    assert "open" in reasons(check(open_vein))["a"]
    assert billed(check({**open_vein, "purpose": "hydration"})) == [("96360", 1), ("96361", 1)]


def test_a_carrier_fluid_is_billed_only_with_an_order_under_the_policy_that_allows_it() -> None:
    policies = {"hydration_facilitates_drug": "billable_with_order"}
    carrier = drip("a", "10:00", "11:00", category="hydration", purpose="drug_carrier")
    assert billed(check({**carrier, "ordered": True}, policies=policies)) == [("96360", 1)]
    assert billed(check({**carrier, "ordered": False}, policies=policies)) == []
    assert billed(check({**carrier, "ordered": True})) == []


def test_premedication_is_part_of_a_transfusion_only_where_blood_was_given() -> None:
    before = push("a", "10:00", purpose="premedication")
    blood = drip("b", "10:30", "12:00", category="blood")
    refused = {"transfusion_premed": "not_billable"}
    assert billed(check(before, policies=refused)) == [("96374", 1)]
    assert billed(check(before, blood, policies=refused)) == []
    assert billed(check(before, blood)) == [("96374", 1)]


def test_a_billed_transfusion_says_that_blood_was_given() -> None:
    before = push("a", "10:00", purpose="premedication")
    claim = [{"number": 1, "code": "36430", "units": 1}]
    refused = {"transfusion_premed": "not_billable"}
    assert billed(check(before, lines=claim, policies=refused)) == []
    assert billed(check(before, lines=claim)) == [("96374", 1)]


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("documented_factors", "96413"),
        ("always_complex", "96413"),
        ("always_simple", "96365"),
        ("drug_list", "96365"),
    ],
)
def test_a_complex_biologic_is_in_the_family_that_the_policy_says(policy: str, code: str) -> None:
    result = check(
        drip("a", "10:00", "11:00", **BIOLOGIC), policies={"complex_biologic_mode": policy}
    )
    assert billed(result) == [(code, 1)]


def test_a_biologic_documented_as_simple_is_simple() -> None:
    biologic = drip("a", "10:00", "11:00", **BIOLOGIC)
    assert billed(check(biologic, complexity_documented=True)) == [("96413", 1)]
    assert billed(check(biologic, complexity_documented=False)) == [("96365", 1)]


def test_names_of_one_drug_are_one_drug() -> None:
    both = [push("a", "10:00", drug="ondansetron"), push("b", "10:10", drug="Zofran")]
    assert billed(check(*both)) == [("96374", 1)]


def test_doses_of_one_code_are_one_drug_only_under_the_policy_that_says_so() -> None:
    """Two codes of one generic drug."""
    free = {"drug": "pantoprazole", "hcpcs": "S0164"}
    other = {"drug": "pantoprazole", "hcpcs": "C9113"}
    both = [push("a", "10:00", **free), push("b", "10:10", **other)]
    by_code = check(*both, policies={"same_drug_formulation": "same_hcpcs"})
    assert billed(by_code) == [("96374", 1), ("96375", 1)]
    assert billed(check(*both)) == [("96374", 1)]


def test_the_class_that_a_chart_states_beats_that_of_the_table() -> None:
    stated = dose("a", "10:00", "11:00", drug="ondansetron", category="chemotherapy")
    assert billed(check({**stated, "method": "infusion"})) == [("96413", 1)]


def facts(*charted: dict[str, Any], **visit: Any) -> list[AdministrationFacts]:
    return work(*charted, **visit).derived.administrations


def named(drug: str | None, **more: Any) -> AdministrationFacts:
    """What an infusion of a drug comes to, of which only the name is written."""
    return facts(drip("a", "10:00", **{"drug": drug, "category": None, **more}))[0]


OFFICE: dict[str, Any] = {"setting": "professional"}
ALONE: dict[str, Any] = {"supervision": {"level": "none"}}
PORT: dict[str, Any] = {"drug": "heparin flush", "purpose": "flush", "access": "port"}


@pytest.mark.parametrize(
    ("given", "visit", "reason"),
    [
        (push("a", "10:00"), {}, None),
        (push("a", "10:00"), {**OFFICE, **ALONE}, "no_supervision"),
        # What it is for stays the reason, whoever watched.
        (push("a", "10:00", purpose="flush"), {**OFFICE, **ALONE}, "flush"),
        # The flush of a port is billed where it stands alone, and withheld as other work is.
        (push("a", "10:00", **PORT), OFFICE, None),
        (
            push("a", "10:00", **PORT),
            {**OFFICE, "place_of_service": "22"},
            "professional_in_facility",
        ),
        # The widest reason first: the claim, the stay, the patient, the drug.
        (push("a", "10:00", category="contrast"), {"type_of_bill": "721"}, "packaged"),
        (push("a", "10:00"), {"end": f"{DAY}T09:00", "type_of_bill": "721"}, "packaged"),
        (push("a", "10:00"), {"end": f"{DAY}T09:00"}, "after_end"),
        (push("a", "10:00"), {"inpatient_from": f"{DAY}T09:00"}, "admitted"),
        (
            push("a", "10:00", category="contrast", administered_by="patient"),
            {"end": f"{DAY}T09:00"},
            "after_end",
        ),
        (push("a", "10:00", category="contrast", administered_by="patient"), {}, "patient_gave_it"),
        (push("a", "10:00", category="contrast", administered_by="RN"), {}, "contrast"),
        (push("a", "10:00", administered_by="RN"), {}, None),
        (push("a", "10:00", administered_by="who knows"), {}, None),
    ],
)
def test_the_widest_reason_is_the_one_that_is_told(
    given: dict[str, Any], visit: dict[str, Any], reason: str | None
) -> None:
    assert facts(given, **visit)[0].reason == reason


def test_what_is_charted_of_the_access_and_the_visit() -> None:
    plain = facts(push("a", "10:00", site=None))[0]
    assert (plain.site_named, plain.site, plain.visit) == (False, "", 1)
    said = facts(push("a", "10:00", site="left arm", visit=2))[0]
    assert (said.site_named, said.site, said.visit) == (True, "left arm", 2)


def test_who_gave_it_is_known_by_the_role() -> None:
    nurse, nobody = facts(push("a", "10:00", administered_by="RN"), push("b", "10:00"))
    assert (nurse.role, nurse.acts_as) == ("RN", "nurse")
    assert (nobody.role, nobody.acts_as) == (None, None)


@pytest.mark.parametrize(
    ("more", "device"),
    [
        ({}, None),
        ({"drug": None, "hcpcs": "J9190"}, None),
        ({"drug": "fluorouracil elastomeric pump"}, "ambulatory_pump"),
        ({"drug": "pegfilgrastim OnPro"}, "on_body_injector"),
        # What the name says beats who supplied a pump; what is charted beats both.
        ({"pump_supplied_by": "practice"}, "ambulatory_pump"),
        ({"drug": "pegfilgrastim OnPro", "pump_supplied_by": "practice"}, "on_body_injector"),
        ({"device": "implanted_pump", "pump_supplied_by": "practice"}, "implanted_pump"),
        ({"device": "implanted_pump", "drug": "pegfilgrastim OnPro"}, "implanted_pump"),
    ],
)
def test_the_device_is_the_charted_one_else_that_of_the_name(
    more: dict[str, Any], device: str | None
) -> None:
    assert facts(drip("a", "10:00", **more))[0].delivered_by == device


@pytest.mark.parametrize(
    ("name", "more", "read"),
    [
        ("saline 75 ml/hr tko", {}, ("IV", "keep_open", 75)),
        ("saline 75 ml/hr tko", {"purpose": "hydration"}, ("IV", "hydration", 75)),
        ("saline 75 ml/hr tko", {"rate_ml_per_hour": 50}, ("IV", "keep_open", 50)),
        ("saline 75 ml/hr", {}, ("IV", None, 75)),
        ("saline", {}, ("IV", None, None)),
        ("saline", {"rate_ml_per_hour": 50}, ("IV", None, 50)),
        # Of a drug a rate in the name may be anything; a route is only what the name says.
        ("heparin 100 ml/hr tko", {}, ("IV", None, None)),
        ("saline", {"route": None}, (None, None, None)),
        ("acetaminophen po", {"route": None}, ("PO", None, None)),
        ("acetaminophen po", {}, ("IV", None, None)),
        ("no such drug 75 ml/hr tko", {}, ("IV", None, None)),
    ],
)
def test_a_name_speaks_only_where_no_field_does(
    name: str, more: dict[str, Any], read: tuple[str | None, str | None, int | None]
) -> None:
    given = named(name, **more).given
    assert (given.route, given.purpose, given.rate_ml_per_hour) == read


@pytest.mark.parametrize(
    ("charted", "known"),
    [
        ({"drug": "ondansetron"}, True),
        ({"drug": None, "hcpcs": "J2405"}, True),
        ({"drug": "no such drug", "hcpcs": "J2405"}, True),
        ({"drug": "no such drug"}, False),
        ({"drug": None, "hcpcs": "J0000"}, False),
        ({"drug": None, "ndc": "00000-0000-00"}, False),
        ({"drug": None}, None),
        # By mouth beside another route leaves open what was given; beside none or its own it is that.
        ({"drug": "ondansetron po"}, False),
        ({"drug": "ondansetron po", "route": "PO"}, True),
        ({"drug": "ondansetron po", "route": None}, True),
        ({"drug": None, "hcpcs": "J2405", "route": None}, True),
    ],
)
def test_a_drug_is_known_by_its_code_or_its_name(
    charted: dict[str, Any], known: bool | None
) -> None:
    drug = named(**{"drug": None, **charted}).drug
    assert drug.drug_known is known
    assert (drug.row is not None) is (known is True)
    assert (drug.table_category == "therapeutic") is (known is True)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"drug": "No such  drug"}, {"drug": "no SUCH drug"}, True),
        ({"drug": "no such drug"}, {"drug": "no other drug"}, False),
        ({"drug": None, "hcpcs": "J0000"}, {"drug": None, "hcpcs": "J0000"}, True),
        ({"drug": None, "hcpcs": "J0000"}, {"drug": None, "hcpcs": "J0002"}, False),
        ({"drug": "one", "hcpcs": "J0000"}, {"drug": "two", "hcpcs": "J0000"}, False),
        ({"drug": None, "ndc": "00000-0000-00"}, {"drug": None, "ndc": "00000-0000-00"}, True),
        ({"drug": None, "ndc": "00000-0000-00"}, {"drug": None, "ndc": "00000-0000-01"}, False),
        (
            {"drug": None, "hcpcs": "J0000", "ndc": "00000-0000-00"},
            {"drug": None, "hcpcs": "J0000", "ndc": "00000-0000-01"},
            True,
        ),
        # Where nothing is written each administration is a drug of its own.
        ({"drug": None}, {"drug": None}, False),
    ],
)
def test_unknown_drugs_are_the_same_where_what_is_written_is(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    first, second = facts(push("a", "10:00", **one), push("b", "10:05", **other))
    assert (first.drug.drug_key == second.drug.drug_key) is same


@pytest.mark.parametrize(
    ("more", "category"),
    [
        ({}, "therapeutic"),
        ({"purpose": "hydration"}, "hydration"),
        ({"purpose": "hydration", "category": "chemotherapy"}, "chemotherapy"),
        ({"category": "chemotherapy"}, "chemotherapy"),
    ],
)
def test_a_drug_that_no_table_holds_is_of_the_stated_class_else_by_its_purpose(
    more: dict[str, Any], category: str
) -> None:
    drug = named("no such drug", **more).drug
    assert drug.category == category
    assert drug.stated_category == more.get("category")
    assert drug.ended_hcpcs is False and drug.hcpcs_successor is None


@pytest.mark.parametrize(
    ("day", "hcpcs", "ended"),
    [
        ("2024-09-29", "J1170", False),
        ("2024-09-30", "J1170", False),  # its last day
        ("2024-10-01", "J1170", True),
        ("2024-10-01", "J1171", False),
        ("2024-10-01", None, False),
    ],
)
def test_a_code_has_ended_after_its_last_day_and_names_its_successor(
    day: str, hcpcs: str | None, ended: bool
) -> None:
    given = push("a", f"{day}T10:00", drug="hydromorphone", hcpcs=hcpcs)
    drug = facts(given, date=day)[0].drug
    assert drug.ended_hcpcs is ended
    assert drug.hcpcs_successor == ("J1171" if ended else None)


def test_a_drug_of_no_charted_code_has_no_code_that_ended() -> None:
    """All codes of ranitidine ended in 2024."""
    by_name, by_code = facts(
        push("a", "10:00", drug="ranitidine"), push("b", "10:05", drug=None, hcpcs="J2780")
    )
    assert (by_name.drug.ended_hcpcs, by_code.drug.ended_hcpcs) == (False, True)


def test_a_port_flush_beside_other_work_is_part_of_it() -> None:
    flush = facts(push("a", "10:00"), push("b", "10:05", **PORT))[1]
    assert flush.reason == "flush"


def test_a_bag_read_again_is_read_whole() -> None:
    """A stop that is tried on one drug of a bag is the other's too, and no other bag's."""
    opened = work(
        drip("c", "12:00"), drip("a", "10:00"), drip("b", "10:00", mixed_with="a"), drip("d", "14:00"),
        drip("e", mixed_with="d"),
    )  # fmt: skip
    encounter, book, derived = opened.encounter, opened.book, opened.derived
    assert encounter.administrations is not None
    charted = list(encounter.administrations)
    charted[1] = charted[1].model_copy(update={"minutes": 40})
    changed = encounter.model_copy(update={"administrations": tuple(charted)})
    standing = standing_of(changed, book)
    again = read_again(derived.reads, 1, changed, book, standing)
    anew = read_chart(changed, book, standing)
    assert [read.times.minutes for read in again] == [None, 40, 40, None, None]
    assert [read.times.span for read in again] == [read.times.span for read in anew]
    charted[0] = charted[0].model_copy(update={"minutes": 50})
    both = changed.model_copy(update={"administrations": tuple(charted)})
    third = read_again(again, 0, both, book, standing)
    assert [read.times.minutes for read in third] == [50, 40, 40, None, None]


def test_the_table_says_how_a_hospital_is_paid_for_a_code() -> None:
    known, unknown, none = (
        facts(push("a", "10:00", drug=None, hcpcs=hcpcs))[0].drug.status_indicator
        for hcpcs in ("J2405", "J0000", None)
    )
    assert (known, unknown, none) == ("N", None, None)


@pytest.mark.parametrize(
    ("route", "documented", "mode", "category"),
    [
        ("IV", None, "documented_factors", "complex_biologic"),
        ("SC", None, "documented_factors", "therapeutic"),
        ("SC", False, "documented_factors", "therapeutic"),
        ("SC", True, "documented_factors", "complex_biologic"),
        ("SC", True, "drug_list", "therapeutic"),
        ("SC", None, "drug_list", "therapeutic"),
        ("IV", None, "drug_list", "complex_biologic"),
    ],
)
def test_a_biologic_is_complex_by_vein_and_by_injection_where_the_record_shows_it(
    route: str, documented: bool | None, mode: str, category: str
) -> None:
    given = dose("a", "10:00", None, drug=None, hcpcs="J1628", category=None, route=route)
    policies = {"complex_biologic_mode": mode}
    (read,) = facts(given, complexity_documented=documented, policies=policies)
    assert (read.drug.table_category, read.drug.category) == (category, category)


@pytest.mark.parametrize(
    ("charted", "mode", "documented", "family"),
    [
        # By the list: what the table calls complex, whatever else is said.
        ({"hcpcs": "J1745", "drug": None}, "drug_list", None, "chemotherapy"),
        ({"hcpcs": "J1745", "drug": None}, "drug_list", False, "chemotherapy"),
        ({"category": "complex_biologic"}, "drug_list", None, "therapeutic"),
        ({"hcpcs": "J1745", "drug": None}, "documented_factors", False, "therapeutic"),
        ({"hcpcs": "J1745", "drug": None}, "always_complex", False, "chemotherapy"),
        ({"hcpcs": "J1745", "drug": None}, "always_simple", True, "therapeutic"),
    ],
)
def test_what_makes_a_biologic_simple_is_what_the_policy_asks(
    charted: dict[str, Any], mode: str, documented: bool | None, family: str
) -> None:
    given = drip("a", "10:00", "11:00", **{"category": None, **charted})
    policies = {"complex_biologic_mode": mode}
    (read,) = facts(given, complexity_documented=documented, policies=policies)
    assert read.family == family


def test_two_bags_of_one_drug_run_as_one() -> None:
    bags = facts(drip("a", "10:00", "10:10"), drip("b", "10:10", "10:20", drug="drug a"))
    assert [bag.total_minutes for bag in bags] == [20, 20]
    assert {bag.technique for bag in bags} == {"infusion"}


def test_doses_of_a_known_drug_are_one_by_its_row_where_no_code_is_charted() -> None:
    by_code = {"same_drug_formulation": "same_hcpcs"}
    both = facts(
        push("a", "10:00", drug="ondansetron"), push("b", "10:05", drug="Zofran"), policies=by_code
    )
    assert both[0].drug.drug_key == both[1].drug.drug_key
    other = push("c", "10:10", drug="ketorolac")
    third = facts(push("a", "10:00", drug="ondansetron"), other, policies=by_code)
    assert third[0].drug.drug_key != third[1].drug.drug_key
