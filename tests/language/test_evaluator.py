"""What each form of the language is worth by definition, walked and compiled, and what it lacks."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.engine import Worked
from ivpush.language.compiler import Compiled, compile_rule
from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from tests.shipped import ENGINE, PACK
from tests.visits import DAY, drip, line, push, visit

NAMES = PACK.book(None, None).vocabulary
CHART = (
    push("a1", "10:00", dose=4, ordered=True),
    drip("a2", "11:00", "12:00", dose=5, ordered=False),
    drip("a3", "13:00"),  # nobody stated its dose, its order or its stop
)
CLAIM: dict[str, Any] = {
    "diagnoses": ["R11.2", "Z51.11"],
    "lines": [
        line(1, "96374", 2, modifiers=["59"], diagnosis_pointers=[1, 2], date=DAY),
        line(2, "96365"),
        line(3, "J1885"),
    ],
}
VISIT = ENGINE.work(visit(*CHART, **CLAIM))
CLAIM_ALONE = ENGINE.work(visit(**CLAIM).model_copy(update={"administrations": None}))


def of_line(text: str, number: int, work: Worked) -> tuple[Compiled, dict[str, Any]]:
    """A rule that requires the text of one line, and what it is judged by."""
    facts: Any = work.facts
    rule = compile_rule(None, parse(text, NAMES, "line"), NAMES, "test")
    settled = {"policy": work.book.policy, "limits": work.book.limits}
    return rule, {"encounter": facts, "subject": facts.lines[number - 1], **settled}


def worth(text: str, number: int = 1, work: Worked = VISIT) -> bool | None:
    """What the text is worth of one line; both forms must say the same."""
    rule, env = of_line(text, number, work)
    walked = evaluate(parse(text, NAMES, "line"), NAMES, env)
    assert walked is None or isinstance(walked, bool)
    assert rule.judge(*env.values()) == {True: 0, False: 1, None: 2}[walked]
    return walked


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
        assert worth(text, work=CLAIM_ALONE) is None


def test_one_rule_judges_every_line_of_a_claim() -> None:
    rule, env = of_line("line.units == 1", 1, VISIT)
    verdicts = [rule.judge(*{**env, "subject": row}.values()) for row in VISIT.facts.lines or ()]
    assert verdicts == [1, 0, 0]


def lacking(text: str, number: int = 1, work: Worked = VISIT) -> list[str]:
    """The paths that a rule names where it cannot be judged."""
    rule, env = of_line(text, number, work)
    return list(rule.missing(*env.values()))


def test_a_rule_that_cannot_be_judged_names_the_fields_that_nobody_stated() -> None:
    ordered = "all(a.dose > 3 for a in encounter.administrations if a.ordered)"
    assert lacking(ordered) == ["administrations[2].dose", "administrations[2].ordered"]
    assert lacking(ordered, work=CLAIM_ALONE) == ["administrations"]
    assert lacking("line.units > 1") == []


def test_a_least_of_no_rows_lacks_the_rows() -> None:
    """No dose of the line is left to look at, though nothing of any is unknown."""
    for rows in ("line.administrations if a.billable is False", "line.administrations"):
        text = f"max(a.index for a in {rows}) > 1"
        assert worth(text, 3) is None
        assert lacking(text, 3) == ["lines[2].administrations"]


def test_a_fact_of_a_record_that_a_line_does_not_have_lacks_the_record() -> None:
    text = "line.service.minutes > 1"
    assert [worth(text, number) for number in (1, 2, 3)] == [None, True, None]
    assert lacking(text, 3) == ["lines[2].service"]
    assert lacking(text, 1) == ["service.minutes"]  # a push whose stop nobody charted


def test_a_rule_says_which_dated_tables_and_policies_it_reads_as_often_as_it_is_asked() -> None:
    text = "line.mue > 1 or line.units < policy.same_drug_push_gap_minutes"
    rule, _ = of_line(text, 1, VISIT)
    for _ in range(2):
        assert [(scope, fact.tables) for scope, fact in rule.looked_up] == [("line", ("mue",))]
        assert rule.policies == {"same_drug_push_gap_minutes"}
