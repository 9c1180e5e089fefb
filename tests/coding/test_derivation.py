"""From a chart to services: nothing gets lost, and what is denied is denied as a whole."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from ivpush import Engine, Pack
from ivpush.pack.folder import rules_folder
from tests.visits import billed, check, dose, drip, fluid, push, reasons, visit, work

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
