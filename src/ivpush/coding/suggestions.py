"""From roles to lines: units, dates, modifiers and reasons of what the chart supports.

Steps 5 and 6 of DESIGN section 3. The wording of reasons stands in ``rules/reasons.yaml``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.contract.result import NotBillable, SuggestedLine

if TYPE_CHECKING:
    from ivpush.coding.chains import Chain
    from ivpush.coding.derivation import Derived
    from ivpush.contract.encounter import Encounter
    from ivpush.contract.facts import AdministrationFacts, ServiceFacts
    from ivpush.pack.book import Book
    from ivpush.pack.codes import CodeRow

__all__ = [
    "Draft",
    "drafts_of",
    "named",
    "not_billable",
    "suggested_lines",
]

_HOUR_SECONDS = 3600


@dataclass(slots=True)
class Draft:
    """One line in the making: a code with its units on one date, and the services behind it."""

    row: CodeRow
    units: int
    date: date | None
    service: ServiceFacts
    because: str
    modifiers: tuple[str, ...] = ()
    others: list[ServiceFacts] | None = None

    @property
    def services(self) -> list[ServiceFacts]:
        """The services behind the line, first to last."""
        return [self.service, *(self.others or ())]


def drafts_of(derived: Derived, encounter: Encounter, book: Book) -> list[Draft]:
    """The suggested lines of one encounter, in the order in which a coder writes them."""
    if not derived.services:
        return []
    day = encounter.service_date
    main = _main(derived.chains)
    drafts: list[Draft] = []
    for service in sorted(derived.services, key=lambda s: _place(s, main)):
        if service.further or service.role == "further_hour":
            for code, units, on, because in _parts(service, day, derived, book):
                drafts.append(Draft(code, units, on, service, because))
        else:
            first = _first(service, day, derived.zone)
            drafts.append(Draft(service.row, 1, first, service, service.because))
    if len(derived.chains) > 1 and main is not None:
        _mark_chains(drafts, derived.chains, main, book)
    if len(drafts) > 1:
        _mark_hydration(drafts, book)
        drafts = _mark_pairs(drafts, encounter.setting, book)
    return _gathered(drafts)


def _main(chains: list[Chain]) -> Chain | None:
    """The chain whose initial ranks highest: it carries no modifier."""
    able = [chain for chain in chains if chain.initial is not None]
    if len(able) < 2:
        return able[0] if able else None
    return min(
        able, key=lambda c: (c.initial.rank or 99, c.initial.order) if c.initial else (99, ()),
        default=None,
    )  # fmt: skip


def _place(service: ServiceFacts, main: Chain | None) -> tuple[object, ...]:
    aside = service.role in {"stand_alone", "pump_start"}
    far = main is not None and service.chain != main.index
    return (aside, far, service.chain, service.role != "initial", service.order)


def _first(service: ServiceFacts, day: date | None, zone: tzinfo | None) -> date | None:
    """The date on which a service began."""
    return day if service.start is None else clock.local_date(service.start, zone)


def _parts(
    service: ServiceFacts, day: date | None, derived: Derived, book: Book
) -> Iterator[tuple[CodeRow, int, date | None, str]]:
    row, further = service.row, service.further
    zone, spans = derived.zone, service.spans
    first = _first(service, day, zone)
    if service.role == "further_hour":
        hours, hour_row, done = 1 + further, row, 0
    else:
        yield row, 1, first, service.because
        hour_row = book.code(row.further) if row.further else None
        hours, done = further, 1
    if hour_row is None:
        return
    because = service.because if service.role == "further_hour" else "further_hours"
    crosses = spans and first != clock.local_date(spans[-1][1] - 1, zone)
    if not crosses or book.policy.midnight_infusion_date == "start_date":
        yield hour_row, hours, first, because
        return

    def ends_on(number: int) -> date:
        return clock.day_reached(spans, _HOUR_SECONDS * (number + done), zone)

    counted = 0
    while counted < hours:
        on = ends_on(counted + 1)
        upto = hours
        if ends_on(hours) != on:
            upto = bisect_right(range(hours), on, counted + 1, key=lambda n: ends_on(n + 1))
        yield hour_row, upto - counted, on, because
        counted = upto


def _mark_chains(drafts: list[Draft], chains: list[Chain], main: Chain, book: Book) -> None:
    """Each further chain's initial and add-ons say what makes them distinct."""
    kinds = {}
    for chain in chains:
        if chain is not main:
            apart = chain.visit != main.visit
            kinds[chain.index] = _modifier("separate_encounter" if apart else "separate_site", book)
    for draft in drafts:
        service = draft.service
        if service.role not in {"stand_alone", "pump_start"} and service.chain in kinds:
            draft.modifiers = (kinds[service.chain],)


