"""What a result was checked against, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from ivpush.contract.coverage import (
    CheckedAdministration,
    CheckedLine,
    CheckedTable,
    Coverage,
    LiftedPair,
    NotChecked,
    checked_rows,
    unchecked_rows,
)

EMPTY = Coverage(lines=(), administrations=(), tables=(), lifted=(), not_checked=())
TABLE = CheckedTable(
    kind="mue",
    title="Units",
    release=dt.date(2026, 1, 1),
    quarter_ends=None,
    lines=(1,),
    without_row=(),
    administrations=(),
)


def test_lines_and_administrations_say_how_many_rules_judged_them() -> None:
    coverage = replace(
        EMPTY,
        lines=(CheckedLine(2, "96374", 1),),
        administrations=(CheckedAdministration("a1", 40),),
    )
    assert list(checked_rows(coverage)) == [
        "line 2 (96374): judged by 1 rule",
        "a1: judged by 40 rules",
    ]


def table_row(**other: object) -> str:
    (row,) = checked_rows(replace(EMPTY, tables=(replace(TABLE, **other),)))  # type: ignore[arg-type]
    return row


def test_a_table_says_its_edition_its_quarter_and_what_it_holds_no_row_for() -> None:
    assert table_row() == "Units, edition 2026-01-01: line 1"
    until = table_row(quarter_ends=dt.date(2026, 3, 31), lines=(1, 3))
    assert until == "Units, edition 2026-01-01 (for the quarter to 2026-03-31): lines 1, 3"
    without = table_row(without_row=(1,), administrations=("a1", "a2"))
    assert without == "Units, edition 2026-01-01: line 1; a1, a2; no row for line 1"
    assert table_row(lines=(), administrations=("a1",)).endswith(": a1")


def test_a_lifted_pair_names_both_lines_and_the_modifier() -> None:
    pair = LiftedPair("96374", line=2, into="12002", into_line=1, modifier="59", by_line=2)
    (row,) = checked_rows(replace(EMPTY, lifted=(pair,)))
    assert row == (
        "96374 on line 2 is bundled into 12002 on line 1, but modifier 59 on line 2 lifts the pair"
    )


def unchecked(*rows: NotChecked) -> list[str]:
    return list(unchecked_rows(replace(EMPTY, not_checked=rows)))


def test_what_was_not_checked_is_one_row_a_reason_with_what_it_is_about() -> None:
    stop = NotChecked(
        "fact_unknown",
        "Nobody said.",
        rules=("IVP201", "IVP203"),
        missing=("administrations[0].start", "administrations[1].start"),
        administrations=("a1", "a2"),
    )
    line = NotChecked("fact_unknown", "Nobody said.", missing=("lines[0].ndc",), lines=(1,))
    assert unchecked(stop, line) == ["Nobody said: IVP201, IVP203 (start of a1, a2); ndc of line 1"]


def test_a_reason_alone_keeps_its_full_stop() -> None:
    assert unchecked(NotChecked("table_missing", "No table is held.")) == ["No table is held."]
    payer = NotChecked("payer_position", "No payer is named.", policies=("hydration_overlap",))
    assert unchecked(payer) == ["No payer is named: hydration_overlap"]


def test_of_many_rules_their_number_is_said() -> None:
    def named(count: int) -> str:
        rules = tuple(f"IVP{n}" for n in range(100, 100 + count))
        return unchecked(NotChecked("silenced", "Silent.", rules=rules))[0]

    assert named(12).count("IVP") == 12
    assert named(13) == "Silent: 13 rules"
