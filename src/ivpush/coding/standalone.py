"""Services that stand beside the chains: injections, artery, under the skin, pumps, ports.

They carry no add-on of a vein's chain and never become its initial service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivpush import clock
from ivpush.coding.times import by_time
from ivpush.contract.facts import AdministrationFacts, ServiceFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.codes import CodeRow

__all__ = [
    "services",
]

_HOUR = 60
_VEIN = frozenset({"push", "infusion"})


def services(
    facts: list[AdministrationFacts], book: Book, encounter: Encounter, *, taken: bool
) -> list[ServiceFacts]:
    """Stand-alone services; ``taken`` says whether a chain already earns something."""
    made: list[ServiceFacts] = []
    skin: list[AdministrationFacts] = []
    drugs: dict[tuple[str, frozenset[str]], ServiceFacts] = {}
    flushes: list[AdministrationFacts] = []
    apart = [one for one in facts if _apart(one)]
    if not apart:
        return made
    for one in sorted(apart, key=by_time):
        technique = one.technique
        if technique == "port_flush":
            flushes.append(one)
        elif technique == "sc_infusion":
            skin.append(one)
        elif technique in {"pump", "ia_pump", "ia_infusion", "ia_push", "declotting"}:
            _once_a_drug(one, drugs, made, book, encounter)
        else:
            _each(one, made, book, encounter)
    if skin:
        made += _under_skin(skin, book)
    if flushes and not made and not taken:
        _flush(flushes, made, book)
    return made


def _apart(one: AdministrationFacts) -> bool:
    """Whether the administration is given otherwise than into a chain's vein."""
    technique = one.technique
    if technique in _VEIN:
        return one.reason is None and one.given.route != "IV"
    return technique == "port_flush" or (one.reason is None and technique is not None)


def _made(
    those: list[AdministrationFacts], row: CodeRow, role: str, because: str, book: Book
) -> ServiceFacts:
    service = ServiceFacts()
    first = those[0]
    service.family, service.technique = row.family, row.technique  # type: ignore[assignment]
    service.role, service.row, service.because = role, row, because  # type: ignore[assignment]
    service.code, service.chain = row.code, first.chain
    service.rank = book.rank(row.family, row.technique)
    service.administrations, service.lead, service.drugs = tuple(those), first, first.drug_keys
    service.spans = [first.span] if first.span is not None else []
    service.minutes, service.start = first.total_minutes, first.start_seconds
    service.further, service.extra, service.order = 0, None, first.order
    return service


def _row(one: AdministrationFacts, book: Book) -> tuple[CodeRow | None, str]:
    """The code of a stand-alone technique, and the role it plays."""
    technique, family = one.technique or "", one.family or ""
    if technique == "declotting":
        return book.pick("declotting", technique, "companion"), "stand_alone"
    if technique == "pump_refill":
        return book.pick("chemotherapy", technique, "stand_alone",
                         one.given.device or "ambulatory_pump"), "stand_alone"  # fmt: skip
    variant = None
    if technique == "injection" and family == "chemotherapy":
        hormone = one.given.hormonal
        if hormone is None and one.row is not None:
            hormone = one.row.hormonal
        variant = "hormonal" if hormone else "non_hormonal"
    if technique == "intralesional":
        variant = "few_lesions"
    role = {"pump": "pump_start", "ia_pump": "pump_start", "ia_infusion": "initial",
            "ia_push": "initial"}.get(technique, "stand_alone")  # fmt: skip
    return book.pick(family, technique, role, variant), role


def _each(
    one: AdministrationFacts, made: list[ServiceFacts], book: Book, encounter: Encounter
) -> None:
    row, role = _row(one, book)
    if row is None or encounter.setting not in row.settings:
        one.reason = "no_code"
        return
    made.append(_made([one], row, role, "each_injection" if role == "stand_alone" else role, book))


def _once_a_drug(
    one: AdministrationFacts,
    drugs: dict[tuple[str, frozenset[str]], ServiceFacts],
    made: list[ServiceFacts],
    book: Book,
    encounter: Encounter,
) -> None:
    key = (one.technique or "", one.drug_keys)
    service = drugs.get(key)
    if service is not None and _same_episode(service, one, book):
        service.administrations = (*service.administrations, one)
        if one.span is not None:
            service.spans = clock.unite([*service.spans, one.span])
        service.minutes = (service.minutes or 0) + (one.running_minutes or 0)
        if service.role == "initial" and service.row.further is not None:
            over = book.policy.additional_hour_minutes
            service.further = max(0, (service.minutes - over) // _HOUR)
        return
    row, role = _row(one, book)
    if row is None or encounter.setting not in row.settings:
        one.reason = "no_code"
        return
    service = drugs[key] = _made([one], row, role, role, book)
    if role == "initial" and row.further is not None:
        over = book.policy.additional_hour_minutes
        service.further = max(0, ((service.minutes or 0) - over) // _HOUR)
    made.append(service)


def _same_episode(service: ServiceFacts, one: AdministrationFacts, book: Book) -> bool:
    """Whether a further dose belongs to the service; a later clot is a declotting of its own."""
    if one.technique != "declotting" or service.start is None or one.start_seconds is None:
        return True
    return bool(one.start_seconds - service.start <= 60 * book.limits.declotting_episode_minutes)


def _under_skin(skin: list[AdministrationFacts], book: Book) -> list[ServiceFacts]:
    """One subcutaneous infusion an encounter: its hours together, a further pump set-up once."""
    row = book.pick("therapeutic", "sc_infusion", "initial")
    if row is None:
        for one in skin:
            one.reason = "no_code"
        return []
    service = _made(skin, row, "initial", "initial", book)
    service.spans = clock.unite(one.span for one in skin if one.span is not None)
    loose = sum(one.running_minutes or 0 for one in skin if one.span is None)
    service.minutes = clock.covered(service.spans) // 60 + loose
    service.further = max(0, (service.minutes - book.policy.additional_hour_minutes) // _HOUR)
    first = skin[0]
    later = [one for one in skin[1:] if one.site != first.site
             and one.start_seconds is not None and first.start_seconds is not None
             and one.start_seconds > first.start_seconds]  # fmt: skip
    extra = book.pick("therapeutic", "sc_infusion", "additional_site") if later else None
    if extra is None:
        return [service]
    return [service, _made(later[:1], extra, "additional_site", "additional_site", book)]


def _flush(flushes: list[AdministrationFacts], made: list[ServiceFacts], book: Book) -> None:
    row = book.pick("port", "port_flush", "stand_alone")
    if row is None:
        return
    for one in flushes:
        one.reason = None
    made.append(_made(flushes, row, "stand_alone", "port_flush_alone", book))
