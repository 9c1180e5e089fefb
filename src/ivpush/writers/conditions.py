"""What a code asks of an administration, one condition after another, and what the chart says.

``writers.why_not`` calls ``conditions_of``. The conditions are those of the derivation in the order
in which it takes them: may it be billed at all, family, technique, role; they end with the first
that does not hold. Nothing here decides anything: ``coding`` has decided, and this tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.roles import BESIDE_ANOTHER
from ivpush.coding.suggestions import named
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.coding.chains import Chain
    from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts
    from ivpush.engine import Worked
    from ivpush.pack.codes import CodeRow

__all__ = ["Condition", "conditions_of", "up_to_failing"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: what the code asks, what is so, and what decided that."""

    name: str
    """Short, such as ``technique``."""
    asks: str
    fact: str
    holds: bool | None
    """None where the chart does not say."""
    decided_by: str = ""
    """A field, a limit, a policy or a table; empty where the code itself says so."""
    cites: tuple[str, ...] = ()


# Reasons that come of a role or of what is billed beside; all others bar every code at once.
_LATE = frozenset(
    {
        "before_reported_gap",
        "bolus_of_infusion",
        *BESIDE_ANOTHER,
        "hydration_too_short",
        "never_beside",
        "no_code",
        "no_time",
        "packaged",
        "repeat_dose_too_short",
        "repeat_not_reportable",
        "stop_missing",
        "within_first_hour",
    }
)
_UNKNOWN = frozenset({"no_time", "stop_missing"})
"""Reasons that say that a fact is missing, and not that one is otherwise."""
_ASKED = {
    "infusion": "a drip by vein, longer than {push_max} minutes",
    "push": "a push by vein: up to {push_max} minutes, or attended throughout",
    "injection": "an injection under the skin or into a muscle",
    "sc_infusion": "an infusion under the skin, longer than {push_max} minutes",
    "pump": "the start of a prolonged infusion by pump, longer than {prolonged} minutes",
}
"""How a technique is recognised; others are named as they are."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An administration as the derivation left it, and the code that it is held against."""

    row: CodeRow
    given: AdministrationFacts
    service: ServiceFacts | None
    chain: Chain | None
    work: Worked

    @property
    def minutes(self) -> int | None:
        """Minutes that count for its service, else its own."""
        own = self.given.total_minutes
        return self.service.minutes if self.service is not None else own


def conditions_of(row: CodeRow, given: AdministrationFacts, work: Worked) -> tuple[Condition, ...]:
    """What a code asks of an administration, up to the first condition that does not hold."""
    # A drug of a mixture shares what becomes of the one that names their service.
    leader = given.follows or given
    service = work.derived.service_of().get(leader.index)
    seen = _Seen(row, leader, service, _chain_of(service, work), work)
    return up_to_failing(_conditions(seen))


