"""Whose work a code is: what the physician fee schedule says of it, and where it pays nobody.

A book asks by code on its date; before the first release held, the techniques that ``places.yaml``
names as practitioners' own work decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.pack.codes import CodeRow

__all__ = ["Fees"]

_INCIDENT_TO = "5"
"""The professional/technical indicator of what staff do under a practitioner's supervision."""


class Fees:
    """The fee schedule's indicators of one date, beside a payer's own list where it has one.

    In use::

        book.fees.unpaid_in_facility(row)    # True: facility staff do it
        book.fees.incident_to(row)           # True: staff may do it, under supervision
    """

    __slots__ = ("_denied", "_own_work", "_rows", "staff_techniques", "supervised_techniques")

    def __init__(
        self,
        rows: Mapping[str, tuple[str, ...]],
        own_work: frozenset[str],
        denied: frozenset[str],
        codes: Mapping[str, CodeRow],
    ) -> None:
        self._rows, self._own_work, self._denied = rows, own_work, denied
        # Codes beside them, such as visits, have techniques that say nothing here.
        family = [row for row in codes.values() if row.administration]
        self.staff_techniques = _techniques(family, self.unpaid_in_facility)
        """Techniques that a professional claim cannot bill from a facility place."""
        self.supervised_techniques = _techniques(family, self.incident_to)
        """Techniques of staff, who need supervision for them."""

    def unpaid_in_facility(self, row: CodeRow) -> bool:
        """Whether no practitioner is paid for the code in a facility place."""
        if self._denied:
            return row.code in self._denied
        held = self._rows.get(row.code)
        # held[3] is facility_na, held[1] pctc: the columns of ``indicators`` after the code.
        return self._staff(row) if held is None else held[3] == "true"

    def incident_to(self, row: CodeRow) -> bool:
        """Whether staff do it under supervision; else it is the practitioner's own service."""
        held = self._rows.get(row.code)
        return self._staff(row) if held is None else held[1] == _INCIDENT_TO

    def _staff(self, row: CodeRow) -> bool:
        return row.technique not in self._own_work


def _techniques(rows: Iterable[CodeRow], holds: Callable[[CodeRow], bool]) -> frozenset[str]:
    return frozenset(row.technique for row in rows if holds(row))
