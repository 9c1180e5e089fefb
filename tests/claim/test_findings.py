"""What is told of findings: which stand, in what order, with which edits; what is unjudged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ivpush import ClaimLine, Encounter
from ivpush.claim.findings import (
    Finding,
    Findings,
    Heard,
    Judged,
    errors_of,
    lacking,
    lacks_chart,
    line_edits,
    standing,
    status_of,
    unjudged,
    worded,
)
from ivpush.contract.result import Edit, Severity, Unjudged
from ivpush.engine import Worked
from ivpush.pack.edits import AddModifier, Corrected, DropModifiers, Remove
from ivpush.pack.rule import Rule
from ivpush.testing.samples import encounters
from tests.shipped import ENGINE, PACK
from tests.visits import DAY, check, drip, line, push, visit, work

LATER = "2026-03-09"
CLAIM = [
    line(1, "96374", date=DAY),
    line(2, "96365", date=LATER),
    line(3, "J2405", 4, date=DAY),
]
CHART = {"administrations", "primary_administration", "supervision"}


def test_without_a_chart_what_is_missing_is_the_chart() -> None:
    """A fact of the comparison, such as the line's status, is none that anybody could fill in."""
    lines = [line(1, "96374"), line(2, "96375")]
    claim = {"id": "E1", "setting": "facility", "date": "2026-03-02", "type_of_bill": "131"}
    result = ENGINE.check({**claim, "diagnoses": ["R112"], "lines": lines})
    lacks = {row.rule: row.missing for row in result.unjudged}
    assert set(lacks.values()) == {("administrations",)}
    assert lacks["IVP901"] == ("administrations",)


def test_the_answer_that_claims_without_a_chart_share_is_what_each_rule_would_say() -> None:
    asked = 0
    for record in encounters(11, 40, engine=ENGINE):
        claim = {key: value for key, value in record.items() if key not in CHART}
        work = ENGINE.work(Encounter.model_validate(claim))
        said = lacking(work.findings, work.facts, work.book)
        own: dict[str, dict[str, bool]] = {}
        for rule, subject in work.findings.unsure:
            looked_at = (work.facts, subject, work.book.policy, work.book.limits)
            rule.compiled.missing(*looked_at, own.setdefault(rule.id, {}))
        assert {rule: tuple(paths) for rule, paths in own.items()} == {
            rule: said[rule] for rule in own
        }
        asked += len(own)
    assert asked > 500


RULE = {rule.id: rule for rule in PACK.rules}
OF_WHOLE = RULE["IVP911"]
OF_CHART = RULE["IVP901"]
"""An unsupported charge."""
SHOWN_BY_CLAIM = ("IVP609", "IVP606", "IVP108")
"""A deleted code, units of the day over a limit, a repeat push of an office."""
REST = {"severity": "error", "disposition": "deny_line", "edit": None}


@pytest.fixture(scope="module")
def visit_of_two() -> Worked:
    """Two encounters of one claim: a push and a drug, then a drip."""
    chart = [push("a", "10:00"), drip("b", f"{LATER}T10:00", f"{LATER}T11:00")]
    return work(*chart, lines=CLAIM)


def spoken(worked: Worked, subject: Any, rule: Rule = OF_CHART, **changes: Any) -> Heard:
    """A finding of a rule with other columns."""
    return Heard(Finding(replace(rule, **{**REST, **changes}), subject), worked.facts, worked.book)


def nearest(worked: Worked, *heard: Heard) -> Judged:
    """What the nearest answers find."""
    return Judged(worked.facts, Findings(broken=[each.finding for each in heard]), worked.book)


def stands(
    meanwhile: list[Heard],
    worked: Worked,
    *found: Heard,
    part: int | None = None,
    open_codes: tuple[str, ...] = (),
) -> list[tuple[str, str, bool]]:
    """Rule, severity and whether it may edit, of what stands."""
    left = standing(meanwhile, nearest(worked, *found), part, open_codes)
    rules = [each.finding.rule for each in left]
    return [(rule.id, rule.severity, rule.edit is not None) for rule in rules]


ERROR = ("IVP901", "error", False)


