"""The shapes of a pack's data: codes, limits, ranks, policies, supervision, modifiers, wording.

``pack.codes``, ``pack.policies``, ``pack.data`` and ``pack.drugs`` read them. What rests on another
file of the pack is a kind of value too (``Named``); what rests on other rows of the same file is
checked by those who read it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar, get_args

from pydantic import AfterValidator, Field, model_validator

from ivpush.contract.chart_facts import ActsAs, Decided, Reason
from ivpush.contract.fields import Device, Level, Mode, Setting
from ivpush.pack.shapes.words import (
    Cell,
    Cites,
    Day,
    Named,
    Prose,
    Rows,
    Shape,
    Text,
    Texts,
    Value,
    Whole,
    Window,
    Word,
    Written,
    wrong,
)

__all__ = [
    "CodeShape",
    "CodesFile",
    "DrugWordsFile",
    "HierarchyFile",
    "LimitsFile",
    "ModifiersFile",
    "PackFile",
    "PhrasesFile",
    "PlacesFile",
    "PoliciesFile",
    "PolicyShape",
    "ReasonShape",
    "ReasonsFile",
    "SourcesFile",
    "SupervisionFile",
    "WordsFile",
]

# In quotes, or YAML editors take a code of digits for a number and drop its zeros.
CodeText = Annotated[
    str, Written("[A-Z0-9]{5}", "is no code", "write five capitals or digits, in quotes")
]
ModifierText = Annotated[
    str, Written("[A-Z0-9]{2}", "is no modifier", "write two capitals or digits, in quotes")
]
Digits = Annotated[str, Written("[0-9]{2}", "is not two digits", 'write them in quotes, as "19"')]
Id = Annotated[
    str,
    Written("[a-z0-9]+([-_.][a-z0-9]+)*", "is no id", "write small letters, digits and hyphens"),
]

PolicyName = Annotated[
    str,
    Written("[A-Za-z0-9]+(_[A-Za-z0-9]+)*", "is no name", "write letters and digits, joined by _"),
]


class PackFile(Shape):
    """``pack.yaml``: what the pack is called, and when it was checked."""

    name: Id
    """The pack's name, as results carry it."""
    title: Text
    """What the pack is about."""
    version: Text
    """Its version, such as 2026.11."""
    licence: Text
    """Its licence."""
    checked: Day
    """The day on which it was last checked; it stands for encounters without a date."""
    case_date: Day
    """The date of service of cases that state none."""


class SourceShape(Shape):
    """One source that facts cite."""

    title: Text
    """Its title."""
    publisher: Text
    """Who published it."""
    edition: Text
    """Which edition or date was read."""
    url: Text | None = None
    """Where it stands."""
    checked: Day
    """The day on which it was last read for this pack."""


class SourcesFile(Shape):
    """``sources.yaml``: every source once, by the id that facts cite."""

    sources: dict[Id, SourceShape]
    """The sources by id."""


class CodeShape(Shape):
    """One code as valid within its dates."""

    code: CodeText
    """The code itself."""
    label: Text | None = None
    """What it stands for, in our own words."""
    family: Word
    """The family that its rules share, such as therapeutic."""
    technique: Word = "none"
    """How the drug gets in, such as infusion."""
    role: Word
    """Its role among the services of an encounter, such as initial."""
    variant: Word | None = None
    """What tells it from another code of the same family, technique and role."""
    settings: tuple[Setting, ...] = ()
    """The kinds of claim that may bill it."""
    further: CodeText | None = None
    """The code of each further hour."""
    once: Literal["encounter"] | None = None
    """Within what it is billed once."""
    succeeded_by: tuple[CodeText, ...] = ()
    """The codes that replaced it."""
    in_force: Window
    """The dates of service on which it is valid."""
    cites: Cites = ()
    """Sources of the row."""


class CodesFile(Shape):
    """``codes.yaml``: one row a code."""

    codes: Rows[CodeShape]
    """The codes."""


class LimitShape(Shape):
    """One number, as it counts within its dates."""

    value: Whole
    """The number."""
    unit: Text
    """What it counts."""
    in_force: Window
    """The dates of service to which it applies."""
    why: Prose
    """Why it is this number."""
    cites: Cites
    """Sources of the number."""


class LimitsFile(Shape):
    """``limits.yaml``: dated numbers that no source disputes."""

    limits: dict[Word, Rows[LimitShape]]
    """The rows of each number by its name."""


class RankShape(Shape):
    """The rank of one family and technique."""

    family: Annotated[str, Cell("family")]
    """A family of codes.yaml."""
    technique: Annotated[str, Cell("technique")]
    """A technique of codes.yaml."""
    rank: Whole
    """1 ranks highest."""
    cites: Cites
    """Sources of the rank."""


class HierarchyFile(Shape):
    """``hierarchy.yaml``: which service leads the encounter of a facility."""

    in_force: Window
    """The days on which services have roles and ranks; on others no code is picked."""
    hierarchy: Rows[RankShape]
    """The ranks."""


