"""One fault, one finding: what follows from another finding of its line is folded into it."""

from __future__ import annotations

from typing import Any

from ivpush.claim.folding import folded, yields_to
from ivpush.contract.result import Severity, Violation
from tests.visits import DAY, check, drip, line, push, work


def violation(rule: str, number: int | None, severity: Severity = "error") -> Violation:
    return Violation(
        rule=rule,
        name=rule.lower(),
        severity=severity,
        disposition="deny_line",
        line=number,
        administrations=(),
        message="m",
        fix="f",
        evidence=(),
        edit=None,
        folds=(),
        fingerprint="",
        carc=None,
        rarc=None,
        cites=(),
    )


def shown(violations: list[Violation]) -> list[tuple[str, int | None, tuple[str, ...]]]:
    return [(each.rule, each.line, each.folds) for each in violations]


def test_a_chain_of_causes_ends_at_the_first() -> None:
    follows = {"B1": ("A1",), "C1": ("B",)}
    every = [violation("C1", 1), violation("B1", 1), violation("A1", 1), violation("D1", 1)]
    assert shown(folded(every, follows)) == [("A1", 1, ("B1", "C1")), ("D1", 1, ())]


def test_a_cause_on_another_line_or_on_none_explains_nothing() -> None:
    follows = {"B1": ("A1",)}
    every = [violation("B1", 1), violation("A1", 2), violation("A1", None), violation("B1", None)]
    assert sorted(shown(folded(every, follows)), key=str) == sorted(
        [("B1", 1, ()), ("A1", 2, ()), ("A1", None, ()), ("B1", None, ())], key=str
    )


def errors(*lines: dict[str, Any], **facts: Any) -> list[tuple[str, int | None, tuple[str, ...]]]:
    """The errors of an infusion of two hours and a push, however it is billed."""
    chart = (drip("a", "10:00", "12:00"), push("b", "12:30"))
    return shown(list(check(*chart, lines=list(lines), **facts).errors))


def test_add_ons_that_a_wrong_date_bereaves_of_their_primary_follow_from_it() -> None:
    further = (line(2, "96366"), line(3, "96375"))
    assert errors(line(1, "96365"), *further) == []
    assert errors(line(1, "96365", date="2026-03-05"), *further) == [("IVP906", 1, ("IVP104",))]


def test_add_ons_beside_a_wrong_initial_follow_from_it() -> None:
    ((_, number, folds),) = errors(line(1, "96372"), line(2, "96366"), line(3, "96375"))
    assert (number, "IVP104" in folds) == (1, True)


def test_a_finding_on_a_line_that_is_wrong_itself_stands() -> None:
    both = errors(line(1, "96365", date="2026-03-05"), line(2, "96366", 7))
    assert {number for _, number, _ in both} == {1, 2}


def test_an_error_on_an_unrelated_line_explains_nothing() -> None:
    """The primary is not billed at all, and hours too many of an add-on are no reason for that."""
    both = errors(line(1, "96366", 7), line(2, "96375"))
    assert ("IVP104", 2, ()) in both
    assert {number for _, number, _ in both} == {1, 2}


def test_an_error_of_another_encounter_explains_nothing() -> None:
    other = "2026-03-09"
    chart = (
        drip("a", "10:00", "12:00"),
        drip("b", f"{other}T10:00", f"{other}T12:00"),
    )
    lines = [line(1, "96413", date=DAY), line(2, "96366", date=other)]
    result = check(*chart, lines=lines, setting="professional")
    assert ("IVP104", 2) in {(each.rule, each.line) for each in result.errors}


def test_no_error_is_lost_in_a_warning() -> None:
    every = [violation("B1", 1), violation("A1", 1, "warning")]
    assert shown(folded(every, {"B1": ("A1",)})) == [("B1", 1, ()), ("A1", 1, ())]
    every = [violation("B1", 1, "warning"), violation("A1", 1)]
    assert shown(folded(every, {"B1": ("A1",)})) == [("A1", 1, ("B1",))]


def test_two_that_explain_each_other_lose_nothing() -> None:
    every = [violation("A1", 1), violation("B1", 1)]
    kept = folded(every, {"A1": ("B1",), "B1": ("A1",)})
    assert {rule for each in kept for rule in (each.rule, *each.folds)} == {"A1", "B1"}


def test_a_wrong_family_is_one_error() -> None:
    result = check(push("a", "10:00", category="chemotherapy"), lines=[line(1, "96374")])
    (error,) = [each for each in result.violations if each.severity == "error"]
    assert (error.rule, error.folds) == ("IVP302", ("IVP905",))


