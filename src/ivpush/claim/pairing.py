"""What is left of a claim and of what is suggested, paired by likeness.

``matching`` calls ``pair_rest`` after all that is billed as suggested was taken. Suggestions of one
kind are as like to a line as each other, so each kind is looked at once, however many it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.claim_facts import LineFacts

__all__ = ["Pairing", "elsewhere", "pair_rest", "part_of"]


class Pairing(NamedTuple):
    """A line with the suggestion that it is most like."""

    line: LineFacts
    number: int
    whole: bool
    """Whether nobody billed any of the suggestion; else it was billed short."""


def part_of(line: LineFacts) -> int | None:
    """The encounter of the chart in which a line is dated; None where it may be of any."""
    return line.beside.part if line.given.date is not None else None


def elsewhere(line: LineFacts, part: int) -> bool:
    """Whether a line is dated in another encounter of the chart."""
    return part_of(line) not in {None, part}


def pair_rest(
    lines: Iterable[LineFacts], drafts: Sequence[Draft], left: Sequence[int]
) -> Iterator[Pairing]:
    """Lines that took nothing with suggestions that have units ``left``, most alike first."""
    # Untouched ones only; of those billed in part the units go onto their own line.
    untouched = [n for n, units in enumerate(left) if units == drafts[n].units]
    short = [n for n, units in enumerate(left) if 0 < units < drafts[n].units]
    rest = _Rest(drafts, untouched, short)
    for line in lines:
        number = rest.most_alike(line)
        if number is not None:
            whole = number in rest.free
            rest.free.discard(number)
            yield Pairing(line, number, whole)


class _Kind(NamedTuple):
    """What makes suggestions equally like to any line that links none of them."""

    family: str
    technique: str
    role: str
    given_by: str


def _kind(draft: Draft) -> _Kind:
    row = draft.row
    return _Kind(row.family, row.technique, row.role, draft.service.technique)


_Kinds = dict[int | None, dict[_Kind, list[int]]]
"""Numbers of suggestions, the last first, by encounter and kind; None: of all encounters."""


def _by_kind(numbers: Sequence[int], drafts: Sequence[Draft]) -> _Kinds:
    kinds: _Kinds = {}
    for number in reversed(numbers):
        draft = drafts[number]
        for part in (None, draft.part):
            kinds.setdefault(part, {}).setdefault(_kind(draft), []).append(number)
    return kinds


class _Rest:
    """Suggestions that lines may still be paired with."""

    def __init__(
        self, drafts: Sequence[Draft], untouched: Sequence[int], short: Sequence[int]
    ) -> None:
        self._drafts = drafts
        self.free = set(untouched)
        """Untouched ones that no line was paired with."""
        self._short = frozenset(short)
        self._free_kinds, self._short_kinds = _by_kind(untouched, drafts), _by_kind(short, drafts)
        self._linked: dict[str, list[int]] | None = None

    def most_alike(self, line: LineFacts) -> int | None:
        """The number of the suggestion that a line is most like: of two, the earlier."""
        # What the biller linked outweighs all likeness, and needs none.
        linked = self._linked_by(line)
        able = linked or [*self._first_free(line), *self._first_short(line)]
        likeness, place = max(((_alike(line, self._drafts[n]), -n) for n in able), default=(0, 0))
        return -place if linked or likeness > 0 else None

    def _first_free(self, line: LineFacts) -> Iterator[int]:
        """The first of each kind that is free."""
        for numbers in self._free_kinds.get(part_of(line), {}).values():
            while numbers and numbers[-1] not in self.free:
                numbers.pop()
            if numbers:
                yield numbers[-1]

    def _first_short(self, line: LineFacts) -> Iterator[int]:
        """The first of each kind that is the line's own, and billed with too few units."""
        for kind, numbers in self._short_kinds.get(part_of(line), {}).items():
            if (kind.family, kind.technique) == (line.coded.family, line.coded.technique):
                yield numbers[-1]

    def _linked_by(self, line: LineFacts) -> list[int]:
        """Suggestions for what the biller linked with a line."""
        if not line.given.administrations:
            return []
        if self._linked is None:
            self._linked = {}
            for number, draft in enumerate(self._drafts):
                for each in draft.administrations:
                    self._linked.setdefault(each.given.id, []).append(number)
        numbers = {n for each in line.given.administrations for n in self._linked.get(each, ())}
        return [number for number in sorted(numbers) if self._may_be(line, number)]

    def _may_be(self, line: LineFacts, number: int) -> bool:
        draft = self._drafts[number]
        if elsewhere(line, draft.part):
            return False
        kind = (draft.row.family, draft.row.technique)
        own = kind == (line.coded.family, line.coded.technique)
        return number in self.free or (own and number in self._short)


def _alike(line: LineFacts, draft: Draft) -> int:
    """How much a line looks like a suggestion: technique and family before role."""
    row, coded = draft.row, line.coded
    technique = coded.technique in {row.technique, draft.service.technique}
    return 4 * technique + 3 * (coded.family == row.family) + 2 * (coded.role == row.role)
