"""How a message shows a value, and what it leaves out; what it may name, test_parser shows."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ivpush.language.messages import parse_template
from ivpush.language.vocabulary import Names


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "not stated"),
        (datetime(2026, 3, 2, 9, 5), "09:05"),
        (date(2026, 3, 2), "2026-03-02"),
        (frozenset({"96375", "96374"}), "96374, 96375"),
        ((), "none"),
        (31, "31"),
    ],
)
def test_a_value_is_shown_as_people_write_it(value: Any, text: str) -> None:
    template = parse_template("{encounter.charted}", Names({}, {}), "encounter")
    assert template.render(SimpleNamespace(charted=value), None, None, None) == text


@pytest.mark.parametrize(("mue", "text"), [(2, "Bill X, 2 a day"), (None, "Bill X")])
def test_a_clause_at_the_end_is_dropped_too(mue: int | None, text: str) -> None:
    template = parse_template("Bill {line.code}[, {line.mue} a day]", Names({}, {}), "line")
    line = SimpleNamespace(given=SimpleNamespace(code="X"), coded=SimpleNamespace(mue=mue))
    assert template.render(None, line, None, None) == text
