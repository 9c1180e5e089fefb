"""Why a code was not suggested: which condition failed, on which fact, and what rules would say.

``ivpush explain FILE --why-not CODE`` prints it, and the service gives it as JSON. In Python::

    from ivpush.writers.why_not import why_not

    answer = why_not(engine, encounter, code)
    for administration in answer.administrations:
        print(administration.name, administration.conditions[-1].fact)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter

from ivpush.contract.encounter import ClaimLine, Encounter, Record, encounter_of
from ivpush.contract.result import Violation
from ivpush.engine import Engine, Worked
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.pack.codes import CodeRow
from ivpush.pack.files import covers
from ivpush.writers.conditions import Condition, conditions_of, up_to_failing

__all__ = ["Candidate", "WhyNot", "why_not", "why_not_adapter", "why_not_page"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One administration held against a code, up to the condition that fails."""

    administration: str
    name: str
    """The drug table's name, else the administration's id; never the chart's own words."""
    conditions: tuple[Condition, ...]

    @property
    def fits(self) -> bool:
        """Whether every condition holds."""
        return all(each.holds for each in self.conditions)


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a code was not suggested for an encounter, or that it was."""

    encounter: str
    code: str
    label: str
    units: int
    """Units that are suggested after all; 0 where the code is not suggested."""
    conditions: tuple[Condition, ...]
    """What the code asks of the encounter as a whole, up to the condition that fails."""
    administrations: tuple[Candidate, ...]
    """Those that come nearest first; none where the encounter as a whole fails already."""
    if_billed: tuple[Violation, ...]
    """What rules say of a line with the code: the one that is billed, or one more."""


def why_not(engine: Engine, encounter: Encounter | Record, code: str) -> WhyNot:
    """Which condition of a code fails on which fact; raises UsageError for an unknown code.

    Raises InputError as ``Engine.check`` does.
    """
    encounter = encounter_of(encounter)
    row = engine.pack.codes.get(code)
    if row is None:
        remedy = did_you_mean(code, engine.pack.codes)
        raise UsageError(Fault("the code", "is none of this pack", remedy))
    work = engine.work(encounter)
    conditions = up_to_failing(_of_encounter(row, work))
    candidates: list[Candidate] = []
    if all(each.holds for each in conditions):
        candidates = [
            Candidate(each.given.id, each.name, conditions_of(row, each, work))
            for each in work.derived.administrations
        ]
        # How far it came says how near it is.
        candidates.sort(key=lambda each: (not each.fits, -len(each.conditions)))
    return WhyNot(
        encounter=encounter.id,
        code=code,
        label=row.label,
        units=sum([line.units for line in work.result.suggested if line.code == code]),
        conditions=conditions,
        administrations=tuple(candidates),
        if_billed=_if_billed(engine, encounter, code),
    )


def _of_encounter(row: CodeRow, work: Worked) -> Iterator[Condition]:
    """What a code asks of an encounter as a whole."""
    encounter = work.encounter
    yield Condition(
        name="administration",
        asks="a code of drug administration, which a chart can earn",
        fact="it is one" if row.administration else f"it is of the family {row.family}",
        holds=row.administration,
        decided_by="rules/codes.yaml",
        cites=row.cites,
    )
    yield _in_force(row, work)
    yield Condition(
        name="setting",
        asks=f"the setting {' or '.join(sorted(row.settings))}",
        fact=f"the setting is {encounter.setting}",
        holds=encounter.setting in row.settings,
        decided_by="rules/codes.yaml",
        cites=row.cites,
    )
    if work.standing.denied is not None:
        text, cites = work.book.reason(work.standing.denied, what="the claim")
        yield Condition("who may bill", "a claim that may bill at all", text, False, "", cites)
    given = encounter.administrations
    yield Condition(
        name="chart",
        asks="something was given",
        fact="no chart came" if given is None else f"the chart holds {len(given)}",
        holds=None if given is None else bool(given),
        decided_by="administrations",
    )


def _in_force(row: CodeRow, work: Worked) -> Condition:
    day = work.book.date
    until = f" to {row.valid_to}" if row.valid_to is not None else ""
    return Condition(
        name="valid",
        asks=f"valid from {row.valid_from}{until}",
        fact=f"the date is {day}" if day is not None else "no date is stated",
        holds=None if day is None else covers(row.valid_from, row.valid_to, day),
        decided_by="rules/codes.yaml",
        cites=row.cites,
    )


def _if_billed(engine: Engine, encounter: Encounter, code: str) -> tuple[Violation, ...]:
    """What rules say of the lines that bill a code, or of one that is billed beside the rest."""
    lines = encounter.lines or ()
    numbers = {line.number for line in lines if line.code == code}
    if not numbers:
        number = max((line.number for line in lines), default=0) + 1
        numbers = {number}
        lines = (*lines, ClaimLine(number=number, code=code, units=1))
        encounter = encounter.model_copy(update={"lines": lines})
    result = engine.check(encounter)
    return tuple([each for each in result.violations if each.line in numbers])


@cache
def why_not_adapter() -> TypeAdapter[WhyNot]:
    """The pydantic adapter that writes and describes answers; built on first use."""
    return TypeAdapter(WhyNot)


def why_not_page(answer: WhyNot) -> str:
    """An answer as a page of Markdown."""
    return "\n".join([*_page(answer), ""])


def _page(answer: WhyNot) -> Iterator[str]:
    yield f"# {answer.encounter}: {answer.code}, {answer.label}\n"
    if answer.units:
        yield f"It is suggested: {answer.code} x {answer.units}.\n"
    else:
        yield "It is not suggested.\n"
    yield from _items(each for each in answer.conditions if not each.holds)
    for candidate in answer.administrations:
        who = candidate.administration
        shown = who if candidate.name == who else f"{candidate.name} ({who})"
        yield f"\n## {shown}\n"
        yield from _items(candidate.conditions)
    if answer.if_billed and not answer.units:
        yield "\n## If it were billed\n"
        for each in answer.if_billed:
            yield f"- {each.severity} {each.rule} {each.name}: {each.message} {each.fix}"


def _items(conditions: Iterable[Condition]) -> Iterator[str]:
    """The conditions that hold by name, and the one that does not in full."""
    conditions = tuple(conditions)
    held = [each.name for each in conditions if each.holds]
    if held:
        yield f"- holds: {', '.join(held)}"
    for each in conditions:
        if not each.holds:
            verdict = "not known" if each.holds is None else "fails"
            because = ", ".join([*filter(None, [each.decided_by]), *each.cites])
            source = f" [{because}]" if because else ""
            yield f"- {verdict}: {each.name}. It takes {each.asks}. Here: {each.fact}{source}"
