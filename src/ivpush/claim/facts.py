"""Facts of the claim, the suggested lines and the whole encounter, as rules read them.

The engine calls these after the chart was coded and the claim matched with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ivpush.coding.techniques import BY_VEIN
from ivpush.contract.facts import ClaimFacts, EncounterFacts, LineFacts, SuggestionFacts

if TYPE_CHECKING:
    from ivpush.claim.matching import Matching
    from ivpush.coding.chart import CodedChart
    from ivpush.coding.derivation import Derived
    from ivpush.coding.questions import Asked
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.encounter import ClaimLine, Encounter
    from ivpush.pack.book import Book

__all__ = ["claim_facts", "encounter_facts", "suggestion_facts"]


def claim_facts(lines: Sequence[LineFacts]) -> ClaimFacts:
    """The claim as a whole."""
    # Pump starts stand beside the chain and are no initial (DESIGN section 3, step 3).
    initials = [
        line for line in lines if line.coded.role == "initial" and line.coded.technique in BY_VEIN
    ]
    return ClaimFacts(
        codes=frozenset([line.given.code for line in lines]),
        initial_units=_units(line for line in initials if not line.marks.separate),
        separate_initial_units=_units(line for line in initials if line.marks.separate),
        concurrent_units=_units(line for line in lines if line.coded.role == "concurrent"),
        family_units=_units(line for line in lines if line.coded.in_family),
        initial_codes=frozenset([line.given.code for line in initials]),
        given_instead=frozenset(
            [line.drug.given_instead for line in lines if line.drug.given_instead is not None]
        ),
        lines=tuple(lines),
    )


def _units(lines: Iterable[LineFacts]) -> int:
    return sum([line.given.units for line in lines])


def suggestion_facts(
    coded: CodedChart, matching: Matching | None, book: Book
) -> tuple[SuggestionFacts, ...]:
    """One record a suggested line, with what was billed for it; no matching: no claim."""
    return tuple(
        [
            _suggestion(draft, None if matching is None else matching.missed(number), coded, book)
            for number, draft in enumerate(coded.drafts)
        ]
    )


def _suggestion(draft: Draft, missed: int | None, coded: CodedChart, book: Book) -> SuggestionFacts:
    row = draft.row
    mue = book.mue(row.code, coded.encounter.setting)
    return SuggestionFacts(
        code=row.code,
        label=row.label,
        role=row.role,
        family=row.family,
        units=draft.units,
        modifiers=frozenset(draft.modifiers),
        # A suggestion billed under a wrong code counts as billed: it is no missed charge.
        billed_units=draft.units - missed if missed is not None else None,
        missed_units=missed,
        mue=mue[0] if mue is not None else None,
        administrations=draft.administrations,
    )


def encounter_facts(
    coded: CodedChart,
    lines: Sequence[LineFacts],
    suggestions: tuple[SuggestionFacts, ...],
    asked: Asked,
    book: Book,
) -> EncounterFacts:
    """The encounter with its chart, its claim, what is suggested and what is asked."""
    encounter, standing, derived = coded.encounter, coded.standing, coded.derived
    charted, billed = encounter.administrations is not None, encounter.lines is not None
    # Claims send ICD-10-CM without the dot (HI segment), charts write it.
    diagnoses = [code.replace(".", "") for code in encounter.diagnoses or ()]
    nobody_said = encounter.diagnoses is None
    return EncounterFacts(
        given=encounter,
        date=encounter.service_date,
        charted=charted,
        billed=billed,
        facility_place=standing.facility_place,
        bill_use=standing.bill_use,
        payer_known=book.payer_known,
        initial_by=derived.initial_by,
        primary_needed=_primary_needed(encounter, derived),
        chains=len(derived.chains),
        undocumented_sites=derived.undocumented_sites,
        visits=len({each.visit for each in derived.administrations}),
        complexity_asked=any(
            question.missing == "complexity_documented" for question in asked.questions
        ),
        suggested_codes=frozenset([each.row.code for each in coded.drafts]) if charted else None,
        initial_code=_initial_code(derived),
        questions=len(asked.questions),
        questions_cut=asked.cut,
        diagnosis_codes=None if nobody_said else frozenset(diagnoses),
        diagnosis_letters=None if nobody_said else frozenset([code[:1] for code in diagnoses]),
        first_diagnosis=diagnoses[0] if diagnoses else None,
        administrations=tuple(derived.administrations) if charted else None,
        supervision=standing.supervision,
        claim=claim_facts(lines),
        lines=tuple(lines) if billed else None,
        services=tuple(derived.services),
        suggestions=suggestions,
        # Each finding asks, and each answer would look at the whole chart.
        shaped_by=cache(lambda: frozenset(_shaped_by(coded, book))),
    )


def _shaped_by(coded: CodedChart, book: Book) -> Iterator[str]:
    """The fields beside the chart that its coding rests on, where they made a difference."""
    standing, derived, lines = coded.standing, coded.derived, coded.encounter.lines or ()
    if any(chain.initial_by == "primary_reason" for chain in derived.chains):
        yield "primary_administration"
    if any(each.drug.category == "complex_biologic" for each in derived.administrations):
        yield "complexity_documented"
    if standing.unsupervised:
        yield "supervision"
    if standing.in_facility:
        yield "place_of_service"
    if standing.denied is not None or book.bill_decides(coded.encounter):
        yield "type_of_bill"
    # Of several chains the claim may say which is the unmarked one.
    if len(derived.chains) > 1 or any(_stands_beside(line, book) for line in lines):
        yield "lines"


def _stands_beside(line: ClaimLine, book: Book) -> bool:
    """Whether a line may settle what was charted: it is neither an administration nor a drug."""
    row = book.code_any(line.code)
    return line.code not in book.drugs and (row is None or not row.administration)


def _initial_code(derived: Derived) -> str | None:
    """The initial code of the first chain that has one."""
    return next((chain.initial.code for chain in derived.chains if chain.initial is not None), None)


def _primary_needed(encounter: Encounter, derived: Derived) -> bool:
    """Professional, no primary reason named, and more than one service could have led."""
    if encounter.setting != "professional" or encounter.primary_administration is not None:
        return False
    # Repeats and concurrent drips can never lead, whatever the reason was.
    leading = {"initial", "sequential", "further_hour"}
    return any(
        sum(service.role in leading for service in chain.services) > 1 for chain in derived.chains
    )
