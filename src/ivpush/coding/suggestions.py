"""From roles to lines: units, dates, modifiers and reasons of what the chart supports.

Steps 5 and 6 of DESIGN section 3. ``chart`` makes drafts of every derived chart; the engine puts
those of the answer in words. The wording of reasons stands in ``rules/reasons.yaml``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from ivpush import clock
from ivpush.coding.main_chain import main_chain
from ivpush.contract.result import NotBillable, SuggestedLine

if TYPE_CHECKING:
    from ivpush.coding.beside import Neighbours
    from ivpush.coding.chains import Chain
    from ivpush.coding.derivation import Derived
    from ivpush.contract.chart_facts import AdministrationFacts, CodeLike, ServiceFacts
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.releases import Pairs

__all__ = [
    "Draft",
    "SharedIds",
    "bare_line",
    "drafts_of",
    "named",
    "not_billable",
    "suggested_lines",
]

_HOUR_SECONDS = 3600
_ASIDE = frozenset({"stand_alone", "pump_start"})
"""Roles that stand beside the chains: written last."""
_Dates = frozenset[date]


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """One line in the making: a code with its units on one date, and the services behind it."""

    row: CodeLike
    units: int
    date: date | None
    service: ServiceFacts
    because: str
    modifiers: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """Codes of other families, billed that day, from which the modifier sets it apart."""
    others: list[ServiceFacts] = field(default_factory=list)
    may_be_plain: bool = False
    """Whether it is right without its modifiers too."""
    dates: _Dates = frozenset()
    """Dates that any reading of midnight gives its units; empty: its own date alone."""

    @property
    def part(self) -> int:
        """The encounter of the chart that it bills, by number."""
        return self.service.lead.part

    @property
    def services(self) -> list[ServiceFacts]:
        """The services behind the line, first to last."""
        return [self.service, *self.others]

    @property
    def administrations(self) -> tuple[AdministrationFacts, ...]:
        """What the line bills, each once."""
        if not self.others:
            return self.service.administrations
        every = [each for service in self.services for each in service.administrations]
        return tuple(dict.fromkeys(every))


class SharedIds:
    """Ids of administrations; lines and findings that speak of the same ones share them."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[Sequence[AdministrationFacts], tuple[str, ...]]] = {}

    def of(self, administrations: Sequence[AdministrationFacts]) -> tuple[str, ...]:
        """Their ids, in order."""
        if len(administrations) < 2:
            return tuple([each.given.id for each in administrations])
        known = self._known.get(id(administrations))
        if known is None:
            ids = tuple([each.given.id for each in administrations])
            # Kept with them, so that no others come to their place in memory.
            known = self._known[id(administrations)] = (administrations, ids)
        return known[1]


def drafts_of(derived: Derived, encounter: Encounter, book: Book) -> list[Draft]:
    """The suggested lines of one record, in the order in which a coder writes them."""
    services: dict[int, list[ServiceFacts]] = {}
    for service in derived.services:
        services.setdefault(service.lead.part, []).append(service)
    chains: dict[int, list[Chain]] = {}
    for chain in derived.chains:
        chains.setdefault(chain.part, []).append(chain)
    return [
        draft
        for part in sorted(services)
        for draft in _drafts_of_part(services[part], chains.get(part, []), derived, encounter, book)
    ]


def _drafts_of_part(
    services: list[ServiceFacts],
    chains: list[Chain],
    derived: Derived,
    encounter: Encounter,
    book: Book,
) -> list[Draft]:
    """The lines of one encounter of the chart."""
    main = main_chain(chains, services, derived, encounter, book)
    drafts = [
        draft
        for service in sorted(services, key=lambda service: _place(service, main))
        for draft in _drafts_of_service(service, encounter, derived.zone, book)
    ]
    if main is not None and len(chains) > 1:
        # Chains before pairs: a line that carries a modifier already needs no second one.
        _mark_chains(drafts, chains, main, book)
    if len(drafts) > 1:
        _mark_hydration(drafts, book)
        drafts = _mark_pairs(drafts, encounter.setting, book)
    if derived.neighbours:
        drafts = _mark_neighbours(drafts, encounter.setting, derived.neighbours, book)
    return _gathered(drafts)


