"""Facts of the claim: each billed line, each suggested line, and the claim as a whole.

``claim`` makes these records; rules read them. What the code of a line settles, what its modifiers
say, what its drug is and how it compares with the chart are records of their own.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts
from ivpush.contract.encounter import ClaimLine
from ivpush.contract.means import CHART, CODING, WORKING, Means, Part

__all__ = [
    "BesideFacts",
    "ClaimFacts",
    "CodedFacts",
    "DrugLineFacts",
    "LineFacts",
    "LineStatus",
    "MatchFacts",
    "ModifierFacts",
    "SuggestionFacts",
    "WasteFacts",
]

LineStatus = Literal["matched", "changed", "unsupported", "outside"]


@dataclass(slots=True, eq=False, repr=False)
class CodedFacts(Part):
    """What a line's code settles, for one date, kind of claim and payer."""

    RESTS_ON = (".code",)

    known: Annotated[bool, Means("the pack knows the code, valid or not")]
    valid: Annotated[
        bool | None, Means("the code is valid on the service date; unknown to the pack: null")
    ]
    in_family: Annotated[
        bool, Means("an administration code: hydration, therapeutic, chemotherapy, port")
    ]
    family: Annotated[str | None, Means("column family of codes.yaml")]
    technique: Annotated[str | None, Means("column technique of codes.yaml")]
    role: Annotated[str | None, Means("column role of codes.yaml")]
    variant: Annotated[str | None, Means("column variant of codes.yaml")]
    label: Annotated[str | None, Means("short label of the code")]
    settings: Annotated[
        frozenset[str] | None, Means("settings in which the code may be billed at all")
    ]
    successors: Annotated[frozenset[str], Means("codes that replaced a deleted one")]
    family_range: Annotated[
        bool, Means("numbered like the administration codes", rests_on=(".code",))
    ]
    # An add-on without its primary is not paid (NCCI add-on edits, type 1).
    primaries: Annotated[
        frozenset[str] | None,
        Means(
            "codes that an add-on may hang on (CMS); unknown before the table", tables=("addon",)
        ),
    ]
    is_add_on: Annotated[
        bool | None,
        Means("CMS lists primaries for it; unknown before the table", tables=("addon",)),
    ]
    mue: Annotated[
        int | None,
        Means("units a day that CMS holds plausible, for this kind of claim", tables=("mue",)),
    ]
    # Indicator 1 is judged line by line, 2 and 3 over all lines of the day.
    mai: Annotated[
        int | None,
        Means(
            "MUE adjudication indicator: 2 absolute, 3 appealable, 0 none; "
            "unknown before the table",
            tables=("mue",),
        ),
    ]
    payer_max: Annotated[int | None, Means("the payer's own most units a day")]
    is_drug: Annotated[bool, Means("the code of a drug in the drug table")]
    opps_status: Annotated[
        str | None,
        Means(
            "OPPS status indicator of the code; unknown where no release holds it", tables=("opps",)
        ),
    ]
    staff_in_facility: Annotated[
        bool,
        Means(
            "no practitioner is paid for it in a facility place, by fee schedule or payer",
            tables=("indicators",),
        ),
    ]
    incident_to: Annotated[
        bool,
        Means(
            "staff may do it under supervision; else it is the practitioner's own service",
            tables=("indicators",),
        ),
    ]


@dataclass(slots=True, eq=False, repr=False)
class ModifierFacts(Part):
    """What the modifiers of a line say."""

    RESTS_ON = (".modifiers",)

    modifiers: Annotated[frozenset[str], Means("its modifiers, in no order")] = frozenset()
    # 59 and X{EPSU} count alike on a pair of indicator 1 (DESIGN section 3, step 6).
    separate: Annotated[
        bool, Means("carries a modifier that says distinct service, as listed in modifiers.yaml")
    ] = False
    separate_modifiers: Annotated[int, Means("how many such modifiers it carries")] = 0
    lifts_pair: Annotated[
        bool, Means("carries a modifier that lifts an NCCI pair of indicator 1")
    ] = False
    visit_modifier: Annotated[bool, Means("carries the modifier of a separate visit")] = False


