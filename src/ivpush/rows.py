"""Typed rows of a pack's data files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_NAME_PART = re.compile(r"[a-z0-9.]+")

__all__ = ["CodeRow", "DrugRow", "PairTable", "Pairs", "SupervisionRow", "plain_name"]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of codes.yaml, as valid within its dates."""

    code: str
    label: str
    family: str
    technique: str
    role: str
    variant: str | None
    settings: frozenset[str]
    further: str | None
    once: str | None
    succeeded_by: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    cites: tuple[str, ...]
    administration: bool


@dataclass(frozen=True, slots=True)
class DrugRow:
    """One row of drugs.csv: class by route, usual techniques, billing unit, end and successor."""

    hcpcs: str
    name: str
    category: str
    category_injection: str | None
    hormonal: bool
    techniques: frozenset[str]
    unit_amount: Decimal | None
    unit: str | None
    unit_rule: str | None
    ended: date | None
    successor: str | None
    key: str


@dataclass(frozen=True, slots=True)
class SupervisionRow:
    """The level and modes of supervision that one setting asks in some dates."""

    setting: str
    families: frozenset[str]
    level: str
    modes: frozenset[str]
    valid_from: date
    valid_to: date | None
    policy: tuple[tuple[str, str], ...]
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """NCCI column-1 codes of one column-2 code: never billed beside it, or with a modifier only."""

    never: frozenset[str]
    with_modifier: frozenset[str]


class PairTable:
    """Pairs by setting and column-2 code; the long lists are split when first asked for."""

    __slots__ = ("_made", "_texts")

    def __init__(self, texts: dict[tuple[str, str], dict[str, str]]) -> None:
        self._texts = texts
        self._made: dict[tuple[str, str], Pairs] = {}

    def get(self, setting: str, code: str) -> Pairs | None:
        """The pairs of a column-2 code, or None where it has none."""
        key = (setting, code)
        made = self._made.get(key)
        if made is None and key in self._texts:
            text = self._texts[key]
            made = self._made[key] = Pairs(
                frozenset(text.get("0", "").split()), frozenset(text.get("1", "").split())
            )
        return made


def plain_name(text: str) -> str:
    """A drug's name without case, punctuation or doubled spaces, for exact look-up."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return " ".join(_NAME_PART.findall(text.casefold().replace("'", "").replace("\u2019", "")))
