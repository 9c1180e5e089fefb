"""Actions of a medication record in RXA: runs joined, holds that give nothing, amounts unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.readers.hl7.samples import administrations, only, orc, ras, read_visit, refused, rxa, seg

IV = seg("RXR", f1="IV")


def acts(*rows: tuple[str, str], field: str = "f20", **more: str) -> list[str]:
    """Messages of one order: the clock time and the action of each, as Epic sends them."""
    return [
        ras(orc(), rxa(f"20260302{clock}00", "", f2=str(n), **{field: action, **more}), IV)
        for n, (clock, action) in enumerate(rows, 1)
    ]


def course(*messages: str) -> list[tuple[str | None, str | None, str | None]]:
    encounter, _ = read_visit(*messages)
    return [
        (
            f"{one.start:%H:%M}" if one.start else None,
            f"{one.stop:%H:%M}" if one.stop else None,
            one.method,
        )
        for one in administrations(encounter)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1000", "New Bag"), ("1045", "Stopped")], [("10:00", "10:45", "infusion")]),
        # In whatever order they arrive.
        ([("1045", "Stopped"), ("1000", "New Bag")], [("10:00", "10:45", "infusion")]),
        (
            [
                ("1000", "New Bag"),
                ("1010", "Rate Change"),
                ("1020", "Paused"),
                ("1030", "Restarted"),
            ],
            [("10:00", "10:20", "infusion"), ("10:30", None, "infusion")],
        ),
        ([("1000", "Given"), ("1100", "Given")], [("10:00", None, None), ("11:00", None, None)]),
        (
            [("1000", "Given"), ("1100", "MAR Hold"), ("1200", "MAR Unhold")],
            [("10:00", None, None)],
        ),
        ([("1000", "Push"), ("1001", "Missed")], [("10:00", None, "push")]),
        ([("1000", "Refused")], []),
        ([("1000", "MAR Hold"), ("1100", "MAR Unhold")], []),
    ],
)
def test_actions_are_followed_as_in_the_tables(rows: Any, expected: Any) -> None:
    assert course(*acts(*rows)) == expected


def test_an_action_beside_the_status_is_followed_too() -> None:
    rows = [("1000", "^New Bag"), ("1045", "^Stopped")]
    assert course(*acts(*rows, field="f9")) == [("10:00", "10:45", "infusion")]
    encounter, notes = read_visit(*acts(*rows, field="f9"))
    assert only(encounter).drug == "ondansetron"
    assert any("told the course" in note for note in notes)
    said = refused(*acts(("1000", "^Not Given"), field="f9"))
    assert said.startswith("RXA-9: says otherwise than RXA-20")


def test_an_action_that_no_table_knows_sets_the_visit_aside() -> None:
    said = refused(*acts(("1000", "Given"), ("1100", "Zebra")))
    assert said.startswith("RXA-20: is neither a completion status nor an action that is known")


def test_a_canceled_entry_takes_the_dose_out() -> None:
    given = acts(("1000", "Given"))[0]
    assert course(given, given.replace("Given", "Canceled Entry")) == []


@pytest.mark.parametrize(
    ("fields", "dose", "rate"),
    [
        ({"f6": "999", "f7": "mg"}, None, None),
        ({"f6": "999.0", "f7": ""}, None, None),
        ({"f6": "999", "f7": "mL", "f12": "h"}, None, 999),
        ({"f6": "998"}, 998, None),
    ],
)
def test_an_amount_of_999_is_unknown_unless_it_is_a_rate(
    fields: dict[str, str], dose: int | None, rate: int | None
) -> None:
    push = only(read_visit(ras(orc(), rxa(**fields), IV))[0])
    assert (push.dose, push.rate_ml_per_hour) == (dose, rate)