def test_an_error_stands_where_the_nearest_answers_find_it_too(visit_of_two: Worked) -> None:
    again = work(push("a", "10:00"), drip("b", f"{LATER}T10:00", f"{LATER}T11:00"), lines=CLAIM)
    facts, others = visit_of_two.facts, again.facts
    pairs = [
        (facts.lines or ())[0], (others.lines or ())[0],
        (facts.administrations or ())[0], (others.administrations or ())[0],
        facts.services[0], others.services[0],
        facts.suggestions[1], others.suggestions[1],
        facts, others,
    ]  # fmt: skip
    for here, there in zip(pairs[::2], pairs[1::2], strict=True):
        found = spoken(again, there)
        assert stands([spoken(visit_of_two, here)], again, found) == [ERROR]
        assert stands([spoken(visit_of_two, here)], again) == []
        other = spoken(again, there, rule=RULE["IVP903"])
        assert ERROR not in stands([spoken(visit_of_two, here)], again, other)


def test_a_finding_on_another_record_is_another_finding(visit_of_two: Worked) -> None:
    facts = visit_of_two.facts
    first, second, third = facts.lines or ()
    one, two = facts.administrations or ()
    for here, there in (
        (first, second), (one, two), (facts.services[0], facts.services[1]),
        (facts.suggestions[0], facts.suggestions[1]),
    ):  # fmt: skip
        left = standing(
            [spoken(visit_of_two, here)],
            nearest(visit_of_two, spoken(visit_of_two, there)),
            None,
            (),
        )
        assert here not in [each.finding.subject for each in left]
    assert third.coded.is_drug


def test_a_lighter_finding_stands_on_one_reading_unless_it_edits(visit_of_two: Worked) -> None:
    line = (visit_of_two.facts.lines or ())[0]
    warning = spoken(visit_of_two, line, severity="warning")
    assert stands([warning], visit_of_two) == [("IVP901", "warning", False)]
    edits = spoken(visit_of_two, line, severity="warning", edit=Remove())
    assert stands([edits], visit_of_two) == []
    assert stands([edits], visit_of_two, edits) == [("IVP901", "warning", True)]


def test_what_the_record_lacks_is_worth_a_warning_on_one_reading(visit_of_two: Worked) -> None:
    line = (visit_of_two.facts.lines or ())[0]
    for edit in (None, Remove()):
        lacks = spoken(visit_of_two, line, disposition="needs_documentation", edit=edit)
        assert stands([lacks], visit_of_two) == [("IVP901", "warning", False)]
        assert stands([lacks], visit_of_two, lacks) == [("IVP901", "error", edit is not None)]


def test_of_what_the_nearest_answers_alone_find_errors_on_codes_come_with_them(
    visit_of_two: Worked,
) -> None:
    """What they find on the chart or on a drug would speak of what nobody charted."""
    facts = visit_of_two.facts
    push_line, _, drug_line = facts.lines or ()
    assert stands([], visit_of_two, spoken(visit_of_two, push_line)) == [ERROR]
    assert stands([], visit_of_two, spoken(visit_of_two, facts.suggestions[0])) == [ERROR]
    edits = spoken(visit_of_two, push_line, severity="info", edit=Remove())
    assert stands([], visit_of_two, edits) == [("IVP901", "info", True)]
    lighter = spoken(visit_of_two, push_line, severity="warning")
    assert stands([], visit_of_two, lighter) == []
    for subject in (drug_line, (facts.administrations or ())[0], facts.services[0], facts):
        assert stands([], visit_of_two, spoken(visit_of_two, subject)) == []


def test_what_is_found_either_way_stands_once(visit_of_two: Worked) -> None:
    line = (visit_of_two.facts.lines or ())[0]
    found = spoken(visit_of_two, line)
    assert stands([found], visit_of_two, found) == [ERROR]


