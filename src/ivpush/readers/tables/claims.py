"""Claim lines of other layouts by a column map: CMS research files, the Integrated Data Repository.

``reader.read`` comes here with a map of lines. One row a line, the claim's own columns repeated. A
claim alone says nothing of minutes or access: encounters have no chart. A line without a procedure
code is left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO, Any

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError, first_faults
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.tables.cells import Row, Table
from ivpush.readers.tables.forms import whole
from ivpush.readers.tables.groups import MOST_TOLD, Group
from ivpush.readers.tables.joining import with_join
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.lookup import Lookup
from ivpush.readers.tables.maps import load_map
from ivpush.readers.tables.opening import open_table
from ivpush.readers.tables.readings import Reading, readings

__all__ = [
    "claims_of",
    "read",
    "with_options",
]

_SHAPES = {
    "place_of_service": re.compile("[0-9]{2}"),
    "revenue_code": re.compile("[0-9]{3,4}"),
    "type_of_bill": re.compile("0?[0-9]{2}[0-9A-Z]"),
    "diagnoses": re.compile("[A-Z][0-9A-Z.]{2,8}"),
}
_BILLED = "became a claim line"
_NO_CODE = "left out: bills no procedure code"


def read(name: str, stream: IO[bytes], options: ReadOptions) -> Iterator[Record | SetAside | Note]:
    """The claims of a table of lines.

    Raises UsageError or PackError for a map that is none, or that does not fit the table.
    """
    column_map = load_map(options.map or "")
    try:
        table = open_table(
            name, stream, column_map.delimiter, column_map.encoding, column_map.names
        )
        table = with_join(table, column_map, options)
        lookup = Lookup(table, column_map, options)
        lookup.need("encounter", "code", "units")
    except InputError as error:
        yield SetAside(name, error)
        return
    yield from lookup.opening_notes()
    yield from claims_of(table, lookup, options)


def claims_of(
    table: Table, lookup: Lookup, options: ReadOptions, total: Ledger | None = None
) -> Iterator[Record | SetAside | Note]:
    """Claims of an opened table, then the notes that account for its rows in ``total``."""
    total = total or Ledger()
    reading = Reading(
        encounter=lambda group, ledger: _claim(group, lookup, options, ledger),
        set_aside="set aside with their claim",
    )
    yield from readings(lookup, reading, total)
    yield from (Note(table.name, text) for text in table.closing())
    yield from total.notes(table.name)


def _claim(group: Group, lookup: Lookup, options: ReadOptions, ledger: Ledger) -> Encounter:
    shared: dict[str, Any] = {}
    lines: list[dict[str, Any]] = []
    faults: list[Fault] = []
    seen: set[tuple[str, ...]] = set()
    lookup.refuse_unknown(group.rows, "status", ledger)
    for row in group.rows:
        content = lookup.content(row)
        fate = _fate(row, lookup, ledger, again=content in seen)
        ledger.fate(fate, row.number)
        if fate == _BILLED:
            # Where lines are not numbered, their order numbers them.
            line = {"number": len(lines) + 1, **_line(row, lookup, faults, ledger)}
            lines.append(line)
        seen.add(content)
        # Columns of the claim are repeated on every line; the first that says something stands.
        for fact, value in _shared(row, lookup, ledger).items():
            # No diagnosis on one line is no word on those of another.
            if not shared.get(fact):
                shared[fact] = value
    if faults:
        raise InputError(first_faults(faults, len(faults), MOST_TOLD))
    if not lines:
        problem = "has no line that stands and bills a procedure code"
        raise InputError(Fault("the claim", problem, "nothing of it can be judged"))
    record = {
        "id": group.encounter,
        "timezone": lookup.timezone,
        "setting": lookup.map.setting,
        **shared,
        "lines": lines,
    }
    return Encounter.model_validate(with_options(record, options))


def _fate(row: Row, lookup: Lookup, ledger: Ledger, *, again: bool) -> str:
    """What becomes of a row; a repeated one counts only where lines are numbered."""
    state = lookup.word(row, "status", ledger)
    if again and lookup.text(row, "number"):
        return "left out: the same row again"
    if state not in {None, "keep", "unverified"}:
        return f"left out: {str(state).replace('_', ' ')}"
    return _BILLED if lookup.text(row, "code") else _NO_CODE


def _line(row: Row, lookup: Lookup, faults: list[Fault], ledger: Ledger) -> dict[str, Any]:
    line: dict[str, Any] = {
        "code": lookup.text(row, "code"),
        "number": _whole(row, lookup, "number", faults) if lookup.text(row, "number") else None,
        "units": _whole(row, lookup, "units", faults),
        "modifiers": [modifier for modifier in lookup.texts(row, "modifiers") if modifier],
        "date": _date(row, lookup, ledger),
        "place_of_service": _code(row, lookup, "place_of_service", ledger),
        "revenue_code": _code(row, lookup, "revenue_code", ledger),
        "charge": lookup.quantity(row, "charge", ledger),
        "minutes": whole(lookup.text(row, "minutes")),
        "ndc": _ndc(row, lookup, ledger),
    }
    return {field: value for field, value in line.items() if value is not None}


def _whole(row: Row, lookup: Lookup, fact: str, faults: list[Fault]) -> int | None:
    value = whole(lookup.with_point(lookup.text(row, fact)))
    if value is None:
        place = lookup.table.place(row.number)
        faults.append(Fault(place, f"{fact} is no whole number", "write whole units of service"))
    return value


def _date(row: Row, lookup: Lookup, ledger: Ledger) -> date | None:
    at = lookup.time(row, "date", ledger)
    return at.date() if isinstance(at, datetime) else at


def _code(row: Row, lookup: Lookup, fact: str, ledger: Ledger) -> str | None:
    # A column of codes with gaps becomes decimals on its way through a data frame.
    text = lookup.text(row, fact).removesuffix(".00").removesuffix(".0")
    if not text:
        return None
    if _SHAPES[fact].fullmatch(text) is None:
        ledger.remark(f"{fact} is no code of that kind", row.number)
        return None
    return text


def _ndc(row: Row, lookup: Lookup, ledger: Ledger) -> str | None:
    text = lookup.text(row, "ndc")
    return lookup.ndc(text, row, ledger) if text else None


def _shared(row: Row, lookup: Lookup, ledger: Ledger) -> dict[str, Any]:
    """What the row says of the whole claim."""
    stated = {
        "setting": lookup.word(row, "setting", ledger),
        "payer": lookup.text(row, "payer") or None,
        "type_of_bill": _type_of_bill(row, lookup, ledger),
        "diagnoses": _diagnoses(row, lookup, ledger),
    }
    return {field: value for field, value in stated.items() if value is not None}


def _type_of_bill(row: Row, lookup: Lookup, ledger: Ledger) -> str | None:
    """The type of bill, which CMS files write in parts: facility, classification, frequency."""
    text = "".join(lookup.texts(row, "type_of_bill"))
    if not text:
        return None
    if _SHAPES["type_of_bill"].fullmatch(text) is None:
        ledger.remark("the type of bill is no code of that kind", row.number)
        return None
    return text


def _diagnoses(row: Row, lookup: Lookup, ledger: Ledger) -> list[str] | None:
    """Each ICD-10-CM code once, in the order of the columns; None where none can be read."""
    # Some exports pad a code with blanks.
    codes = [text.replace(" ", "") for text in lookup.texts(row, "diagnoses") if text]
    good = [code for code in codes if _SHAPES["diagnoses"].fullmatch(code)]
    if len(good) < len(codes):
        ledger.remark("a diagnosis is no code of ICD-10-CM", row.number)
    is_empty = not codes and bool(lookup.places.get("diagnoses"))
    return list(dict.fromkeys(good)) if good or is_empty else None


def with_options(record: dict[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The record with what only the caller knows; raises InputError for want of a setting."""
    known = {
        field: getattr(options, field) if record.get(field) is None else record[field]
        for field in ("setting", "timezone", "payer")
    }
    if known["setting"] is None:
        problem = "is stated by neither the table nor the caller"
        raise InputError(Fault("setting", problem, "state facility or professional"))
    return {**record, **known}
