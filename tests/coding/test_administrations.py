"""What a drug is for and which class it has decide whether and in which family it is billed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import asked, billed, check, dose, drip, push, reasons

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