def test_answers_of_one_encounter_say_nothing_of_another(visit_of_two: Worked) -> None:
    facts = visit_of_two.facts
    for first, second in (
        ((facts.lines or ())[0], (facts.lines or ())[1]),
        ((facts.administrations or ())[0], (facts.administrations or ())[1]),
        (facts.services[0], facts.services[1]),
        (facts.suggestions[0], facts.suggestions[1]),
    ):
        own, other = spoken(visit_of_two, first), spoken(visit_of_two, second)
        assert stands([own], visit_of_two, part=0) == []
        assert stands([other], visit_of_two, part=0) == [ERROR]
        assert stands([own], visit_of_two, part=1) == [ERROR]
    line = (facts.lines or ())[1]
    assert stands([], visit_of_two, spoken(visit_of_two, line), part=0) == []
    assert stands([], visit_of_two, spoken(visit_of_two, line), part=1) == [ERROR]
    # What is said of the whole claim may be about any of them.
    assert stands([spoken(visit_of_two, facts)], visit_of_two, part=1) == []


def test_of_codes_that_stay_open_only_what_the_claim_shows_is_certain(
    visit_of_two: Worked,
) -> None:
    facts = visit_of_two.facts
    line, suggestion = (facts.lines or ())[0], facts.suggestions[0]
    by_chart = spoken(visit_of_two, line)
    assert stands([by_chart], visit_of_two, by_chart, open_codes=("96374",)) == []
    assert stands([by_chart], visit_of_two, by_chart, open_codes=("96365",)) == [ERROR]
    for rule in SHOWN_BY_CLAIM:
        by_claim = spoken(visit_of_two, line, rule=RULE[rule])
        kept = stands([by_claim], visit_of_two, by_claim, open_codes=("96374",))
        assert kept == [(rule, "error", False)]
    missed = spoken(visit_of_two, suggestion, rule=RULE["IVP902"])
    assert stands([], visit_of_two, missed, open_codes=(suggestion.code,)) == []
    whole = spoken(visit_of_two, facts)
    assert stands([whole], visit_of_two, whole, open_codes=("96374",)) == [ERROR]


def edits_of(worked: Worked, subject: Any, **changes: Any) -> dict[int, list[Any]]:
    return line_edits(Findings(broken=[spoken(worked, subject, **changes).finding]))


def test_a_single_line_is_edited_where_the_chart_says_nothing_of_it(visit_of_two: Worked) -> None:
    push_line, _, drug_line = visit_of_two.facts.lines or ()
    assert (push_line.match.status, drug_line.match.status) == ("matched", "outside")
    safe: dict[str, Any] = {"edit": Remove(), "safety": "safe"}
    assert edits_of(visit_of_two, drug_line, **safe) == {3: [Remove()]}
    assert edits_of(visit_of_two, push_line, **safe) == {}
    # Of a line that follows the chart a rule takes off no more than a modifier.
    drops = DropModifiers("separate")
    assert edits_of(visit_of_two, push_line, edit=drops, safety="safe") == {1: [drops]}
    for changes in (
        {"edit": None, "safety": "safe"},
        {"edit": Corrected(), "safety": "safe"},
        {"edit": Remove(), "safety": "attest"},
    ):
        assert edits_of(visit_of_two, drug_line, **changes) == {}
    assert edits_of(visit_of_two, visit_of_two.facts, **safe) == {}


def test_without_a_chart_a_rule_edits_any_line() -> None:
    claim = visit(lines=[line(1, "96374")]).model_copy(update={"administrations": None})
    worked = ENGINE.work(claim)
    (billed,) = worked.facts.lines or ()
    assert edits_of(worked, billed, edit=Remove(), safety="safe") == {1: [Remove()]}


def test_errors_are_named_once_by_rule_and_line(visit_of_two: Worked) -> None:
    first, second, _ = visit_of_two.facts.lines or ()
    broken = [
        spoken(visit_of_two, first),
        spoken(visit_of_two, first),
        spoken(visit_of_two, second, severity="warning"),
        spoken(visit_of_two, visit_of_two.facts),
    ]
    named = errors_of(Findings(broken=[each.finding for each in broken]))
    assert named == ("IVP901 unsupported-charge on line 1", "IVP901 unsupported-charge")


@pytest.mark.parametrize(
    ("severities", "unsettled", "status"),
    [
        (["warning", "error"], False, "violations"),
        (["error"], True, "violations"),
        (["warning", "info"], True, "needs_chart"),
        (["warning"], False, "clean"),
        ([], False, "clean"),
    ],
)
def test_a_status_is_an_error_else_what_is_unsettled_else_clean(
    severities: list[Severity], unsettled: bool, status: str
) -> None:
    plain = check(push("a", "10:00"), lines=[]).violations[0]
    violations = [replace(plain, severity=each) for each in severities]
    assert status_of(violations, unsettled=unsettled) == status