def _place(service: ServiceFacts, main: Chain | None) -> tuple[object, ...]:
    """Where its line is written: the main chain first, initials first, then in time."""
    far = main is not None and service.chain != main.index
    aside = service.role in _ASIDE
    return (aside, far, service.chain, service.role != "initial", service.order)


def _drafts_of_service(
    service: ServiceFacts, encounter: Encounter, zone: tzinfo | None, book: Book
) -> Iterator[Draft]:
    row = service.row
    assert row is not None  # a service without a code was refused, and is none of the chart's
    first = encounter.service_date
    if service.start is not None:
        first = clock.local_date(service.start, zone)
    if service.role == "further_hour":
        # Its first hour has no code of its own: each unit is an hour, from its floor on.
        hours = _Hours(row, 1 + service.further, 0, first, service.because)
        yield from _drafts_of_hours(hours, service, zone, book)
        return
    yield Draft(row, 1, first, service, service.because)
    hour_row = book.code(row.further) if service.further and row.further else None
    if hour_row is not None:
        hours = _Hours(hour_row, service.further, 1, first, "further_hours")
        yield from _drafts_of_hours(hours, service, zone, book)


class _Hours(NamedTuple):
    """Further hours of one service."""

    row: CodeLike
    units: int
    before: int
    """Hours of it that other units bill already."""
    first: date | None
    """The day on which it began."""
    because: str


def _drafts_of_hours(
    hours: _Hours, service: ServiceFacts, zone: tzinfo | None, book: Book
) -> Iterator[Draft]:
    """One draft a day; where the run crosses midnight, with the days of either reading."""
    spans, first = service.spans, hours.first
    # Less one second: a run that ends at midnight ends on the day before.
    if not spans or first == clock.local_date(spans[-1][1] - 1, zone):
        yield Draft(hours.row, hours.units, first, service, hours.because)
        return
    by_day = list(_hours_by_day(hours, spans, zone))
    readings = frozenset([day for day in (first, *(day for _, day in by_day)) if day is not None])
    if book.policy.midnight_infusion_date == "start_date":
        by_day = [(hours.units, first)]
    for units, day in by_day:
        yield Draft(hours.row, units, day, service, hours.because, dates=readings)


def _hours_by_day(
    hours: _Hours, spans: list[clock.Span], zone: tzinfo | None
) -> Iterator[tuple[int, date | None]]:
    """Hours with the day on which each ends."""
    running = clock.Running(spans)

    def ends_on(number: int) -> date:
        return running.day_reached(_HOUR_SECONDS * (number + hours.before), zone)

    counted = 0
    while counted < hours.units:
        day = ends_on(counted + 1)
        upto = hours.units
        if ends_on(upto) != day:
            # Days only grow with hours, so the last hour of a day is found by halving.
            upto = bisect_right(range(upto), day, counted + 1, key=lambda n: ends_on(n + 1))
        yield upto - counted, day
        counted = upto


def _mark_chains(drafts: Iterable[Draft], chains: list[Chain], main: Chain, book: Book) -> None:
    """Each further chain's initial and add-ons say what makes them distinct."""
    modifiers = {}
    for chain in chains:
        if chain is not main:
            apart = "separate_encounter" if chain.visit != main.visit else "separate_site"
            modifiers.update({id(each): _modifier(apart, book) for each in chain.services})
    for draft in drafts:
        # What is given under the skin or into an artery hangs on no chain, whatever its number.
        modifier = modifiers.get(id(draft.service))
        if modifier is not None:
            draft.modifiers = (modifier,)
            # CMS pairs no further hour with an initial service: it is right without one too.
            draft.may_be_plain = draft.row.role == "further_hour"


