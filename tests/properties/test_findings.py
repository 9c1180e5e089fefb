"""No error rests on what nobody stated, and the corrected claim raises none."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, Result
from ivpush.coding.answers import answered
from tests.properties import WHOLE
from tests.properties.charts import NOON, Dose, as_lines, billed, chart, doses, settings_drawn
from tests.properties.test_structure import claims
from tests.shipped import ENGINE

BOOK = ENGINE.pack.book(NOON.date(), None)
BIOLOGIC = {"category": "complex_biologic"}
UNKNOWN = {"category": None, "drug": "zzyzx"}


def errors(result: Result) -> list[tuple[str, int | None]]:
    return [(each.rule, each.line) for each in result.violations if each.severity == "error"]


@st.composite
def open_charts(draw: st.DrawFn) -> Encounter:
    """Charts on which somebody left out a fact or two."""
    plan = draw(doses(3, sites=("left arm", "right arm")))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(plan) - 1))
        plan[at] = draw(st.sampled_from((without_stop, attended, biologic, unknown)))(plan[at])
    return chart(*plan, setting=draw(settings_drawn))


def without_stop(dose: Dose) -> Dose:
    return dose.with_(minutes=None)


def attended(dose: Dose) -> Dose:
    return dose.with_(method="push", route="IV", minutes=20)


def biologic(dose: Dose) -> Dose:
    return dose.with_(**BIOLOGIC)


def unknown(dose: Dose) -> Dose:
    return dose.with_(**UNKNOWN)


def test_no_error_rests_on_an_unstated_fact() -> None:
    asked: set[str] = set()

    @WHOLE  # each has several questions, each of these several answers
    @given(open_charts())
    def holds(encounter: Encounter) -> None:
        for question in ENGINE.check(encounter).questions:
            for answer in question.answers:
                lines = as_lines(answer.suggested)
                settled, _ = answered(encounter, BOOK, answer.when)
                certain = errors(ENGINE.check(billed(settled, lines)))
                result = ENGINE.check(billed(encounter, lines))
                assert set(errors(result)) <= set(certain), (question.missing, answer.when)
                asked.add(question.missing.rpartition(".")[2])

    holds()
    assert len(asked) > 3, asked


@given(claims())
def test_the_corrected_claim_raises_no_error(encounter: Encounter) -> None:
    result = ENGINE.check(encounter)
    assert (result.corrected is None) == (result.withheld is not None)
    if result.corrected is not None:
        again = ENGINE.check(encounter.model_copy(update={"lines": result.corrected}))
        assert errors(again) == []
        assert again.corrected == result.corrected


@given(claims())
def test_a_line_is_told_of_one_fault_or_of_faults_that_do_not_explain_each_other(
    encounter: Encounter,
) -> None:
    follows = {rule.id: rule.follows_from for rule in ENGINE.pack.rules}
    rank = ("error", "warning", "info")
    by_line: dict[int | None, list[Any]] = {}
    for violation in ENGINE.check(encounter).violations:
        by_line.setdefault(violation.line, []).append(violation)
    by_line.pop(None, None)
    for on_line in by_line.values():
        for violation in on_line:
            for cause in on_line:
                if violation.rule != cause.rule and cause.rule.startswith(follows[violation.rule]):
                    assert rank.index(cause.severity) > rank.index(violation.severity)
