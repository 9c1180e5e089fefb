"""Facts of the chart: each administration, and the services that they come to.

``coding`` makes these records; rules read them, and so do ``claim`` and ``writers``.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from ivpush.contract.encounter import Administration
from ivpush.contract.fields import Category, Device, Setting
from ivpush.contract.means import CODING, WORKING, Means, Part

__all__ = [
    "ActsAs",
    "AdministrationFacts",
    "CodeLike",
    "Decided",
    "DrugFacts",
    "DrugLike",
    "Family",
    "Reason",
    "Role",
    "ServiceFacts",
    "Technique",
    "Times",
]

ActsAs = Literal["practitioner", "nurse", "staff", "patient"]
"""Practitioners bill in their own name; nobody bills what the patient or a relative gave."""

Family = Literal["hydration", "therapeutic", "chemotherapy"]
Technique = Literal[
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
Role = Literal[
    "initial",
    "sequential",
    "repeat",
    "concurrent",
    "further_hour",
    "additional_site",
    "stand_alone",
    "pump_start",
]
Reason = Literal[
    "admitted",
    "after_end",
    "anesthesia",
    "before_reported_gap",
    "blood",
    "bolus_of_infusion",
    "concurrent_already_reported",
    "concurrent_without_primary",
    "contrast",
    "drug_carrier",
    "facilitates_drug",
    "flush",
    "hydration_too_short",
    "imaging",
    "keep_open",
    "never_beside",
    "no_code",
    "no_supervision",
    "no_time",
    "not_parenteral",
    "owned",
    "packaged",
    "part_of_procedure",
    "patient_gave_it",
    "postoperative",
    "procedure",
    "professional_in_facility",
    "repeat_dose_too_short",
    "repeat_not_reportable",
    "route_missing",
    "stop_missing",
    "transfusion",
    "vaccine",
    "within_first_hour",
]


Decided = Literal[
    "bolus_from_same_bag",
    "infusion_stopped_early",
    "push_during_infusion_same_drug",
    "repeat_same_drug_infusion",
]
"""Policies that the reason of a suggested line names, because sources differ on it."""


class CodeLike(Protocol):
    """A row of codes.yaml, as far as facts need it."""

    @property
    def code(self) -> str:
        """The code."""

    @property
    def label(self) -> str:
        """Its short label."""

    @property
    def family(self) -> str:
        """Column family."""

    @property
    def technique(self) -> str:
        """Column technique."""

    @property
    def role(self) -> str:
        """Column role."""

    @property
    def further(self) -> str | None:
        """The code of its further hours."""


class DrugLike(Protocol):
    """A row of drugs.csv, as far as facts need it."""

    @property
    def name(self) -> str:
        """Its name for people."""

    @property
    def category(self) -> Category:
        """Its class, but for what is injected."""

    @property
    def hormonal(self) -> bool:
        """Whether it is an antineoplastic hormone."""


# eq=False, here and below: a fact is itself, and goes into sets without hashing a chart.
@dataclass(slots=True, eq=False, repr=False)
class Times(Part):
    """When an administration ran, as charted: what may be used, and what is wrong."""

    RESTS_ON = (".start", ".stop", ".minutes", ".times_from", "start", "end", "inpatient_from")

    clock_minutes: Annotated[int | None, Means("whole minutes between a usable start and stop")]
    start_usable: Annotated[bool, Means("a start time counts: charted, pump or calculated")]
    stop_usable: Annotated[
        bool, Means("a stop time counts, and neither precedes the start nor lies overlong after it")
    ]
    overlong: Annotated[
        bool,
        Means(
            "it lasts longer than limits.longest_administration_minutes, with no device",
            rests_on=(".start", ".stop", ".minutes", ".device", "timezone"),
        ),
    ]
    time_naive: Annotated[bool, Means("a time has no offset, and the encounter no time zone")]
    stop_before_start: Annotated[
        bool,
        Means(
            "the stop lies before the start",
            rests_on=(
                ".start",
                ".stop",
                "timezone",
            ),
        ),
    ]
    time_nonexistent: Annotated[bool, Means("a time skipped when clocks went forward")]
    time_ambiguous: Annotated[bool, Means("a time that happened twice when clocks went back")]
    outside_encounter: Annotated[
        bool | None,
        Means("it starts before the encounter or stops after it; unknown without both times"),
    ]
    start_seconds: Annotated[int | None, WORKING]
    """Seconds of a usable start, on the one scale of the encounter."""
    span: Annotated[tuple[int, int] | None, WORKING]
    seen_seconds: Annotated[int | None, WORKING]
    """Seconds of the last charted look at a running drip."""
    minutes: Annotated[int | None, WORKING]
    """By the clock, else as stated; of a timed run those within the stay."""
    # Clock times win over stated minutes, which may be those of the order.
    minutes_from: Annotated[Literal["clock", "stated"] | None, WORKING]
    # Minutes after the end or an admission are not outpatient (DESIGN section 3, step 0).
    counts: Annotated[tuple[int | None, int | None], WORKING]
    """Seconds from which and until which its minutes count."""
    longest: Annotated[int | None, WORKING]
    """Minutes beyond which its length is not believed; None where a device gives it."""
    after_stay: Annotated[bool, WORKING]
    """Whether it was given after the last second that counts."""


@dataclass(slots=True, eq=False, repr=False)
class DrugFacts(Part):
    """What was given: the drug's row in the drug table, and its class."""

    RESTS_ON = (".drug", ".hcpcs", ".ndc", ".category", ".route", ".purpose")

    category: Annotated[
        Category,
        Means(
            "class of the drug used: the stated one, else the drug table's by route, "
            "else therapeutic",
            rests_on=(*RESTS_ON, "complexity_documented"),
        ),
    ]
    stated_category: Annotated[
        str | None, Means("class written in the chart", rests_on=(".category",))
    ]
    table_category: Annotated[
        str | None,
        Means(
            "class the drug table gives for this drug and route",
            rests_on=(*RESTS_ON, "complexity_documented"),
        ),
    ]
    drug_known: Annotated[
        bool | None, Means("the drug table holds it; unknown where no drug is named")
    ]
    drug_key: Annotated[
        str, Means("what counts as the same drug: generic name, or HCPCS code by policy")
    ]
    usual_techniques: Annotated[
        frozenset[str] | None,
        Means("techniques the drug table calls usual: push, infusion, im, sc …"),
    ]
    ended_hcpcs: Annotated[bool, Means("its HCPCS code was no longer valid on the service date")]
    hcpcs_successor: Annotated[str | None, Means("HCPCS code that replaced an ended one")]
    status_indicator: Annotated[
        str | None,
        Means(
            "how a hospital is paid for its HCPCS code; unknown where no table holds the code",
            tables=("opps",),
        ),
    ]
    row: Annotated[DrugLike | None, WORKING]


