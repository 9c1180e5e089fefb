"""Coverage: what was checked against what, what a modifier lifted, and what was not and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ivpush import Engine
from ivpush.claim.coverage import needs_chart
from ivpush.contract.coverage import Coverage, NotChecked, checked_rows, unchecked_rows
from ivpush.contract.result import Unjudged
from ivpush.pack.releases import quarter_end
from ivpush.testing.samples import encounters
from tests.shipped import ENGINE, PACK
from tests.visits import line, push, visit, work

PAIR = (line(1, "96374"), line(2, "96372"))


def coverage(*lines: dict[str, Any], silent: tuple[str, ...] = (), **facts: Any) -> Coverage:
    """The coverage of a claim beside one charted push."""
    checked = work(push("a1", "10:00"), lines=list(lines), **facts).covered(silent).checked
    assert checked is not None
    return checked


def of_claim(*lines: dict[str, Any], **facts: Any) -> Coverage:
    """The coverage of a claim without a chart."""
    record = {**visit().model_dump(mode="json"), "administrations": None, "lines": list(lines)}
    checked = ENGINE.check({**record, **facts}, coverage=True).checked
    assert checked is not None
    return checked


def why(coverage: Coverage, reason: str) -> NotChecked:
    (each,) = [each for each in coverage.not_checked if each.why == reason]
    return each


def reasons(coverage: Coverage) -> set[str]:
    return {each.why for each in coverage.not_checked}


def looked_up(coverage: Coverage, kind: str) -> tuple[int, ...]:
    """The lines that were looked up in a kind of table."""
    return next((table.lines for table in coverage.tables if table.kind == kind), ())


def test_a_result_holds_it_only_where_asked() -> None:
    record = visit(push("a1", "10:00"), lines=list(PAIR))
    plain, covered = ENGINE.check(record), ENGINE.check(record, coverage=True)
    assert plain.checked is None
    assert {**covered.to_dict(), "checked": None} == plain.to_dict()
    assert list(ENGINE.check_many([record], coverage=True)) == [covered]


def test_nothing_is_worked_out_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("asked for")

    monkeypatch.setattr("ivpush.claim.coverage.coverage_of", refused)
    ENGINE.check(visit(push("a1", "10:00"), lines=list(PAIR)))


def test_of_made_up_visits_each_part_is_accounted_for() -> None:
    """Lines and administrations in order, and each unjudged rule under one reason."""
    for record in encounters(5, 60):
        result = ENGINE.check(record, coverage=True)
        checked = result.checked
        assert checked is not None
        assert [each.number for each in checked.lines] == [
            each["number"] for each in record["lines"]
        ]
        assert [each.id for each in checked.administrations] == [
            each["id"] for each in record["administrations"]
        ]
        named = [rule for each in checked.not_checked for rule in each.rules]
        assert sorted(named) == [each.rule for each in result.unjudged]


def test_a_finding_by_a_table_stands_on_a_line_that_was_looked_up_in_it() -> None:
    kinds = {"IVP601": "ptp", "IVP602": "ptp", "IVP606": "mue", "IVP104": "addon"}
    spoken = set()
    for lines in ([line(1, "96374"), line(2, "36591")], PAIR, [line(1, "96375", 9)]):
        record = visit(lines=list(lines), setting="professional").model_copy(
            update={"administrations": None}
        )
        result = ENGINE.check(record, coverage=True)
        assert result.checked is not None
        for each in result.violations:
            if each.rule in kinds and each.line is not None:
                assert each.line in looked_up(result.checked, kinds[each.rule])
                spoken |= {each.rule, *each.folds}
    assert spoken >= kinds.keys()


def test_a_chart_without_a_claim_is_judged_and_looked_up_in_no_table() -> None:
    checked = work(push("a1", "10:00")).covered(()).checked
    assert checked is not None
    assert (checked.lines, checked.lifted, checked.tables) == ((), (), ())
    (given,) = checked.administrations
    assert given.rules > 0
    assert "outside_family" not in reasons(checked)


def test_a_rule_that_lacked_a_fact_was_not_judged_there() -> None:
    """``ordered`` is what one rule asks, and no other."""
    (unknown,) = coverage(*PAIR).administrations
    record = push("a1", "10:00", ordered=True)
    known = work(record, lines=list(PAIR)).covered(()).checked
    assert known is not None
    assert [each.rules for each in known.administrations] == [unknown.rules + 1]


@pytest.mark.parametrize(
    ("missing", "needs"),
    [
        (("administrations",), True),
        (("lines[0].match",), True),
        (("diagnoses",), False),
        (("lines[0].ndc", "supervision.level"), False),
        (("diagnoses", "administrations"), True),
    ],
)
def test_a_chart_is_needed_where_no_field_of_a_claim_could_say_it(
    missing: tuple[str, ...], needs: bool
) -> None:
    assert needs_chart(Unjudged("IVP101", missing)) is needs


SURROUNDINGS = {"owners", "procedures", "uses", "beside"}


def test_a_dose_is_looked_up_beside_other_services_where_both_stand() -> None:
    scan, given = line(2, "71046"), line(1, "96374")
    charted = coverage(given, scan)
    by_kind = {table.kind: table.administrations for table in charted.tables}
    assert {kind: by_kind[kind] for kind in SURROUNDINGS} == dict.fromkeys(SURROUNDINGS, ("a1",))
    empty = work(lines=[given, scan]).covered(()).checked
    assert empty is not None
    for without in (coverage(given), of_claim(given, scan), empty):
        assert not SURROUNDINGS & {table.kind for table in without.tables}


def test_tables_of_drugs_are_looked_up_for_drugs_alone() -> None:
    checked = coverage(line(1, "96374"), line(2, "71046"), line(3, "J2405", 4))
    for kind in ("asp", "discards", "singledose"):
        assert looked_up(checked, kind) == (3,)


def test_a_table_is_named_with_its_edition() -> None:
    (pairs,) = [each for each in coverage(*PAIR).tables if each.kind == "ptp"]
    releases = {release.day for release in PACK.releases["ptp"]}
    assert pairs.release in releases
    assert pairs.quarter_ends is not None
    assert pairs.quarter_ends > pairs.release


def test_a_code_that_a_table_does_not_hold_is_said() -> None:
    (mue,) = [each for each in coverage(*PAIR, line(3, "99283")).tables if each.kind == "mue"]
    assert (mue.lines, mue.without_row) == ((1, 2, 3), (3,))


def test_a_line_without_an_ndc_is_looked_up_in_no_crosswalk() -> None:
    drug = line(1, "J2405", 4)
    assert not looked_up(coverage(drug), "ndc")
    assert looked_up(coverage({**drug, "ndc": "00409475501"}), "ndc") in {(1,), ()}


@pytest.mark.parametrize(("marked", "by"), [([2], 2), ([1], 1), ([1, 2], 2)])
def test_a_pair_is_lifted_by_the_modifier_of_either_line(marked: list[int], by: int) -> None:
    lines = [{**each, "modifiers": ["59"] if each["number"] in marked else []} for each in PAIR]
    (pair,) = coverage(*lines).lifted
    assert (pair.code, pair.line, pair.into, pair.into_line) == ("96372", 2, "96374", 1)
    assert (pair.modifier, pair.by_line) == ("59", by)


@pytest.mark.parametrize(("day", "lifted"), [("2019-06-30", False), ("2019-07-01", True)])
def test_until_a_date_the_modifier_of_the_first_code_lifted_nothing(day: str, lifted: bool) -> None:
    """CR 11168."""
    first, second = ({**each, "date": day} for each in PAIR)
    assert bool(coverage({**first, "modifiers": ["59"]}, second).lifted) is lifted
    assert coverage(first, {**second, "modifiers": ["59"]}).lifted


def test_of_several_modifiers_the_first_is_named() -> None:
    (pair,) = coverage(PAIR[0], {**PAIR[1], "modifiers": ["XU", "59", "JW"]}).lifted
    assert pair.modifier == "59"


def test_without_a_modifier_nothing_is_lifted() -> None:
    assert coverage(*PAIR).lifted == ()
    assert coverage(line(1, "96374"), line(2, "96372", modifiers=["JW"])).lifted == ()


def test_two_lines_of_one_code_are_no_pair_and_a_flush_bundles_nothing() -> None:
    marked = line(1, "96372", modifiers=["59"])
    assert coverage(marked, {**marked, "number": 2}).lifted == ()
    beside = coverage(line(1, "96523"), line(2, "99213", modifiers=["25"]), setting="professional")
    assert "96523" not in {pair.into for pair in beside.lifted}


def test_on_another_day_there_is_no_pair_to_lift() -> None:
    other = line(2, "96372", modifiers=["59"], date="2026-03-09")
    assert coverage(line(1, "96374"), other).lifted == ()


def test_a_visit_needs_the_modifier_of_visits() -> None:
    by_visit = coverage(line(1, "96374"), line(2, "99213", modifiers=["25"])).lifted
    assert [(pair.code, pair.modifier) for pair in by_visit] == [("99213", "25")]
    assert coverage(line(1, "96374"), line(2, "99213", modifiers=["59"])).lifted == ()


def test_rules_left_out_by_the_configuration_are_named_and_judge_nothing() -> None:
    every, without = coverage(*PAIR), coverage(*PAIR, silent=("IVP601", "IVP602", "IVP9X9"))
    assert why(without, "silenced").rules == ("IVP601", "IVP602")
    assert "silenced" not in reasons(every)
    pairs = [(a.rules, b.rules) for a, b in zip(every.lines, without.lines, strict=True)]
    assert all(first > second for first, second in pairs)


def test_rules_that_a_payer_switches_off_are_named() -> None:
    medicare = replace(PACK.payers["medicare"], off={"IVP601": "judged elsewhere"})
    pack = PACK.with_(payers={"medicare": medicare})
    record = visit(lines=list(PAIR), payer="medicare")
    checked = Engine(pack=pack).check(record, coverage=True).checked
    assert checked is not None
    assert why(checked, "switched_off").rules == ("IVP601",)
    assert "switched_off" not in reasons(coverage(*PAIR, payer="medicare"))


def test_without_a_chart_its_rules_wait_for_it() -> None:
    assert "IVP202" in why(of_claim(*PAIR), "needs_chart").rules
    assert "needs_chart" not in reasons(coverage(*PAIR))


def test_before_the_first_edition_no_table_is_named() -> None:
    early = of_claim(*PAIR, date="2023-03-02")
    missing = why(early, "table_missing")
    assert {"ptp", "mue", "addon"} <= set(missing.tables)
    # Those are in force since 2009, or nothing was looked for in them.
    assert not {*SURROUNDINGS, "opps", "asp", "ndc"} & set(missing.tables)
    assert "IVP601" in missing.rules
    assert not {"ptp", "mue", "addon"} & {each.kind for each in early.tables}


@pytest.mark.parametrize(("days", "late"), [(0, False), (1, True)])
def test_past_its_quarter_a_table_is_said_to_be_old(days: int, late: bool) -> None:
    last = quarter_end(max(release.day for release in PACK.releases["ptp"]))
    checked = of_claim(*PAIR, date=str(last + timedelta(days=days)))
    old = [
        table
        for each in checked.not_checked
        if each.why == "table_outdated"
        for table in each.tables
    ]
    assert ("ptp" in old) is late


def test_the_lines_and_administrations_of_which_a_fact_is_lacking_are_named() -> None:
    of_order = [each for each in coverage(*PAIR).not_checked if "IVP701" in each.rules]
    (lacking,) = of_order
    assert lacking.why == "fact_unknown"
    assert lacking.missing == ("administrations[0].ordered",)
    assert lacking.administrations == ("a1",)


def test_other_services_are_said_not_to_be_judged_themselves() -> None:
    checked = coverage(line(1, "96374"), line(2, "71046"), line(3, "J2405", 4))
    assert why(checked, "outside_family").lines == (2,)


@pytest.mark.parametrize(
    ("payer", "begins"),
    [(None, "No payer"), ("nobody", "This payer has no"), ("medicare", "This payer's overlay")],
)
def test_where_the_payers_position_is_not_known_the_policies_are_named(
    payer: str | None, begins: str
) -> None:
    open_ = why(coverage(*PAIR, payer=payer), "payer_position")
    assert open_.because.startswith(begins)
    stated = PACK.payers[payer].policies if payer in PACK.payers else {}
    assert open_.policies
    assert not set(open_.policies) & set(stated)


def test_policies_are_named_that_the_coding_or_a_rule_asked_for() -> None:
    of_chart = why(coverage(*PAIR), "payer_position").policies
    of_lines = why(of_claim(*PAIR), "payer_position").policies
    assert "long_push" in of_chart and "long_push" not in of_lines
    assert set(of_lines) <= set(of_chart)


def test_drugs_and_administrations_are_judged_themselves() -> None:
    checked = coverage(line(1, "96374"), line(2, "J2405", 4))
    assert "outside_family" not in reasons(checked)


def test_what_two_lines_lack_is_named_for_both_and_once() -> None:
    drugs = [line(n, code, 4) for n, code in ((2, "J2405"), (3, "J1885"), (4, "J1885"))]
    checked = coverage(line(1, "96374"), *drugs)
    named = [each for each in checked.not_checked if "IVP808" in each.rules]
    assert [number for each in named for number in each.lines] == [2, 3, 4]
    assert all(each.why == "fact_unknown" and not each.administrations for each in named)


def test_the_text_names_what_was_checked_and_what_was_not() -> None:
    checked = of_claim(line(1, "96374", modifiers=["59"]), line(2, "96372"), line(3, "71046"))
    done, left = "\n".join(checked_rows(checked)), "\n".join(unchecked_rows(checked))
    (pairs,) = [each for each in checked.tables if each.kind == "ptp"]
    edition = f"NCCI pairs, edition {pairs.release} (for the quarter to {pairs.quarter_ends})"
    assert f"{edition}: lines 1, 2" in done
    assert "96372 on line 2 is bundled into 96374 on line 1, but modifier 59 on line 1" in done
    assert "these rules look at the chart: " in left
    assert "so only the administrations beside them were looked at: line 3" in left
    text = ENGINE.check(visit(lines=[line(1, "96374")]), coverage=True).text()
    assert "\nCHECKED\n" in text
    assert "\nNOT CHECKED\n" in text