class PolicyShape(Shape):
    """One switch where sources disagree."""

    kind: Literal["choice", "flag", "number", "words", "units"] = "choice"
    """What its values are: words to choose from, true or false, a number, a list, units by code."""
    values: Texts = ()
    """The words to choose from."""
    low: Whole = Field(default=0, alias="from")
    """The lowest number."""
    high: Whole = Field(default=0, alias="to")
    """The highest number."""
    default: Value
    """The value that counts where nobody set another."""
    touches: Literal["derivation", "checks", "questions"]
    """What reads it."""
    asks: tuple[Value, ...] = ()
    """Values that payers hold beside the default: asked of a payer whose position is unknown."""
    settles: tuple[Value, ...] = ()
    """Values that say what a missing fact bills, so that no answer about it excuses a claim."""
    why: Prose
    """Who says what."""
    cites: Cites
    """Sources of the values."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "choice" and not self.values:
            raise wrong("is a choice without values", "write values: [...]")
        # Both are 0 where they are left out, so this refuses missing bounds too.
        if self.kind == "number" and self.high <= self.low:
            raise wrong("is a number without bounds", "write from: and to:")
        return self


class PoliciesFile(Shape):
    """``policies.yaml``: the switches by name."""

    policies: dict[PolicyName, PolicyShape]
    """The policies by name."""


class SupervisionShape(Shape):
    """The supervision that one setting asks in some dates."""

    setting: Word
    """A kind of claim, or a kind of place of ``bills``."""
    families: Annotated[tuple[Annotated[str, Cell("family")], ...], Field(min_length=1)]
    """Families of codes.yaml."""
    level: Level
    """How near the supervisor must be."""
    modes: tuple[Mode, ...]
    """How the supervisor may be present."""
    in_force: Window
    """The dates of service to which it applies."""
    policy: dict[Annotated[str, Named("policies")], Text] = Field(default={})
    """Policies and the values under which the row counts."""
    cites: Cites
    """Sources of the row."""


class SupervisionFile(Shape):
    """``supervision.yaml``: rows by setting, family and date; of two that fit the later counts."""

    # Two digits: kind of facility and of care; the third, the frequency, changes no rule.
    bills: dict[Word, tuple[Digits, ...]] = Field(default={})
    """Kinds of places with rows of their own, by the first two digits of the type of bill."""
    supervision: Rows[SupervisionShape]
    """The rows."""


class ModifierShape(Shape):
    """One modifier by what it says."""

    kind: Word
    """What it says; derivation and rules name this."""
    code: ModifierText
    """The modifier itself."""
    label: Text
    """What it means, in our own words."""
    cites: Cites
    """Sources of the row."""


class LiftsShape(Shape):
    """Which modifiers lift an NCCI pair of indicator 1."""

    modifiers: tuple[ModifierText, ...]
    """Beside those of a distinct service."""
    on_either_line_from: Day
    """From this date of service they count on either line."""
    cites: Cites
    """Sources of the list."""


class ModifiersFile(Shape):
    """``modifiers.yaml``: modifiers by what they say."""

    modifiers: Rows[ModifierShape]
    """The modifiers."""
    separate: tuple[Word, ...]
    """Kinds that say that a service is distinct."""
    visit: tuple[Word, ...]
    """Kinds that belong on visits."""
    lifts_pairs: LiftsShape
    """Which modifiers lift a pair."""


class PhrasesFile(Shape):
    """``phrases.yaml``: which words of a reason mean convenience, and which mean need."""

    convenience: Texts
    """Phrases of convenience."""
    need: Texts
    """Phrases of need; one of them outweighs any of convenience."""
    cites: Cites
    """Sources of the lists."""


class PlacesFile(Shape):
    """``places.yaml``: places of service that are facilities."""

    places: dict[Word, tuple[Digits, ...]]
    """Lists of places, by the set that the policy ``facility_pos_set`` names."""
    own_work: tuple[Word, ...] = ()
    """Techniques that are a practitioner's own work, before the first fee schedule held."""
    cites: Cites
    """Sources of the lists."""


class ReasonShape(Shape):
    """The wording of a reason."""

    because: Prose
    """The sentence, with what it is about in braces."""
    cites: Cites
    """Sources of the reason."""


class QuestionShape(Shape):
    """The wording of a question."""

    who: Prose
    """Who can answer it."""
    ask: Prose
    """The question, with what it is about in braces."""
    answers: dict[Literal["yes", "no"], Text] = Field(default={})
    """Texts that stand for answers."""


Suggested = Literal[
    "additional_site",
    "concurrent",
    "each_injection",
    "further_hours",
    "hydration_after_initial",
    "initial",
    "initial_by_reason",
    "modifier",
    "modifier_beside",
    "new_drug_push",
    "port_flush_alone",
    "pump_start",
    "repeat_dose_hours",
    "repeat_push",
    "sequential",
    "stand_alone",
]
"""Why the derivation suggests a line; ``modifier`` is added where the line carries one."""
Asked = Literal[
    "attended",
    "category",
    "category_held",
    "complexity",
    "keep_open",
    "device",
    "hormonal",
    "payer",
    "presence",
    "primary",
    "pump_supplied_by",
    "purpose",
    "route",
    "site",
    "site_need",
    "stop",
    "stopped_early",
    "times_from",
    "unnamed",
]
"""What the derivation asks."""

