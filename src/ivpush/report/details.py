"""One encounter of the report: its drawing, codes, findings with their mends, and questions.

``Report.add`` packs what ``details_of`` gives; the page unpacks it when somebody opens the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ivpush.contract.coverage import checked_rows, unchecked_rows
from ivpush.contract.line_text import code_and_units
from ivpush.contract.result import Between
from ivpush.report.markup import Markup, badge, element, safe, table
from ivpush.timeline import Timeline

if TYPE_CHECKING:
    from ivpush.contract.result import (
        Answer,
        Question,
        Result,
        Violation,
        Visit,
    )

__all__ = ["details_of"]

_MOST_ANSWERS = 8
_MOST_UNJUDGED = 12
_RANKS = {"error": 0, "warning": 1, "info": 2}


def details_of(result: Result, names: Mapping[str, str], sites: Mapping[str, str] | None) -> Markup:
    """Everything about one encounter as HTML; ``names`` are those of rules by their ids.

    ``sites`` are the labels of access sites; None lets them stand in the chart's own words.
    """
    parts = (
        *_drawn(result.visit),
        *_billed(result),
        *_suggested(result),
        *_violations(result),
        *_questions(result.questions, sites),
        *_corrected(result),
        *_unchecked(result, names),
    )
    return Markup("".join(parts))


def _drawn(visit: Visit | None) -> Iterator[Markup]:
    if visit is None or visit.drawing.given is None:
        why = "These results do not hold their visit" if visit is None else "No chart came"
        yield element("p", f"{why}, so there is no drawing.", class_="soft")
        return
    timeline = Timeline(visit.drawing)
    # Wider than a telephone, so it scrolls by itself; a keyboard must reach it to scroll it.
    drawing = element(
        "div",
        Markup(timeline.svg(styled=False)),
        class_="drawing",
        tabindex="0",
        role="group",
        aria_label="Timeline",
    )
    summary = element("summary", "The timeline as a table")
    yield drawing
    yield element("details", summary, element("div", Markup(timeline.table()), class_="wide"))


def _billed(result: Result) -> Iterator[Markup]:
    """The lines of the claim, and what became of each."""
    lines = () if result.visit is None else result.visit.lines or ()
    if not lines:
        return
    verdicts = {each.number: each.status for each in result.lines}
    rows = [
        (
            line.number,
            code_and_units(line),
            "" if line.charge is None else f"{line.charge:,.2f}",
            verdicts.get(line.number, "not compared"),
        )
        for line in lines
    ]
    heads = ("line", "billed", "charge", "against the chart")
    yield _wide(table("Billed", heads, rows, numbers="ntn"))


def _suggested(result: Result) -> Iterator[Markup]:
    rows = [
        (code_and_units(line), ", ".join(line.administrations), line.because)
        for line in result.suggested
    ]
    rows += [("not billable", each.administration, each.because) for each in result.not_billable]
    if rows:
        yield _wide(table("What the chart supports", ("code", "administrations", "why"), rows))


def _violations(result: Result) -> Iterator[Markup]:
    if not result.violations:
        yield element("p", "Nothing wrong was found.", class_="soft")
        return
    heads = ("severity", "line", "rule", "what is wrong", "what to do", "denial codes")
    yield _wide(table("Findings", heads, map(_finding, _alike(result.violations))))


def _alike(violations: Sequence[Violation]) -> Iterator[list[Violation]]:
    """Findings of one rule on one line with one mend together, the worst first."""
    alike: dict[tuple[object, ...], list[Violation]] = {}
    for each in sorted(violations, key=lambda each: (_RANKS[each.severity], each.line or 0)):
        alike.setdefault((each.severity, each.rule, each.line, each.fix), []).append(each)
    yield from alike.values()


def _finding(alike: Sequence[Violation]) -> tuple[object, ...]:
    first = alike[0]
    messages = [element("div", text) for text in dict.fromkeys(each.message for each in alike)]
    return (
        badge(first.severity),
        "all" if first.line is None else first.line,
        element("span", element("b", first.rule), " ", first.name),
        Markup("".join(messages)),
        first.fix,
        _denial(first),
    )


def _denial(violation: Violation) -> str:
    codes = (("CARC", violation.carc), ("RARC", violation.rarc))
    return ", ".join(f"{kind} {code}" for kind, code in codes if code)


def _questions(questions: Sequence[Question], labels: Mapping[str, str] | None) -> Iterator[Markup]:
    if not questions:
        return
    sites = {} if labels is None else {**_lettered(questions), **labels}
    items = []
    for question in questions:
        rows = [
            (_condition(answer, sites), _bill(answer))
            for answer in question.answers[:_MOST_ANSWERS]
        ]
        more = len(question.answers) - _MOST_ANSWERS
        rows += [(f"{more} more answers", "")] if more > 0 else []
        ask = element("p", element("b", f"Ask {question.who}: "), question.ask)
        items.append(element("div", ask, table("If so, then bill", ("answer", "bill"), rows)))
    yield element("section", element("h3", "Open questions"), *items)


def _lettered(questions: Sequence[Question]) -> dict[str, str]:
    """Letters for access sites, which an answer would name in the chart's own words."""
    named = (
        str(answer.when.value)
        for question in questions
        for answer in question.answers
        if not isinstance(answer.when, Between) and answer.when.field.endswith(".site")
    )
    return {site: f"access {chr(ord('A') + n % 26)}" for n, site in enumerate(dict.fromkeys(named))}


