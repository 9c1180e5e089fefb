"""Where the oracle ends: charts that the published rules leave open, each with the reason.

These visits are not compared: an answer of either side would be a choice, not a reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from tests.oracle.alone import flushes_port
from tests.oracle.chain import BY_VEIN
from tests.oracle.chart import (
    DAY,
    GOING_HOME,
    PROLONGED,
    Dose,
    Kind,
    Technique,
    Visit,
    by_pump,
    chains,
    days_of,
    is_complex,
    place_of,
    running_minutes,
    shared_minutes,
    stretch,
)
from tests.oracle.oracle import derive
from tests.oracle.parts import begin, counts, encounters, end, joined, mixtures

RUNS = {Technique.INFUSION, Technique.FLUID}


def beyond(visit: Visit) -> str | None:
    """Why the rules do not decide this visit; None: they do."""
    if why := next((why for why, holds in OPEN_AS_CHARTED if holds(visit)), None):
        return why
    whole = joined(visit)
    by_night = len({day for dose in whole.doses for day in days_of(dose)}) > 1
    if by_night and (why := next((why for why, holds in OPEN_BOUNDARIES if holds(whole)), None)):
        return why
    each = encounters(whole)
    return next((why for why, holds in OPEN if any(holds(encounter) for encounter in each)), None)


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


def _two_bags_at_once(visit: Visit) -> bool:
    drips = [d for d in visit.doses if _infused(d, visit) or d.method == "infusion"]
    drugs = [d for d in drips if visit.technique(d) is not Technique.FLUID]
    return any(a.drug == b.drug and _may_share(a, b) for a, b in combinations(drugs, 2))


def _may_share(a: Dose, b: Dose) -> bool:
    """Whether two doses ran together, or one without an end began while the other ran."""
    endless = [(x, y) for x, y in ((a, b), (b, a)) if running_minutes(x) is None]
    return shared_minutes(a, b) > 0 or any(begin(y) <= begin(x) < end(y) for x, y in endless)


def _worn_injector_of_another_kind(visit: Visit) -> bool:
    worn = [d for d in visit.doses if d.device == "on_body_injector"]
    return any(is_complex(d, visit) for d in worn)


def _short_run_of_an_infused_drug(visit: Visit) -> bool:
    """Where it begins as another ends, or has no clock."""
    charted = [d for d in visit.doses if d.route in {"IV", "SC"} and d.method == "infusion"]
    drips = [d for d in charted if visit.technique(d) is not Technique.FLUID]
    short = {Technique.PUSH, Technique.SHOT}
    return any(
        (a.drug, a.route) == (b.drug, b.route)
        and short & {visit.technique(a), visit.technique(b)}
        and not _pause_between(a, b)
        for a, b in combinations(drips, 2)
    )


def _pause_between(a: Dose, b: Dose) -> bool:
    ran, ran_too = stretch(a), stretch(b)
    if ran is None or ran_too is None:
        return False
    return ran[1] < ran_too[0] or ran_too[1] < ran[0]


def _no_clock_beside_another(visit: Visit) -> bool:
    runs = [d for d in visit.doses if visit.technique(d) in RUNS]
    return len(runs) > 1 and any(stretch(d) is None for d in runs)


def _shared_by_parts(visit: Visit) -> bool:
    least = max(1, visit.policies.concurrent_min_overlap_minutes)
    shared: dict[str, dict[str, int]] = {}
    for a, b in _pairs(visit):
        if a.drug != b.drug:
            shared.setdefault(a.id, {})[b.id] = shared_minutes(a, b)
            shared.setdefault(b.id, {})[a.id] = shared_minutes(a, b)
    long = {dose.id: running_minutes(dose) or 0 for dose in visit.doses}

    def beside(dose: str) -> list[str]:
        return [other for other, minutes in shared[dose].items() if minutes >= least]

    def keeps_its_role(dose: str) -> bool:
        return all(long[other] <= long[dose] for other in beside(dose))

    def by_parts(dose: str) -> int:
        few = {other: n for other, n in shared[dose].items() if n < least}
        # The longer one keeps its role, so beside shorter ones it is not asked.
        return sum(n for other, n in few.items() if not beside(dose) or long[other] >= long[dose])

    return any(
        by_parts(dose) >= least
        # One that runs long enough beside may be concurrent itself, and then counts for nothing.
        and not any(keeps_its_role(other) for other in beside(dose))
        for dose in shared
    )


def _shared_by_stretches(visit: Visit) -> bool:
    """Whether two drugs run together for long enough over several of their infusions alone."""
    least = max(1, visit.policies.concurrent_min_overlap_minutes)
    shared: dict[frozenset[str], list[int]] = {}
    for a, b in _pairs(visit):
        if a.drug != b.drug:
            shared.setdefault(frozenset((a.drug, b.drug)), []).append(shared_minutes(a, b))
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
    """Without a pump that goes with the patient; a biologic's is not described either."""
    long = [
        d for d in visit.doses if (running_minutes(d) or 0) > PROLONGED and is_complex(d, visit)
    ]
    return any(d.device not in GOING_HOME or d.kind is Kind.BIOLOGIC for d in long)


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


