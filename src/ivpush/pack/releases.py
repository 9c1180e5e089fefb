"""Dated tables as CMS and others publish them: each release counts from its date until the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.pack.discards import read_discards
from ivpush.pack.files import Say, read_csv
from ivpush.pack.surroundings import read_answers, read_owners, read_procedures, read_uses

__all__ = [
    "NOTED",
    "QUARTERLY",
    "TABLES",
    "PairTable",
    "Pairs",
    "Release",
    "quarter_end",
    "read_tables",
]


@dataclass(frozen=True, slots=True)
class Pairs:
    """NCCI column-1 codes of one column-2 code: never billed beside it, or with a modifier only."""

    never: frozenset[str]
    with_modifier: frozenset[str]


class PairTable:
    """Pairs by setting and column-2 code; the long lists are split when first asked for."""

    __slots__ = ("_made", "_texts")

    def __init__(self, texts: dict[tuple[str, str], dict[str, str]]) -> None:
        self._texts = texts
        self._made: dict[tuple[str, str], Pairs] = {}

    def get(self, setting: str, code: str) -> Pairs | None:
        """The pairs of a column-2 code, or None where it has none."""
        key = (setting, code)
        # A table has many codes and a run asks for few, so no others become sets.
        made = self._made.get(key)
        if made is None and key in self._texts:
            text = self._texts[key]
            made = self._made[key] = Pairs(
                frozenset(text.get("0", "").split()), frozenset(text.get("1", "").split())
            )
        return made


EARLY = timedelta(days=31)
"""How long before its quarter a release may be dated, as CMS posts some of them."""
QUARTERLY = frozenset({"ptp", "mue", "addon", "opps", "asp", "ndc"})
"""The tables that CMS publishes anew each quarter."""


# Edits that bar or cap a line: an old one may be wrong either way, so findings name it.
NOTED = ("ptp", "mue", "addon")


TABLES: dict[str, tuple[str, ...]] = {
    "ptp": ("setting", "column2", "indicator", "column1"),
    "mue": ("code", "professional", "facility", "mai_professional", "mai_facility"),
    "addon": ("add_on", "primary", "type"),
    "pos": ("pos", "facility", "name"),
    "tob": ("prefix", "use", "name"),
    "denials": ("kind", "code", "ended"),
    "ndc": ("ndc", "hcpcs"),
    "indicators": ("code", "status", "pctc", "global_days", "facility_na"),
    "opps": ("code", "status_indicator", "apc"),
    "asp": ("code", "dosage", "payment_limit"),
    "products": ("name", "hcpcs", "source"),
    "discards": ("on", "value", "asks", "source"),
    "singledose": ("code", "source"),
    "owners": ("first", "last", "routes", "drugs", "when", "from", "to", "source"),
    "procedures": ("first", "last", "group", "source"),
    "uses": ("use", "drugs", "source"),
    "beside": ("group", "use", "method", "answer", "source"),
}
"""The tables that a pack may hold, ``tables/KIND-DATE.csv``, with their columns."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a table: from when it counts, and which pack of the stack holds it."""

    day: date
    table: Any
    name: str
    pack: int
    rows: int


