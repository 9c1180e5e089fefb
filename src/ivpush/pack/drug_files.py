"""Reads the drug files of stacked packs: drugs.csv, drug_names.csv and drug_words.yaml.

``ivpush.pack.pack`` calls it; what it gives is looked up through ``ivpush.pack.drugs``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import get_args

from ivpush.contract.fields import Category
from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.pack.checked import read_shape
from ivpush.pack.drug_text import Words, plain_name
from ivpush.pack.drugs import DrugNames, DrugRow
from ivpush.pack.files import Layer, Say, Sheet, csv_of, read_csv, word_of
from ivpush.pack.shapes.data import DrugWordsFile
from ivpush.records import record

__all__ = [
    "BETWEEN",
    "COLUMNS",
    "NAME_COLUMNS",
    "WORD_LISTS",
    "DrugTable",
    "read_drugs",
    "read_words",
]

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_CATEGORIES: tuple[Category, ...] = get_args(Category)
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")

COLUMNS = (
    "hcpcs",
    "name",
    "category",
    "category_injection",
    "hormonal",
    "techniques",
    "unit_amount",
    "unit",
    "unit_rule",
    "ended",
    "successor",
    "source",
    "confidence",
)
NAME_COLUMNS = ("name", "drug", "kind", "source")
_KINDS = ("generic", "brand", "abbreviation", "misspelling", "ambiguous")
BETWEEN = ";"
"""Stands between the drugs that an ambiguous name may mean."""
WORD_LISTS = tuple(DrugWordsFile.model_fields)
"""The lists of drug_words.yaml."""
_NAMES = frozenset({"fluids", "carriers", "premixed", "diluents"})
"""The lists that hold names of drugs."""


@record
class DrugTable:
    """Rows of drugs by HCPCS code, and the look-up of names."""

    by_code: dict[str, DrugRow]
    names: DrugNames


@record
class _Named:
    """The names of one pack by the key of their drug, and vague ones by the keys they may mean."""

    certain: dict[str, str]
    vague: dict[str, tuple[str, ...]]


def read_drugs(layers: Sequence[Layer], words: Sheet, say: Say) -> DrugTable:
    """The drug table of stacked packs: a later pack's row of a code or name stands for it."""
    by_code: dict[str, DrugRow] = {}
    by_name: dict[str, DrugRow] = {}
    certain: dict[str, str] = {}
    vague: dict[str, tuple[str, ...]] = {}
    for n, layer in enumerate(layers):
        try:
            if n == 0 or "drugs.csv" in layer:
                rows = list(_rows(csv_of(layer, "drugs.csv"), say))
                by_code.update((row.hcpcs, row) for row in rows if row.hcpcs)
                by_name.update(_current(rows))
            if "drug_names.csv" in layer:
                named = _named(csv_of(layer, "drug_names.csv"), by_code, by_name, say)
                _stack(named, certain, vague)
        except PackError as error:
            for fault in error.faults:
                say(fault)
    names = {name: by_name[key] for name, key in certain.items()} | by_name
    may_mean = {name: tuple(by_name[key] for key in keys) for name, keys in vague.items()}
    return DrugTable(by_code, DrugNames(names, read_words(words, by_name, say), may_mean))


def _stack(named: _Named, certain: dict[str, str], vague: dict[str, tuple[str, ...]]) -> None:
    """Put the names of a later pack over those before it."""
    for name, keys in named.vague.items():
        certain.pop(name, None)
        vague[name] = keys
    for name, key in named.certain.items():
        vague.pop(name, None)
        certain[name] = key


