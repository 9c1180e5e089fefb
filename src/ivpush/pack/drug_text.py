"""The text of a charted drug name: its plain form, and its words apart from what is beside them.

``ivpush.pack.drugs`` looks the words up; nothing here knows a drug. Amounts, rates and strengths
are read by patterns that the word lists of a pack make.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from ivpush.records import record

__all__ = ["Reading", "TextReader", "Words", "plain_name"]

_NAME_PART = re.compile(r"[a-z0-9.]+")
_BARE_POINT = re.compile(r"(?<![0-9a-z])\.(?=[0-9])")
_INITIALS = re.compile(r"(?<![a-z0-9.])(?:[a-z]\.)+[a-z]?(?![a-z0-9])")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
# 3%, 0.45, 1/2: what tells one fluid from another of the same name.
_STRENGTH = re.compile(
    rf"({_NUMBER})\s*%|(?<![0-9./])(0\.[0-9]+)|(?<![0-9./])([0-9]\s*/\s*[0-9])(?![0-9./])"
)


def plain_name(text: str) -> str:
    """A drug's name without case, punctuation or doubled spaces, for exact look-up."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return _parts_of(_folded(text))


def _parts_of(folded: str) -> str:
    return " ".join(_NAME_PART.findall(folded.replace("'", "").replace("\u2019", "")))


