"""Relations 1 to 8, 11, 16 to 20, 64 and 65: what must hold for any pack."""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Result
from ivpush.contract.result import Between, Violation
from ivpush.errors import InputError
from ivpush.testing.samples import encounters as made_up
from tests.properties.charts import as_lines, as_printed, billed, chart, encounters, fluid, push
from tests.properties.questions import values_of, with_answer
from tests.shipped import ENGINE

BOOK = ENGINE.pack.book(dt.date(2026, 3, 2), None)
CODING = ("roles", "time", "category", "sites", "edits", "capture")


def codes(result: Result) -> Counter[tuple[str, tuple[str, ...]]]:
    count: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for line in result.suggested:
        count[line.code, line.modifiers] += line.units
    return count


def errors(result: Result) -> list[str]:
    return [violation.rule for violation in result.violations if violation.severity == "error"]


def changed(encounter: Encounter, **facts: Any) -> Encounter:
    return Encounter.model_validate({**encounter.model_dump(mode="json"), **facts})


FAMILY = st.sampled_from(
    [
        "96360",
        "96361",
        "96365",
        "96366",
        "96367",
        "96368",
        "96372",
        "96374",
        "96375",
        "96376",
        "96409",
        "96411",
        "96413",
        "96415",
        "96417",
    ]
)


@st.composite
def claims(draw: st.DrawFn) -> Encounter:
    """An encounter billed as suggested, with at most a few things changed."""
    encounter = draw(encounters(4))
    lines = as_lines(ENGINE.check(encounter).suggested)
    for _ in range(draw(st.integers(0, 2))):
        change_a_line(draw, lines)
    return billed(encounter, lines)


def change_a_line(draw: st.DrawFn, lines: list[dict[str, Any]]) -> None:
    what = draw(st.sampled_from(("add", "drop", "units", "code", "modifier", "visit")))
    if what == "add" or not lines:
        lines.append({"code": draw(FAMILY), "units": 1, "modifiers": []})
        return
    if what == "visit":
        lines.append({"code": "99213", "units": 1, "modifiers": []})
        return
    at = draw(st.integers(0, len(lines) - 1))
    if what == "drop":
        lines.pop(at)
    elif what == "units":
        lines[at]["units"] += 1
    elif what == "code":
        lines[at]["code"] = draw(FAMILY)
    else:
        lines[at]["modifiers"] = ["59"]


@given(claims())
def test_01_a_second_check_gives_the_same_bytes(encounter: Encounter) -> None:
    assert ENGINE.check(encounter).to_json() == ENGINE.check(encounter).to_json()
    assert Engine(pack=ENGINE.pack).check(encounter).to_json() == ENGINE.check(encounter).to_json()


ENVIRONMENTS = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "POSIX"},
)