@dataclass(slots=True, eq=False, repr=False)
class AdministrationFacts:
    """One administration of the chart, with what was worked out about it.

    Made whole by ``coding.administrations``; the later steps of ``coding`` settle what has a
    default here: the technique, the place in a chain, and whether it is billable.
    """

    RESTS_ON = (*CODING, "lines")

    given: Administration
    index: Annotated[int, Means("position in the chart, from 0")]
    times: Times
    drug: DrugFacts
    required_level: Annotated[str | None, Means("supervision level this service needs")]
    family: Annotated[
        Family | None,
        Means(
            "code family it belongs to; unknown where its category has none",
            rests_on=(*DrugFacts.RESTS_ON, "complexity_documented"),
        ),
    ]
    reason: Annotated[Reason | None, Means("why it is not billable; unknown where it is billable")]
    running_minutes: Annotated[
        int | None,
        Means(
            "whole minutes it ran within the stay: by the clock, else as stated, else computed by "
            "policy",
            rests_on=(*Times.RESTS_ON, ".volume_ml", ".rate_ml_per_hour", ".last_seen_running"),
        ),
    ]
    minutes_from: Annotated[
        Literal["clock", "stated", "volume_and_rate", "last_seen_running"] | None,
        Means(
            "where running_minutes comes from",
            rests_on=(*Times.RESTS_ON, ".volume_ml", ".rate_ml_per_hour", ".last_seen_running"),
        ),
    ]
    site_named: Annotated[bool, Means("the access site is charted", rests_on=(".site",))]
    role: Annotated[
        str | None,
        Means(
            "short name of the role of who gave it",
            rests_on=(".administered_by",),
            lacks=(".administered_by",),
        ),
    ]
    acts_as: Annotated[
        ActsAs | None,
        Means(
            "in what capacity that person gives drugs",
            rests_on=(".administered_by",),
            lacks=(".administered_by",),
        ),
    ]
    delivered_by: Annotated[
        Device | None,
        Means(
            "device that delivers it: as charted, else as named in the drug's text",
            rests_on=(".device", ".pump_supplied_by", ".drug"),
        ),
    ]
    setting: Annotated[Setting, WORKING]
    total_minutes: Annotated[int | None, WORKING]
    """Minutes of the whole run, where several bags are one infusion."""
    start_seconds: Annotated[int | None, WORKING]
    span: Annotated[tuple[int, int] | None, WORKING]
    # The id last, so that two of one start keep their order in every run.
    order: Annotated[tuple[bool, int, int, str], WORKING]
    """Where it stands in time: start, stop, id; without a usable start last."""
    drug_keys: Annotated[frozenset[str], WORKING]
    """What counts as its drug; of a mixture, all drugs in it."""
    site: Annotated[str, WORKING]
    """The access site; empty where none is named."""
    visit: Annotated[int, WORKING]
    run: Annotated[int, WORKING]
    """Number of the run that it belongs to: the position of its first bag."""
    technique: Annotated[
        Technique | None,
        Means("technique by route and running minutes, else as charted"),
    ] = None
    part: Annotated[int, WORKING] = 0
    """Number of the encounter that it belongs to, where the chart holds several."""
    chain: Annotated[int, WORKING] = 0
    stopped_short: Annotated[bool, WORKING] = False
    """Whether an infusion ordered longer was ended within the minutes of a push."""
    follows: Annotated["AdministrationFacts | None", WORKING] = None
    """The administration that names the service of a mixture which this one is in."""
    billable: Annotated[bool, Means("it stands in a suggested line")] = False
    beside: Annotated[
        str | None,
        Means(
            "code billed that day that it belongs to, or may belong to; or the code it is paid by"
        ),
    ] = None
    own_code: Annotated[str | None, WORKING] = None
    """The administration code of its drug alone."""
    purpose_open: Annotated[
        bool, Means("nobody said whether it was given for a procedure of the day")
    ] = False
    before_blood: Annotated[
        bool, Means("a premedication, no diuretic, and what follows it next is blood")
    ] = False
    before_drug: Annotated[bool, WORKING] = False
    """Whether it is a premedication, and another drug of the chart follows it."""
    separate_site: Annotated[bool, Means("its site has a documented need of its own")] = False
    reason_is_convenience: Annotated[
        bool,
        Means(
            "the reason given for its site is mere convenience",
            rests_on=(".separate_site_reason",),
        ),
    ] = False
    same_drug_infused: Annotated[bool, Means("the drug is also infused in the same chain")] = False
    repeat: Annotated[bool, Means("a push of a drug that its chain already had")] = False
    overlaps_attended: Annotated[
        bool,
        Means("another attended push by the same performer overlaps this one by a minute or more"),
    ] = False
    continues_other_drug: Annotated[
        bool, Means("it is charted as going on with a run of another drug")
    ] = False
    gap_minutes: Annotated[
        int | None,
        Means("minutes from the start of the last reported push of this drug to this push"),
    ] = None
    hydration_minutes: Annotated[
        int | None,
        Means("hydration: minutes that no drug infusion shares on that line, all stretches"),
    ] = None

    @property
    def name(self) -> str:
        """What people call it: the drug table's name, else its id; never the chart's own words."""
        # The chart's own words may hold a patient's name, and messages repeat this.
        return self.drug.row.name if self.drug.row is not None else self.given.id


