"""Medication administration records as tables: Epic, Cerner, PCORnet, OMOP, MIMIC, CLIF, eICU.

``tables.reader.read`` comes here with a map of administrations. A column map says what the table
means (``ReadOptions.map``, default ``generic-dose``). Rows become encounters with a chart and no
claim. Every row has one fate, told in the last notes: it became an administration, told the course
of one, was left out for a reason, or stands in an encounter that was set aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import IO, Any, NamedTuple

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.mar.doses import Dose, dose_of
from ivpush.readers.mar.lacking import remark_gaps, remark_lacking
from ivpush.readers.mar.runs import chain_runs, join_events, mix
from ivpush.readers.tables.cells import Row, Table
from ivpush.readers.tables.forms import read_time
from ivpush.readers.tables.groups import Group
from ivpush.readers.tables.joining import with_join
from ivpush.readers.tables.ledger import KEPT, Ledger
from ivpush.readers.tables.lookup import Lookup
from ivpush.readers.tables.maps import ColumnMap, load_map
from ivpush.readers.tables.opening import open_table
from ivpush.readers.tables.readings import Reading, readings

__all__ = [
    "encounters_of",
    "read",
]

DEFAULT_MAP = "generic-dose"
_MOST_VERSION_DIGITS = 19
_UNVERIFIED = "unverified"
_UNVERSIONED = "is one of two versions, of which the one that says when it holds stands"
_MOST_NAME = 180
_EVENT_FACTS = ("action", "action_time")
_SHARED = ("setting", "payer", "place_of_service", "type_of_bill")
_DROPPED = {
    "not_given": "left out: not given",
    "deleted": "left out: deleted",
    "ignore": "left out: an event that gives nothing",
    "hold": "left out: held, which gives nothing",
    "unhold": "left out: the end of a hold, which gives nothing",
}
_COURSE_ALONE = "left out: an event of a dose, in a table of doses"
_GIVING = frozenset({"push", "bolus", "dose", "flush", "start", "next_bag"})


def read(
    name: str, stream: IO[bytes], options: ReadOptions | None = None
) -> Iterator[Record | SetAside | Note]:
    """The encounters of a record's table.

    Raises UsageError or PackError for a map that is none, or that does not fit the table.
    """
    options = options or ReadOptions()
    column_map = load_map(options.map or DEFAULT_MAP)
    if column_map.table != "administrations":
        place = f"map {column_map.id}"
        raise InputError(Fault(place, "is a map of claim lines", "read the file as claim lines"))
    try:
        table = open_table(
            name, stream, column_map.delimiter, column_map.encoding, column_map.names
        )
        table = with_join(table, column_map, options)
        lookup = Lookup(table, column_map, options)
        lookup.need("encounter", *(_EVENT_FACTS if column_map.shape == "event" else ()))
    except InputError as error:
        yield SetAside(name, error)
        return
    yield from lookup.opening_notes()
    yield from _cautions(name, column_map)
    yield from encounters_of(table, lookup, options)


def _cautions(name: str, column_map: ColumnMap) -> Iterator[Note]:
    """What nobody should miss about tables of such a kind."""
    if column_map.anchor is not None:
        yield Note(
            name,
            "times are minutes counted from a start: clock times are true among each "
            "other, and dates are the map's own",
        )
    if column_map.times_from == "ordered":
        yield Note(name, "rows are orders: they show neither that a dose was given nor when")


def encounters_of(
    table: Table, lookup: Lookup, options: ReadOptions, total: Ledger | None = None
) -> Iterator[Record | SetAside | Note]:
    """Encounters of an opened table, then the notes that account for its rows in ``total``."""
    total = total or Ledger()
    reading = Reading(
        encounter=lambda group, ledger: _encounter(group, lookup, options, ledger),
        set_aside="set aside with their encounter",
    )
    yield from readings(lookup, reading, total)
    yield from (Note(table.name, text) for text in table.closing())
    yield from total.notes(table.name)


def _encounter(group: Group, lookup: Lookup, options: ReadOptions, ledger: Ledger) -> Encounter:
    fates: dict[int, str] = {}
    remark_lacking(group.rows, lookup, ledger)
    remark_gaps(group.rows, lookup, ledger)
    rows = _standing(group.rows, lookup, fates, ledger)
    lookup.refuse_unknown(rows, "action", ledger, needed=lookup.map.shape == "event")
    doses = _doses(rows, lookup, fates, ledger)
    # Last: an event that ends one bag and begins the next counts as an administration.
    for dose in doses:
        fates[dose.number] = KEPT
    for row in group.rows:
        ledger.fate(fates[row.number], row.number)
    # An empty chart says that nothing was given; a course of what nobody charted does not.
    if not doses and _COURSE_ALONE in fates.values():
        problem = "holds the course of doses, but no dose"
        raise InputError(Fault("the encounter", problem, "read it with a map of shape: event"))
    day = _stated_date(group.rows, lookup) or _charted_date(doses)
    if day is None and not any(dose.fields.get("start") for dose in doses):
        fault = lookup.unread_time(rows)
        if fault is not None:
            raise InputError(fault)
    ids = _ids(doses)
    record = {
        "id": group.encounter,
        "timezone": lookup.timezone,
        **_shared(group.rows, lookup, options, ledger),
        "date": day,
        "administrations": [_administration(dose, ids) for dose in doses],
    }
    return Encounter.model_validate(record)


class _Version(NamedTuple):
    """Tells the newer of two rows: by the time or number that its version is, else by its text."""

    kind: str
    """``time``, ``number`` or ``text``; empty where it states none."""
    until: str
    number: int
    text: str

    def is_older(self, other: _Version) -> bool:
        """Whether the other one stands; raises InputError where nobody can tell."""
        if self.kind and other.kind and self.kind != other.kind:
            problem = "holds two versions of a row, of which nobody can tell the newer"
            remedy = "write their versions alike: as times of a declared form, or as numbers"
            raise InputError(Fault("the encounter", problem, remedy))
        return (self.kind != "", *self[1:]) < (other.kind != "", *other[1:])


def _standing(
    rows: Iterable[Row], lookup: Lookup, fates: dict[int, str], ledger: Ledger
) -> list[Row]:
    """Rows that stand: not repeated, not corrected by another, not struck out by their state."""
    newest: dict[tuple[str, str] | int, Row] = {}
    distinct = list(_distinct(rows, lookup, fates))
    lookup.refuse_unknown(distinct, "status", ledger)
    for row in distinct:
        state = lookup.word(row, "status", ledger)
        line = lookup.text(row, "line")
        # Without a line of its order nothing says that two rows speak of one dose.
        key = (lookup.text(row, "order"), line) if line else row.number
        before = newest.get(key)
        if before is not None:
            version, other = _version(row, lookup), _version(before, lookup)
            if bool(version.kind) != bool(other.kind):
                ledger.remark(_UNVERSIONED, row.number)
            is_older = version.is_older(other)
            corrected = row if is_older else before
            fates[corrected.number] = "left out: corrected by another row"
            if is_older:
                continue
        newest[key] = row
        if state == _UNVERIFIED:
            ledger.remark("its state is not final; it counts as it stands", row.number)
        elif state not in {None, "keep"}:
            fates[row.number] = f"left out: {str(state).replace('_', ' ')}"
    return [
        row for row in sorted(newest.values(), key=attrgetter("number")) if row.number not in fates
    ]


def _distinct(rows: Iterable[Row], lookup: Lookup, fates: dict[int, str]) -> Iterator[Row]:
    """Rows without those that say again what an earlier one said.

    A row that neither a line, an order nor a time tells from others may be a second dose.
    """
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        content = lookup.content(row)
        if content in seen and any(
            lookup.text(row, fact) for fact in ("line", "order", "start", "action_time")
        ):
            fates[row.number] = "left out: the same row again"
            continue
        seen.add(content)
        yield row


def _version(row: Row, lookup: Lookup) -> _Version:
    text = lookup.text(row, "version")
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_VERSION_DIGITS
    time = read_time(text, lookup.map.forms) if text and not is_number else None
    until = "" if time is None else str(time)
    kind = "time" if time is not None else "number" if is_number else "text" if text else ""
    return _Version(kind, until, int(text) if is_number else 0, text)


def _doses(rows: list[Row], lookup: Lookup, fates: dict[int, str], ledger: Ledger) -> list[Dose]:
    """The administrations of the rows that stand, joined and linked."""
    doses = [dose_of(row, lookup, ledger) for row in rows]
    if lookup.map.shape == "event":
        doses = join_events(doses, lookup.zone, fates, ledger)
    else:
        doses = _doses_given(rows, doses, lookup, fates)
    doses = mix(doses, lookup.map.bag_ml, fates, ledger)
    chain_runs(doses, lookup.zone)
    return doses


def _doses_given(
    rows: list[Row], doses: list[Dose], lookup: Lookup, fates: dict[int, str]
) -> list[Dose]:
    """The doses of a table of doses whose action, if any, says that they were given."""
    kept = []
    for row, dose in zip(rows, doses, strict=True):
        reason = _refused(dose)
        if reason is not None:
            fates[row.number] = reason
            continue
        # An action that was charted is surer than the words of an order's route.
        if "push" in dose.actions:
            dose.fields["method"] = "push"
        if "flush" in dose.actions:
            dose.fields["purpose"] = "flush"
        kept.append(dose)
    return kept


def _refused(dose: Dose) -> str | None:
    """Why a row of a table of doses gives nothing; None where it is a dose."""
    for action in dose.actions:
        if action in _DROPPED:
            return _DROPPED[action]
        if action not in _GIVING:
            return _COURSE_ALONE
    return None


def _ids(doses: list[Dose]) -> dict[Dose, str]:
    """An id of its own for each dose, made of the table's; a name used twice ends with ``.2``."""
    ids: dict[Dose, str] = {}
    times_used: dict[str, int] = {}
    for dose in doses:
        base = ".".join(filter(None, (dose.order, dose.name)))[:_MOST_NAME] or f"row{dose.number}"
        own_id, count = base, times_used.get(base, 0)
        # The table may have a name of its own that ends with .2, and goes first.
        while own_id in times_used:
            count += 1
            own_id = f"{base}.{count + 1}"
        times_used[base], times_used[own_id] = count, times_used.get(own_id, 0)
        ids[dose] = own_id
    return ids