Traced = Literal["category_step", "chain_step", "family_step", "gap_step", "technique_step"]
"""Steps of a trace that rest on a source whatever they decide."""

Rowed = TypeVar("Rowed")


def _whole(words: object) -> AfterValidator:
    """Refuse a mapping that lacks a word which the engine says."""

    # Found on loading: a wording that lacks would else fail with the first chart that needs it.
    def check(rows: dict[str, Rowed]) -> dict[str, Rowed]:
        lacking = [word for word in get_args(words) if word not in rows]
        if lacking:
            raise wrong(f"lacks {', '.join(lacking)}, which the engine says", "write the wording")
        return rows

    return AfterValidator(check)


def _answered(rows: dict[str, QuestionShape]) -> dict[str, QuestionShape]:
    need = rows.get("site_need")
    # Its answers become text of the chart (a reason for the site); others are fields.
    if need is not None and len(need.answers) < 2:
        raise wrong("lacks the answers yes and no of site_need", "write answers: {...}")
    return rows


class ReasonsFile(Shape):
    """``reasons.yaml``: why a line is suggested or an administration earns none, and questions."""

    suggested: Annotated[dict[Suggested, ReasonShape], _whole(Suggested)]
    """Why a line is suggested."""
    decided: Annotated[dict[Decided, ReasonShape], _whole(Decided)]
    """What a policy decided of a suggested line where sources differ, by the policy's name."""
    not_billable: Annotated[dict[Reason, ReasonShape], _whole(Reason)]
    """Why an administration earns no line."""
    trace: Annotated[dict[Traced, ReasonShape], _whole(Traced)]
    """Titles of steps of a trace, with their sources."""
    questions: Annotated[dict[Asked, QuestionShape], _whole(Asked), AfterValidator(_answered)]
    """What the chart may leave open."""


class RoleShape(Shape):
    """A role of a person who gives drugs."""

    acts_as: ActsAs
    """In what capacity such a person gives a drug."""
    words: Texts
    """How charts write it, in any case and with or without dots."""


class WordsFile(Shape):
    """``words.yaml``: word lists that rules may name, and the roles of who gives drugs."""

    words: dict[Word, Texts]
    """The lists by name."""
    roles: dict[Text, RoleShape] = Field(default_factory=dict)
    """The roles by their short name."""
    devices: dict[Device, Texts] = Field(default_factory=dict)
    """Words within a charted drug that name the device which delivers it."""


class DrugWordsFile(Shape):
    """``drug_words.yaml``: words of a charted name that do not say which drug it is."""

    units: tuple[Text, ...] = ()
    """Units of amounts."""
    per: tuple[Text, ...] = ()
    """Units that a rate may be over."""
    dropped: tuple[Text, ...] = ()
    """Routes and forms, left out wherever they stand."""
    containers: tuple[Text, ...] = ()
    """What a drug comes in."""
    salts: tuple[Text, ...] = ()
    """Salts and like parts of a name, which make no other drug."""
    notes: tuple[Text, ...] = ()
    """Remarks that a name may carry."""
    fluids: tuple[Text, ...] = ()
    """Drugs that carry others."""
    carriers: tuple[Text, ...] = ()
    """Names of carriers that are no drug of their own."""
    premixed: tuple[Text, ...] = ()
    """Drugs that may make a fluid of their own with one that carries."""
    piggybacks: tuple[Text, ...] = ()
    """Words and volumes of a small bag that gives such a drug."""
    bag_volumes: tuple[Text, ...] = ()
    """Volumes of a bag of fluid."""
    usual_amounts: tuple[Text, ...] = ()
    """Amounts of such a drug that leave a bag of fluid one."""
    half_bags: tuple[Text, ...] = ()
    """Volumes of half a bag."""
    half_amounts: tuple[Text, ...] = ()
    """Amounts that leave half a bag of fluid one."""
    bags: tuple[Text, ...] = ()
    """Words for a fluid that do not say which."""
    syringes: tuple[Text, ...] = ()
    """Containers of a flush."""
    diluents: tuple[Text, ...] = ()
    """Drugs that may only dissolve another, where they are named last."""
    joining: tuple[Text, ...] = ()
    """Words before what dissolves a drug."""
    keep_open: tuple[Text, ...] = ()
    """What says that a fluid only keeps a vein open."""
    oral: tuple[Text, ...] = ()
    """What says that a drug is taken by mouth."""
    counted: tuple[Text, ...] = ()
    """What stands before a number of doses, hours or days of a scheme."""
    at: tuple[Text, ...] = ()
    """What stands before a rate in millilitres an hour."""
    volumes: tuple[Text, ...] = ()
    """Millilitres, as rates write them."""
    hours: tuple[Text, ...] = ()
    """Hours, as rates write them."""
