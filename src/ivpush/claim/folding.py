"""One fault, one finding: what merely follows from another finding on its line is folded into it.

Which rule yields to which is data: ``follows_from`` of a rule names other rules, or rooms of them.
``findings`` calls ``folded``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.contract.result import Violation

__all__ = ["RANK", "folded", "yields_to"]

RANK = {"error": 0, "warning": 1, "info": 2}
"""Severities, the gravest first."""


def folded(
    violations: Sequence[Violation], follows: Mapping[str, tuple[str, ...]]
) -> list[Violation]:
    """The findings that nothing else explains, each with the rules that follow from it.

    ``follows`` gives the rules that a rule yields to. A finding yields only on its own line, and
    never to a lighter one, so that no error is lost in a warning.
    """
    by_line: dict[int | None, list[Violation]] = {}
    for violation in violations:
        by_line.setdefault(violation.line, []).append(violation)
    # Findings of the whole claim share no line, so none of them explains another.
    kept = by_line.pop(None, [])
    for on_line in by_line.values():
        kept += _folded_on_line(on_line, follows)
    return kept


def _folded_on_line(
    violations: Sequence[Violation], follows: Mapping[str, tuple[str, ...]]
) -> list[Violation]:
    if len(violations) == 1:
        return list(violations)
    folds: dict[int, list[str]] = {}
    for place, violation in enumerate(violations):
        root = _root(place, violations, follows)
        folds.setdefault(root, [])
        if root != place:
            folds[root].append(violation.rule)
    return [
        replace(violations[place], folds=tuple(sorted(set(rules)))) if rules else violations[place]
        for place, rules in folds.items()
    ]


def _root(
    place: int, violations: Sequence[Violation], follows: Mapping[str, tuple[str, ...]]
) -> int:
    """The position of the finding that explains one, through whatever lies between."""
    # Rules of overlays are not checked for circles; what was seen ends one.
    seen = {place}
    while True:
        violation = violations[place]
        causes = [
            at
            for at, cause in enumerate(violations)
            if at not in seen
            and yields_to(violation.rule, cause.rule, follows)
            and RANK[cause.severity] <= RANK[violation.severity]
        ]
        if not causes:
            return place
        place = causes[0]
        seen.add(place)


def yields_to(rule: str, cause: str, follows: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a finding of one rule follows from one of another."""
    return rule != cause and cause.startswith(follows.get(rule, ()))
