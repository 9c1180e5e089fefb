"""Which rules are told of: those that a user selects, and those that he ignores with a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.pack.rule import Rule

__all__ = [
    "Ignore",
    "select_rules",
]


@dataclass(frozen=True, slots=True)
class Ignore:
    """A rule, its name or the start of its id, that is not to speak: why, and until which day."""

    rule: str
    reason: str
    until: date | None = None
    place: str = ""


def select_rules(
    rules: Collection[Rule], select: Iterable[str], ignore: Iterable[Ignore], today: date
) -> tuple[frozenset[str], tuple[Fault, ...]]:
    """The ids of the rules that must not speak, and ignores that have expired.

    A word names a rule by id, by name, or by the start of its id (``IVP3``: the whole room).
    Raises UsageError for a word that names no rule of the pack.
    """
    faults: list[Fault] = []
    ids = {one.id for one in rules}
    wanted = [_named(word, rules, "select", faults) for word in select]
    # No word selects all; one selects just what it names.
    silent = ids - frozenset().union(*wanted) if wanted else frozenset()
    ignored: frozenset[str] = frozenset()
    expired = []
    for one in ignore:
        found = _named(one.rule, rules, one.place or "ignore", faults)
        if one.until is not None and one.until < today:
            expired.append(
                Fault(
                    one.place or "ignore",
                    f"ended on {one.until}",
                    "the rule speaks again; renew it or take it out",
                )
            )
        else:
            ignored |= found
    if faults:
        raise UsageError(faults)
    return frozenset(silent | ignored), tuple(expired)


def _named(word: str, rules: Collection[Rule], place: str, faults: list[Fault]) -> frozenset[str]:
    upper = word.upper()
    found = frozenset(
        one.id for one in rules if word == one.name or (upper and one.id.startswith(upper))
    )
    if not found:
        known = [key for one in rules for key in (one.id, one.name)]
        faults.append(Fault(place, f"'{word[:60]}' is no rule", did_you_mean(word, known)))
    return found
