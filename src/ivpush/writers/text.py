"""The result as a coder wants to read it: chart, codes, what is wrong, what is open.

Drugs are named by the drug table or by id and sites by a number, unless ``show_text`` asks for the
chart's own words. Control characters of ids are escaped.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from ivpush.contract.result import Between, Equals
from ivpush.writers.safe import visible
from ivpush.writers.trace import drug_name, site_names, timeline, trace

if TYPE_CHECKING:
    from ivpush.contract.result import Answer, Question, Violation
    from ivpush.engine import Worked

__all__ = ["Look", "Writer", "render"]

_GENERAL = "9"
_MOST_ANSWERS = 4
_COLOUR = re.compile("(\x1b\\[[0-9]{1,2}m)")
_COLOURS = {"error": "31", "warning": "33", "info": "36", "head": "1", "dim": "2", "good": "32"}


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
        return textwrap.wrap(text, max(40, self.width), initial_indent=indent,
                             subsequent_indent=indent, break_long_words=False)  # fmt: skip


class Writer:
    """Writes one result after another, with a blank line between them."""

    def __init__(
        self, out: IO[bytes], look: Look, *, explain: bool = False, encoding: str = "utf-8"
    ) -> None:
        self._out, self._look, self._explain = out, look, explain
        self._encoding, self._between = encoding, ""

    def write(self, work: Worked, _place: str) -> None:
        """Write one result."""
        text = self._between + render(work, self._look, explain=self._explain)
        self._out.write(text.encode(self._encoding, "replace"))
        self._between = "\n"

    def close(self) -> None:
        """Nothing ends the text."""


def render(work: Worked, look: Look, *, explain: bool = False) -> str:
    """One encounter as text, ending in a line of counts."""
    out: list[str] = [*_head(work, look), *_chart(work, look)]
    out += _suggested(work, look)
    out += _wrong(work, look)
    out += _questions(work, look)
    out += _corrected(work, look)
    if explain:
        out += _trace(work, look)
    out += _unjudged(work, look)
    out += ["", look.paint(_counts(work), "head")]
    return clean("\n".join(out), plain=look.ascii) + "\n"


def clean(text: str, *, plain: bool) -> str:
    """The text with what cannot be printed escaped, other than line ends and our own colours."""
    safe = "".join(
        part if _COLOUR.fullmatch(part) else "\n".join(map(visible, part.split("\n")))
        for part in _COLOUR.split(text)
    )
    if plain:
        safe = safe.translate({0x2014: "-", 0x2192: "->", 0x2026: "..."})
        safe = safe.encode("ascii", "replace").decode()
    return safe


def _head(work: Worked, look: Look) -> list[str]:
    result, encounter = work.result, work.encounter
    payer = result.pack.payer or "no payer's overlay"
    place = encounter.place_of_service or encounter.type_of_bill or ""
    title = f"Encounter {visible(result.encounter)}"
    day = result.pack.in_force_on.isoformat() if result.pack.in_force_on else "no date"
    rest = f"{encounter.setting} {place}".strip() + f", {day}, {payer}"
    return [look.paint(title, "head") + f"  {rest}  ({result.pack.name} {result.pack.version})"]


def _section(title: str, look: Look) -> list[str]:
    return ["", look.paint(title, "head")]


def _chart(work: Worked, look: Look) -> list[str]:
    if work.encounter.administrations is None:
        return [*_section("CHART", look), "  no chart came with the claim"]
    sites, out = site_names(work), _section("CHART", look)
    for one in work.derived.facts:
        given = one.given
        start = f"{given.start:%H:%M}" if given.start else "  -  "
        stop = f"{given.stop:%H:%M}" if given.stop else "  -  "
        minutes = f"{one.running_minutes} min" if one.running_minutes is not None else ""
        name = given.drug if look.show_text and given.drug else drug_name(one)
        how = " ".join(filter(None, (given.route or "route?", given.method or one.technique)))
        site = sites.get(one.site, "")
        out.append(f"  {visible(given.id):<6} {name:<28.28} {how:<16} {start}-{stop} "
                   f"{minutes:>8}  {site}".rstrip())  # fmt: skip
    drawn = timeline(work, look.width - 4, plain=look.ascii)
    return [*out, "", *(f"  {visible(row)}" for row in drawn)] if len(drawn) > 1 else out


def _suggested(work: Worked, look: Look) -> list[str]:
    result, out = work.result, _section("BILL", look)
    for line in result.suggested:
        code = "-".join((line.code, *line.modifiers))
        day = f" on {line.date}" if line.date not in {None, result.pack.in_force_on} else ""
        out.append("  " + look.paint(f"{code} x {line.units}", "good") + day)
        out += look.wrap(f"{line.because} [{', '.join(line.cites)}]")
    if not result.suggested:
        out.append("  nothing")
    if result.not_billable:
        out += _section("NOT BILLABLE", look)
        for one in result.not_billable:
            out += look.wrap(f"{visible(one.administration)}: {one.because} "
                             f"[{', '.join(one.cites)}]", "  ")  # fmt: skip
    return out


def _wrong(work: Worked, look: Look) -> list[str]:
    found = work.result.violations
    if not found:
        return [] if work.encounter.lines is None else [*_section("WRONG", look), "  nothing"]
    out = _section("WRONG", look)
    numbers = sorted({one.line for one in found if one.line is not None})
    for number in (*numbers, None):
        those = [one for one in found if one.line == number]
        if not those:
            continue
        line = next((x for x in work.encounter.lines or () if x.number == number), None)
        if line is not None:
            billed = "-".join((line.code, *line.modifiers))
            out.append(f"  line {number}: {billed} x {line.units}")
        else:
            out.append("  the encounter")
        shown, also = _specific(those) if number is not None else (those, [])
        for one in _folded(sorted(shown, key=_specific_first)):
            out += _violation(*one, look)
        if also:
            names = ", ".join(f"{one.rule} {one.name}" for one in also)
            out += [look.paint(text, "dim") for text in look.wrap(f"also {names}", "    ")]
    return out


def _specific(found: list[Violation]) -> tuple[list[Violation], list[Violation]]:
    """A line's findings, and the general ones that say the same as a specific error does."""
    if not any(one.severity == "error" and one.rule[3:4] != _GENERAL for one in found):
        return found, []
    general = [one for one in found if one.rule[3:4] == _GENERAL]
    return [one for one in found if one.rule[3:4] != _GENERAL], general


