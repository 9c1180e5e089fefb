"""The facts of one encounter, linked for the rules: claim, lines, suggestions, standing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ivpush.contract.encounter import plain
from ivpush.contract.facts import ClaimFacts, EncounterFacts, LineFacts, SuggestionFacts
from ivpush.druglines import read_drug_lines

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.permission import Standing
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book
    from ivpush.reconcile import Matching

__all__ = ["encounter_facts", "line_facts", "suggestion_facts"]

_VEIN = frozenset({"push", "infusion"})
_NONE: frozenset[str] = frozenset()


def line_facts(encounter: Encounter, book: Book) -> list[LineFacts]:
    """One record a billed line, with the columns of its code; nothing about the chart yet."""
    day, setting, columns = encounter.service_date, encounter.setting, book.columns
    diagnoses, stay = len(encounter.diagnoses), _stay(encounter)
    lines: list[LineFacts] = []
    units: dict[tuple[str, date | None], int] = {}
    seen: set[tuple[object, ...]] = set()
    for index, billed_line in enumerate(encounter.lines or ()):
        line, given = LineFacts(), plain(billed_line)
        code, date, pointers = given.code, given.date, given.diagnosis_pointers
        line.given, line.billed, line.index = given, billed_line, index
        line.service_date = date if date is not None else day
        billed = (code, line.service_date)
        units[billed] = units.get(billed, 0) + given.units
        found = columns.get((code, setting))
        if found is None:
            found = columns[code, setting] = _columns_of(code, book, setting)
        (line.row, line.known, line.valid, line.in_family, line.family, line.technique, line.role,
         line.variant, line.label, line.settings, line.successors, line.family_range,
         line.primaries, line.is_add_on, line.mue, line.mai, line.payer_max,
         line.is_drug) = found  # fmt: skip
        line.ended = line.too_early = False
        if line.known and not line.valid:
            _ended(line, book)
        if given.modifiers:
            _modifiers(line, book)
        else:
            line.modifiers, line.separate_modifiers = _NONE, 0
            line.separate = line.visit_modifier = line.lifts_pair = False
        place = given.place_of_service or encounter.place_of_service
        line.facility_place = book.facility_place(place) if place is not None else None
        line.repeats_line = (key := (billed, line.modifiers, given.units)) in seen
        seen.add(key)
        line.pointer_beyond = bool(pointers) and max(pointers) > diagnoses
        line.outside_encounter = None
        if stay is not None and date is not None:
            line.outside_encounter = date < stay[0] or date > stay[1]
        _unmatched(line)
        lines.append(line)
    read_drug_lines(lines, encounter, book)
    _beside(lines, units, setting, book)
    return lines


def _stay(encounter: Encounter) -> tuple[date, date] | None:
    start, end = encounter.start, encounter.end
    return (start.date(), end.date()) if start is not None and end is not None else None


def _ended(line: LineFacts, book: Book) -> None:
    row, day = book.code_any(line.given.code), line.service_date
    assert row is not None
    line.ended = day is not None and row.valid_to is not None and row.valid_to < day
    line.too_early = day is not None and row.valid_from > day


def _modifiers(line: LineFacts, book: Book) -> None:
    line.modifiers = frozenset(line.given.modifiers)
    line.separate_modifiers = len(line.modifiers & book.separate_modifiers)
    line.visit_modifier = not line.modifiers.isdisjoint(book.visit_modifiers)
    line.lifts_pair = not line.modifiers.isdisjoint(book.lifting_modifiers)
    line.separate = line.separate_modifiers > 0


def _beside(
    lines: list[LineFacts], units: dict[tuple[str, date | None], int], setting: str, book: Book
) -> None:
    """Units of each line's code that day, and the NCCI column-1 codes billed beside it."""
    codes: dict[date | None, set[str]] = {}  # a frozenset & a set is a frozenset
    unlifted: dict[date | None, set[str]] = {}
    for code, on in units:
        codes.setdefault(on, set()).add(code)
    if True in [line.lifts_pair for line in lines]:
        for line in lines:
            if not line.lifts_pair:
                unlifted.setdefault(line.service_date, set()).add(line.given.code)
    else:
        unlifted = codes
    pairs = book.pairs if "ptp" in book.in_force else None
    for line in lines:
        code, on = line.given.code, line.service_date
        line.day_units = units[code, on]
        if pairs is None:
            line.never_beside = line.modifier_beside = None
            continue
        beside = pairs.get(setting, code)
        line.never_beside = line.modifier_beside = _NONE
        if beside is not None:
            line.never_beside = beside.never & codes[on]
            # A visit needs its own modifier, whatever the administration beside it carries.
            lifted = line.in_family and on is not None and on >= book.pairs_lifted_from
            able = unlifted if lifted else codes
            line.modifier_beside = beside.with_modifier & able.get(on, _NONE)


def _columns_of(code: str, book: Book, setting: str) -> tuple[Any, ...]:
    """What a line's facts take from its code alone, in the order in which they are set."""
    row = book.code(code)
    known = row if row is not None else book.code_any(code)
    primaries = book.primaries(code) if "addon" in book.in_force else None
    mue, mai = None, None
    if "mue" in book.in_force:
        mue, mai = book.mue(code, setting) or (None, 0)
    shown: tuple[Any, ...] = (None, False, None, False, None, None, None, None, None, None, _NONE)
    if known is not None:
        shown = (row, True, row is not None, known.administration, known.family, known.technique,
                 known.role, known.variant, known.label, known.settings,
                 frozenset(known.succeeded_by))  # fmt: skip
    add_on = None if primaries is None else bool(primaries)
    return (*shown, code[:3] in book.prefixes, primaries, add_on, mue, mai, book.payer_max(code),
            code in book.drugs)  # fmt: skip


def _unmatched(line: LineFacts) -> None:
    """What is known of a line before, or without, a chart; a drug's facts come after."""
    line.status = line.supported_units = line.suggested_units = line.replaced_by = None
    line.replaced_role = line.date_differs = None
    line.administrations = line.service = None
    line.missing_modifier = line.needless_modifier = None
    line.suggested_modifiers, line.matches = _NONE, []
    line.open_units = line.given.units
    line.drug_ended = False
    line.drug_successor = line.drug_given = line.dose_units = None
    line.drug_day_units = line.ndc_digits = line.ndc_code = None


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
