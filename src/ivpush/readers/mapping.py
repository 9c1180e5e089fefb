"""Column maps proposed from a file, and tried on one: what each row became, what is not understood.

``ivpush maps new`` and ``maps check`` call it, and ``frames`` for frames of another layout. A
proposal takes a fact for a column only where a shipped map knows its name; what cannot be told from
the file is left to its reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
from ivpush.readers.mar.reader import encounters_of
from ivpush.readers.tables.cells import Bad, Row, Table, text_of
from ivpush.readers.tables.claims import claims_of
from ivpush.readers.tables.forms import look_of, plain_text, usual_forms
from ivpush.readers.tables.headers import fold, usual_names
from ivpush.readers.tables.joining import with_join
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.lookup import Lookup
from ivpush.readers.tables.maps import TIMES, ColumnMap, load_map, map_names, nearest_map, words_of
from ivpush.readers.tables.opening import open_table

__all__ = ["Proposal", "Trial", "known_names", "mapped", "propose", "try_map"]

_MOST_ROWS = 1_000
"""Rows of a file that are looked at for a proposal."""
_MOST_WORDS = 20
_CLOSED = ("action", "status", "route", "method", "role", "setting", "category")
"""Facts whose cells must be words that a table knows."""
_DRUGS = frozenset({"drug", "hcpcs", "ndc", "code"})
_LINES = "lines"
_FIRST_LINE = (
    "# Proposed from the header and the first rows: check every line, complete those with TODO."
)


def known_names() -> tuple[str, ...]:
    """Every name of a column in a shipped map."""
    return tuple(name for each in map_names() for name in load_map(each).names)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A map for a file as far as it can be told: the text of it, ready to be completed."""

    text: str
    open: int
    """Lines of it that somebody must complete."""


def propose(table: Table) -> Proposal:
    """A map for an opened table, by its header and its first rows."""
    facts = _facts(table.columns)
    kind = _LINES if {"code", "units"} <= set(facts[_LINES].values()) else "administrations"
    columns = facts[kind]
    rows = [row for _, row in zip(range(_MOST_ROWS), table.rows, strict=False)]
    cells = [row.cells for row in rows if isinstance(row, Row)]
    shape = "event" if "action" in columns.values() and kind != _LINES else "dose"
    head = [_FIRST_LINE, "id: our-map", "title: Our export", "confidence: low"]
    head += ["sources: [our own export]"]
    near = nearest_map(table.columns)
    if near is not None:
        head.insert(1, f"# The shipped map '{near}' knows most of its columns: try that first.")
    head += [f"table: {kind}"] if kind == _LINES else [f"shape: {shape}"]
    times = _times(columns, cells)
    mapped = _columns(table.columns, columns, shape, kind)
    values = list(_values(columns, cells))
    body = [*head, *times, "columns:", *mapped, *(["values:", *values] if values else [])]
    return Proposal("\n".join(body) + "\n", sum("# TODO" in line for line in body))


def _facts(columns: Sequence[str]) -> dict[str, dict[int, str]]:
    """The fact of each column that a shipped map knows, by kind of table."""
    known: dict[str, dict[str, str]] = {_LINES: {}, "administrations": {}}
    for each in map_names():
        shipped = load_map(each)
        for fact, names in shipped.columns.items():
            for name in names:
                known[shipped.table].setdefault(fold(name), fact)
    # Other usual names; a column that the contract has, but no map, is left to the reader.
    for kind, facts in known.items():
        readable = set(facts.values())
        for name, column in usual_names().get(kind, {}).items():
            if column in readable:
                facts.setdefault(name, column)
    return {
        kind: {at: names[fold(name)] for at, name in enumerate(columns) if fold(name) in names}
        for kind, names in known.items()
    }


def _columns(
    header: Sequence[str], facts: Mapping[int, str], shape: str, kind: str
) -> Iterator[str]:
    by_fact: dict[str, list[str]] = {}
    for at, fact in facts.items():
        by_fact.setdefault(fact, []).append(header[at])
    needed = ["encounter", *(["code", "units"] if kind == _LINES else [])]
    needed += ["action", "action_time"] if shape == "event" else []
    if kind != _LINES:
        # Without these nothing of a chart can be judged.
        needed += [] if by_fact.keys() & _DRUGS else ["drug"]
        needed += [] if shape == "event" or by_fact.keys() & set(TIMES) else ["start"]
    for fact in needed:
        if fact not in by_fact:
            yield f"  # TODO {fact}: the column of it"
    for fact, names in by_fact.items():
        written = names[0] if len(names) == 1 else "[" + ", ".join(map(_quoted, names)) + "]"
        yield f"  {fact}: {written if len(names) > 1 else _quoted(written)}"
    for at, name in enumerate(header):
        if at not in facts and name:
            yield f"  # not mapped: {name}"


def _quoted(name: str) -> str:
    return name if fold(name) == name.casefold() else '"' + name.replace('"', '\\"') + '"'


