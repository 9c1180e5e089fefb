"""Facts of the whole encounter, as rules read them; the records of its parts stand beside it.

A fact whose type admits None may be unknown. Fields of the contract are facts too: a scope with
``given`` offers every field of that model beside its own. ``language.vocabulary`` reads the names,
kinds and meanings of facts off these classes, and ``docs/vocabulary.md`` is made from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts
from ivpush.contract.claim_facts import ClaimFacts, LineFacts, SuggestionFacts
from ivpush.contract.encounter import Encounter, Supervision
from ivpush.contract.means import CHART, CODING, WORKING, Means

__all__ = [
    "AdministrationFacts",
    "BillUse",
    "ClaimFacts",
    "EncounterFacts",
    "LineFacts",
    "ServiceFacts",
    "SuggestionFacts",
    "SupervisionFacts",
]

BillUse = Literal["billable", "within_rate", "limited", "packaged", "not_billable"]
"""What a type of bill makes of these services.

``within_rate``: listed, but paid within the rate of the visit; ``limited``: paid for a few only.
"""


@dataclass(slots=True, eq=False, repr=False)
class SupervisionFacts:
    """Supervision as documented, beside what the service date asks."""

    RESTS_ON = ("supervision", "administrations", "type_of_bill")

    given: Supervision
    required_level: Annotated[
        str | None, Means("level required of these services on that date")
    ] = None
    allowed_modes: Annotated[frozenset[str] | None, Means("modes that count on that date")] = None
    level_met: Annotated[
        bool | None, Means("the documented level reaches the required one", lacks=(".level",))
    ] = None
    mode_met: Annotated[
        bool | None, Means("the documented mode counts on that date", lacks=(".mode",))
    ] = None
    met: Annotated[
        bool | None,
        Means(
            "level, mode and presence are all met",
            lacks=(
                ".level",
                ".mode",
                ".provider_present",
            ),
        ),
    ] = None


@dataclass(slots=True, eq=False, repr=False)
class EncounterFacts:
    """The encounter, its claim and what was suggested."""

    RESTS_ON = (*CODING, "lines")

    given: Encounter
    date: Annotated[date | None, Means("service date", rests_on=("date",))]
    charted: Annotated[bool, Means("a chart came with it", rests_on=("administrations",))]
    billed: Annotated[bool, Means("a claim came with it", rests_on=("lines",))]
    facility_place: Annotated[
        bool | None,
        Means(
            "its place of service is a facility, by policy",
            rests_on=("place_of_service",),
            tables=("pos",),
        ),
    ]
    bill_use: Annotated[
        BillUse | None,
        Means(
            "what its type of bill makes of these services; unknown where not stated",
            rests_on=("type_of_bill",),
            tables=("tob",),
        ),
    ]
    payer_known: Annotated[
        bool | None,
        Means("an overlay for its payer exists; unknown: no payer", rests_on=("payer",)),
    ]
    initial_by: Annotated[
        Literal["hierarchy", "primary_reason", "fallback", "first_given"] | None,
        Means("what decided the initial service; unknown where there is none"),
    ]
    primary_needed: Annotated[
        bool, Means("professional, more than one kind of service, and no primary reason named")
    ]
    chains: Annotated[int, Means("chains: one, and one more for each further site or visit")]
    undocumented_sites: Annotated[int, Means("further sites whose need is not documented")]
    visits: Annotated[int, Means("visits told apart")]
    complexity_asked: Annotated[
        bool, Means("a complex biologic's family rests on undocumented complexity")
    ]
    suggested_codes: Annotated[
        frozenset[str] | None, Means("codes suggested; unknown without a chart")
    ]
    initial_code: Annotated[str | None, Means("initial code of the first chain")]
    questions: Annotated[int, Means("open questions")]
    questions_cut: Annotated[
        bool, Means("there may be more than were asked: a long stay is cut short")
    ]
    diagnosis_codes: Annotated[
        frozenset[str] | None,
        Means("its diagnoses, without dots", rests_on=("diagnoses",), lacks=(".diagnoses",)),
    ]
    diagnosis_letters: Annotated[
        frozenset[str] | None,
        Means(
            "first letters of its diagnoses, such as C for malignant ones",
            rests_on=("diagnoses",),
            lacks=(".diagnoses",),
        ),
    ]
    first_diagnosis: Annotated[
        str | None, Means("its first diagnosis, without the dot", rests_on=("diagnoses",))
    ]
    administrations: Annotated[
        tuple[AdministrationFacts, ...] | None, Means("the chart", rests_on=CHART, lacks=CHART)
    ]
    supervision: SupervisionFacts
    claim: ClaimFacts
    lines: Annotated[
        tuple[LineFacts, ...] | None,
        Means("the claim's lines; unknown without a claim", rests_on=("lines",)),
    ]
    services: Annotated[tuple[ServiceFacts, ...], Means("services derived")]
    suggestions: Annotated[tuple[SuggestionFacts, ...], Means("suggested lines")]
    shaped_by: Annotated[Callable[[], frozenset[str]], WORKING]
    """Gives, of ``means.SHAPING`` and the lines, those without which the chart is coded otherwise.

    Only what was found asks for it, and most claims have nothing.
    """
