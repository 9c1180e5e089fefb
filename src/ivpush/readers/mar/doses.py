"""Rows of a medication record as doses, by the words of a column map.

A word that no table knows leaves the fact open and is counted; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dateutil import tz

from ivpush import clock
from ivpush.errors import Fault, InputError
from ivpush.readers import ReadOptions
from ivpush.readers.tables.cells import Row, Table, text_of
from ivpush.readers.tables.forms import ndc, number, plain_text, read_time, whole
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.maps import TIMES, ColumnMap, spellings, words_of

__all__ = [
    "Dose",
    "Look",
]

ANY = "*"
"""Key of a value table that stands for every value that no other key and no spelling names."""

MOST_REMEMBERED = 20_000
_TO_MINUTES = {"seconds": Decimal(1) / 60, "minutes": Decimal(1), "hours": Decimal(60),
               "days": Decimal(1440)}  # fmt: skip
_TO_ML_PER_HOUR = {"ml/h": Decimal(1), "ml/min": Decimal(60)}
_TO_ML = {"ml": Decimal(1), "l": Decimal(1000)}
_TEXTS = ("drug", "dose_unit", "site", "lumen", "administered_by")
_OWN_WORDS = {"route", "method", "category", "purpose", "access", "role", "setting", "action"}


@dataclass(slots=True)
class Dose:
    """One dose, or one event of one, on its way to an administration."""

    number: int
    order: str
    run: str
    role: str
    fields: dict[str, Any]
    actions: tuple[str, ...] = ()
    at: datetime | None = None
    day: date | None = None
    name: str = ""
    """Id in the table, from which the administration's id is made."""
    id: str = ""
    after: Dose | None = None
    """The run that this one goes on with."""
    beside: Dose | None = None
    """The dose in whose bag or syringe this one is."""


