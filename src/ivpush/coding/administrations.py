"""The chart, administration by administration: drug, class, family, times and technique.

The first step of the derivation (DESIGN section 3, step 1): ``derivation`` reads the chart, and
makes the facts of it that the later steps settle.
Everything that differs by source is read from the book's policies; every number from its limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ivpush import clock
from ivpush.coding.mixtures import mixtures, with_times_of_bags, without_mates
from ivpush.coding.techniques import INJECTED_ROUTES, PARENTERAL_ROUTES, set_technique
from ivpush.coding.times import (
    edges_of,
    join_runs,
    mark_attended,
    order_of,
    read_times,
    stay_of,
)
from ivpush.contract.chart_facts import AdministrationFacts, DrugFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from ivpush.clock import Span
    from ivpush.coding.permission import Standing
    from ivpush.coding.times import Edges
    from ivpush.contract.chart_facts import Family, Reason, Times
    from ivpush.contract.encounter import Administration, Encounter
    from ivpush.contract.fields import Device, Setting
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow
    from ivpush.pack.roles import Role

__all__ = ["Read", "facts_of", "read_again", "read_chart"]

_BY_PURPOSE: dict[str, Reason] = {
    "keep_open": "keep_open",
    "flush": "flush",
    "imaging": "imaging",
}
_BY_CATEGORY: dict[str, Reason] = {
    "contrast": "contrast",
    "flush": "flush",
    "blood": "blood",
    "vaccine": "vaccine",
    "anesthesia": "anesthesia",
}
_OWN_FAMILY: dict[str, Family] = {
    "therapeutic": "therapeutic",
    "chemotherapy": "chemotherapy",
    "hydration": "hydration",
    "anesthesia": "therapeutic",
}
"""Categories whose family no policy decides."""


class Read(NamedTuple):
    """One administration as it is charted: what no later step of the derivation changes.

    A chart is read once. Where an answer is tried on it, only what that is about is read again.
    """

    given: Administration
    place: int
    """Its position in the chart, from 0."""
    times: Times
    drug: DrugFacts
    family: Family | None
    reason: Reason | None
    device: Device | None
    role: Role | None


class _Frame(NamedTuple):
    """What the times of every administration are held against."""

    zone: tzinfo | None
    stay: Span | None
    edges: Edges


def read_chart(encounter: Encounter, book: Book, standing: Standing) -> list[Read]:
    """The administrations in chart order; ``standing`` says who may bill at all."""
    frame, count = _frame_of(encounter), len(encounter.administrations or ())
    chart = _charted(encounter, book, range(count))
    return [
        _read(given, index, encounter=encounter, frame=frame, book=book, standing=standing)
        for index, given in enumerate(chart)
    ]


def read_again(
    reads: Sequence[Read], index: int, encounter: Encounter, book: Book, standing: Standing
) -> list[Read]:
    """The administrations, of which one is charted otherwise than when they were read."""
    # Others have been read; but what one row says of a bag holds for all that is in it.
    mixed = mixtures(encounter.administrations or ())
    places = next((places for places in mixed if index in places), [index])
    chart = _charted(encounter, book, places)
    frame, again = _frame_of(encounter), list(reads)
    for place, given in zip(places, chart, strict=True):
        again[place] = _read(
            given, place, encounter=encounter, frame=frame, book=book, standing=standing
        )
    return again


def _charted(encounter: Encounter, book: Book, places: Iterable[int]) -> list[Administration]:
    """Administrations of a chart with what names and bags say, where no field states it."""
    chart = encounter.administrations or ()
    return with_times_of_bags([_as_written(chart[place], book) for place in places])


def facts_of(
    reads: Iterable[Read], encounter: Encounter, book: Book, standing: Standing
) -> list[AdministrationFacts]:
    """One record an administration, for the later steps to settle."""
    level, setting = standing.supervision.required_level, encounter.setting
    administrations = [_facts(read, level, setting) for read in reads]
    # Both compare administrations with one another, and most charts hold one.
    if len(administrations) > 1:
        join_runs(administrations)
        mark_attended(without_mates(administrations))
    for administration in administrations:
        # After runs are joined: minutes of all bags together say push or infusion.
        set_technique(administration, book)
        # A port flush has a reason yet, but may still be billed where nothing else is.
        if administration.reason is None or administration.technique == "port_flush":
            withheld = standing.withheld(administration, book)
            administration.reason = withheld or administration.reason
    return administrations


def _frame_of(encounter: Encounter) -> _Frame:
    zone = clock.zone_named(encounter.timezone)
    # Two spans: the one as stated is compared, the other bounds what may be billed.
    return _Frame(zone, stay_of(encounter, zone), edges_of(encounter, zone))


def _read(
    given: Administration,
    place: int,
    *,
    encounter: Encounter,
    frame: _Frame,
    book: Book,
    standing: Standing,
) -> Read:
    drug = _drug(given, book, documented=encounter.complexity_documented)
    longest = book.limits.longest_administration_minutes
    times = read_times(given, frame.zone, frame.stay, edges=frame.edges, longest=longest)
    role = book.roles.find(given.administered_by) if given.administered_by else None
    beyond: Reason = "admitted" if frame.edges.admitted else "after_end"
    return Read(
        given=given,
        place=place,
        times=times,
        drug=drug,
        family=_family(drug, encounter, book),
        # The widest reason first: a packaged claim earns nothing, whoever gave the drug.
        reason=standing.denied
        or (beyond if times.after_stay else None)
        or _by_patient(role)
        or _reason(given, drug.category, book),
        device=_device(given, book),
        role=role,
    )


def _facts(read: Read, level: str | None, setting: Setting) -> AdministrationFacts:
    given, place, times, drug, family, reason, device, role = read
    return AdministrationFacts(
        given=given,
        index=place,
        times=times,
        drug=drug,
        required_level=level,
        family=family,
        reason=reason,
        running_minutes=times.minutes,
        minutes_from=times.minutes_from,
        delivered_by=device,
        setting=setting,
        site_named=given.site is not None,
        role=role.name if role is not None else None,
        acts_as=role.acts_as if role is not None else None,
        total_minutes=times.minutes,
        start_seconds=times.start_seconds,
        span=times.span,
        order=order_of(given.id, times.start_seconds, times.span),
        drug_keys=frozenset((drug.drug_key,)),
        site=given.site or "",
        visit=given.visit or 1,
        run=place,
    )


def _by_patient(role: Role | None) -> Reason | None:
    """A dose that the patient releases is no work of the staff."""
    return "patient_gave_it" if role is not None and role.acts_as == "patient" else None


def _device(given: Administration, book: Book) -> Device | None:
    """The device as charted, else as named in the drug's text; a supplied pump goes home."""
    named = book.devices.find(given.drug) if given.drug is not None else None
    if named is None and given.pump_supplied_by is not None:
        named = "ambulatory_pump"
    return given.device or named