def _specific_first(one: Violation) -> tuple[int, bool, str]:
    rank = {"error": 0, "warning": 1, "info": 2}[one.severity]
    return rank, one.rule[3:4] == _GENERAL, one.rule


def _folded(found: Iterable[Violation]) -> list[tuple[Violation, int]]:
    """Repetitions of one rule become one entry with a count."""
    made: dict[str, tuple[Violation, int]] = {}
    for one in found:
        first, count = made.get(one.rule, (one, 0))
        made[one.rule] = (first, count + 1)
    return list(made.values())


def _violation(one: Violation, count: int, look: Look) -> list[str]:
    more = f" ({count} times)" if count > 1 else ""
    out = [f"    {look.paint(one.severity, one.severity)} {one.rule} {one.name}{more}"]
    out += look.wrap(one.message)
    out += look.wrap(f"-> {one.fix}")
    denial = {"CARC": one.carc, "RARC": one.rarc}
    codes = ", ".join(f"{kind} {code}" for kind, code in denial.items() if code)
    tail = "; ".join(filter(None, (codes, f"[{', '.join(one.cites)}]")))
    return [*out, *(look.paint(text, "dim") for text in look.wrap(tail))]


def _questions(work: Worked, look: Look) -> list[str]:
    if not work.result.questions:
        return []
    out = _section("OPEN QUESTIONS", look)
    sites = {} if look.show_text else site_names(work)
    for one in work.result.questions:
        out += _question(one, look, sites)
    return out


def _question(one: Question, look: Look, sites: Mapping[str, str]) -> list[str]:
    out = look.wrap(f"{one.ask} (ask {one.who})", "  ")
    for answer in one.answers[:_MOST_ANSWERS]:
        out.append(f"      {_condition(answer, sites)}: {_bill(answer)}")
    more = len(one.answers) - _MOST_ANSWERS
    return [*out, f"      ... and {more} more answers"] if more > 0 else out


def _condition(answer: Answer, sites: Mapping[str, str]) -> str:
    when = answer.when
    if isinstance(when, Between):
        return f"{when.low} to {when.high} minutes" if when.high is not None else f"from {when.low}"
    assert isinstance(when, Equals)
    if isinstance(when.value, bool):
        return "yes" if when.value else "no"
    if when.field.endswith(".site"):
        return sites.get(str(when.value), visible(str(when.value)))
    return visible(str(when.value))


def _bill(answer: Answer) -> str:
    lines = ["-".join((x.code, *x.modifiers)) + f" x {x.units}" for x in answer.suggested]
    return ", ".join(lines) or "nothing"


def _corrected(work: Worked, look: Look) -> list[str]:
    corrected, billed = work.result.corrected, work.encounter.lines
    if billed is None:
        return []
    if corrected is None:
        return [*_section("CORRECTED CLAIM", look), "  waits for an open question"]
    if corrected == billed:
        return []
    out, old = _section("CORRECTED CLAIM", look), {line.number: line for line in billed}
    numbers = {line.number for line in corrected}
    gone = [line for line in billed if line.number not in numbers]
    for line in sorted((*corrected, *gone), key=lambda one: one.number):
        was = old.get(line.number)
        note = "new" if was is None else "" if was == line else "changed"
        code = "-".join((line.code, *line.modifiers))
        units, note = ("", "removed") if line in gone else (f"x {line.units}", note)
        out.append(f"  {line.number:>3}  {code:<12} {units:<6} {note}".rstrip())
    return out


def _unjudged(work: Worked, look: Look) -> list[str]:
    if not work.result.unjudged:
        return []
    parts = []
    for one in work.result.unjudged:
        fields = sorted({path.rpartition(".")[2] for path in one.missing})
        parts.append(f"{one.rule} ({', '.join(fields)})")
    return [*_section("NOT JUDGED, for want of", look), *look.wrap("; ".join(parts), "  ")]


def _trace(work: Worked, look: Look) -> list[str]:
    out = _section("WHY", look)
    for step in trace(work):
        cites = f" [{', '.join(step.cites)}]" if step.cites else ""
        out += look.wrap(f"{visible(step.administration) or 'all'}  {step.about}: {step.fact}; "
                         f"{step.decided_by} -> {step.decision}{cites}", "  ")  # fmt: skip
    return out


def _counts(work: Worked) -> str:
    result = work.result
    levels = ("error", "warning", "info")
    kinds = [sum(v.severity == level for v in result.violations) for level in levels]
    return (f"{result.status}: {kinds[0]} error(s), {kinds[1]} warning(s), {kinds[2]} note(s), "
            f"{len(result.questions)} question(s)")  # fmt: skip
