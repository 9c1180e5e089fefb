"""What comes in: the chart of one encounter and the claim lines billed for it.

Version 1 of the contract. All models are strict, frozen and refuse unknown fields; a fact that
nobody stated is None and is never read as "no". Errors name the field and what was expected and
never hold the value. JSON and Python dictionaries are accepted alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Required, Self, TypedDict, TypeVar, Unpack, cast

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import BeforeValidator
from pydantic_core import PydanticCustomError

from ivpush import clock
from ivpush.contract.described import Described
from ivpush.contract.faults import Models, faults_of
from ivpush.contract.fields import (
    Access,
    Category,
    Code,
    Counted,
    Day,
    Device,
    Diagnosis,
    Flag,
    Identifier,
    Instant,
    Level,
    Method,
    Mode,
    Modifier,
    Ndc,
    OnlyLists,
    PlaceOfService,
    PumpSupplier,
    Purpose,
    Quantity,
    RevenueCode,
    Route,
    Setting,
    Text,
    TimesFrom,
    TypeOfBill,
    Whole,
    empty_for_null,
)
from ivpush.errors import Fault, InputError, UsageError, require_kind

if TYPE_CHECKING:
    from ivpush.contract.constructors import (
        AdministrationFields,
        ClaimLineFields,
        Date,
        Moment,
        SupervisionFields,
        Words,
    )

__all__ = [
    "Administration",
    "ClaimLine",
    "Encounter",
    "Record",
    "Supervision",
    "encounter_of",
    "plain",
    "refuse_single",
]

# A drug every few minutes for weeks; beyond that a file holds several patients.
MOST_ADMINISTRATIONS = 5_000
# Ten times the 999 lines that an 837I claim may hold (loop 2400).
MOST_LINES = 9_999
_YEARS = range(1899, 2201)  # those of a pack, and the day before and after them


class _Model(
    Described,
    extra="forbid",
    # An error must not carry what the chart says into a log.
    hide_input_in_errors=True,
):
    # Hidden from type checkers, which are told of each model's own fields below.
    if not TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            """A model from its fields; raises InputError, which names fields and no value."""
            try:
                super().__init__(**fields)
                return
            except ValidationError as error:
                faults = _faults(error, type(self))
            raise InputError(faults)

        # Pydantic then still builds nested models on its own, many times as fast.
        __init__.__pydantic_base_init__ = True

        def __setattr__(self, name: str, value: object) -> None:
            """Refused: pydantic's own error would show the value."""
            problem = "cannot be set, for models never change"
            raise UsageError(
                Fault(name, problem, "make another: model_validate({**model.model_dump(), ...})")
            )

    @classmethod
    def model_validate(cls, obj: object, **options: Any) -> Self:
        """The model of a dictionary; raises InputError, which names fields and no value."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            faults = _faults(error, cls)
        # Outside of ``except``, so that the traceback holds no pydantic error with its values.
        raise InputError(faults)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """The model of a JSON text; raises InputError, which names fields and no value."""
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:
            faults = _faults(error, cls)
        raise InputError(faults)


class _Plain:
    """The fields of a model, read without its class."""


_Some = TypeVar("_Some", bound=_Model)


def plain(model: _Some) -> _Some:
    """The same fields, to be read only: reading one from a model costs several times as much.

    A pydantic class has a ``__getattr__``, so Python finds none of its fields the short way.
    """
    made = _Plain()
    made.__dict__ = model.__dict__
    return cast("_Some", made)


class Supervision(_Model, frozen=True):
    """Who supervised, and how, while the services were given (42 CFR 410.26, 410.27, 410.32)."""

    level: Level | None = None
    """Level documented: personal (in the room), direct (immediately available), general, none."""
    mode: Mode | None = None
    """How the supervising practitioner was present."""
    provider_present: Flag | None = None
    """Whether the supervising practitioner was present as the mode says."""
    assessment: Flag | None = None
    """Whether the supervising practitioner's assessment is on record."""
    consent: Flag | None = None
    """Whether the patient's consent is on record."""

    if TYPE_CHECKING:

        def __init__(self, **fields: Unpack[SupervisionFields]) -> None: ...


