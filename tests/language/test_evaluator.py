"""What each form of the language is worth by definition, walked and compiled."""

from __future__ import annotations

import pytest

from tests.language.judging import claimed_alone, worth


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("max(a.dose for a in encounter.administrations if known(a.dose)) == 5", True),
        ("min(a.dose for a in encounter.administrations if known(a.dose)) == 4", True),
        ("sum(a.dose for a in encounter.administrations if known(a.dose)) == 9", True),
        # One dose is not known, and it might be the least or the most.
        ("max(a.dose for a in encounter.administrations) > 4", None),
        ("min(a.dose for a in encounter.administrations) < 9", None),
        ("sum(a.dose for a in encounter.administrations) > 1", None),
        # Of one row nobody knows whether it counts.
        ("max(a.dose for a in encounter.administrations if a.ordered) == 4", None),
        ("sum(a.dose for a in encounter.administrations if a.ordered) == 4", None),
        ("count(a.ordered for a in encounter.administrations) == 1", None),
        # A condition that surely fails decides, whatever the other is.
        ("min(a.dose for a in encounter.administrations if a.ordered if known(a.dose)) == 4", True),
        # Of no rows there is no least, no most, and a sum of nothing.
        ("max(a.dose for a in encounter.administrations if a.dose is 9) > 1", None),
        ("min(a.dose for a in encounter.administrations if a.dose is 9) > 1", None),
        ("sum(a.dose for a in encounter.administrations if a.dose is 9) == 0", True),
    ],
)
def test_numbers_of_rows(text: str, wanted: bool | None) -> None:
    assert worth(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("all(a.dose > 3 for a in encounter.administrations if known(a.dose))", True),
        ("all(a.ordered for a in encounter.administrations if known(a.dose))", False),
        ("all(a.dose > 3 for a in encounter.administrations if a.ordered)", None),
        ("any(a.dose > 4 for a in encounter.administrations)", True),
        ("any(a.dose > 5 for a in encounter.administrations)", None),
        ("any(a.dose > 5 for a in encounter.administrations if known(a.dose))", False),
    ],
)
def test_what_some_or_all_rows_say(text: str, wanted: bool | None) -> None:
    assert worth(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-line.units == -2", True),
        ("line.units + 3 - 1 == 4", True),
        ("line.units * 3 // 4 == 1", True),
        ("line.units != 2", False),
        ("line.units < 2", False),
        ("line.units <= 2", True),
        ("line.units >= 3", False),
        ("line.units in {1, 2}", True),
        ("line.units not in {1, 2}", False),
        ("known(line.units)", True),
        ("known(line.minutes)", False),
        ("line.units is 2", True),
        ("line.units is 3", False),
        ("line.minutes is 3", False),
        ("surely(line.units == 2)", True),
        ("surely(line.units == 3)", False),
        ("surely(line.minutes == 3)", False),
        ("not line.minutes > 1", None),
        ("line.minutes > 1 and line.units == 3", False),
        ("line.minutes > 1 and line.units == 2", None),
        ("line.minutes > 1 or line.units == 2", True),
        ("line.minutes > 1 or line.units == 3", None),
        ("line.units == 2 and line.units > 1", True),
        ("policy.same_drug_push_gap_minutes > 1", True),
        ("limits.push_max_minutes == 15", True),
        ("known(1)", True),
        ("size(line.modifiers) == 1", True),
        ("empty(line.modifiers)", False),
        ("overlaps(line.modifiers, encounter.suggested_codes)", False),
        ("overlaps(line.diagnosis_pointers, line.diagnosis_pointers)", True),
        ("subset(encounter.diagnoses, encounter.diagnoses)", True),
        ("subset(line.modifiers, encounter.suggested_codes)", False),
        ("line.date == '2026-03-02'", True),
        ("line.date > '2026-03-02'", False),
    ],
)
def test_numbers_lists_and_dates(text: str, wanted: bool | None) -> None:
    assert worth(text) is wanted


def test_a_claim_without_a_chart_leaves_its_doses_unknown() -> None:
    for form in ("any", "all", "count"):
        more = " > 0" if form == "count" else ""
        text = f"{form}(a.ordered for a in encounter.administrations){more}"
        assert worth(text, work=claimed_alone()) is None
