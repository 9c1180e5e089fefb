"""Medication administration records as tables: Epic, Cerner, PCORnet, OMOP, MIMIC, CLIF, eICU.

A column map says what the table means (``ReadOptions.map``, default ``generic-dose``). Rows become
encounters with a chart and no claim. Every row has one fate, told in the last notes: it became an
administration, told the course of one, was left out for a reason, or stands in an encounter that
was set aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.mar.doses import Dose, Look
from ivpush.readers.mar.runs import chain_runs, join_events, mix
from ivpush.readers.tables.cells import Bad, Group, Row, Table, grouped, open_table
from ivpush.readers.tables.ledger import KEPT, Ledger
from ivpush.readers.tables.maps import load_map

__all__ = [
    "encounters_of",
    "read",
]

DEFAULT_MAP = "generic-dose"
MOST_TOLD = 5
_SHARED = ("setting", "payer", "place_of_service", "type_of_bill", "date")
_DROPPED = {"not_given": "left out: not given", "deleted": "left out: deleted",
            "ignore": "left out: an event that gives nothing"}  # fmt: skip
_GIVING = frozenset({"push", "bolus", "dose", "flush", "start", "next_bag"})


def read(
    name: str, stream: IO[bytes], options: ReadOptions | None = None
) -> Iterator[Record | SetAside | Note]:
    """The encounters of a record's table; raises UsageError or PackError for a map that is none."""
    options = options or ReadOptions()
    columns = load_map(options.map or DEFAULT_MAP)
    if columns.table != "administrations":
        raise InputError(Fault(f"map {columns.id}", "is a map of claim lines",
                               "read the file as claim lines"))  # fmt: skip
    try:
        table = open_table(name, stream, columns.delimiter, columns.encoding)
        look = Look(table, columns, options)
        look.need("encounter", *(("action", "action_time") if columns.shape == "event" else ()))
    except InputError as error:
        yield SetAside(name, error)
        return
    if look.missing:
        yield Note(name, f"lacks {len(look.missing)} column(s) that the map '{columns.id}' names, "
                         f"whose facts stay open: {', '.join(look.missing)}")  # fmt: skip
    if columns.anchor is not None:
        yield Note(name, "times are minutes counted from a start: clock times are true among each "
                         "other, and dates are the map's own")  # fmt: skip
    if columns.times_from == "ordered":
        yield Note(name, "rows are orders: they show neither that a dose was given nor when")
    yield from encounters_of(table, look, options)


def encounters_of(
    table: Table, look: Look, options: ReadOptions
) -> Iterator[Record | SetAside | Note]:
    """Encounters of an opened table, then the notes that account for its rows."""
    total = Ledger()
    for group in grouped(table, look.places["encounter"][0], look.map.sorted):
        if isinstance(group, Bad):
            place = table.place(group.number)
            total.fate("set aside: cannot be read", group.number)
            yield SetAside(place, InputError(Fault(place, group.problem, group.remedy)))
            continue
        first = group.rows[0].number if group.rows else group.faults[0].number
        own, place = Ledger(), table.place(first)
        try:
            if group.faults:
                raise InputError(_faults(table, group.faults))
            made = Record(place, _encounter(group, look, options, own))
        except InputError as error:
            total.fate("set aside with their encounter", first, group.count)
            yield SetAside(place, error)
            continue
        total.take(own)
        yield made
    yield from total.notes(table.name)


def _faults(table: Table, bad: list[Bad]) -> Iterator[Fault]:
    for one in bad[:MOST_TOLD]:
        yield Fault(table.place(one.number), one.problem, one.remedy)
    if len(bad) > MOST_TOLD:
        yield Fault("", f"and {len(bad) - MOST_TOLD} more rows of the encounter", "mend them all")


def _encounter(group: Group, look: Look, options: ReadOptions, ledger: Ledger) -> Encounter:
    fates: dict[int, str] = {}
    rows = list(_standing(group.rows, look, fates, ledger))
    doses = _doses(rows, look, fates, ledger)
    for number in {one.number for one in doses}:
        fates[number] = KEPT
    for row in group.rows:
        ledger.fate(fates[row.number], row.number)
    if not doses and all(fate.startswith("left out: its") for fate in fates.values()):
        raise InputError(Fault("the encounter", "has no row that can be understood",
                               "name its actions or states in the map"))  # fmt: skip
    _name(doses)
    record: dict[str, Any] = {"id": group.encounter, "timezone": look.timezone,
                              **_shared(group.rows, look, options, ledger)}  # fmt: skip
    if "date" not in record:
        _date(record, doses)
    record["administrations"] = [_written(one) for one in doses]
    return Encounter.model_validate(record)


