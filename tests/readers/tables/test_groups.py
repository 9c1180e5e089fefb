"""Rows are grouped by encounter alike in memory, in the temporary database and as a stream."""

from __future__ import annotations

import io
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import UsageError
from ivpush.readers.tables import groups
from ivpush.readers.tables.cells import Bad
from ivpush.readers.tables.groups import Group, grouped
from ivpush.readers.tables.opening import open_table

ROWS = st.lists(st.sampled_from(("A,1", "B,2", "C,3", ",4", "A", "B,5,6", "\x00,7")), max_size=30)


def groups_in(text: str, ordered: bool = False) -> list[tuple[object, ...]]:
    seen: list[tuple[object, ...]] = []
    for group in grouped(open_table("f", io.BytesIO(text.encode())), 0, ordered):
        if isinstance(group, Group):
            bad = [fault.number for fault in group.faults]
            seen.append((group.encounter, [row.number for row in group.rows], bad, group.count))
        else:
            seen.append((group.number, group.problem))
    return sorted(seen, key=str)


@given(ROWS, st.sampled_from(("", '"open')))
def test_the_database_groups_as_memory_does(rows: list[str], tail: str) -> None:
    text = "\n".join(["encounter,n", *rows, tail])
    held = groups_in(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "MOST_IN_MEMORY", 0)
        assert groups_in(text) == held


@given(ROWS)
def test_a_sorted_table_streams_the_same_groups(rows: list[str]) -> None:
    text = "\n".join(["encounter,n", *sorted(rows)])
    streamed = groups_in(text, ordered=True)
    known = [one for one in groups_in(text) if isinstance(one[0], str)]
    assert [one for one in streamed if isinstance(one[0], str)] == known


def test_rows_of_a_file_that_breaks_off_taint_every_open_encounter() -> None:
    text = 'encounter,n\nA,1\nB,2\n"open'
    groups_read = list(grouped(open_table("f", io.BytesIO(text.encode())), 0, False))
    assert [type(one) for one in groups_read] == [Bad, Group, Group]
    assert all(one.faults for one in groups_read if isinstance(one, Group))


@pytest.mark.parametrize("in_memory", [0, 10**6])
@pytest.mark.parametrize("ordered", [True, False])
def test_an_encounter_with_too_many_rows_is_set_aside_and_every_row_counted(
    monkeypatch: pytest.MonkeyPatch, in_memory: int, ordered: bool
) -> None:
    monkeypatch.setattr(groups, "MOST_IN_MEMORY", in_memory)
    monkeypatch.setattr(groups, "MOST_ROWS", 3)
    assert groups_in("encounter,n\n" + "A,1\n" * 3 + "B,1\n" * 40, ordered) == [
        ("A", [2, 3, 4], [], 3),
        ("B", [5, 6, 7], [8], 40),
    ]


@pytest.mark.parametrize("pages", [2, 9])
def test_a_full_disk_of_the_database_is_said(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    connect = sqlite3.connect

    def small(name: str) -> sqlite3.Connection:
        database = connect(name)
        database.execute(f"PRAGMA max_page_count={pages}")
        return database

    monkeypatch.setattr(groups, "MOST_IN_MEMORY", 0)
    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(UsageError, match="temporary files: cannot be written; make room"):
        groups_in("encounter,n\n" + "".join(f"E{n},1\n" for n in range(300)))