def _rows(raw: bytes, say: Say) -> Iterator[DrugRow]:
    for line, cells in read_csv("drugs.csv", raw, COLUMNS):
        code, name, category, injected, hormonal, techniques, amount, unit, rule, ended, by, *_ = (
            cells
        )
        # int() and Decimal() read more than people mean: infinity, signs, digits of other scripts.
        if (amount and not _AMOUNT.fullmatch(amount)) or (ended and not _DAY.fullmatch(ended)):
            say(Fault(f"drugs.csv:{line}", "holds a bad number or date", "write it plainly"))
            continue
        try:
            yield DrugRow(
                hcpcs=code,
                name=name,
                category=word_of(_CATEGORIES, category),
                category_injection=word_of(_CATEGORIES, injected) if injected else None,
                hormonal=hormonal == "true",
                techniques=frozenset(techniques.split("|")),
                unit_amount=Decimal(amount) if amount else None,
                unit=unit or None,
                unit_rule=rule or None,
                ended=date.fromisoformat(ended) if ended else None,
                successor=by or None,
                key=plain_name(name),
            )
        except ValueError:
            remedy = f"write a day that there is, and one of {', '.join(_CATEGORIES)}"
            say(Fault(f"drugs.csv:{line}", "holds a bad date or class of drug", remedy))


def _current(rows: Sequence[DrugRow]) -> dict[str, DrugRow]:
    """The row that a name means: one still valid before an ended or replaced one."""
    current: dict[str, DrugRow] = {}
    for row in rows:
        first = current.get(row.key)
        if first is None or _age(row) < _age(first):
            current[row.key] = row
    return current


def _age(row: DrugRow) -> tuple[bool, bool]:
    return row.ended is not None, row.successor is not None


def _named(
    raw: bytes, by_code: Mapping[str, DrugRow], by_name: Mapping[str, DrugRow], say: Say
) -> _Named:
    """Plain names of one pack with the drugs that they mean."""
    named = _Named({}, {})
    means: dict[str, tuple[str, ...]] = {}
    keys = {row.hcpcs: row.key for row in by_code.values()}
    keys |= {row.name: row.key for row in by_name.values()}
    for line, (written, drugs, kind, _) in read_csv("drug_names.csv", raw, NAME_COLUMNS):
        name, meant = plain_name(written), drugs.split(BETWEEN) if drugs else ()
        own = tuple([keys.get(drug.strip()) or plain_name(drug) for drug in meant])
        place = f"drug_names.csv:{line}"
        if (wrong := _unfit(name, own, kind, by_name)) is not None:
            say(Fault(place, *wrong))
        elif means.setdefault(name, own) != own:
            say(Fault(place, f"'{name[:60]}' names two drugs", "keep one, or call it ambiguous"))
        elif kind == "ambiguous":
            named.vague[name] = own
        else:
            named.certain[name] = own[0]
    return named


def _unfit(
    name: str, keys: Sequence[str], kind: str, by_name: Mapping[str, DrugRow]
) -> tuple[str, str] | None:
    """What is wrong with a row of drug_names.csv, and what to write."""
    if kind not in _KINDS:
        return f"no kind '{kind[:60]}'", did_you_mean(kind, _KINDS)
    if not name:
        return "has no name", "write one"
    if kind != "ambiguous" and len(keys) != 1:
        return "names no drug, or several", "write one drug, or call it ambiguous"
    for key in keys:
        if key not in by_name:
            return f"no drug '{key[:60]}'", did_you_mean(key, by_name)
    if name in by_name and name not in keys:
        return f"'{name[:60]}' is another drug of drugs.csv", "choose another name"
    return None


def read_words(sheet: Sheet, by_name: Mapping[str, DrugRow], say: Say) -> Words:
    """The word lists of drug_words.yaml; drugs that they name must be in the table."""
    shape = read_shape(sheet, DrugWordsFile, say)
    if shape is None:
        return Words()
    for key in ("fluids", "premixed", "diluents"):
        for n, name in enumerate(getattr(shape, key)):
            if plain_name(name) not in by_name:
                problem = f"{key}: no drug '{name[:60]}'"
                say(Fault(sheet.place((key, n)), problem, did_you_mean(plain_name(name), by_name)))
    lists = {
        key: frozenset(plain_name(word) if key in _NAMES else word.casefold() for word in words)
        for key, words in shape
    }
    return Words(**lists)
