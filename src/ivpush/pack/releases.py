"""Dated tables as CMS and others publish them: each release counts from its date until the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Generic, NamedTuple, TypeVar, get_args

from ivpush.contract.facts import BillUse
from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.pack.discards import Asks, read_discards
from ivpush.pack.files import Layer, Say, csv_of, read_csv, word_of
from ivpush.pack.later import Later
from ivpush.pack.surroundings import (
    Answer,
    CodeRange,
    Owner,
    read_answers,
    read_owners,
    read_procedures,
    read_uses,
)
from ivpush.records import record

__all__ = [
    "NOTED",
    "QUARTERLY",
    "TABLES",
    "TITLES",
    "PairTable",
    "Pairs",
    "Release",
    "Releases",
    "latest",
    "quarter_end",
    "read_tables",
    "table_on",
]


@record
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


# Edits that bar or cap a line: an old one may be wrong either way, so a run names it.
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

_KEYS: dict[str, int] = {
    **dict.fromkeys(("mue", "pos", "tob", "ndc", "indicators", "opps", "asp", "products"), 1),
    **dict.fromkeys(("addon", "denials", "discards"), 2),
    **dict.fromkeys(("ptp", "beside"), 3),
}
"""How many of a table's first columns name a row; of two such rows one would count in silence."""
_CODES = "[A-Z0-9]{5}"
_CODE = (_CODES, "write a code of five capitals or digits, zeros in front included")
_FORMS: dict[tuple[str, str], tuple[str, str]] = {
    **dict.fromkeys([("ptp", "column2"), ("ndc", "hcpcs")], _CODE),
    **dict.fromkeys([("addon", "add_on"), ("addon", "primary")], _CODE),
    **{(kind, "code"): _CODE for kind in ("mue", "indicators", "opps", "asp", "singledose")},
    ("ptp", "column1"): (f"{_CODES}( {_CODES})*", "write codes of five signs, spaces between"),
    ("ptp", "setting"): ("facility|professional", "write facility or professional"),
    ("pos", "facility"): ("true|false", "write true or false"),
}
"""What the cells of a column look like, by table and column: others would fit nothing, unsaid."""

TITLES: dict[str, str] = {
    "ptp": "NCCI pairs",
    "mue": "MUE",
    "addon": "NCCI add-on codes",
    "pos": "places of service",
    "tob": "types of bill",
    "denials": "denial codes",
    "ndc": "NDC crosswalk",
    "indicators": "fee schedule indicators",
    "opps": "OPPS Addendum B",
    "asp": "ASP prices",
    "products": "brands",
    "discards": "discard modifiers",
    "singledose": "single-dose codes",
    "owners": "codes that pay for giving a drug",
    "procedures": "groups of procedures",
    "uses": "uses of drugs",
    "beside": "drugs beside procedures",
}
"""What people call each of them."""


Table = TypeVar("Table")
Table_co = TypeVar("Table_co", covariant=True)
Rows = Iterable[list[str]]


class Content(NamedTuple, Generic[Table_co]):
    """What one file of a table holds."""

    table: Table_co
    rows: int


@record
class Release(Generic[Table_co]):
    """One release of a table: from when it counts, and which pack of the stack holds it."""

    day: date
    name: str
    pack: int
    content: Later[Content[Table_co]]

    @property
    def table(self) -> Table_co:
        """What it holds."""
        return self.content.get().table

    @property
    def rows(self) -> int:
        """How many rows its file has."""
        return self.content.get().rows


@record
class Releases:
    """The releases of every kind of table, by date; of one date the later pack's comes last."""

    ptp: Sequence[Release[PairTable]] = ()
    mue: Sequence[Release[Mapping[str, Mapping[str, tuple[int, int]]]]] = ()
    """Units and adjudication indicator, by setting and code."""
    addon: Sequence[Release[Mapping[str, frozenset[str]]]] = ()
    """Primaries by add-on."""
    pos: Sequence[Release[Mapping[str, bool]]] = ()
    """Whether a place of service is a facility; those without a row are unassigned."""
    tob: Sequence[Release[Mapping[str, BillUse]]] = ()
    """What the first digits of a type of bill make of these services."""
    denials: Sequence[Release[Mapping[tuple[str, str], bool]]] = ()
    """Whether a denial code of a kind is active."""
    ndc: Sequence[Release[Mapping[str, str]]] = ()
    """HCPCS codes by NDC."""
    indicators: Sequence[Release[Mapping[str, tuple[str, ...]]]] = ()
    """What the fee schedule says of a code: the columns after it."""
    opps: Sequence[Release[Mapping[str, tuple[str, str | None]]]] = ()
    """Status indicator and APC by code."""
    asp: Sequence[Release[Mapping[str, tuple[str, ...]]]] = ()
    """Dosage and payment limit by code."""
    products: Sequence[Release[Mapping[str, str]]] = ()
    """HCPCS codes by brand."""
    discards: Sequence[Release[Mapping[tuple[str, str], Asks]]] = ()
    singledose: Sequence[Release[frozenset[str]]] = ()
    owners: Sequence[Release[Sequence[Owner]]] = ()
    procedures: Sequence[Release[Sequence[tuple[CodeRange, str]]]] = ()
    uses: Sequence[Release[Mapping[str, frozenset[str]]]] = ()
    beside: Sequence[Release[Mapping[tuple[str, str, str], Answer]]] = ()

    def by_kind(self) -> dict[str, Sequence[Release[object]]]:
        """The releases of the kinds that the packs hold, whatever stands in their tables."""
        return {kind: releases for kind in TABLES if (releases := getattr(self, kind))}


