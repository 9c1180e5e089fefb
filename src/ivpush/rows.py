"""Typed rows of a pack's data files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

__all__ = ["CodeRow", "DrugRow", "SupervisionRow", "plain_name"]


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


def plain_name(text: str) -> str:
    """A drug's name without case, punctuation or doubled spaces, for exact look-up."""
    return re.sub(r"[^a-z0-9.]+", " ", re.sub(r"['\u2019]", "", text.casefold())).strip()
