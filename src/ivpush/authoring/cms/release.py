"""Importing releases: published files in, one dated table a kind out, every row accounted for.

``ivpush tables import`` calls it. A release may come in many files: the parts of one kind are
joined, and kinds that make one table (practitioner and hospital) are put together.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ivpush.authoring.cms import hcpcs, ncci, payment
from ivpush.authoring.cms.files import File, sources
from ivpush.authoring.cms.headings import Table, find, release_in
from ivpush.authoring.cms.held import held_in, with_other_half
from ivpush.authoring.cms.kinds import KEPT, MOST_FAULTS, Cells, Kind, Part, Wanted
from ivpush.errors import Fault, InputError, UsageError, did_you_mean
from ivpush.pack.releases import TABLES, table_on

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack

__all__ = [
    "KINDS",
    "Imported",
    "import_files",
    "wanted_of",
]

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*ncci.KINDS, *payment.KINDS, *hcpcs.KINDS)}
"""Every kind of file that can be imported, by name."""
_HALVES = {
    "professional": ("ccipra", "practitioner"),
    "facility": ("ccioph", "hospital", "outpatient"),
}
"""Words in the names of files that tell the setting."""
_PART = re.compile(r"([^/]+)-f(\d{1,2})\.[a-z]+$", re.ASCII | re.IGNORECASE)
"""A part of a table that is published in several: ``NAME-f1.txt``."""
NOTES = "notes under the table"

Row = tuple[str, ...]
"""A row of a table, as text."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One table (or report) made of published files."""

    name: str
    """The file's name in a pack."""
    kind: str
    release: date
    raw: bytes
    rows: int
    cells: tuple[Row, ...]
    """The rows as the pack writes them, without the header."""
    counts: Mapping[str, int]
    """Every row read, once, under one word."""
    files: tuple[str, ...]
    notes: tuple[str, ...]


def wanted_of(pack: Pack) -> Wanted:
    """What a pack asks of a release: its own codes, drugs, and those of the releases it holds."""
    drugs = pack.book(None).drugs
    releases = pack.data.releases
    # On the last day of all the newest release of each table counts.
    units = table_on(releases.mue, date.max, {})
    return Wanted(
        families=frozenset(code for code, row in pack.codes.items() if row.administration),
        companions=frozenset(code for code, row in pack.codes.items() if row.role == "companion"),
        drugs=frozenset(drugs),
        ended={code: row.ended for code, row in drugs.items()},
        # Tables whose codes a later release must not lose.
        held={
            "mue": frozenset(code for half in units.values() for code in half),
            "indicators": frozenset(table_on(releases.indicators, date.max, {})),
            "opps": frozenset(table_on(releases.opps, date.max, {})),
            "asp": frozenset(table_on(releases.asp, date.max, {})),
        },
    )


def import_files(
    paths: Sequence[Path],
    wanted: Wanted,
    kind: str | None = None,
    release: date | None = None,
    pack: Path | None = None,
) -> list[Imported]:
    """The tables that published files make together, sorted by name.

    ``kind`` names the kind of all of them where the files do not show it, ``release`` the day from
    which the release counts. A half of a table that no file gives is taken from the newest earlier
    release of ``pack``, a folder, and noted. Raises InputError with the faults found, at most
    twenty, and UsageError where something must be said that no file says.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(Fault("--kind", "is no kind of file", did_you_mean(kind, KINDS)))
    drafts: dict[_Key, _Draft] = {}
    faults: list[Fault] = []
    for path in paths:
        with sources(path) as files:
            for table in _tables(path.name, files, kind):
                key = _Key(table.kind.table, release or _release_of(table))
                draft = drafts.setdefault(key, _Draft({}, []))
                draft.files.append(table.place)
                part = draft.parts.setdefault(table.kind.name, Part(table.kind))
                _take(table, wanted, key.release, part=part, faults=faults)
    if faults:
        raise InputError(faults[:MOST_FAULTS])
    return [_imported(key, draft, wanted, pack) for key, draft in sorted(drafts.items())]


class _Key(NamedTuple):
    """Which table is made: its name, and the day from which it counts."""

    table: str
    release: date


class _Draft(NamedTuple):
    """What the files read so far gave for a table, by kind."""

    parts: dict[str, Part]
    files: list[str]


# Which files hold what


def _tables(name: str, files: Sequence[File], kind: str | None) -> Iterator[Table]:
    """The files whose kind is known; an archive may hold others beside them."""
    tables: list[Table] = []
    for file in files:
        table = find(file.open(), _kinds_of(file.place, kind), named=len(files) == 1)
        if table is None:
            continue
        if table.kind.table == "ptp" and kind is None and _setting(file.place) is None:
            remedy = "add --kind ptp-practitioner or --kind ptp-outpatient"
            raise UsageError(Fault(file.place, "does not say for which setting it is", remedy))
        tables.append(table)
    if not tables:
        remedy = "say which with --kind, of: " + ", ".join(KINDS)
        raise InputError(Fault(name, "holds no table of a kind that is known", remedy))
    for known, count in Counter(table.kind.name for table in tables).items():
        # Pairs are published in parts; of any other kind, two tables are two versions.
        if count > 1 and KINDS[known].table != "ptp":
            problem = f"holds {count} tables of the kind '{known}'"
            raise InputError(Fault(name, problem, "unpack it and name the one that applies"))
    yield from tables


def _kinds_of(place: str, kind: str | None) -> list[Kind]:
    """The kinds that a file may be of; its name tells for which setting pairs are."""
    if kind is not None:
        return [KINDS[kind]]
    half = _setting(place)
    return [each for each in KINDS.values() if each.table != "ptp" or half in {None, each.half}]


def _setting(place: str) -> str | None:
    """The setting that a file's name tells, where it tells just one."""
    name = place.lower()
    halves = [half for half, words in _HALVES.items() if any(word in name for word in words)]
    return halves[0] if len(halves) == 1 else None


