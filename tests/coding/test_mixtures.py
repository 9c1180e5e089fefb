"""Drugs in one bag or syringe: one service, with what any row says of the bag."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from ivpush import Administration
from ivpush.coding.mixtures import mixtures
from tests.visits import billed, check, drip, fluid, push, reasons


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
