"""The facts of a column map found in the rows of one table, as words, times and numbers.

The readers of medication records (``mar``) and of claim lines (``claims``) ask a Lookup for every
cell. A word that no table knows leaves the fact open and is counted; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from ivpush import clock
from ivpush.errors import Fault, InputError, UsageError, first_faults, nearest_word
from ivpush.plural import counted
from ivpush.readers import Note, ReadOptions
from ivpush.readers.tables.cells import Bad, Row, Table, text_of
from ivpush.readers.tables.forms import (
    contradicts,
    look_of,
    ndc,
    number,
    plain_text,
    read_time,
    usual_forms,
    whole,
)
from ivpush.readers.tables.groups import MOST_TOLD
from ivpush.readers.tables.headers import fold, folded_places
from ivpush.readers.tables.ledger import Ledger
from ivpush.readers.tables.maps import TIMES, ColumnMap, spellings, words_of

__all__ = ["Lookup"]

_ANY = "*"
"""Key of a value table that stands for every value that no other key and no spelling names."""
_MOST_REMEMBERED = 20_000
_MOST_LOOK = 40
_COMMA_AS_POINT = {ord(","): ".", ord("."): "?"}
_OWN_WORDS = {"route", "method", "category", "purpose", "access", "role", "setting", "action"}
"""Facts whose words in the contract are also read where a table writes them as they are."""


class Lookup:
    """Finds the facts of a map in the rows of one table.

    A fact that the table lacks is empty or None, like a cell that says nothing::

        lookup = Lookup(table, load_map("generic-dose"), options)
        lookup.need("encounter")
        route = lookup.word(row, "route", ledger)
        start = lookup.time(row, "start", ledger)
    """

    def __init__(self, table: Table, column_map: ColumnMap, options: ReadOptions) -> None:
        self.map = column_map
        self.timezone = options.timezone or column_map.timezone
        self.zone = clock.zone_named(self.timezone)
        folded = folded_places(table.columns)
        self.places: dict[str, list[int]] = {
            fact: _places(names, table.columns, folded)
            for fact, names in column_map.columns.items()
        }
        """The columns of each fact, by position; empty where the table has none of them."""
        self._months = _month_places(column_map)
        self.surveys = bool(self._months)
        """Whether all rows must be looked through before a time of any is trusted."""
        self._contrary: dict[str, int] = {}
        """Facts whose columns hold dates in another order of day and month, and the first row."""
        self.table = replace(table, rows=self._surveyed(table.rows)) if self.surveys else table
        present = {fact for fact, places in self.places.items() if places}
        # Of the names that a fact may go by, the first is the usual one.
        self.missing = [
            names[0] for fact, names in column_map.columns.items() if fact not in present
        ]
        self._available = present | set(column_map.constants)
        self._known_texts: dict[tuple[str, str], tuple[str, ...] | None] = {}
        # Several columns of a time are its parts; of another fact, the first that is filled holds.
        self._first_filled = [
            fact for fact, places in self.places.items() if len(places) > 1 and fact not in TIMES
        ]
        self._cells = sorted(
            {
                place
                for fact, places in self.places.items()
                if fact not in self._first_filled
                for place in places
            }
        )

    def need(self, *facts: str) -> None:
        """Raise UsageError where the table lacks all columns of a fact that nothing replaces."""
        faults = [
            self._lacking(fact)
            for fact in facts
            if fact in self.map.columns and fact not in self._available
        ]
        if faults:
            raise UsageError(faults)

    def _lacking(self, fact: str) -> Fault:
        """The fault of a table without a column that its map needs."""
        names, join = self.map.columns[fact], self.map.join
        others = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
        problem = f"lacks the column '{names[0]}'{others}"
        if join is not None and set(names) & set(join.columns):
            remedy = f"it stands in {join.table}: give the file of that table as join"
        else:
            near = nearest_word(names[0], self.table.columns)
            meant = f"; did you mean '{near}'?" if near else ""
            remedy = f"the map '{self.map.id}' reads {fact} from it; name another map{meant}"
        return Fault(self.table.name, problem, remedy)

    def refuse_unknown(
        self, rows: Iterable[Row], fact: str, ledger: Ledger, *, needed: bool = False
    ) -> None:
        """Raise InputError for rows of which nobody can tell what they say.

        Those are rows with a word for a fact that neither the map nor we know; with ``needed``
        rows with no word too. Without them the rest would be judged as if it were all.
        """
        unknown = [
            row
            for row in rows
            if (needed or self.text(row, fact)) and not self.words(row, fact, ledger)
        ]
        if unknown:
            column = self.map.columns[fact][0]
            faults = (
                Fault(
                    self.table.place(row.number),
                    f"the column '{column}' {self._unknown(row, fact)}",
                    f"say what it means under values: {fact} in the map '{self.map.id}'",
                )
                for row in unknown
            )
            raise InputError(first_faults(faults, len(unknown), MOST_TOLD))

    def _unknown(self, row: Row, fact: str) -> str:
        return "holds a word that is not known" if self.text(row, fact) else "is empty"

    def opening_notes(self) -> Iterator[Note]:
        """How the table was opened, and what ``missing`` columns leave open."""
        yield from (Note(self.table.name, text) for text in self.table.notes)
        if self.missing:
            yield self._missing_note()

    def _missing_note(self) -> Note:
        return Note(
            self.table.name,
            f"lacks {counted(len(self.missing), 'column')} that the map '{self.map.id}' names, "
            f"whose facts stay open: {', '.join(self.missing)}",
        )

    def content(self, row: Row) -> tuple[str, ...]:
        """What a row says, so that a repeated row is known: of names for one fact, the one read."""
        cells = [text_of(row.cells[place]) for place in self._cells]
        return (*cells, *(self.text(row, fact) for fact in self._first_filled))

    def _filled(self, row: Row, fact: str) -> object:
        """The first cell of a fact that holds anything, else the map's constant, else None."""
        for place in self.places.get(fact, ()):
            cell = row.cells[place]
            if cell is not None and text_of(cell).strip() not in self.map.null:
                return cell
        return self.map.constants.get(fact)

    def text(self, row: Row, fact: str) -> str:
        """A cell as text on one line; empty where it says nothing."""
        if fact not in self._available:
            return ""
        return " ".join(text_of(self._filled(row, fact)).split())

    def texts(self, row: Row, fact: str) -> list[str]:
        """Every cell of a fact, for facts that repeat or are written in parts."""
        return [text_of(row.cells[place]).strip() for place in self.places.get(fact, ())]

    def word(self, row: Row, fact: str, ledger: Ledger) -> str | None:
        """A cell as a word of the contract; None, with a remark, where no table knows it."""
        words = self.words(row, fact, ledger)
        return words[0] if words else None

    def words(self, row: Row, fact: str, ledger: Ledger) -> tuple[str, ...]:
        """The words of a cell; several only where one text joins several actions."""
        if fact not in self._available:
            return ()
        text = self.text(row, fact)
        # Tables repeat a few texts without end; a table that does not must not fill the memory.
        if (fact, text) not in self._known_texts:
            if len(self._known_texts) > _MOST_REMEMBERED:
                self._known_texts.clear()
            self._known_texts[fact, text] = self._words(fact, plain_text(text))
        words = self._known_texts[fact, text]
        if words is None:
            ledger.remark(f"{fact} is written in a way that no table knows", row.number)
            return ()
        return words

    def _words(self, fact: str, text: str) -> tuple[str, ...] | None:
        constant = self.map.constants.get(fact)
        if not text or (constant is not None and text == constant.casefold()):
            return (constant,) if constant is not None else ()
        words = self.known(fact, text)
        if words is None and fact == "action":
            # Epic joins actions of one minute: "Paused, [Restarted]".
            parts = [self.known(fact, part.strip(" []")) for part in text.split(",")]
            if all(part is not None for part in parts):
                words = tuple(word for part in parts for word in part or ())
        return None if words is None else tuple(word for word in words if word != "unknown")

    def known(self, fact: str, text: str) -> tuple[str, ...] | None:
        """The words that a text stands for: by the map, the shipped spellings, or as it is."""
        # The map goes first: the same text means different things in two systems.
        values = self.map.values.get(fact, {})
        if text in values:
            return values[text]
        word = spellings().of(fact).get(text)
        if word is None and fact in _OWN_WORDS:
            word = next((own for own in words_of(fact) if own.casefold() == text), None)
        return (word,) if word is not None else values.get(_ANY)

    def time(self, row: Row, fact: str, ledger: Ledger) -> datetime | date | None:
        """A time or a mere date; None, with a remark, where it is not in a declared form."""
        if fact not in self._available:
            return None
        cells = [row.cells[place] for place in self.places.get(fact, ())]
        # A binary table holds times as such, and no form applies to them.
        if len(cells) == 1 and isinstance(cells[0], date):
            return self._local(cells[0])
        text = self._time_text(row, fact)
        if not text:
            return None
        if fact in self._contrary:
            raise InputError(self._order_fault(fact))
        if self.map.anchor is not None:  # minutes from a start, as eICU counts them
            minutes = whole(text)
            if minutes is not None:
                return self.map.anchor + timedelta(minutes=minutes)
        time = read_time(text, self.map.forms)
        if time is None:
            ledger.remark(f"{fact} is not in a form that the map declares", row.number)
        return self._local(time)

    def _time_text(self, row: Row, fact: str) -> str:
        """The cells of a time, whose date and clock may stand apart, on one line."""
        parts = [text_of(cell) for cell in (row.cells[at] for at in self.places.get(fact, ()))]
        return " ".join(
            word for part in parts if part.strip() not in self.map.null for word in part.split()
        )

    def _surveyed(self, rows: Iterator[Row | Bad]) -> Iterator[Row | Bad]:
        """The rows as they are; on the way dates are sought that no declared form can mean."""
        facts = [(fact, place) for fact in TIMES for place in self.places.get(fact, ())[:1]]
        for row in rows:
            if isinstance(row, Row):
                for fact, place in facts:
                    cell = row.cells[place]
                    if isinstance(cell, str) and any(
                        contradicts(cell, month) for month in self._months
                    ):
                        self._contrary.setdefault(fact, row.number)
            yield row

    def _order_fault(self, fact: str) -> Fault:
        column = self.table.columns[self.places[fact][0]]
        problem = (
            f"the column '{column}' holds a date whose month is above 12, so that day and month "
            "stand otherwise than the map declares, and no time of the column can be trusted"
        )
        remedy = f"declare their order under times: forms in a map like '{self.map.id}'"
        return Fault(self.table.place(self._contrary[fact]), problem, remedy)

    def unread_time(self, rows: Iterable[Row]) -> Fault | None:
        """The first time among rows that is in no declared form, and how it is written."""
        for row in rows:
            for fact in TIMES:
                text = self._time_text(row, fact)
                if text and self.time(row, fact, Ledger()) is None:
                    return self._form_fault(row, fact, text)
        return None

    def _form_fault(self, row: Row, fact: str, text: str) -> Fault:
        column = self.table.columns[self.places[fact][0]]
        problem = f"the column '{column}' holds a time written as {look_of(text)[:_MOST_LOOK]}"
        forms = ", ".join(form.text for form in self.map.forms)
        fitting = usual_forms(text)
        example = f", such as {' or '.join(fitting)}" if fitting else ""
        return Fault(
            self.table.place(row.number),
            f"{problem}, but the map '{self.map.id}' declares {forms or 'no form'}",
            f"add the form under times: forms{example}",
        )

    def _local(self, time: datetime | date | None) -> datetime | date | None:
        """An instant on the clock of the place, with its offset, so that its date is right."""
        if isinstance(time, datetime) and time.tzinfo is not None and self.zone is not None:
            return time.astimezone(self.zone)
        return time

    def quantity(self, row: Row, fact: str, ledger: Ledger) -> Decimal | None:
        """A number from 0; None, with a remark, where it is none."""
        text = self.text(row, fact)
        if not text:
            return None
        amount = number(self.with_point(text))
        if amount is None:
            ledger.remark(f"{fact} {self._not_a_number(text)}", row.number)
            return None
        if amount < 0:
            ledger.remark(f"{fact} is below zero", row.number)
            return None
        return amount

    def with_point(self, text: str) -> str:
        """A number as the map writes it, with a point before its decimals.

        The other sign is none of a number, for it may part thousands as well as decimals.
        """
        return text if self.map.decimal == "." else text.translate(_COMMA_AS_POINT)

    def _not_a_number(self, text: str) -> str:
        other = "," if self.map.decimal == "." else "."
        if re.search(rf"[0-9]{re.escape(other)}[0-9]", text) is None:
            return "is no number"
        return (
            f"is written with '{other}', but the map '{self.map.id}' declares "
            f"'{self.map.decimal}' before decimals (format: decimal), so that it is not read"
        )

    def ndc(self, text: str, row: Row, ledger: Ledger) -> str | None:
        """A text of a row as an NDC of the length that the map declares."""
        drug = ndc(text, self.map.ndc_digits)
        if drug.mended:
            ledger.remark("the NDC had lost its leading zeros, which were put back", row.number)
        elif drug.code is None:
            ledger.remark("the NDC is no code of 10 or 11 digits", row.number)
        return drug.code


def _month_places(column_map: ColumnMap) -> set[int]:
    """Where the map's forms have the month, among two numbers that could be either."""
    places = (form.month_place for form in column_map.forms)
    return {place for place in places if place is not None}


def _places(names: Sequence[str], columns: Sequence[str], folded: Mapping[str, int]) -> list[int]:
    """Where columns of these names stand: as they are written, else in any case and spacing."""
    places = [columns.index(name) if name in columns else folded.get(fold(name)) for name in names]
    return [place for place in dict.fromkeys(places) if place is not None]
