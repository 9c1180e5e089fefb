"""Suggested against billed: what matches, what was missed, what the chart does not support.

Step 7 of DESIGN section 3. Lines and suggestions are matched by code, distinct-service modifier
and date; what is left of both is paired by likeness, so that a wrong line can be changed into the
right one. The corrected claim follows from the pairing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ivpush.contract.result import LineVerdict

if TYPE_CHECKING:
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.facts import AdministrationFacts, LineFacts

__all__ = [
    "Matching",
    "match",
]


_LEAST_ALIKE = 2
"""One point alone is an initial code beside another kind of initial code: no likeness."""


class Matching:
    """Which billed line stands for which suggestion, and what is left of each."""

    __slots__ = ("folded", "left", "pairs", "replaced", "wrong")

    def __init__(self, drafts: list[Draft]) -> None:
        self.left = [draft.units for draft in drafts]
        """Units of each suggestion that nobody billed."""
        self.pairs: dict[int, list[tuple[int, int]]] = {}
        """Line index -> suggestions it stands for, with the units of each."""
        self.replaced: dict[int, int] = {}
        """Line index -> the suggestion that should stand in its place."""
        self.wrong: set[int] = set()
        """Suggestions that were billed, but under another code."""
        self.folded: dict[int, tuple[int, int]] = {}
        """Line index -> the suggestion, billed short on its own line, that takes up its units."""

    def verdicts(self, lines: list[LineFacts]) -> tuple[LineVerdict, ...]:
        """How each line compares, in claim order."""
        return tuple([
            _verdict(line.given.number, line.status or "outside", tuple(line.matches))
            for line in lines
        ])  # fmt: skip


_verdict = lru_cache(maxsize=4_096)(LineVerdict)
"""Verdicts are few and never change: one record serves every line that has the same."""


def match(
    lines: list[LineFacts], drafts: list[Draft], facts: list[AdministrationFacts]
) -> Matching:
    """Match billed lines with suggestions and write the outcome into the lines' facts."""
    made = Matching(drafts)
    by_code: dict[str, list[int]] = {}
    for number, draft in enumerate(drafts):
        by_code.setdefault(draft.row.code, []).append(number)
    within = []
    for line in lines:
        if line.in_family or line.given.code in by_code:
            within.append(line)
        else:  # the rest of it stands as it is unmatched
            line.status, line.administrations = "outside", ()
    for strictness in (3, 2, 1):
        short = False
        for line in within:
            if line.open_units > 0:
                _take(line, by_code.get(line.given.code, ()), drafts, made, strictness)
                short = short or line.open_units > 0
        if not short:
            break
    _pair_rest(within, drafts, made)
    for line in within:
        numbers = by_code.get(line.given.code, ())
        line.suggested_units = sum([drafts[number].units for number in numbers])
        _write(line, drafts, made, facts)
    if any(made.left):
        _top_up(within, drafts, made)
    return made


def _take(
    line: LineFacts, numbers: tuple[int, ...] | list[int], drafts: list[Draft], made: Matching,
    strictness: int,
) -> None:  # fmt: skip
    """Let a line take units of its code: 3 exact, 2 modifiers apart, 1 date apart."""
    for number in numbers:
        if line.open_units <= 0:
            return
        draft, left = drafts[number], made.left[number]
        if left <= 0:
            continue
        if strictness > 2 and line.separate != bool(draft.modifiers):
            continue
        dated = line.given.date is not None and draft.date is not None
        if strictness > 1 and dated and line.given.date != draft.date:
            continue
        units = min(left, line.open_units)
        made.left[number] -= units
        line.open_units -= units
        made.pairs.setdefault(line.index, []).append((number, units))


def _pair_rest(lines: list[LineFacts], drafts: list[Draft], made: Matching) -> None:
    """Pair lines that took nothing with suggestions that nobody billed, most alike first."""
    open_lines = [line for line in lines if line.index not in made.pairs]
    if not open_lines:
        return
    free = [n for n, left in enumerate(made.left) if left == drafts[n].units]
    for line in open_lines:
        able = [*free, *_short_of(line, drafts, made)]
        best = max(able, key=lambda n: (_alike(line, drafts[n]), -n), default=None)
        if best is None or _alike(line, drafts[best]) < _LEAST_ALIKE:
            continue
        made.replaced[line.index] = best
        if best in free:
            if drafts[best].row.code != line.given.code:
                made.wrong.add(best)
            free.remove(best)
        else:
            made.folded[line.index] = best, line.open_units


