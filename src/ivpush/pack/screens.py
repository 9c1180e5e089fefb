"""Rules fused into functions: those of any line, those of one billed code, those of each subject.

A book has one Screens; ``claim.findings`` asks it which rules may speak of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ivpush.contract.chart_facts import AdministrationFacts
from ivpush.contract.claim_facts import LineFacts
from ivpush.language.compiler import fuse
from ivpush.language.vocabulary import Names
from ivpush.pack.rule import Rule

__all__ = ["Screen", "Screens"]


@dataclass(frozen=True, slots=True)
class Screen:
    """Rules judged together: ``judge`` gives positions of broken ones, ``~n`` of unjudged ones."""

    rules: tuple[Rule, ...]
    judge: Callable[..., list[int]]


_LINE = ("coded.", "match.status")
# The facts of marks are settled too where a line has no modifier: all are empty then.
_UNMARKED_LINE = (*_LINE, "marks.")
_ADMINISTRATION = ("technique", "billable", "drug.category", "given.method", "given.route")
"""Facts with few values, by the beginnings of their paths."""


class Screens:
    """The rules in force by what they are about; each function is generated when first needed.

    In use::

        screens = Screens(rules, names, {"policy": book.policy, "limits": book.limits})
        screen = screens.of_line(line)
        broken = [screen.rules[n] for n in screen.judge(facts, line) if n >= 0]

    Most rules about lines and administrations are ruled out by a few facts: the code, whether the
    line matches, the technique. Records that share those facts share one function, without the
    rules that cannot apply to them. An ordinary visit takes a third less time for it.
    """

    def __init__(self, rules: Sequence[Rule], names: Names, settled: Mapping[str, object]) -> None:
        self._names, self._settled = names, settled
        # Not bounded: a key is a subset of the rules, and few subsets occur.
        self._fused: dict[tuple[str, ...], Screen] = {}
        self._by_facts: dict[tuple[object, ...], Screen] = {}
        self._about = {
            kind: tuple(rule for rule in rules if rule.for_each == kind and rule.codes is None)
            for kind in ("line", "encounter", "administration", "service", "suggestion")
        }
        self._coded: dict[str, tuple[Rule, ...]] = {}
        for rule in rules:
            for code in rule.codes or ():
                self._coded[code] = (*self._coded.get(code, ()), rule)
        self.chart_rules = tuple(
            rule
            for kind in ("administration", "service", "suggestion")
            for rule in self._about[kind]
        )
        """Rules that only a chart can answer."""

    def rules_about(self, kind: str) -> tuple[Rule, ...]:
        """The rules about every subject of a kind."""
        return self._about[kind]

    def rules_of_code(self, code: str) -> tuple[Rule, ...]:
        """The rules about lines of one billed code alone."""
        return self._coded.get(code, ())

    def about(self, kind: str) -> Screen:
        """The rules about every subject of a kind, as one function."""
        screen = self._by_facts.get((kind,))
        if screen is None:
            screen = self._by_facts[kind,] = self._screen(self._about[kind])
        return screen

    def of_line(self, line: LineFacts) -> Screen:
        """The rules that may speak of a line of such a code and status, as one function."""
        # Modifiers come in too many sets to be part of the key; having none is one case.
        unmarked = not line.marks.modifiers
        # ``coded`` is one object for a code and setting, and is hashed by identity alone.
        key = (line.coded, line.match.status, unmarked)
        screen = self._by_facts.get(key)
        if screen is None:
            rules = (*self._about["line"], *self.rules_of_code(line.given.code))
            paths = _UNMARKED_LINE if unmarked else _LINE
            screen = self._by_facts[key] = self._able(rules, line, paths)
        return screen

    def of_administration(self, administration: AdministrationFacts) -> Screen:
        """The rules that may speak of an administration so given, as one function."""
        given = administration.given
        key = (
            administration.technique,
            administration.billable,
            administration.drug.category,
            given.method,
            given.route,
        )
        screen = self._by_facts.get(key)
        if screen is None:
            rules = self._about["administration"]
            screen = self._by_facts[key] = self._able(rules, administration, _ADMINISTRATION)
        return screen

    def _able(self, rules: Sequence[Rule], subject: object, paths: tuple[str, ...]) -> Screen:
        settled = {**self._settled, "subject": subject}
        return self._screen(
            tuple(rule for rule in rules if not rule.compiled.silent(settled, paths))
        )

    def _screen(self, rules: tuple[Rule, ...]) -> Screen:
        # Records that the same rules speak of share one function.
        key = tuple(rule.id for rule in rules)
        screen = self._fused.get(key)
        if screen is None:
            judge = fuse([rule.compiled for rule in rules], self._names, self._settled)
            screen = self._fused[key] = Screen(rules, judge)
        return screen
