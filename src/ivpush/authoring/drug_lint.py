"""What is wrong between the rows of a pack's drug tables: ``ivpush drugs lint`` prints it.

Each row may be right alone, and the reader of the pack takes it: names that hide each other, codes
that no row gives a class, classes that disagree between routes. Each finding says file and row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush.errors import Fault
from ivpush.pack.drug_files import BETWEEN, COLUMNS, NAME_COLUMNS
from ivpush.pack.drug_text import plain_name
from ivpush.pack.files import read_csv
from ivpush.pack.releases import TABLES

if TYPE_CHECKING:
    from ivpush.pack.drugs import DrugNames, DrugRow, Found
    from ivpush.pack.pack import Pack

__all__ = ["drug_faults"]

_INJECTED = frozenset({"im", "sc"})
"""Techniques whose class may be another than by vein."""
_PAID_APART = frozenset({"G", "K"})
"""Status indicators of Addendum B that pay a drug apart: each such code needs a class."""
_COMPLEX = "complex_biologic"
"""Given under the skin or into a muscle such a drug is an ordinary injection."""
_SUFFIX = re.compile(r"-[a-z]{4}(?=$|,)")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a CSV file, with the place that a finding names."""

    place: str
    cells: Mapping[str, str]


def drug_faults(pack: Pack) -> Iterator[Fault]:
    """Every finding of the pack's drug tables, file by file."""
    book = pack.book(None)
    drugs = list(_rows(pack, "drugs", COLUMNS))
    names = list(_rows(pack, "drug_names", NAME_COLUMNS))
    yield from _hidden(drugs, names, book.names)
    yield from _halves(names, book.names)
    yield from _products(pack, book.drugs, book.names)
    yield from _unclassed(pack, drugs, book.drugs)
    yield from _uneven_rows(drugs)
    yield from _uneven_products(drugs)


def _rows(pack: Pack, table: str, columns: Sequence[str]) -> Iterator[_Row]:
    """The rows of a table in every pack of the stack, dated releases of it too."""
    for path, raw in pack.tables():
        name = path.removeprefix("tables/").removesuffix(".csv")
        if name == table or re.fullmatch(rf"{table}-[0-9-]{{10}}", name):
            for line, cells in read_csv(path, raw, columns):
                yield _Row(f"{path}:{line}", dict(zip(columns, cells, strict=True)))


def _releases(pack: Pack, kind: str) -> Iterator[_Row]:
    return _rows(pack, kind, TABLES[kind])


# Names


def _hidden(drugs: Sequence[_Row], names: Sequence[_Row], known: DrugNames) -> Iterator[Fault]:
    """Names that another name takes the place of as soon as a word stands beside them."""
    for row in (*drugs, *(row for row in names if row.cells["kind"] != "ambiguous")):
        name = row.cells["name"]
        own, beside = known.exact(plain_name(name)), known.beside(name)
        if own is None or _means(beside, own):
            continue
        taken = f"as {beside.row.name}" if beside.row is not None else "as no drug"
        problem = f"'{name}' ({own.name}) is read {taken} once other words stand beside it"
        remedy = "write it as charts do, or without amounts, forms and words of drug_words.yaml"
        yield Fault(row.place, problem, remedy)


def _means(beside: Found, own: DrugRow) -> bool:
    """Whether a reading is of a drug, or asks for it by name."""
    if beside.row is not None:
        return beside.row.key == own.key
    return any(row.key == own.key for row in beside.offered)


def _halves(names: Sequence[_Row], known: DrugNames) -> Iterator[Fault]:
    """Names that two drugs share once their forms and routes are set aside."""
    places: dict[str, str] = {}
    for row in names:
        places.setdefault(plain_name(row.cells["name"]), row.place)
    for short, rows in known.unclear().items():
        longer = (place for name, place in places.items() if set(short.split()) < set(name.split()))
        drugs = " and of ".join(row.name for row in rows)
        problem = f"'{short}' is what is left of names of {drugs}"
        remedy = f"list it: ambiguous ({f'{BETWEEN} '.join(row.name for row in rows)}), or of one"
        yield Fault(next(longer, "drug_names.csv"), problem, remedy)


