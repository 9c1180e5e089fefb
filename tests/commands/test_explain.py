"""``ivpush explain``: a rule, a code, or a file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.cli import ROOT


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("IVP104", "addon-without-primary"),
        ("ivp104", "IVP104"),
        ("addon-without-primary", "IVP104"),
        ("96375", "Primaries"),
        ("96374", "Family"),
        ("CIG001", "saline-for-flush-or-diluent"),
        ("mcpm-ch4", "Medicare Claims Processing Manual"),
        ("missing_stop_time", "Values, default first"),
        ("policy.missing_stop_time", "Values, default first"),
        ("push_max_minutes", "Value on"),
        ("medicare", "Medicare fee for service"),
        ("line.day_units", "units of this code on that day"),
    ],
)
def test_explain_a_rule_or_a_code(ivpush: Any, what: str, says: str) -> None:
    run = ivpush("explain", what)
    assert run.status == 0
    assert says in run.out


def test_a_code_that_was_not_suggested_is_explained(ivpush: Any) -> None:
    file = str(ROOT / "examples/same-drug-repeat.json")
    run = ivpush("explain", file, "--why-not", "96375")
    assert run.status == 0
    assert "It is not suggested." in run.out
    assert "fails: new drug." in run.out
    # Folded lines are told apart from what they say.
    told = " ".join(run.out.split())
    assert "the same drug was given before [cms-aoc]" in told
    run = ivpush("explain", file, "--why-not", "9637x")
    assert run.status == 2 and "did you mean '96370'?" in run.err
    assert ivpush("explain", "nothing.json", "--why-not", "96375").status == 2


def test_a_misspelt_name_is_answered_with_the_nearest(ivpush: Any) -> None:
    run = ivpush("explain", "medicaer")
    assert run.status == 2
    assert "did you mean 'medicare'?" in run.err


def test_explain_a_file_tells_why(ivpush: Any) -> None:
    run = ivpush("explain", str(ROOT / "examples/same-drug-repeat.json"))
    assert run.status == 0
    assert "same_drug_push_gap_minutes" in run.out
