"""What one row of an encounter lacks, that tells its other rows apart: said, and never guessed.

A row whose order, line or state went astray would become another dose in silence. ``reader`` hands
in the rows of an encounter before it makes doses of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ivpush.readers.tables.cells import Row
from ivpush.readers.tables.forms import whole
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.lookup import Lookup

__all__ = ["remark_gaps", "remark_lacking"]

_LACKING = {
    "order": "names no order, which other rows do: nothing tells whether it belongs to one",
    "line": "has no line id, which other rows have: nothing tells whether it was corrected",
    "status": "has no state, which other rows have; it counts as it stands",
}
_NO_ACTION = "names no action, which other rows of its order do; it is read as the map says"
_GAP = "comes after a gap in the lines of its order: rows may be missing"


def remark_lacking(rows: Sequence[Row], lookup: Lookup, ledger: Ledger) -> None:
    """Remark rows without an order, a line or a state, where other rows have one."""
    for fact, remark in _LACKING.items():
        for row in _odd_ones(rows, [row for row in rows if not lookup.text(row, fact)]):
            ledger.remark(remark, row.number)
    for order in _by_order(rows, lookup):
        # A constant stands for the action of a row that names none.
        without = [row for row in order if not any(lookup.texts(row, "action"))]
        for row in _odd_ones(order, without):
            ledger.remark(_NO_ACTION, row.number)


def _odd_ones(rows: Sequence[Row], without: Sequence[Row]) -> Sequence[Row]:
    """The rows that lack something, unless all lack it: then the export does not tell it."""
    return without if len(without) < len(rows) else ()


def remark_gaps(rows: Sequence[Row], lookup: Lookup, ledger: Ledger) -> None:
    """Remark rows before which a line of their order is missing, where a map says they count."""
    if not lookup.map.lines_count:
        return
    for order in _by_order(rows, lookup):
        numbers = {whole(lookup.text(row, "line")): row.number for row in order}
        lines = sorted(line for line in numbers if line is not None)
        for before, line in pairwise(lines):
            if line > before + 1:
                ledger.remark(_GAP, numbers[line])


def _by_order(rows: Sequence[Row], lookup: Lookup) -> list[list[Row]]:
    """Rows of one order; those without an order stand for none."""
    orders: dict[str, list[Row]] = {}
    for row in rows:
        order = lookup.text(row, "order")
        if order:
            orders.setdefault(order, []).append(row)
    return list(orders.values())
