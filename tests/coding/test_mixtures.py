"""Drugs in one bag or syringe: one service, with what any row says of the bag."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from ivpush import Administration
from ivpush.coding.mixtures import (
    in_one_bag,
    leader_of,
    mixtures,
    with_times_of_bags,
    without_mates,
)
from tests.visits import DAY, billed, check, drip, fluid, push, reasons, work


def test_drugs_in_one_bag_are_one_infusion() -> None:
    bag = [drip("a", "10:00", "11:00"), drip("b", "10:00", "11:00", mixed_with="a")]
    mixed = check(*bag)
    assert billed(mixed) == [("96365", 1)]
    assert mixed.suggested[0].administrations == ("a", "b")


def test_the_drug_of_the_highest_rank_names_the_service_of_a_mixture() -> None:
    chemo = drip("b", "10:00", "11:00", mixed_with="a", category="chemotherapy")
    assert billed(check(drip("a", "10:00", "11:00"), chemo)) == [("96413", 1)]


@pytest.mark.parametrize(
    "bag",
    [
        {"stop": "11:31"},
        {"start": None, "minutes": 91},
        {"volume_ml": 1000, "rate_ml_per_hour": 655},
        {"stop": "11:31", "purpose": "drug_carrier"},
    ],
)
@pytest.mark.parametrize("named_by", ["drug", "fluid"])
def test_a_bag_whose_times_stand_on_its_fluid_is_one_infusion_of_the_drug(
    bag: dict[str, Any], named_by: str
) -> None:
    """domain: drugs mixed in one bag are one infusion, however the chart divides its rows."""
    links = {"drug": ({}, {"mixed_with": "f"}), "fluid": ({"mixed_with": "d"}, {})}[named_by]
    carrier = fluid("f", **{"start": "10:00", **bag}, **links[0])
    drug = drip("d", None, None, site=None, **links[1])
    result = check(carrier, drug)
    assert billed(result) == [("96365", 1), ("96366", 1)]
    # A length that only follows from a rate is still asked for, but once.
    assert len(result.questions) == ("rate_ml_per_hour" in bag)


def test_a_drug_added_to_a_running_bag_runs_from_then_on() -> None:
    bag = fluid("f", "10:00", "12:00")
    assert billed(check(bag, drip("d", "10:30", None, mixed_with="f"))) == [("96365", 1)]
    assert billed(check(bag, drip("d", "10:29", None, mixed_with="f")))[1:] == [("96366", 1)]


def test_what_was_seen_of_a_bag_beats_what_was_ordered_for_a_drug_in_it() -> None:
    ordered = drip("d", "10:00", "14:00", times_from="ordered", mixed_with="f")
    assert billed(check(fluid("f", "10:00", "11:00"), ordered)) == [("96365", 1)]


def test_a_missing_stop_of_a_bag_is_one_question() -> None:
    """An answer for one row is an answer for the bag."""
    result = check(drip("a", "10:00", None), drip("b", "10:00", None, mixed_with="a"))
    assert [question.missing for question in result.questions] == ["administrations[0].stop"]


def test_a_syringe_is_pushed_once() -> None:
    both = check(push("a", "10:00"), push("b", None, mixed_with="a"))
    assert billed(both) == [("96374", 1)]
    assert not any(reasons(both).values())


def test_what_clears_a_clot_is_one_declotting_whatever_class_its_parts_have() -> None:
    clot = {"purpose": "declotting"}
    solvent = push("b", "10:00", drug="saline flush", category="flush", mixed_with="a", **clot)
    result = check(push("a", "10:00", drug="alteplase", category=None, **clot), solvent)
    assert billed(result) == [("36593", 1)]
    assert result.suggested[0].administrations == ("a", "b")


def test_a_mixture_that_no_code_names_is_refused_as_a_whole() -> None:
    """No code is for a fluid in a muscle."""
    in_muscle = fluid("a", "10:00", "11:00", route="IM")
    result = check(in_muscle, {**in_muscle, "id": "b", "mixed_with": "a"})
    assert billed(result) == []
    assert reasons(result)["a"].removeprefix("a") == reasons(result)["b"].removeprefix("b")


@pytest.mark.parametrize("backwards", [True, False])
def test_a_bag_is_all_that_name_one_another_through_however_many_others(backwards: bool) -> None:
    names = [f"a{n}" for n in range(300)]
    links = dict(pairwise(reversed(names) if backwards else names))
    rows = [Administration(id=name, mixed_with=links.get(name)) for name in names]
    others = [Administration(id="x"), Administration(id="y", mixed_with="x")]
    alone = Administration(id="z")
    assert mixtures([*rows, alone, *others]) == [list(range(300)), [301, 302]]
    assert mixtures([alone]) == []


# What rows of a bag lack


def row(key: str, **facts: Any) -> Administration:
    """A row of a chart; a row named otherwise than ``a`` is mixed with that one."""
    mixed = {"mixed_with": "a"} if key != "a" else {}
    return Administration.model_validate({"id": key, **mixed, **facts})


def at(clock: str) -> str:
    return f"{DAY}T{clock}"


@pytest.mark.parametrize(
    ("stated", "lacking", "read"),
    [
        pytest.param({"site": "left arm"}, {}, {"site": "left arm"}, id="site"),
        pytest.param({"site": "left"}, {"site": "right"}, {"site": "right"}, id="own-site"),
        pytest.param({"start": at("10:00")}, {}, {"start": at("10:00")}, id="start"),
        pytest.param(
            {"start": at("10:00")}, {"start": at("10:30")}, {"start": at("10:30")}, id="own-start"
        ),
        pytest.param({"minutes": 40}, {}, {"minutes": 40}, id="minutes"),
        pytest.param({"minutes": 40}, {"minutes": 20}, {"minutes": 20}, id="own-minutes"),
        pytest.param(
            {"start": at("10:00"), "stop": at("11:00")},
            {"start": at("10:30")},
            {"start": at("10:30"), "stop": at("11:00")},
            id="added-later",
        ),
        pytest.param(
            {"start": at("10:00"), "stop": at("11:00"), "times_from": "charted"},
            {"start": at("10:30"), "stop": at("11:30"), "times_from": "ordered"},
            {"start": at("10:00"), "stop": at("11:00"), "times_from": "charted"},
            id="seen-beats-ordered",
        ),
        pytest.param(
            {"volume_ml": 500, "rate_ml_per_hour": 250},
            {"volume_ml": 100},
            {"volume_ml": 500, "rate_ml_per_hour": 250},
            id="volume-and-rate-of-one-row",
        ),
        pytest.param(
            {"volume_ml": 500, "rate_ml_per_hour": 250},
            {"rate_ml_per_hour": 100},
            {"volume_ml": 500, "rate_ml_per_hour": 250},
            id="a-rate-without-its-volume",
        ),
        pytest.param(
            {"volume_ml": 500, "rate_ml_per_hour": 250},
            {"volume_ml": 90, "rate_ml_per_hour": 90},
            {"volume_ml": 90, "rate_ml_per_hour": 90},
            id="own-volume-and-rate",
        ),
        pytest.param({"volume_ml": 500}, {}, {"volume_ml": None}, id="a-volume-alone-says-nothing"),
    ],
)
def test_a_row_reads_from_its_bag_what_it_lacks(
    stated: dict[str, Any], lacking: dict[str, Any], read: dict[str, Any]
) -> None:
    for order in (0, 1):
        rows = [row("a", **(stated, lacking)[order]), row("b", **(lacking, stated)[order])]
        filled = with_times_of_bags(rows)[1 - order]
        expected = row("ba"[order], **read)
        assert {name: getattr(filled, name) for name in read} == {
            name: getattr(expected, name) for name in read
        }


def test_a_row_of_no_bag_and_a_bag_that_says_nothing_stay_as_they_are() -> None:
    chart = [row("a"), row("b"), Administration(id="c", site="left arm")]
    assert all(read is given for read, given in zip(with_times_of_bags(chart), chart, strict=True))


# Who stands for a bag


CHEMO = {"category": "chemotherapy"}


def test_of_equal_rank_the_first_by_id_stands_for_the_bag_whatever_the_order_of_rows() -> None:
    bag = [drip("b", "10:00", "11:00"), drip("a", "10:00", "11:00", mixed_with="b")]
    assert check(*bag).suggested[0].administrations == ("a", "b")


def test_what_carries_a_drug_is_left_out_of_its_service() -> None:
    carrier = fluid("w", "10:00", "11:00", purpose="keep_open", mixed_with="a")
    result = check(drip("a", "10:00", "11:00"), carrier)
    assert result.suggested[0].administrations == ("a",)
    assert set(reasons(result)) == {"w"}


def test_each_act_of_giving_is_met_once_and_knows_its_bag_and_its_leader() -> None:
    bag = [drip("a", "10:00", "11:00"), drip("b", "10:00", "11:00", mixed_with="a", **CHEMO)]
    chart = work(*bag, push("c", "12:00")).derived.administrations
    assert [each.given.id for each in without_mates(chart)] == ["a", "c"]
    first, second, alone = chart
    assert in_one_bag(second, chart) == [first, second]
    assert in_one_bag(alone, chart) == [alone]
    assert [leader_of(name, chart) for name in ("a", "b", "c", "unheard of")] == [
        "b",
        "b",
        "c",
        "unheard of",
    ]


def test_a_bag_that_earns_nothing_has_no_leader() -> None:
    swallowed = [
        push("a", "10:00", route="PO"),
        push("b", "10:00", route="PO", mixed_with="a"),
    ]
    chart = work(*swallowed).derived.administrations
    assert leader_of("b", chart) == "b"
