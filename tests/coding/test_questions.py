"""A fact is asked for where nobody stated it and where two answers bill differently."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, get_args

import pytest

from ivpush import Result
from ivpush.coding.chart import code_chart
from ivpush.coding.questions import Asked, questions_of
from ivpush.contract.fields import Route
from ivpush.contract.result import Between, SuggestedLine
from tests.shipped import PACK
from tests.visits import (
    answers,
    asked,
    billed,
    check,
    dose,
    drip,
    fluid,
    line,
    push,
    question,
    visit,
)

RIGHT = "right arm"
NEED = {"separate_site_reason": "incompatible drugs"}
CLASS = "administrations[0].category"
OFFICE: dict[str, Any] = {"setting": "professional"}


# How long


def test_a_missing_stop_is_asked_for_by_minutes_from_zero_to_the_bound() -> None:
    opened = check(drip("a", "10:00"))
    whens = [answer.when for answer in question(opened, "administrations[0].stop").answers]
    ranges = [(when.low, when.high) for when in whens if isinstance(when, Between)]
    assert ranges[:4] == [(0, 15), (16, 90), (91, 150), (151, 210)]
    assert all(high + 1 == low for (_, high), (low, _) in pairwise(ranges))  # type: ignore[operator]


def test_a_missing_route_is_asked_for_though_all_times_are_charted() -> None:
    assert asked(check(dose("a", "10:00", "10:05", route=None))) == ["administrations[0].route"]
    assert asked(check(dose("a", "10:00", "10:05"))) == []


@pytest.mark.parametrize(("route", "category"), [("SC", "therapeutic"), ("IA", "chemotherapy")])
def test_the_stop_of_an_infusion_on_another_route_is_asked_for(route: str, category: str) -> None:
    facts = {"route": route, "method": "infusion", "category": category}
    assert asked(check(dose("a", "10:00", None, **facts))) == ["administrations[0].stop"]


def test_blood_is_no_answer_about_a_drug_in_a_bag_with_another() -> None:
    unknown = drip("m", "10:00", "11:00", category=None)
    alone = {answer.when.value for answer in question(check(unknown), CLASS).answers}  # type: ignore[union-attr]
    bag = check(drip("a", "10:00", "11:00"), {**unknown, "mixed_with": "a"})
    mixed = {a.when.value for a in question(bag, CLASS.replace("0", "1")).answers}  # type: ignore[union-attr]
    assert alone - mixed == {"blood"} and not mixed - alone


def test_a_stated_stop_is_not_asked_for() -> None:
    assert asked(check(drip("a", "10:00", "11:00"))) == []
    assert asked(check(drip("a", None, None, minutes=60))) == []
    assert asked(check(push("a", "10:00"))) == []


def test_a_stop_is_asked_for_where_the_minutes_computed_for_want_of_it_earn_nothing() -> None:
    slow = fluid("f", "10:00", volume_ml=100, rate_ml_per_hour=300, purpose="hydration")
    opened = check(slow)
    assert billed(opened) == [] and asked(opened) == ["administrations[0].stop"]


def test_attendance_is_asked_for_where_a_long_push_as_an_infusion_beside_two_earns_nothing() -> (
    None
):
    drips = [drip("a", "10:00", "12:00"), drip("b", "10:00", "11:00")]
    opened = check(*drips, push("p", "10:00", "10:20"))
    assert answers(opened, "administrations[2].continuously_attended") == {
        True: [("96365", 1), ("96366", 1), ("96375", 1), ("96368", 1)],
        False: [("96365", 1), ("96366", 1), ("96368", 1)],
    }


def test_a_third_drip_at_once_that_would_lead_if_it_were_named_is_asked_about() -> None:
    chart = [
        drip("a", "08:00", "09:31"),
        drip("b", "08:00", "09:31"),
        drip("c", "09:16", "17:16"),
        drip("d", "09:16", "09:32"),
    ]
    opened = check(*chart, setting="professional")
    assert dict(billed(opened)) == {"96365": 1, "96366": 8, "96367": 1, "96368": 1}
    by_answer = answers(opened, "primary_administration")
    assert dict(by_answer["d"]) == {"96365": 1, "96367": 1, "96366": 1, "96368": 1}
    assert set(by_answer) == {"a", "b", "c", "d"}


def test_the_class_of_a_drug_is_asked_for_where_it_is_a_third_infusion_at_once() -> None:
    drips = [drip("a", "10:00", "12:00"), drip("b", "10:00", "11:00")]
    unknown = drip("u", "10:00", "10:30", drug="house blend", category=None)
    opened = check(*drips, unknown)
    assert billed(opened) == [("96365", 1), ("96366", 1), ("96368", 1)]
    chemo = [("96413", 1), ("96368", 1)]
    assert answers(opened, "administrations[2].category")["chemotherapy"] == chemo


@pytest.mark.parametrize("source", ["ordered", "defaulted"])
def test_times_that_nobody_charted_are_asked_about(source: str) -> None:
    opened = check(drip("a", "10:00", "11:00", times_from=source))
    assert answers(opened, "administrations[0].times_from")["charted"] == [("96365", 1)]


# Whether an antineoplastic is a hormone


def test_of_an_injected_antineoplastic_that_no_table_holds_it_is_asked_whether_it_is_a_hormone() -> (
    None
):
    chemo = {"route": "SC", "method": "injection", "category": "chemotherapy"}
    opened = check(dose("a", "10:00", None, drug="zzyzx", **chemo))
    assert answers(opened, "administrations[0].hormonal") == {
        True: [("96402", 1)],
        False: [("96401", 1)],
    }
    assert asked(check(dose("a", "10:00", None, drug="zzyzx", hormonal=False, **chemo))) == []
    assert asked(check(dose("a", "10:00", None, drug="leuprolide", **chemo))) == []


# Whether a long push was attended

ATTENDED = "administrations[0].continuously_attended"


@pytest.mark.parametrize("stop", ["10:16", "10:25", "11:31"])
@pytest.mark.parametrize("method", ["push", "injection"])
def test_a_long_push_is_asked_whether_it_was_attended(stop: str, method: str) -> None:
    # A drug of the table: about one that no table holds, more might be open than this.
    opened = check(push("a", "10:00", stop, method=method, drug="ondansetron"))
    assert asked(opened) == [ATTENDED]
    attended, unattended = answers(opened, ATTENDED).values()
    assert attended == [("96374", 1)]
    assert unattended == billed(opened)
    assert unattended[0] == ("96365", 1)


@pytest.mark.parametrize(
    "administration",
    [
        push("a", "10:00", "10:15"),
        push("a", "10:00", "10:25", continuously_attended=True),
        push("a", "10:00", "10:25", continuously_attended=False),
        drip("a", "10:00", "10:25"),
        fluid("a", "10:00", "10:45", method="push"),
        dose("a", "10:00", "10:25", method="injection", route="SC"),
    ],
    ids=["short", "attended", "unattended", "infused", "hydration", "under the skin"],
)
def test_no_other_push_is_asked_whether_it_was_attended(administration: dict[str, Any]) -> None:
    assert ATTENDED not in asked(check(administration))


def test_attendance_is_not_asked_where_the_policy_makes_every_long_push_an_infusion() -> None:
    long_push = push("a", "10:00", "10:25")
    assert asked(check(long_push, policies={"long_push": "infusion"})) == []
    assert asked(check(long_push, policies={"long_push": "warn"})) == [ATTENDED]


# Which site, and for what need

FIRST = drip("a", "10:00", "11:00")
SECOND = drip("b", "10:00", "11:00", site=RIGHT)
NEEDED = {**SECOND, **NEED}


def test_the_need_of_a_second_site_is_asked_once() -> None:
    third = push("c", "11:05", site=RIGHT)
    need = "administrations[1].separate_site_reason"
    assert asked(check(FIRST, SECOND, third)) == [need]
    assert sorted(answers(check(FIRST, SECOND), need).values()) == [
        [("96365", 1), ("96365-XS", 1)],
        [("96365", 1), ("96368", 1)],
    ]


@pytest.mark.parametrize("reason", ["incompatible drugs", "convenience of the nurse"])
def test_a_stated_need_is_not_asked_for(reason: str) -> None:
    assert asked(check(FIRST, {**SECOND, "separate_site_reason": reason})) == []


def test_an_unnamed_access_is_asked_for_where_there_are_two() -> None:
    unnamed = push("c", "11:05", site=None)
    opened = check(FIRST, NEEDED, unnamed)
    assert asked(opened) == ["administrations[2].site"]
    assert answers(opened, "administrations[2].site") == {
        "left arm": [("96365", 1), ("96375", 1), ("96365-XS", 1)],
        RIGHT: [("96365", 1), ("96365-XS", 1), ("96375-XS", 1)],
    }


@pytest.mark.parametrize(
    "administration",
    [
        push("c", "11:05"),
        push("c", "11:05", site=RIGHT),
        push("c", "11:05", site=None, purpose="flush"),
        dose("c", "11:05", None, route="IM", site=None),
    ],
    ids=["first site", "second site", "earns nothing", "no vein"],
)
def test_a_site_that_is_named_or_decides_nothing_is_not_asked_for(
    administration: dict[str, Any],
) -> None:
    assert asked(check(FIRST, NEEDED, administration)) == []


def test_the_site_is_not_asked_for_where_there_is_one() -> None:
    assert asked(check(FIRST, push("c", "11:05", site=None))) == []


# Facts of the whole encounter

BIOLOGIC = {"category": "complex_biologic"}
DURING = {"start": "2026-03-02T10:00", "stop": "2026-03-02T11:00", **BIOLOGIC}


def test_complexity_is_asked_for_where_it_decides() -> None:
    opened = check(drip("a", "10:00", "11:00", **BIOLOGIC))
    assert answers(opened, "complexity_documented") == {
        True: [("96413", 1)],
        False: [("96365", 1)],
    }
    assert asked(check(drip("a", "10:00", "11:00", **BIOLOGIC), complexity_documented=True)) == []
    listed = {"complex_biologic_mode": "always_simple"}
    assert asked(check(drip("a", "10:00", "11:00", **BIOLOGIC), policies=listed)) == []


def test_complexity_is_not_asked_for_where_both_answers_bill_the_same() -> None:
    """A biologic in the bag of chemotherapy: the bag is chemotherapy whatever the biologic is."""
    chemo = drip("a", "10:00", "11:00", category="chemotherapy")
    assert asked(check(chemo, drip("b", "10:00", "11:00", mixed_with="a", **BIOLOGIC))) == []


def test_complexity_of_an_injected_biologic_is_asked_for_where_the_claim_says_so() -> None:
    shot = dose("a", "10:00", None, drug="Ilaris", category=None, route="SC", method="injection")
    plain, complex_ = line(1, "96372"), line(1, "96401")
    assert asked(check(shot)) == asked(check(shot, lines=[plain])) == []
    opened = check(shot, lines=[complex_])
    assert answers(opened, "complexity_documented") == {True: [("96401", 1)], False: [("96372", 1)]}
    assert billed(opened) == [("96372", 1)] and opened.errors == ()
    for shown, right in ((True, complex_), (False, plain)):
        result = check(shot, lines=[right], complexity_documented=shown)
        assert billed(result) == [(right["code"], 1)] and result.errors == ()
    assert check(shot, lines=[complex_], complexity_documented=False).errors


ASKING = {"ask_supervision": True}


def test_presence_is_asked_for_where_it_decides() -> None:
    opened = check(push("a", "10:00"), policies=ASKING, **OFFICE)
    assert answers(opened, "supervision.provider_present") == {True: [("96374", 1)], False: []}
    assert asked(check(push("a", "10:00"), **OFFICE)) == []


def test_presence_is_not_asked_for_where_both_answers_bill_the_same() -> None:
    swallowed = dose("a", "10:00", None, route="PO")
    assert asked(check(swallowed, policies=ASKING, **OFFICE)) == []
    assert asked(check(push("a", "10:00"), policies=ASKING)) == []


def test_the_primary_reason_is_not_asked_for_where_both_answers_bill_the_same() -> None:
    pushes = [push("a", "10:00"), push("b", "10:05")]
    assert asked(check(*pushes, **OFFICE)) == []
    assert asked(check(FIRST, push("b", "11:05"), **OFFICE)) == ["primary_administration"]


def test_whose_pump_goes_home_is_asked_where_the_practices_is_billed() -> None:
    facts: dict[str, Any] = {"category": "chemotherapy", "device": "ambulatory_pump"}
    claim = {"lines": [line(1, "G0498")], **OFFICE}
    owner = "administrations[0].pump_supplied_by"
    bag = drip("a", "10:00", "20:00", drug="fluorouracil", **facts)
    assert answers(check(bag, **claim), owner)["practice"] == [("G0498", 1)]
    assert asked(check({**bag, "pump_supplied_by": "supplier"}, **claim)) == []
    assert asked(check(bag, **OFFICE)) == []


def test_a_payer_of_no_pack_is_asked_which_side_it_takes_where_that_decides() -> None:
    chart = [drip("a", "08:00", "09:00"), drip("b", "16:00", "17:00", drug="drug a")]
    opened = check(*chart, payer="a payer of no pack")
    by_side = answers(opened, "policy.repeat_same_drug_infusion")
    assert by_side["continue_time"] == [("96365", 1), ("96366", 1)] == billed(opened)
    assert by_side["sequential_96367"] == [("96365", 1), ("96367", 1)]
    assert asked(check(*chart)) == asked(check(*chart, payer="medicare")) == []


def test_a_long_chart_is_asked_about_until_its_tries_are_used_up() -> None:
    """Each of many missing stops would have the whole chart coded again for every length."""
    chart = [dose(f"i{n}", "09:00", None, route="IM", drug="ketorolac") for n in range(120)]
    opened = check(*chart, *(drip(f"d{n}", f"1{n}:00") for n in range(8)))
    assert 0 < len(opened.questions) < 8
    assert "IVP912" in [each.rule for each in opened.violations]  # it says that more is open


def test_a_chart_whose_search_ends_before_any_question_is_not_clean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of thousands of doses, which are coded again too seldom to settle one."""
    assert asked(check(push("a", "10:00", category=None))) == ["administrations[0].category"]
    monkeypatch.setattr("ivpush.coding.questions.most_tries", lambda _: 3)
    opened = check(push("a", "10:00", category=None))
    assert (asked(opened), opened.status) == ([], "needs_chart")
    assert "IVP912" in [each.rule for each in opened.violations]


