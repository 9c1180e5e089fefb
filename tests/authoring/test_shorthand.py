"""The short forms of lines and administrations, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.authoring.shorthand import line_in_short, read_administration, read_line

LETTERS = "ABCXYZ0159"
CODES = st.text(LETTERS, min_size=5, max_size=5)
MODIFIERS = st.lists(st.text(LETTERS, min_size=2, max_size=2), max_size=4).map(tuple)


@given(CODES, MODIFIERS, st.integers(0, 999_999))
def test_a_line_in_short_reads_back(code: str, modifiers: tuple[str, ...], units: int) -> None:
    assert read_line(line_in_short(code, modifiers, units)) == (code, modifiers, units)


@given(st.sampled_from(["ketorolac", "vitamin C", "D5 0.45% saline", "IV iron", "a push"]))
def test_a_drug_may_have_any_words(drug: str) -> None:
    facts = read_administration(f"{drug} 1.5 mg IV push 9:05-+1 0:10")
    assert facts == {
        "drug": drug,
        "dose": "1.5",
        "dose_unit": "mg",
        "route": "IV",
        "method": "push",
        "start": "9:05",
        "stop": "+1 0:10",
    }


@pytest.mark.parametrize("text", ["9637", "96374 x", "96374-5", "96374  x2", "96374 x-1", " 96374"])
def test_what_is_no_line_is_none(text: str) -> None:
    assert read_line(text) is None
