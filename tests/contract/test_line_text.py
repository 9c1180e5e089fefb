"""Lines of a claim in a few signs."""

from __future__ import annotations

from ivpush import ClaimLine
from ivpush.contract.line_text import code_and_units, code_with_modifiers


def test_a_line_is_named_by_code_modifiers_and_units() -> None:
    line = ClaimLine(number=1, code="96365", modifiers=("XS", "59"), units=2)
    assert code_with_modifiers(line) == "96365-XS-59"
    assert code_and_units(line) == "96365-XS-59 x 2"
    assert code_and_units(ClaimLine(number=1, code="96374", units=1)) == "96374 x 1"