class Administration(_Model, frozen=True):
    """One drug or fluid as charted: one dose, one bag, or one run of a bag."""

    id: Identifier
    """Opaque id, unique in the encounter; links lines, mixtures and runs."""
    drug: Text | None = None
    """Drug or fluid as charted; a generic name where known."""
    hcpcs: Code | None = None
    """HCPCS Level II code of the drug."""
    ndc: Ndc | None = None
    """National Drug Code, 10 or 11 digits, with or without hyphens."""
    category: Category | None = None
    """Stated class of the drug; wins over the drug table, and a disagreement is reported."""
    hormonal: Flag | None = None
    """Whether an antineoplastic drug is a hormone; default from the drug table."""
    dose: Quantity | None = None
    """Amount given, in dose_unit."""
    dose_unit: Text | None = None
    """Unit of dose and wasted."""
    wasted: Quantity | None = None
    """Amount discarded, in dose_unit."""
    single_dose_container: Flag | None = None
    """Whether the drug came from a single-dose container."""
    route: Route | None = None
    """Route of administration, from a closed list."""
    method: Method | None = None
    """Technique as charted."""
    start: Instant | None = None
    """When the drug began to run."""
    stop: Instant | None = None
    """When the drug had run in."""
    minutes: Whole | None = None
    """Running minutes where clock times are not charted; clock times win."""
    times_from: TimesFrom | None = None
    """Where the times come from; ordered and defaulted ones count as missing."""
    volume_ml: Quantity | None = None
    """Volume given, in millilitres."""
    rate_ml_per_hour: Quantity | None = None
    """Rate charted, in millilitres an hour."""
    continues: Identifier | None = None
    """Id of the run that this one resumes."""
    site: Text | None = None
    """Vascular access; two lumens of one catheter carry the same site."""
    lumen: Text | None = None
    """Lumen of the access."""
    resited_from: Text | None = None
    """Site that this one replaces."""
    access: Access | None = None
    """Kind of vascular access."""
    separate_site_reason: Text | None = None
    """Documented need for a further access site."""
    mixed_with: Identifier | None = None
    """Id of an administration in the same bag or syringe."""
    purpose: Purpose | None = None
    """Why it was given; None means treatment."""
    device: Device | None = None
    """Device that delivers the drug."""
    pump_supplied_by: PumpSupplier | None = None
    """Whose pump it is that goes home with the patient; practice: of the office or hospital."""
    visit: Counted | None = None
    """1, 2 … when the patient left and came back the same day."""
    last_seen_running: Instant | None = None
    """A charted look at a drip whose stop is missing."""
    stopped_early: Text | None = None
    """Why an infusion that was ordered longer was ended, such as a reaction."""
    continuously_attended: Flag | None = None
    """Whether the person who gave it stayed and watched throughout."""
    administered_by: Text | None = None
    """Role of the person who gave it, such as RN."""
    performer: Identifier | None = None
    """Opaque id of the person who gave it."""
    ordered: Flag | None = None
    """Whether a signed order is on record."""
    monitoring: Flag | None = None
    """Whether monitoring is on record."""
    response: Flag | None = None
    """Whether the patient's response is on record."""

    if TYPE_CHECKING:

        def __init__(self, **fields: Unpack[AdministrationFields]) -> None: ...

    def __repr__(self) -> str:
        # Not even the id: reprs end up in logs, and an id may be made of a patient's.
        return "Administration(…)"

    __str__ = __repr__


class ClaimLine(_Model, frozen=True):
    """One line as billed (837P loop 2400 SV1, 837I loop 2400 SV2)."""

    number: Counted
    """Line number, unique in the claim."""
    code: Code
    """CPT or HCPCS code."""
    modifiers: Annotated[tuple[Modifier, ...], OnlyLists, BeforeValidator(empty_for_null)] = ()
    """Modifiers in billed order."""
    units: Whole
    """Units of service."""
    date: Day | None = None
    """Date of service; default is the encounter's."""
    place_of_service: PlaceOfService | None = None
    """CMS place of service; default is the encounter's."""
    revenue_code: RevenueCode | None = None
    """NUBC revenue code (institutional claims)."""
    diagnosis_pointers: Annotated[
        tuple[Counted, ...], OnlyLists, BeforeValidator(empty_for_null)
    ] = ()
    """Positions in the encounter's diagnoses, from 1."""
    charge: Quantity | None = None
    """Charge in dollars."""
    ndc: Ndc | None = None
    """NDC reported with a drug line."""
    minutes: Whole | None = None
    """Minutes reported on the line."""
    administrations: (
        Annotated[tuple[Identifier, ...], OnlyLists, BeforeValidator(empty_for_null)] | None
    ) = None
    """Ids of the administrations that the line bills, where the biller links them."""

    if TYPE_CHECKING:

        def __init__(self, **fields: Unpack[ClaimLineFields]) -> None: ...

    def __repr__(self) -> str:
        # The number alone: codes and charges tell of the patient in a log.
        return f"ClaimLine(number={self.number})"

    __str__ = __repr__