def _short_of(line: LineFacts, drafts: list[Draft], made: Matching) -> list[int]:
    """Suggestions of the line's own kind that are billed, but with too few units."""
    return [
        n for n, left in enumerate(made.left)
        if 0 < left < drafts[n].units
        and drafts[n].row.family == line.family and drafts[n].row.technique == line.technique
    ]  # fmt: skip


def _alike(line: LineFacts, draft: Draft) -> int:
    row = draft.row
    score = 0
    if line.given.administrations:
        ids = {one.given.id for s in draft.services for one in s.administrations}
        score += 16 * (not ids.isdisjoint(line.given.administrations))
    score += 4 * (line.technique == row.technique) + 3 * (line.family == row.family)
    score += 2 * (line.role == row.role) + (line.role == "initial")
    return score


def _write(
    line: LineFacts, drafts: list[Draft], made: Matching, facts: list[AdministrationFacts]
) -> None:
    pairs = made.pairs.get(line.index)
    line.supported_units = sum([units for _, units in pairs]) if pairs else 0
    line.missing_modifier = line.needless_modifier = line.date_differs = False
    if pairs and len(pairs) == 1 and line.open_units == 0 and not line.separate:
        draft = drafts[pairs[0][0]]
        if not draft.modifiers and line.given.date in {None, draft.date}:
            line.status, line.matches = "matched", [pairs[0][0]]
            _link(line, drafts, facts)
            return
    if pairs:
        line.matches = [number for number, _ in pairs]
        asked = [drafts[number] for number in line.matches]
        line.suggested_modifiers = frozenset([m for draft in asked for m in draft.modifiers])
        line.missing_modifier = bool(line.suggested_modifiers) and not line.separate
        line.needless_modifier = line.separate and not line.suggested_modifiers
        day = line.given.date
        if day is not None:
            line.date_differs = any(d.date not in (None, day) for d in asked)
        fit = not (line.missing_modifier or line.needless_modifier or line.date_differs)
        whole = line.open_units == 0 and line.separate_modifiers <= 1
        line.status = "matched" if whole and fit else "changed"
    elif line.index in made.replaced:
        line.status, line.matches = "changed", [made.replaced[line.index]]
        row = drafts[line.matches[0]].row
        line.replaced_by, line.replaced_role = row.code, row.role
    else:
        line.status, line.matches = "unsupported", []
    _link(line, drafts, facts)


def _link(line: LineFacts, drafts: list[Draft], facts: list[AdministrationFacts]) -> None:
    """What the line bills: as the biller linked it, else as it was matched, else what is alike."""
    linked = line.given.administrations
    if linked is not None:
        wanted = set(linked)
        line.administrations = tuple(one for one in facts if one.given.id in wanted)
        line.service = next(
            (o.service for o in line.administrations if o.service is not None), None
        )
    elif line.matches:
        services = drafts[line.matches[0]].services
        for number in line.matches[1:]:
            services += drafts[number].services
        those = [one for service in services for one in service.administrations]
        line.administrations = tuple(dict.fromkeys(those))
        line.service = services[0]
        if line.open_units > 0:
            line.administrations += _barred(line, facts)
    else:
        line.administrations = _barred(line, facts)


def _barred(line: LineFacts, facts: list[AdministrationFacts]) -> tuple[AdministrationFacts, ...]:
    """Administrations that earn nothing and that the line may have been meant to bill."""
    fluid = line.family == "hydration"
    return tuple(
        one for one in facts
        if not one.billable
        and (one.category == "hydration" if fluid else one.technique == line.technique)
    )  # fmt: skip


def _top_up(lines: list[LineFacts], drafts: list[Draft], made: Matching) -> None:
    """A suggestion billed in part is missed in part: its last line is short of units."""
    last = {number: line for line in lines for number in line.matches if line.replaced_by is None}
    for number, left in enumerate(made.left):
        if 0 < left < drafts[number].units and number in last:
            last[number].status = "changed"