def _release_of(table: Table) -> date:
    day = release_in((table.place, table.head))
    if day is None:
        remedy = "add --release YYYY-MM-DD"
        raise UsageError(Fault(table.place, "does not say from when it counts", remedy))
    return day


# Rows in


def _take(table: Table, wanted: Wanted, day: date, *, part: Part, faults: list[Fault]) -> None:
    """Every row of a table into its part, or its faults; raises InputError at the twentieth."""
    take = table.kind.take
    for line, row in table.rows:
        filled = sum(map(bool, row))
        if not filled:
            continue
        cells = table.cells(row)
        if filled == 1 and not table.fixed and not _begins_with_code(cells):
            part.counts[NOTES] += 1
            continue
        # A row with a fault is counted under no word: nothing is imported then.
        before = len(faults)
        word = take(Cells(table.kind, f"{table.place}:{line}", cells, faults), wanted, day, part)
        if len(faults) == before:
            part.counts[word] += 1
        elif len(faults) >= MOST_FAULTS:
            raise InputError(faults[:MOST_FAULTS])


def _begins_with_code(cells: Mapping[str, str]) -> bool:
    """Whether the first column holds what may be a code, rather than words of a note."""
    first = next(iter(cells.values()), "")
    return 3 < len(first) < 7


# A table out


def _imported(key: _Key, draft: _Draft, wanted: Wanted, pack: Path | None) -> Imported:
    parts = [draft.parts[name] for name in sorted(draft.parts)]
    place = ", ".join(draft.files)
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    notes = (*_numbered(draft.files), *(note for part in parts for note in part.notes))
    if not counts[KEPT]:
        problem = "holds no row that this pack asks for"
        raise InputError(Fault(place, problem, "give the whole file"))
    lacking = _lacking_half(key.table, parts)
    held = held_in(pack, key.table, key.release) if lacking and pack is not None else None
    if lacking is not None and held is None:
        remedy = "give the practitioner and the outpatient hospital files together"
        raise UsageError(Fault(place, f"gives no {lacking} half of the table", remedy))
    columns: Sequence[str]
    rows: Sequence[Row]
    if key.table == "hcpcs":
        name, columns = f"reports/hcpcs-{key.release}.csv", hcpcs.COLUMNS
        rows = hcpcs.drug_report(parts[0], wanted, key.release)
    else:
        name, columns = f"tables/{key.table}-{key.release}.csv", TABLES[key.table]
        rows = _ROWS.get(key.table, _as_kept)(parts)
    if lacking is not None and held is not None:
        rows = with_other_half(key.table, rows, lacking, held)
        notes = (*notes, f"no file gives the {lacking} half: it is that of {held.release}")
    return Imported(
        name=name,
        kind=key.table,
        release=key.release,
        raw=_csv(columns, rows),
        rows=len(rows),
        cells=tuple(rows),
        counts=dict(counts),
        files=tuple(draft.files),
        notes=notes,
    )


def _csv(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()


def _numbered(files: Sequence[str]) -> Iterator[str]:
    """Which parts of tables that are published in several are here; a gap is refused.

    How many there are no file says, so the last one seen is told.
    """
    parts: dict[str, set[int]] = {}
    for file in files:
        match = _PART.search(file)
        if match is not None:
            parts.setdefault(match[1], set()).add(int(match[2]))
    for name, numbers in sorted(parts.items()):
        last = max(numbers)
        missing = set(range(1, last + 1)) - numbers
        if missing:
            problem = f"lacks its part {min(missing)}"
            raise UsageError(Fault(name, problem, "give all parts together"))
        yield f"{name}: parts 1 to {last}"


def _lacking_half(table: str, parts: Sequence[Part]) -> str | None:
    """The half that no file gives; as a release replaces the whole table, it would be lost."""
    halves = {kind.half for kind in KINDS.values() if kind.table == table and kind.half}
    missing = sorted(halves - {str(part.kind.half) for part in parts})
    return missing[0] if missing else None


def _as_kept(parts: Sequence[Part]) -> list[Row]:
    return sorted((*key, *values) for part in parts for key, values in part.rows.items())


def _pairs(parts: Sequence[Part]) -> list[Row]:
    """One row a setting, column-2 code and indicator, with all its column-1 codes."""
    partners: dict[tuple[str, str, str], list[str]] = {}
    for part in parts:
        for setting, column2, indicator, column1 in part.rows:
            partners.setdefault((setting, column2, indicator), []).append(column1)
    return [(*key, " ".join(sorted(partners[key]))) for key in sorted(partners)]


def _limits(parts: Sequence[Part]) -> list[Row]:
    """One row a code: units in either setting, then the indicators of both."""
    by_half = {str(part.kind.half): part.rows for part in parts}
    office, hospital = by_half.get("professional", {}), by_half.get("facility", {})
    rows: list[Row] = []
    for key in sorted({*office, *hospital}):
        (code,) = key
        office_units, office_indicator = office.get(key, ("", ""))
        units, indicator = hospital.get(key, ("", ""))
        rows.append((code, office_units, units, office_indicator, indicator))
    return rows


_ROWS: dict[str, Callable[[Sequence[Part]], list[Row]]] = {"ptp": _pairs, "mue": _limits}