@pytest.mark.parametrize(
    ("billed", "lacks"),
    [
        ([], True),
        (["96374"], True),
        (["J2405"], True),
        (["71046"], False),
        (["71046", "J2405"], True),
    ],
)
def test_what_was_given_is_judged_by_a_chart_and_other_services_by_themselves(
    billed: list[str], lacks: bool
) -> None:
    lines = [line(n, code) for n, code in enumerate(billed, 1)]
    whole = visit(lines=lines)
    worked = ENGINE.work(whole.model_copy(update={"administrations": None}))
    assert lacks_chart(worked.facts, worked.findings) is lacks
    charted = ENGINE.work(whole)
    assert not lacks_chart(charted.facts, charted.findings)


def test_a_doubt_about_the_whole_claim_asks_for_no_chart() -> None:
    """A scan alone; whether it was a claim for anything given is no question of its lines."""
    scan = visit(lines=[line(1, "71046")]).model_copy(update={"administrations": None})
    worked = ENGINE.work(scan)
    unsure = Findings(unsure=[Finding(OF_CHART, worked.facts)])
    assert not lacks_chart(worked.facts, unsure)
    (billed,) = worked.facts.lines or ()
    assert lacks_chart(worked.facts, Findings(unsure=[Finding(OF_CHART, billed)]))


def test_findings_come_by_line_then_severity_then_rule(visit_of_two: Worked) -> None:
    first, second, _ = visit_of_two.facts.lines or ()
    heard = [
        spoken(visit_of_two, visit_of_two.facts, rule=OF_WHOLE, severity="error"),
        spoken(visit_of_two, second, severity="error"),
        spoken(visit_of_two, first, severity="info"),
        spoken(visit_of_two, first, rule=RULE["IVP903"], severity="warning"),
        spoken(visit_of_two, first, severity="warning"),
    ]
    told = worded(heard, visit_of_two.facts, None).violations()
    assert [(each.line, each.severity, each.rule) for each in told] == [
        (1, "warning", "IVP901"),
        (1, "warning", "IVP903"),
        (1, "info", "IVP901"),
        (2, "error", "IVP901"),
        (None, "error", "IVP911"),
    ]


def test_rules_that_are_silent_are_not_told_of(visit_of_two: Worked) -> None:
    first = (visit_of_two.facts.lines or ())[0]
    heard = [spoken(visit_of_two, first), spoken(visit_of_two, first, rule=RULE["IVP903"])]
    told = worded(heard, visit_of_two.facts, None).violations({"IVP901"})
    assert [each.rule for each in told] == ["IVP903"]


def test_with_a_chart_its_rules_are_judged_and_without_one_they_wait() -> None:
    given = push("a", "10:00", administered_by=None)
    charted = work(given, lines=[])
    judged = {type(each.subject).__name__ for each in charted.findings.unsure}
    assert charted.findings.uncharted == () and "AdministrationFacts" in judged
    assert "IVP902" in {each.rule.id for each in charted.findings.broken}
    claim = visit(given, lines=[line(1, "96374")]).model_copy(update={"administrations": None})
    waiting = ENGINE.work(claim).findings
    assert {"IVP701", "IVP902"} <= {rule.id for rule in waiting.uncharted}
    about = {finding.rule.for_each for finding in (*waiting.broken, *waiting.unsure)}
    assert about <= {"line", "encounter"}


def test_a_finding_names_the_administrations_that_it_speaks_of(visit_of_two: Worked) -> None:
    facts = visit_of_two.facts
    for subject, rule, about in (
        ((facts.lines or ())[0], OF_CHART, ("a",)),
        ((facts.lines or ())[2], OF_CHART, ()),
        ((facts.administrations or ())[1], RULE["IVP701"], ("b",)),
        (facts.suggestions[0], RULE["IVP902"], ("a",)),
        (facts, OF_WHOLE, ()),
    ):
        (told,) = worded([spoken(visit_of_two, subject, rule=rule)], facts, None).every
        assert told.administrations == about