def _modifier(kind: str, book: Book) -> str:
    return book.modifier(kind if book.policy.second_initial_modifier == "by_reason" else "distinct")


def _mark_hydration(drafts: list[Draft], book: Book) -> None:
    for draft in drafts:
        if draft.row.family == "hydration" and not draft.modifiers:
            if draft.service.role == "further_hour" and book.policy.hydration_requires_dx_59:
                draft.modifiers = (book.modifier("distinct"),)


def _mark_pairs(drafts: list[Draft], setting: str, book: Book) -> list[Draft]:
    """Column-2 codes of NCCI pairs: a modifier where the indicator admits one, else not billed."""
    codes = {draft.row.code: draft for draft in drafts}
    if len(codes) < 2:
        return drafts
    paired = {code: beside for code in codes
              if (beside := book.pairs.get(setting, code)) is not None
              and not (beside.never.isdisjoint(codes)
                       and beside.with_modifier.isdisjoint(codes))}  # fmt: skip
    if not paired:
        return drafts
    kept = []
    for draft in drafts:
        beside = paired.get(draft.row.code)
        if beside is not None and not beside.never.isdisjoint(codes):
            for one in draft.service.administrations:
                one.reason, one.billable = "packaged", False
            continue
        pairs = [code for code in codes if code in beside.with_modifier] if beside else None
        if pairs and not draft.modifiers:
            visits = {one.visit for code in pairs for one in codes[code].service.administrations}
            apart = all(one.visit not in visits for one in draft.service.administrations)
            draft.modifiers = (_modifier("separate_encounter" if apart else "unusual", book),)
        kept.append(draft)
    return kept


def _gathered(drafts: list[Draft]) -> list[Draft]:
    """One line for one code, date and set of modifiers."""
    made: dict[tuple[str, tuple[str, ...], date | None], Draft] = {}
    for draft in drafts:
        key = (draft.row.code, draft.modifiers, draft.date)
        first = made.setdefault(key, draft)
        if first is not draft:
            first.units += draft.units
            others = first.others
            if others is None:
                others = first.others = []
            service = draft.service
            if service is not first.service and service not in others:
                others.append(service)
    return list(made.values())


def suggested_lines(drafts: list[Draft], book: Book) -> tuple[SuggestedLine, ...]:
    """The lines as they go out, each with its reason and its sources."""
    made = []
    for draft in drafts:
        text, cites = book.reason(draft.because)
        if draft.others is None:
            given = draft.service.administrations
            what = named(draft.service)
        else:
            services = draft.services
            given = tuple(dict.fromkeys([o for one in services for o in one.administrations]))
            what = "; ".join([named(service) for service in services])
        because = text.replace("{what}", what).replace("{units}", str(draft.units))
        if draft.modifiers:
            extra, more = book.reason("modifier")
            because = f"{because} {extra.replace('{modifiers}', ', '.join(draft.modifiers))}"
            cites = tuple(dict.fromkeys(cites + more))
        made.append(SuggestedLine(
            draft.row.code, draft.units, draft.modifiers, draft.date,
            tuple([one.given.id for one in given]), because, cites,
        ))  # fmt: skip
    return tuple(made)


def named(service: ServiceFacts) -> str:
    """What a reason calls a service: the drug table's name or the id, and when it ran.

    A drug that the table does not hold is called by its administration's id: what a chart writes
    in its own words is never repeated.
    """
    lead = service.lead
    name = lead.row.name if lead.row is not None else lead.given.id
    given, minutes = lead.given, service.minutes
    if given.start is None:
        return f"{name} ({minutes} min)" if minutes is not None else name
    clocked = given.start.isoformat()[11:16]
    if minutes is None:
        return f"{name} at {clocked}"
    return f"{name} at {clocked} ({minutes} min)"


def not_billable(facts: list[AdministrationFacts], book: Book) -> tuple[NotBillable, ...]:
    """One entry for each administration that stands in no line, in chart order."""
    made = []
    for one in facts:
        if one.billable:
            continue
        if one.reason is None:
            one.reason = "no_code"
        text, cites = book.reason(one.reason)
        name = one.row.name if one.row is not None else one.given.id
        made.append(NotBillable(one.given.id, text.replace("{what}", name), cites))
    return tuple(made)
