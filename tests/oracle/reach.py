"""Where the oracle ends: charts that the published rules leave open, each with the reason.

These visits are not compared: an answer of either side would be a choice, not a reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from tests.oracle.chart import (
    Dose,
    Technique,
    Visit,
    chains,
    days_of,
    is_complex,
    place_of,
    running_minutes,
    shared_minutes,
    stretch,
)

PROLONGED = 8 * 60
RUNS = {Technique.INFUSION, Technique.FLUID}


def beyond(visit: Visit) -> str | None:
    """Why the rules do not decide this visit; None: they do."""
    return next((why for why, holds in OPEN if holds(visit)), None)


def _pairs(visit: Visit) -> Iterator[tuple[Dose, Dose]]:
    """Infusions of drugs by two, through one access."""
    for chain in chains(visit):
        yield from combinations([d for d in chain if _infused(d, visit)], 2)


def _infused(dose: Dose, visit: Visit) -> bool:
    return visit.technique(dose) is Technique.INFUSION


def _arterial(visit: Visit) -> list[Dose]:
    return [d for d in visit.doses if visit.technique(d) is Technique.ARTERIAL]


def _complex_together(visit: Visit) -> bool:
    return any(
        shared_minutes(a, b) and is_complex(a, visit) and is_complex(b, visit)
        for a, b in _pairs(visit)
    )


def _rerun_beside_another(visit: Visit) -> bool:
    again = {a.drug for a, b in _pairs(visit) if a.drug == b.drug}
    return any(shared_minutes(a, b) and {a.drug, b.drug} & again for a, b in _pairs(visit))


def _two_bags_at_once(visit: Visit) -> bool:
    drips = [d for d in visit.doses if d.method == "infusion"]
    return any(a.drug == b.drug and shared_minutes(a, b) for a, b in combinations(drips, 2))


def _short_run_of_an_infused_drug(visit: Visit) -> bool:
    charted = [d for d in visit.doses if d.route == "IV" and d.method == "infusion"]
    drips = [d for d in charted if visit.technique(d) is not Technique.FLUID]
    return any(
        a.drug == b.drug and Technique.PUSH in {visit.technique(a), visit.technique(b)}
        for a, b in combinations(drips, 2)
    )


def _no_clock_beside_another(visit: Visit) -> bool:
    runs = [d for d in visit.doses if visit.technique(d) in RUNS]
    return len(runs) > 1 and any(stretch(d) is None for d in runs)


def _shared_by_parts(visit: Visit) -> bool:
    least = visit.policies.concurrent_min_overlap_minutes
    shared: dict[str, list[int]] = {}
    for a, b in _pairs(visit):
        if a.drug != b.drug:
            shared.setdefault(a.id, []).append(shared_minutes(a, b))
            shared.setdefault(b.id, []).append(shared_minutes(a, b))
    return any(sum(minutes) >= least > max(minutes) for minutes in shared.values())


def _together_at_two_accesses(visit: Visit) -> bool:
    least = max(1, visit.policies.concurrent_min_overlap_minutes)
    together = {
        (a.visit, a.site)
        for a, b in _pairs(visit)
        if a.drug != b.drug and shared_minutes(a, b) >= least
    }
    return len(together) > 1


def _primary_push_of_several(visit: Visit) -> bool:
    pushes = [d for d in visit.doses if visit.technique(d) is Technique.PUSH]
    named = next((d for d in pushes if d.id == visit.primary), None)
    accesses = {place_of(d) for d in visit.doses if d.route == "IV"}
    return named is not None and any(
        d is not named
        and d.drug == named.drug
        and (len(accesses) > 1 or days_of(d) != days_of(named))
        for d in pushes
    )


def _prolonged(visit: Visit) -> bool:
    return any((running_minutes(d) or 0) > PROLONGED for d in visit.doses if is_complex(d, visit))


def _arterial_beyond_one(visit: Visit) -> bool:
    plain = [d for d in _arterial(visit) if not is_complex(d, visit) and d.method == "infusion"]
    return len(_arterial(visit)) > 1 or bool(plain)


def _arterial_without_end(visit: Visit) -> bool:
    return any(d.method == "infusion" and running_minutes(d) is None for d in _arterial(visit))


def _complex_under_skin(visit: Visit) -> bool:
    return any(
        visit.technique(d) is Technique.UNDER_SKIN and is_complex(d, visit) for d in visit.doses
    )


def _not_by_vein_on_return(visit: Visit) -> bool:
    kinds = {Technique.UNDER_SKIN, Technique.ARTERIAL}
    returned = any(d.visit > 1 for d in visit.doses)
    return returned and any(visit.technique(d) in kinds for d in visit.doses)


def _return_before_the_end(visit: Visit) -> bool:
    spans = [(d.visit, stretch(d) or (d.start, d.start)) for d in visit.doses]
    left = [end for number, (_, end) in spans if number == 1 and end is not None]
    back = [begin for number, (begin, _) in spans if number == 2 and begin is not None]
    return bool(left) and bool(back) and max(left) >= min(back)


def _no_need_of_three(visit: Visit) -> bool:
    needs = {d.site: d.needs_own_site for d in visit.doses if d.site}
    return len(needs) > 2 and list(needs.values()).count(False) > 1


def _second_pump(visit: Visit) -> bool:
    return sum(visit.technique(d) is Technique.UNDER_SKIN for d in visit.doses) > 1


OPEN: tuple[tuple[str, Callable[[Visit], bool]], ...] = (
    ("two antineoplastics infused together have no code of their own", _complex_together),
    ("a drug infused twice, and beside another, has two roles or one", _rerun_beside_another),
    ("two bags of one drug do not run at once", _two_bags_at_once),
    ("a short run of an infused drug is its rest, or a push", _short_run_of_an_infused_drug),
    ("minutes without a clock prove neither overlap nor its absence", _no_clock_beside_another),
    ("minutes beside two others add up to a concurrent service, or not", _shared_by_parts),
    ("the one concurrent service of two accesses stands at either", _together_at_two_accesses),
    (
        "a named push of several of its drug may date them, or the first does",
        _primary_push_of_several,
    ),
    ("an antineoplastic for more than eight hours is a pump's", _prolonged),
    ("of arterial doses only one is described, and no plain infusion", _arterial_beyond_one),
    ("an arterial infusion without an end has no published default", _arterial_without_end),
    ("an antineoplastic infused under the skin has no code of its own", _complex_under_skin),
    ("what is not given by vein may be marked on a return, or not", _not_by_vein_on_return),
    ("nobody comes back before the visit has ended", _return_before_the_end),
    ("of three accesses, which ones have a need is not charted", _no_need_of_three),
    ("a second infusion under the skin may be a second pump, or more time", _second_pump),
)