def up_to_failing(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The conditions in order, up to the first that does not hold."""
    asked: list[Condition] = []
    for condition in conditions:
        asked.append(condition)
        if not condition.holds:
            break
    return tuple(asked)


def _chain_of(service: ServiceFacts | None, work: Worked) -> Chain | None:
    """The chain that a service hangs on; None for what stands alone."""
    if service is None:
        return None
    return next((each for each in work.derived.chains if service in each.every_service), None)


def _conditions(seen: _Seen) -> Iterator[Condition]:
    yield _billable(seen)
    # A port's flush is of the family and technique of its code, whatever the drug.
    if seen.row.family != "port":
        yield _family(seen)
    yield _technique(seen)
    yield from _ROLES.get(seen.row.role, _alone)(seen)
    yield from _last(seen)


def _billable(seen: _Seen) -> Condition:
    reason = seen.given.reason
    flush = reason == "flush" and seen.row.family == "port"
    if reason is None or reason in _LATE or flush:
        return Condition("billable", "that nothing bars it", "nothing does", True)
    return _barred("billable", "that nothing bars it", seen)


def _barred(name: str, asks: str, seen: _Seen) -> Condition:
    """The reason for which an administration earns nothing, as the result gives it."""
    reason = seen.given.reason or "no_code"
    text, cites = seen.work.book.reason(
        reason, what=seen.given.name, beside=seen.given.beside or ""
    )
    holds = None if reason in _UNKNOWN else False
    return Condition(name, asks, text, holds, "rules/reasons.yaml", cites)


def _family(seen: _Seen) -> Condition:
    drug = seen.given.drug
    decided_by = "the default, for no table holds it"
    if drug.stated_category:
        decided_by = "the category in the chart"
    elif drug.row is not None:
        decided_by = "the drug table"
    family = seen.given.family or "none of these families"
    return Condition(
        name="family",
        asks=f"a drug of the family {seen.row.family}",
        fact=f"{seen.given.name} is {family}, by its category {drug.category}",
        holds=seen.given.family == seen.row.family,
        decided_by=decided_by,
        cites=seen.work.book.reason("family_step")[1],
    )


def _technique(seen: _Seen) -> Condition:
    given, limits = seen.given, seen.work.book.limits
    wanted, technique = seen.row.technique, _technique_of(seen)
    asked = _ASKED.get(wanted, f"the technique {_plain(wanted)}")
    asks = asked.format(push_max=limits.push_max_minutes, prolonged=limits.prolonged_minutes)
    minutes = given.total_minutes
    # Then a policy says what it is taken for meanwhile, and the answer may be another.
    unknown = minutes is None and given.given.method not in {"push", "injection"}
    by_policy = f"policy missing_stop_time={seen.work.book.policy.missing_stop_time}"
    facts = [
        f"route {given.given.route or 'not stated'}",
        f"method {given.given.method or 'not stated'}",
        "minutes not known" if minutes is None else counted(minutes, "minute"),
    ]
    taken = f"taken as {_plain(technique)}" if technique else "of no known technique"
    return Condition(
        name="technique",
        asks=asks,
        fact=f"{', '.join(facts)}: {taken}",
        holds=None if unknown and technique != wanted else technique == wanted,
        decided_by=by_policy if unknown else f"limit push_max_minutes={limits.push_max_minutes}",
        cites=seen.work.book.reason("technique_step")[1],
    )


def _technique_of(seen: _Seen) -> str | None:
    """The technique by which it is billed: that of its service's code, where it has one."""
    row = seen.service.row if seen.service is not None else None
    return row.technique if row is not None else seen.given.technique


def _plain(word: str) -> str:
    return word.replace("_", " ")


# Roles


def _initial(seen: _Seen) -> Iterator[Condition]:
    yield _on_a_chain(seen)
    chain, service = seen.chain, seen.service
    leader = chain.initial if chain is not None else None
    if chain is None or leader is None or service is None:
        return
    by, decided_by = _decided(chain)
    ranks = f"rank {leader.rank} there, {service.rank} here" if by == "rank" else by
    yield Condition(
        name="initial",
        asks="the first place of its access, which one service has",
        fact=f"{named(leader)} leads ({ranks})" if leader is not service else "it leads",
        holds=leader is service,
        decided_by=decided_by,
        cites=seen.work.book.reason("initial")[1],
    )


def _decided(chain: Chain) -> tuple[str, str]:
    """Why a service leads a chain, and where that is written."""
    if chain.initial_by == "primary_reason":
        return "the record names it as the primary reason", "primary_administration"
    if chain.initial_by == "first_given":
        return "it was given first", "policy professional_missing_primary_reason"
    return "rank", "rules/hierarchy.yaml"


def _on_a_chain(seen: _Seen) -> Condition:
    """By vein, services hang on an access; others lead nothing and follow nothing."""
    holds = seen.chain is not None or seen.row.technique not in {"infusion", "push"}
    fact = "it has one" if holds else "it stands apart from every access"
    return Condition("access", "a vascular access", fact, holds)


def _sequential(seen: _Seen) -> Iterator[Condition]:
    yield _on_a_chain(seen)
    chain, service = seen.chain, seen.service
    if chain is None or service is None:
        return
    yield Condition(
        name="another leads",
        asks="another service that is the initial one of its access",
        fact="it is the initial one itself" if chain.initial is service else "another is",
        holds=chain.initial is not service,
        decided_by=_decided(chain)[1],
        cites=seen.work.book.reason("initial")[1],
    )
    repeats = service.lead.repeat or service.repeats_dose
    yield Condition(
        name="new drug",
        asks="a drug that its access did not have before",
        fact="the same drug was given before" if repeats else "its first dose there",
        holds=not repeats,
        cites=seen.work.book.reason("sequential")[1],
    )


def _repeat(seen: _Seen) -> Iterator[Condition]:
    yield _on_a_chain(seen)
    yield Condition(
        name="same drug",
        asks="an earlier push or infusion of the same drug through its access",
        fact="there is one" if seen.given.repeat else "its first dose there",
        holds=seen.given.repeat,
        cites=seen.work.book.reason("repeat_push")[1],
    )
    gap, least = seen.given.gap_minutes, seen.work.book.policy.same_drug_push_gap_minutes
    reason = seen.given.reason
    if reason not in {"before_reported_gap", "no_time"}:
        return
    yield Condition(
        name="gap",
        asks=f"at least {counted(least, 'minute')} after the last reported push of that drug",
        fact="not known" if gap is None else f"{counted(gap, 'minute')} after it",
        holds=None if reason == "no_time" else False,
        decided_by=f"policy same_drug_push_gap_minutes={least}",
        cites=seen.work.book.reason("gap_step")[1],
    )


def _concurrent(seen: _Seen) -> Iterator[Condition]:
    yield _on_a_chain(seen)
    chain, service = seen.chain, seen.service
    if chain is None or service is None:
        return
    least = seen.work.book.policy.concurrent_min_overlap_minutes
    beside = [
        span
        for each in chain.every_service
        if each is not service and each.technique == "infusion" and each.family != "hydration"
        for span in each.spans
    ]
    shared = clock.shared(service.spans, clock.unite(beside)) // 60
    runs = service.role == "concurrent" or seen.given.reason in BESIDE_ANOTHER
    leads = " and it keeps a place of its own there" if shared >= least and not runs else ""
    yield Condition(
        name="together",
        asks=f"{counted(least, 'minute')} or more beside a drug infusion that goes before",
        fact=f"{counted(shared, 'minute')} together with others{leads}",
        holds=runs,
        decided_by=f"policy concurrent_min_overlap_minutes={least}",
        cites=seen.work.book.reason("concurrent")[1],
    )


def _further_hour(seen: _Seen) -> Iterator[Condition]:
    service = seen.service
    own = service.row if service is not None else None
    names_it = own is not None and seen.row.code in (own.code, own.further)
    yield Condition(
        name="first hour",
        asks="a service that is billed and whose further hours have this code",
        fact=f"it is billed as {own.code}" if own is not None else "its service bills nothing",
        holds=names_it,
    )
    if service is None or own is None or own.code == seen.row.code:
        return
    over = seen.work.book.policy.additional_hour_minutes
    minutes = service.minutes
    yield Condition(
        name="hours",
        asks=f"{counted(over, 'minute')} or more past an hour",
        fact="minutes not known" if minutes is None else f"{counted(minutes, 'minute')} in all",
        holds=None if minutes is None else service.further > 0,
        decided_by=f"policy additional_hour_minutes={over}",
        cites=seen.work.book.reason("further_hours")[1],
    )


def _additional_site(seen: _Seen) -> Iterator[Condition]:
    extra = seen.service is not None and seen.service.role == "additional_site"
    yield Condition(
        name="new site",
        asks="a further set-up of the pump at another site, begun later, once an encounter",
        fact="it is" if extra else "it is no such set-up",
        holds=extra,
        cites=seen.work.book.reason("additional_site")[1],
    )


def _alone(seen: _Seen) -> Iterator[Condition]:
    own = seen.service.row if seen.service is not None else None
    variant = getattr(own, "variant", None)
    if own is None or variant == seen.row.variant:
        return
    yield Condition(
        name="variant",
        asks=f"the kind {_plain(seen.row.variant or 'that has no name')}",
        fact=f"the kind {_plain(variant or 'that has no name')}, which is {own.code}",
        holds=False,
    )


_ROLES: dict[str, Callable[[_Seen], Iterator[Condition]]] = {
    "initial": _initial,
    "sequential": _sequential,
    "repeat": _repeat,
    "concurrent": _concurrent,
    "further_hour": _further_hour,
    "additional_site": _additional_site,
}


def _last(seen: _Seen) -> Iterator[Condition]:
    """What is left once the code fits: what is billed beside it, or another code that fits too."""
    if seen.given.reason is not None and not seen.given.billable:
        yield _barred("beside the rest", "room for it beside all else", seen)
        return
    own = seen.service.code if seen.service is not None else None
    further = seen.service.row.further if seen.service and seen.service.row else None
    if seen.row.code not in (own, further):
        role = seen.service.role if seen.service is not None else None
        yield Condition(
            name="its own code",
            asks="that no other code names it",
            fact=f"{own or 'none'} does, as {_plain(role or 'no service')}",
            holds=False,
        )
