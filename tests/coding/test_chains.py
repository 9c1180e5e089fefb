"""What hangs on one initial service: one access and one visit, unless a need is documented."""

from __future__ import annotations

from typing import Any

import pytest

from tests.visits import billed, check, dose, drip, fluid, push, work

RIGHT = {"site": "right arm"}
NEEDED = {"site": "right arm", "separate_site_reason": "incompatible drugs"}
FIRST = drip("a", "10:00", "11:00")
TWO_INITIALS = [("96365", 1), ("96365-XS", 1)]


def test_a_second_site_has_its_own_initial_only_where_a_need_is_documented() -> None:
    assert billed(check(FIRST, drip("b", "10:00", "11:00", **NEEDED))) == TWO_INITIALS
    unstated = check(FIRST, drip("b", "10:00", "11:00", **RIGHT))
    assert billed(unstated) == [("96365", 1), ("96368", 1)]


def test_two_lumens_of_one_line_are_one_site() -> None:
    lumens = [push("a", "10:00", lumen="one"), push("b", "10:05", lumen="two")]
    assert billed(check(*lumens)) == [("96374", 1), ("96375", 1)]


def test_a_line_put_in_anew_goes_on_with_its_chain_unless_the_policy_starts_one() -> None:
    resited = drip("b", "12:00", "13:00", resited_from="left arm", **NEEDED)
    assert billed(check(FIRST, resited)) == [("96365", 1), ("96367", 1)]
    assert billed(check(FIRST, resited, policies={"restart_new_initial": True})) == TWO_INITIALS


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        ("new_initial_with_XE", [("96374", 1), ("96374-XE", 1)]),
        ("same_chain", [("96374", 1), ("96375", 1)]),
    ],
)
def test_a_second_visit_has_its_own_initial_unless_the_policy_keeps_the_line(
    policy: str, codes: list[tuple[str, int]]
) -> None:
    visits = [push("a", "10:00", visit=1), push("b", "18:05", visit=2)]
    assert billed(check(*visits, policies={"same_line_return_visit": policy})) == codes


@pytest.mark.parametrize(
    ("start", "codes"),
    [("18:00", [("96374", 1), ("96375", 1)]), ("18:01", [("96374", 1), ("96374-XE", 1)])],
)
def test_more_than_eight_hours_apart_are_two_encounters_where_the_policy_counts_gaps(
    start: str, codes: list[tuple[str, int]]
) -> None:
    pushes = [push("a", "10:00", "10:00"), push("b", start)]
    assert billed(check(*pushes, policies={"encounter_boundary": "gap_hours"})) == codes
    assert billed(check(*pushes)) == [("96374", 1), ("96375", 1)]


def test_drips_of_two_sites_are_concurrent_only_if_the_policy_says_so() -> None:
    both = [FIRST, drip("b", "10:00", "11:00", **NEEDED)]
    concurrent = check(*both, policies={"concurrent_of_different_sites": "concurrent"})
    assert billed(check(*both)) == TWO_INITIALS
    assert billed(concurrent) == [("96365", 1), ("96368", 1)]


def test_a_dose_without_a_time_opens_no_encounter_where_the_policy_counts_gaps() -> None:
    doses = [push("a", "10:00", "10:00"), push("u"), push("b", "18:01")]
    result = check(*doses, policies={"encounter_boundary": "gap_hours"})
    assert billed(result) == [("96374", 1), ("96375", 1), ("96374-XE", 1)]


def placed(*charted: dict[str, Any], **facts: Any) -> list[list[str]]:
    """The ids of what each chain holds, chain by chain."""
    chains = work(*charted, **facts).derived.chains
    assert [chain.index for chain in chains] == [*range(len(chains))]
    assert all(each.chain == chain.index for chain in chains for each in chain.administrations)
    return [[each.given.id for each in chain.administrations] for chain in chains]


HAND = {"site": "left hand"}


@pytest.mark.parametrize(
    "other",
    [
        push("b", "10:30", purpose="flush", **NEEDED),
        dose("b", "10:30", None, route="IM", **NEEDED),
        dose("b", "10:30", None, route="PO", **NEEDED),
    ],
    ids=["a flush", "into a muscle", "by mouth"],
)
def test_only_what_is_billed_by_vein_opens_a_chain(other: dict[str, Any]) -> None:
    derived = work(FIRST, other).derived
    assert [[each.given.id for each in chain.administrations] for chain in derived.chains] == [
        ["a"]
    ]
    alone = work(other).derived
    assert (alone.chains, alone.undocumented_sites) == ([], 0)


