"""What a record falls apart into: one dose a mixture, one access a line, one visit an encounter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.oracle.chart import (
    DAY,
    GOING_HOME,
    Dose,
    Kind,
    Technique,
    Visit,
    days_of,
    is_complex,
    stretch,
)


def joined(visit: Visit) -> Visit:
    """The visit with each mixture as one dose, and each re-sited line as the one it replaced."""
    if not any(dose.mixed_with or dose.resited_from for dose in visit.doses):
        return visit
    bags = mixtures(visit)
    leaders = {part.id: bag[0].id for bag in bags for part in bag}
    doses = tuple(_as_one(bag, visit) for bag in bags)
    primary = leaders.get(visit.primary or "", visit.primary)
    return _with_lines_kept(replace(visit, doses=doses, primary=primary))


def mixtures(visit: Visit) -> list[list[Dose]]:
    """The doses by bag or syringe, in the order of the chart; most are alone in theirs."""
    bags: list[list[Dose]] = []
    for dose in visit.doses:
        bag = next((b for b in bags if any(d.id == dose.mixed_with for d in b)), None)
        if bag is None:
            bags.append([dose])
        else:
            bag.append(dose)
    return bags


def _as_one(bag: list[Dose], visit: Visit) -> Dose:
    """A bag is one dose: of its drug, not of the fluid that carries it, and of the complex one."""
    drugs = [dose for dose in bag if dose.kind is not Kind.FLUID] or bag
    leader = next((dose for dose in drugs if is_complex(dose, visit)), drugs[0])
    name = " with ".join(sorted(dose.drug for dose in drugs))
    return replace(bag[0], drug=name, kind=leader.kind, mixed_with=None)


def _with_lines_kept(visit: Visit) -> Visit:
    """A line that was placed anew goes on as the one before it."""
    before = {d.site: d.resited_from for d in visit.doses if d.site and d.resited_from}
    doses = [
        replace(d, site=before.get(d.site or "", d.site), resited_from=None) for d in visit.doses
    ]
    return replace(visit, doses=tuple(doses))


def encounters(visit: Visit) -> list[Visit]:
    """The encounters that one record holds; nothing counts from one to another."""
    groups = [visit.doses] if _is_one(visit) else _apart(visit.doses, visit)
    return [visit] if len(groups) < 2 else [replace(visit, doses=tuple(g)) for g in groups]


def _is_one(visit: Visit) -> bool:
    by_record = visit.policies.encounter_boundary == "encounter_id"
    return by_record or visit.stayed or len({begin(d) // DAY for d in visit.doses}) < 2


def _apart(doses: Iterable[Dose], visit: Visit) -> list[list[Dose]]:
    """By time: each dose belongs to the encounter before it, unless a boundary lies between."""
    groups: list[list[Dose]] = []
    for dose in sorted(doses, key=lambda d: (begin(d), d.id)):
        if groups and not _boundary(groups[-1], dose, visit):
            groups[-1].append(dose)
        else:
            groups.append([dose])
    return groups


def _boundary(before: list[Dose], dose: Dose, visit: Visit) -> bool:
    """On a new date: in an office; in a hospital after hours of nothing, or on a return."""
    if begin(dose) // DAY <= max(_last_day(d) for d in before):
        return False
    idle = begin(dose) - max(begin(d) if _goes_home(d) else end(d) for d in before)
    returned = dose.visit > max(d.visit for d in before)
    return not visit.facility or returned or idle >= visit.policies.encounter_gap_hours * 60


def _goes_home(dose: Dose) -> bool:
    """Whether the dose runs on without the patient's staying."""
    return dose.device in GOING_HOME


def _last_day(dose: Dose) -> int:
    return days_of(dose)[0 if _goes_home(dose) else -1]


def begin(dose: Dose) -> int:
    """The minute at which a dose begins, as far as it is charted."""
    return dose.start or 0


def end(dose: Dose) -> int:
    """The minute at which a dose ends, as far as it is charted."""
    return (stretch(dose) or (0, begin(dose)))[1]


def counts(dose: Dose, visit: Visit) -> bool:
    """Whether a dose is a service at all."""
    return visit.technique(dose) is not Technique.NOTHING