def _second_pump(visit: Visit) -> bool:
    return sum(visit.technique(d) is Technique.UNDER_SKIN for d in visit.doses) > 1


def _plain_drug_by_pump_in_an_office(visit: Visit) -> bool:
    pumps = [d for d in visit.doses if by_pump(d) and not visit.facility]
    return any(visit.technique(d) is Technique.INFUSION for d in pumps)


def _pump_without_end(visit: Visit) -> bool:
    return any(d.device in GOING_HOME and running_minutes(d) is None for d in _not_idle(visit))


def _not_idle(visit: Visit) -> list[Dose]:
    return [d for d in visit.doses if not d.idle]


def _pump_beside_other_than_antineoplastics(visit: Visit) -> bool:
    """No add-on code hangs on a pump's, and the codes of plain first services are within it."""
    pumps = [d for d in visit.doses if visit.technique(d) is Technique.PUMP]
    others = [d for d in visit.doses if visit.technique(d) in BY_VEIN]
    if not pumps or (len(pumps) == 1 and not others):
        return False
    by_vein = [d for d in others if is_complex(d, visit)]
    plain = len(pumps) == 1 and is_complex(pumps[0], visit) and bool(by_vein)
    return not plain or _pump_intertwined(visit, pumps[0], others)


def _pump_intertwined(visit: Visit, pump: Dose, others: list[Dose]) -> bool:
    """Whether the pump is at another access, the named reason, or beside a drip."""
    accesses = {place_of(d) for d in (pump, *others)}
    return (
        len(accesses) > 1
        or visit.primary == pump.id
        or any(shared_minutes(pump, d) for d in others if visit.technique(d) in RUNS)
    )


def _refill_beside_another(visit: Visit) -> bool:
    return len(visit.doses) > 1 and any(d.purpose == "pump_refill" for d in visit.doses)


def _flush_of_a_port_beside_what_is_not_billed(visit: Visit) -> bool:
    """It may belong to what was not billed, as a contrast push, or was billed on another day."""
    flushed = [d for d in visit.doses if flushes_port(d)]
    if not flushed:
        return False
    others = without(visit, flushed)
    days = {line.day for line in derive(others)}
    beside = bool(days) or any(d.route in {"IV", "IA"} for d in others.doses)
    return len(flushed) > 1 or (beside and days_of(flushed[0])[0] not in days)


def without(visit: Visit, left_out: list[Dose]) -> Visit:
    """The visit without some of its doses."""
    return replace(visit, doses=tuple(d for d in visit.doses if d not in left_out))


def _bag_charted_in_parts(visit: Visit) -> bool:
    """Doses of one bag that are not charted as given at once, or that lack what a bag needs."""
    bags = [bag for bag in mixtures(visit) if len(bag) > 1]
    return any(len({_given(part) for part in bag}) > 1 or _lacks(bag, visit) for bag in bags)


def _given(dose: Dose) -> tuple[object, ...]:
    timed = dose.start, dose.stop, dose.minutes, running_minutes(dose)
    placed = dose.route, dose.method, dose.site, dose.resited_from, dose.visit, dose.needs_own_site
    return *timed, *placed, dose.idle, dose.device, dose.attended


def _lacks(bag: list[Dose], visit: Visit) -> bool:
    minutes = running_minutes(bag[0])
    unseen = bag[0].attended is None and (minutes or 0) > visit.policies.push_ceiling
    return (
        (minutes is None and bag[0].method == "infusion")
        or (unseen and bag[0].method == "push")
        or any(d.idle for d in bag)
    )


def _drug_alone_and_mixed(visit: Visit) -> bool:
    bags = mixtures(visit)
    mixed = {d.drug for bag in bags if len(bag) > 1 for d in bag}
    contents = [tuple(sorted(d.drug for d in bag)) for bag in bags if mixed & {d.drug for d in bag}]
    return any(set(a) & set(b) for a, b in combinations(set(contents), 2))


def _line_placed_anew_and_needed(visit: Visit) -> bool:
    """A new line for the old one is a need of its own only by one reading."""
    return any(d.resited_from for d in visit.doses) and any(d.needs_own_site for d in visit.doses)