def _products(pack: Pack, drugs: Mapping[str, DrugRow], known: DrugNames) -> Iterator[Fault]:
    """Brands of a code that lead to another drug than that code's."""
    for row in _releases(pack, "products"):
        name, code = row.cells["name"], row.cells["hcpcs"]
        own, named = drugs.get(code), known.exact(plain_name(name))
        if own is None:
            yield Fault(row.place, f"no row of drugs.csv has {code}", "add it with its class")
        elif named is None or named.key != own.key:
            meant = f"leads to {named.name}" if named is not None else "leads to no drug"
            problem = f"'{name}' {meant}, and its code {code} is {own.name}"
            yield Fault(row.place, problem, "mend drug_names.csv, or the code")


# Classes


def _unclassed(pack: Pack, rows: Sequence[_Row], drugs: Mapping[str, DrugRow]) -> Iterator[Fault]:
    """Codes of drugs that a table or a row names, and that no row gives a class."""
    opps = _releases(pack, "opps")
    coded = [
        *((row, row.cells["code"]) for row in opps if row.cells["status_indicator"] in _PAID_APART),
        *((row, row.cells["code"]) for row in _releases(pack, "asp")),
        *((row, row.cells["code"]) for row in _releases(pack, "singledose")),
        *((row, row.cells["successor"]) for row in rows if row.cells["successor"]),
    ]
    for row, code in coded:
        if code not in drugs:
            yield Fault(row.place, f"{code} has no class", "add its row to drugs.csv")


def _uneven_rows(rows: Sequence[_Row]) -> Iterator[Fault]:
    """Rows whose classes do not fit their routes, or rows of one name that disagree."""
    first: dict[str, _Row] = {}
    # A code by vein may share its brand with one by injection: Stelara.
    injected = {_generic(row) for row in rows if _is_injected(row)}
    for row in rows:
        cells = row.cells
        if cells["category_injection"] and _generic(row) not in injected:
            problem = f"{cells['name']} has a class by injection, and is not injected"
            yield Fault(row.place, problem, "empty category_injection, or add sc or im")
        if cells["category_injection"] == cells["category"]:
            problem = f"{cells['name']} has the same class by injection and by vein"
            yield Fault(row.place, problem, "empty category_injection")
        if cells["category"] == _COMPLEX and _is_injected(row) and not cells["category_injection"]:
            problem = f"{cells['name']} is a complex biologic by injection too"
            yield Fault(row.place, problem, "write its class by injection, as other biologics have")
        other = first.setdefault(plain_name(cells["name"]), row)
        for column in ("category", "category_injection", "hormonal"):
            if other.cells[column] != cells[column]:
                problem = f"{cells['name']} has another {column} than in {other.place}"
                yield Fault(row.place, problem, "write the same in both, or name two drugs")


def _uneven_products(rows: Sequence[_Row]) -> Iterator[Fault]:
    """Products of one generic drug that have another class by the same route."""
    first: dict[tuple[str, str], _Row] = {}
    for row in rows:
        generic = _SUFFIX.sub("", row.cells["name"])
        for technique in row.cells["techniques"].split("|"):
            other = first.setdefault((generic, technique), row)
            if _class_by(other, technique) != _class_by(row, technique):
                problem = (
                    f"{row.cells['name']} is {_class_by(row, technique)} by {technique}, and "
                    f"{other.cells['name']} in {other.place} {_class_by(other, technique)}"
                )
                yield Fault(row.place, problem, "write one class for all products of a drug")


def _is_injected(row: _Row) -> bool:
    return not _INJECTED.isdisjoint(row.cells["techniques"].split("|"))


def _generic(row: _Row) -> str:
    """The generic name, without what tells its codes apart: ``ustekinumab, subcutaneous``."""
    return row.cells["name"].partition(",")[0]


def _class_by(row: _Row, technique: str) -> str:
    """The class of a drug by a technique."""
    injected = row.cells["category_injection"] if technique in _INJECTED else ""
    return injected or row.cells["category"]
