"""The laws that strike an assignment of roles to the doses of one access.

`lawful` tries every role for every dose. A law of one dose strikes an assignment as soon as that dose
has its role, a law of the whole when all have theirs: what is struck early is not gone on with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.oracle.billing import PRIMARIES, codes
from tests.oracle.chain import Chain
from tests.oracle.chart import Dose, Technique
from tests.oracle.roles import KEPT, POSSIBLE, Role, Roles


def lawful(chain: Chain) -> Iterator[Roles]:
    """Every assignment of roles to the doses that no law strikes."""
    return _lawful(chain, {}, [*chain.infusions, *chain.pushes, *chain.fluids])


def _lawful(chain: Chain, roles: Roles, left: list[Dose]) -> Iterator[Roles]:
    """Those that keep the roles which earlier doses have already."""
    if not left:
        if all(law(chain, roles) for law in LAWS_OF_THE_WHOLE):
            yield roles
        return
    dose, *others = left
    given = chain.visit.techniques[dose.id]
    for role in POSSIBLE[given]:
        if role is Role.INITIAL and Role.INITIAL in roles.values():
            continue
        if LAW_OF_A_DOSE[given](chain, roles, dose, role):
            yield from _lawful(chain, {**roles, dose.id: role}, others)


def infused(chain: Chain, roles: Roles, dose: Dose, role: Role) -> bool:
    """The first infusion of a drug has a role of its own; later ones add their minutes to it.

    Of infusions together one keeps its role; a complex drug is never the one beside another.
    """
    if (role is Role.CONTINUED) == (chain.first_infusions[dose.drug] is dose):
        return False
    if role is Role.CONTINUED:
        return True
    together = [d for d in chain.infusions if (dose.drug, d.drug) in chain.together]
    if role in KEPT:
        return not any(roles.get(other.id) in KEPT for other in together)
    return bool(together) and not chain.hard[dose.id]


def pushed(chain: Chain, roles: Roles, dose: Dose, role: Role) -> bool:
    """The first push of a drug that is not infused is a new drug; others repeat it, or nothing."""
    new = chain.first_pushes[dose.drug] is dose and dose.drug not in chain.first_infusions
    if new or role in {Role.INITIAL, Role.NEW_PUSH}:
        return new and role in {Role.INITIAL, Role.NEW_PUSH}
    return (role is Role.REPEAT_PUSH) == _repeats(chain, roles, dose)


def _repeats(chain: Chain, roles: Roles, dose: Dose) -> bool:
    """Whether a further push of a drug is reported: in a hospital, long enough after the last."""
    if not chain.visit.facility or chain.hard[dose.id]:
        return False
    policies = chain.visit.policies
    earlier = [d for d in chain.pushes[: chain.pushes.index(dose)] if d.drug == dose.drug]
    if policies.same_drug_gap_measured_from == "last_reported_push":
        earlier = [d for d in earlier if roles[d.id] is not Role.NOTHING]
    if not earlier:
        return True
    from_first = policies.same_drug_gap_measured_from == "first_push"
    last = earlier[0 if from_first else -1].start
    if last is None or dose.start is None:
        return False
    return dose.start - last >= policies.same_drug_push_gap_minutes


def hydrated(chain: Chain, roles: Roles, dose: Dose, role: Role) -> bool:
    """Hydration long enough on its own is one service, however many bags; too short it is none."""
    if len(chain.hydration) < chain.visit.policies.hydration_floor_minutes:
        return role is Role.NOTHING
    if dose is not chain.fluids[0]:
        return role is Role.CONTINUED
    return role in {Role.INITIAL, Role.HYDRATION}


def some_initial(chain: Chain, roles: Roles) -> bool:
    """Whatever is billed has an initial service."""
    taken = set(roles.values())
    return Role.INITIAL in taken or taken <= {Role.NOTHING}


def each_beside_a_better(chain: Chain, roles: Roles) -> bool:
    """Of infusions together, each that does not keep its role is beside a better one that does."""
    heads = list(chain.first_infusions.values())
    kept = [dose for dose in heads if roles[dose.id] in KEPT]
    leader = _primary_drug(chain, roles)
    return all(
        any(
            (dose.drug, k.drug) in chain.together
            and chain.standing(k, leader) < chain.standing(dose, leader)
            for k in kept
        )
        for dose in heads
        if roles[dose.id] not in KEPT
    )


def _primary_drug(chain: Chain, roles: Roles) -> str | None:
    """The infused drug that leads as the named primary reason."""
    for dose in chain.first_infusions.values():
        if roles[dose.id] is Role.INITIAL and dose.id in chain.led_by_reason:
            return dose.drug
    return None


def one_concurrent(chain: Chain, roles: Roles) -> bool:
    """The best infusion beside another is billed once; none only for want of a primary code."""
    heads = chain.first_infusions.values()
    beside = [dose for dose in heads if roles[dose.id] not in KEPT]
    if not beside:
        return True
    best = min(beside, key=lambda dose: chain.standing(dose, None))
    billed = [dose for dose in beside if roles[dose.id] is Role.CONCURRENT]
    primaries = PRIMARIES["96368"] & (chain.elsewhere | codes(chain, roles))
    return billed == [best] or (not billed and not primaries)


def addons_have_primaries(chain: Chain, roles: Roles) -> bool:
    """Every add-on code has one of its primary codes on its access.

    The concurrent service is one of the whole encounter, and so may its primary code be.
    """
    billed = codes(chain, roles)
    return all(
        PRIMARIES[code] & (billed | chain.elsewhere if code == "96368" else billed)
        for code in billed
        if code in PRIMARIES
    )


LAW_OF_A_DOSE: dict[Technique, Callable[[Chain, Roles, Dose, Role], bool]] = {
    Technique.INFUSION: infused,
    Technique.PUSH: pushed,
    Technique.FLUID: hydrated,
}
LAWS_OF_THE_WHOLE: tuple[Callable[[Chain, Roles], bool], ...] = (
    some_initial,
    each_beside_a_better,
    one_concurrent,
    addons_have_primaries,
)
