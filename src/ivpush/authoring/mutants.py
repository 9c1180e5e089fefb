"""Mutants of a rule pack: each is the pack with one small thing wrong.

An expression is changed as the parser of the language reads it, and rows of data one cell at a
time. ``authoring.mutation`` finds out which of them the cases notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any, NamedTuple

from ivpush.authoring.expression_mutants import expressions, next_word
from ivpush.language.compiler import compile_rule
from ivpush.language.parser import parse
from ivpush.language.tree import Node
from ivpush.language.vocabulary import Names
from ivpush.pack.codes import FAMILIES, Choice, CodeRow, DatedNumber, selected, words_of
from ivpush.pack.data import SupervisionRow
from ivpush.pack.later import Later
from ivpush.pack.pack import Pack, Parts
from ivpush.pack.policies import Policy, PolicyValue
from ivpush.pack.rule import Rule

__all__ = ["Mutant", "chosen_rules", "mutants_of", "mutants_of_data", "mutants_of_rule"]

_DAY = timedelta(days=1)
_EVER = date(1984, 1, 1)
"""From this day on means since ever: no code of this kind is older."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong pack: the file and key changed, how, and what to judge it with.

    ``rule`` is the mutated rule, where a rule was changed; else ``parts`` are what ``Pack.with_``
    replaces. A mutant that a pack's own checks refuse says why in ``refused``.

    ::

        Mutant("limits.yaml", "push_max_minutes", "15 -> 16", parts={"limits": changed})
    """

    file: str
    key: str
    change: str
    rule: Rule | None = None
    parts: Parts = field(default_factory=Parts)
    codes: frozenset[str] = frozenset()
    """Codes that it changes: cases with one of them are the likeliest to notice."""
    refused: str = ""

    @property
    def label(self) -> str:
        """How lists and marks name it."""
        return f"{self.file}: {self.key}: {self.change}"


def mutants_of(pack: Pack, only: Sequence[str] = ()) -> Iterator[Mutant]:
    """Every mutant of the pack, or of the rules named by id or name, in a fixed order."""
    for rule in chosen_rules(pack, only):
        yield from mutants_of_rule(rule, pack)
    if not only:
        yield from mutants_of_data(pack)


def chosen_rules(pack: Pack, only: Sequence[str] = ()) -> list[Rule]:
    """The rules named by id or name, or all of the pack, in its order."""
    return [rule for rule in pack.every_rule if not only or rule.id in only or rule.name in only]


# Mutants of a rule


def mutants_of_rule(rule: Rule, pack: Pack) -> Iterator[Mutant]:
    """One rule with another ``when``, ``require`` or choice of codes.

    Its dates stay: they are facts with a source, and a case on either side only repeats them. That
    they are kept to is a property of the engine, which its tests hold for every rule.
    """
    file = rule.place.rsplit(":", 2)[0]  # a place ends in line and column
    yield from _of_expressions(rule, file, pack.names)
    for change, asked in _other_choices(rule.asked):
        codes = selected(asked, pack.codes)
        if codes != rule.codes:
            yield Mutant(file, "codes", change, rule=replace(rule, codes=codes))


def _of_expressions(rule: Rule, file: str, names: Names) -> Iterator[Mutant]:
    trees = {
        key: parse(rule.texts[key], names, rule.for_each)
        for key in ("when", "require")
        if key in rule.texts
    }
    for key in trees:
        times: dict[str, int] = {}
        for change, text in expressions(rule.texts[key], names, rule.for_each):
            changed = {**trees, key: parse(text, names, rule.for_each)}
            # The same part may stand twice in an expression; marks need labels that differ.
            times[change] = times.get(change, 0) + 1
            label = change if times[change] == 1 else f"{change} ({times[change]})"
            yield Mutant(file, key, label, rule=_judged_by(rule, changed, names))
    if "when" in trees:
        always = {"require": trees["require"]}
        yield Mutant(file, "when", "drop it", rule=_judged_by(rule, always, names))


def _judged_by(rule: Rule, trees: Mapping[str, Node], names: Names) -> Rule:
    compiled = compile_rule(trees.get("when"), trees["require"], names, rule.id)
    return replace(rule, judgement=Later.of(compiled))


def _other_choices(asked: Choice | None) -> Iterator[tuple[str, Choice]]:
    """A choice of codes with one column or word less, or widened to any."""
    if asked is None or asked == "any":
        return
    yield "any", "any"
    if isinstance(asked, tuple):
        yield from _fewer_codes(asked)
    else:
        yield from _fewer_words(asked)


def _fewer_codes(codes: tuple[str, ...]) -> Iterator[tuple[str, Choice]]:
    if len(codes) > 1:
        for code in codes:
            yield f"drop {code}", tuple(other for other in codes if other != code)


def _fewer_words(asked: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Choice]]:
    for column, words in asked.items():
        if len(asked) > 1:
            yield f"drop {column}", {name: asked[name] for name in asked if name != column}
        if len(words) > 1:
            for word in words:
                fewer = tuple(other for other in words if other != word)
                yield f"drop {column} {word}", {**asked, column: fewer}


def _moved_windows(low: date, high: date | None) -> Iterator[tuple[str, date, date | None]]:
    """A window that begins or ends a day sooner or later; one open at its start begins nowhere."""
    if low > _EVER:
        yield f"from {low - _DAY}", low - _DAY, high
        if high is None or low < high:
            yield f"from {low + _DAY}", low + _DAY, high
    if high is not None:
        yield f"to {high + _DAY}", low, high + _DAY
        if low < high:
            yield f"to {high - _DAY}", low, high - _DAY


# Mutants of the data


def mutants_of_data(pack: Pack) -> Iterator[Mutant]:
    """The pack with one number, rank, row of codes or of supervision, or default changed."""
    yield from _of_limits(pack)
    yield from _of_ranks(pack)
    words = words_of(pack.codes)
    for row in pack.codes.values():
        for change in _code_changes(row, words):
            yield _with_code(row.code, change, pack)
    yield from _of_supervision(pack)
    for policy in pack.policies.values():
        yield from _of_policy(policy, pack)


def _of_limits(pack: Pack) -> Iterator[Mutant]:
    for name, rows in pack.limits.items():
        for n, (low, high, value) in enumerate(rows):
            for other in (value + 1, value - 1):
                changed = [*rows[:n], DatedNumber(low, high, other), *rows[n + 1 :]]
                limits = {**pack.limits, name: changed}
                yield Mutant("limits.yaml", name, f"{value} -> {other}", parts={"limits": limits})


def _of_ranks(pack: Pack) -> Iterator[Mutant]:
    """Two rows of different ranks swapped."""
    ranks = pack.data.ranks
    for row, other in combinations(ranks, 2):
        if ranks[row] != ranks[other]:
            swapped = {**ranks, row: ranks[other], other: ranks[row]}
            change = f"swap with {' '.join(other)}"
            data = replace(pack.data, ranks=swapped)
            yield Mutant("hierarchy.yaml", " ".join(row), change, parts={"data": data})


class _CodeChange(NamedTuple):
    """A row of codes with one cell changed; ``row`` is None where it is dropped."""

    key: str
    change: str
    row: CodeRow | None


def _code_changes(row: CodeRow, words: Mapping[str, frozenset[str]]) -> Iterator[_CodeChange]:
    yield _CodeChange("row", "drop it", None)
    yield from _column_changes(row, words)
    for setting in sorted(row.settings):
        fewer = replace(row, settings=row.settings - {setting})
        yield _CodeChange("settings", f"drop {setting}", fewer)
    for column in ("further", "once"):
        if getattr(row, column) is not None:
            yield _CodeChange(column, "drop it", _with_cell(row, column, None))
    for code in row.succeeded_by:
        rest = tuple(other for other in row.succeeded_by if other != code)
        yield _CodeChange("succeeded_by", f"drop {code}", replace(row, succeeded_by=rest))
    for change, first, last in _moved_windows(row.valid_from, row.valid_to):
        yield _CodeChange("in_force", change, replace(row, valid_from=first, valid_to=last))


def _column_changes(row: CodeRow, words: Mapping[str, frozenset[str]]) -> Iterator[_CodeChange]:
    """Each column that rules compare with, set to the next word of its list."""
    for column, listed in words.items():
        value = getattr(row, column)
        if value is None:
            continue
        other = next_word(value, listed)
        yield _CodeChange(column, other, _with_cell(row, column, other))
        if column == "variant":
            yield _CodeChange(column, "drop it", _with_cell(row, column, None))


def _with_cell(row: CodeRow, column: str, value: str | None) -> CodeRow:
    cells: dict[str, Any] = {column: value}
    return replace(row, **cells)


def _with_code(code: str, change: _CodeChange, pack: Pack) -> Mutant:
    """The pack with another row of a code, and its rules choosing their codes anew."""
    row = change.row
    if row is None:
        codes = {other: pack.codes[other] for other in pack.codes if other != code}
    else:
        # What a reader of codes.yaml works out of family and role must follow them here too.
        row = replace(row, administration=row.family in FAMILIES and row.role != "companion")
        codes = {**pack.codes, code: row}
    return Mutant(
        "codes.yaml",
        f"{code} {change.key}",
        change.change,
        parts={
            "codes": codes,
            "rules": tuple(_choosing_anew(rule, code, row) for rule in pack.rules),
        },
        codes=frozenset({code}),
        refused=_refusal(code, codes, pack),
    )


def _choosing_anew(rule: Rule, code: str, row: CodeRow | None) -> Rule:
    """A rule that chooses codes by columns, with or without this one as its row says now."""
    if not isinstance(rule.asked, Mapping):
        return rule
    chosen = rule.codes or frozenset()
    chooses_now = bool(selected(rule.asked, {} if row is None else {code: row}))
    if chooses_now == (code in chosen):
        return rule
    return replace(rule, codes=chosen ^ {code})


def _refusal(code: str, codes: Mapping[str, CodeRow], pack: Pack) -> str:
    """Why the pack's checks would refuse the codes; empty where they would not."""
    named = {
        name
        for row in codes.values()
        for name in (row.further, *row.succeeded_by)
        if name is not None
    }
    if not named <= codes.keys():
        return "another row names a code without a row"
    if code in codes:
        return ""
    listing = (rule for rule in pack.rules if isinstance(rule.asked, tuple))
    return next(
        (f"{rule.id} names a code without a row" for rule in listing if code in (rule.codes or ())),
        "",
    )