@dataclass(slots=True, eq=False, repr=False)
class DrugLineFacts(Part):
    """A line that bills a drug, beside the doses of the chart; the defaults are other lines'."""

    RESTS_ON = (".code",)

    drug_ended: Annotated[bool, Means("the drug's code ended before the service date")] = False
    drug_successor: Annotated[str | None, Means("code that replaced the drug's ended one")] = None
    successor_units: Annotated[
        int | None,
        Means(
            "billing units of the charted doses by the code that replaced the ended one",
            rests_on=(".code", "administrations", "lines"),
        ),
    ] = None
    drug_given: Annotated[
        bool | None,
        Means(
            "the chart gives this product; unknown without a chart, or where a drug is not read",
            rests_on=(".code", "administrations"),
        ),
    ] = None
    drugs_read: Annotated[
        bool, Means("every drug of its encounter is read; else one may be what it bills")
    ] = True
    drug_carries: Annotated[bool, Means("a fluid that carries other drugs, or flushes a line")] = (
        False
    )
    vaccine: Annotated[bool, Means("the code of a vaccine")] = False
    given_instead: Annotated[
        str | None,
        Means(
            "code of the product that the chart gives in its place and no line bills",
            rests_on=("lines", "administrations"),
        ),
    ] = None
    dose_units: Annotated[
        int | None,
        Means(
            "billing units of the charted doses; unknown where one is not charted",
            rests_on=(".code", "administrations", "lines"),
        ),
    ] = None
    drug_day_units: Annotated[
        int | None,
        Means(
            "units of this drug that day, the discarded amount apart; unknown: no drug",
            rests_on=("lines",),
        ),
    ] = None
    ndc_digits: Annotated[
        int | None, Means("digits of the line's NDC; unknown without one", rests_on=(".ndc",))
    ] = None
    ndc_padded: Annotated[
        str | None,
        Means(
            "its hyphenated NDC with the zero that a short part lacks; unknown: none is short",
            rests_on=(".ndc",),
        ),
    ] = None
    ndc_code: Annotated[
        str | None,
        Means("code of the line's NDC by the CMS crosswalk", rests_on=(".ndc",), tables=("ndc",)),
    ] = None


@dataclass(slots=True, eq=False, repr=False)
class WasteFacts(Part):
    """The discarded amount of a billed drug; the defaults are other lines'."""

    RESTS_ON = (".code", "administrations", "lines")

    discard_due: Annotated[
        bool | None,
        Means(
            "Medicare asks for a discard modifier on it, if its container is for a single dose: "
            "the place owes one and pays for the drug apart; unknown where no table says",
            rests_on=(".code", ".place_of_service", "type_of_bill", "place_of_service"),
            tables=("discards", "asp", "opps"),
        ),
    ] = None
    single_dose: Annotated[
        bool | None, Means("the charted doses came from single-dose containers")
    ] = None
    single_dose_listed: Annotated[
        bool,
        Means(
            "its code is listed as one that comes in single-dose containers only",
            rests_on=(".code",),
            tables=("singledose",),
        ),
    ] = False
    wasted_units: Annotated[
        int | None,
        Means("whole billing units of the charted discarded amounts; unknown where one is not"),
    ] = None
    none_wasted: Annotated[bool | None, Means("the chart says that nothing was discarded")] = None
    discard_billed: Annotated[
        int,
        Means(
            "units of this drug that day billed as discarded, over all lines",
            rests_on=(".code", "lines"),
        ),
    ] = 0
    discard_to_bill: Annotated[
        int | None,
        Means(
            "charted discarded units, at least one, not of a multiple-dose container; or unknown"
        ),
    ] = None
    used_up_marked: Annotated[
        bool,
        Means(
            "a line of this drug that day says that nothing was discarded",
            rests_on=(".code", "lines"),
        ),
    ] = False
    discard_marked: Annotated[
        bool,
        Means(
            "a line of this drug that day carries a discard modifier", rests_on=(".code", "lines")
        ),
    ] = False
    first_of_drug: Annotated[
        bool, Means("the first line of its drug that day", rests_on=(".code", "lines"))
    ] = False


