"""The release that a pack holds beside a new one: what changed, and the half that did not come.

``release`` asks for the half of a table that no file gives, ``ivpush tables import`` for the
changes. Tables are compared as the pack writes them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ivpush.plural import counted

__all__ = ["Held", "changes", "held_in", "with_other_half"]

Row = tuple[str, ...]
_MOST_NAMED = 10
# Where a row of limits has the units and the indicator of each half, after its code.
_LIMITS = {"professional": (1, 3), "facility": (2, 4)}


class Held(NamedTuple):
    """A table of a pack: the day from which it counts, and its rows."""

    release: date
    rows: list[Row]


def held_in(pack: Path, table: str, before: date) -> Held | None:
    """The newest release of a table in a pack that counts from an earlier day; None: there is none.

    ::

        held = held_in(Path("rules"), "mue", before=date(2026, 10, 1))
    """
    dated = []
    for path in pack.glob(f"tables/{table}-*.csv"):
        try:
            dated.append((date.fromisoformat(path.stem.removeprefix(f"{table}-")), path))
        except ValueError:
            continue
    earlier = [each for each in dated if each[0] < before]
    if not earlier:
        return None
    day, path = max(earlier)
    with path.open(encoding="utf-8", newline="") as file:
        return Held(day, [tuple(row) for row in csv.reader(file)][1:])


def with_other_half(table: str, rows: Sequence[Row], half: str, held: Held) -> list[Row]:
    """The rows of a release, with the half that no file gives as the pack holds it."""
    if table == "mue":
        return _limits(rows, half, held)
    return sorted([*rows, *(row for row in held.rows if row[0] == half)])


def _limits(rows: Sequence[Row], half: str, held: Held) -> list[Row]:
    new, old = ({row[0]: row for row in each} for each in (rows, held.rows))
    merged = []
    for code in sorted({*new, *old}):
        cells = list(new.get(code, (code, "", "", "", "")))
        for at in _LIMITS[half]:
            cells[at] = old[code][at] if code in old else ""
        if any(cells[1:]):
            merged.append(tuple(cells))
    return merged


def changes(table: str, new: Sequence[Row], held: Held) -> Iterator[str]:
    """What a new release changes against the one that is held, in sentences."""
    before, after = _facts(table, held.rows), _facts(table, new)
    what = "pair" if table == "ptp" else "limit" if table == "mue" else "row"
    added, gone = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {key for key in after.keys() & before.keys() if after[key] != before[key]}
    yield (
        f"against {held.release}: {counted(len(added), what)} added, {len(gone):,} gone, "
        f"{len(changed):,} changed"
    )
    for word, keys in (("added", added), ("gone", gone)):
        if keys:
            yield f"{word}: {_named(keys)}"
    if table == "mue":
        yield from _moves(changed, before, after)
    elif changed:
        yield f"changed: {_named(changed)}"


def _facts(table: str, rows: Sequence[Row]) -> dict[Row, Row]:
    """What a table says by its keys: a pair, a limit in one half, or a row by its first cell."""
    if table == "ptp":
        return {
            (setting, column1, column2): (indicator,)
            for setting, column2, indicator, partners in rows
            for column1 in partners.split()
        }
    if table == "mue":
        return {
            (half, row[0]): (row[units], row[indicator])
            for row in rows
            for half, (units, indicator) in _LIMITS.items()
            if row[units]
        }
    return {row[:1]: row[1:] for row in rows}


def _moves(changed: set[Row], before: Mapping[Row, Row], after: Mapping[Row, Row]) -> Iterator[str]:
    """Limits that rose or fell; the indicator alone may have changed too."""
    for word, sign in (("up", 1), ("down", -1), ("only the indicator", 0)):
        keys = {key for key in changed if _direction(before[key][0], after[key][0]) == sign}
        if keys:
            moves = [
                f"{code} {half} {before[half, code][0]} to {after[half, code][0]}"
                for half, code in sorted(keys)
            ]
            yield f"{word}: {_cut(moves)}"


def _direction(old: str, new: str) -> int:
    first, second = int(old or 0), int(new or 0)
    return (second > first) - (second < first)


def _named(keys: set[Row]) -> str:
    return _cut([" ".join(key) for key in sorted(keys)])


def _cut(names: Sequence[str]) -> str:
    more = f", … ({len(names):,} in all)" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