def _standing(
    rows: Iterable[Row], look: Look, fates: dict[int, str], ledger: Ledger
) -> Iterator[Row]:
    """Rows that stand: not repeated, not corrected by another, not struck out by their state."""
    seen: set[tuple[str, ...]] = set()
    kept: dict[Any, Row] = {}
    for row in rows:
        cells = look.told_by(row)
        marked = any(look.text(row, one) for one in ("line", "order", "start", "action_time"))
        if cells in seen and marked:
            fates[row.number] = "left out: the same row again"
            continue
        seen.add(cells)
        state = look.word(row, "status", ledger)
        if state is None and look.text(row, "status"):
            fates[row.number] = "left out: its state is not known"
            continue
        line = look.text(row, "line")
        key: Any = (look.text(row, "order"), line) if line else row.number
        before = kept.get(key)
        if before is not None:
            older = _version(look, row) < _version(look, before)
            fates[(row if older else before).number] = "left out: corrected by another row"
            if older:
                continue
        kept[key] = row
        if state not in {None, "keep"}:
            fates[row.number] = f"left out: {str(state).replace('_', ' ')}"
    for row in sorted(kept.values(), key=lambda one: one.number):
        if row.number not in fates:
            yield row


def _version(look: Look, row: Row) -> tuple[bool, int, str]:
    text = look.text(row, "version")
    return (bool(text), int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0,
            text)  # fmt: skip


def _doses(rows: list[Row], look: Look, fates: dict[int, str], ledger: Ledger) -> list[Dose]:
    doses = []
    for row in rows:
        dose = look.dose(row, ledger)
        dose.actions = look.words(row, "action", ledger)
        if look.map.shape == "event":
            doses.append(dose)
            continue
        reason = _refused(dose, bool(look.text(row, "action")))
        if reason is not None:
            fates[row.number] = reason
            continue
        if "push" in dose.actions:
            dose.fields["method"] = "push"
        if "flush" in dose.actions:
            dose.fields["purpose"] = "flush"
        doses.append(dose)
    if look.map.shape == "event":
        doses = join_events(doses, look.zone, fates, ledger)
    doses = mix(doses, look.map.bag_ml, fates, ledger)
    chain_runs(doses, look.zone)
    return doses


def _refused(dose: Dose, stated: bool) -> str | None:
    """Why a row of a table of doses gives nothing; None where it is a dose."""
    if stated and not dose.actions:
        return "left out: its action is not known"
    for action in dose.actions:
        if action in _DROPPED:
            return _DROPPED[action]
        if action not in _GIVING:
            return "left out: an event of a dose, in a table of doses"
    return None


def _name(doses: list[Dose]) -> None:
    """Give each dose an id of its own, made of the table's."""
    taken: dict[str, int] = {}
    for one in doses:
        base = ".".join(filter(None, (one.order, one.name)))[:180] or f"row{one.number}"
        made, count = base, taken.get(base, 0)
        while made in taken:
            count += 1
            made = f"{base}.{count + 1}"
        taken[base], taken[made] = count, taken.get(made, 0)
        one.id = made


def _shared(rows: list[Row], look: Look, options: ReadOptions, ledger: Ledger) -> dict[str, Any]:
    """What belongs to the encounter and each of its rows may say."""
    record: dict[str, Any] = {}
    for fact in _SHARED:
        if fact == "date":
            found = {one for one in (look.time(row, fact, Ledger()) for row in rows) if one}
            values = {str(one)[:10] for one in found}
            value = min(values, default=None)
        else:
            texts = {look.word(row, fact, ledger) if fact == "setting" else look.text(row, fact)
                     for row in rows}  # fmt: skip
            values = {one for one in texts if one}
            if len(values) > 1:
                raise InputError(Fault(fact, "differs between rows of one encounter",
                                       "write one"))  # fmt: skip
            value = next(iter(values), None)
        if value is not None:
            record[fact] = value
    record.setdefault("payer", options.payer)
    record.setdefault("setting", look.map.setting or options.setting)
    if record["setting"] is None:
        raise InputError(Fault("setting", "is stated by neither the table, its map nor the caller",
                               "state facility or professional"))  # fmt: skip
    return record


def _date(record: dict[str, Any], doses: list[Dose]) -> None:
    """State the date where no clock time does."""
    if any(one.fields.get("start") is not None for one in doses):
        if all(one.fields.get("start") is not None for one in doses):
            return
    days = [one.day for one in doses if one.day is not None]
    if days:
        record["date"] = min(days).isoformat()


def _written(dose: Dose) -> dict[str, Any]:
    made = {"id": dose.id, **dose.fields}
    if dose.after is not None:
        made["continues"] = dose.after.id
    if dose.beside is not None:
        made["mixed_with"] = dose.beside.id
    seen, start = made.get("last_seen_running"), made.get("start")
    if seen is not None and seen == start:
        del made["last_seen_running"]
    return made