OPEN_VISITS: dict[str, Callable[[], Result]] = {
    "stop": lambda: check(drip("a", "10:00"), push("b", "12:00")),
    "category": lambda: check(push("a", "10:00", category=None)),
    "route": lambda: check(dose("a", "10:00", None, route=None)),
    "attended": lambda: check(push("a", "10:00", "10:25"), push("b", "12:00")),
    "source": lambda: check(drip("a", "10:00", "11:00", times_from="ordered")),
    "sites": lambda: check(FIRST, SECOND, push("c", "11:05", site=None)),
    "complexity": lambda: check(drip("a", "10:00", "11:00", **BIOLOGIC), push("b", "12:00")),
    "presence": lambda: check(push("a", "10:00"), policies=ASKING, **OFFICE),
    "primary": lambda: check(FIRST, push("b", "11:05"), **OFFICE),
}


def as_billed(lines: tuple[SuggestedLine, ...]) -> set[tuple[Any, ...]]:
    """Lines without their reasons."""
    return {(line.code, line.units, line.modifiers, line.date) for line in lines}


@pytest.mark.parametrize("visit", OPEN_VISITS.values(), ids=OPEN_VISITS)
def test_each_question_has_two_answers_that_bill_differently(
    visit: Callable[[], Result],
) -> None:
    opened = visit()
    assert opened.questions
    for about in opened.questions:
        bills = [as_billed(answer.suggested) for answer in about.answers]
        assert any(bill != bills[0] for bill in bills), about.missing