def quarter_end(day: date) -> date:
    """The last day of the quarter that a release of a date is for."""
    within = day + EARLY
    # Month 1, 4, 7 or 10; adding 3 reaches January of the next year from 10.
    first = within.month - (within.month - 1) % 3
    after = date(within.year + first // 10, (first + 2) % 12 + 1, 1)
    return after - timedelta(days=1)


class _Named(NamedTuple):
    """A table by its file: the day of its release, which pack holds it, its kind and name."""

    day: date
    pack: int
    kind: str
    name: str


def read_tables(layers: Sequence[Mapping[str, Any]], say: Say) -> dict[str, list[Release]]:
    """Every table of a stack of packs; the later release counts, and of one date the later pack."""
    named = [
        table
        for n, layer in enumerate(layers)
        for name in layer
        if name.startswith("tables/") and (table := _named(name, n, say)) is not None
    ]
    releases: dict[str, list[Release]] = {}
    # By day, then pack: a later pack's release of the same day comes last and counts.
    for table in sorted(named):
        release = _read(table, layers[table.pack][table.name], say)
        if release is not None:
            releases.setdefault(table.kind, []).append(release)
    return releases


def _named(name: str, pack: int, say: Say) -> _Named | None:
    """What the name of a table's file says; None where it is none."""
    # Years from 1900 to 2199, so that the end of its quarter is always a day too.
    parts = re.fullmatch(r"tables/([a-z]+)-((?:19|20|21)\d\d-\d\d-\d\d)\.csv", name, re.ASCII)
    if parts is None or parts[1] not in TABLES:
        say(Fault(name, "is no table of this pack", did_you_mean(name, TABLES)))
        return None
    try:
        return _Named(date.fromisoformat(parts[2]), pack, parts[1], name)
    except ValueError:
        say(Fault(name, "is named after no day", "write the release as YYYY-MM-DD"))
        return None


def _read(table: _Named, raw: bytes, say: Say) -> Release | None:
    lines: list[tuple[int, list[str]]] = []
    read = _READERS[table.kind]
    try:
        lines = list(read_csv(table.name, raw, TABLES[table.kind]))
        content = read([row for _, row in lines])
    except PackError as error:
        for fault in error.faults:
            say(fault)
        return None
    except ValueError:
        # Read row by row only after a failure, since good tables are read whole.
        bad = [line for line, row in lines if not _fits(read, row)]
        for place in [f"{table.name}:{line}" for line in bad] or [table.name]:
            say(Fault(place, "holds a number that is none", "write whole numbers"))
        return None
    return Release(day=table.day, table=content, name=table.name, pack=table.pack, rows=len(lines))


def _fits(read: Callable[..., Any], row: list[str]) -> bool:
    """Whether one row of a table can be read."""
    try:
        read([row])
    except ValueError:
        return False
    return True


def _ptp(rows: Iterable[list[str]]) -> PairTable:
    table: dict[tuple[str, str], dict[str, str]] = {}
    for setting, two, indicator, ones in rows:
        # 0 never, 1 with a modifier, 9 not applicable: a pair of 9 was deleted when it began.
        if int(indicator) < 2:
            table.setdefault((setting, two), {})[indicator] = ones
    return PairTable(table)


def _mue(rows: Iterable[list[str]]) -> dict[str, dict[str, tuple[int, int]]]:
    table: dict[str, dict[str, tuple[int, int]]] = {"professional": {}, "facility": {}}
    for code, office, hospital, mai_office, mai_hospital in rows:
        # An empty cell: CMS publishes no MUE of the code for that kind of claim.
        if office:
            table["professional"][code] = (int(office), int(mai_office))
        if hospital:
            table["facility"][code] = (int(hospital), int(mai_hospital))
    return table


def _addon(rows: Iterable[list[str]]) -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for code, primary, _ in rows:
        # One row a pair, as CMS lists them.
        table.setdefault(code, set()).add(primary)
    return {code: frozenset(those) for code, those in table.items()}


def _denials(rows: Iterable[list[str]]) -> dict[tuple[str, str], bool]:
    return {(kind, code): not ended for kind, code, ended in rows}


_READERS: dict[str, Callable[[Iterable[list[str]]], Any]] = {
    "ptp": _ptp,
    "mue": _mue,
    "addon": _addon,
    "denials": _denials,
    # Places without a row are unassigned by CMS, which is not the same as no facility.
    "pos": lambda rows: {row[0]: row[1] == "true" for row in rows},
    "tob": lambda rows: {row[0]: row[1] for row in rows},
    "ndc": lambda rows: {row[0]: row[1] for row in rows},
    "indicators": lambda rows: {row[0]: tuple(row[1:]) for row in rows},
    "opps": lambda rows: {row[0]: (row[1], row[2] or None) for row in rows},
    "asp": lambda rows: {row[0]: tuple(row[1:]) for row in rows},
    "products": lambda rows: {row[0]: row[1] for row in rows},
    "discards": read_discards,
    "singledose": lambda rows: frozenset([row[0] for row in rows]),
    "owners": read_owners,
    "procedures": read_procedures,
    "uses": read_uses,
    "beside": read_answers,
}
