"""Which products a chart gives: each by its code, its NDC or its brand, else by its generic name.

``drug_units`` asks. A brand with a code of its own is that code; a generic name says which drug,
but not which of its codes, as makers have codes of their own. Nor does it say which of the forms
of that drug that the table holds as rows of their own, such as "ustekinumab, subcutaneous".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ivpush.contract.encounter import Administration, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = ["Products"]

_CHARTED_APART = frozenset({"contrast", "blood"})
"""Classes that a scan's department or a transfusion's record charts, and often nobody else."""
_ROUTES: Mapping[str, str] = {
    "push": "IV",
    "infusion": "IV",
    "transfusion": "IV",
    "sc": "SC",
    "im": "IM",
}
"""The route of each technique of the drug table; others may go by any."""


class Products:
    """The doses of one chart by product.

    In use::

        products = Products(encounter, book)
        doses = products.doses(code, row)   # charted doses of what a line bills
        products.gives(row, doses)          # whether the chart gives it at all
        products.instead(row)               # what it gives in place of one that it does not give
    """

    def __init__(self, encounter: Encounter, book: Book) -> None:
        self._book = book
        self._billed = {line.code for line in encounter.lines or ()}
        self._doses: dict[str, list[Administration]] = {}
        self.all_read = True
        """Whether each dose says which drug it is."""
        self._by_number: set[str] = set()
        """Drugs known by an NDC alone: a number may stand under several codes of one drug."""
        for given in encounter.administrations or ():
            known_by = self._known_by(given)
            if known_by is None or (known_by not in book.drugs and not self._is_name(known_by)):
                # One drug that nobody can read may be the product: "not given" would be a guess.
                self.all_read = False
            if known_by is not None:
                self._doses.setdefault(known_by, []).append(given)
        self._replaced = self._replaced_codes()

    def doses(self, code: str, row: DrugRow) -> list[Administration]:
        """Doses charted by a code or the code that replaced it, then by the name of its drug."""
        doses: list[Administration] = []
        for known_by in (*self._same(code, row), row.key):
            if known_by in self._doses:
                doses += self._doses[known_by]
        return doses

    def named(self, row: DrugRow) -> bool:
        """Whether a dose is charted by the drug's generic name alone."""
        return row.key in self._doses

    def gives(self, row: DrugRow, doses: Sequence[Administration]) -> bool | None:
        """Whether the chart gives a product, of which it holds such ``doses``.

        None where a drug that is not read, or that is charted without its form, may be it; and
        of contrast and blood where no dose is of that kind, as they often have a record apart.
        """
        if doses:
            return True
        if not self.all_read or row.key in self._by_number or self._may_be_form(row):
            return None
        return None if row.category in _CHARTED_APART and not self._charts(row.category) else False

    def instead(self, row: DrugRow) -> str | None:
        """The one product that is charted and that no line bills: of the same drug, else at all.

        For a line whose product the chart does not give.
        """
        unbilled = {
            own
            for known_by in self._doses
            if not self._is_billed(known_by, own := self._code(known_by))
        }
        codes = {own for own in unbilled if own is not None and self._is_of(own, row)} or unbilled
        # Of two unbilled products either may be meant, and a wrong name is worse than none.
        return codes.pop() if len(codes) == 1 else None

    def _may_be_form(self, row: DrugRow) -> bool:
        """Whether a dose charted by a generic name may be another form of that drug."""
        routes = {_ROUTES[each] for each in row.techniques if each in _ROUTES}
        return any(
            # A form that is never given by the charted route is not meant.
            given.route in routes or given.route not in _ROUTES.values()
            for known_by, doses in self._doses.items()
            # A code is no name, so that only what was charted by its name is found.
            if (charted := self._book.names.exact(known_by)) is not None
            and _drug_of(charted) == _drug_of(row)
            for given in doses
        )

    def _charts(self, category: str) -> bool:
        """Whether any dose is of a class."""
        drugs, names = self._book.drugs, self._book.names
        rows = [drugs.get(known_by) or names.exact(known_by) for known_by in self._doses]
        return any(row is not None and row.category == category for row in rows)

    def _known_by(self, given: Administration) -> str | None:
        """A code; else the plain generic name of its drug; None where nothing says which it is."""
        coded = self._book.drug(given.hcpcs, given.ndc, None)
        if coded is not None:
            if coded.hcpcs != given.hcpcs:
                self._by_number.add(coded.key)
            return coded.hcpcs
        if given.hcpcs is not None or given.drug is None:
            return given.hcpcs
        row = self._book.names.find(given.drug)
        return self._book.product(given.drug) or (row.key if row is not None else None)

    def _is_of(self, code: str, row: DrugRow) -> bool:
        own = self._book.drugs.get(code)
        return own is not None and own.key == row.key

    def _is_name(self, known_by: str) -> bool:
        return self._book.names.exact(known_by) is not None

    def _same(self, code: str, row: DrugRow) -> tuple[str, ...]:
        """A code, the one that replaced it, and charted ones that it replaced."""
        replaced = self._replaced.get(code, ())
        return (code, *replaced) if row.successor is None else (code, row.successor, *replaced)

    def _replaced_codes(self) -> dict[str, list[str]]:
        """Charted codes by the code that replaced them."""
        replaced: dict[str, list[str]] = {}
        for known_by in self._doses:
            charted = self._book.drugs.get(known_by)
            if charted is not None and charted.successor is not None:
                replaced.setdefault(charted.successor, []).append(known_by)
        return replaced

    def _code(self, known_by: str) -> str | None:
        """The code of what is charted, where only one can be meant."""
        row = self._book.drugs.get(known_by)
        if row is not None:
            return row.successor if row.successor and self._ended(row) else known_by
        codes = self._codes_of_name(known_by)
        return codes[0] if len(codes) == 1 else None

    def _is_billed(self, known_by: str, code: str | None) -> bool:
        if code is None:
            return not self._billed.isdisjoint(self._codes_of_name(known_by))
        row = self._book.drugs.get(code)
        return not self._billed.isdisjoint(
            {known_by, *([code] if row is None else self._same(code, row))}
        )

    def _codes_of_name(self, key: str) -> list[str]:
        return [
            code
            for code, row in self._book.drugs.items()
            if row.key == key and not self._ended(row)
        ]

    def _ended(self, row: DrugRow) -> bool:
        day = self._book.date
        return row.ended is not None and day is not None and row.ended < day


def _drug_of(row: DrugRow) -> str:
    """The drug in a name of the table, where its form stands after a comma."""
    return row.name.partition(",")[0]
