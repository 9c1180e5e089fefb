"""What a field case expects of a result, judged by behaviour: codes, units, findings, questions.

A case never names a rule. Lines are written ``CODE``, ``CODE*UNITS``, ``CODE-MOD`` or
``CODE-MOD*UNITS``; modifiers count only where one is written, and those that say a distinct
service count as the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ivpush import ClaimLine, Encounter, Engine, Result, SuggestedLine

DISTINCT = frozenset({"59", "XE", "XS", "XP", "XU"})
FAMILY = re.compile(r"963[67]\d|9638[01]|964\d\d|9652[123]|96542|96549|G0498|C8957")
WRONG = frozenset({"error", "warning"})


class Billed(NamedTuple):
    """Units of a code with its modifiers."""

    code: str
    modifiers: frozenset[str]
    units: int


def entry(text: str) -> Billed:
    """A line as a case writes it."""
    body, _, units = text.partition("*")
    code, *modifiers = body.split("-")
    return Billed(code, alike(modifiers), int(units or 1))


def alike(modifiers: Iterable[str]) -> frozenset[str]:
    """Modifiers, with all that say a distinct service as one."""
    return frozenset("59" if modifier in DISTINCT else modifier for modifier in modifiers)


def lines_of(lines: Iterable[ClaimLine | SuggestedLine]) -> list[Billed]:
    return [Billed(line.code, alike(line.modifiers), line.units) for line in lines]


def bills(expected: Sequence[str], lines: Sequence[Billed]) -> bool:
    """Whether lines bill these units of each code, with the modifiers that are written."""
    wanted = [entry(text) for text in expected]
    units: Counter[str] = Counter()
    for line in wanted:
        units[line.code] += line.units
    for line in lines:
        units[line.code] -= line.units
    if any(units.values()):
        return False
    return all(held(line, lines) >= held(line, wanted) for line in wanted if line.modifiers)


def held(wanted: Billed, lines: Iterable[Billed]) -> int:
    """Units of a code that carry at least these modifiers."""
    return sum(
        line.units
        for line in lines
        if line.code == wanted.code and line.modifiers >= wanted.modifiers
    )


@dataclass(frozen=True)
class FieldCase:
    """One case with the result of its encounter, to be judged."""

    encounter: Encounter
    result: Result
    engine: Engine

    def misses(self, expect: Mapping[str, Any]) -> list[str]:
        """The expectations that do not hold."""
        return [name for name, value in expect.items() if not getattr(self, f"_{name}")(value)]

    def _errors_on(self, severities: frozenset[str]) -> Counter[int | None]:
        return Counter(
            violation.line
            for violation in self.result.violations
            if violation.severity in severities
        )

    def _suggests(self, expected: Sequence[str], also: Iterable[str]) -> bool:
        named = {entry(text).code for text in (*expected, *also)}
        judged = [
            line
            for line in lines_of(self.result.suggested)
            if line.code in named or FAMILY.fullmatch(line.code)
        ]
        return bills(expected, judged)

    def _suggested(self, expected: Sequence[str]) -> bool:
        return self._suggests(expected, ())

    def _one_of(self, lists: Sequence[Sequence[str]]) -> bool:
        every = [text for expected in lists for text in expected]
        return any(self._suggests(expected, every) for expected in lists)

    def _asks(self, paths: Sequence[str]) -> bool:
        missing = [re.sub(r"\[\d+\]", "[]", question.missing) for question in self.result.questions]
        exact = [question.missing for question in self.result.questions]
        return any(path in missing or path in exact for path in paths)

    def _no_error(self, wanted: bool) -> bool:
        return (not self._errors_on(frozenset({"error"}))) is wanted

    def _no_finding(self, wanted: bool) -> bool:
        return (not self._errors_on(WRONG)) is wanted

    def _finding(self, wanted: bool) -> bool:
        return bool(self._errors_on(WRONG)) is wanted

    def _no_error_on(self, numbers: Sequence[int]) -> bool:
        return self._errors_on(frozenset({"error"})).keys().isdisjoint(numbers)

    def _no_finding_on(self, numbers: Sequence[int]) -> bool:
        return self._errors_on(WRONG).keys().isdisjoint(numbers)

    def _error_on(self, numbers: Sequence[int]) -> bool:
        return self._errors_on(frozenset({"error"})).keys() >= set(numbers)

    def _finding_on(self, numbers: Sequence[int]) -> bool:
        return self._errors_on(WRONG).keys() >= set(numbers)

    def _status_not(self, statuses: Sequence[str]) -> bool:
        return self.result.status not in statuses

    def _max_errors_on_line(self, most: int) -> bool:
        errors = self._errors_on(frozenset({"error"}))
        return all(count <= most for line, count in errors.items() if line is not None)

    def _corrected(self, expected: Sequence[str]) -> bool:
        corrected = self.result.corrected
        return corrected is not None and bills(expected, lines_of(corrected))

    def _corrected_unchanged(self, wanted: bool) -> bool:
        corrected = self.result.corrected
        same = corrected is not None and Counter(lines_of(corrected)) == Counter(
            lines_of(self.encounter.lines or ())
        )
        return same is wanted

    def _corrected_null(self, wanted: bool) -> bool:
        return (self.result.corrected is None) is wanted

    def _corrected_never(self, texts: Sequence[str]) -> bool:
        after, before = (
            lines_of(lines or ()) for lines in (self.result.corrected, self.encounter.lines)
        )
        return all(held(entry(text), after) <= held(entry(text), before) for text in texts)

    def _corrected_no_repeat(self, wanted: bool) -> bool:
        lines = self.result.corrected or ()
        keys = {(line.code, frozenset(line.modifiers), line.date, line.ndc) for line in lines}
        return (len(keys) == len(lines)) is wanted

    def _corrected_clean(self, wanted: bool) -> bool:
        corrected = self.result.corrected
        if corrected is None:
            return not wanted
        # What a line stands for is the checker's to work out again.
        fresh = tuple(line.model_copy(update={"administrations": None}) for line in corrected)
        again = self.engine.check(self.encounter.model_copy(update={"lines": fresh}))
        return (not any(each.severity == "error" for each in again.violations)) is wanted

    def _any_of(self, ways: Sequence[Mapping[str, Any]]) -> bool:
        return any(not self.misses(way) for way in ways)
