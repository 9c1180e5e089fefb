"""Why a code was not suggested: a condition that fails wherever it is not, and none where it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivpush import Encounter, Engine, UsageError
from ivpush.writers.why_not import WhyNot, why_not, why_not_page
from tests.properties.charts import encounters
from tests.shipped import PACK
from tests.visits import drip, fluid, push, visit

ENGINE = Engine(pack=PACK)
CODES = sorted(code for code, row in PACK.codes.items() if row.administration)


def fails(encounter: Encounter, code: str, engine: Engine = ENGINE) -> tuple[str, bool | None]:
    """The condition that fails where the code comes nearest."""
    answer = why_not(engine, encounter, code)
    assert not answer.units
    failed = [each for each in answer.conditions if not each.holds]
    last = failed[0] if failed else answer.administrations[0].conditions[-1]
    return last.name, last.holds


@settings(max_examples=50)
@given(encounters(), st.sampled_from(CODES))
def test_an_administration_fits_exactly_where_its_line_is_suggested(
    encounter: Encounter, code: str
) -> None:
    answer, result = why_not(ENGINE, encounter, code), ENGINE.check(encounter)
    lines = [line for line in result.suggested if line.code == code]
    assert answer.units == sum(line.units for line in lines)
    stands = {each for line in lines for each in line.administrations}
    assert {each.administration for each in answer.administrations if each.fits} == stands
    assert stands or not all(each.holds for each in answer.conditions) or answer.administrations
    for candidate in answer.administrations:
        # It ends with what fails, and all before it holds.
        assert all(each.holds for each in candidate.conditions[:-1])
    assert why_not_page(answer).startswith(f"# {encounter.id}: {code}, ")


@pytest.mark.parametrize(("minutes", "gap"), [(29, "gap"), (30, "gap"), (31, None)])
def test_a_repeat_push_fails_by_its_gap(minutes: int, gap: str | None) -> None:
    again = push("b", f"10:{minutes}", drug="ondansetron")
    encounter = visit(push("a", "10:00", drug="ondansetron"), again)
    if gap is None:
        assert why_not(ENGINE, encounter, "96376").units == 1
        return
    assert fails(encounter, "96376") == ("gap", False)
    (candidate, *_) = why_not(ENGINE, encounter, "96376").administrations
    assert candidate.administration == "b"
    assert f"{minutes} minutes" in candidate.conditions[-1].fact
    assert "31 minutes" in candidate.conditions[-1].asks


@pytest.mark.parametrize(
    ("doses", "more", "code", "failed"),
    [
        ([push("a", "10:00", drug="ondansetron")], {}, "96376", ("same drug", False)),
        ([push("a", "10:00", drug="ondansetron")], {}, "96375", ("another leads", False)),
        ([push("a", "10:00", drug="ondansetron")], {}, "96365", ("technique", False)),
        ([push("a", "10:00", drug="ondansetron")], {}, "96409", ("family", False)),
        ([push("a", "10:00", drug="ondansetron")], {}, "90774", ("valid", False)),
        ([push("a", "10:00", drug="ondansetron")], {}, "99213", ("administration", False)),
        (
            [push("a", "10:00", drug="ondansetron")],
            {"setting": "professional"},
            "96376",
            ("setting", False),
        ),
        (
            [push("a", "10:00", drug="ondansetron", purpose="flush")],
            {},
            "96374",
            ("billable", False),
        ),
        ([], {}, "96374", ("chart", False)),
        ([drip("a", "10:00", "10:40", drug="ceftriaxone")], {}, "96366", ("hours", False)),
        ([drip("a", "10:00", "11:30", drug="ceftriaxone")], {}, "96366", ("hours", False)),
        ([drip("a", "10:00", None, drug="ceftriaxone")], {}, "96365", ("technique", None)),
        ([fluid("a", "10:00", "10:30")], {}, "96360", ("beside the rest", False)),
        (
            [
                push("a", "10:00", drug="ondansetron"),
                drip("b", "10:00", "11:00", drug="ceftriaxone"),
            ],
            {},
            "96374",
            ("initial", False),
        ),
        (
            [
                drip("a", "10:00", "11:00", drug="ceftriaxone"),
                drip("b", "11:00", "12:00", drug="vancomycin"),
            ],
            {},
            "96368",
            ("together", False),
        ),
    ],
)
def test_the_condition_that_fails_is_named(
    doses: list[Any], more: dict[str, Any], code: str, failed: tuple[str, bool | None]
) -> None:
    assert fails(visit(*doses, **more), code) == failed


def test_rules_say_what_a_line_would_bring() -> None:
    answer = why_not(ENGINE, visit(push("a", "10:00", drug="ondansetron")), "96375")
    assert answer.if_billed and {each.line for each in answer.if_billed} == {1}
    assert "## If it were billed" in why_not_page(answer)


def test_the_policy_in_force_is_the_one_told() -> None:
    engine = Engine(pack=PACK, policies={"same_drug_push_gap_minutes": 45})
    doses = [push("a", "10:00", drug="ondansetron"), push("b", "10:40", drug="ondansetron")]
    assert why_not(ENGINE, visit(*doses), "96376").units == 1
    answer = why_not(engine, visit(*doses), "96376")
    last = answer.administrations[0].conditions[-1]
    assert last.decided_by == "policy same_drug_push_gap_minutes=45"


def test_a_code_of_no_pack_is_refused() -> None:
    with pytest.raises(UsageError, match="is none of this pack"):
        why_not(ENGINE, visit(), "99999")


def test_what_the_chart_says_in_its_own_words_is_not_repeated() -> None:
    dose = push("a", "10:00", drug="Jane Doe's own drug")
    answer: WhyNot = why_not(ENGINE, visit(dose), "96365")
    assert "Jane" not in why_not_page(answer)
