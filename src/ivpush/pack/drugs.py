"""Which drug a charted name is.

A name is looked up whole, then without what nurses write around it: amounts, units, carriers,
words for the form or the route. Each find says how it was found. Called through the book;
``ivpush.pack.drug_files`` reads the rows and the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

from ivpush.contract.fields import Category
from ivpush.pack.drug_text import Reading, TextReader, Words, plain_name
from ivpush.records import record

__all__ = ["DrugNames", "DrugRow", "Found"]

MOST_LETTERS = 200
MOST_KEPT = 16_384
_MOST_ALIKE = 3
_ALIKE = 0.78
"""How alike names must be to be offered: about one letter in five may differ."""
_FEWEST_LETTERS = 4
"""Shorter words are like too many names, and run into others too easily."""


@record
class DrugRow:
    """One row of drugs.csv: class by route, usual techniques, billing unit, end and successor."""

    hcpcs: str
    name: str
    category: Category
    category_injection: Category | None
    hormonal: bool
    techniques: frozenset[str]
    unit_amount: Decimal | None
    unit: str | None
    unit_rule: str | None
    ended: date | None
    successor: str | None
    key: str


@record
class Found:
    """What a look-up came to: the row, or None; how it was reached, or why it was not.

    ``how`` is ``exact``, ``stripped`` or ``carried`` (a fluid beside it) with a row, else
    ``empty``, ``too_long``, ``unknown_word``, ``ambiguous``, ``two_drugs`` or ``premixed``.
    ``names`` are the names of the table that the text holds, ``word`` the first unknown word.
    Without a row ``offered`` are drugs that the text may mean: for a person to say, never decided.
    The text may also say that it keeps a vein open, goes by mouth, and a rate in ml an hour.
    """

    row: DrugRow | None
    how: str
    names: tuple[str, ...] = ()
    word: str = ""
    offered: tuple[DrugRow, ...] = ()
    keep_open: bool = False
    oral: bool = False
    rate: Decimal | None = None


class DrugNames:
    """The names of a pack's drugs; look-ups are kept, so that a repeated name costs one.

    ``vague`` names may mean several drugs: those that they may mean, none where they are countless.
    """

    __slots__ = ("_kept", "_names", "_ready", "_vague", "_words")

    def __init__(
        self,
        names: Mapping[str, DrugRow],
        words: Words,
        vague: Mapping[str, Sequence[DrugRow]] | None = None,
    ) -> None:
        self._names, self._words = dict(names), words
        self._vague = {name: tuple(rows) for name, rows in (vague or {}).items()}
        self._ready: _Parser | None = None
        self._kept: dict[str, Found] = {}

    def __len__(self) -> int:
        return len(self._names)

    def known(self) -> tuple[str, ...]:
        """Every name, plainly written, in order."""
        return tuple(sorted(self._names))

    def exact(self, plain: str) -> DrugRow | None:
        """The row of a name that is already plainly written."""
        return self._names.get(plain)

    def find(self, name: str) -> DrugRow | None:
        """The row of a name as charted; None where it is not known for certain."""
        return self.look_up(name).row

    def beside(self, name: str) -> Found:
        """What a name comes to as soon as other words stand beside it."""
        return self._parser().read(name)

    def unclear(self) -> Mapping[str, tuple[DrugRow, ...]]:
        """What is left of names of two drugs without their forms and routes, and is no name."""
        shortened = self._parser().unclear
        return {name: rows for name, rows in shortened.items() if name not in self._vague}

    def look_up(self, name: str) -> Found:
        """The row of a name as charted, with the way to it."""
        if len(name) > MOST_LETTERS:
            return Found(None, "too_long")
        found = self._kept.get(name)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[name] = self._look(name)
        return found

    def _look(self, name: str) -> Found:
        plain = plain_name(name)
        row = self._names.get(plain)
        if row is not None:
            return Found(row, "exact", (plain,))
        if plain in self._vague:
            return Found(None, "ambiguous", (plain,), offered=self._vague[plain])
        return self._parser().read(name)

    def _parser(self) -> _Parser:
        # Most names are found as they are; what reads the others is made when first asked for.
        if self._ready is None:
            self._ready = _Parser(self._names, self._vague, self._words)
        return self._ready

    def __reduce__(self) -> tuple[type[DrugNames], tuple[object, ...]]:
        return DrugNames, (self._names, self._words, self._vague)


class _Text(NamedTuple):
    """The names in a text, and what beside them may tell which drug they mean."""

    names: tuple[str, ...]
    amounts: tuple[str, ...]
    said: Set[str]
    odd: Set[str]


class _Parser:
    """Reads names that are not in the table as they stand."""

    __slots__ = (
        "begins",
        "dropped",
        "every",
        "lettered",
        "names",
        "silent",
        "spelt",
        "strengths",
        "text",
        "unclear",
        "vague",
        "words",
    )

    def __init__(
        self,
        names: Mapping[str, DrugRow],
        vague: Mapping[str, tuple[DrugRow, ...]],
        words: Words,
    ) -> None:
        self.words, self.text = words, TextReader(words)
        self.dropped = words.dropped | words.bags
        self.silent = self.dropped | words.containers | words.salts | words.notes
        # `citrate` alone may be a name; beside another it is that one's salt.
        able = {name: row for name, row in names.items() if name not in self.silent}
        self.names, shortened = _shortened(able, self.dropped)
        self.unclear = {**shortened, **vague}
        self.every = {name: (row,) for name, row in {**names, **self.names}.items()} | self.unclear
        self.vague = self.unclear.keys() - self.silent
        self.spelt = {word for name in self.names for word in name.split()}
        self.strengths = _strengths(names, words.fluids)
        self.begins = set(_beginnings((*self.names, *self.vague)))
        self.lettered: dict[str, list[tuple[str, int]]] = {}
        for name in self.names:
            if " " not in name:
                self.lettered.setdefault(name[0], []).append((name, _letters(name)))

    def read(self, text: str) -> Found:
        reading = self.text.read(text)
        whole, keep_open, oral = " ".join(reading.parts), False, False
        if whole not in self.names:
            whole, keep_open, oral = self.text.without_asides(whole)
        found = self.parse(list(self.apart(whole.split())), reading)
        return replace(found, keep_open=keep_open, oral=oral, rate=reading.rate)

    def apart(self, words: Sequence[str]) -> Iterator[str]:
        """The words, those that run together apart: ``40kcl``, ``1000ccns``, ``nsbolus``."""
        for n, word in enumerate(words):
            if word in self.spelt or self.says_nothing(word):
                yield word
            else:
                counted = n > 0 and words[n - 1][-1:].isdigit()
                yield from self.split(word, counted=counted)

    def split(self, word: str, *, counted: bool) -> Iterable[str]:
        """A number before a name, with a unit or without, a form after it, or the word itself."""
        rest = word.lstrip("0123456789.")
        number = word[: len(word) - len(rest)]
        if number and rest in self.spelt:
            return number, rest
        if number or counted:
            names = [name for name in self.text.without_unit(rest) if name in self.names]
            if names:
                return (number, names[0]) if number else names[:1]
        name = rest.rstrip("0123456789.")
        if f"{name} {rest[len(name) :]}" in self.names:
            return name, rest[len(name) :]
        forms = (form for form in self.dropped if len(form) >= _FEWEST_LETTERS)
        before = [word[: -len(form)] for form in forms if word.endswith(form)]
        return [name for name in before if name in self.names][:1] or [word]

    def parse(self, parts: Sequence[str], reading: Reading) -> Found:
        """Read words as names of one drug, passing over what the lists hold."""
        names: list[str] = []
        loose: set[str] = set()
        unknown: list[str] = []
        at = 0
        while at < len(parts):
            name, end = self.name_at(parts, at)
            if name:
                names.append(name)
            elif _is_number(parts[at]):
                # The 3 of 1/3 begins no name.
                end += tuple(parts[at : at + 2]) in reading.strengths
                loose.update(parts[at:end])
            elif not self.says_nothing(parts[at]):
                unknown.append(parts[at])
            at = end
        if unknown:
            return self.unsure("unknown_word", names, unknown[0])
        # Magnesium in saline is magnesium, though beside another drug it is its salt.
        salts = [part for part in parts if part in self.every and part in self.silent]
        if not names:
            return self.alone(salts)
        if all(self.carries(name) for name in names):
            names += [part for part in salts if part not in self.words.bags]
        numbers = {number[0] for part in parts if (number := re.match("[0-9]+", part)) is not None}
        odd = (strength for strength in reading.strengths if loose.issuperset(strength))
        text = _Text(
            names=tuple(names),
            amounts=reading.amounts,
            said=reading.said | numbers,
            odd=frozenset(next(odd, ())),
        )
        return self.settle(text)

    def alone(self, names: Sequence[str]) -> Found:
        """What a salt or a note means that no other name stands beside, as `citrate` may."""
        if not names:
            return Found(None, "empty")
        rows = self.every[names[0]]
        if len(names) > 1 or names[0] in self.unclear or len(rows) != 1:
            return self.unsure("ambiguous", names)
        return Found(rows[0], "stripped", tuple(names))

    def carries(self, name: str) -> bool:
        """Whether a name is that of a fluid."""
        row = self.names.get(name)
        return name in self.words.carriers or (row is not None and row.key in self.words.fluids)

    def says_nothing(self, part: str) -> bool:
        """Whether a word may be passed over."""
        return part in self.silent or self.text.is_counted(part)

    def name_at(self, parts: Sequence[str], at: int) -> tuple[str, int]:
        """The name that takes most words from one on; forms and notes may stand inside it.

        With the place after it; of no name, the next word.
        """
        best, end = "", at + 1
        begun = {parts[at]}
        for n, part in enumerate(parts[at:], at):
            if n > at:
                longer = {f"{name} {part}" for name in begun}
                begun = longer | begun if part in self.silent else longer
            begun &= self.begins
            if not begun:
                break
            whole = [name for name in begun if name in self.names or name in self.vague]
            if whole and (len(whole) > 1 or whole[0] != best):
                best, end = max(whole, key=len), n + 1
        return best, end

    def unsure(self, how: str, names: Sequence[str], word: str = "") -> Found:
        """No row, with the drugs that the text may mean: of its names, and names like its word."""
        rows: dict[str, DrugRow] = {}
        for name in (*names, *self.near(word)):
            rows |= {row.key: row for row in self.every[name]}
        return Found(None, how, tuple(names), word, offered=tuple(rows.values()))

    def near(self, word: str) -> list[str]:
        """Names like a word, for a person to judge."""
        if len(word) < _FEWEST_LETTERS:
            return []
        letters = _letters(word)
        # Comparing two words takes long, and a chart may hold thousands that no table has.
        alike = [
            name
            for name, own in self.lettered.get(word[0], ())
            if _share_enough(len(word), len(name), letters & ~own, own & ~letters)
        ]
        return get_close_matches(word, alike, n=_MOST_ALIKE, cutoff=_ALIKE)

    def settle(self, text: _Text) -> Found:
        """The one drug that the names mean, if they mean one."""
        names = [self.additive(name, text) for name in text.names]
        certain = [name for name in names if name not in self.words.carriers]
        if not certain or any(name in self.unclear for name in certain):
            return self.unsure("ambiguous", text.names)
        rows = {row.key: row for row in (self.by_amount(name, text.amounts) for name in certain)}
        drugs = [row for key, row in rows.items() if key not in self.words.fluids]
        carried = len(drugs) < len(rows) or len(certain) < len(names)
        if not drugs:
            return self.fluid(list(rows.values()), text, alone=len(certain) == len(names))
        drugs = _products(drugs, names)
        if len(drugs) > 1 and not self.dissolved(drugs, text.said):
            return self.unsure("two_drugs", text.names)
        if drugs[0].key in self.words.premixed and self.hydrates(rows.values(), text):
            return self.bag(drugs[0], text)
        return Found(drugs[0], "carried" if carried else "stripped", text.names)

    def additive(self, name: str, text: _Text) -> str:
        """A vague name that beside a fluid means its electrolyte, as ``k`` does; else the name."""
        rows = self.every[name]
        electrolyte = len(rows) == 1 and rows[0].key in self.words.premixed
        beside = electrolyte and any(self.carries(other) for other in text.names)
        return rows[0].key if beside else name

    def fluid(self, rows: Sequence[DrugRow], text: _Text, *, alone: bool) -> Found:
        """A fluid that no drug is named with; a syringe of one is a flush."""
        if len(rows) > 1 or not alone:
            return self.unsure("two_drugs", text.names)
        # 3% normal saline is no normal saline.
        if text.odd and not text.odd <= self.strengths.get(rows[0].key, frozenset()):
            return self.unsure("unknown_word", text.names, " ".join(sorted(text.odd)))
        if rows[0].category != "hydration" or text.said.isdisjoint(self.words.syringes):
            return Found(rows[0], "stripped", text.names)
        flush = self.names.get(f"{text.names[0]} flush")
        if flush is None:
            return self.unsure("ambiguous", text.names)
        return Found(flush, "stripped", text.names)

    def hydrates(self, rows: Iterable[DrugRow], text: _Text) -> bool:
        """Whether a text names a fluid, or says that there is one."""
        fluid = any(row.category == "hydration" for row in rows)
        named = not self.words.carriers.isdisjoint(text.names)
        return fluid or named or not text.said.isdisjoint(self.words.bags)

    def dissolved(self, drugs: Sequence[DrugRow], said: Set[str]) -> bool:
        """Whether the second of two drugs, as lidocaine for a muscle, only dissolves the first."""
        return (
            len(drugs) == 2
            and drugs[1].key in self.words.diluents
            and "im" in drugs[0].techniques
            and not said.isdisjoint(self.words.joining)
        )

    def bag(self, drug: DrugRow, text: _Text) -> Found:
        """An electrolyte with a fluid: a bag of fluid that holds it, a piggyback of it, or open."""
        if not text.said.isdisjoint(self.words.piggybacks):
            return Found(drug, "carried", text.names)
        fluid = self.names.get(f"fluid with {drug.key}")
        first = self.names.get(text.names[0])
        leads = first is None or first.key != drug.key
        large = leads or not text.said.isdisjoint(self.words.bag_volumes | self.words.bags)
        half = not text.said.isdisjoint(self.words.half_bags)
        usual = self.words.half_amounts if half else self.words.usual_amounts
        if fluid is not None and large and not text.said.isdisjoint(usual):
            return Found(fluid, "stripped", text.names)
        unsure = self.unsure("premixed", text.names)
        return replace(unsure, offered=(*unsure.offered, fluid)) if fluid is not None else unsure

    def by_amount(self, name: str, amounts: Sequence[str]) -> DrugRow:
        """A strength that changes what the drug is, such as a lock flush's, has its own name."""
        able = (self.names.get(f"{name} {amount}") for amount in amounts)
        return next((row for row in able if row is not None), self.every[name][0])