def _of_supervision(pack: Pack) -> Iterator[Mutant]:
    rows = pack.data.supervision
    levels = frozenset(row.level for row in rows)
    modes = frozenset(mode for row in rows for mode in row.modes)
    for n, row in enumerate(rows):
        for change, other in _supervision_changes(row, levels, modes):
            changed = [*rows[:n], *([] if other is None else [other]), *rows[n + 1 :]]
            data = replace(pack.data, supervision=changed)
            yield Mutant("supervision.yaml", f"row {n + 1}", change, parts={"data": data})


def _supervision_changes(
    row: SupervisionRow, levels: frozenset[str], modes: frozenset[str]
) -> Iterator[tuple[str, SupervisionRow | None]]:
    yield "drop it", None
    level = next_word(row.level, levels)
    yield f"level {level}", replace(row, level=level)
    for mode in sorted(row.modes):
        yield f"drop mode {mode}", replace(row, modes=row.modes - {mode})
    for mode in sorted(modes - row.modes):
        yield f"add mode {mode}", replace(row, modes=row.modes | {mode})
    for family in sorted(row.families):
        yield f"drop family {family}", replace(row, families=row.families - {family})
    for change, first, last in _moved_windows(row.valid_from, row.valid_to):
        yield change, replace(row, valid_from=first, valid_to=last)
    if row.policy:
        yield "drop policy", replace(row, policy=())


def _of_policy(policy: Policy, pack: Pack) -> Iterator[Mutant]:
    for value in _other_defaults(policy):
        policies = {**pack.policies, policy.name: replace(policy, default=value)}
        shown = ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)
        parts: Parts = {"policies": policies}
        yield Mutant("policies.yaml", policy.name, f"default {shown}", parts=parts)


def _other_defaults(policy: Policy) -> Iterator[PolicyValue]:
    """Every other default of a choice or flag; a number's neighbours; a list less a word."""
    default = policy.default
    match default:
        case str():
            yield from (value for value in policy.values if value != default)
        # Before the number, for a flag of Python is one too.
        case bool():
            yield not default
        case int():
            neighbours = (default - 1, default + 1)
            yield from (value for value in neighbours if policy.low <= value <= policy.high)
        case frozenset():
            yield from (default - {word} for word in sorted(default))
        case dict():
            for code in sorted(default):
                yield {other: default[other] for other in default if other != code}
