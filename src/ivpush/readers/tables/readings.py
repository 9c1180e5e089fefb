"""What every reader of rows does with a group of them: an encounter, or set aside with its reason.

The readers of claim lines and of medication administration records come here once their table is
open. They say how a group becomes an encounter; here no row is lost on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ivpush.contract.encounter import Encounter
from ivpush.errors import InputError
from ivpush.readers import Record, SetAside
from ivpush.readers.tables.cells import Bad, Table
from ivpush.readers.tables.groups import Group, faults_of, grouped
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.lookup import Lookup

__all__ = ["Reading", "readings"]


class Reading(NamedTuple):
    """How one kind of table becomes encounters.

    ``encounter`` makes the encounter of a group and books its rows; it raises InputError.
    ``set_aside`` is the fate of the rows of an encounter that is set aside.
    """

    encounter: Callable[[Group, Ledger], Encounter]
    set_aside: str


def readings(lookup: Lookup, reading: Reading, total: Ledger) -> Iterator[Record | SetAside]:
    """The encounters of an opened table, in order; every row is booked in ``total`` once."""
    table = lookup.table
    # Where all rows must be looked through first, none can be streamed.
    ordered = lookup.map.sorted and not lookup.surveys
    for group in grouped(table, lookup.places["encounter"][0], ordered):
        if isinstance(group, Bad):
            total.fate("set aside: cannot be read", group.number)
            (fault,) = faults_of(table, [group])
            yield SetAside(fault.place, InputError(fault))
        else:
            yield _of_group(group, table, reading, total)


def _of_group(group: Group, table: Table, reading: Reading, total: Ledger) -> Record | SetAside:
    """The encounter of a group; its rows are added to the total by their fates, or as set aside."""
    place, ledger = table.place(group.first), Ledger(each=total.each is not None)
    try:
        if group.faults:
            raise InputError(faults_of(table, group.faults))
        record = Record(place, reading.encounter(group, ledger))
    except InputError as error:
        total.fate(reading.set_aside, group.first, group.count)
        if total.each is not None:
            total.each |= dict.fromkeys(group.numbers, reading.set_aside)
        # How its cells were read may say why nothing of it could be.
        total.take_remarks(ledger)
        return SetAside(place, error, encounter=group.encounter)
    total.take(ledger)
    return record
