"""What stands beside an administration: codes that own an injection, procedures, uses of drugs.

Four dated tables: ``owners`` (codes that pay for giving a drug), ``procedures`` (codes by group),
``uses`` (what a drug is usually given for) and ``beside`` (whether a drug of a use belongs to a
procedure of a group). ``coding.beside`` reads them through ``Book.surroundings``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple, get_args

from ivpush.pack.files import covers, word_of
from ivpush.records import record

__all__ = [
    "Answer",
    "CodeRange",
    "Owner",
    "Surroundings",
    "When",
    "read_answers",
    "read_owners",
    "read_procedures",
    "read_uses",
]

Answer = Literal["part", "treatment", "ask"]
"""Whether a drug belongs to a procedure beside it, is apart from it, or must be asked about."""

When = Literal["billed", "always", "product", "suggested"]
"""When a code owns the giving of a drug: where it is billed that day; always; always, but for
payers that take the general codes; always, and it is suggested itself."""

_USE = "use:"
_MOST_KEPT = 16_384


class CodeRange(NamedTuple):
    """Codes from one to another of the same form: digits never range with letters."""

    first: str
    last: str

    def holds(self, code: str) -> bool:
        """Whether a code lies within."""
        # As text a code with a letter may lie between two of digits; by its form it does not.
        return self.first <= code <= self.last and _form(code) == _form(self.first)

    @property
    def text(self) -> str:
        """The range for people."""
        return self.first if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def width(self) -> int:
        """How many codes it spans, by its digits."""
        return int(_digits(self.last)) - int(_digits(self.first))


def _range(first: str, last: str) -> CodeRange:
    # A range without a digit has no width, and one of two forms would hold nothing.
    codes = CodeRange(first, last)
    if not codes.holds(last) or not _digits(first):
        raise ValueError(first)
    return codes


def _form(code: str) -> str:
    return "".join("9" if letter.isdigit() else letter for letter in code)


def _digits(code: str) -> str:
    return "".join(letter for letter in code if letter.isdigit())


@record
class Owner:
    """Codes that pay for giving some drugs by some routes."""

    codes: CodeRange
    routes: frozenset[str]
    drugs: frozenset[str]
    """Names of drugs and codes of products; empty: any drug."""
    uses: frozenset[str]
    when: When
    valid_from: date
    valid_to: date | None
    source: str

    def in_force(self, day: date | None) -> bool:
        """Whether the row counts on a date."""
        return day is None or covers(self.valid_from, self.valid_to, day)

    def gives(self, route: str, names: frozenset[str], uses: frozenset[str]) -> bool:
        """Whether it pays for giving a drug of these names and uses by a route."""
        # An owner pays by its own route only: an injection into a joint pays for no drip.
        if route not in self.routes:
            return False
        if not self.drugs and not self.uses:
            return True
        return not (self.drugs.isdisjoint(names) and self.uses.isdisjoint(uses))


class Surroundings:
    """The tables of one date.

    In use::

        book.surroundings.group(code)                        # 'scope'
        book.surroundings.uses["ondansetron"]                # {'antiemetic'}
        book.surroundings.answer("scope", uses, "push")      # 'ask'
    """

    def __init__(
        self,
        owners: Sequence[Owner] = (),
        procedures: Sequence[tuple[CodeRange, str]] = (),
        uses: Mapping[str, frozenset[str]] | None = None,
        answers: Mapping[tuple[str, str, str], Answer] | None = None,
    ) -> None:
        self.owners, self._procedures = owners, procedures
        self.uses, self._answers = uses or {}, answers or {}
        self._groups: dict[str, str | None] = {}
        self._owned: dict[tuple[object, ...], tuple[Owner, ...]] = {}
        self._drugs = frozenset().union(*(owner.drugs for owner in self.owners))

    def group(self, code: str) -> str | None:
        """The group of procedures that a code belongs to: that of the narrowest range."""
        if code not in self._groups:
            # Codes come from claims, where anything may be written, so the cache is bounded.
            if len(self._groups) >= _MOST_KEPT:
                self._groups.clear()
            able = [row for row in self._procedures if row[0].holds(code)]
            narrowest = min(able, key=lambda row: row[0].width, default=None)
            self._groups[code] = narrowest[1] if narrowest is not None else None
        return self._groups[code]

    def answer(self, group: str, uses: Iterable[str], method: str) -> Answer:
        """Whether a drug of these uses belongs to a procedure: of several answers the nearest."""
        answers = {self._answer(group, use, method) for use in uses}
        # Part outweighs all: what belongs to the procedure is not billed (NCCI manual, chapter 1).
        return "part" if "part" in answers else "ask" if "ask" in answers else "treatment"

    def _answer(self, group: str, use: str, method: str) -> Answer:
        # From the narrowest to the widest: use and method, the use alone, the group alone.
        for key in ((group, use, method), (group, use, ""), (group, "", "")):
            if key in self._answers:
                return self._answers[key]
        return "treatment"

    def owners_of(
        self, route: str, names: tuple[str | None, ...], written: str | None, uses: frozenset[str]
    ) -> tuple[Owner, ...]:
        """Codes that own the giving of a drug by a route, of all dates.

        ``names`` are the drug's own; ``written`` is what a chart calls it, in which names of the
        table count as whole words.
        """
        key = (route, names, written, uses)
        owners = self._owned.get(key)
        if owners is None:
            every = self._named_in(written) | {name for name in names if name}
            owners = tuple(each for each in self.owners if each.gives(route, every, uses))
            if len(self._owned) >= _MOST_KEPT:
                self._owned.clear()
            self._owned[key] = owners
        return owners

    def _named_in(self, written: str | None) -> frozenset[str]:
        if written is None:
            return frozenset()
        # Spaces at both ends make whole words: a short name may begin a longer one.
        padded = f" {' '.join(written.casefold().split())} "
        return frozenset(name for name in self._drugs if f" {name} " in padded)


def _list(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(";") if part.strip())


_ANSWERS: tuple[Answer, ...] = get_args(Answer)
_WHENS: tuple[When, ...] = get_args(When)


def read_owners(rows: Iterable[list[str]]) -> tuple[Owner, ...]:
    """The table of owners."""
    return tuple(
        Owner(
            codes=_range(first, last),
            routes=frozenset(routes.split()),
            drugs=frozenset(name for name in _list(drugs) if not name.startswith(_USE)),
            uses=frozenset(
                name.removeprefix(_USE) for name in _list(drugs) if name.startswith(_USE)
            ),
            when=word_of(_WHENS, when),
            valid_from=date.fromisoformat(low),
            valid_to=date.fromisoformat(high) if high else None,
            source=source,
        )
        for first, last, routes, drugs, when, low, high, source in rows
    )


def read_procedures(rows: Iterable[list[str]]) -> tuple[tuple[CodeRange, str], ...]:
    """The table of procedures: ranges with their groups."""
    return tuple((_range(first, last), group) for first, last, group, _ in rows)


def read_answers(rows: Iterable[list[str]]) -> dict[tuple[str, str, str], Answer]:
    """The table of answers by group, use and method; an empty use or method is any."""
    return {
        (group, use, method): word_of(_ANSWERS, written) for group, use, method, written, _ in rows
    }


def read_uses(rows: Iterable[list[str]]) -> dict[str, frozenset[str]]:
    """The uses of each drug, by its name."""
    uses: dict[str, set[str]] = {}
    for use, drugs, _ in rows:
        for name in _list(drugs):
            uses.setdefault(name, set()).add(use)
    return {name: frozenset(those) for name, those in uses.items()}