class EncounterFields(TypedDict, total=False):
    """The fields of an ``Encounter`` as its constructor takes them."""

    id: Required[str]
    setting: Required[Setting]
    date: Date | None
    start: Moment | None
    end: Moment | None
    inpatient_from: Moment | None
    timezone: str | None
    payer: str | None
    place_of_service: str | None
    type_of_bill: str | None
    primary_administration: str | None
    supervision: Supervision | SupervisionFields | None
    administrations: Sequence[Administration | AdministrationFields] | None
    lines: Sequence[ClaimLine | ClaimLineFields] | None
    diagnoses: Words | None
    complexity_documented: bool | None


class Encounter(_Model, frozen=True):
    """One encounter: where and when, what was given, and what was billed."""

    id: Identifier
    """Opaque id, repeated in the result."""
    setting: Setting
    """Which claim: facility (UB-04, 837I) or professional (CMS-1500, 837P)."""
    date: Day | None = None
    """Service date; default is the date of start, else of the first administration, else line."""
    start: Instant | None = None
    """When the encounter began."""
    end: Instant | None = None
    """When the encounter ended; minutes after it are not billable."""
    inpatient_from: Instant | None = None
    """When the patient became an inpatient; minutes from then on are not outpatient."""
    timezone: Annotated[str, StringConstraints(strict=True, max_length=64)] | None = None
    """IANA zone of times written without an offset."""
    payer: Identifier | None = None
    """Overlay id; None means no payer's overlay."""
    place_of_service: PlaceOfService | None = None
    """CMS place of service of a professional claim."""
    type_of_bill: TypeOfBill | None = None
    """NUBC type of bill of a facility claim."""
    primary_administration: Identifier | None = None
    """Professional claims: id of the administration that was the key or primary reason."""
    supervision: Supervision | None = None
    """Who supervised and how."""
    administrations: Annotated[tuple[Administration, ...], OnlyLists] | None = Field(
        default=None, max_length=MOST_ADMINISTRATIONS
    )
    """The chart; None means no chart, an empty list means nothing was given."""
    lines: Annotated[tuple[ClaimLine, ...], OnlyLists] | None = Field(
        default=None, max_length=MOST_LINES
    )
    """The claim; None means no claim, an empty list means nothing was billed."""
    diagnoses: Annotated[tuple[Diagnosis, ...], OnlyLists] | None = None
    """ICD-10-CM codes in claim order; None means that nobody said, an empty list that the claim has
    none."""
    complexity_documented: Flag | None = None
    """Whether the record shows the work that makes a biologic's administration complex."""

    if TYPE_CHECKING:

        def __init__(self, **fields: Unpack[EncounterFields]) -> None: ...

    def __repr__(self) -> str:
        # In brackets, as no call would make it again: Hypothesis then shows the call that does.
        given, billed = self.administrations, self.lines
        charted = "no chart" if given is None else f"administrations: {len(given)}"
        return (
            f"<Encounter, {charted}, {'no claim' if billed is None else f'lines: {len(billed)}'}>"
        )

    __str__ = __repr__

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for problem in _crossed(self):
            raise PydanticCustomError("crossed", "{problem}", {"problem": problem})
        return self

    @property
    def service_date(self) -> dt.date | None:
        """The date whose rules apply: stated, else of start, first administration, first line."""
        if self.date is not None:
            return self.date
        if self.start is not None:
            return self.start.date()
        # The date as charted, in the zone of its own offset: that is the day the nurse wrote.
        starts = [a.start.date() for a in self.administrations or () if a.start is not None]
        if starts:
            return min(starts)
        return min((one.date for one in self.lines or () if one.date is not None), default=None)