def latest(releases: Sequence[Release[Table]], day: date) -> Release[Table] | None:
    """The latest release that is not after a date; of two, the later pack's."""
    # Never a later release: CMS edits apply from their date and not before it.
    able = [release for release in releases if release.day <= day]
    return max(able, key=lambda release: (release.day, release.pack)) if able else None


def table_on(releases: Sequence[Release[Table]], day: date, before: Table) -> Table:
    """The table that counts on a date; ``before`` stands for one before the first release."""
    release = latest(releases, day)
    return release.table if release is not None else before


def quarter_end(day: date) -> date:
    """The last day of the quarter that a release of a date is for."""
    within = day + EARLY
    # Month 1, 4, 7 or 10; adding 3 reaches January of the next year from 10.
    first = within.month - (within.month - 1) % 3
    after = date(within.year + first // 10, (first + 2) % 12 + 1, 1)
    return after - timedelta(days=1)


class _File(NamedTuple):
    """A table's file: the day of its release, which pack holds it, its kind and name."""

    day: date
    pack: int
    kind: str
    name: str
    raw: bytes


def read_tables(layers: Sequence[Layer], say: Say, *, checked: bool = False) -> Releases:
    """Every table of a stack of packs; the later release counts, and of one date the later pack.

    Tables that were ``checked`` before are read when they are first asked for.
    """
    files = _Files(layers, say, checked=checked)
    return Releases(
        ptp=files.read("ptp", _ptp),
        mue=files.read("mue", _mue),
        addon=files.read("addon", _addon),
        pos=files.read("pos", lambda rows: {row[0]: row[1] == "true" for row in rows}),
        tob=files.read("tob", _tob),
        denials=files.read("denials", _denials),
        ndc=files.read("ndc", _pairs),
        indicators=files.read("indicators", _cells),
        opps=files.read("opps", lambda rows: {row[0]: (row[1], row[2] or None) for row in rows}),
        asp=files.read("asp", _cells),
        products=files.read("products", _pairs),
        discards=files.read("discards", read_discards),
        singledose=files.read("singledose", lambda rows: frozenset([row[0] for row in rows])),
        owners=files.read("owners", read_owners),
        procedures=files.read("procedures", read_procedures),
        uses=files.read("uses", read_uses),
        beside=files.read("beside", read_answers),
    )


class _Files:
    """The tables' files of a stack of packs, read kind by kind."""

    def __init__(self, layers: Sequence[Layer], say: Say, *, checked: bool) -> None:
        self._say, self._checked = say, checked
        named = [
            file
            for n, layer in enumerate(layers)
            for name in layer
            if name.startswith("tables/")
            and (file := _file(name, csv_of(layer, name), n, say)) is not None
        ]
        # By day, then pack: a later pack's release of the same day comes last and counts.
        self._files = sorted(named)

    def read(self, kind: str, table_of: Callable[[Rows], Table]) -> list[Release[Table]]:
        """The releases of one kind; what cannot be read is said and left out."""
        files = [file for file in self._files if file.kind == kind]
        if self._checked:
            return [_later(file, table_of) for file in files]
        releases = (_release(file, table_of, self._say) for file in files)
        return [release for release in releases if release is not None]


def _file(name: str, raw: bytes, pack: int, say: Say) -> _File | None:
    """What the name of a table's file says; None where it is none."""
    # Years from 1900 to 2199, so that the end of its quarter is always a day too.
    parts = re.fullmatch(r"tables/([a-z]+)-((?:19|20|21)\d\d-\d\d-\d\d)\.csv", name, re.ASCII)
    if parts is None or parts[1] not in TABLES:
        say(Fault(f"{name}:1:1", "is no table of this pack", did_you_mean(name, TABLES)))
        return None
    try:
        return _File(date.fromisoformat(parts[2]), pack, parts[1], name, raw)
    except ValueError:
        say(Fault(f"{name}:1:1", "is named after no day", "write the release as YYYY-MM-DD"))
        return None


def _later(file: _File, table_of: Callable[[Rows], Table]) -> Release[Table]:
    """A release whose table is read when it is first asked for."""
    return Release(file.day, file.name, file.pack, Later(lambda: _content(file, table_of)))


def _content(file: _File, table_of: Callable[[Rows], Table]) -> Content[Table]:
    rows = [row for _, row in read_csv(file.name, file.raw, TABLES[file.kind])]
    return Content(table_of(rows), len(rows))


def _release(file: _File, table_of: Callable[[Rows], Table], say: Say) -> Release[Table] | None:
    lines: list[tuple[int, list[str]]] = []
    try:
        lines = list(read_csv(file.name, file.raw, TABLES[file.kind]))
        table = table_of([row for _, row in lines])
    except PackError as error:
        for fault in error.faults:
            say(fault)
        return None
    except ValueError:
        # Read row by row only after a failure, since good tables are read whole.
        bad = [line for line, row in lines if not _fits(table_of, row)]
        for place in [f"{file.name}:{line}" for line in bad] or [file.name]:
            problem = "holds a number or a word that does not fit"
            say(Fault(place, problem, "write whole numbers, and words as other rows have them"))
        return None
    for line, problem, remedy in _odd(file.kind, lines):
        say(Fault(f"{file.name}:{line}", problem, remedy))
    return Release(file.day, file.name, file.pack, Later.of(Content(table, len(lines))))


def _odd(kind: str, lines: Sequence[tuple[int, list[str]]]) -> Iterator[tuple[int, str, str]]:
    """Rows that can be read, but would never count: line, what is wrong, what to write."""
    forms = [
        (place, column, re.compile(_FORMS[kind, column][0]), _FORMS[kind, column][1])
        for place, column in enumerate(TABLES[kind])
        if (kind, column) in _FORMS
    ]
    keys, seen = _KEYS.get(kind, 0), dict[tuple[str, ...], list[str]]()
    for line, row in lines:
        for place, column, form, remedy in forms:
            if form.fullmatch(row[place]) is None:
                yield line, f"{column} does not fit", remedy
        if keys and seen.setdefault(tuple(row[:keys]), row) != row:
            yield line, "says otherwise than an earlier row", "keep one of them"


def _fits(table_of: Callable[[Rows], object], row: list[str]) -> bool:
    """Whether one row of a table can be read."""
    try:
        table_of([row])
    except ValueError:
        return False
    return True


def _ptp(rows: Rows) -> PairTable:
    table: dict[tuple[str, str], dict[str, str]] = {}
    for setting, two, indicator, ones in rows:
        # 0 never, 1 with a modifier, 9 not applicable: a pair of 9 was deleted when it began.
        if int(indicator) < 2:
            table.setdefault((setting, two), {})[indicator] = ones
    return PairTable(table)


def _mue(rows: Rows) -> dict[str, dict[str, tuple[int, int]]]:
    table: dict[str, dict[str, tuple[int, int]]] = {"professional": {}, "facility": {}}
    for code, office, hospital, mai_office, mai_hospital in rows:
        # An empty cell: CMS publishes no MUE of the code for that kind of claim.
        if office:
            table["professional"][code] = (int(office), int(mai_office))
        if hospital:
            table["facility"][code] = (int(hospital), int(mai_hospital))
    return table


def _addon(rows: Rows) -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for code, primary, _ in rows:
        # One row a pair, as CMS lists them.
        table.setdefault(code, set()).add(primary)
    return {code: frozenset(those) for code, those in table.items()}


def _denials(rows: Rows) -> dict[tuple[str, str], bool]:
    return {(kind, code): not ended for kind, code, ended in rows}


def _tob(rows: Rows) -> dict[str, BillUse]:
    words: tuple[BillUse, ...] = get_args(BillUse)
    return {row[0]: word_of(words, row[1]) for row in rows}


def _pairs(rows: Rows) -> dict[str, str]:
    """The second cell of a row by its first."""
    return {row[0]: row[1] for row in rows}


def _cells(rows: Rows) -> dict[str, tuple[str, ...]]:
    """The cells of a row by its first."""
    return {row[0]: tuple(row[1:]) for row in rows}
