"""Which rules are told of: those that a user selects, and those that he ignores with a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from ivpush.claim.findings import status_of
from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.contract.result import Result, Violation
    from ivpush.pack.rule import Rule

__all__ = [
    "Ignore",
    "Selection",
    "select_rules",
]


@dataclass(frozen=True, slots=True)
class Ignore:
    """A rule, its name or the start of its id, that is not to speak: why, and until which day."""

    rule: str
    reason: str
    until: date | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that may speak: all but the silent ones; some of these are only not selected."""

    silent: frozenset[str] = frozenset()
    unselected: frozenset[str] = frozenset()

    def applied(self, result: Result, *, unsettled: bool) -> tuple[Result, int]:
        """The result without the silent rules, its status to match, and how many were left out.

        ``unsettled`` is what the engine says of the encounter (``Worked.unsettled``).
        """
        if not self.silent:
            return result, 0
        kept = tuple([self._told(each) for each in result.violations if self._speaks(each)])
        unjudged = tuple(one for one in result.unjudged if one.rule not in self.silent)
        # Worked out anew: the silent findings may have been the only errors.
        status = status_of(kept, unsettled=unsettled)
        gone = len(result.violations) - len(kept)
        return replace(result, violations=kept, unjudged=unjudged, status=status), gone

    def _speaks(self, violation: Violation) -> bool:
        """Whether a finding is reported: for its own rule, or a selected one that it explains."""
        if violation.rule not in self.silent:
            return True
        # A cause that was only not selected must be told, or the selected effect would vanish.
        return violation.rule in self.unselected and not self.silent.issuperset(violation.folds)

    def _told(self, violation: Violation) -> Violation:
        folds = tuple([rule for rule in violation.folds if rule not in self.silent])
        return violation if folds == violation.folds else replace(violation, folds=folds)


def select_rules(
    rules: Collection[Rule], select: Iterable[str], ignore: Iterable[Ignore], today: date
) -> tuple[Selection, tuple[Fault, ...]]:
    """What the selection leaves, and ignores that have expired.

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
    return Selection(frozenset(silent | ignored), frozenset(silent - ignored)), tuple(expired)


def _named(word: str, rules: Collection[Rule], place: str, faults: list[Fault]) -> frozenset[str]:
    upper = word.upper()
    found = frozenset(
        one.id for one in rules if word == one.name or (upper and one.id.startswith(upper))
    )
    if not found:
        known = [key for one in rules for key in (one.id, one.name)]
        faults.append(Fault(place, f"'{word[:60]}' is no rule", did_you_mean(word, known)))
    return found
