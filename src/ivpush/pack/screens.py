"""Rules fused into functions: those of any line, those of one billed code, those of each subject.

A book has one Screens; ``claim.findings`` asks it which rules may speak of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivpush.language.compiler import fuse
from ivpush.language.vocabulary import Names
from ivpush.pack.rule import Rule

__all__ = ["Screen", "Screens"]


@dataclass(frozen=True, slots=True)
class Screen:
    """Rules judged together: ``judge`` gives positions of broken ones, ``~n`` of unjudged ones."""

    rules: tuple[Rule, ...]
    judge: Callable[..., list[int]]


class Screens:
    """The rules in force by what they are about; each function is generated when first needed.

    In use::

        screens = Screens(rules, names, {"policy": book.policy, "limits": book.limits})
        screen = screens.of_line(line.given.code)
        broken = [screen.rules[n] for n in screen.judge(facts, line) if n >= 0]
    """

    def __init__(self, rules: Sequence[Rule], names: Names, settled: Mapping[str, Any]) -> None:
        self._names, self._settled = names, settled
        self._fused: dict[tuple[str, ...], Screen] = {}
        self._by_code: dict[str, Screen] = {}
        self._by_kind: dict[str, Screen] = {}
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
        screen = self._by_kind.get(kind)
        if screen is None:
            screen = self._by_kind[kind] = self._screen(self._about[kind])
        return screen

    def of_line(self, code: str) -> Screen:
        """The rules that may speak of a line of a billed code, as one function."""
        screen = self._by_code.get(code)
        if screen is None:
            rules = (*self._about["line"], *self.rules_of_code(code))
            screen = self._by_code[code] = self._screen(rules)
        return screen

    def _screen(self, rules: tuple[Rule, ...]) -> Screen:
        # Codes that the same rules speak of share one function.
        key = tuple(rule.id for rule in rules)
        screen = self._fused.get(key)
        if screen is None:
            judge = fuse([rule.compiled for rule in rules], self._names, self._settled)
            screen = self._fused[key] = Screen(rules, judge)
        return screen