def test_the_edit_of_the_whole_claim_names_the_lines_that_change(visit_of_two: Worked) -> None:
    facts = visit_of_two.facts
    billed = facts.given.lines or ()
    heard = [spoken(visit_of_two, (facts.lines or ())[0], edit=Corrected())]

    def edit(corrected: tuple[ClaimLine, ...] | None) -> Edit | None:
        (told,) = worded(heard, facts, corrected).every
        return told.edit

    # Made once for all, though not every finding asks for it.
    plain, whole = worded([spoken(visit_of_two, facts, rule=OF_WHOLE), *heard], facts, ()).every
    assert (plain.edit, whole.edit) == (None, Edit(before=billed, after=()))
    assert edit(None) is None
    assert edit(billed) is None
    raised = billed[0].model_copy(update={"units": 7})
    assert edit((raised, *billed[1:])) == Edit(before=billed[:1], after=(raised,))
    assert edit(billed[1:]) == Edit(before=billed[:1], after=())


def test_the_edit_of_a_line_is_before_and_after(visit_of_two: Worked) -> None:
    first = (visit_of_two.facts.lines or ())[0]

    def edit(subject: Any, of_rule: Any) -> Edit | None:
        rule = OF_WHOLE if subject is visit_of_two.facts else OF_CHART
        heard = [spoken(visit_of_two, subject, rule=rule, edit=of_rule, safety="attest")]
        (told,) = worded(heard, visit_of_two.facts, None).every
        return told.edit

    assert edit(first, Remove()) == Edit((first.given,), (), "attest")
    (after,) = (edit(first, AddModifier("distinct")) or Edit((), ())).after
    assert after.modifiers == ("59",)
    assert edit(first, None) is None
    assert edit(visit_of_two.facts, Remove()) is None


def test_what_open_facts_decide_of_a_finding_that_is_not_told_is_said_to_be_missing(
    visit_of_two: Worked,
) -> None:
    first, second, _ = visit_of_two.facts.lines or ()
    told, untold = spoken(visit_of_two, first), spoken(visit_of_two, second)
    judged = nearest(visit_of_two, told, untold)
    stop = ("administrations[1].stop",)
    assert unjudged(judged, [told, untold], stop) == ()
    assert unjudged(judged, [told], ()) == ()
    assert unjudged(judged, [told], (*stop, *stop)) == (Unjudged("IVP901", stop),)


def test_a_chart_without_a_claim_has_findings_of_its_own() -> None:
    charted = work(push("a", "10:00", administered_by=None))
    assert charted.findings.unsure
    one = (charted.facts.administrations or ())[0]
    told = worded([spoken(charted, one, rule=RULE["IVP701"])], charted.facts, None)
    assert [each.administrations for each in told.violations()] == [("a",)]
    assert told.lines == ()


def test_what_follows_from_another_line_is_folded_into_it(visit_of_two: Worked) -> None:
    first = (visit_of_two.facts.lines or ())[0]
    told = worded([spoken(visit_of_two, first)], visit_of_two.facts, None)
    assert list(told.lines) == list(visit_of_two.facts.lines or ())
    wrong = check(
        drip("a", "10:00", "12:00"),
        lines=[line(1, "96365", date="2026-03-05"), line(2, "96366"), line(3, "96375")],
    )
    assert "IVP104" not in {each.rule for each in wrong.violations}


def test_findings_of_the_whole_claim_come_last_by_severity_and_rule(visit_of_two: Worked) -> None:
    facts = visit_of_two.facts
    heard = [
        spoken(visit_of_two, facts, rule=OF_WHOLE, severity="warning"),
        spoken(visit_of_two, facts, rule=RULE["IVP909"], severity="error"),
        spoken(visit_of_two, (facts.administrations or ())[1], rule=RULE["IVP701"]),
        spoken(visit_of_two, (facts.administrations or ())[0], rule=RULE["IVP701"]),
    ]
    told = worded(heard, facts, None).violations()
    assert [(each.rule, each.administrations) for each in told] == [
        ("IVP701", ("a",)),
        ("IVP701", ("b",)),
        ("IVP909", ()),
        ("IVP911", ()),
    ]
