"""Claim lines of other layouts by a column map: CMS research files, the Integrated Data Repository.

One row a line, the claim's own columns repeated. A claim alone says nothing of minutes or access:
encounters have no chart. A line without a procedure code is left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.mar.doses import Look
from ivpush.readers.tables.cells import Bad, Group, Row, grouped, open_table, text_of
from ivpush.readers.tables.forms import ndc, whole
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.maps import load_map

__all__ = [
    "MOST_TOLD",
    "read",
    "with_options",
]

MOST_TOLD = 5
"""How many faults of one encounter are told."""

_SHAPES = {
    "place_of_service": re.compile("[0-9]{2}"),
    "revenue_code": re.compile("[0-9]{3,4}"),
    "type_of_bill": re.compile("0?[0-9]{2}[0-9A-Z]"),
    "diagnoses": re.compile("[A-Z][0-9A-Z.]{2,8}"),
}
_BILLED = "became a claim line"
_NO_CODE = "left out: bills no procedure code"


def read(name: str, stream: IO[bytes], options: ReadOptions) -> Iterator[Record | SetAside | Note]:
    """The claims of a table of lines; raises UsageError or PackError for a map that is none."""
    columns = load_map(options.map or "")
    try:
        table = open_table(name, stream, columns.delimiter, columns.encoding)
        look = Look(table, columns, options)
        look.need("encounter", "code", "units")
    except InputError as error:
        yield SetAside(name, error)
        return
    if look.missing:
        yield Note(name, f"lacks {len(look.missing)} column(s) that the map '{columns.id}' names, "
                         f"whose facts stay open: {', '.join(look.missing)}")  # fmt: skip
    total = Ledger()
    for group in grouped(table, look.places["encounter"][0], columns.sorted):
        if isinstance(group, Bad):
            place = table.place(group.number)
            total.fate("set aside: cannot be read", group.number)
            yield SetAside(place, InputError(Fault(place, group.problem, group.remedy)))
            continue
        own, first = Ledger(), (group.rows or group.faults)[0].number
        try:
            if group.faults:
                raise InputError([Fault(table.place(one.number), one.problem, one.remedy)
                                  for one in group.faults[:MOST_TOLD]])  # fmt: skip
            made = Record(table.place(first), _claim(group, look, options, own))
        except InputError as error:
            total.fate("set aside with their claim", first, group.count)
            yield SetAside(table.place(first), error)
            continue
        total.take(own)
        yield made
    yield from total.notes(name, _BILLED)


def _claim(group: Group, look: Look, options: ReadOptions, ledger: Ledger) -> Encounter:
    lines: list[dict[str, Any]] = []
    record: dict[str, Any] = {"id": group.encounter, "timezone": look.timezone}
    seen: set[tuple[str, ...]] = set()
    faults: list[Fault] = []
    for row in group.rows:
        cells = look.told_by(row)
        state = look.word(row, "status", ledger)
        if look.text(row, "number") and cells in seen:
            ledger.fate("left out: the same row again", row.number)
        elif state is None and look.text(row, "status"):
            ledger.fate("left out: its state is not known", row.number)
        elif state not in {None, "keep"}:
            ledger.fate(f"left out: {str(state).replace('_', ' ')}", row.number)
        elif not look.text(row, "code"):
            ledger.fate(_NO_CODE, row.number)
        else:
            ledger.fate(_BILLED, row.number)
            lines.append(_line(row, look, len(lines) + 1, faults, ledger))
        seen.add(cells)
        _shared(row, look, record, ledger)
    if faults:
        raise InputError(faults[:MOST_TOLD])
    if not lines:
        raise InputError(Fault("the claim", "has no line that stands and bills a procedure code",
                               "nothing of it can be judged"))  # fmt: skip
    record["lines"] = lines
    record.setdefault("setting", look.map.setting)
    return Encounter.model_validate(with_options(record, options))


def _line(
    row: Row, look: Look, position: int, faults: list[Fault], ledger: Ledger
) -> dict[str, Any]:
    place = look.table.place(row.number)
    made: dict[str, Any] = {"code": look.text(row, "code")}
    for fact, instead in (("number", position), ("units", None)):
        text = look.text(row, fact)
        value = whole(text) if text else instead
        if value is None:
            faults.append(
                Fault(place, f"{fact} is no whole number", "write whole units of service")
            )
        made[fact] = value
    made["modifiers"] = [one for one in _all(row, look, "modifiers") if one]
    at = look.time(row, "date", ledger)
    if at is not None:
        made["date"] = at.date() if isinstance(at, datetime) else at
    for fact in ("place_of_service", "revenue_code"):
        text = look.text(row, fact).removesuffix(".00").removesuffix(".0")
        if text and _SHAPES[fact].fullmatch(text):
            made[fact] = text
        elif text:
            ledger.remark(f"{fact} is no code of that kind", row.number)
    charge = look.quantity(row, "charge", ledger)
    if charge is not None:
        made["charge"] = charge
    if look.text(row, "minutes"):
        made["minutes"] = whole(look.text(row, "minutes"))
    if look.text(row, "ndc"):
        made["ndc"], mended = ndc(look.text(row, "ndc"), look.map.ndc_digits)
        if mended or made["ndc"] is None:
            ledger.remark("the NDC had lost its leading zeros, which were put back" if mended else
                          "the NDC is no code of 10 or 11 digits", row.number)  # fmt: skip
    return made


def _all(row: Row, look: Look, fact: str) -> list[str]:
    return [text_of(row.cells[place]).strip() for place in look.places.get(fact, ())]


def _shared(row: Row, look: Look, record: dict[str, Any], ledger: Ledger) -> None:
    """What the row says of the whole claim; the first row that says it stands."""
    bill = "".join(_all(row, look, "type_of_bill"))
    found: dict[str, Any] = {
        "setting": look.word(row, "setting", ledger), "payer": look.text(row, "payer") or None
    }  # fmt: skip
    if bill:
        found["type_of_bill"] = bill if _SHAPES["type_of_bill"].fullmatch(bill) else None
        if found["type_of_bill"] is None:
            ledger.remark("the type of bill is no code of that kind", row.number)
    codes = [one.replace(" ", "") for one in _all(row, look, "diagnoses") if one]
    good = [one for one in codes if _SHAPES["diagnoses"].fullmatch(one)]
    if len(good) < len(codes):
        ledger.remark("a diagnosis is no code of ICD-10-CM", row.number)
    if good:
        found["diagnoses"] = list(dict.fromkeys(good))
    for fact, value in found.items():
        if value is not None:
            record.setdefault(fact, value)


def with_options(record: dict[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The record with what only the caller knows; raises InputError for want of a setting."""
    for field in ("setting", "timezone", "payer"):
        if record.get(field) is None:
            record[field] = getattr(options, field)
    if record["setting"] is None:
        raise InputError(Fault("setting", "is stated by neither the table nor the caller",
                               "state facility or professional"))  # fmt: skip
    return record