@dataclass(slots=True, eq=False, repr=False)
class ServiceFacts:
    """One service of the encounter: a drug given by one technique in one chain."""

    RESTS_ON = (*CODING, "lines")

    family: Annotated[str, Means("code family, as in codes.yaml")]
    technique: Annotated[str, Means("technique, as in codes.yaml")]
    minutes: Annotated[int | None, Means("minutes that count")]
    rank: Annotated[int | None, Means("rank in the hierarchy, 1 highest")]
    chain: Annotated[int, Means("number of its chain, from 0")]
    administrations: tuple[AdministrationFacts, ...]
    lead: Annotated[AdministrationFacts, WORKING]
    """The administration that names it."""
    drugs: Annotated[frozenset[str], WORKING]
    spans: Annotated[list[tuple[int, int]], WORKING]
    start: Annotated[int | None, WORKING]
    order: Annotated[tuple[bool, int, int, str], WORKING]
    role: Annotated[
        Role | None,
        Means("role in its chain; unknown where it earns no code"),
    ] = None
    code: Annotated[str | None, Means("code that names it; unknown where it earns none")] = None
    row: Annotated[CodeLike | None, WORKING] = None
    because: Annotated[str, WORKING] = ""
    """The reason, by its name in reasons.yaml."""
    further: Annotated[int, WORKING] = 0
    """Further hours."""
    repeats_dose: Annotated[bool, WORKING] = False
    """Whether its drug already ran in the chain, as a dose of its own."""
    decided_by: Annotated[tuple[Decided, ...], WORKING] = ()
    """Policies that decided it where sources differ."""
