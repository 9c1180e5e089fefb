"""The text that a coder reads: whole, foldable, and without control characters."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings

from ivpush import Encounter
from ivpush.writers.text import Look, clean, render
from tests.properties.test_structure import claims
from tests.shipped import ENGINE


def text(look: Look | None = None, *, explain: bool = False, **more: Any) -> str:
    record = {"id": "E1", "setting": "facility", "date": "2026-03-02", **more}
    return render(ENGINE.work(Encounter.model_validate(record)), look or Look(), explain=explain)


def test_a_claim_without_a_chart_says_so() -> None:
    assert "no chart came with the claim" in text(lines=[])


def test_without_a_chart_nothing_is_said_of_what_to_bill() -> None:
    assert "BILL" not in text()
    assert "BILL" not in text(lines=[{"number": 1, "code": "96374", "units": 1}])
    assert "BILL\n  nothing" in text(administrations=[])


def test_rules_that_need_the_chart_are_counted_and_not_listed() -> None:
    out = text(lines=[{"number": 1, "code": "96374", "units": 1}])
    (said,) = re.findall(r"NOT JUDGED\n  ([0-9]+) rules need the chart\n", out)
    assert int(said) > 60
    assert "(administrations)" not in out and "beyond_chart" not in out


def test_what_a_claim_could_state_is_named_beside_the_chart() -> None:
    out = text(lines=[{"number": 1, "code": "96374", "units": 1}], setting="professional")
    assert "rules need the chart\n" in out
    assert "\n  IVP407 assessment-missing lacks assessment\n" in out


def test_the_last_line_counts() -> None:
    out = text(lines=[{"number": 1, "code": "96375", "units": 1}], administrations=[])
    last = out.splitlines()[-1]
    assert last.startswith("violations: ") and "error" in last


def test_repetitions_are_folded_with_a_count() -> None:
    given_ = [{"id": f"a{n}", "drug": "x", "route": "IV", "method": "push"} for n in range(5)]
    assert "(5 times: a0, a1, a2, a3, a4)" in text(administrations=given_)


def test_a_line_names_the_administrations_that_it_was_held_against() -> None:
    """What "the chart shows" then means is not left to guess."""
    given_ = [
        {"id": name, "drug": drug, "route": "IV", "method": "push", "start": f"2026-03-02T{at}"}
        for name, drug, at in (("a", "ondansetron", "10:00"), ("b", "ketorolac", "10:05"))
    ]
    billed = [{"number": 1, "code": "96365", "units": 1, "administrations": ["b"]}]
    out = text(administrations=given_, lines=billed)
    assert "line 1: 96365 x 1, compared with b\n" in out
    assert "line 1: 96375 x 1\n" in text(lines=[{"number": 1, "code": "96375", "units": 1}])


def test_specific_rules_come_before_general_ones() -> None:
    push = [{"id": "a", "drug": "ketorolac", "route": "IV", "method": "push"}]
    out = text(administrations=push, lines=[{"number": 1, "code": "96374", "units": 2}])
    assert "explains IVP606, IVP903" in " ".join(out.split())
    assert "error IVP903" not in out


def test_control_characters_are_replaced() -> None:
    assert clean("a\x07b\x9bc\nd", plain=False) == "a\\x07b\\x9bc\nd"
    assert clean("a → b — c", plain=True) == "a -> b - c"


@settings(max_examples=100)
@given(claims())
def test_every_claim_can_be_printed(encounter: Encounter) -> None:
    for look in (Look(), Look(width=40, colour=True, ascii=True)):
        out = render(ENGINE.work(encounter), look, explain=True)
        assert out.endswith(("question\n", "questions\n", "\x1b[0m\n"))
        for one in ENGINE.check(encounter).violations:
            assert one.rule in out
