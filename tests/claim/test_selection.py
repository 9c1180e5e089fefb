"""Which rules are silent: words name them by id, name or start, and an ignore may end."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ivpush import UsageError
from ivpush.claim.selection import Ignore, select_rules
from tests.shipped import ENGINE

TODAY = date(2026, 11, 24)
RULES = ENGINE.pack.rules


def silent(select: Any = (), ignore: Any = ()) -> frozenset[str]:
    return select_rules(RULES, select, ignore, TODAY)[0]


def test_words_name_rules_by_id_name_or_start() -> None:
    ids = {rule.id for rule in RULES}
    assert silent() == frozenset()
    assert silent(ignore=[Ignore("IVP104", "")]) == {"IVP104"}
    assert silent(ignore=[Ignore("ivp104", "")]) == {"IVP104"}
    assert silent(ignore=[Ignore("addon-without-primary", "")]) == {"IVP104"}
    room = {rule for rule in ids if rule.startswith("IVP1")}
    assert silent(ignore=[Ignore("IVP1", "")]) == room
    assert silent(select=["IVP1"]) == ids - room
    assert silent(["IVP1", "IVP2"], [Ignore("IVP104", "")]) == {
        rule for rule in ids if not rule.startswith(("IVP1", "IVP2"))
    } | {"IVP104"}


def test_a_word_that_names_no_rule_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        select_rules(
            RULES, ["IVP999"], [Ignore("addon-without-primry", "r", None, "f: ignore[1]")], TODAY
        )
    assert len(caught.value.faults) == 2
    assert "did you mean 'addon-without-primary'?" in str(caught.value)


@pytest.mark.parametrize(
    ("until", "holds"),
    [(None, True), (date(2026, 11, 24), True), (date(2026, 11, 23), False)],
)
def test_an_ignore_holds_to_its_last_day(until: date | None, holds: bool) -> None:
    silenced, ended = select_rules(RULES, (), [Ignore("IVP104", "r", until, "f")], TODAY)
    assert ("IVP104" in silenced) is holds
    assert len(ended) == (0 if holds else 1)


@pytest.mark.parametrize(("place", "named"), [("f: ignore[1]", "f: ignore[1]"), ("", "ignore")])
def test_a_fault_stands_where_the_ignore_is_written(place: str, named: str) -> None:
    _, (ended,) = select_rules(RULES, (), [Ignore("IVP104", "r", date(2026, 1, 1), place)], TODAY)
    assert ended.place == named
    with pytest.raises(UsageError) as caught:
        select_rules(RULES, (), [Ignore("IVP999", "r", None, place)], TODAY)
    assert [fault.place for fault in caught.value.faults] == [named]


def test_no_word_at_all_names_no_rule_and_a_long_one_is_cut() -> None:
    with pytest.raises(UsageError):
        silent(select=[""])
    with pytest.raises(UsageError) as caught:
        silent(select=["x" * 70])
    assert f"'{'x' * 60}' is no rule" in str(caught.value)