def _modifier(kind: str, book: Book) -> str:
    return book.modifier(kind if book.policy.second_initial_modifier == "by_reason" else "distinct")


def _mark_hydration(drafts: Iterable[Draft], book: Book) -> None:
    if not book.policy.hydration_requires_dx_59:
        return
    for draft in drafts:
        if draft.row.family == "hydration" and draft.service.role == "further_hour":
            # The policy asks for it always, whatever the pairs say.
            draft.may_be_plain = False
            draft.modifiers = draft.modifiers or (book.modifier("distinct"),)


def _mark_pairs(drafts: list[Draft], setting: str, book: Book) -> list[Draft]:
    """The drafts without those that an NCCI pair bars; a pair holds for one date of service."""
    days: dict[date | None, list[Draft]] = {}
    for draft in drafts:
        days.setdefault(draft.date, []).append(draft)
    if len(days) == 1:
        return _mark_pairs_of_day(drafts, setting, book)
    kept = set()
    # NCCI pairs hold for one date of service, so each day is looked at alone.
    for of_day in days.values():
        kept.update([id(draft) for draft in _mark_pairs_of_day(of_day, setting, book)])
    return [draft for draft in drafts if id(draft) in kept]


def _mark_pairs_of_day(drafts: list[Draft], setting: str, book: Book) -> list[Draft]:
    """Column-2 codes of NCCI pairs: a modifier where the indicator admits one, else not billed."""
    codes = {draft.row.code: draft for draft in drafts}
    # No code is paired with itself.
    if len(codes) < 2:
        return drafts
    paired = {
        code: pairs
        for code in codes
        if (pairs := book.pairs.get(setting, code)) is not None and _meets(pairs, codes)
    }
    if not paired:
        return drafts
    kept = []
    for draft in drafts:
        pairs = paired.get(draft.row.code)
        if pairs is None:
            kept.append(draft)
        elif not pairs.never.isdisjoint(codes):
            for administration in draft.service.administrations:
                # Indicator 0: no modifier lifts it, so the column-2 code is not billed.
                administration.reason, administration.billable = "packaged", False
        else:
            draft.may_be_plain = False
            beside = _unlifted(draft, drafts, pairs, book)
            if beside and not draft.modifiers:
                draft.modifiers = (_modifier(_apart(draft, beside), book),)
            kept.append(draft)
    return kept


def _unlifted(draft: Draft, drafts: Iterable[Draft], pairs: Pairs, book: Book) -> list[Draft]:
    """The column-1 lines of the day from which nothing sets a line apart yet."""
    beside = [each for each in drafts if each.row.code in pairs.with_modifier]
    # Until then CMS took the modifier on the column-2 code only (CR 11168).
    if draft.date is None or draft.date < book.pairs_lifted_from:
        return beside
    return [each for each in beside if not each.modifiers]


def _mark_neighbours(
    drafts: list[Draft], setting: str, neighbours: Neighbours, book: Book
) -> list[Draft]:
    """Column-2 codes beside other services of the day, as ``_mark_pairs`` beside one another."""
    kept = []
    apart: dict[tuple[str, date | None], tuple[str, ...]] = {}
    for draft in drafts:
        codes, pairs = neighbours.on(draft.date), book.pairs.get(setting, draft.row.code)
        if not codes or pairs is None:
            kept.append(draft)
            continue
        if not pairs.never.isdisjoint(codes):
            never = next(code for code in codes if code in pairs.never)
            for administration in draft.service.administrations:
                administration.reason, administration.beside = "never_beside", never
                administration.billable = False
            continue
        key = (draft.row.code, draft.date)
        if key not in apart:
            apart[key] = tuple([code for code in codes if code in pairs.with_modifier])
        draft.beside = apart[key]
        draft.may_be_plain = draft.may_be_plain and not draft.beside
        if draft.beside and not draft.modifiers:
            draft.modifiers = (_modifier("unusual", book),)
        kept.append(draft)
    return kept