def _as_written(given: Administration, book: Book) -> Administration:
    """The administration with what its name says beside the drug, where no field states it."""
    if given.drug is None:
        return given
    written = book.names.look_up(given.drug)
    changes: dict[str, object] = {}
    if written.oral and given.route is None:
        changes["route"] = "PO"
    if written.row is not None and written.row.category == "hydration":
        if written.keep_open and given.purpose is None:
            changes["purpose"] = "keep_open"
        if written.rate is not None and given.rate_ml_per_hour is None:
            changes["rate_ml_per_hour"] = written.rate
    return given.model_copy(update=changes) if changes else given


def _drug(given: Administration, book: Book, *, documented: bool | None) -> DrugFacts:
    row = book.drug(given.hcpcs, given.ndc, given.drug)
    if given.drug is not None and given.route in PARENTERAL_ROUTES:
        # A name that says by mouth beside another route leaves open what was given.
        row = None if book.names.look_up(given.drug).oral else row
    if row is None:
        return _unknown_drug(given, book)
    return _known_drug(given, row, book, documented=documented)


def _unknown_drug(given: Administration, book: Book) -> DrugFacts:
    """A drug that the table does not hold; what is written is the same drug where it is alike."""
    named = given.drug is not None or given.hcpcs is not None or given.ndc is not None
    written = " ".join((given.drug or "").casefold().split())
    fluid = given.purpose == "hydration"
    return DrugFacts(
        category=given.category or ("hydration" if fluid else "therapeutic"),
        stated_category=given.category,
        table_category=None,
        drug_known=False if named else None,
        # Where nothing is written each administration is a drug of its own.
        drug_key=written or given.hcpcs or given.ndc or f"\0{given.id}",
        usual_techniques=None,
        ended_hcpcs=False,
        hcpcs_successor=None,
        status_indicator=_status(given, book),
        row=None,
    )


def _status(given: Administration, book: Book) -> str | None:
    return book.status_indicator(given.hcpcs) if given.hcpcs is not None else None


def _known_drug(
    given: Administration, row: DrugRow, book: Book, *, documented: bool | None
) -> DrugFacts:
    # Some biologics are complex by vein, and by injection only where the record shows that work.
    shown = documented and book.policy.complex_biologic_mode == "documented_factors"
    injected = row.category_injection if given.route in INJECTED_ROUTES and not shown else None
    category = injected or row.category
    # Payers differ on whether two formulations of one generic are the same drug.
    by_code = book.policy.same_drug_formulation == "same_hcpcs" and given.hcpcs
    ended = (
        row.ended is not None
        and given.hcpcs is not None
        and book.date is not None
        and row.ended < book.date
    )
    return DrugFacts(
        # The chart beats the table (DESIGN section 3, step 1); a rule reports where they differ.
        category=given.category or category,
        stated_category=given.category,
        table_category=category,
        drug_known=True,
        drug_key=by_code or row.key,
        usual_techniques=row.techniques,
        ended_hcpcs=ended,
        hcpcs_successor=row.successor if ended else None,
        status_indicator=_status(given, book),
        row=row,
    )


def _reason(given: Administration, category: str, book: Book) -> Reason | None:
    """Why an administration earns nothing by its purpose or the class of its drug."""
    purpose = given.purpose
    if purpose == "drug_carrier":
        # A fluid that only carries a drug is part of its infusion (CPT), unless a policy says else.
        fine = book.policy.hydration_facilitates_drug == "billable_with_order"
        return None if fine and given.ordered else "drug_carrier"
    if purpose == "procedure":
        sedated = category == "anesthesia"
        rule = book.policy.sedation_drug_push if sedated else book.policy.postop_pain_push
        if rule == "not_billable":
            return "procedure"
        return None if sedated else _BY_CATEGORY.get(category)
    # Thrombolytics for a clot have a code of their own, whatever class the drug is.
    if purpose == "declotting":
        return None
    if purpose in _BY_PURPOSE:
        return _BY_PURPOSE[purpose]
    return _BY_CATEGORY.get(category)


def _family(drug: DrugFacts, encounter: Encounter, book: Book) -> Family | None:
    if drug.category != "complex_biologic":
        return _OWN_FAMILY.get(drug.category)
    mode = book.policy.complex_biologic_mode
    # Where nobody documented, it stays complex, and ``questions`` asks (DESIGN section 3, step 1).
    simple = (
        mode == "always_simple"
        or (mode == "drug_list" and drug.table_category != "complex_biologic")
        or (mode == "documented_factors" and encounter.complexity_documented is False)
    )
    return "therapeutic" if simple else "chemotherapy"