def test_01_hash_seed_zone_and_locale_change_no_byte(tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text(
        "import sys\nfrom ivpush import Encounter, Engine\n"
        "engine = Engine()\n"
        "for text in sys.stdin:\n"
        "    sys.stdout.buffer.write(engine.check(Encounter.model_validate_json(text)).to_json())\n"
    )
    rng = random.Random(7)
    feed = []
    for n in range(20):
        plan = [push(f"a{i}", rng.choice((0, 20, 31, 60)) * i, rng.choice("xyz")) for i in range(5)]
        plan.append(fluid("f", 0, rng.choice((30, 31, 91))))
        charted = chart(*plan, setting=rng.choice(("facility", "professional")))
        lines = [{"code": "96374", "units": n % 3}, {"code": "99213", "units": 1}]
        feed.append(billed(charted, lines).model_dump_json())
    outputs = set()
    for environment in ENVIRONMENTS:
        run = subprocess.run(
            [sys.executable, str(script)],
            input="\n".join(feed).encode(),
            capture_output=True,
            env={**os.environ, **environment},
            check=True,
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1


@given(encounters(), st.randoms(use_true_random=False))
def test_02_order_of_administrations_does_not_matter(
    encounter: Encounter, rng: random.Random
) -> None:
    record = encounter.model_dump(mode="json")
    rng.shuffle(record["administrations"])
    first, shuffled = ENGINE.check(encounter), ENGINE.check(Encounter.model_validate(record))
    assert first.suggested == shuffled.suggested
    reasons = {barred.administration: barred for barred in shuffled.not_billable}
    assert {barred.administration: barred for barred in first.not_billable} == reasons


@given(claims(), st.randoms(use_true_random=False))
def test_03_order_of_lines_does_not_matter(encounter: Encounter, rng: random.Random) -> None:
    record = encounter.model_dump(mode="json")
    keys = [(line["code"], tuple(line["modifiers"]), line["date"]) for line in record["lines"]]
    assume(len(set(keys)) == len(keys))
    codes_billed = [line["code"] for line in record["lines"]]
    assume(len(set(codes_billed)) == len(codes_billed))
    rng.shuffle(record["lines"])
    first, shuffled = ENGINE.check(encounter), ENGINE.check(Encounter.model_validate(record))
    assert first.suggested == shuffled.suggested
    before, after = (
        {(v.number, v.status) for v in result.lines if v.status in {"matched", "outside"}}
        for result in (first, shuffled)
    )
    assert before == after


@given(claims())
def test_05_checking_changes_nothing(encounter: Encounter) -> None:
    before = encounter.model_dump_json()
    ENGINE.check(encounter)
    assert encounter.model_dump_json() == before


@given(encounters())
def test_06_the_suggestion_billed_is_a_fixed_point(encounter: Encounter) -> None:
    first = ENGINE.check(encounter)
    second = ENGINE.check(billed(encounter, as_lines(first.suggested)))
    assert second.suggested == first.suggested
    assert errors(second) == []
    assert all(verdict.status == "matched" for verdict in second.lines)


@given(claims())
def test_07_the_corrected_claim_has_no_error(encounter: Encounter) -> None:
    corrected = ENGINE.check(encounter).corrected
    assume(corrected is not None)
    assert corrected is not None
    again = encounter.model_copy(update={"lines": corrected})
    result = ENGINE.check(again)
    assert errors(result) == []
    if result.corrected is None:
        # A line that the correction added may itself wait for an answer.
        assert result.questions
    else:
        assert result.corrected == corrected


def two_chains_begin_alike(lines: list[dict[str, Any]]) -> bool:
    initials = [line["code"] for line in lines if BOOK.codes[line["code"]].role == "initial"]
    return len({*initials}) < len(initials)


@given(encounters(), st.data())
def test_08_one_change_of_a_right_claim_is_seen(encounter: Encounter, data: st.DataObject) -> None:
    lines = as_lines(ENGINE.check(encounter).suggested)
    assume(lines)
    at = data.draw(st.integers(0, len(lines) - 1))
    kind = data.draw(st.sampled_from(("code", "more", "fewer", "drop", "add", "bare", "needless")))
    wrong = [dict(line) for line in lines]
    if kind == "code":
        other = data.draw(st.sampled_from(("96365", "96374", "96361", "96413", "96372", "96375")))
        assume(other != wrong[at]["code"])
        wrong[at]["code"] = other
    elif kind == "more":
        wrong[at]["units"] += 1
    elif kind == "fewer":
        wrong[at]["units"] -= 1
    elif kind == "drop":
        del wrong[at]
    elif kind == "add":
        wrong.append({"code": "96379", "units": 1, "modifiers": []})
    elif kind == "bare":
        # CMS pairs no further hour with an initial service: it is right without its mark too.
        assume(wrong[at]["modifiers"] and BOOK.codes[wrong[at]["code"]].role != "further_hour")
        wrong[at]["modifiers"] = []
    else:
        # Of two sites with one initial code either may be the plain one (coding/main_chain): where
        # the first has one line beside it, a mark on that is the other labelling, and right.
        assume(not wrong[at]["modifiers"] and not two_chains_begin_alike(lines))
        wrong[at]["modifiers"] = ["59"]
    result = ENGINE.check(billed(encounter, wrong))
    loud = [violation for violation in result.violations if violation.severity != "info"]
    assert loud or any(line.status not in {"matched", "outside"} for line in result.lines)


@given(encounters())
def test_11_renaming_ids_and_unknown_drugs_changes_names_only(encounter: Encounter) -> None:
    record = encounter.model_dump(mode="json")
    for administration in record["administrations"]:
        administration["id"] = "z" + administration["id"]
        if administration["drug"] != "saline":
            administration["drug"] = "unknown " + administration["drug"]
    renamed = ENGINE.check(Encounter.model_validate({**record, "id": "other"}))
    first = ENGINE.check(encounter)
    assert as_printed(first.suggested) == as_printed(renamed.suggested)
    assert [tuple("z" + key for key in s.administrations) for s in first.suggested] == [
        s.administrations for s in renamed.suggested
    ]


# Rules for which the absence of the fact is itself the finding.
ABSENCE = {"performer-not-charted"}
FACTS = ("continuously_attended", "ordered", "response", "monitoring", "administered_by")


@given(claims(), st.sampled_from(FACTS), st.booleans())
def test_16_a_fact_made_unknown_never_turns_a_verdict_round(
    encounter: Encounter, fact: str, value: bool
) -> None:
    stated: Any = value if fact != "administered_by" else ("RN" if value else "janitor")
    charted = encounter.model_dump(mode="json")["administrations"]
    known = changed(
        encounter, administrations=[{**administration, fact: stated} for administration in charted]
    )
    blank = changed(
        encounter, administrations=[{**administration, fact: None} for administration in charted]
    )
    first, second = ENGINE.check(known), ENGINE.check(blank)
    assume(first.suggested == second.suggested)
    broken, still = (
        {(v.rule, v.line, v.administrations) for v in result.violations if v.name not in ABSENCE}
        for result in (first, second)
    )
    unjudged = {entry.rule for entry in second.unjudged}
    assert {v[0] for v in broken - still} <= unjudged
    assert {v[0] for v in still - broken} == set()


def _long_push(draw: st.DrawFn, administration: dict[str, Any]) -> None:
    """A push of forty minutes: was it attended throughout?"""
    if administration["start"] and administration["method"] == "push":
        start = dt.datetime.fromisoformat(administration["start"])
        administration["stop"] = (start + dt.timedelta(minutes=40)).isoformat()


def _unneeded_site(draw: st.DrawFn, administration: dict[str, Any]) -> None:
    site = draw(st.sampled_from(("one", "two")))
    administration.update(site=site, separate_site_reason=None)


def _stating(**fields: Any) -> Callable[[st.DrawFn, dict[str, Any]], None]:
    return lambda _, administration: administration.update(fields)


LEFT_OPEN: tuple[Callable[[st.DrawFn, dict[str, Any]], None], ...] = (
    _stating(stop=None, minutes=None),
    _stating(route=None),
    _long_push,
    _stating(times_from="defaulted"),
    _stating(category="complex_biologic"),
    _stating(category=None),
    _stating(site=None),
    _unneeded_site,
    _stating(),
)


@st.composite
def open_charts(draw: st.DrawFn) -> Encounter:
    """Charts with something left open."""
    record = draw(encounters(3)).model_dump(mode="json")
    for administration in record["administrations"]:
        draw(st.sampled_from(LEFT_OPEN))(draw, administration)
    return Encounter.model_validate(record)


@given(open_charts(), st.randoms(use_true_random=False))
def test_17_every_answer_bills_what_the_question_says(
    encounter: Encounter, rng: random.Random
) -> None:
    for question in ENGINE.check(encounter).questions:
        for answer in rng.sample(question.answers, min(3, len(question.answers))):
            for value in values_of(answer.when):
                answered = ENGINE.check(with_answer(encounter, question, value))
                # Which of two drips comes first may turn with the minutes; the bill is the same.
                printed = Counter(as_printed(answered.suggested))
                assert printed == Counter(as_printed(answer.suggested)), (question.missing, value)


@given(open_charts())
def test_17_minutes_are_asked_without_gap(encounter: Encounter) -> None:
    for question in ENGINE.check(encounter).questions:
        if not question.missing.endswith(".stop"):
            continue
        spans = [answer.when for answer in question.answers if isinstance(answer.when, Between)]
        assert len(spans) == len(question.answers)
        assert spans[0].low == 0
        ends = [(before.high, after.low) for before, after in pairwise(spans)]
        assert all(end is not None and begin == end + 1 for end, begin in ends)


BLANK = ("monitoring", "response", "ordered", "charge", "performer", "administered_by", "lumen")


CONTEXT = {"id", "setting", "date", "payer", "timezone"}
"""By these every rule is read, so they are no evidence of one."""
REQUIRED = {"id", "number", "code", "units"}


def evidence_alone(encounter: Encounter, evidence: tuple[str, ...]) -> Encounter:
    """The encounter with what the evidence does not name left out."""
    record = encounter.model_dump(mode="json")
    record["date"] = str(encounter.service_date)
    alone = {name: value for name, value in record.items() if name in CONTEXT | set(evidence)}
    for part in ("administrations", "lines"):
        if part in evidence:
            continue
        rows = [
            {name: value for name, value in row.items() if name in named | REQUIRED}
            for n, row in enumerate(record[part] or ())
            if (named := fields_named(evidence, f"{part}[{n}]."))
        ]
        if rows:
            alone[part] = rows
    stated = fields_named(evidence, "supervision.")
    if stated and "supervision" not in evidence:
        alone["supervision"] = {name: record["supervision"][name] for name in stated}
    return Encounter.model_validate(alone)


def fields_named(evidence: tuple[str, ...], start: str) -> set[str]:
    return {path.removeprefix(start) for path in evidence if path.startswith(start)}


def assert_evidence_is_sufficient(encounter: Encounter) -> None:
    for violation in ENGINE.check(encounter).violations:
        again = ENGINE.check(evidence_alone(encounter, violation.evidence)).violations
        # It may follow now from a finding on another line, of which less is stated than before.
        folded = {rule for each in again for rule in each.folds}
        stands = {(each.rule, each.line) for each in again}
        assert (violation.rule, violation.line) in stands or violation.rule in folded, (
            violation.rule,
            violation.evidence,
        )


@given(claims())
def test_18_evidence_is_sufficient(encounter: Encounter) -> None:
    assert_evidence_is_sufficient(encounter)


def test_18_evidence_is_sufficient_and_short_on_realistic_visits() -> None:
    lengths = []
    for encounter in map(Encounter.model_validate, made_up(18, 300, engine=ENGINE)):
        assert_evidence_is_sufficient(encounter)
        lengths += [len(each.evidence) for each in ENGINE.check(encounter).violations]
    assert statistics.median(lengths) <= 4


PLACE = re.compile(r"(?P<part>lines|administrations)\[(?P<number>\d+)\]\.(?P<field>\w+)")


def without(encounter: Encounter, path: str) -> Encounter | None:
    """The encounter with what one path names left out; None where nothing is left to judge."""
    record = encounter.model_dump(mode="json")
    record["date"] = str(encounter.service_date)
    place = PLACE.fullmatch(path)
    if place is None:
        record.pop(path)
    elif place["field"] in REQUIRED:
        record[place["part"]].pop(int(place["number"]))
    else:
        del record[place["part"]][int(place["number"])][place["field"]]
    try:
        return Encounter.model_validate(record)
    except InputError:
        return None


def is_needed(encounter: Encounter, violation: Violation, path: str) -> bool:
    rest = without(encounter, path)
    if rest is None:
        return True
    again = ENGINE.check(rest).violations
    return (violation.rule, violation.line) not in {(each.rule, each.line) for each in again}


def test_18_evidence_names_little_that_decided_nothing() -> None:
    # Not all is needed: of two pushes that contradict a line the first is named, and each would do.
    needed = [
        is_needed(encounter, violation, path)
        for encounter in map(Encounter.model_validate, made_up(19, 100, engine=ENGINE))
        for violation in ENGINE.check(encounter).violations
        for path in violation.evidence
    ]
    assert sum(needed) / len(needed) >= 0.9


def applied(encounter: Encounter, edit: Any) -> Encounter:
    gone = {line.number for line in edit.before}
    kept = [line for line in encounter.lines or () if line.number not in gone]
    after = sorted([*kept, *edit.after], key=lambda line: line.number)
    return encounter.model_copy(update={"lines": tuple(after)})


@given(claims())
def test_19_an_edit_mends_its_violation_and_breaks_nothing(encounter: Encounter) -> None:
    first = ENGINE.check(encounter)
    before = set(errors(first))
    for violation in first.violations:
        if violation.edit is None or violation.severity != "error":
            continue
        again = ENGINE.check(applied(encounter, violation.edit))
        left = [
            v for v in again.violations if v.rule == violation.rule and v.line == violation.line
        ]
        assert left == []
        assert set(errors(again)) <= before


@given(encounters(), st.integers(-20, 20))
def test_20_moving_the_date_inside_one_window_changes_dates_only(
    encounter: Encounter, days: int
) -> None:
    record, later = encounter.model_dump(mode="json"), dt.timedelta(days=days)
    record["date"] = (dt.date.fromisoformat(record["date"]) + later).isoformat()
    for administration in record["administrations"]:
        for name in ("start", "stop"):
            if administration[name]:
                at = dt.datetime.fromisoformat(administration[name])
                administration[name] = (at + later).isoformat()
    assert codes(ENGINE.check(Encounter.model_validate(record))) == codes(ENGINE.check(encounter))


@pytest.mark.parametrize("lines", [None, []])
def test_64_an_empty_encounter_is_clean(lines: list[Any] | None) -> None:
    record = {"id": "E", "setting": "facility", "administrations": [], "lines": lines}
    result = ENGINE.check(Encounter.model_validate(record))
    assert (result.status, result.suggested, result.not_billable) == ("clean", (), ())


def test_64_lines_without_anything_given_are_unsupported() -> None:
    lines = [{"code": "96374", "units": 1}, {"code": "96375", "units": 2}]
    result = ENGINE.check(billed(chart(), lines))
    assert [verdict.status for verdict in result.lines] == ["unsupported", "unsupported"]
    assert {v.line for v in result.violations if v.severity == "error"} == {1, 2}
    assert result.corrected == ()


@given(claims())
def test_65_everything_is_accounted_for_once(encounter: Encounter) -> None:
    result = ENGINE.check(encounter)
    stands = {id for line in result.suggested for id in line.administrations}
    barred = [reason.administration for reason in result.not_billable]
    assert len(barred) == len(set(barred))
    assert stands.isdisjoint(barred)
    every = {administration.id for administration in encounter.administrations or ()}
    assert stands | set(barred) == every
    billed_numbers = [line.number for line in encounter.lines or ()]
    assert [verdict.number for verdict in result.lines] == billed_numbers