def _shared(
    rows: list[Row], lookup: Lookup, options: ReadOptions, ledger: Ledger
) -> dict[str, Any]:
    """What belongs to the encounter and each of its rows may say."""
    stated = {fact: _agreed(fact, rows, lookup, ledger) for fact in _SHARED}
    shared = {
        **stated,
        "payer": stated["payer"] or options.payer,
        "setting": stated["setting"] or lookup.map.setting or options.setting,
    }
    if shared["setting"] is None:
        problem = "is stated by neither the table, its map nor the caller"
        raise InputError(Fault("setting", problem, "state facility or professional"))
    return shared


def _agreed(fact: str, rows: list[Row], lookup: Lookup, ledger: Ledger) -> str | None:
    """What the rows that state a fact say of it; raises InputError where they differ."""
    if fact == "setting":
        texts = {lookup.word(row, fact, ledger) for row in rows}
    else:
        texts = {lookup.text(row, fact) for row in rows}
    stated = [text for text in texts if text]
    if len(stated) > 1:
        raise InputError(Fault(fact, "differs between rows of one encounter", "write one"))
    return stated[0] if stated else None


def _stated_date(rows: list[Row], lookup: Lookup) -> str | None:
    """The earliest date that the rows state as such; remarks were taken when rows became doses."""
    unheard = Ledger()
    times = {lookup.time(row, "date", unheard) for row in rows}
    return min((str(time)[:10] for time in times if time is not None), default=None)


def _charted_date(doses: list[Dose]) -> str | None:
    """The earliest date of the doses, unless every one has a clock time."""
    if all(dose.fields.get("start") is not None for dose in doses):
        return None
    days = [dose.day for dose in doses if dose.day is not None]
    return min(days).isoformat() if days else None


def _administration(dose: Dose, ids: dict[Dose, str]) -> dict[str, Any]:
    administration = {"id": ids[dose], **dose.fields}
    if dose.after is not None:
        administration["continues"] = ids[dose.after]
    if dose.beside is not None:
        administration["mixed_with"] = ids[dose.beside]
    # That it was seen when it began says nothing of how long it ran.
    seen, start = administration.get("last_seen_running"), administration.get("start")
    if seen is not None and seen == start:
        del administration["last_seen_running"]
    return administration