@pytest.mark.parametrize(
    ("charted", "chains", "undocumented"),
    [
        ([push("a", "10:00")], [["a"]], 0),
        ([push("a", "10:00"), push("b", "10:05")], [["a", "b"]], 0),
        ([push("a", "10:00"), push("b", "10:05", **RIGHT)], [["a", "b"]], 1),
        ([push("a", "10:00"), push("b", "10:05", **NEEDED)], [["a"], ["b"]], 0),
        ([push("a"), push("b", **NEEDED)], [["a"], ["b"]], 0),
        ([push("a", "10:00", site=None), push("b", "10:05", **NEEDED)], [["a"], ["b"]], 0),
        ([push("a"), push("b", **RIGHT)], [["a", "b"]], 1),
        # A site without a need is the home of all such, even where another was used first.
        (
            [push("a", "10:00", **NEEDED), push("b", "10:05"), push("c", "10:10", **HAND)],
            [["a"], ["b", "c"]],
            1,
        ),
        (
            [push("a", "10:00"), push("b", "10:05", **RIGHT), push("c", "10:10", **HAND)],
            [["a", "b", "c"]],
            2,
        ),
        # Of two sites that are needed both, each has its own.
        (
            [push("a", "10:00", **{**NEEDED, **HAND}), push("b", "10:05", **NEEDED)],
            [["a"], ["b"]],
            0,
        ),
    ],
)
def test_a_site_is_a_chain_of_its_own_where_its_need_is_documented(
    charted: list[dict[str, Any]], chains: list[list[str]], undocumented: int
) -> None:
    assert placed(*charted) == chains
    derived = work(*charted).derived
    assert derived.undocumented_sites == undocumented
    separate = {each.given.id for each in derived.administrations if each.separate_site}
    several = len(charted) > 1
    needed = {one["id"] for one in charted if "separate_site_reason" in one}
    assert separate == (needed if several else set())


def test_convenience_is_no_need_of_a_second_site() -> None:
    handy = push("b", "10:05", site="right arm", separate_site_reason="nurse convenience")
    derived = work(push("a", "10:00"), handy).derived
    assert [each.reason_is_convenience for each in derived.administrations] == [False, True]
    assert len(derived.chains) == 1
    both = work(push("a", "10:00"), handy, push("c", "10:10", **NEEDED)).derived
    assert len(both.chains) == 2


@pytest.mark.parametrize("reason", ["nurse convenience", "incompatible drugs"])
def test_a_reason_for_the_one_site_that_there_is_says_nothing(reason: str) -> None:
    doses = [push(key, f"10:0{n}", separate_site_reason=reason) for n, key in enumerate("abc")]
    for charted in (doses[:1], doses):
        worked = work(*charted)
        assert not any(each.separate_site for each in worked.derived.administrations)
        assert "IVP505" not in {broken.rule for broken in worked.result.violations}


def test_where_no_need_is_asked_a_site_is_one_where_it_is_named() -> None:
    counted = {"second_site_requires_reason": False}
    assert placed(push("a"), push("b", **RIGHT), policies=counted) == [["a"], ["b"]]
    for pair in ([push("a"), push("b", site=None)], [push("a", site=None), push("b")]):
        assert placed(*pair, policies=counted) == [["a", "b"]]
    unnamed = [push("a", visit=1, site=None), push("b", visit=2, site=None)]
    derived = work(*unnamed, policies=counted).derived
    assert [each.separate_site for each in derived.administrations] == [False, False]


@pytest.mark.parametrize("policy", [True, False])
def test_one_site_is_apart_from_no_other(policy: bool) -> None:
    policies = {"second_site_requires_reason": policy}
    derived = work(push("a", "10:00"), push("b", "10:05"), policies=policies).derived
    assert [each.separate_site for each in derived.administrations] == [False, False]


def test_a_chain_is_of_the_visit_of_what_it_holds() -> None:
    derived = work(push("a", "10:00", visit=2), push("b", "10:05", visit=2)).derived
    assert [chain.visit for chain in derived.chains] == [2]


