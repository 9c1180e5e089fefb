"""Of which drug lines Medicare asks for the discard modifiers: by place, bill and payment.

Two dated tables beside those of payment: ``discards`` (what a bill, a place or a form asks by) and
``singledose`` (codes that come in single-dose containers only). ``claim.waste`` asks.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Literal, get_args

from ivpush.pack.files import word_of

__all__ = ["Asks", "Discards", "read_discards"]

Asks = Literal["always", "never", "opps", "asp"]
"""Every drug; none; those that hospitals are paid for apart; those that the ASP file prices."""

_ASKS: tuple[Asks, ...] = get_args(Asks)


def read_discards(rows: Iterable[list[str]]) -> dict[tuple[str, str], Asks]:
    """The rows of the table by what they speak of; what it asks by must be known."""
    return {(on, value): word_of(_ASKS, asks) for on, value, asks, _ in rows}


class Discards:
    """The discard modifiers of one date.

    In use::

        book.discards.due(code, "13", None, "facility")   # True, False or None
        book.discards.single_dose(code)
    """

    def __init__(
        self,
        rows: Mapping[tuple[str, str], Asks],
        single: frozenset[str],
        priced: Container[str],
        statuses: Mapping[str, tuple[str, str | None]],
    ) -> None:
        self._rows, self._single = rows, single
        self._priced, self._statuses = priced, statuses

    def single_dose(self, code: str) -> bool:
        """Whether a code is listed as one that comes in single-dose containers only."""
        return code in self._single

    def asks_by_bill(self, bill_kind: str, setting: str) -> bool:
        """Whether a type of bill asks otherwise than the form does on which it is sent."""
        by_form = self._rows.get(("form", setting))
        return setting == "facility" and self._rows.get(("bill", bill_kind)) != by_form

    def due(self, code: str, bill_kind: str | None, place: str | None, setting: str) -> bool | None:
        """Whether a line owes a discard modifier, if its container is for a single dose."""
        if setting == "facility":
            if bill_kind is None:
                # It may be a hospital that owes them for every drug.
                return self._by_status(code, self._rows.get(("form", setting))) or None
            asks = self._rows.get(("bill", bill_kind))
        else:
            asks = self._rows.get(("place", place)) if place is not None else None
        if asks in ("always", "never"):
            return asks == "always"
        if asks == "asp":
            return True if code in self._priced else None
        return self._by_status(code, asks)

    def _by_status(self, code: str, asks: Asks | None) -> bool | None:
        status = self._statuses.get(code)
        if asks is None or status is None:
            return None
        return ("status", status[0]) in self._rows