def _need_of_an_access_in_part(visit: Visit) -> bool:
    """The need that only some doses of an access state may be theirs, or the access's."""
    stated = {(d.site, d.needs_own_site) for d in visit.doses if d.site}
    return any((site, not needed) in stated for site, needed in stated)


def _old_line_and_new_at_once(visit: Visit) -> bool:
    anew = [d for d in visit.doses if d.resited_from]
    old = [d for d in visit.doses if d.site in {n.resited_from for n in anew}]
    return any(begin(n) < end(o) for n in anew for o in old)


def _stay_unclear(visit: Visit) -> bool:
    """Whether what is not billed, or has no time, would move the bounds of an encounter."""
    each = encounters(visit)
    counted = encounters(without(visit, [d for d in visit.doses if not counts(d, visit)]))
    untimed = any(d.start is None for d in visit.doses)
    returned = any(d.visit > 1 for d in visit.doses)
    if len(each) < 2 and len(counted) < 2 and not (untimed and returned):
        return False
    endless = any(d.method == "infusion" and running_minutes(d) is None for d in visit.doses)
    return untimed or endless or len(each) != len(counted)


def _just_at_the_gap(visit: Visit) -> bool:
    least = visit.policies.encounter_gap_hours * 60
    return any(begin(b) - end(a) == least for a in visit.doses for b in visit.doses)


def _office_at_midnight(visit: Visit) -> bool:
    """A dose of the new date, after a run to midnight or over it, may be of a new encounter."""
    if visit.facility or visit.policies.encounter_boundary == "encounter_id":
        return False
    ends = {end(d) for d in visit.doses if end(d) // DAY > begin(d) // DAY}
    begins = [begin(d) for d in visit.doses]
    return any(
        at // DAY == over // DAY and (at > over or over % DAY == 0)
        for over in ends
        for at in begins
    )


OPEN_AS_CHARTED: tuple[tuple[str, Callable[[Visit], bool]], ...] = (
    ("the doses of one bag were not charted as one", _bag_charted_in_parts),
    ("a drug alone and in a mixture is the same drug, or not", _drug_alone_and_mixed),
    (
        "a new line in place of an old one is a need of its own, or not",
        _line_placed_anew_and_needed,
    ),
    ("a need that some doses state is theirs, or of the access", _need_of_an_access_in_part),
    ("a line and the one in its place do not run at once", _old_line_and_new_at_once),
)
OPEN_BOUNDARIES: tuple[tuple[str, Callable[[Visit], bool]], ...] = (
    ("the hours without a service just make up the gap", _just_at_the_gap),
    (
        "an office's date after a run to midnight is another encounter, or not",
        _office_at_midnight,
    ),
    ("what moves the bounds of an encounter is not charted", _stay_unclear),
)
OPEN: tuple[tuple[str, Callable[[Visit], bool]], ...] = (
    ("two antineoplastics infused together have no code of their own", _complex_together),
    ("two bags of one drug do not run at once", _two_bags_at_once),
    (
        "a short run of an infused drug is its rest, or a push or shot",
        _short_run_of_an_infused_drug,
    ),
    ("minutes without a clock prove neither overlap nor its absence", _no_clock_beside_another),
    ("minutes beside two others add up to a concurrent service, or not", _shared_by_parts),
    ("minutes together in several stretches add up, or not", _shared_by_stretches),
    ("the one concurrent service of two accesses stands at either", _together_at_two_accesses),
    (
        "a named push of several of its drug may date them, or the first does",
        _primary_push_of_several,
    ),
    ("an antineoplastic for more than eight hours is a pump's", _prolonged),
    (
        "a complex drug by an injector that is worn has no code of its own",
        _worn_injector_of_another_kind,
    ),
    ("an office has no code for a plain drug by a pump", _plain_drug_by_pump_in_an_office),
    ("a pump without an end is prolonged, or not", _pump_without_end),
    (
        "no service but an antineoplastic leads beside a pump",
        _pump_beside_other_than_antineoplastics,
    ),
    ("a refill beside another service is part of it, or not", _refill_beside_another),
    (
        "a port's flush ends what is not billed that day, or stands alone",
        _flush_of_a_port_beside_what_is_not_billed,
    ),
    ("of arterial doses only one is described, and no plain infusion", _arterial_beyond_one),
    ("an arterial infusion without an end has no published default", _arterial_without_end),
    ("an antineoplastic infused under the skin has no code of its own", _complex_under_skin),
    ("what is not given by vein may be marked on a return, or not", _not_by_vein_on_return),
    ("nobody comes back before the visit has ended", _return_before_the_end),
    ("a second infusion under the skin may be a second pump, or more time", _second_pump),
)