def _condition(answer: Answer, sites: Mapping[str, str]) -> str:
    when = answer.when
    if isinstance(when, Between):
        end = "or more" if when.high is None else f"to {when.high}"
        return f"{when.low} {end} minutes"
    if isinstance(when.value, bool):
        return "yes" if when.value else "no"
    text = str(when.value)
    return sites.get(text, text) if when.field.endswith(".site") else text


def _bill(answer: Answer) -> str:
    return ", ".join(map(code_and_units, answer.suggested)) or "nothing"


def _corrected(result: Result) -> Iterator[Markup]:
    billed = None if result.visit is None else result.visit.lines
    if result.corrected is None:
        yield element("p", element("b", "No claim to send yet. "), result.withheld or "")
    elif result.errors or (billed is not None and result.corrected != billed):
        lines = "; ".join(f"{line.number}: {code_and_units(line)}" for line in result.corrected)
        yield element("p", element("b", "Send instead: "), lines or "nothing")


def _unchecked(result: Result, names: Mapping[str, str]) -> Iterator[Markup]:
    """What was not judged, and of a result that says it, what it was checked against."""
    if result.checked is not None:
        checked = [element("li", row) for row in checked_rows(result.checked)]
        rest = [element("li", row) for row in unchecked_rows(result.checked)]
        yield _folded("What was checked", checked)
        yield _folded("What was not checked", rest)
    elif result.unjudged:
        rows = [
            element("li", f"{each.rule} {names.get(each.rule, '')} lacks {_fields(each.missing)}")
            for each in result.unjudged[:_MOST_UNJUDGED]
        ]
        more = len(result.unjudged) - _MOST_UNJUDGED
        rows += [element("li", f"and {more} more")] if more > 0 else []
        yield _folded(f"Not judged: {len(result.unjudged)}", rows)


def _fields(missing: Sequence[str]) -> str:
    fields = (path.rpartition(".")[2].replace("_", " ") for path in missing)
    return ", ".join(dict.fromkeys(fields))


def _folded(title: str, items: Sequence[Markup]) -> Markup:
    return element("details", element("summary", safe(title)), element("ul", *items))


def _wide(part: Markup) -> Markup:
    """What may be wider than the page, and scrolls by itself."""
    return element("div", part, class_="wide")
