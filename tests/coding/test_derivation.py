"""From a chart to services: nothing gets lost, and what is denied is denied as a whole."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from ivpush import Engine, Pack
from ivpush.coding.derivation import Derived
from ivpush.pack.folder import rules_folder
from tests.shipped import ENGINE
from tests.visits import billed, check, dose, drip, fluid, line, push, reasons, visit, work

CHART = [
    drip("a", "10:00", "11:31"),
    drip("b", "10:00", "11:31", mixed_with="a"),
    push("c", "09:55"),
    push("d", "10:05", drug="drug c"),
    fluid("f", "11:35", "12:00"),
    dose("i", "12:05", None, route="IM"),
    dose("p", "12:10", None, route="PO"),
]


def test_every_administration_stands_in_a_line_or_has_a_reason() -> None:
    result = check(*CHART)
    in_lines = {key for line in result.suggested for key in line.administrations}
    assert in_lines == {"a", "b", "c", "i"}
    assert set(reasons(result)) == {"d", "f", "p"}


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (2, 0, 6, 4, 1, 3, 5)]
)
def test_the_order_of_a_chart_changes_nothing(order: tuple[int, ...]) -> None:
    shuffled = [CHART[index] for index in order]
    assert sorted(billed(check(*shuffled))) == sorted(billed(check(*CHART)))


def test_a_drug_follows_what_becomes_of_its_mixture() -> None:
    """The bag runs beside another that has the encounter's one concurrent infusion."""
    bags = [
        drip("a", "10:00", "12:00"),
        drip("b", "10:00", "11:00"),
        drip("c", "11:00", "12:00"),
        drip("d", "11:00", "12:00", mixed_with="c"),
    ]
    why = reasons(check(*bags))
    assert set(why) == {"c", "d"}
    assert why["c"].removeprefix("c") == why["d"].removeprefix("d")


def test_what_is_denied_as_a_whole_keeps_its_services_out() -> None:
    denied = work(*CHART, setting="professional", place_of_service="22")
    assert denied.derived.services == []
    assert len(reasons(denied.result)) == len(CHART)


ENDED = ("96369", "96375", "96376", "96411", "96367")
"""Codes that the copy of the pack lets end with a year, as CPT deletes codes."""


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    rules = tmp_path_factory.mktemp("later") / "rules"
    shutil.copytree(rules_folder(), rules)
    text = (rules / "codes.yaml").read_text("utf-8")
    for code in ENDED:
        row = re.compile(rf'(- code: "{code}".*?in_force: {{from: [\d-]+)', re.DOTALL)
        text, ended = row.subn(r"\1, to: 2025-12-31", text, count=1)
        assert ended == 1
    (rules / "codes.yaml").write_text(text, "utf-8")
    return Engine(pack=Pack.load(rules))


@pytest.mark.parametrize(
    ("chart", "codes"),
    [
        ([push("a", "10:00"), push("b", "10:10")], ["96374"]),
        ([push("a", "10:00"), push("b", "11:00", drug="drug a")], ["96374"]),
        ([drip("a", "10:00", "11:00"), drip("b", "11:00", "12:00")], ["96365"]),
        ([dose("a", "10:00", "11:00", route="SC"), push("b", "12:00")], ["96374"]),
    ],
    ids=["a further push", "a repeat push", "a further drip", "under the skin"],
)
def test_what_a_deleted_code_billed_earns_nothing_from_that_day_on_and_says_so(
    later: Engine, chart: list[dict[str, Any]], codes: list[str]
) -> None:
    result = later.check(visit(*chart))
    assert [code for code, _ in billed(result)] == codes
    (reason,) = reasons(result).values()
    assert "no code" in reason


OFFICE: dict[str, Any] = {"setting": "professional"}
APART = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
CHEMO = drip("a", "10:00", "11:00", category="chemotherapy")


