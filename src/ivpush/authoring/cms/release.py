"""Importing releases: published files in, one dated table a kind out, every row accounted for."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.authoring.cms import hcpcs, ncci, payment
from ivpush.authoring.cms.files import Source, sources
from ivpush.authoring.cms.headings import Found, find, release_in
from ivpush.authoring.cms.kinds import KEPT, MOST_FAULTS, Cells, Kind, Part, Wanted
from ivpush.errors import Fault, InputError, UsageError, did_you_mean
from ivpush.pack.releases import TABLES

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack

__all__ = [
    "KINDS",
    "Imported",
    "import_files",
    "wanted_of",
]

KINDS: dict[str, Kind] = {one.name: one for one in (*ncci.KINDS, *payment.KINDS, *hcpcs.KINDS)}
"""Every kind of file that can be imported, by name."""
_HALVES = {
    "professional": ("ccipra", "practitioner"), "facility": ("ccioph", "hospital", "outpatient")
}  # fmt: skip
Opened = tuple[str, Callable[[], Source]]
_PART = re.compile(r"([^/]+)-f(\d{1,2})\.[a-z]+$", re.ASCII | re.IGNORECASE)
NOTES = "notes under the table"


@dataclass(frozen=True, slots=True)
class Imported:
    """One table (or report) made of published files.

    ``counts`` has every row read, once, under one word; ``name`` is the file's name in a pack.
    """

    name: str
    kind: str
    release: date
    raw: bytes
    rows: int
    counts: Mapping[str, int]
    files: tuple[str, ...]
    notes: tuple[str, ...]


def wanted_of(pack: Pack) -> Wanted:
    """What a pack asks of a release: its own codes, drugs, and those of the releases it holds."""
    drugs = pack.book(None).drugs
    return Wanted(
        frozenset(code for code, row in pack.codes.items() if row.administration),
        frozenset(code for code, row in pack.codes.items() if row.role == "companion"),
        frozenset(drugs),
        {code: row.ended for code, row in drugs.items()},
        {kind: _codes(max(those, key=lambda one: (one.day, one.pack)).table)
         for kind, those in pack.releases.items() if kind in {"mue", "indicators", "opps", "asp"}},
    )  # fmt: skip


def _codes(table: Mapping[str, Any]) -> frozenset[str]:
    """Codes of a table; unlikely units stand there by setting and code."""
    halves = [table[half] for half in _HALVES if half in table]
    return frozenset(code for half in halves or [table] for code in half)


def import_files(
    paths: Sequence[Path], wanted: Wanted, kind: str | None = None, release: date | None = None
) -> list[Imported]:
    """The tables that published files make together, sorted by name.

    ``kind`` names the kind of all of them where the files do not show it, ``release`` the day from
    which the release counts. Raises InputError with the faults found, at most twenty, and
    UsageError where something must be said that no file says.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(Fault("--kind", "is no kind of file", did_you_mean(kind, KINDS)))
    parts: dict[tuple[str, date], dict[str, Part]] = {}
    files: dict[tuple[str, date], list[str]] = {}
    faults: list[Fault] = []
    for path in paths:
        with sources(path) as opened:
            for found in _known(path.name, opened, kind):
                day = release or release_in((found.place, found.head))
                if day is None:
                    raise UsageError(Fault(found.place, "does not say from when it counts",
                                           "add --release YYYY-MM-DD"))  # fmt: skip
                key = (found.kind.table, day)
                made = parts.setdefault(key, {})
                part = made.setdefault(found.kind.name, Part(found.kind))
                files.setdefault(key, []).append(found.place)
                _take(found, wanted, day, part, faults)
    if faults:
        raise InputError(faults[:MOST_FAULTS])
    return [
        _imported(table, day, [made[name] for name in sorted(made)], files[table, day], wanted)
        for (table, day), made in sorted(parts.items())
    ]


def _known(name: str, opened: Sequence[Opened], kind: str | None) -> Iterator[Found]:
    """The files whose kind is known; an archive may hold others beside them."""
    seen: list[Found] = []
    for place, call in opened:
        found = find(call(), _kinds_of(place, kind), named=len(opened) == 1)
        if found is None:
            continue
        if found.kind.table == "ptp" and kind is None and _setting(place) is None:
            remedy = "add --kind ptp-practitioner or --kind ptp-outpatient"
            raise UsageError(Fault(place, "does not say for which setting it is", remedy))
        seen.append(found)
    if not seen:
        raise InputError(Fault(name, "holds no table of a kind that is known",
                               "say which with --kind, of: " + ", ".join(KINDS)))  # fmt: skip
    kinds = Counter(one.kind.name for one in seen)
    for one, count in kinds.items():
        if count > 1 and KINDS[one].table != "ptp":
            raise InputError(Fault(name, f"holds {count} tables of the kind '{one}'",
                                   "unpack it and name the one that applies"))  # fmt: skip
    yield from seen


