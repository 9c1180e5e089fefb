"""The drug table of a pack: ``drugs.csv`` and ``drug_names.csv``, of the base and stacked packs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ivpush.drugnames import WORD_LISTS, DrugNames, Words
from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.rows import DrugRow, plain_name
from ivpush.sheets import Sheet, read_csv

__all__ = ["DrugTable", "read_drugs", "read_words"]

Say = Callable[[Fault], None]
_COLUMNS = ("hcpcs", "name", "category", "category_injection", "hormonal", "techniques",
            "unit_amount", "unit", "unit_rule", "ended", "successor", "source",
            "confidence")  # fmt: skip
_NAME_COLUMNS = ("name", "drug", "kind", "source")
_KINDS = ("generic", "brand", "abbreviation", "misspelling", "ambiguous")


@dataclass(slots=True)
class DrugTable:
    """Rows of drugs by HCPCS code, and the look-up of names."""

    by_code: dict[str, DrugRow] = field(default_factory=dict)
    names: DrugNames = field(default_factory=lambda: DrugNames({}, Words()))


def read_drugs(layers: Sequence[Mapping[str, Any]], words: Sheet, say: Say) -> DrugTable:
    """The drug table of stacked packs: a later pack's row of a code or name stands for it."""
    made = DrugTable()
    by_name: dict[str, DrugRow] = {}
    named: dict[str, str] = {}
    for n, layer in enumerate(layers):
        try:
            if n == 0 or "drugs.csv" in layer:
                rows = list(_rows(layer.get("drugs.csv", b""), say))
                made.by_code.update((row.hcpcs, row) for row in rows if row.hcpcs)
                by_name.update(_current(rows))
            if "drug_names.csv" in layer:
                named.update(_named(layer["drug_names.csv"], made.by_code, by_name, say))
        except PackError as error:
            for fault in error.faults:
                say(fault)
    ambiguous = [name for name, key in named.items() if not key]
    names = {name: by_name[key] for name, key in named.items() if key}
    made.names = DrugNames({**names, **by_name}, read_words(words, by_name, say), ambiguous)
    return made


def _rows(raw: bytes, say: Say) -> Iterator[DrugRow]:
    for line, row in read_csv("drugs.csv", raw, _COLUMNS):
        try:
            yield DrugRow(
                row[0], row[1], row[2], row[3] or None, row[4] == "true",
                frozenset(row[5].split("|")), Decimal(row[6]) if row[6] else None, row[7] or None,
                row[8] or None, date.fromisoformat(row[9]) if row[9] else None, row[10] or None,
                plain_name(row[1]),
            )  # fmt: skip
        except (ValueError, ArithmeticError):
            say(Fault(f"drugs.csv:{line}", "holds a bad number or date", "write it plainly"))


def _current(rows: Sequence[DrugRow]) -> dict[str, DrugRow]:
    """The row that a name means: one still valid before an ended or replaced one."""
    made: dict[str, DrugRow] = {}
    for row in rows:
        first = made.get(row.key)
        if first is None or _age(row) < _age(first):
            made[row.key] = row
    return made


def _age(row: DrugRow) -> tuple[bool, bool]:
    return row.ended is not None, row.successor is not None


def _named(
    raw: bytes, by_code: Mapping[str, DrugRow], by_name: Mapping[str, DrugRow], say: Say
) -> dict[str, str]:
    """Plain names of one pack with the key of their drug; ambiguous ones with none."""
    made: dict[str, str] = {}
    keys = {row.hcpcs: row.key for row in by_code.values()}
    keys |= {row.name: row.key for row in by_name.values()}
    for line, (written, drug, kind, _) in read_csv("drug_names.csv", raw, _NAME_COLUMNS):
        name, key = plain_name(written), keys.get(drug) or plain_name(drug)
        if (wrong := _unfit(name, key, kind, by_name)) is not None:
            say(Fault(f"drug_names.csv:{line}", *wrong))
        elif made.setdefault(name, key) != key:
            say(Fault(f"drug_names.csv:{line}", f"'{name[:60]}' names two drugs",
                      "keep one, or call it ambiguous"))  # fmt: skip
    return made


def _unfit(
    name: str, key: str, kind: str, by_name: Mapping[str, DrugRow]
) -> tuple[str, str] | None:
    """What is wrong with a row of drug_names.csv, and what to write."""
    if kind not in _KINDS:
        return f"no kind '{kind[:60]}'", did_you_mean(kind, _KINDS)
    if not name:
        return "has no name", "write one"
    if (kind == "ambiguous") != (key == ""):
        return "is ambiguous with a drug, or names none", "leave the drug of kind ambiguous empty"
    if key and key not in by_name:
        return f"no drug '{key[:60]}'", did_you_mean(key, by_name)
    if name in by_name and name != key:
        return f"'{name[:60]}' is another drug of drugs.csv", "choose another name"
    return None


def read_words(sheet: Sheet, by_name: Mapping[str, DrugRow], say: Say) -> Words:
    """The word lists of drug_words.yaml; drugs that they name must be in the table."""
    data = sheet.data if isinstance(sheet.data, dict) else {}
    lists: dict[str, frozenset[str]] = {}
    for key, words in data.items():
        if key not in WORD_LISTS or not isinstance(words, list):
            say(Fault(sheet.place((key,), key=True), f"no list '{str(key)[:60]}'",
                      did_you_mean(str(key), WORD_LISTS)))  # fmt: skip
            continue
        of_drugs = key in {"fluids", "premixed"}
        named = of_drugs or key == "carriers"
        lists[key] = frozenset(plain_name(one) if named else one.casefold() for one in words)
        if of_drugs:
            for n, one in enumerate(words):
                if plain_name(one) not in by_name:
                    say(Fault(sheet.place((key, n)), f"no drug '{one[:60]}'",
                              did_you_mean(plain_name(one), by_name)))  # fmt: skip
    return Words(**lists)
