"""Relations 6, 7, 17, 19, 42 and 65 on whole claims: foreign lines, several dates, names as charted."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush import Encounter, Result
from ivpush.coding.answers import answered
from tests.properties import WHOLE
from tests.properties.charts import NOON, as_lines, as_printed, billed, whole_visits
from tests.properties.questions import values_of, with_answer
from tests.shipped import ENGINE

BOOK = ENGINE.pack.book(NOON.date(), None)
FAMILY = {code for code, row in ENGINE.pack.codes.items() if row.administration}
Visit = tuple[Encounter, list[dict[str, Any]]]


def errors(result: Result) -> list[tuple[str, int | None]]:
    return [(v.rule, v.line) for v in result.violations if v.severity == "error"]


def errors_of_family(result: Result, encounter: Encounter) -> list[tuple[str, int | None]]:
    """Errors of the administration lines; foreign lines may be wrong by themselves."""
    family = {line.number for line in encounter.lines or () if line.code in FAMILY}
    return [
        (violation.rule, violation.line)
        for violation in result.violations
        if violation.severity == "error" and violation.line in family
    ]


def as_suggested(visit: Visit) -> Encounter:
    """The visit billed as the engine suggests it beside its foreign lines."""
    encounter, foreign = visit
    beside = billed(encounter, foreign)
    return billed(encounter, [*foreign, *as_lines(ENGINE.check(beside).suggested)])


@WHOLE
@given(whole_visits())
def test_06_a_suggestion_beside_foreign_lines_is_a_fixed_point(visit: Visit) -> None:
    encounter, foreign = visit
    first = ENGINE.check(billed(encounter, foreign))
    again = as_suggested(visit)
    second = ENGINE.check(again)
    assert as_printed(second.suggested) == as_printed(first.suggested)
    assert errors_of_family(second, again) == []


@st.composite
def whole_claims(draw: st.DrawFn) -> Encounter:
    """A whole visit billed as suggested, but for a line or two."""
    claim = as_suggested(draw(whole_visits()))
    lines = [line.model_dump(mode="json", exclude={"number"}) for line in claim.lines or ()]
    if len(lines) > 0 and draw(st.booleans()):
        at = draw(st.integers(0, len(lines) - 1))
        wrong = draw(st.sampled_from(("twice", "units", "drop", "59", "bare", "day")))
        if wrong == "twice":
            lines.append(dict(lines[at]))
        elif wrong == "units":
            lines[at]["units"] += 1
        elif wrong == "drop":
            del lines[at]
        elif wrong == "day":
            day = dt.date.fromisoformat(lines[at]["date"]) + dt.timedelta(days=1)
            lines[at]["date"] = day.isoformat()
        else:
            lines[at]["modifiers"] = ["59"] if wrong == "59" else []
    return billed(claim, lines)


@WHOLE
@given(whole_claims())
def test_07_a_corrected_whole_claim_raises_no_error_or_is_withheld(encounter: Encounter) -> None:
    corrected = ENGINE.check(encounter).corrected
    assume(corrected is not None)
    again = ENGINE.check(encounter.model_copy(update={"lines": corrected}))
    assert errors(again) == []


@WHOLE
@given(whole_visits(2), st.randoms(use_true_random=False))
def test_17_every_answer_about_a_whole_claim_bills_what_it_says(
    visit: Visit, rng: random.Random
) -> None:
    encounter = billed(*visit)
    questions = ENGINE.check(encounter).questions
    for question in rng.sample(questions, min(3, len(questions))):
        for answer in rng.sample(question.answers, min(2, len(question.answers))):
            for value in values_of(answer.when):
                answered = ENGINE.check(with_answer(encounter, question, value))
                assert as_printed(answered.suggested) == as_printed(answer.suggested)


@WHOLE
@given(whole_claims())
def test_19_an_edit_of_a_whole_claim_mends_its_violation(encounter: Encounter) -> None:
    first = ENGINE.check(encounter)
    before = {v.rule for v in first.violations if v.severity == "error"}
    for violation in first.violations:
        if violation.edit is None or violation.severity != "error":
            continue
        gone = {line.number for line in violation.edit.before}
        kept = [line for line in encounter.lines or () if line.number not in gone]
        lines = sorted([*kept, *violation.edit.after], key=lambda line: line.number)
        again = ENGINE.check(encounter.model_copy(update={"lines": tuple(lines)}))
        after = {(v.rule, v.line) for v in again.violations if v.severity == "error"}
        assert (violation.rule, violation.line) not in after
        assert {rule for rule, _ in after} <= before


@WHOLE
@given(whole_visits())
def test_42_every_suggested_add_on_has_a_primary_beside_it(visit: Visit) -> None:
    work = ENGINE.work(billed(*visit))
    codes = {line.code for line in work.result.suggested}
    for code in codes:
        primaries = work.book.primaries(code)
        assert not primaries or primaries & codes, code


@WHOLE
@given(whole_claims())
def test_65_a_whole_claim_accounts_for_everything_once(encounter: Encounter) -> None:
    result = ENGINE.check(encounter)
    stands = {id for line in result.suggested for id in line.administrations}
    barred = [entry.administration for entry in result.not_billable]
    assert len(barred) == len(set(barred))
    assert stands.isdisjoint(barred)
    assert stands | set(barred) == {each.id for each in encounter.administrations or ()}
    numbers = [line.number for line in encounter.lines or ()]
    assert [verdict.number for verdict in result.lines] == numbers


@WHOLE
@given(whole_visits(2, dates=2), st.randoms(use_true_random=False))
def test_no_error_on_a_whole_claim_rests_on_an_unstated_fact(
    visit: Visit, rng: random.Random
) -> None:
    encounter, foreign = visit
    questions = ENGINE.check(billed(*visit)).questions
    for question in rng.sample(questions, min(2, len(questions))):
        for answer in rng.sample(question.answers, min(2, len(question.answers))):
            claim = billed(encounter, [*foreign, *as_lines(answer.suggested)])
            settled, _ = answered(claim, BOOK, answer.when)
            certain = errors(ENGINE.check(settled))
            assert set(errors(ENGINE.check(claim))) <= set(certain), (question.missing, answer.when)