def _crossed(encounter: Encounter) -> Iterator[str]:
    """What no single field shows: repeated or dangling ids, missing date, mixed clocks."""
    given, billed = encounter.administrations or (), encounter.lines or ()
    ids = {one.id for one in given}
    # Links go by id, so that of two with one id the wrong one could be billed.
    if len(ids) != len(given):
        yield "administrations: two share one id; give each its own"
    if len({line.number for line in billed}) != len(billed):
        yield "lines: two share one number; give each its own"
    for place, target in _links(encounter):
        if target not in ids:
            yield f"{place} names no administration of this encounter; write one of its ids"
    # Codes, edits and policies all go by date; without one no rule is in force.
    if (given or billed) and encounter.service_date is None:
        yield "date is not stated anywhere; write the encounter's date"
    zone = encounter.timezone
    if zone is not None and clock.zone_named(zone) is None:
        yield "timezone is not a known zone; write an IANA name such as America/Chicago"
    # A lost century, or an end of the calendar, where no zone and no next day can be reckoned.
    for place in _in_no_year(encounter):
        yield f"{place} lies in no year of an encounter; write the day on which it happened"
    # Such times cannot be ordered, and no minutes between them could be trusted.
    if zone is None and len({at.tzinfo is None for at in _instants(encounter)}) > 1:
        yield "times with and without an offset are mixed; state the timezone"


def _links(encounter: Encounter) -> Iterator[tuple[str, str]]:
    if encounter.primary_administration is not None:
        yield "primary_administration", encounter.primary_administration
    for n, one in enumerate(encounter.administrations or ()):
        if one.continues is not None:
            yield f"administrations[{n}].continues", one.continues
        if one.mixed_with is not None:
            yield f"administrations[{n}].mixed_with", one.mixed_with
    for n, line in enumerate(encounter.lines or ()):
        for target in line.administrations or ():
            yield f"lines[{n}].administrations", target


def _in_no_year(encounter: Encounter) -> Iterator[str]:
    """Days that were mistyped, for no rule is of their time; of a stop that is a finding."""
    for place, day in (("date", encounter.date), ("start", encounter.start)):
        if day is not None and day.year not in _YEARS:
            yield place
    for n, given in enumerate(encounter.administrations or ()):
        if given.start is not None and given.start.year not in _YEARS:
            yield f"administrations[{n}].start"
    for n, line in enumerate(encounter.lines or ()):
        if line.date is not None and line.date.year not in _YEARS:
            yield f"lines[{n}].date"


def _instants(encounter: Encounter) -> Iterator[datetime]:
    for at in (encounter.start, encounter.end, encounter.inpatient_from):
        if at is not None:
            yield at
    for one in encounter.administrations or ():
        for at in (one.start, one.stop, one.last_seen_running):
            if at is not None:
                yield at


_WITHIN: Models = {
    "administrations": Administration,
    "lines": ClaimLine,
    "supervision": Supervision,
}


def _faults(error: ValidationError, model: type[BaseModel]) -> tuple[Fault, ...]:
    return faults_of(error, model, _WITHIN)


Record = Mapping[str, Any] | str | bytes
"""An encounter that is yet to be read: a dictionary, or a JSON text."""


def refuse_single(records: Iterable[object]) -> None:
    """Raise UsageError for one record where several are asked for, or for what holds none.

    A text and a dictionary can be gone through as well, and would give records of their own.
    """
    if isinstance(records, str | bytes | Mapping | Encounter):
        raise UsageError(Fault("records", "is one record", "give a list of records"))
    require_kind("records", records, Iterable, "give a list of records")


def encounter_of(given: object) -> Encounter:
    """The encounter that is given as such, as a dictionary or as a JSON text.

    Raises InputError where it does not fit the contract, or is of another kind.
    """
    if isinstance(given, Encounter):
        return given
    if isinstance(given, str | bytes):
        return Encounter.model_validate_json(given)
    if isinstance(given, Mapping):
        return Encounter.model_validate(dict(given))
    problem = f"is of the type {type(given).__name__}"
    raise InputError(Fault("the encounter", problem, "give an Encounter, a dictionary or JSON"))
