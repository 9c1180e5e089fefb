"""The oracle beside ivpush: one visit answered by both, and a disagreement made small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from typing import NamedTuple

from ivpush import Encounter, Engine, Pack
from tests.oracle.billing import Line, Lines
from tests.oracle.chart import Dose, Policies, Visit
from tests.oracle.openness import SITE_NEED, open_facts
from tests.oracle.oracle import OracleError, derive
from tests.oracle.reach import beyond
from tests.oracle.visits import FIRST_DAY, record

PACK = Pack.load()
STEPS = (60, 30, 15, 1)


class Answer(NamedTuple):
    """The lines that a chart supports, and the open facts that decide otherwise."""

    lines: Lines
    asked: frozenset[str]


class Difference(NamedTuple):
    """What only the oracle bills or asks, and what only ivpush does."""

    oracle: Answer
    ivpush: Answer

    @property
    def kind(self) -> str:
        """The codes, modifiers and facts of both sides; units, days and places left out."""
        return f"oracle {_told(self.oracle)}, ivpush {_told(self.ivpush)}"


def _told(answer: Answer) -> str:
    names = {f"{line.code}-{line.modifier}".rstrip("-") for line in answer.lines}
    names |= {f"{fact.rsplit('.')[-1]}?" for fact in answer.asked}
    return " ".join(sorted(names)) or "nothing"


@cache
def engine(policies: Policies) -> Engine:
    """ivpush under the same policies."""
    return Engine(pack=PACK, policies=asdict(policies))


def answered(visit: Visit) -> Answer:
    """What ivpush suggests and asks, in the oracle's words."""
    result = engine(visit.policies).check(Encounter.model_validate(record(visit)))
    lines: Lines = Counter()
    for line in result.suggested:
        day = 0 if line.date is None else (line.date - FIRST_DAY.date()).days
        lines[Line(line.code, "-".join(line.modifiers), day)] += line.units
    return Answer(lines, frozenset(_fact(question.missing) for question in result.questions))


def _fact(path: str) -> str:
    """The need of a second access is one fact, whichever dose the question names."""
    return SITE_NEED if path.endswith(SITE_NEED) else path


def difference(visit: Visit) -> Difference | None:
    """Where the two disagree; None: they agree."""
    lines, theirs = derive(visit), answered(visit)
    deciding, unsaid = open_facts(visit)
    asked = theirs.asked - unsaid
    if lines == theirs.lines and deciding == asked:
        return None
    return Difference(
        Answer(lines - theirs.lines, frozenset(deciding - asked)),
        Answer(theirs.lines - lines, asked - deciding),
    )


def shrunk(visit: Visit) -> Visit:
    """A visit on which the two disagree in the same way, with as little in it as can be."""
    kind = kind_of(visit)
    while (less := next((v for v in _simpler(visit) if kind_of(v) == kind), None)) is not None:
        visit = less
    return visit


def kind_of(visit: Visit) -> str | None:
    """In what the two disagree; None: in nothing, or the visit is beyond the oracle."""
    if beyond(visit):
        return None
    try:
        differs = difference(visit)
    except OracleError as error:
        return f"the oracle fails: {error}"
    return differs and differs.kind


def _simpler(visit: Visit) -> Iterator[Visit]:
    """Visits with one thing less: a dose, a policy, a fact, or minutes."""
    for dose in visit.doses:
        others = (other for other in visit.doses if other is not dose)
        left = tuple(replace(d, mixed_with=None) if d.mixed_with == dose.id else d for d in others)
        if left:
            yield replace(visit, doses=left, primary=_still(visit.primary, left))
    if visit.policies != Policies():
        yield replace(visit, policies=Policies())
    if visit.primary is not None:
        yield replace(visit, primary=None)
    for place, dose in enumerate(visit.doses):
        for less in _simpler_doses(dose):
            yield replace(visit, doses=(*visit.doses[:place], less, *visit.doses[place + 1 :]))


def _still(primary: str | None, doses: tuple[Dose, ...]) -> str | None:
    return primary if any(dose.id == primary for dose in doses) else None


def _simpler_doses(dose: Dose) -> Iterator[Dose]:
    """The dose with a fact less, shorter, or earlier."""
    unneeded = replace(dose, needs_own_site=False)
    plain = unneeded, replace(unneeded, resited_from=None), replace(dose, attended=None)
    unplaced = replace(unneeded, site=None, resited_from=None)
    yield from (less for less in (*plain, unplaced) if less != dose)
    for step in STEPS:
        if dose.start is not None and dose.stop is not None and dose.stop - dose.start >= step:
            yield replace(dose, stop=dose.stop - step)
        if dose.start is not None and dose.start >= step:
            stop = None if dose.stop is None else dose.stop - step
            yield replace(dose, start=dose.start - step, stop=stop)
