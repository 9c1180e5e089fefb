"""Which chain of an encounter carries no modifier, and leads the lines of a claim.

Step 6 of DESIGN section 3, called by ``suggestions``. Further chains carry the modifier of a
separate site or visit; where initial codes are equal, either may be the one without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.encounters import Days

if TYPE_CHECKING:
    from ivpush.coding.chains import Chain
    from ivpush.coding.derivation import Derived
    from ivpush.contract.chart_facts import ServiceFacts
    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.pack.book import Book

__all__ = ["main_chain"]

# Behind every rank of the hierarchy.
_UNRANKED = 99


def main_chain(
    chains: Sequence[Chain],
    services: Sequence[ServiceFacts],
    derived: Derived,
    encounter: Encounter,
    book: Book,
) -> Chain | None:
    """The chain that carries no modifier: that whose initial ranks highest.

    Where initials are equal, either may be the unmarked one: as the claim has it, else the chain
    whose need was not documented, else the earlier.
    """
    led = [(chain.initial, chain) for chain in chains if chain.initial is not None]
    if not led:
        return None
    led.sort(key=lambda pair: (pair[0].rank or _UNRANKED, _needed(pair[1]), pair[0].order))
    initial, first = led[0]
    equal = [chain for other, chain in led if other.code == initial.code]
    if len(equal) == 1 or not encounter.lines:
        return first
    days = _days_of(services, derived)
    lines = [line for line in encounter.lines if _may_hold(days, line.date)]
    marked, unmarked = _units_by_mark(lines, book)
    units = _units_by_chain(chains)
    by_day = derived.neighbours.by_day
    beside = {code for day, codes in by_day.items() if _may_hold(days, day) for code in codes}
    for own in units.values() if beside else ():
        # Marked by what stands beside it, whichever chain is the main one.
        for code in [each for each in own if _apart_anyway(each, beside, encounter, book)]:
            del own[code]

    def agreement(main: Chain) -> int:
        # Of all other chains the marked lines count, and their sum differs by its own alone.
        own = units[main.index]
        return (own & unmarked).total() - (own & marked).total()

    # max keeps the first of equals: without a hint of the claim, the order of the sort above.
    return max(equal, key=agreement)


def _may_hold(days: Days | None, day: date | None) -> bool:
    """Whether a day may be one of an encounter's; all may, where nothing says which it has."""
    return days is None or day is None or days.holds(day)


def _days_of(services: Sequence[ServiceFacts], derived: Derived) -> Days | None:
    """The days of one encounter of several; None where there is but one, or no times."""
    ends = [service.start for service in services if service.start is not None]
    ends += [stop for service in services for _, stop in service.spans]
    if not ends or not any(chain.part for chain in derived.chains):
        return None
    zone = derived.zone
    return Days(clock.local_date(min(ends), zone), clock.local_date(max(ends), zone))


def _apart_anyway(code: str, beside: Collection[str], encounter: Encounter, book: Book) -> bool:
    """Whether an NCCI pair with another service of the day asks for a modifier on a code."""
    pairs = book.pairs.get(encounter.setting, code)
    return pairs is not None and not pairs.with_modifier.isdisjoint(beside)


def _needed(chain: Chain) -> bool:
    return any(each.separate_site for each in chain.administrations)


def _units_by_mark(lines: Iterable[ClaimLine], book: Book) -> tuple[Counter[str], Counter[str]]:
    """Units billed by code, with and without a modifier of a distinct service."""
    marked: Counter[str] = Counter()
    unmarked: Counter[str] = Counter()
    for line in lines:
        plain = book.separate_modifiers.isdisjoint(line.modifiers)
        (unmarked if plain else marked)[line.code] += line.units
    return marked, unmarked


def _units_by_chain(chains: Iterable[Chain]) -> dict[int, Counter[str]]:
    """Units by code of each chain."""
    return {chain.index: _units(chain.services) for chain in chains}


def _units(services: Iterable[ServiceFacts]) -> Counter[str]:
    units: Counter[str] = Counter()
    for service in services:
        row = service.row
        assert row is not None  # what has no code has left its chain
        units[row.code] += 1
        hours = row.code if service.role == "further_hour" else row.further
        if hours is not None:
            units[hours] += service.further
    return units
