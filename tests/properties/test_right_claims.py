"""Claims that are right by construction raise no error; ``benchmarks.right_claims`` takes more."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from ivpush import Encounter, Result
from tests.properties.right_lines import RightClaim, false_alarms, right_claims, with_open_facts
from tests.properties.right_tables import DRUGS, OF_PROCEDURES, PRIMARIES, Drug
from tests.shipped import ENGINE

DATA = Path(__file__).resolve().parents[1] / "data"
CLAIMS = 300


@pytest.fixture(scope="module")
def checked() -> list[tuple[RightClaim, Result]]:
    return [
        (claim, ENGINE.check(Encounter.model_validate(claim.record)))
        for claim in right_claims(seed=14, count=CLAIMS)
    ]


def test_a_right_claim_raises_no_error(checked: list[tuple[RightClaim, Result]]) -> None:
    alarms = [alarm for claim, result in checked for alarm in false_alarms(claim, result)]
    assert alarms == []


def test_a_right_claim_raises_no_error_beside_a_chart_that_leaves_facts_open() -> None:
    alarms: list[tuple[str, str, int | None]] = []
    asked = 0
    for claim in right_claims(seed=15, count=CLAIMS // 2):
        result = ENGINE.check(Encounter.model_validate(with_open_facts(claim, seed=15)))
        asked += bool(result.questions)
        alarms += false_alarms(claim, result)
    assert asked > CLAIMS // 4
    assert alarms == []


def test_what_a_chart_earns_is_suggested(checked: list[tuple[RightClaim, Result]]) -> None:
    certain = [(claim, result) for claim, result in checked if claim.certain]
    assert len(certain) > CLAIMS // 2
    for claim, result in certain:
        suggested = Counter[str]()
        for line in result.suggested:
            suggested[line.code] += line.units
        assert suggested == claim.earned, claim.record["id"]


def test_the_claims_hold_what_real_ones_hold(checked: list[tuple[RightClaim, Result]]) -> None:
    records = [claim.record for claim, _ in checked]
    billed = Counter(line["code"] for record in records for line in record["lines"])
    assert {*PRIMARIES, "96360", "96365", "96368", "96374", "96402", "96413", "96416"} <= {*billed}
    assert {"96372", "96523", "99213", "99284", "74177", "12001", "J2405", "G0378"} <= {*billed}
    modifiers = Counter(m for r in records for line in r["lines"] for m in line["modifiers"])
    assert {"25", "59", "XS", "XE", "JW", "JZ"} <= {*modifiers}
    dates = [len({line["date"] for line in record["lines"]}) for record in records]
    assert {1, 2, 4} <= {*dates}
    assert {record["setting"] for record in records} == {"facility", "professional"}


@pytest.mark.parametrize("drug", [*DRUGS, *OF_PROCEDURES], ids=lambda drug: drug.code)
def test_billing_units_are_those_of_cms(drug: Drug) -> None:
    with (DATA / "drugs/cms.csv").open(encoding="utf-8", newline="") as rows:
        row = next(row for row in csv.DictReader(rows) if row["hcpcs"] == drug.code)
    words = (row["dosage"] or row["descriptor"].rpartition(", ")[2]).lower().split()
    amount, measure = words[-2:]
    assert (Decimal(amount), measure.replace("cc", "ml")) == (Decimal(drug.unit), drug.measure)


def test_primaries_are_those_of_the_cms_add_on_edits() -> None:
    listed: dict[str, set[str]] = {}
    with (DATA / "cms/addon_edits_2024-06.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            listed.setdefault(row["add_on_code"], set()).add(row["primary_code"])
    assert {code: listed[code] for code in PRIMARIES} == PRIMARIES