def test_a_line_wrong_by_its_date_alone_has_no_wrong_code() -> None:
    resited = drip("a", "11:00", "12:00", site="right arm", resited_from="left arm")
    result = check(resited, lines=[line(1, "96365", date="2026-03-05")])
    errors = [(each.rule, each.line) for each in result.violations if each.severity == "error"]
    assert errors == [("IVP906", 1)]


def test_a_port_flush_beside_another_service_is_one_error() -> None:
    flush = push("b", "12:30", purpose="flush", access="port")
    for other in ([drip("a", "10:00", "12:00")], []):
        code = line(1, "96365") if other else line(1, "99213", modifiers=["25"])
        result = check(*other, flush, lines=[code, line(2, "96523")])
        assert [(each.rule, each.line) for each in result.errors if each.line == 2] == [
            ("IVP608", 2)
        ]


def test_add_ons_follow_from_the_first_of_two_lines_that_are_wrong_alike() -> None:
    wrong: dict[str, Any] = {"date": "2026-03-05"}
    both = errors(line(1, "96365", **wrong), line(2, "96365", **wrong), line(3, "96375"))
    folds = {number: folds for rule, number, folds in both if rule == "IVP906"}
    assert "IVP104" in folds[1]
    assert "IVP104" not in folds.get(2, ())
    assert 3 not in {number for _, number, _ in both}


LATER = "2026-03-09"
FOLLOWS = {"B1": ("A1",)}
TWO_HOURS = drip("a", "10:00", "12:00")
ONE_VISIT = [line(1, "96365"), line(2, "96366"), line(3, "96413")]
"""A chemotherapy infusion too many; it is a primary of the further hour, as the first hour is."""


def beside(
    *violations: Violation, chart: list[dict[str, Any]], lines: list[dict[str, Any]], **facts: Any
) -> list[tuple[str, int | None, tuple[str, ...]]]:
    """What is shown of findings on the lines of a claim."""
    of_claim = work(*chart, lines=lines, **facts).facts.lines or ()
    return shown(folded(list(violations), FOLLOWS, of_claim))


def test_a_wrong_line_explains_what_is_said_of_a_right_one_that_hangs_on_its_code() -> None:
    wrong, effect = violation("A1", 3), violation("B1", 2)
    both = beside(effect, wrong, chart=[TWO_HOURS], lines=ONE_VISIT)
    assert both == [("A1", 3, ("B1",))]
    other = violation("Z1", 3)
    assert beside(effect, other, chart=[TWO_HOURS], lines=ONE_VISIT) == [
        ("B1", 2, ()),
        ("Z1", 3, ()),
    ]


def test_a_right_line_explains_nothing_on_another() -> None:
    every = [violation("A1", 1), violation("B1", 2), violation("C1", 3)]
    found = beside(*every, chart=[TWO_HOURS], lines=ONE_VISIT)
    assert found == [("A1", 1, ()), ("B1", 2, ()), ("C1", 3, ())]


def test_of_several_encounters_each_is_explained_by_itself() -> None:
    chart = [TWO_HOURS, drip("b", f"{LATER}T10:00", f"{LATER}T12:00")]
    lines = [
        *[{**each, "date": DAY} for each in ONE_VISIT],
        line(4, "96365", date=LATER),
        line(5, "96366", date=LATER),
    ]
    every = [violation("A1", 3), violation("B1", 2), violation("B1", 5)]
    found = beside(*every, chart=chart, lines=lines)
    assert found == [("A1", 3, ("B1",)), ("B1", 5, ())]
    # A line on a date of neither bills what it stands for.
    lines[2] = line(3, "96413", date="2026-03-20", administrations=["b"])
    found = beside(*every, chart=chart, lines=lines)
    assert found == [("A1", 3, ("B1",)), ("B1", 2, ())]


def test_before_the_first_table_no_code_is_known_to_hang_on_another() -> None:
    early = "2010-03-02"
    chart = [drip("a", f"{early}T10:00", f"{early}T12:00")]
    every = [violation("A1", 3), violation("B1", 2)]
    found = beside(*every, chart=chart, lines=ONE_VISIT, date=early)
    assert found == [("A1", 3, ()), ("B1", 2, ())]


def test_a_rule_follows_from_others_of_its_room_and_not_from_itself() -> None:
    follows = {"B1": ("A1", "B")}
    found = {cause: yields_to("B1", cause, follows) for cause in ("A1", "A2", "B1", "B2")}
    assert found == {"A1": True, "A2": False, "B1": False, "B2": True}