@dataclass(slots=True, eq=False, repr=False)
class BesideFacts(Part):
    """What the claim bills in the line's own encounter; a claim may hold several."""

    RESTS_ON = ("lines",)

    encounter_codes: Annotated[
        frozenset[str],
        Means(
            "codes billed in its own encounter; of a hospital without a chart also those of dates "
            "that follow each other"
        ),
    ]
    # CPT allows one initial an encounter and access site; pump starts stand beside the chain.
    encounter_initial_units: Annotated[
        int,
        Means(
            "units of initial codes of a vein in its own encounter, pump starts apart, without a "
            "distinct modifier"
        ),
    ]
    encounter_concurrent_units: Annotated[
        int, Means("units of concurrent infusion codes in its own encounter")
    ]
    day_family_units: Annotated[int, Means("units of administration codes on its date")]
    encounter_initial_code: Annotated[
        str | None,
        Means(
            "initial code that the chart supports in its own encounter; unknown without one",
            rests_on=(*CODING, "lines"),
        ),
    ]
    part: Annotated[int | None, WORKING]
    """Number of the chart's encounter on its date."""


@dataclass(slots=True, eq=False, repr=False)
class MatchFacts(Part):
    """How a line compares with the chart; the defaults are those of a claim without one."""

    RESTS_ON = (".code", ".units", ".modifiers", ".date", ".administrations", "lines", *CODING)

    status: Annotated[
        LineStatus | None,
        Means("how it compares with the chart; unknown without a chart", lacks=CHART),
    ] = None
    supported_units: Annotated[
        int | None, Means("units of this line that the chart supports", lacks=CHART)
    ] = None
    # Parts over- from underbilling: only the first is money to pay back.
    beyond_chart: Annotated[
        bool | None,
        Means(
            "its code, or some of its units, are not in the chart; false where only date, modifier "
            "or missing units differ; unknown, no chart",
            lacks=CHART,
        ),
    ] = None
    suggested_units: Annotated[
        int | None,
        Means("units of this code the chart supports that day, over all lines", lacks=CHART),
    ] = None
    replaced_by: Annotated[
        str | None, Means("code that the chart supports in its place", lacks=CHART)
    ] = None
    replaced_role: Annotated[
        str | None, Means("role of the code that the chart supports in its place", lacks=CHART)
    ] = None
    date_differs: Annotated[
        bool | None, Means("dated on another day than the chart; unknown, no chart", lacks=CHART)
    ] = None
    date_disputed: Annotated[
        bool | None,
        Means("dated as another reading of midnight would have it; unknown, no chart", lacks=CHART),
    ] = None
    suggested_modifiers: Annotated[frozenset[str], Means("modifiers that the chart asks for")] = (
        frozenset()
    )
    # Only pairs of indicator 1: a modifier lifts none of indicator 0.
    apart_from: Annotated[
        frozenset[str],
        Means(
            "codes of other services, billed that day, from which its modifier must set it apart",
            tables=("ptp",),
        ),
    ] = frozenset()
    needless_modifier: Annotated[
        bool | None,
        Means(
            "carries a distinct-service modifier that nothing asks for; unknown, no chart",
            lacks=CHART,
            tables=("ptp",),
        ),
    ] = None
    missing_modifier: Annotated[
        bool | None,
        Means(
            "lacks the distinct-service modifier that the chart supports; unknown, no chart",
            lacks=CHART,
            tables=("ptp",),
        ),
    ] = None
    administrations: Annotated[
        tuple[AdministrationFacts, ...] | None,
        Means("what it bills: as linked, else as reconciled; unknown without a chart", lacks=CHART),
    ] = None
    own_work: Annotated[
        bool | None,
        Means(
            "a practitioner gave in person all that it bills; unknown where nobody said",
            lacks=CHART,
        ),
    ] = None
    service: Annotated[
        ServiceFacts | None, Means("the service it bills, as linked or reconciled; may be unknown")
    ] = None
    matches: Annotated[tuple[int, ...], WORKING] = ()
    """Positions of the suggested lines that it stands for."""


