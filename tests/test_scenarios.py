"""Published scenarios: every clear one is answered as its source prints it."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine
from ivpush.contract.result import Result
from tests.shipped import PACK

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = [
    json.loads(line)
    for line in (ROOT / "tests/data/scenarios/scenarios.ndjson").read_text("utf-8").splitlines()
]
FAMILY = re.compile(r"963[67]\d|964[0-4]\d|96450|9652[123]|96542|96549|G0498")
PAGE = (ROOT / "docs/scenarios.md").read_text("utf-8")
OTHER_CODES, OTHER_MODIFIERS = (
    set(re.findall(r"^\| ([ab]-[\w-]+) \|", part, re.M)) for part in PAGE.split("Two more agree")
)


@cache
def engine(policies: tuple[tuple[str, str], ...]) -> Engine:
    return Engine(pack=PACK, policies=dict(policies))


@cache
def checked(number: int) -> Result:
    scenario = SCENARIOS[number]
    under = engine(tuple(sorted(scenario["policies"].items())))
    return under.check(Encounter.model_validate(scenario["encounter"]))


def within(lines: Any, *, modifiers: bool) -> Counter[tuple[str, tuple[str, ...]]]:
    """Units of the family's lines by code, and by modifiers where they count."""
    units: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for line in lines:
        if FAMILY.fullmatch(line["code"]):
            key = tuple(sorted(line["modifiers"])) if modifiers else ()
            units[line["code"], key] += line["units"]
    return units


def suggested(result: Result) -> list[dict[str, Any]]:
    return [
        {"code": line.code, "units": line.units, "modifiers": line.modifiers}
        for line in result.suggested
    ]


def verdict(number: int) -> str:
    scenario, lines = SCENARIOS[number], suggested(checked(number))
    if within(lines, modifiers=False) != within(scenario["published"], modifiers=False):
        return "other codes"
    same = within(lines, modifiers=True) == within(scenario["published"], modifiers=True)
    return "as published" if same else "other modifiers"


@pytest.mark.parametrize(
    "number", range(len(SCENARIOS)), ids=[scenario["id"] for scenario in SCENARIOS]
)
def test_answered_as_published_or_listed(number: int) -> None:
    name = SCENARIOS[number]["id"]
    listed = "other codes" if name in OTHER_CODES else "as published"
    listed = "other modifiers" if name in OTHER_MODIFIERS else listed
    assert verdict(number) == listed


CLEAR = [number for number, scenario in enumerate(SCENARIOS) if "doubt" not in scenario]


@pytest.mark.parametrize("number", CLEAR, ids=[SCENARIOS[number]["id"] for number in CLEAR])
def test_a_published_answer_billed_with_its_chart_raises_no_error(number: int) -> None:
    scenario = SCENARIOS[number]
    answer = [{"number": n, **line} for n, line in enumerate(scenario["published"], 1)]
    record = {**scenario["encounter"], "lines": answer}
    under = engine(tuple(sorted(scenario["policies"].items())))
    result = under.check(Encounter.model_validate(record))
    assert [v for v in result.violations if v.severity == "error"] == []


def test_no_clear_scenario_is_listed_as_an_exception() -> None:
    clear = {scenario["id"] for scenario in SCENARIOS if "doubt" not in scenario}
    assert len(clear) == 89
    assert clear & (OTHER_CODES | OTHER_MODIFIERS) == set()


AUDITED = [
    number
    for number, scenario in enumerate(SCENARIOS)
    if scenario["kind"] == "audit" and within(scenario["billed"], modifiers=False)
]
CLEARLY_AUDITED = [number for number in AUDITED if number in CLEAR]


def units_billed(number: int, side: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """Units of the family that the source bills, or publishes, by code."""
    return within(SCENARIOS[number][side], modifiers=False)


def is_wrong(number: int) -> bool:
    return units_billed(number, "billed") != units_billed(number, "published")


def is_caught(number: int) -> bool:
    billed, published = units_billed(number, "billed"), units_billed(number, "published")
    lines = SCENARIOS[number]["encounter"]["lines"]
    numbers = {line["number"] for line in lines if FAMILY.fullmatch(line["code"])}
    # Where nothing billed is wrong and something is merely missing, a warning is the right answer.
    missing = billed != published and not billed - published
    loud = {"error", "warning"} if missing else {"error"}
    return any(
        violation.severity in loud and violation.line in {*numbers, None}
        for violation in checked(number).violations
    )


@pytest.mark.parametrize(
    "number", CLEARLY_AUDITED, ids=[SCENARIOS[number]["id"] for number in CLEARLY_AUDITED]
)
def test_a_wrong_claim_is_caught_and_a_right_one_left_alone(number: int) -> None:
    assert is_caught(number) == is_wrong(number)


def test_the_page_prints_the_figures_measured() -> None:
    verdicts = [verdict(number) for number in range(len(SCENARIOS))]
    codes = len(SCENARIOS) - verdicts.count("other codes")
    exact = verdicts.count("as published")
    wrong = [number for number in AUDITED if is_wrong(number)]
    right = [number for number in AUDITED if not is_wrong(number)]
    caught = sum(is_caught(number) for number in wrong)
    quiet = sum(not is_caught(number) for number in right)
    row = (
        f"| all {len(SCENARIOS)} | {codes} | {exact} "
        f"| {caught} of {len(wrong)} | {quiet} of {len(right)} |"
    )
    assert row in PAGE
