"""The drug table of a pack, and which drug a charted name is.

A name is looked up whole, then without what nurses write around it: amounts, units, carriers,
words for the form or the route. Each find says how it was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import get_args

from ivpush.contract.fields import Category
from ivpush.errors import Fault, PackError, did_you_mean
from ivpush.pack.checked import read_shape
from ivpush.pack.files import Layer, Say, Sheet, csv_of, read_csv, word_of
from ivpush.pack.shapes.data import DrugWordsFile

__all__ = [
    "WORD_LISTS",
    "DrugNames",
    "DrugRow",
    "DrugTable",
    "Found",
    "Words",
    "plain_name",
    "read_drugs",
    "read_words",
]

_NAME_PART = re.compile(r"[a-z0-9.]+")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_CATEGORIES: tuple[Category, ...] = get_args(Category)
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
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


def plain_name(text: str) -> str:
    """A drug's name without case, punctuation or doubled spaces, for exact look-up."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return " ".join(_NAME_PART.findall(text.casefold().replace("'", "").replace("\u2019", "")))


_COLUMNS = (
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
_NAME_COLUMNS = ("name", "drug", "kind", "source")
_KINDS = ("generic", "brand", "abbreviation", "misspelling", "ambiguous")


@dataclass(frozen=True, slots=True)
class DrugTable:
    """Rows of drugs by HCPCS code, and the look-up of names."""

    by_code: dict[str, DrugRow]
    names: DrugNames


def read_drugs(layers: Sequence[Layer], words: Sheet, say: Say) -> DrugTable:
    """The drug table of stacked packs: a later pack's row of a code or name stands for it."""
    by_code: dict[str, DrugRow] = {}
    by_name: dict[str, DrugRow] = {}
    named: dict[str, str] = {}
    for n, layer in enumerate(layers):
        try:
            if n == 0 or "drugs.csv" in layer:
                rows = list(_rows(csv_of(layer, "drugs.csv"), say))
                by_code.update((row.hcpcs, row) for row in rows if row.hcpcs)
                by_name.update(_current(rows))
            if "drug_names.csv" in layer:
                named.update(_named(csv_of(layer, "drug_names.csv"), by_code, by_name, say))
        except PackError as error:
            for fault in error.faults:
                say(fault)
    ambiguous = [name for name, key in named.items() if not key]
    names = {name: by_name[key] for name, key in named.items() if key}
    lists = read_words(words, by_name, say)
    return DrugTable(by_code, DrugNames({**names, **by_name}, lists, ambiguous))


def _rows(raw: bytes, say: Say) -> Iterator[DrugRow]:
    for line, cells in read_csv("drugs.csv", raw, _COLUMNS):
        row = dict(zip(_COLUMNS, cells, strict=True))
        amount, ended = row["unit_amount"], row["ended"]
        # int() and Decimal() read more than people mean: infinity, signs, digits of other scripts.
        if (amount and not _AMOUNT.fullmatch(amount)) or (ended and not _DAY.fullmatch(ended)):
            say(Fault(f"drugs.csv:{line}", "holds a bad number or date", "write it plainly"))
            continue
        injected = row["category_injection"]
        try:
            yield DrugRow(
                hcpcs=row["hcpcs"],
                name=row["name"],
                category=word_of(_CATEGORIES, row["category"]),
                category_injection=word_of(_CATEGORIES, injected) if injected else None,
                hormonal=row["hormonal"] == "true",
                techniques=frozenset(row["techniques"].split("|")),
                unit_amount=Decimal(amount) if amount else None,
                unit=row["unit"] or None,
                unit_rule=row["unit_rule"] or None,
                ended=date.fromisoformat(ended) if ended else None,
                successor=row["successor"] or None,
                key=plain_name(row["name"]),
            )
        except ValueError:
            remedy = f"write a day that there is, and one of {', '.join(_CATEGORIES)}"
            say(Fault(f"drugs.csv:{line}", "holds a bad date or class of drug", remedy))


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
            say(
                Fault(
                    f"drug_names.csv:{line}",
                    f"'{name[:60]}' names two drugs",
                    "keep one, or call it ambiguous",
                )
            )
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


_NAMES = frozenset({"fluids", "carriers", "premixed", "diluents"})
"""The lists that hold names of drugs."""
WORD_LISTS = tuple(DrugWordsFile.model_fields)
"""The lists of drug_words.yaml."""
MOST_LETTERS = 200
MOST_WORDS = 8
MOST_KEPT = 16_384


@dataclass(frozen=True, slots=True)
class Words:
    """Words that do not say which drug it is, by what they say instead; from drug_words.yaml.

    ``units`` and ``per`` (units of a rate) make amounts. ``dropped`` words are routes and forms;
    ``containers``, ``salts`` and ``notes`` may be part of a name and are passed over only where
    they are not. ``fluids`` are names of drugs that carry others; ``premixed`` are drugs that may
    make a fluid of their own with one: a bag of fluid where ``usual_amounts`` run in one of
    ``bag_volumes``, a drug where a word of ``piggybacks`` says so, else unknown. ``diluents`` named
    last, after a word of ``joining``, only dissolve a drug. What ``keep_open``, ``oral`` and a rate
    (``at``, ``volumes``, ``hours``) say is a fact of its own; ``counted`` stand before numbers.
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
    diluents: frozenset[str] = frozenset()
    joining: frozenset[str] = frozenset()
    keep_open: frozenset[str] = frozenset()
    oral: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    at: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    hours: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up came to: the row, or None; how it was reached, or why it was not.

    ``how`` is ``exact``, ``stripped`` or ``carried`` (a fluid beside it) with a row, else
    ``empty``, ``too_long``, ``unknown_word``, ``ambiguous``, ``two_drugs`` or ``premixed``.
    ``names`` are the names of the table that the text holds, ``word`` the first unknown word.
    The text may also say that it keeps a vein open, goes by mouth, and a rate in ml an hour.
    """

    row: DrugRow | None
    how: str
    names: tuple[str, ...] = ()
    word: str = ""
    keep_open: bool = False
    oral: bool = False
    rate: Decimal | None = None


class DrugNames:
    """The names of a pack's drugs; look-ups are kept, so that a repeated name costs one."""

    __slots__ = ("_ambiguous", "_kept", "_names", "_ready", "_words")

    def __init__(
        self, names: Mapping[str, DrugRow], words: Words, ambiguous: Iterable[str] = ()
    ) -> None:
        self._names, self._words = dict(names), words
        self._ambiguous = frozenset(ambiguous)
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
        if plain in self._ambiguous:
            return Found(None, "ambiguous", (plain,))
        # Most names are found as they are; what reads the others is made when first asked for.
        if self._ready is None:
            self._ready = _Parser(self._names, self._ambiguous, self._words)
        return self._ready.read(name.casefold())

    def __reduce__(
        self,
    ) -> tuple[type[DrugNames], tuple[dict[str, DrugRow], Words, frozenset[str]]]:
        return DrugNames, (self._names, self._words, self._ambiguous)


class _Parser:
    """Reads names that are not in the table as they stand."""

    __slots__ = ("ambiguous", "amount", "counted", "longest", "names", "passed", "rate", "words")

    def __init__(
        self, names: Mapping[str, DrugRow], ambiguous: frozenset[str], words: Words
    ) -> None:
        self.words = words
        self.passed = words.containers | words.salts | words.notes
        # `citrate` alone may be a name; beside another it is that one's salt.
        able = {name: row for name, row in names.items() if name not in self.passed}
        self.names, vague = _shortened(able, words.dropped)
        self.ambiguous = (ambiguous | vague) - self.passed
        self.amount, self.rate = _amounts(words), _rates(words)
        # How often and which day of a cycle: x2, q8h, c1d8.
        self.counted = re.compile(
            f"(?:{_either(words.counted)}[0-9.]+{_either(words.per | words.counted)}?)+"
        )
        self.longest = min(MOST_WORDS, max((one.count(" ") + 1 for one in self.names), default=1))

    def read(self, text: str) -> Found:
        text = re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "", text)
        rate = self.rate.search(text)
        amounts = [_plain_amount(one[0]) for one in self.amount.finditer(text)]
        rest = plain_name(self.amount.sub(" ; ", text)).split()
        parts = [part for one in rest if (part := one.strip("."))]
        kept, keep_open, oral = self.beside(" ".join(parts))
        said = {*parts, *(" ".join(one.split()[:2]) for one in amounts)}
        found = self.parse([one for one in kept if one not in self.words.dropped], amounts, said)
        hourly = Decimal(rate[1] or rate[2]) if rate is not None else None
        return replace(found, keep_open=keep_open, oral=oral, rate=hourly)

    def beside(self, text: str) -> tuple[list[str], bool, bool]:
        """The words without those that say how it runs or goes in, and whether they said so."""
        if text in self.names:
            return text.split(), False, False
        said = []
        for phrases in (self.words.keep_open, self.words.oral):
            kept = re.sub(rf"(?<![a-z0-9]){_either(phrases)}(?![a-z0-9])", " ", text)
            said.append(kept != text)
            text = kept
        return text.split(), said[0], said[1]

    def parse(self, parts: Sequence[str], amounts: Sequence[str], said: Set[str]) -> Found:
        """Read words as names of one drug, passing over what the lists hold."""
        names: list[str] = []
        unknown = ""
        at = 0
        while at < len(parts):
            for size in range(min(self.longest, len(parts) - at), 0, -1):
                name = " ".join(parts[at : at + size])
                if name in self.names or name in self.ambiguous:
                    names.append(name)
                    at += size
                    break
            else:
                glued = parts[at].lstrip("0123456789.")  # 20kcl
                if glued in self.names:
                    names.append(glued)
                elif glued and parts[at] not in self.passed:
                    if not self.counted.fullmatch(parts[at]):
                        unknown = unknown or parts[at]
                at += 1
        if unknown:
            return Found(None, "unknown_word", tuple(names), unknown)
        digits = {number for one in parts if (number := re.match("[0-9]+", one)) is not None}
        return self.settle(tuple(names), amounts, said | {number[0] for number in digits})

    def settle(self, told: tuple[str, ...], amounts: Sequence[str], said: Set[str]) -> Found:
        """The one drug that the names mean, if they mean one."""
        if not told:
            return Found(None, "empty")
        certain = [name for name in told if name not in self.words.carriers]
        if not certain or any(name in self.ambiguous for name in certain):
            return Found(None, "ambiguous", told)
        rows = {row.key: row for row in (self.by_amount(name, amounts) for name in certain)}
        drugs = [row for key, row in rows.items() if key not in self.words.fluids]
        if not drugs:
            if len(rows) > 1 or len(certain) < len(told):
                return Found(None, "two_drugs", told)
            return Found(next(iter(rows.values())), "stripped", told)
        if len(drugs) > 1 and not self.dissolved(drugs, said):
            return Found(None, "two_drugs", told)
        carried = len(rows) > 1 or len(certain) < len(told)
        hydrating = any(row.category == "hydration" for row in rows.values() if row != drugs[0])
        if drugs[0].key in self.words.premixed and (hydrating or len(certain) < len(told)):
            return self.bag(drugs[0], told, said)
        return Found(drugs[0], "carried" if carried else "stripped", told)

    def dissolved(self, drugs: Sequence[DrugRow], said: Set[str]) -> bool:
        """Whether the second of two drugs, as lidocaine for a muscle, only dissolves the first."""
        return (
            len(drugs) == 2
            and drugs[1].key in self.words.diluents
            and "im" in drugs[0].techniques
            and not said.isdisjoint(self.words.joining)
        )

    def bag(self, drug: DrugRow, told: tuple[str, ...], said: Set[str]) -> Found:
        """An electrolyte with a fluid: a bag of fluid that holds it, a piggyback of it, or open."""
        if not said.isdisjoint(self.words.piggybacks):
            return Found(drug, "carried", told)
        fluid = self.names.get(f"fluid with {drug.key}")
        first = self.names.get(told[0])
        leads = first is None or first.key != drug.key
        large = leads or not said.isdisjoint(self.words.bag_volumes)
        if fluid is None or not large or said.isdisjoint(self.words.usual_amounts):
            return Found(None, "premixed", told)
        return Found(fluid, "stripped", told)

    def by_amount(self, name: str, amounts: Sequence[str]) -> DrugRow:
        """A strength that changes what the drug is, such as a lock flush's, has its own name."""
        able = (self.names.get(f"{name} {amount}") for amount in amounts)
        return next((row for row in able if row is not None), self.names[name])


def _shortened(
    names: Mapping[str, DrugRow], dropped: frozenset[str]
) -> tuple[dict[str, DrugRow], frozenset[str]]:
    """The names with those that hold routes or forms also without; and what then means two."""
    made = dict(names)
    vague: set[str] = set()
    for name, row in names.items():
        short = " ".join(one for one in name.split() if one not in dropped)
        if short and made.setdefault(short, row).key != row.key and short not in names:
            vague.add(short)
    return made, frozenset(vague)


def _either(words: Iterable[str]) -> str:
    """A pattern of any of the words, the longest first; of no word where there are none."""
    able = sorted(map(re.escape, words), key=len, reverse=True)
    return "(?:" + ("|".join(able) or "(?!)") + ")"


_NUMBER = r"[0-9]+(?:\.[0-9]+)?"


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
    return " ".join(one.removesuffix("s") if len(one) > 3 else one for one in parts)
