"""Which missing facts leave a visit open: those of which two answers bill differently.

Each is filled in with the answers that the chart admits, the others left as they are, and the visit
derived again. Where the answers within the oracle's reach agree, and others are beyond it, it cannot say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.oracle.billing import Lines
from tests.oracle.chain import BY_VEIN
from tests.oracle.chart import Dose, Kind, Visit
from tests.oracle.oracle import derive
from tests.oracle.parts import encounters, joined
from tests.oracle.reach import beyond

SITE_NEED = "separate_site_reason"
LENGTHS = (1, 1440, 31, 91, 240, 15, 16, 30, 60, 90, 151, 600)
"""Minutes that an infusion without a stop may have run: both sides of each limit, unlike ones first."""


def open_facts(visit: Visit) -> tuple[set[str], set[str]]:
    """Facts that decide what is billed, and facts of which the oracle cannot say whether they do."""
    deciding: set[str] = set()
    unsaid = set() if _sites_are_plain(visit) else {SITE_NEED}
    for fact, answers in missing(visit):
        decides = None if fact in unsaid else _decides(answers)
        if decides:
            deciding.add(fact)
        elif decides is None:
            unsaid.add(fact)
    return deciding, unsaid


def _decides(answers: list[Visit]) -> bool | None:
    """Whether two of the answers are billed differently; None: those within reach are not."""
    first: Lines | None = None
    unread = False
    for answer in answers:
        if beyond(answer):
            unread = True
        elif first is None:
            first = derive(answer)
        elif derive(answer) != first:
            return True
    return None if unread else False


def missing(visit: Visit) -> Iterator[tuple[str, list[Visit]]]:
    """Each fact that nobody charted, by its path, with the visits that its answers make."""
    for place, dose in enumerate(visit.doses):
        path = f"administrations[{place}]"
        if _without_stop(dose, visit):
            yield f"{path}.stop", [_with(visit, place, less) for less in _stopped(dose)]
        if dose.kind is None and not dose.idle:
            classed = [replace(dose, kind=kind) for kind in (Kind.THERAPEUTIC, Kind.CHEMO)]
            yield f"{path}.category", [_with(visit, place, d) for d in classed]
        if _unwatched(dose, visit):
            watched = [replace(dose, attended=answer) for answer in (True, False)]
            yield f"{path}.continuously_attended", [_with(visit, place, d) for d in watched]
    yield from _of_the_whole(visit)


def _of_the_whole(visit: Visit) -> Iterator[tuple[str, list[Visit]]]:
    if visit.complex_work is None:
        yield "complexity_documented", [replace(visit, complex_work=w) for w in (True, False)]
    if not visit.facility and visit.primary is None:
        given = [d for d in visit.doses if visit.technique(d) in BY_VEIN]
        yield "primary_administration", [replace(visit, primary=dose.id) for dose in given]
    sites = _sites(visit)
    if len(sites) > 1 and not any(d.needs_own_site for d in visit.doses):
        yield SITE_NEED, [visit, *(_needing(visit, site) for site in sites[1:])]


def _sites(visit: Visit) -> list[str]:
    return sorted({d.site for d in joined(visit).doses if d.site and d.route == "IV"})


def _sites_are_plain(visit: Visit) -> bool:
    """Whether each dose by vein of one visit has its access charted, and there are two at most."""
    by_vein = [d for d in visit.doses if d.route == "IV"]
    once = all(d.visit == 1 for d in visit.doses) and len(encounters(joined(visit))) == 1
    uniform = len({d.site is None for d in by_vein}) < 2
    return once and uniform and len(_sites(visit)) < 3


def _needing(visit: Visit, site: str) -> Visit:
    doses = [replace(d, needs_own_site=d.site == site) for d in visit.doses]
    return replace(visit, doses=tuple(doses))


def _with(visit: Visit, place: int, dose: Dose) -> Visit:
    return replace(visit, doses=(*visit.doses[:place], dose, *visit.doses[place + 1 :]))


def _without_stop(dose: Dose, visit: Visit) -> bool:
    runs = dose.method == "infusion" and dose.route in {"IV", "SC", "IA"} and not dose.idle
    return runs and dose.start is not None and dose.stop is None and dose.minutes is None


def _stopped(dose: Dose) -> list[Dose]:
    assert dose.start is not None
    return [replace(dose, stop=dose.start + minutes) for minutes in LENGTHS]


def _unwatched(dose: Dose, visit: Visit) -> bool:
    return (
        dose.method == "push"
        and dose.route == "IV"
        and dose.attended is None
        and dose.start is not None
        and dose.stop is not None
        and dose.stop - dose.start > visit.policies.push_ceiling
    )
