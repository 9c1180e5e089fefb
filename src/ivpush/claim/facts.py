"""Facts of the claim, the suggested lines and the whole encounter, as rules read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivpush.contract.facts import ClaimFacts, EncounterFacts, LineFacts, SuggestionFacts

if TYPE_CHECKING:
    from ivpush.claim.matching import Matching
    from ivpush.coding.derivation import Derived
    from ivpush.coding.permission import Standing
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = [
    "encounter_facts",
    "suggestion_facts",
]

_VEIN = frozenset({"push", "infusion"})


def claim_facts(lines: list[LineFacts]) -> ClaimFacts:
    """The claim as a whole."""
    claim = ClaimFacts()
    claim.lines = tuple(lines)
    claim.codes = frozenset([line.given.code for line in lines])
    claim.initial_units = claim.separate_initial_units = 0
    claim.concurrent_units = claim.family_units = 0
    initial = set()
    for line in lines:
        units = line.given.units
        if line.in_family:
            claim.family_units += units
        if line.role == "initial" and line.technique in _VEIN:
            initial.add(line.given.code)
            if line.separate:
                claim.separate_initial_units += units
            else:
                claim.initial_units += units
        elif line.role == "concurrent":
            claim.concurrent_units += units
    claim.initial_codes = frozenset(initial)
    return claim


def suggestion_facts(
    drafts: list[Draft], matching: Matching | None, encounter: Encounter, book: Book
) -> tuple[SuggestionFacts, ...]:
    """One record a suggested line, with what was billed for it."""
    made = []
    for number, draft in enumerate(drafts):
        one, row = SuggestionFacts(), draft.row
        one.code, one.label, one.role, one.family = row.code, row.label, row.role, row.family
        one.units, one.modifiers = draft.units, frozenset(draft.modifiers)
        if matching is None:
            one.missed_units = None
        else:
            one.missed_units = _missed(number, matching) if matching.left[number] else 0
        one.billed_units = draft.units - one.missed_units if one.missed_units is not None else None
        mue = book.mue(row.code, encounter.setting)
        one.mue = mue[0] if mue is not None else None
        if draft.others is None:
            one.administrations = draft.service.administrations
        else:
            one.administrations = tuple(
                dict.fromkeys(o for s in draft.services for o in s.administrations)
            )
        made.append(one)
    return tuple(made)


def _missed(number: int, matching: Matching) -> int:
    """Units nobody billed; what was billed under a wrong code is not missed."""
    if number in matching.wrong:
        return 0
    left = matching.left[number]
    if matching.folded:
        left -= sum(units for into, units in matching.folded.values() if into == number)
    return max(0, left)


def encounter_facts(
    encounter: Encounter, derived: Derived, lines: list[LineFacts], standing: Standing, book: Book
) -> EncounterFacts:
    """The encounter with its chart, claim and standing; suggestions are added by the engine."""
    facts = EncounterFacts()
    charted, billed = encounter.administrations is not None, encounter.lines is not None
    facts.given, facts.date = encounter, encounter.service_date
    facts.charted, facts.billed = charted, billed
    facts.facility_place = standing.facility_place
    facts.bill_use = standing.bill_use  # type: ignore[assignment]
    facts.supervision, facts.claim = standing.supervision, claim_facts(lines)
    facts.payer_known, facts.tables_past_quarter = book.payer_known, book.tables_past_quarter
    facts.administrations = tuple(derived.facts) if charted else None
    facts.lines = tuple(lines) if billed else None
    facts.services = tuple(derived.services)
    facts.initial_by = derived.initial_by  # type: ignore[assignment]
    facts.chains, facts.undocumented_sites = len(derived.chains), derived.undocumented_sites
    facts.visits = len({one.visit for one in derived.facts})
    facts.primary_needed = _primary_needed(encounter, derived)
    facts.complexity_asked = False
    plain = [one.replace(".", "") for one in encounter.diagnoses]
    facts.first_diagnosis = plain[0] if plain else None
    facts.diagnosis_codes = frozenset(plain)
    facts.diagnosis_letters = frozenset([one[:1] for one in plain])
    main = next((chain for chain in derived.chains if chain.initial is not None), None)
    facts.initial_code = main.initial.code if main is not None and main.initial else None
    level = standing.supervision.required_level
    for one in derived.facts:
        one.required_level = level
    return facts


def _primary_needed(encounter: Encounter, derived: Derived) -> bool:
    """Professional, no primary reason named, and more than one service could have led."""
    if encounter.setting != "professional" or encounter.primary_administration is not None:
        return False
    return any(
        sum(s.role in {"initial", "sequential", "further_hour"} for s in chain.services) > 1
        for chain in derived.chains
    )
