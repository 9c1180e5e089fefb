"""Relations 9, 10, 12 and 60 to 63: batches, charges, returns, supervision, pairs, missing stops."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Result
from tests.properties.charts import (
    Dose,
    billed,
    chart,
    doses,
    drip,
    fluid,
    push,
    settings_drawn,
)
from tests.properties.test_structure import BOOK, claims
from tests.shipped import ENGINE, PACK


@settings(max_examples=15)
@given(st.lists(claims(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_09_and_10_what_stands_beside_an_encounter_changes_nothing_in_it(
    some: list[Encounter], rng: random.Random
) -> None:
    # With one of them a second time, anywhere.
    together = [*some, rng.choice(some)]
    rng.shuffle(together)
    alone = [Engine(pack=PACK).check(encounter) for encounter in together]
    assert list(ENGINE.check_many(together)) == alone


@settings(max_examples=30)
@given(claims(), st.lists(st.sampled_from((0.01, 35, 1e6)), min_size=9, max_size=9))
def test_12_charges_change_no_finding(encounter: Encounter, charges: list[float]) -> None:
    lines = [line.model_dump(mode="json") for line in encounter.lines or ()]
    priced = [{**line, "charge": charge} for line, charge in zip(lines, charges, strict=False)]
    record = {**encounter.model_dump(mode="json"), "lines": priced}
    plain, dear = ENGINE.check(encounter), ENGINE.check(Encounter.model_validate(record))
    assert (dear.suggested, dear.questions, dear.lines) == (
        plain.suggested,
        plain.questions,
        plain.lines,
    )
    # The mend of a finding holds the line as it was billed, with its charge.
    assert [replace(each, edit=None) for each in dear.violations] == [
        replace(each, edit=None) for each in plain.violations
    ]


def units(result: Result, marked: bool | None = None) -> Counter[str]:
    count: Counter[str] = Counter()
    for line in result.suggested:
        if marked is None or bool(line.modifiers) is marked:
            count[line.code] += line.units
    return count


def ends(plan: list[Dose]) -> int:
    return max((dose.offset or 0) + (dose.minutes or 0) for dose in plan)


@settings(max_examples=50)
@given(doses(4, kinds=("push", "drip"), least=2), st.integers(1, 3), settings_drawn)
def test_60_a_return_the_same_day_is_coded_on_its_own_and_one_of_both_is_marked(
    plan: list[Dose], cut: int, setting: str
) -> None:
    assume(cut < len(plan))
    first, later = plan[:cut], ends(plan[:cut]) + 30
    begins = plan[cut].offset or 0
    second = [
        dose.with_(offset=(dose.offset or 0) - begins + later, extra=(("visit", 2),))
        for dose in plan[cut:]
    ]
    assume(ends([*first, *second]) < 16 * 60)  # all on one day
    both = ENGINE.check(chart(*first, *second, setting=setting))
    alone = [units(ENGINE.check(chart(*part, setting=setting))) for part in (first, second)]
    # The concurrent service is one of the whole encounter.
    for code in ("96368",) if all(each["96368"] for each in alone) else ():
        assume(code not in units(both))
    assert {line.modifiers for line in both.suggested} <= {(), ("XE",)}
    assert units(both, marked=False) in alone and units(both, marked=True) in alone
    assert units(both) == alone[0] + alone[1]


LEVELS = ("none", "general", "direct", "personal")
MODES = ("audio_only", "audio_video", "in_person")
DATES = ("2019-06-03", "2020-06-01", "2025-12-31", "2026-01-02")


def of_supervision(date: str, setting: str, **supervision: str) -> set[str]:
    given = push("a", 0)
    encounter = chart(given, setting=setting, supervision=supervision)
    record = encounter.model_dump(mode="json")
    for administration in record["administrations"]:
        administration |= {
            name: administration[name].replace("2026-03-02", date) for name in ("start", "stop")
        }
    moved = Encounter.model_validate({**record, "date": date})
    lines = [{"code": line.code, "units": line.units} for line in ENGINE.check(moved).suggested]
    lines = lines or [{"code": "96374", "units": 1}]
    result = ENGINE.check(billed(moved, lines))
    return {each.rule for each in result.violations if each.rule.startswith("IVP4")}


@pytest.mark.parametrize(("date", "setting"), list(product(DATES, ("facility", "professional"))))
def test_61_better_supervision_breaks_no_rule_more(date: str, setting: str) -> None:
    for mode in MODES:
        each = [of_supervision(date, setting, level=level, mode=mode) for level in LEVELS]
        assert all(better <= worse for worse, better in pairwise(each))
    for level in LEVELS:
        each = [of_supervision(date, setting, level=level, mode=mode) for mode in MODES]
        assert all(better <= worse for worse, better in pairwise(each))


# Lines into veins and visits have rules of their own.
ADMINISTRATIONS = {code for code in BOOK.codes if code.startswith("96")}
PAIRED = [
    (setting, other, code, other in pairs.never)
    for setting in ("facility", "professional")
    for code in sorted(ADMINISTRATIONS)
    if (pairs := BOOK.pairs.get(setting, code)) is not None
    for other in sorted((pairs.never | pairs.with_modifier) & ADMINISTRATIONS)
]
"""Pairs of administration codes: setting, column 1, column 2, and whether they never go together."""


def of_pairs(setting: str, *codes: str, modifiers: tuple[str, ...] = ()) -> set[str]:
    """The rules of pairs that two codes break, told or folded into another."""
    lines = [
        {"number": n, "code": code, "units": 1, "modifiers": list(modifiers) if n == 2 else []}
        for n, code in enumerate(codes, 1)
    ]
    form = {"type_of_bill": "131"} if setting == "facility" else {"place_of_service": "11"}
    record = {"id": "E1", "setting": setting, "date": "2026-03-02", **form, "lines": lines}
    result = ENGINE.check(Encounter.model_validate(record))
    every = {name for each in result.violations for name in (each.rule, *each.folds)}
    return every & {"IVP601", "IVP602"}


@settings(max_examples=60)
@given(st.sampled_from(PAIRED))
def test_62_a_pair_is_found_in_either_order_and_a_modifier_lifts_what_it_may(
    pair: tuple[str, str, str, bool],
) -> None:
    setting, first, second, never = pair
    broken = {"IVP601" if never else "IVP602"}
    assert of_pairs(setting, first, second) == broken == of_pairs(setting, second, first)
    assert of_pairs(setting, first, second, modifiers=("59",)) == (broken if never else set())


STOPS = ("compute_then_push_if_drug_allows", "deny", "push", "compute_only", "last_charted_time")
WITHOUT_STOP = {
    policy: Engine(
        pack=PACK, policies={"missing_stop_time": policy, "missing_stop_time_hydration": hydration}
    )
    for policy, hydration in zip(STOPS, ("compute_only", "deny") * 3, strict=False)
}
PUSHES = {"96374", "96375", "96376", "96409", "96411"}
proven = st.one_of(st.none(), st.sampled_from((10, 16, 31, 90, 91, 151)))


@settings(max_examples=60)
@given(st.sampled_from(STOPS), st.booleans(), proven, proven)
def test_63_no_policy_earns_minutes_that_a_chart_does_not_prove(
    policy: str, hydrates: bool, by_rate: int | None, seen: int | None
) -> None:
    more: list[tuple[str, Any]] = []
    if by_rate is not None:
        more += [("volume_ml", by_rate * 2), ("rate_ml_per_hour", 120)]
    if seen is not None:
        more += [("last_seen_running", f"2026-03-02T{8 + seen // 60:02d}:{seen % 60:02d}:00")]
    extra = tuple(more)
    given = fluid("a", 0, None, extra=extra) if hydrates else drip("a", 0, None, extra=extra)
    count = units(WITHOUT_STOP[policy].check(chart(given)))
    assert not (hydrates and PUSHES & count.keys())
    if policy == "deny":
        assert not count
    most = max(by_rate or 0, seen or 0)
    first = count["96365"] + count["96360"]
    assert not first or most >= (31 if hydrates else 16)
    assert count["96366"] + count["96361"] <= max(0, (most - 31) // 60)
