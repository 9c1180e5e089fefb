"""A result in words and as a table: what ``print(result)`` and a notebook show.

``contract.result`` calls both. The chart itself is not part of a result; the command's page
(``writers.text``) draws it beside what is said here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.contract.encounter import ClaimLine
    from ivpush.contract.result import Question, Result, Severity, SuggestedLine, Violation

__all__ = ["html_of", "text_of"]

_WORDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def text_of(result: Result) -> str:
    """The result as plain text: what to bill, what is wrong, what is open, what to send instead."""
    return "\n".join(
        [
            f"{result.encounter}: {result.status}; {_counts(result)}",
            *_section("BILL", (_suggested(line) for line in result.suggested)),
            *_section("NOT BILLABLE", _not_billable(result)),
            *_section("WRONG", (_violation(each) for each in result.violations)),
            *_section("OPEN QUESTIONS", (_question(each) for each in result.questions)),
            *_section("SEND INSTEAD", _instead(result)),
        ]
    )


def html_of(result: Result) -> str:
    """The findings as an HTML table below the codes to bill; every text is escaped."""
    billed = ", ".join(_billed(line) for line in result.suggested) or "nothing"
    rows = "".join(_row(each) for each in result.violations)
    heads = "".join(f"<th>{name}</th>" for name in ("line", "severity", "rule", "message", "fix"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    head = f"{result.encounter}: {result.status}; {_counts(result)}"
    return f"<p><b>{escape(head)}</b><br>Bill: {escape(billed)}</p>{table}"


def _row(violation: Violation) -> str:
    line = "" if violation.line is None else str(violation.line)
    rule = f"{violation.rule} {violation.name}"
    cells = (line, _WORDS[violation.severity], rule, violation.message, violation.fix)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _counts(result: Result) -> str:
    counts = Counter(each.severity for each in result.violations)
    parts = [_counted(counts[severity], word) for severity, word in _WORDS.items()]
    return ", ".join((*parts, _counted(len(result.questions), "question")))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    rows = [f"  {line}" for line in lines]
    return [title, *rows] if rows else []


def _billed(line: SuggestedLine | ClaimLine) -> str:
    return f"{'-'.join((line.code, *line.modifiers))} x {line.units}"


def _suggested(line: SuggestedLine) -> str:
    return f"{_billed(line)}: {line.because}"


def _not_billable(result: Result) -> Iterator[str]:
    for each in result.not_billable:
        yield f"{each.administration}: {each.because}"


def _violation(violation: Violation) -> str:
    place = "the encounter" if violation.line is None else f"line {violation.line}"
    what = f"{_WORDS[violation.severity]} {violation.rule} {violation.name}"
    return f"{place}: {what}: {violation.message} -> {violation.fix}"


def _question(question: Question) -> str:
    return f"{question.ask} (ask {question.who})"


def _instead(result: Result) -> Iterator[str]:
    if result.corrected is None:
        yield result.withheld or "nothing"
    # A claim that is right already is told by its status.
    elif result.errors:
        yield ", ".join(_billed(line) for line in result.corrected) or "nothing"