def _meets(pairs: Pairs, codes: Iterable[str]) -> bool:
    """Whether any suggested code is in column 1 of a code's pairs."""
    codes = frozenset(codes)
    return not (pairs.never.isdisjoint(codes) and pairs.with_modifier.isdisjoint(codes))


def _apart(draft: Draft, beside: Iterable[Draft]) -> str:
    """What sets a line apart from those that it is paired with: its visit, else its nature."""
    visits = {each.visit for other in beside for each in other.service.administrations}
    same_visit = any(each.visit in visits for each in draft.service.administrations)
    return "unusual" if same_visit else "separate_encounter"


class _LineKey(NamedTuple):
    code: str
    modifiers: tuple[str, ...]
    date: date | None


def _gathered(drafts: Iterable[Draft]) -> list[Draft]:
    """One line for one code, date and set of modifiers."""
    lines: dict[_LineKey, Draft] = {}
    for draft in drafts:
        line = lines.setdefault(_LineKey(draft.row.code, draft.modifiers, draft.date), draft)
        if line is not draft:
            # Payers take a second line of the same code and date for a duplicate.
            line.units += draft.units
            line.dates |= draft.dates
            line.others.append(draft.service)
    return list(lines.values())


def suggested_lines(drafts: Iterable[Draft], book: Book) -> tuple[SuggestedLine, ...]:
    """The lines as they go out, each with its reason and its sources."""
    ids = SharedIds()
    return tuple([_suggested_line(draft, book, ids) for draft in drafts])


def _suggested_line(draft: Draft, book: Book, ids: SharedIds) -> SuggestedLine:
    what = "; ".join([named(service) for service in draft.services])
    because, cites = book.reason(draft.because, what=what, units=str(draft.units))
    for policy in dict.fromkeys(name for each in draft.services for name in each.decided_by):
        decided, more = book.reason(policy)
        because = f"{because} {decided}"
        cites = tuple(dict.fromkeys(cites + more))
    if draft.modifiers:
        marked, more = book.reason(
            "modifier_beside" if draft.beside else "modifier",
            beside=", ".join(draft.beside),
            modifiers=", ".join(draft.modifiers),
        )
        because = f"{because} {marked}"
        cites = tuple(dict.fromkeys(cites + more))
    return bare_line(draft, ids, because, cites)


def bare_line(
    draft: Draft, ids: SharedIds, because: str = "", cites: tuple[str, ...] = ()
) -> SuggestedLine:
    """One line as it goes out; without a reason where that is given elsewhere."""
    return SuggestedLine(
        code=draft.row.code,
        units=draft.units,
        modifiers=draft.modifiers,
        date=draft.date,
        administrations=ids.of(draft.administrations),
        because=because,
        cites=cites,
    )


def named(service: ServiceFacts) -> str:
    """What a reason calls a service: the drug table's name or the id, and when it ran.

    A drug that the table does not hold is called by its administration's id: what a chart writes
    in its own words is never repeated.
    """
    name, start, minutes = service.lead.name, service.lead.given.start, service.minutes
    if start is not None:
        # Hours and minutes as charted, in the chart's own zone: characters 11 to 16 of ISO 8601.
        name = f"{name} at {start.isoformat()[11:16]}"
    return name if minutes is None else f"{name} ({minutes} min)"


def not_billable(
    administrations: Iterable[AdministrationFacts], book: Book
) -> tuple[NotBillable, ...]:
    """One entry for each administration that stands in no line, in chart order."""
    return tuple([_left_out(each, book) for each in administrations if not each.billable])


def _left_out(administration: AdministrationFacts, book: Book) -> NotBillable:
    because, cites = book.reason(
        administration.reason or "no_code",
        what=administration.name,
        beside=administration.beside or "",
    )
    return NotBillable(administration.given.id, because, cites)
