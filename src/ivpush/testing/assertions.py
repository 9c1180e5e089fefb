"""Assertions about one encounter, which say in words what went wrong.

``ivpush.testing`` hands them out. Each takes an Encounter or a record, checks it with the engine
given (else one with the shipped rules), and gives the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from ivpush.authoring.shorthand import line_in_short, read_line
from ivpush.contract.encounter import Encounter, encounter_of
from ivpush.contract.result import Result, Violation
from ivpush.engine import Engine
from ivpush.errors import Fault, InputError, UsageError, did_you_mean
from ivpush.plural import counted

__all__ = [
    "Given",
    "assert_clean",
    "assert_fires",
    "assert_silent",
    "assert_suggests",
    "checked",
    "lines_in_short",
    "listing",
]

Given = Mapping[str, Any] | Encounter
"""What an assertion takes: an encounter, or a record of the contract."""


def assert_clean(record: Given, *, engine: Engine | None = None) -> Result:
    """Fail unless a record has neither an error nor an open question; gives the result."""
    __tracebackhide__ = True
    result = checked(record, engine)
    if result.status != "clean":
        rows = [f"{error.rule} on line {error.line}: {error.message}" for error in result.errors]
        rows += [f"open: {question.missing}: {question.ask}" for question in result.questions]
        if not rows:
            count = len(result.unjudged)
            rows.append(f"no chart came, so that {counted(count, 'rule')} could not be judged")
        raise AssertionError("\n".join(["the claim is not clean:", *rows]))
    return result


def assert_suggests(record: Given, *lines: str, engine: Engine | None = None) -> Result:
    """Fail unless exactly these lines are suggested, in any order; gives the result.

    A line is ``CODE-MODIFIER xUNITS``; without any, nothing may be suggested. Raises UsageError
    for a line in another form.
    """
    __tracebackhide__ = True
    wanted = sorted(_in_short(lines))
    result = checked(record, engine)
    got = sorted(lines_in_short(result))
    if wanted != got:
        raise AssertionError(f"suggested: expected {listing(wanted)}, got {listing(got)}")
    return result


def assert_fires(
    record: Given, *rules: str, line: int | None = None, engine: Engine | None = None
) -> Result:
    """Fail unless each of the rules (ids or names) speaks, on a line if one is named.

    Raises UsageError for a rule that does not exist.
    """
    __tracebackhide__ = True
    engine = engine or _shipped()
    _require_rules(rules, engine)
    result = checked(record, engine)
    speaking = _names(_on(line, result))
    silent = [rule for rule in rules if rule not in speaking]
    # Without a rule the call would hold for any record, so it fails.
    if silent or not rules:
        raise AssertionError(
            f"silent: {', '.join(silent) or 'no rule was named'}; spoke: {_spoke(result)}"
        )
    return result


def assert_silent(
    record: Given, *rules: str, line: int | None = None, engine: Engine | None = None
) -> Result:
    """Fail if one of the rules (ids or names) speaks, on a line if one is named.

    Without a rule none may speak at all, be it by a note. Raises UsageError for a rule that does
    not exist.
    """
    __tracebackhide__ = True
    engine = engine or _shipped()
    _require_rules(rules, engine)
    result = checked(record, engine)
    loud = [each for each in _on(line, result) if not rules or {each.rule, each.name} & {*rules}]
    if loud:
        rows = [f"{each.rule} {each.name} on line {each.line}: {each.message}" for each in loud]
        raise AssertionError("\n".join(["expected silence, but these spoke:", *rows]))
    return result


def checked(record: Given, engine: Engine | None) -> Result:
    """The result of a record or an encounter."""
    # Whoever tests a record need not see our own stack.
    __tracebackhide__ = True
    try:
        encounter = encounter_of(record)
    except InputError as error:
        raise InputError(error.faults) from None
    return (engine or _shipped()).check(encounter)


def lines_in_short(result: Result) -> list[str]:
    """The suggested lines in the form in which they are written in tests."""
    return [line_in_short(line.code, line.modifiers, line.units) for line in result.suggested]


@cache
def _shipped() -> Engine:
    """An engine with the shipped rules; it never changes, so one serves all tests."""
    return Engine()


def _in_short(lines: Iterable[str]) -> Iterator[str]:
    """Each line the one way in which results are compared with it."""
    __tracebackhide__ = True
    for text in lines:
        line = read_line(text) if isinstance(text, str) else None
        if line is None:
            raise UsageError(
                Fault(f"'{str(text)[:60]}'", "is no line", "write CODE-MODIFIER xUNITS")
            )
        yield line_in_short(*line)


def _on(line: int | None, result: Result) -> list[Violation]:
    return [each for each in result.violations if line is None or each.line == line]


def _names(violations: Iterable[Violation]) -> set[str]:
    return {name for violation in violations for name in (violation.rule, violation.name)}


def _spoke(result: Result) -> str:
    return listing(sorted({f"{each.rule} {each.name}" for each in result.violations}))


def listing(texts: Iterable[str]) -> str:
    """Texts as a failed test names them."""
    return ", ".join(texts) or "none"


def _require_rules(names: Iterable[str], engine: Engine) -> None:
    __tracebackhide__ = True
    known = engine.pack.rules_by_word
    faults = [
        Fault(f"'{name[:60]}'", "is no rule", did_you_mean(name, known))
        for name in names
        if name not in known
    ]
    if faults:
        raise UsageError(faults)