def _beginnings(names: Iterable[str]) -> Iterator[str]:
    """Each name, and what may grow into it word by word."""
    for name in names:
        words = name.split()
        yield from (" ".join(words[:n]) for n in range(1, len(words) + 1))


def _letters(word: str) -> int:
    """Which letters a word holds, a bit each."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 63)
    return bits


def _share_enough(length: int, other: int, own: int, others: int) -> bool:
    """Whether two words may be alike, by their lengths and the letters that one alone holds."""
    # Each letter that only one holds lacks its like in the other, wherever it stands.
    shared = min(length - own.bit_count(), other - others.bit_count())
    return 2.0 * shared / (length + other) >= _ALIKE


def _is_number(part: str) -> bool:
    return not part.strip("0123456789.")


def _products(drugs: Sequence[DrugRow], names: Sequence[str]) -> list[DrugRow]:
    """The drugs without the bare generic name of another of them: ``doxorubicin (Doxil)``."""
    return [
        drug
        for drug in drugs
        if drug.key not in names or not any(_is_product(other, drug) for other in drugs)
    ]


def _is_product(row: DrugRow, generic: DrugRow) -> bool:
    """Whether a drug is one of the products of a generic name, of its class."""
    same = (row.category, row.hormonal) == (generic.category, generic.hormonal)
    return same and set(row.key.split()) > set(generic.key.split())


def _strengths(names: Mapping[str, DrugRow], fluids: Set[str]) -> dict[str, frozenset[str]]:
    """The numbers that stand in names of fluids, by the fluid."""
    own: dict[str, set[str]] = {key: set() for key in fluids}
    for name, row in names.items():
        if row.key in own:
            own[row.key].update(part for part in name.split() if part[0].isdigit())
    return {key: frozenset(numbers) for key, numbers in own.items()}


def _shortened(
    names: Mapping[str, DrugRow], dropped: frozenset[str]
) -> tuple[dict[str, DrugRow], dict[str, tuple[DrugRow, ...]]]:
    """The names with those that hold routes or forms also without; and what then means two."""
    shortened = dict(names)
    vague: dict[str, tuple[DrugRow, ...]] = {}
    for name, row in names.items():
        short = " ".join(part for part in name.split() if part not in dropped)
        # `AT II` is not II.
        if len(short) < _FEWEST_LETTERS or short in names:
            continue
        if shortened.setdefault(short, row).key != row.key:
            vague[short] = (shortened[short], row)
    return {name: row for name, row in shortened.items() if name not in vague}, vague