@pytest.mark.parametrize(
    "last",
    [
        # There and back.
        push("c", "12:00", resited_from="right arm"),
        # A line that replaces itself hides no true word.
        push("c", "12:00", resited_from="right arm", **RIGHT),
    ],
)
def test_lines_put_in_anew_are_followed_to_the_first_one(last: dict[str, Any]) -> None:
    moved = push("b", "11:00", resited_from="left arm", **NEEDED)
    assert placed(push("a", "10:00"), moved, last) == [["a", "b", "c"]]
    if last["site"] == "right arm":
        first = {**last, "start": moved["start"], "id": "b"}
        again = {**moved, "start": last["start"], "id": "c"}
        assert placed(push("a", "10:00"), first, again) == [["a", "b", "c"]]


def test_a_line_without_a_name_is_not_known_to_be_kept_for_a_second_visit() -> None:
    visits = [push("a", "10:00", visit=1, site=None), push("b", "18:00", visit=2, site=None)]
    kept = {"same_line_return_visit": "same_chain"}
    assert placed(*visits, policies=kept) == [["a"], ["b"]]


GAPS = {"encounter_boundary": "gap_hours"}


@pytest.mark.parametrize(
    ("charted", "chains"),
    [
        ([push("a", "10:00", "10:00"), push("b", "18:00")], [["a", "b"]]),
        ([push("a", "10:00", "10:00"), push("b", "18:00:01")], [["a"], ["b"]]),
        ([push("a", "10:00"), push("b", "18:00:01")], [["a"], ["b"]]),
        # The gap begins where the last bag stops.
        (
            [drip("a", "10:00", "12:00"), push("b", "10:05", "10:06"), push("c", "19:00")],
            [["a", "b", "c"]],
        ),
        ([push("a", "01:00", "01:00"), push("b", "09:00"), push("c", "17:00")], [["a", "b", "c"]]),
        # Without a time it goes with the encounter that it is charted in.
        ([push("a", "10:00"), push("b", "18:01"), push("c", visit=2)], [["a"], ["b", "c"]]),
        ([push("a", "10:00"), push("b", "18:01"), push("c")], [["a", "c"], ["b"]]),
    ],
)
def test_gaps_are_counted_from_the_end_of_all_before(
    charted: list[dict[str, Any]], chains: list[list[str]]
) -> None:
    assert placed(*charted, policies=GAPS) == chains


@pytest.mark.parametrize(
    ("least", "other", "joined"),
    [
        (16, drip("b", "10:44", "12:00", **NEEDED), True),
        (16, drip("b", "10:44:01", "12:00", **NEEDED), False),
        # At least a minute: what only touches does not run together.
        (0, drip("b", "10:59", "12:00", **NEEDED), True),
        (0, drip("b", "10:59:01", "12:00", **NEEDED), False),
        (1, drip("b", "10:59", "12:00", **NEEDED), True),
        (16, drip("b", "11:00", "12:00", **NEEDED), False),
        (16, drip("b", "10:00", "11:00", visit=2, **NEEDED), False),
        # Neither a fluid, nor a push, nor a drip of no known length is a drip that runs.
        (16, fluid("b", "10:00", "12:00", **NEEDED), False),
        (
            16,
            push("b", "10:00", "10:40", continuously_attended=True, **NEEDED),
            False,
        ),
        (16, drip("b", minutes=40, **NEEDED), False),
    ],
)
def test_sites_are_one_under_the_policy_where_their_drips_run_together(
    least: int, other: dict[str, Any], joined: bool
) -> None:
    policies: dict[str, Any] = {
        "concurrent_of_different_sites": "concurrent",
        "concurrent_min_overlap_minutes": least,
        "missing_stop_time": "push",
    }
    assert (len(placed(FIRST, other, policies=policies)) == 1) is joined


@pytest.mark.parametrize("back_to", ["left arm", "right arm", "elbow"])
def test_a_line_that_went_round_in_a_circle_is_one_chain(back_to: str) -> None:
    """Left, right, elbow, and back to one of them: no site is the first, and all are one line."""
    doses = [
        push("a", "10:00", site="left arm"),
        push("b", "11:00", site="right arm", resited_from="left arm"),
        push("c", "12:00", site="elbow", resited_from="right arm"),
        push("d", "13:00", site=back_to, resited_from="elbow"),
    ]
    assert billed(check(*doses)) == [("96374", 1), ("96375", 3)]


def test_a_line_put_in_anew_before_each_of_many_doses_is_one_chain() -> None:
    doses = [
        push(f"d{n}", f"{8 + n // 6:02}:{n % 6 * 10:02}", site=f"s{n}", resited_from=f"s{n - 1}")
        for n in range(60)
    ]
    assert billed(check(*doses)) == [("96374", 1), ("96375", 59)]