def _kinds_of(place: str, kind: str | None) -> list[Kind]:
    """The kinds that a file may be of; its name tells for which setting pairs are."""
    if kind is not None:
        return [KINDS[kind]]
    half = _setting(place)
    return [one for one in KINDS.values() if one.table != "ptp" or half is None or one.half == half]


def _setting(place: str) -> str | None:
    """The setting that a file's name tells, where it tells one."""
    file = place.lower()
    halves = [half for half, words in _HALVES.items() if any(word in file for word in words)]
    return halves[0] if len(halves) == 1 else None


def _take(found: Found, wanted: Wanted, day: date, part: Part, faults: list[Fault]) -> None:
    take = found.kind.take
    for line, row in found.rows:
        filled = sum(map(bool, row))
        if not filled:
            continue
        made = found.cells(row)
        if filled == 1 and not found.fixed and not _like_code(made.get(next(iter(made)), "")):
            part.counts[NOTES] += 1
            continue
        before = len(faults)
        cells = Cells(found.kind, f"{found.place}:{line}", made, faults)
        reason = take(cells, wanted, day, part)
        if len(faults) > before:
            if len(faults) >= MOST_FAULTS:
                raise InputError(faults[:MOST_FAULTS])
            continue
        part.counts[reason] += 1


def _like_code(text: str) -> bool:
    return 3 < len(text) < 7


def _imported(
    table: str, day: date, parts: Sequence[Part], files: Sequence[str], wanted: Wanted
) -> Imported:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    place = ", ".join(files)
    notes = (*_numbered(files), *(note for part in parts for note in part.notes))
    if not counts[KEPT]:
        raise InputError(
            Fault(place, "holds no row that this pack asks for", "give the whole file")
        )
    _both_halves(place, table, parts)
    rows: list[tuple[str, ...]]
    columns: tuple[str, ...]
    if table == "hcpcs":
        name, columns = f"reports/hcpcs-{day}.csv", hcpcs.COLUMNS
        rows = hcpcs.drug_report(parts[0], wanted, day)
    else:
        name, columns = f"tables/{table}-{day}.csv", TABLES[table]
        rows = _ROWS.get(table, _plain)(parts)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return Imported(name, table, day, out.getvalue().encode(), len(rows), dict(counts),
                    tuple(files), notes)  # fmt: skip


def _numbered(files: Sequence[str]) -> Iterator[str]:
    """Which parts of tables that are published in several are here; a gap is refused.

    How many there are no file says, so the last one seen is told.
    """
    parts: dict[str, set[int]] = {}
    for file in files:
        found = _PART.search(file)
        if found is not None:
            parts.setdefault(found[1], set()).add(int(found[2]))
    for name, seen in sorted(parts.items()):
        lacks = set(range(1, max(seen) + 1)) - seen
        if lacks:
            raise UsageError(Fault(name, f"lacks its part {min(lacks)}", "give all parts together"))
        yield f"{name}: parts 1 to {max(seen)}"


def _both_halves(place: str, table: str, parts: Sequence[Part]) -> None:
    """A later release replaces the whole table, so half of one would lose the other half."""
    halves = {one.half for one in KINDS.values() if one.table == table and one.half}
    lacks = sorted(halves - {str(part.kind.half) for part in parts})
    if lacks:
        remedy = "give the practitioner and the outpatient hospital files together"
        raise UsageError(Fault(place, f"gives no {lacks[0]} half of the table", remedy))


def _plain(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    return sorted((*key, *values) for part in parts for key, values in part.rows.items())


def _pairs(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """One row a setting, column-2 code and indicator, with all its column-1 codes."""
    made: dict[tuple[str, str, str], list[str]] = {}
    for part in parts:
        for setting, two, indicator, one in part.rows:
            made.setdefault((setting, two, indicator), []).append(one)
    return [(*key, " ".join(sorted(made[key]))) for key in sorted(made)]


def _limits(parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """One row a code: units in either setting, then the indicators of both."""
    by_half = {str(part.kind.half): part.rows for part in parts}
    office, hospital = by_half["professional"], by_half["facility"]
    made: list[tuple[str, ...]] = []
    for key in sorted({*office, *hospital}):
        one, other = office.get(key, ("", "")), hospital.get(key, ("", ""))
        made.append((key[0], one[0], other[0], one[1], other[1]))
    return made


_ROWS: dict[str, Callable[[Sequence[Part]], list[tuple[str, ...]]]] = {
    "ptp": _pairs, "mue": _limits
}  # fmt: skip
