"""Denial codes say what is wrong: a modifier that is missing is not one that is wrong."""

from __future__ import annotations

import pytest

from tests.shipped import PACK

DENIALS = {rule.name: (rule.carc, rule.rarc) for rule in PACK.rules}

MISSING = (
    "discard-without-modifier",
    "no-discard-without-modifier",
    "distinct-service-without-modifier",
    "hospital-visit-without-modifier",
    "virtual-presence-without-modifier",
)
WRONG = (
    "needless-distinct-modifier",
    "wrong-distinct-modifier",
    "modifier-the-payer-does-not-take",
    "discard-modifier-on-administration",
    "discard-modifier-on-multiple-dose",
    "repeat-modifier-on-administration",
    "visit-modifier-on-administration",
    "component-modifier-on-administration",
)


@pytest.mark.parametrize("name", MISSING)
def test_a_modifier_that_is_due_is_denied_as_missing(name: str) -> None:
    assert DENIALS[name] == ("4", "N822")


@pytest.mark.parametrize("name", WRONG)
def test_a_modifier_that_does_not_fit_is_denied_as_invalid(name: str) -> None:
    assert DENIALS[name] == ("4", "N823")


@pytest.mark.parametrize("name", ["two-distinct-modifiers", "discard-modifiers-contradict"])
def test_two_modifiers_that_contradict_are_denied_as_a_combination(name: str) -> None:
    assert DENIALS[name] == ("4", "N519")


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("diagnosis-pointer-beyond", "M76"),
        ("required-drug-line-missing", "M51"),
        ("claim-form-contradicts-setting", "M77"),
        ("place-of-service-missing", "M77"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named_by_its_remark(name: str, remark: str) -> None:
    assert DENIALS[name] == ("16", remark)