class Look:
    """Finds the facts of a map in the rows of one table."""

    def __init__(self, table: Table, columns: ColumnMap, options: ReadOptions) -> None:
        self.map, self.table = columns, table
        zone = options.timezone or columns.timezone
        self.timezone = zone
        self.zone = tz.gettz(zone) if zone else None
        self.places: dict[str, list[int]] = {}
        self.missing: list[str] = []
        for fact, names in columns.columns.items():
            self.places[fact] = [table.columns.index(one) for one in names if one in table.columns]
            if not self.places[fact]:
                self.missing += names
        self.told = {one for one, those in self.places.items() if those} | set(columns.constants)
        self._read: dict[tuple[str, str], tuple[str, ...] | None] = {}
        self._alone = [one for one in self.places if len(self.places[one]) > 1 and one not in TIMES]
        self._cells = sorted({place for one, those in self.places.items()
                              if one not in self._alone for place in those})  # fmt: skip

    def need(self, *facts: str) -> None:
        """Raise InputError where the table lacks all columns of a fact that nothing can replace."""
        faults = [
            Fault(self.table.name, f"lacks the column '{self.map.columns[fact][0]}'",
                  f"the map '{self.map.id}' reads {fact} from it; name another map or column")
            for fact in facts
            if fact in self.map.columns and fact not in self.told
        ]  # fmt: skip
        if faults:
            raise InputError(faults)

    def told_by(self, row: Row) -> tuple[str, ...]:
        """What a row says, so that a repeated row is known: of names for one fact, the one read."""
        cells = [text_of(row.cells[place]) for place in self._cells]
        return (*cells, *(self.text(row, one) for one in self._alone))

    def raw(self, row: Row, fact: str) -> Any:
        """The first cell of a fact that holds anything; None where none does."""
        for place in self.places.get(fact, ()):
            value = row.cells[place]
            if value is not None and text_of(value).strip() not in self.map.null:
                return value
        return self.map.constants.get(fact)

    def text(self, row: Row, fact: str) -> str:
        """A cell as text on one line; empty where it says nothing."""
        if fact not in self.told:
            return ""
        return " ".join(text_of(self.raw(row, fact)).split())

    def word(self, row: Row, fact: str, ledger: Ledger) -> str | None:
        """A cell as a word of the contract; None, with a remark, where no table knows it."""
        words = self.words(row, fact, ledger)
        return words[0] if words else None

    def words(self, row: Row, fact: str, ledger: Ledger) -> tuple[str, ...]:
        """The words of a cell; several only where one text joins several actions."""
        if fact not in self.told:
            return ()
        text = self.text(row, fact)
        if (fact, text) not in self._read:
            if len(self._read) > MOST_REMEMBERED:
                self._read.clear()
            self._read[fact, text] = self._words(fact, plain_text(text))
        found = self._read[fact, text]
        if found is None:
            ledger.remark(f"{fact} is written in a way that no table knows", row.number)
            return ()
        return found

    def _words(self, fact: str, text: str) -> tuple[str, ...] | None:
        constant = self.map.constants.get(fact)
        if not text or (constant is not None and text == constant.casefold()):
            return (constant,) if constant is not None else ()
        found = self.known(fact, text)
        if found is None and fact == "action":
            parts = [self.known(fact, one.strip(" []")) for one in text.split(",")]
            if all(part is not None for part in parts):
                found = tuple(word for part in parts for word in part or ())
        return None if found is None else tuple(one for one in found if one != "unknown")

    def known(self, fact: str, text: str) -> tuple[str, ...] | None:
        """The words that a text stands for: by the map, the shipped spellings, or as it is."""
        found = self.map.values.get(fact, {}).get(text)
        if found is not None:
            return found
        word = spellings().of(fact).get(text)
        if word is None and fact in _OWN_WORDS:
            word = next((one for one in words_of(fact) if one.casefold() == text), None)
        return (word,) if word is not None else self.map.values.get(fact, {}).get(ANY)

    def time(self, row: Row, fact: str, ledger: Ledger) -> datetime | date | None:
        """A time or a mere date; None, with a remark, where it is not in a declared form."""
        if fact not in self.told:
            return None
        values = [row.cells[place] for place in self.places.get(fact, ())]
        if len(values) == 1 and isinstance(values[0], date):
            return self._local(values[0])
        text = " ".join(
            one for one in (text_of(value).strip() for value in values) if one not in self.map.null
        )
        if not text:
            return None
        if self.map.anchor is not None:
            away = whole(text)
            if away is not None:
                return self.map.anchor + timedelta(minutes=away)
        found = read_time(text, self.map.forms)
        if found is None:
            ledger.remark(f"{fact} is not in a form that the map declares", row.number)
        return self._local(found)

    def _local(self, at: datetime | date | None) -> datetime | date | None:
        """An instant on the clock of the place, with its offset, so that its date is right."""
        if isinstance(at, datetime) and at.tzinfo is not None and self.zone is not None:
            return at.astimezone(self.zone)
        return at

    def quantity(self, row: Row, fact: str, ledger: Ledger) -> Decimal | None:
        """A number from 0; None, with a remark, where it is none."""
        text = self.text(row, fact)
        if not text:
            return None
        made = number(text)
        if made is None or made < 0:
            what = "is no number" if made is None else "is below zero"
            ledger.remark(f"{fact} {what}", row.number)
            return None
        return made

    def dose(self, row: Row, ledger: Ledger) -> Dose:
        """The facts of a row."""
        fields: dict[str, Any] = {}
        for fact in _TEXTS:
            text = self.text(row, fact)
            if text:
                fields[fact] = text
        for fact in ("route", "method", "category", "purpose", "access"):
            word = self.word(row, fact, ledger)
            if word:
                fields[fact] = word
        if "method" not in fields:
            # Many sites write the technique into the route: "IV push" names both.
            method = spellings().of("method").get(plain_text(self.text(row, "route")))
            if method is not None:
                fields["method"] = method
        performer = self.text(row, "performer")
        if performer:
            fields["performer"] = performer
        self._codes(row, fields, ledger)
        self._amounts(row, fields, ledger)
        made = Dose(
            row.number, self.text(row, "order"), self.text(row, "run"),
            self.word(row, "role", ledger) or "", fields, name=self.text(row, "line"),
        )  # fmt: skip
        self._times(row, made, ledger)
        return made

    def _codes(self, row: Row, fields: dict[str, Any], ledger: Ledger) -> None:
        found = {fact: self.text(row, fact) for fact in ("hcpcs", "ndc")}
        code = self.text(row, "code")
        if code:
            system = self.word(row, "code_system", ledger)
            if system in found:
                found[system] = found[system] or code
            else:
                ledger.remark("the drug code is of a system that is not read; the drug is known "
                              "by its text alone", row.number)  # fmt: skip
        hcpcs = found["hcpcs"].upper()
        if hcpcs:
            if len(hcpcs) == 5 and hcpcs.isascii() and hcpcs.isalnum():
                fields["hcpcs"] = hcpcs
            else:
                ledger.remark("hcpcs is no code of five letters and digits", row.number)
        if found["ndc"]:
            fields["ndc"], mended = ndc(found["ndc"], self.map.ndc_digits)
            if mended:
                ledger.remark("the NDC had lost its leading zeros, which were put back", row.number)
            elif fields["ndc"] is None:
                ledger.remark("the NDC is no code of 10 or 11 digits", row.number)

    def _amounts(self, row: Row, fields: dict[str, Any], ledger: Ledger) -> None:
        for fact in ("dose", "wasted"):
            amount = self.quantity(row, fact, ledger)
            if amount is not None:
                fields[fact] = amount
        for fact, unit, target, factors in (
            ("rate", "rate_unit", "rate_ml_per_hour", _TO_ML_PER_HOUR),
            ("volume", "volume_unit", "volume_ml", _TO_ML),
        ):
            if not self.text(row, fact):
                continue
            word = self.known(unit, plain_text(self.text(row, unit))) or ("",)
            factor = factors.get(word[0])
            if factor is None:  # a rate by weight or a volume in milligrams says nothing here
                continue
            amount = self.quantity(row, fact, ledger)
            if amount is not None:
                fields[target] = number(str(amount * factor))

    def _times(self, row: Row, made: Dose, ledger: Ledger) -> None:
        fields = made.fields
        start, stop = self.time(row, "start", ledger), self.time(row, "stop", ledger)
        at, seen = (
            self.time(row, "action_time", ledger),
            self.time(row, "last_seen_running", ledger),
        )
        stated = self.time(row, "date", ledger)
        if self.map.shape == "event":
            made.at = at if isinstance(at, datetime) else None
        elif start is None:
            start = at
        days = [one.date() if isinstance(one, datetime) else one
                for one in (stated, start, at, stop) if one is not None]  # fmt: skip
        made.day = days[0] if days else None
        for fact, value in (("start", start), ("stop", stop), ("last_seen_running", seen)):
            if isinstance(value, datetime):
                fields[fact] = value
            elif value is not None:
                ledger.remark(f"{fact} is a date without a clock time", row.number)
        self._duration(row, fields, ledger)
        if self.map.times_from != "charted" and {"start", "stop", "minutes"} & fields.keys():
            fields["times_from"] = self.map.times_from
        self._doubt(row, fields, ledger)

    def _duration(self, row: Row, fields: dict[str, Any], ledger: Ledger) -> None:
        if not self.text(row, "duration"):
            return
        amount = self.quantity(row, "duration", ledger)
        word = self.word(row, "duration_unit", ledger)
        if amount is None or word is None:
            if amount is not None:
                ledger.remark("duration is stated without a unit", row.number)
            return
        minutes = int(amount * _TO_MINUTES[word])
        if minutes <= 1_000_000:
            fields["minutes"] = minutes
            if "stop" not in fields and self.map.duration_from != "charted":
                fields["times_from"] = self.map.duration_from

    def _doubt(self, row: Row, fields: dict[str, Any], ledger: Ledger) -> None:
        """Tell stops before starts, and stops that the system invents."""
        start, stop = fields.get("start"), fields.get("stop")
        minutes = fields.get("minutes")
        if start is not None and stop is not None:
            begun = clock.moment(start, self.zone).seconds
            minutes = clock.between(begun, clock.moment(stop, self.zone, begun).seconds)
            if minutes < 0 or clock.moment(stop, self.zone, begun).seconds < begun:
                ledger.remark("stops before it starts", row.number)
                return
        if minutes is not None and minutes in self.map.default_minutes:
            if fields.get("method") in self.map.default_methods:
                fields["times_from"] = "defaulted"
                ledger.remark("lasts exactly as long as the system's default for such a method: "
                              "its stop counts as not charted", row.number)  # fmt: skip