def test_a_drug_that_nobody_named_is_asked_for_and_the_claim_is_not_clean() -> None:
    unnamed = push("a", "10:00", drug=None, category=None)
    result = check(unnamed, lines=[line(1, "96374")])
    assert asked(result) == ["administrations[0].category"]
    assert result.status == "needs_chart"
    assert asked(check(push("a", "10:00", drug=None))) == []


def test_by_mouth_no_class_is_asked_for() -> None:
    assert asked(check(dose("a", "10:00", None, route="PO", drug=None, category=None))) == []


# What surely decides nothing is not tried


def searched(*chart: dict[str, Any], policies: dict[str, Any] | None = None, **facts: Any) -> Asked:
    """What is open in a visit, and how often it was coded again to learn that."""
    encounter = visit(*chart, **facts)
    book = PACK.book(encounter.service_date, policies=policies)
    return questions_of(code_chart(encounter, book), book)


LONG_PUSH = push("a", "10:00", "10:30")
CHEMO: dict[str, Any] = {"category": "chemotherapy"}
HOME = {"device": "ambulatory_pump", **CHEMO}
TWO_SITES = [drip("a", "10:00", "11:00"), drip("b", "10:00", "11:00", site=RIGHT)]


@pytest.mark.parametrize(
    ("chart", "facts"),
    [
        pytest.param([], {}, id="nothing-given"),
        pytest.param([push("a", "10:00", "10:15")], {}, id="a-short-push-needs-nobody"),
        pytest.param([drip("a", "10:00", "11:00")], {}, id="a-drip-needs-nobody"),
        pytest.param([drip("a", minutes=60)], {}, id="minutes-are-stated"),
        pytest.param([{**LONG_PUSH, "continuously_attended": False}], {}, id="nobody-stayed"),
        pytest.param([{**LONG_PUSH, "continuously_attended": True}], {}, id="somebody-stayed"),
        pytest.param([{**LONG_PUSH, "category": "hydration"}], {}, id="no-push-of-fluid"),
        pytest.param([{**LONG_PUSH, "route": "IM"}], {}, id="no-minutes-in-a-muscle"),
        pytest.param(
            [LONG_PUSH], {"policies": {"long_push": "infusion"}}, id="the-policy-asks-for-nobody"
        ),
        pytest.param([drip("a", "08:00", "20:00", **HOME)], {}, id="no-home-pump-is-billed"),
        pytest.param(
            [drip("a", "08:00", "20:00", pump_supplied_by="supplier", **HOME)],
            {"lines": [line(1, "G0498")]},
            id="whose-pump-is-stated",
        ),
        pytest.param(
            [drip("a", "08:00", "09:00", **CHEMO)],
            {"lines": [line(1, "G0498")]},
            id="no-pump-ran",
        ),
        pytest.param([drip("a", "10:00", "11:00")], OFFICE, id="one-service-leads-anyway"),
        pytest.param(
            [drip("a", "10:00", "11:00"), push("b", "11:00")], {}, id="a-hospital-has-no-reason"
        ),
        pytest.param(
            [drip("a", "10:00", "11:00"), push("b", "11:00")],
            {"primary_administration": "a", **OFFICE},
            id="the-reason-is-named",
        ),
        pytest.param(
            [push("a", "10:00")],
            {
                "supervision": {"provider_present": True},
                "policies": {"ask_supervision": True},
                **OFFICE,
            },
            id="presence-is-stated",
        ),
        pytest.param([push("a", "10:00")], OFFICE, id="no-policy-asks-for-presence"),
        pytest.param(
            [drip("a", "10:00", "11:00", category="complex_biologic")],
            {"complexity_documented": True},
            id="complexity-is-stated",
        ),
        pytest.param(
            [dose("a", "10:00", None, category="complex_biologic", route="PO")],
            {},
            id="what-earns-nothing-is-not-complex",
        ),
        pytest.param(
            [TWO_SITES[0], {**TWO_SITES[1], **NEED}], {}, id="the-need-of-a-site-is-stated"
        ),
        pytest.param(
            [
                TWO_SITES[0],
                {**TWO_SITES[1], **NEED},
                dose("c", "10:00", None, route="IM", site=None),
            ],
            {},
            id="a-shot-has-no-access",
        ),
        pytest.param(
            [dose("a", "10:00", None, route="PO", category=None)], {}, id="no-class-by-mouth"
        ),
        pytest.param(
            [drip("a", "10:00", "10:10", stopped_early="reaction")],
            {"policies": {"infusion_stopped_early": "by_minutes"}},
            id="the-policy-is-set",
        ),
        pytest.param(
            [drip("a", "10:00", "10:10", route="PO", stopped_early="reaction")],
            {},
            id="what-stopped-earns-nothing",
        ),
        pytest.param([drip("a", "10:00", "10:10")], {}, id="nothing-stopped"),
    ],
)
def test_what_surely_decides_nothing_is_not_tried(
    chart: list[dict[str, Any]], facts: dict[str, Any]
) -> None:
    assert searched(*chart, **facts) == Asked()


