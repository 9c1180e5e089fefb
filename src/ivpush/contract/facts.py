"""The facts that a rule may name: one class a scope, typed and documented.

The same slotted records carry an encounter through services, derivation and reconciliation, so a
rule reads what the engine worked with and nothing is copied. A fact whose type admits None may be
unknown. Fields of the contract are facts too: a scope with ``given`` offers every field of that
model beside its own. ``docs/vocabulary.md`` is generated from here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision

__all__ = [
    "AdministrationFacts",
    "ClaimFacts",
    "EncounterFacts",
    "LineFacts",
    "ServiceFacts",
    "SuggestionFacts",
    "SupervisionFacts",
]

Family = Literal["hydration", "therapeutic", "chemotherapy"]
LineStatus = Literal["matched", "changed", "unsupported", "outside"]
Reason = Literal[
    "anesthesia",
    "before_reported_gap",
    "blood",
    "bolus_of_infusion",
    "concurrent_already_reported",
    "contrast",
    "drug_carrier",
    "facilitates_drug",
    "flush",
    "hydration_too_short",
    "imaging",
    "keep_open",
    "no_code",
    "no_supervision",
    "no_time",
    "not_parenteral",
    "packaged",
    "postoperative",
    "procedure",
    "professional_in_facility",
    "repeat_not_reportable",
    "route_missing",
    "stop_missing",
    "transfusion",
    "vaccine",
    "within_first_hour",
]


class AdministrationFacts:
    """One administration of the chart, with what was worked out about it."""

    given: Administration
    index: Annotated[int, "position in the chart, from 0"]
    category: Annotated[
        Literal[
            "therapeutic",
            "chemotherapy",
            "complex_biologic",
            "hydration",
            "vaccine",
            "contrast",
            "flush",
            "blood",
            "anesthesia",
        ],
        "class of the drug used: the stated one, else the drug table's by route, else therapeutic",
    ]
    stated_category: Annotated[str | None, "class written in the chart"]
    table_category: Annotated[str | None, "class the drug table gives for this drug and route"]
    drug_known: Annotated[bool | None, "the drug table holds it; unknown where no drug is named"]
    drug_key: Annotated[str, "what counts as the same drug: generic name, or HCPCS code by policy"]
    usual_techniques: Annotated[
        frozenset[str] | None, "techniques the drug table calls usual: push, infusion, im, sc …"
    ]
    ended_hcpcs: Annotated[bool, "its HCPCS code was no longer valid on the service date"]
    hcpcs_successor: Annotated[str | None, "HCPCS code that replaced an ended one"]
    family: Annotated[
        Family | None, "code family it belongs to; unknown where its category has none"
    ]
    technique: Annotated[
        Literal[
            "infusion",
            "push",
            "injection",
            "sc_infusion",
            "ia_injection",
            "ia_push",
            "ia_infusion",
            "ia_pump",
            "pump",
            "on_body_injector",
            "pump_refill",
            "port_flush",
            "declotting",
            "intralesional",
            "pleural",
            "peritoneal",
            "intrathecal",
            "reservoir",
        ]
        | None,
        "technique by route and running minutes, else as charted",
    ]
    running_minutes: Annotated[
        int | None, "whole minutes it ran: by the clock, else as stated, else computed by policy"
    ]
    clock_minutes: Annotated[int | None, "whole minutes between a usable start and stop"]
    minutes_from: Annotated[
        Literal["clock", "stated", "volume_and_rate", "last_seen_running"] | None,
        "where running_minutes comes from",
    ]
    start_usable: Annotated[bool, "a start time counts: charted, pump or calculated"]
    stop_usable: Annotated[bool, "a stop time counts and is not before the start"]
    time_naive: Annotated[bool, "a time has no offset, and the encounter no time zone"]
    stop_before_start: Annotated[bool, "the stop lies before the start", ".start .stop timezone"]
    time_nonexistent: Annotated[bool, "a time skipped when clocks went forward"]
    time_ambiguous: Annotated[bool, "a time that happened twice when clocks went back"]
    outside_encounter: Annotated[
        bool | None, "it starts before the encounter or stops after it; unknown without both times"
    ]
    continues_other_drug: Annotated[bool, "it is charted as going on with a run of another drug"]
    overlaps_attended: Annotated[
        bool, "another attended push by the same performer overlaps this one by a minute or more"
    ]
    billable: Annotated[bool, "it stands in a suggested line"]
    reason: Annotated[Reason | None, "why it is not billable; unknown where it is billable"]
    site_named: Annotated[bool, "the access site is charted"]
    separate_site: Annotated[bool, "its site has a documented need of its own"]
    reason_is_convenience: Annotated[bool, "the reason given for its site is mere convenience"]
    gap_minutes: Annotated[
        int | None, "minutes from the start of the last reported push of this drug to this push"
    ]
    same_drug_infused: Annotated[bool, "the drug is also infused in the same chain"]
    repeat: Annotated[bool, "a push of a drug that its chain already had"]
    hydration_minutes: Annotated[
        int | None, "hydration: minutes that no drug infusion shares on that line, all stretches"
    ]
    required_level: Annotated[str | None, "supervision level this service needs"]
    __slots__ = (
        *(n for n in list(__annotations__)),
        "drug_keys",
        "order",
        "row",
        "site",
        "service",
        "seen_seconds",
        "span",
        "start_seconds",
        "why",
        "visit",
        "total_minutes",
        "run",
        "chain",
    )
    seen_seconds: int | None
    start_seconds: int | None
    span: tuple[int, int] | None
    order: tuple[bool, int, int, str]
    """Where it stands in time: start, stop, id; without a usable start last."""
    site: str
    visit: int
    drug_keys: frozenset[str]
    row: Any
    service: ServiceFacts | None
    why: str
    total_minutes: int | None
    run: int
    chain: int


class ServiceFacts:
    """One service of the encounter: a drug given by one technique in one chain."""

    family: Annotated[Family, "code family"]
    technique: Annotated[str, "technique, as in codes.yaml"]
    role: Annotated[
        Literal[
            "initial",
            "sequential",
            "repeat",
            "concurrent",
            "further_hour",
            "additional_site",
            "stand_alone",
            "pump_start",
        ]
        | None,
        "role in its chain; unknown where it earns no code",
    ]
    code: Annotated[str | None, "code that names it; unknown where it earns none"]
    minutes: Annotated[int | None, "minutes that count"]
    rank: Annotated[int | None, "rank in the hierarchy, 1 highest"]
    chain: Annotated[int, "number of its chain, from 0"]
    administrations: tuple[AdministrationFacts, ...]
    __slots__ = (
        "administrations",
        "because",
        "chain",
        "code",
        "drugs",
        "extra",
        "family",
        "further",
        "lead",
        "minutes",
        "order",
        "rank",
        "role",
        "row",
        "spans",
        "start",
        "technique",
    )  # fmt: skip
    drugs: frozenset[str]
    because: str
    extra: Any
    spans: list[tuple[int, int]]
    start: int | None
    row: Any
    further: int
    order: tuple[Any, ...]
    lead: AdministrationFacts


class LineFacts:
    """One billed line, with the columns of its code and what the chart supports."""

    given: ClaimLine
    index: Annotated[int, "position in the claim, from 0"]
    service_date: Annotated[date | None, "date of the line, else of the encounter"]
    modifiers: Annotated[frozenset[str], "its modifiers, in no order"]
    known: Annotated[bool, "the pack knows the code, valid or not"]
    valid: Annotated[
        bool | None, "the code is valid on the service date; unknown to the pack: null"
    ]
    ended: Annotated[bool, "the code was deleted before the service date"]
    too_early: Annotated[bool, "the code begins after the service date"]
    successors: Annotated[frozenset[str], "codes that replaced a deleted one"]
    in_family: Annotated[bool, "an administration code: hydration, therapeutic, chemotherapy, port"]
    family: Annotated[str | None, "column family of codes.yaml"]
    technique: Annotated[str | None, "column technique of codes.yaml"]
    role: Annotated[str | None, "column role of codes.yaml"]
    variant: Annotated[str | None, "column variant of codes.yaml"]
    label: Annotated[str | None, "short label of the code"]
    settings: Annotated[frozenset[str] | None, "settings in which the code may be billed at all"]
    primaries: Annotated[
        frozenset[str] | None, "codes that an add-on may hang on (CMS); unknown before the table"
    ]
    is_add_on: Annotated[bool | None, "CMS lists primaries for it; unknown before the table"]
    mue: Annotated[int | None, "units a day that CMS holds plausible, for this kind of claim"]
    mai: Annotated[
        int | None,
        "MUE adjudication indicator: 2 absolute, 3 appealable, 0 none; unknown before the table",
    ]
    payer_max: Annotated[int | None, "the payer's own most units a day"]
    day_units: Annotated[int, "units of this code on that day, over all lines"]
    suggested_units: Annotated[
        int | None, "units of this code the chart supports that day, over all lines"
    ]
    status: Annotated[LineStatus | None, "how it compares with the chart; unknown without a chart"]
    supported_units: Annotated[int | None, "units of this line that the chart supports"]
    replaced_by: Annotated[str | None, "code that the chart supports in its place"]
    replaced_role: Annotated[str | None, "role of the code that the chart supports in its place"]
    date_differs: Annotated[bool | None, "dated on another day than the chart; unknown, no chart"]
    family_range: Annotated[bool, "numbered like the administration codes", ".code"]
    suggested_modifiers: Annotated[frozenset[str], "modifiers that the chart asks for"]
    separate: Annotated[
        bool, "carries a modifier that says distinct service, as listed in modifiers.yaml"
    ]
    separate_modifiers: Annotated[int, "how many such modifiers it carries"]
    lifts_pair: Annotated[bool, "carries a modifier that lifts an NCCI pair of indicator 1"]
    outside_encounter: Annotated[
        bool | None, "dated before the encounter began or after it ended; unknown without both"
    ]
    visit_modifier: Annotated[bool, "carries the modifier of a separate visit"]
    needless_modifier: Annotated[
        bool | None, "carries a distinct-service modifier that nothing asks for; unknown, no chart"
    ]
    missing_modifier: Annotated[
        bool | None,
        "lacks the distinct-service modifier that the chart supports; unknown, no chart",
    ]
    never_beside: Annotated[
        frozenset[str] | None,
        "billed that day: NCCI column-1 codes, indicator 0, of this code; unknown before the table",
    ]
    modifier_beside: Annotated[
        frozenset[str] | None,
        "billed that day: NCCI column-1 codes, indicator 1, of this code; unknown before the table",
    ]
    repeats_line: Annotated[bool, "an earlier line has its code, modifiers, date and units"]
    pointer_beyond: Annotated[bool, "points to a diagnosis that the claim does not hold"]
    is_drug: Annotated[bool, "the code of a drug in the drug table"]
    drug_ended: Annotated[bool, "the drug's code ended before the service date"]
    drug_successor: Annotated[str | None, "code that replaced the drug's ended one"]
    drug_given: Annotated[bool | None, "the chart gives this drug; unknown without a chart"]
    dose_units: Annotated[
        int | None, "billing units of the charted doses; unknown where one is not charted"
    ]
    drug_day_units: Annotated[
        int | None, "units of this drug that day, the discarded amount apart; unknown: no drug"
    ]
    ndc_digits: Annotated[int | None, "digits of the line's NDC; unknown without one"]
    ndc_code: Annotated[str | None, "code of the line's NDC by the CMS crosswalk"]
    facility_place: Annotated[bool | None, "its place of service is a facility, by policy"]
    administrations: Annotated[
        tuple[AdministrationFacts, ...] | None,
        "what it bills: as linked, else as reconciled; unknown without a chart",
    ]
    service: Annotated[
        ServiceFacts | None, "the service it bills, as linked or reconciled; may be unknown"
    ]
    __slots__ = (*(n for n in list(__annotations__)), "billed", "matches", "open_units", "row")
    billed: ClaimLine
    """The line itself, as it goes out again; ``given`` is there to be read."""
    row: Any
    matches: list[int]
    open_units: int


class SuggestionFacts:
    """One suggested line, with what was billed for it."""

    code: Annotated[str, "code"]
    label: Annotated[str, "short label of the code"]
    role: Annotated[str, "column role of codes.yaml"]
    family: Annotated[str, "column family of codes.yaml"]
    units: Annotated[int, "units the chart supports"]
    modifiers: Annotated[frozenset[str], "modifiers the chart asks for"]
    billed_units: Annotated[int | None, "units billed for it; unknown without a claim"]
    missed_units: Annotated[int | None, "units not billed; unknown without a claim"]
    mue: Annotated[int | None, "units a day that CMS holds plausible, for this kind of claim"]
    administrations: tuple[AdministrationFacts, ...]
    __slots__ = tuple(__annotations__)


class ClaimFacts:
    """The claim as a whole."""

    codes: Annotated[frozenset[str], "every code billed"]
    initial_units: Annotated[
        int, "units of initial codes of a vein, pump starts apart, without a distinct modifier"
    ]
    separate_initial_units: Annotated[int, "the same with a distinct-service modifier"]
    concurrent_units: Annotated[int, "units of concurrent infusion codes"]
    family_units: Annotated[int, "units of administration codes"]
    initial_codes: Annotated[frozenset[str], "initial codes billed, pump starts apart"]
    lines: tuple[LineFacts, ...]
    __slots__ = tuple(__annotations__)


class SupervisionFacts:
    """Supervision as documented, beside what the service date asks."""

    given: Supervision
    required_level: Annotated[str | None, "level required of these services on that date"]
    allowed_modes: Annotated[frozenset[str] | None, "modes that count on that date"]
    level_met: Annotated[bool | None, "the documented level reaches the required one", "", ".level"]
    mode_met: Annotated[bool | None, "the documented mode counts on that date", "", ".mode"]
    met: Annotated[
        bool | None,
        "level, mode and presence are all met",
        "",
        ".level .mode .provider_present",
    ]
    __slots__ = (*(n for n in list(__annotations__)),)


class EncounterFacts:
    """The encounter, its claim and what was suggested."""

    given: Encounter
    date: Annotated[date | None, "service date"]
    charted: Annotated[bool, "a chart came with it"]
    billed: Annotated[bool, "a claim came with it"]
    facility_place: Annotated[bool | None, "its place of service is a facility, by policy"]
    bill_use: Annotated[
        Literal["billable", "packaged", "not_billable"] | None,
        "what its type of bill makes of these services; unknown where not stated",
    ]
    payer_known: Annotated[bool | None, "an overlay for its payer exists; unknown: no payer"]
    tables_past_quarter: Annotated[
        bool, "the service date lies past the quarter of a CMS table in use"
    ]
    initial_by: Annotated[
        Literal["hierarchy", "primary_reason", "fallback", "first_given"] | None,
        "what decided the initial service; unknown where there is none",
    ]
    primary_needed: Annotated[
        bool, "professional, more than one kind of service, and no primary reason named"
    ]
    chains: Annotated[int, "chains: one, and one more for each further site or visit"]
    undocumented_sites: Annotated[int, "further sites whose need is not documented"]
    visits: Annotated[int, "visits told apart"]
    complexity_asked: Annotated[
        bool, "a complex biologic's family rests on undocumented complexity"
    ]
    suggested_codes: Annotated[frozenset[str] | None, "codes suggested; unknown without a chart"]
    initial_code: Annotated[str | None, "initial code of the first chain"]
    questions: Annotated[int, "open questions"]
    questions_cut: Annotated[bool, "there may be more than were asked: a long stay is cut short"]
    diagnosis_codes: Annotated[frozenset[str], "its diagnoses, without dots", "diagnoses"]
    diagnosis_letters: Annotated[
        frozenset[str], "first letters of its diagnoses, such as C for malignant ones", "diagnoses"
    ]
    first_diagnosis: Annotated[str | None, "its first diagnosis, without the dot", "diagnoses"]
    administrations: Annotated[tuple[AdministrationFacts, ...] | None, "the chart"]
    supervision: SupervisionFacts
    claim: ClaimFacts
    lines: Annotated[tuple[LineFacts, ...] | None, "the claim's lines; unknown without a claim"]
    services: Annotated[tuple[ServiceFacts, ...], "services derived"]
    suggestions: Annotated[tuple[SuggestionFacts, ...], "suggested lines"]
    __slots__ = (*(n for n in list(__annotations__)), "allowed", "fallback")
    allowed: bool
    fallback: bool