def _folded(text: str) -> str:
    """Lower case, with signs written out: ``½`` as ``1/2``, ``.45`` as ``0.45``, N.S. as ``ns``."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2044", "/").replace("\u03bc", "u")
    text = _INITIALS.sub(lambda initials: initials[0].replace(".", ""), text)
    return _BARE_POINT.sub("0.", text)


@record
class Words:
    """Words that do not say which drug it is, by what they say instead; from drug_words.yaml.

    ``units`` and ``per`` (units of a rate) make amounts. ``dropped`` words are routes and forms;
    ``containers``, ``salts`` and ``notes`` may be part of a name and are passed over only where
    they are not. ``fluids`` are names of drugs that carry others; ``bags`` say that there is one,
    ``syringes`` make it a flush. ``premixed`` are drugs that may make a fluid of their own with
    one: a bag of fluid where ``usual_amounts`` run in one of ``bag_volumes`` (``half_amounts`` in
    one of ``half_bags``), a drug where a word of ``piggybacks`` says so, else unknown.
    ``diluents`` named last, after a word of ``joining``, only dissolve a drug. What ``keep_open``,
    ``oral`` and a rate (``at``, ``volumes``, ``hours``) say is a fact of its own; ``counted`` stand
    before numbers.
    """

    units: frozenset[str] = frozenset()
    per: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    salts: frozenset[str] = frozenset()
    notes: frozenset[str] = frozenset()
    fluids: frozenset[str] = frozenset()
    carriers: frozenset[str] = frozenset()
    premixed: frozenset[str] = frozenset()
    piggybacks: frozenset[str] = frozenset()
    bag_volumes: frozenset[str] = frozenset()
    usual_amounts: frozenset[str] = frozenset()
    half_bags: frozenset[str] = frozenset()
    half_amounts: frozenset[str] = frozenset()
    bags: frozenset[str] = frozenset()
    syringes: frozenset[str] = frozenset()
    diluents: frozenset[str] = frozenset()
    joining: frozenset[str] = frozenset()
    keep_open: frozenset[str] = frozenset()
    oral: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    at: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    hours: frozenset[str] = frozenset()


@record
class Reading:
    """A text apart: its words, and the amounts, strengths and the rate that stand beside them.

    ``said`` are words and amounts that may tell what a mixture is; a strength is its numbers.
    """

    parts: tuple[str, ...]
    amounts: tuple[str, ...]
    said: frozenset[str]
    strengths: tuple[tuple[str, ...], ...]
    rate: Decimal | None


class TextReader:
    """Reads texts by the word lists of a pack."""

    __slots__ = ("_amount", "_asides", "_counted", "_rate", "_units")

    def __init__(self, words: Words) -> None:
        self._amount, self._rate = _amounts(words), _rates(words)
        # How often and which day of a cycle: x2, q8h, c1d8.
        self._counted = re.compile(
            f"(?:{_either(words.counted)}[0-9.]+{_either(words.per | words.counted)}?)+"
        )
        self._asides = [_whole(words.keep_open), _whole(words.oral)]
        self._units = tuple(unit for unit in words.units if len(unit) > 1)

    def read(self, text: str) -> Reading:
        """The words of a text, and what stands beside them."""
        text = _THOUSANDS.sub("", _folded(text))
        rate = self._rate.search(text)
        amounts = [_plain_amount(amount[0]) for amount in self._amount.finditer(text)]
        rest = self._amount.sub(" ; ", text)
        parts = [part for word in _parts_of(rest).split() if (part := word.strip("."))]
        strengths = [_parts_of(strength[0]).split() for strength in _STRENGTH.finditer(rest)]
        return Reading(
            parts=tuple(parts),
            amounts=tuple(amounts),
            said=frozenset({*parts, *map(_first_amount, amounts)}),
            strengths=tuple(map(tuple, strengths)),
            rate=Decimal(rate[1] or rate[2]) if rate is not None else None,
        )

    def without_asides(self, text: str) -> tuple[str, bool, bool]:
        """A text without what keeps a vein open or goes by mouth, and whether it said so."""
        said = []
        for aside in self._asides:
            kept = aside.sub(" ", text)
            said.append(kept != text)
            text = kept
        return text, said[0], said[1]

    def is_counted(self, word: str) -> bool:
        """Whether a word only counts doses, hours or days."""
        return self._counted.fullmatch(word) is not None

    def without_unit(self, word: str) -> Iterable[str]:
        """A word without a unit before it: ``kcl`` of ``meqkcl``."""
        return (word[len(unit) :] for unit in self._units if word.startswith(unit))


def _whole(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9]){_either(phrases)}(?![a-z0-9])")


def _either(words: Iterable[str]) -> str:
    """A pattern of any of the words, the longest first; of no word where there are none."""
    able = sorted(map(re.escape, words), key=len, reverse=True)
    return "(?:" + ("|".join(able) or "(?!)") + ")"


def _amounts(words: Words) -> re.Pattern[str]:
    """Amounts as charts write them: ``4 mg/2 mL``, ``25000 units/250 ml``, ``(mcg/kg/min)``."""
    unit, per = _either(words.units), _either(words.units | words.per)
    numbers = rf"(?:{_NUMBER}|\.[0-9]+)(?:\s*[-x]\s*{_NUMBER})*"
    rated = rf"(?:\s*/\s*(?:{_NUMBER}\s*)?{per}(?![a-z]))*"
    return re.compile(
        rf"(?<![a-z0-9.]){numbers}\s*-?\s*{per}(?![a-z]){rated}"
        rf"|(?<![a-z0-9.]){numbers}\s*/\s*{_either(words.hours)}(?![a-z])"
        rf"|(?<![a-z0-9]){unit}(?:\s*/\s*{per})+(?![a-z])"
    )


def _rates(words: Words) -> re.Pattern[str]:
    """A rate in ml an hour: ``@ 125``, ``75 ml/hr``, ``150/h``; never one per kilogram."""
    volume, hour = _either(words.volumes), _either(words.hours)
    end = r"(?![a-z0-9./])"
    return re.compile(
        rf"(?:(?<![a-z0-9])|(?=[^a-z])){_either(words.at)}\s*({_NUMBER})(?:\s*{volume})?(?:\s*/\s*{hour})?\s*(?=$|[\s,;)]){end}"
        rf"|(?<![a-z0-9./])({_NUMBER})\s*{volume}?\s*/\s*{hour}{end}"
    )


def _plain_amount(text: str) -> str:
    """An amount as names of the table write it: ``10 unit ml`` for ``10 units/mL``."""
    parts = re.findall(r"[0-9.]+|[a-z]+", text)
    return " ".join(part.removesuffix("s") if len(part) > 3 else part for part in parts)


def _first_amount(amount: str) -> str:
    """The first number and the first unit: ``20 meq`` of ``20 0.9 meq l``."""
    number = re.search(r"[0-9.]+", amount)
    unit = re.search(r"[a-z]+", amount)
    return " ".join(found[0] for found in (number, unit) if found is not None)