def _times(facts: Mapping[int, str], cells: Sequence[Sequence[object]]) -> Iterator[str]:
    """The forms in which every time of the first rows can be read."""
    places = [at for at, fact in facts.items() if fact in TIMES]
    texts = {text_of(row[at]).strip() for row in cells for at in places if isinstance(row[at], str)}
    texts.discard("")
    if not texts:
        yield "times: {forms: [iso]}"
        return
    forms = [set(usual_forms(text)) for text in texts]
    fitting = set.intersection(*forms)
    if len(fitting) == 1:
        yield f"times: {{forms: [{fitting.pop()}]}}"
    elif fitting:
        yield f"# TODO times: {{forms: [...]}} with one of: {' | '.join(sorted(fitting))}"
    else:
        looks = sorted({look_of(text)[:40] for text in texts})[:5]
        yield f"# TODO times: {{forms: [...]}} for times written as {' | '.join(looks)}"


def _values(facts: Mapping[int, str], cells: Sequence[Sequence[object]]) -> Iterator[str]:
    """Words of closed facts that no table knows, each to be given a meaning."""
    generic = load_map("generic-event")
    lookup = Lookup(Table("", [], iter(()), by_line=True), generic, ReadOptions())
    for at, fact in facts.items():
        if fact not in _CLOSED:
            continue
        words = {plain_text(text_of(row[at])) for row in cells} - {""}
        unknown = sorted(word for word in words if lookup.known(fact, word) is None)
        if unknown:
            yield f"  {fact}:  # one of: {', '.join(words_of(fact))}"
            for word in unknown[:_MOST_WORDS]:
                yield f'    # TODO "{word}": '


class _Unknown(NamedTuple):
    """What is not understood of a table: words by fact, and looks of times by fact."""

    words: dict[str, Counter[str]]
    times: dict[str, Counter[str]]


@dataclass(slots=True)
class Trial:
    """What a map makes of a file.

    ::

        trial = try_map("mar.csv", stream, again, ReadOptions(map="epic-mar-admin-info"))
        trial.rows[2]        # "became an administration"
    """

    rows: dict[int, str]
    """The fate of each row, by its line or number."""
    encounters: int = 0
    aside: list[SetAside] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    words: dict[str, Counter[str]] = field(default_factory=dict)
    """Cells of closed facts that no table knows, with how often they stand there."""
    times: dict[str, Counter[str]] = field(default_factory=dict)
    """How times are written that no declared form reads."""


def try_map(name: str, first: IO[bytes], again: IO[bytes], options: ReadOptions) -> Trial:
    """Read a file with a map, twice: once for its words, once for its encounters."""
    column_map = load_map(options.map or "")
    unknown = _unknown(_opened(name, first, column_map, options))
    ledger = Ledger(each=True)
    trial = Trial(ledger.each or {}, words=unknown.words, times=unknown.times)
    for reading in _readings(_opened(name, again, column_map, options), options, ledger):
        if isinstance(reading, Record):
            trial.encounters += 1
        elif isinstance(reading, SetAside):
            trial.aside.append(reading)
        else:
            trial.notes.append(reading)
    trial.rows = dict(sorted((ledger.each or {}).items()))
    return trial


def mapped(table: Table, column_map: ColumnMap, options: ReadOptions) -> Iterator[Reading]:
    """The encounters of an opened table by a map; raises UsageError where a column is lacking."""
    joined = with_join(table, column_map, options)
    yield from _readings(Lookup(joined, column_map, options), options, Ledger())


def _readings(lookup: Lookup, options: ReadOptions, ledger: Ledger) -> Iterator[Reading]:
    of_lines = lookup.map.table == _LINES
    events = ("action", "action_time") if lookup.map.shape == "event" and not of_lines else ()
    lookup.need("encounter", *(("code", "units") if of_lines else events))
    yield from lookup.opening_notes()
    yield from (claims_of if of_lines else encounters_of)(lookup.table, lookup, options, ledger)


def _opened(name: str, stream: IO[bytes], column_map: ColumnMap, options: ReadOptions) -> Lookup:
    table = open_table(name, stream, column_map.delimiter, column_map.encoding, column_map.names)
    return Lookup(with_join(table, column_map, options), column_map, options)


def _unknown(lookup: Lookup) -> _Unknown:
    words: dict[str, Counter[str]] = {}
    times: dict[str, Counter[str]] = {}
    for row in lookup.table.rows:
        if isinstance(row, Bad):
            continue
        for fact in _CLOSED:
            text = plain_text(lookup.text(row, fact))
            if text and not lookup.words(row, fact, Ledger()) and not lookup.known(fact, text):
                words.setdefault(fact, Counter())[text] += 1
        fault = lookup.unread_time([row])
        if fault is not None:
            times.setdefault(fault.problem, Counter())[fault.remedy] += 1
    return _Unknown(words, times)
