"""One fault, one finding: what merely follows from another finding is folded into it.

Which rule yields to which is data: ``follows_from`` of a rule names other rules, or rooms of them.
A finding yields on its own line. On another it yields only where the chart supports its line just
as billed, so that what is wrong with it can but lie elsewhere: an add-on whose primary is dated
wrongly. ``findings`` calls ``folded``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ivpush.contract.facts import LineFacts
    from ivpush.contract.result import Violation

__all__ = ["RANK", "folded", "yields_to"]

RANK = {"error": 0, "warning": 1, "info": 2}
"""Severities, the gravest first."""


def folded(
    violations: Sequence[Violation],
    follows: Mapping[str, tuple[str, ...]],
    lines: Sequence[LineFacts] = (),
) -> list[Violation]:
    """The findings that nothing else explains, each with the rules that follow from it.

    ``follows`` gives the rules that a rule yields to, and ``lines`` are those of the claim. A
    finding never yields to a lighter one, so that no error is lost in a warning.
    """
    by_line: dict[int | None, list[Violation]] = {}
    for violation in violations:
        by_line.setdefault(violation.line, []).append(violation)
    # Findings of the whole claim share no line, so none of them explains another.
    kept = by_line.pop(None, [])
    for on_line in by_line.values():
        kept += _folded_on_line(on_line, follows)
    return _folded_beside(kept, follows, {line.given.number: line for line in lines})


def _folded_beside(
    violations: Sequence[Violation],
    follows: Mapping[str, tuple[str, ...]],
    lines: Mapping[int | None, LineFacts],
) -> list[Violation]:
    """Findings on lines that the chart supports, folded into those that explain them."""
    supported = {number for number, line in lines.items() if line.match.status == "matched"}
    effects = [each for each in violations if each.line in supported]
    causes = [each for each in violations if each.line in lines and each.line not in supported]
    # Most claims have none of both, and all of this is for those that do.
    if not effects or not causes:
        return list(violations)
    # A claim of one encounter may tell no part of it, and all its lines are of that one.
    parts = {number: _part(line) for number, line in lines.items()}
    several = len(set(parts.values()) - {None}) > 1
    folds: dict[int, list[str]] = {}
    gone: set[int] = set()
    firsts: dict[_Cause, Violation] = {}
    for cause in causes:
        # The first of those that are alike explains whatever any of them does.
        firsts.setdefault(_cause(cause, lines, parts if several else {}), cause)
    for effect in effects:
        for of_part, cause in firsts.items():
            if several and of_part.part != parts[effect.line]:
                continue
            if _explains(cause, effect, follows) and _touch(lines[cause.line], lines[effect.line]):
                folds.setdefault(id(cause), []).extend((effect.rule, *effect.folds))
                gone.add(id(effect))
                break
    return [
        replace(each, folds=tuple(sorted({*each.folds, *folds[id(each)]})))
        if id(each) in folds
        else each
        for each in violations
        if id(each) not in gone
    ]


class _Cause(NamedTuple):
    """All that decides what a finding explains on other lines."""

    part: int | None
    rule: str
    severity: str
    code: str
    replaced_by: str | None


def _cause(
    violation: Violation,
    lines: Mapping[int | None, LineFacts],
    parts: Mapping[int | None, int | None],
) -> _Cause:
    line = lines[violation.line]
    return _Cause(
        part=parts.get(violation.line),
        rule=violation.rule,
        severity=violation.severity,
        code=line.given.code,
        replaced_by=line.match.replaced_by,
    )


def _touch(cause: LineFacts, effect: LineFacts) -> bool:
    """Whether one line may be wrong because of the other: one of its codes is billed wrongly."""
    wanted = {effect.given.code, *(effect.coded.primaries or ())}
    return not wanted.isdisjoint({cause.given.code, cause.match.replaced_by})


def _part(line: LineFacts) -> int | None:
    """The number of the charted encounter that a line bills: a wrong date may hide it."""
    administrations = line.match.administrations
    return administrations[0].part if administrations else line.beside.part


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
            if at not in seen and _explains(cause, violation, follows)
        ]
        if not causes:
            return place
        place = causes[0]
        seen.add(place)


def _explains(cause: Violation, effect: Violation, follows: Mapping[str, tuple[str, ...]]) -> bool:
    lighter = RANK[cause.severity] > RANK[effect.severity]
    return not lighter and yields_to(effect.rule, cause.rule, follows)


def yields_to(rule: str, cause: str, follows: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a finding of one rule follows from one of another."""
    return rule != cause and cause.startswith(follows.get(rule, ()))