def test_each_answer_that_is_put_to_the_test_is_one_try() -> None:
    assert searched(*TWO_SITES).tries == 2
    assert searched(push("a", "10:00", "10:30"), push("b", "12:00")).tries == 2
    assert searched(dose("a", "10:00", None, route=None)).tries == len(get_args(Route))


def test_a_bag_is_tried_by_the_drug_that_stands_for_it_alone() -> None:
    alone = searched(drip("a", "10:00"))
    bag = searched(drip("a", "10:00"), drip("b", "10:00", mixed_with="a"))
    assert alone.tries == bag.tries > 0
    assert [each.missing for each in bag.questions] == ["administrations[0].stop"]


def test_one_access_is_asked_about_once_though_much_ran_through_it() -> None:
    more = drip("c", "11:00", "12:00", site=RIGHT)
    assert searched(*TWO_SITES, more).tries == 2


def test_no_more_is_tried_than_may_be_spent_and_nothing_is_kept_of_half_a_question() -> None:
    encounter = visit(*TWO_SITES, drip("c", "12:00"))
    book = PACK.book(encounter.service_date)
    coded = code_chart(encounter, book)
    whole = questions_of(coded, book)
    assert not whole.cut
    for most in range(whole.tries):
        part = questions_of(coded, book, most=most)
        assert part.cut and part.tries <= most
        assert part.questions == whole.questions[: len(part.questions)]
    assert questions_of(coded, book, most=whole.tries) == whole
    assert questions_of(coded, book, most=10**6) == whole


def test_more_than_a_dozen_questions_are_cut() -> None:
    unknown = [push(f"p{n}", f"10:{n:02}", drug=f"blend {n}", category=None) for n in range(13)]
    assert not searched(*unknown[:11]).cut
    many = searched(*unknown)
    assert many.cut and len(many.questions) == 12


def test_what_a_policy_says_meanwhile_is_settled_and_no_claim_rests_on_it() -> None:
    settled = {"missing_stop_time": "deny"}
    asked_of = searched(drip("a", "10:00"), policies=settled)
    assert asked_of.settled == {"administrations[0].stop"} and asked_of.open == ()
    fluid_too = searched(fluid("f", "10:00"), policies=settled)
    assert fluid_too.settled == frozenset() and len(fluid_too.open) == 1


def test_the_drugs_that_a_name_may_mean_come_first_and_are_told() -> None:
    opened = check(push("a", "10:00", drug="rituximab or vincristine", category=None))
    unheard = check(push("a", "10:00", drug="zzyzx blend", category=None))
    unnamed = check(push("a", "10:00", drug=None, category=None))
    asks = [question(each, CLASS).ask for each in (unheard, unnamed)]
    assert asks[0] != asks[1]
    assert question(opened, CLASS).answers