@pytest.mark.parametrize(
    ("charted", "visit", "codes", "decided"),
    [
        ([push("a", "10:00"), drip("b", "11:00", "12:00")], {}, ["96365", "96375"], "hierarchy"),
        # A hospital's initial goes by the hierarchy, whatever is named.
        (
            [push("a", "10:00"), drip("b", "11:00", "12:00")],
            {"primary_administration": "a"},
            ["96365", "96375"],
            "hierarchy",
        ),
        (
            [push("a", "10:00"), drip("b", "11:00", "12:00")],
            {"primary_administration": "a", **OFFICE},
            ["96374", "96367"],
            "primary_reason",
        ),
        # Of a bag any drug that is named leads with the whole of it.
        (
            [push("c", "09:00"), drip("a", "10:00", "11:00"), drip("b", mixed_with="a")],
            {"primary_administration": "b", **OFFICE},
            ["96365", "96375"],
            "primary_reason",
        ),
        # A further chemotherapy drip hangs on the first one only, so that the wish fails.
        (
            [CHEMO, push("b", "11:00")],
            {"primary_administration": "b", **OFFICE},
            ["96413", "96375"],
            "fallback",
        ),
        (
            [push("a", "10:00"), drip("b", "11:00", "12:00")],
            {"policies": {"professional_missing_primary_reason": "first_given"}},
            ["96365", "96375"],
            "hierarchy",
        ),
        # Of a first access that earns nothing nothing was decided.
        ([fluid("f", "09:00", "09:20"), push("a", "10:00", **APART)], {}, ["96374"], "hierarchy"),
        ([dose("a", "10:00", None, route="IM")], {}, ["96372"], None),
        ([fluid("f", "10:00", "10:20")], {}, [], None),
    ],
)
def test_what_decides_the_initial_service(
    charted: list[dict[str, Any]], visit: dict[str, Any], codes: list[str], decided: str | None
) -> None:
    worked = work(*charted, **visit)
    assert [code for code, _ in billed(worked.result)] == codes
    assert worked.derived.initial_by == decided


def test_a_wish_that_failed_is_told_whatever_the_first_chain_says() -> None:
    """The second access has a wish that cannot lead; the first knows of none."""
    charted = [push("z", "09:00"), {**CHEMO, **APART}, push("b", "11:00", **APART)]
    derived = work(*charted, primary_administration="b", **OFFICE).derived
    assert [chain.initial_by for chain in derived.chains].count("fallback") == 1
    assert derived.initial_by == "fallback"


def test_drugs_of_one_bag_are_one_service() -> None:
    bag = [drip("a", "10:00", "11:31"), drip("b", "10:00", "11:31", mixed_with="a")]
    assert billed(check(*bag)) == [("96365", 1), ("96366", 1)]


@pytest.mark.parametrize("administrations", [[], None])
def test_of_no_chart_nothing_comes(administrations: list[Any] | None) -> None:
    derived = work().derived if administrations is not None else worked_without_chart()
    assert (derived.chains, derived.services, derived.undocumented_sites) == ([], [], 0)


def worked_without_chart() -> Derived:
    claim = visit(lines=[line(1, "96374")]).model_copy(update={"administrations": None})
    return ENGINE.work(claim).derived


def test_a_fluid_counts_no_minute_of_a_drip_beside_it() -> None:
    """Two hours of which a drug's drip takes the first; the other hour is one unit."""
    beside = drip("a", "10:00", "11:00")
    for more in ([], [fluid("g", "13:00", "13:20", site="right arm")]):
        both = check(fluid("f", "10:00", "12:00"), beside, *more)
        assert billed(both) == [("96365", 1), ("96361", 1)]
    alone = check(fluid("f", "10:00", "12:00"), fluid("g", "10:00", "10:30", site="right arm"))
    assert billed(alone) == [("96360", 1), ("96361", 1)]


def test_chains_are_numbered_on_from_encounter_to_encounter() -> None:
    first, second, third = (f"2026-03-{day:02}T10:00" for day in (2, 9, 16))
    charted = [push("a", first), push("b", second), push("c", second, **APART), push("d", third)]
    derived = work(*charted).derived
    assert [chain.index for chain in derived.chains] == [0, 1, 2, 3]
    assert [chain.part for chain in derived.chains] == [0, 1, 1, 2]
    assert [each.chain for each in derived.administrations] == [0, 1, 2, 3]
