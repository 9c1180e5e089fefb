"""An answer written into its encounter bills what the question says that it bills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest

from ivpush.coding.answers import answered
from ivpush.coding.chart import code_chart
from ivpush.coding.suggestions import suggested_lines
from ivpush.contract.result import Equals
from ivpush.engine import Worked
from tests.visits import dose, drip, push, work

OFFICE: dict[str, Any] = {"setting": "professional"}
BIOLOGIC: dict[str, Any] = {"category": "complex_biologic"}
OPEN: dict[str, Callable[[], Worked]] = {
    "stop": lambda: work(drip("a", "10:00"), push("b", "12:00")),
    "class": lambda: work(push("a", "10:00", category=None)),
    "route": lambda: work(dose("a", "10:00", None, route=None)),
    "attendance": lambda: work(push("a", "10:00", "10:25"), push("b", "12:00")),
    "complexity": lambda: work(drip("a", "10:00", "11:00", **BIOLOGIC)),
    "presence": lambda: work(push("a", "10:00"), policies={"ask_supervision": True}, **OFFICE),
    "presence beside a level": lambda: work(
        push("a", "10:00"),
        policies={"ask_supervision": True},
        supervision={"mode": "in_person"},
        **OFFICE,
    ),
    "primary reason": lambda: work(drip("a", "10:00", "11:00"), push("b", "11:05"), **OFFICE),
    "payer": lambda: work(
        drip("a", "08:00", "09:00"),
        drip("b", "16:00", "17:00", drug="drug a"),
        payer="a payer of no pack",
    ),
}


def bills(lines: Any) -> list[tuple[Any, ...]]:
    """Lines without their reasons, which a repeated line leaves out."""
    return [astuple(line)[:5] for line in lines]


@pytest.mark.parametrize("visit", OPEN.values(), ids=OPEN)
def test_an_answer_bills_what_the_question_says(visit: Callable[[], Worked]) -> None:
    opened = visit()
    assert opened.result.questions
    for question in opened.result.questions:
        for answer in question.answers:
            encounter, book = answered(opened.encounter, opened.book, answer.when)
            drafts = code_chart(encounter, book).drafts
            assert bills(suggested_lines(drafts, book)) == bills(answer.suggested), answer.when


def test_an_answer_leaves_what_is_stated_beside_it() -> None:
    stated = work(push("a", "10:00"), supervision={"mode": "in_person"}, **OFFICE)
    when = Equals("supervision.level", "direct")
    encounter, book = answered(stated.encounter, stated.book, when)
    assert encounter.supervision is not None
    assert (encounter.supervision.level, encounter.supervision.mode) == ("direct", "in_person")
    assert book is stated.book
