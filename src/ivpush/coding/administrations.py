"""From the chart to services: category, technique and minutes of each administration.

The first step of the derivation (DESIGN section 3, step 1). Everything that differs by source is
read from the book's policies; every number from its limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dateutil import tz

from ivpush.coding.techniques import INJECTED_ROUTES, set_technique
from ivpush.coding.times import join_runs, mark_attended, read_times
from ivpush.contract.encounter import plain
from ivpush.contract.facts import AdministrationFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Administration, Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.drugs import DrugRow

__all__ = [
    "read_chart",
]


_BY_PURPOSE = {"keep_open": "keep_open", "flush": "flush", "imaging": "imaging"}
_BY_CATEGORY = {"contrast": "contrast", "flush": "flush", "blood": "blood", "vaccine": "vaccine",
                "anesthesia": "anesthesia"}  # fmt: skip
_OWN_FAMILY = frozenset({"therapeutic", "chemotherapy", "hydration"})


def read_chart(encounter: Encounter, book: Book, denied: str | None) -> list[AdministrationFacts]:
    """One record an administration, in chart order.

    ``denied`` is the reason for which nothing of this encounter is billable, if there is one.
    """
    zone = tz.gettz(encounter.timezone) if encounter.timezone is not None else None
    charted = encounter.administrations or ()
    transfused = _transfused(encounter, book)
    facts = []
    for index, given in enumerate(map(plain, charted)):
        one = _blank(given, index)
        read_times(one, zone, encounter)
        _read_drug(one, book)
        if denied is not None or given.purpose is not None:
            one.reason = denied or _reason_by_purpose(one, book, transfused)  # type: ignore[assignment]
        else:
            one.reason = _BY_CATEGORY.get(one.category)  # type: ignore[assignment]
        category = one.category
        own = category in _OWN_FAMILY
        one.family = category if own else _family(one, encounter, book)  # type: ignore[assignment]
        facts.append(one)
    if len(facts) > 1:
        join_runs(facts)
        mark_attended(facts)
    for one in facts:
        set_technique(one, book)
    return facts


def _blank(given: Administration, index: int) -> AdministrationFacts:
    one = AdministrationFacts()
    one.given, one.index = given, index
    one.billable = one.separate_site = one.reason_is_convenience = False
    one.same_drug_infused = one.repeat = one.overlaps_attended = False
    one.continues_other_drug = False
    one.gap_minutes = one.hydration_minutes = one.required_level = None
    one.service = one.technique = None
    one.site, one.site_named, one.why = given.site or "", given.site is not None, ""
    one.visit, one.run, one.chain = given.visit or 1, index, 0
    return one


def _read_drug(one: AdministrationFacts, book: Book) -> None:
    given = one.given
    row: DrugRow | None = book.drugs.get(given.hcpcs)  # type: ignore[arg-type]
    if row is None:
        row = book.drug(given.hcpcs, given.ndc, given.drug)
    one.row, one.stated_category = row, given.category
    if row is None:
        named = given.drug is not None or given.hcpcs is not None or given.ndc is not None
        one.drug_known = False if named else None
        one.table_category = one.usual_techniques = one.hcpcs_successor = None
        one.ended_hcpcs = False
        written = " ".join((given.drug or "").casefold().split())
        one.drug_key = written or given.hcpcs or given.ndc or f"\0{given.id}"
        one.category = given.category or (
            "hydration" if given.purpose == "hydration" else "therapeutic"
        )
    else:
        one.drug_known, one.usual_techniques = True, row.techniques
        injected = row.category_injection and given.route in INJECTED_ROUTES
        one.table_category = row.category_injection if injected else row.category
        one.ended_hcpcs = bool(
            row.ended is not None
            and given.hcpcs
            and book.date is not None
            and row.ended < book.date
        )
        one.hcpcs_successor = row.successor if one.ended_hcpcs else None
        by_code = book.policy.same_drug_formulation == "same_hcpcs" and given.hcpcs
        one.drug_key = given.hcpcs if by_code and given.hcpcs else row.key
        one.category = given.category or one.table_category  # type: ignore[assignment]
    one.drug_keys = frozenset((one.drug_key,))


def _transfused(encounter: Encounter, book: Book) -> bool:
    """Whether blood was given, by the chart or by a billed transfusion."""
    if "premedication" not in [one.purpose for one in encounter.administrations or ()]:
        return False
    if any(a.category == "blood" for a in encounter.administrations or ()):
        return True
    rows = (book.code_any(line.code) for line in encounter.lines or ())
    return any(row is not None and row.family == "transfusion" for row in rows)


def _reason_by_purpose(one: AdministrationFacts, book: Book, transfused: bool) -> str | None:
    given, policy = one.given, book.policy
    purpose = given.purpose
    if purpose is not None:
        if purpose == "drug_carrier":
            fine = policy.hydration_facilitates_drug == "billable_with_order"
            return None if fine and given.ordered else "drug_carrier"
        if purpose == "procedure":
            sedated = one.category == "anesthesia"
            rule = policy.sedation_drug_push if sedated else policy.postop_pain_push
            return "procedure" if rule == "not_billable" else None
        if purpose == "premedication" and transfused:
            return "transfusion" if policy.transfusion_premed == "not_billable" else None
        if purpose in _BY_PURPOSE:
            return _BY_PURPOSE[purpose]
        if purpose == "declotting":
            return None
    return _BY_CATEGORY.get(one.category)


def _family(one: AdministrationFacts, encounter: Encounter, book: Book) -> str | None:
    category = one.category
    if category == "complex_biologic":
        mode = book.policy.complex_biologic_mode
        if mode == "always_simple":
            return "therapeutic"
        if mode == "drug_list":
            listed = one.table_category == "complex_biologic"
            return "chemotherapy" if listed else "therapeutic"
        if mode == "documented_factors" and encounter.complexity_documented is False:
            return "therapeutic"
        return "chemotherapy"
    if category == "anesthesia":
        return "therapeutic"
    return None