@dataclass(slots=True, eq=False, repr=False)
class LineFacts:
    """One billed line, with what its code settles and what the chart supports.

    ``match`` is given to it once the claim was held against the chart.
    """

    RESTS_ON = ("lines",)

    given: ClaimLine
    index: Annotated[int, Means("position in the claim, from 0")]
    service_date: Annotated[
        date | None, Means("date of the line, else of the encounter", rests_on=(".date", "date"))
    ]
    coded: CodedFacts
    marks: ModifierFacts
    drug: DrugLineFacts
    waste: WasteFacts
    beside: BesideFacts
    ended: Annotated[
        bool, Means("the code was deleted before the service date", rests_on=(".code",))
    ]
    too_early: Annotated[bool, Means("the code begins after the service date", rests_on=(".code",))]
    day_units: Annotated[int, Means("units of this code on that day, over all lines")]
    outside_encounter: Annotated[
        bool | None,
        Means(
            "dated before the encounter began or after it ended; unknown without both",
            rests_on=(".date", "start", "end"),
        ),
    ]
    never_beside: Annotated[
        frozenset[str] | None,
        Means(
            "billed that day: NCCI column-1 codes, indicator 0, of this code; "
            "unknown before the table",
            tables=("ptp",),
        ),
    ]
    modifier_beside: Annotated[
        frozenset[str] | None,
        Means(
            "billed that day: NCCI column-1 codes, indicator 1, of this code; "
            "unknown before the table",
            tables=("ptp",),
        ),
    ]
    family_beside: Annotated[
        frozenset[str], Means("other administration codes billed that day, a port flush apart")
    ]
    visits_beside: Annotated[frozenset[str], Means("other visits billed that day")]
    pair_stands: Annotated[
        bool | None,
        Means(
            "a distinct-service modifier on it lifts an NCCI pair with another line of its day; "
            "unknown before the table",
            tables=("ptp",),
        ),
    ]
    repeats_line: Annotated[bool, Means("an earlier line has its code, modifiers, date and units")]
    pointer_beyond: Annotated[
        bool | None,
        Means(
            "points to a diagnosis that the claim does not hold; unknown where nobody named any",
            rests_on=(".diagnosis_pointers", "diagnoses"),
            lacks=("diagnoses",),
        ),
    ]
    facility_place: Annotated[
        bool | None,
        Means(
            "its place of service is a facility, by policy",
            rests_on=(".place_of_service", "place_of_service"),
            tables=("pos",),
        ),
    ]
    match: MatchFacts


@dataclass(slots=True, eq=False, repr=False)
class SuggestionFacts:
    """One suggested line, with what was billed for it."""

    RESTS_ON = (*CODING, "lines")

    code: Annotated[str, Means("code")]
    label: Annotated[str, Means("short label of the code")]
    role: Annotated[str, Means("column role of codes.yaml")]
    family: Annotated[str, Means("column family of codes.yaml")]
    units: Annotated[int, Means("units the chart supports")]
    modifiers: Annotated[frozenset[str], Means("modifiers the chart asks for")]
    billed_units: Annotated[int | None, Means("units billed for it; unknown without a claim")]
    missed_units: Annotated[int | None, Means("units not billed; unknown without a claim")]
    mue: Annotated[
        int | None,
        Means("units a day that CMS holds plausible, for this kind of claim", tables=("mue",)),
    ]
    administrations: tuple[AdministrationFacts, ...]


@dataclass(slots=True, eq=False, repr=False)
class ClaimFacts:
    """The claim as a whole."""

    RESTS_ON = ("lines",)

    codes: Annotated[frozenset[str], Means("every code billed")]
    initial_units: Annotated[
        int,
        Means("units of initial codes of a vein, pump starts apart, without a distinct modifier"),
    ]
    separate_initial_units: Annotated[int, Means("the same with a distinct-service modifier")]
    concurrent_units: Annotated[int, Means("units of concurrent infusion codes")]
    family_units: Annotated[int, Means("units of administration codes")]
    initial_codes: Annotated[frozenset[str], Means("initial codes billed, pump starts apart")]
    given_instead: Annotated[
        frozenset[str],
        Means("codes of products that the chart gives in place of ones that lines bill"),
    ]
    lines: tuple[LineFacts, ...]
