"""The result as a coder wants to read it: chart, codes, what is wrong, what is open.

The format ``text``, which the command line prints where nothing else is asked for. Drugs are named
by the drug table or by id and sites by a number, unless ``show_text`` asks for the chart's own
words. Control characters of ids are escaped.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from ivpush.claim.coverage import needs_chart
from ivpush.claim.drawing import site_names
from ivpush.contract.coverage import checked_rows, unchecked_rows
from ivpush.contract.encounter import ClaimLine
from ivpush.contract.line_text import code_and_units, code_with_modifiers
from ivpush.contract.result import Between, Equals
from ivpush.plural import counted
from ivpush.timeline import Timeline
from ivpush.writers.safe import visible
from ivpush.writers.trace import drug_name, trace

if TYPE_CHECKING:
    from ivpush.contract.facts import AdministrationFacts
    from ivpush.contract.result import (
        Answer,
        NotBillable,
        Question,
        Source,
        SuggestedLine,
        Violation,
    )
    from ivpush.engine import Worked

__all__ = ["Look", "Writer", "clean", "render"]

_MOST_IDS = 8
_GENERAL = "9"
"""The first digit of ids of general rules: they say of any line what another says of one kind."""
_RANKS = {"error": 0, "warning": 1, "info": 2}
_MOST_ANSWERS = 4
_COLOUR = re.compile("(\x1b\\[[0-9]{1,2}m)")
_COLOURS = {"error": "31", "warning": "33", "info": "36", "head": "1", "dim": "2", "good": "32"}
_ASCII = {0x2014: "-", 0x2192: "->", 0x2026: "..."}
"""What stands for a dash, an arrow and an ellipsis; all else beyond ASCII becomes ``?``."""


@dataclass(frozen=True, slots=True)
class Look:
    """How to print: columns, colour, ASCII only, and whether the chart's own words may show."""

    width: int = 96
    colour: bool = False
    ascii: bool = False
    show_text: bool = False

    def paint(self, text: str, kind: str) -> str:
        """The text in a colour, where colours are on."""
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colour else text

    def wrap(self, text: str, indent: str = "      ") -> list[str]:
        """The text in lines of the width, indented."""
        return textwrap.wrap(
            text,
            # Below 40 columns little but the indent would fit; a terminal may break lines itself.
            max(40, self.width),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
        )


class Writer:
    """Writes one result after another, with a blank line between them, and the sources at the end.

    ``source`` says what a cited name stands for.
    """

    def __init__(
        self,
        out: IO[bytes],
        look: Look,
        *,
        source: Callable[[str], Source],
        explain: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        self._out, self._look, self._explain = out, look, explain
        self._source, self._encoding, self._between = source, encoding, ""
        self._cited: set[str] = set()

    def write(self, work: Worked, _place: str) -> None:
        """Write one result."""
        self._write(self._between + render(work, self._look, explain=self._explain))
        self._between = "\n"
        self._cited.update(work.result.cites)

    def close(self) -> None:
        """End the text with what the names in brackets stand for, once a run."""
        if not self._cited:
            return
        lines = _section("SOURCES", self._look)
        for name in sorted(self._cited):
            lines += self._look.wrap(f"{name}: {self._source(name)}", "  ")
        self._write(clean("\n".join(lines), plain=self._look.ascii) + "\n")

    def _write(self, text: str) -> None:
        self._out.write(text.encode(self._encoding, "replace"))


def render(work: Worked, look: Look, *, explain: bool = False) -> str:
    """One encounter as text, ending in a line of counts.

    ::

        print(render(engine.work(encounter), Look(width=120), explain=True), end="")

    ``explain`` adds the trace: what decided each administration, and its sources.
    """
    lines = [
        *_head(work, look),
        *_chart(work, look),
        *_suggested(work, look),
        *_not_billable(work, look),
        *_wrong(work, look),
        *_questions(work, look),
        *_corrected(work, look),
        *(_trace(work, look) if explain else []),
        *(_unjudged(work, look) if work.result.checked is None else _coverage(work, look)),
        "",
        look.paint(_counts(work), "head"),
    ]
    return clean("\n".join(lines), plain=look.ascii) + "\n"


def clean(text: str, *, plain: bool) -> str:
    """The text with what cannot be printed escaped, other than line ends and our own colours.

    With ``plain`` it is ASCII.
    """
    # The pattern has a group, so that split gives the colours too.
    safe = "".join(
        part if _COLOUR.fullmatch(part) else "\n".join(map(visible, part.split("\n")))
        for part in _COLOUR.split(text)
    )
    if plain:
        safe = safe.translate(_ASCII).encode("ascii", "replace").decode()
    return safe


def _section(title: str, look: Look) -> list[str]:
    return ["", look.paint(title, "head")]


def _cited(text: str, cites: tuple[str, ...]) -> str:
    return f"{text} [{', '.join(cites)}]"


def _head(work: Worked, look: Look) -> list[str]:
    pack, encounter = work.result.pack, work.encounter
    payer = pack.payer or "no payer's overlay"
    place = encounter.place_of_service or encounter.type_of_bill or ""
    title = look.paint(f"Encounter {visible(work.result.encounter)}", "head")
    day = pack.in_force_on.isoformat() if pack.in_force_on else "no date"
    where = f"{encounter.setting} {place}".strip()
    return [f"{title}  {where}, {day}, {payer}  ({pack.name} {pack.version})"]


# The chart


def _chart(work: Worked, look: Look) -> list[str]:
    lines = _section("CHART", look)
    if work.encounter.administrations is None:
        with_claim = "" if work.encounter.lines is None else " with the claim"
        return [*lines, f"  no chart came{with_claim}"]
    sites = site_names(work.derived.administrations)
    lines += [_administration(facts, sites, look) for facts in work.derived.administrations]
    # A single bar says no more than the row above it.
    if len(work.derived.administrations) < 2:
        return lines
    timeline = Timeline(work.visit(show_text=look.show_text).drawing)
    drawn = timeline.text(look.width - 4, plain=look.ascii).splitlines()
    return [*lines, "", *(f"  {row}" for row in drawn)] if drawn else lines


def _administration(facts: AdministrationFacts, sites: Mapping[str, str], look: Look) -> str:
    charted = facts.given
    start = f"{charted.start:%H:%M}" if charted.start else "  -  "
    stop = f"{charted.stop:%H:%M}" if charted.stop else "  -  "
    minutes = f"{facts.running_minutes} min" if facts.running_minutes is not None else ""
    name = charted.drug if look.show_text and charted.drug else drug_name(facts)
    how = " ".join(filter(None, (charted.route or "route?", charted.method or facts.technique)))
    who = f"  {visible(charted.id):<6} {name:<28.28} {how:<16}"
    return f"{who} {start}-{stop} {minutes:>8}  {sites.get(facts.site, '')}".rstrip()


# What to bill


def _suggested(work: Worked, look: Look) -> list[str]:
    # Without a chart nothing is suggested, which is not to say that nothing may be billed.
    if work.encounter.administrations is None:
        return []
    lines = _section("BILL", look)
    for suggested in work.result.suggested:
        lines += _suggested_line(suggested, work, look)
    return lines if work.result.suggested else [*lines, "  nothing"]


def _suggested_line(suggested: SuggestedLine, work: Worked, look: Look) -> list[str]:
    in_force_on = work.result.pack.in_force_on
    billed = look.paint(code_and_units(suggested), "good")
    # The encounter's own day stands in the head.
    day = f" on {suggested.date}" if suggested.date not in {None, in_force_on} else ""
    return [f"  {billed}{day}", *look.wrap(_cited(suggested.because, suggested.cites))]


def _not_billable(work: Worked, look: Look) -> list[str]:
    if not work.result.not_billable:
        return []
    lines = _section("NOT BILLABLE", look)
    for barred in work.result.not_billable:
        lines += _barred(barred, look)
    return lines


def _barred(barred: NotBillable, look: Look) -> list[str]:
    text = f"{visible(barred.administration)}: {barred.because}"
    return look.wrap(_cited(text, barred.cites), "  ")


# What is wrong


def _wrong(work: Worked, look: Look) -> list[str]:
    violations = work.result.violations
    if not violations:
        return [] if work.encounter.lines is None else [*_section("WRONG", look), "  nothing"]
    by_line: dict[int | None, list[Violation]] = {}
    for violation in violations:
        by_line.setdefault(violation.line, []).append(violation)
    lines = _section("WRONG", look)
    # By line number; what concerns the whole encounter comes last.
    for number in sorted(by_line, key=lambda number: (number is None, number or 0)):
        lines.append(f"  {_place(work, number)}{_compared(by_line[number], number)}")
        lines += _violations(by_line[number], number, look)
    return lines


def _place(work: Worked, number: int | None) -> str:
    for line in work.encounter.lines or ():
        if line.number == number:
            return f"line {number}: {code_and_units(line)}"
    return "the encounter"


def _compared(violations: list[Violation], number: int | None) -> str:
    """Which administrations a billed line was held against: the chart that its messages mean."""
    charted = violations[0].administrations if number is not None else ()
    return f", compared with {_ids(charted)}" if charted else ""


def _ids(administrations: Iterable[str]) -> str:
    ids = [visible(each) for each in dict.fromkeys(administrations)]
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return ", ".join(ids[:_MOST_IDS]) + more


def _violations(violations: list[Violation], number: int | None, look: Look) -> list[str]:
    """What is wrong with one line, or with the encounter where ``number`` is None."""
    shown, also = (violations, []) if number is None else _specific(violations)
    # The first violation of a rule stands for all of them.
    of_rule: dict[str, list[Violation]] = {}
    for violation in sorted(shown, key=_specific_first):
        of_rule.setdefault(violation.rule, []).append(violation)
    lines: list[str] = []
    for same in of_rule.values():
        lines += _violation(same[0], _times(same), look)
    if also:
        names = ", ".join(f"{violation.rule} {violation.name}" for violation in also)
        lines += _dimmed(f"also {names}", "    ", look)
    return lines


def _specific(violations: list[Violation]) -> tuple[list[Violation], list[Violation]]:
    """A line's findings, and the general ones that say the same as a specific error does."""
    specific = [violation for violation in violations if not _is_general(violation)]
    if not any(violation.severity == "error" for violation in specific):
        return violations, []
    return specific, list(filter(_is_general, violations))


def _is_general(violation: Violation) -> bool:
    # The fourth character of an id such as IVP601 is its family's digit.
    return violation.rule[3:4] == _GENERAL


def _specific_first(violation: Violation) -> tuple[int, bool, str]:
    return _RANKS[violation.severity], _is_general(violation), violation.rule


def _times(same: list[Violation]) -> str:
    """How often one rule spoke, and of which administrations: one message stands for all."""
    if len(same) == 1:
        return ""
    ids = _ids(each for violation in same for each in violation.administrations)
    return f" ({len(same)} times: {ids})" if ids else f" ({len(same)} times)"


def _violation(violation: Violation, more: str, look: Look) -> list[str]:
    severity = look.paint(violation.severity, violation.severity)
    denial = {"CARC": violation.carc, "RARC": violation.rarc}
    codes = ", ".join(f"{kind} {code}" for kind, code in denial.items() if code)
    sources = f"[{', '.join(violation.cites)}]"
    return [
        f"    {severity} {violation.rule} {violation.name}{more}",
        *look.wrap(violation.message),
        *look.wrap(f"-> {violation.fix}"),
        *_dimmed("; ".join(filter(None, (codes, _of_edit(violation), sources))), "      ", look),
    ]


def _of_edit(violation: Violation) -> str:
    """What a reader should know of the edit and of what follows: who vouches, and what it folds."""
    vouched = violation.edit is not None and violation.edit.safety == "attest"
    folds = f"explains {', '.join(violation.folds)}" if violation.folds else ""
    return "; ".join(filter(None, ("needs a person's word" if vouched else "", folds)))


def _dimmed(text: str, indent: str, look: Look) -> list[str]:
    # Painted after wrapping, which would count the colour as text.
    return [look.paint(line, "dim") for line in look.wrap(text, indent)]


# What is open


def _questions(work: Worked, look: Look) -> list[str]:
    if not work.result.questions:
        return []
    lines = _section("OPEN QUESTIONS", look)
    sites = {} if look.show_text else site_names(work.derived.administrations)
    for question in work.result.questions:
        lines += _question(question, look, sites)
    return lines


def _question(question: Question, look: Look, sites: Mapping[str, str]) -> list[str]:
    lines = look.wrap(f"{question.ask} (ask {question.who})", "  ")
    # Lengths are few, and the last says what is longer.
    most = _MOST_ANSWERS if question.answers[0].changes is None else len(question.answers)
    for answer in question.answers[:most]:
        bills = _bill(answer) if answer.changes is None else answer.changes
        lines += look.wrap(f"{_condition(answer, sites)}: {bills}")
    more = len(question.answers) - most
    return [*lines, f"      ... and {more} more answers"] if more > 0 else lines


def _condition(answer: Answer, sites: Mapping[str, str]) -> str:
    when = answer.when
    if isinstance(when, Between):
        upto = f"to {when.high} minutes" if when.high is not None else "minutes or longer"
        return f"{when.low} {upto}"
    assert isinstance(when, Equals)
    if isinstance(when.value, bool):
        return "yes" if when.value else "no"
    text = str(when.value)
    if when.field.endswith(".site") and text in sites:
        return sites[text]
    return visible(text)


def _bill(answer: Answer) -> str:
    return ", ".join(map(code_and_units, answer.suggested)) or "nothing"


def _unjudged(work: Worked, look: Look) -> list[str]:
    unjudged = work.result.unjudged
    if not unjudged:
        return []
    lines = _section("NOT JUDGED", look)
    if work.encounter.administrations is None:
        by_chart = [each for each in unjudged if needs_chart(each)]
        unjudged = tuple([each for each in unjudged if each not in by_chart])
        need = "needs" if len(by_chart) == 1 else "need"
        lines.append(f"  {counted(len(by_chart), 'rule')} {need} the chart")
    rules = work.pack.rules_by_word if unjudged else {}
    for each in unjudged:
        fields = sorted({path.rpartition(".")[2] for path in each.missing})
        lines += _hanging(f"{each.rule} {rules[each.rule].name} lacks {', '.join(fields)}", look)
    return lines


def _coverage(work: Worked, look: Look) -> list[str]:
    """What was checked, and what was not, which the rules that were not judged are a part of."""
    coverage = work.result.checked
    assert coverage is not None
    lines = _section("CHECKED", look)
    for row in checked_rows(coverage):
        lines += _hanging(row, look)
    lines += _section("NOT CHECKED", look)
    for row in unchecked_rows(coverage):
        lines += _hanging(row, look)
    return lines


def _hanging(row: str, look: Look) -> list[str]:
    """A row in lines of the width; the second and further ones stand further in."""
    first, *rest = look.wrap(row, "  ")
    return [first, *(f"  {line}" for line in rest)]


# What to send instead


def _corrected(work: Worked, look: Look) -> list[str]:
    corrected, billed = work.result.corrected, work.encounter.lines
    if billed is None or corrected == billed:
        return []
    lines = _section("CORRECTED CLAIM", look)
    if corrected is None:
        return [*lines, *look.wrap(work.result.withheld or "", "  ")]
    return [*lines, *_changes(billed, corrected)]


def _changes(billed: Sequence[ClaimLine], corrected: Sequence[ClaimLine]) -> list[str]:
    """Every line before or after the correction, by number, and what became of it."""
    old = {line.number: line for line in billed}
    kept = {line.number for line in corrected}
    removed = [line for line in billed if line.number not in kept]
    lines = []
    for line in sorted((*corrected, *removed), key=lambda line: line.number):
        units = f"x {line.units}"
        if line.number not in kept:
            units, note = "", "removed"
        elif line.number not in old:
            note = "new"
        else:
            note = "" if line == old[line.number] else "changed"
        code = code_with_modifiers(line)
        lines.append(f"  {line.number:>3}  {code:<12} {units:<6} {note}".rstrip())
    return lines


# Why, and how much


def _trace(work: Worked, look: Look) -> list[str]:
    lines = _section("WHY", look)
    for step in trace(work):
        who = visible(step.administration) or "all"
        text = f"{who}  {step.about}: {step.fact}; {step.decided_by} -> {step.decision}"
        lines += look.wrap(_cited(text, step.cites) if step.cites else text, "  ")
    return lines


def _counts(work: Worked) -> str:
    result = work.result
    counts = Counter(violation.severity for violation in result.violations)
    return (
        f"{result.status}: {counted(counts['error'], 'error')}, "
        f"{counted(counts['warning'], 'warning')}, {counted(counts['info'], 'note')}, "
        f"{counted(len(result.questions), 'question')}"
    )
