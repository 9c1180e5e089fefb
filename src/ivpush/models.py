"""What comes in: the chart of one encounter and the claim lines billed for it.

Version 1 of the contract. All models are strict, frozen and refuse unknown fields; a fact that
nobody stated is None and is never read as "no". Errors name the field and what was expected and
never hold the value. JSON and Python dictionaries are accepted alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, cast

from dateutil import tz
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    Strict,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import BeforeValidator
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as cs

from ivpush.errors import Fault, InputError, did_you_mean

__all__ = ["Administration", "ClaimLine", "Encounter", "Supervision"]

MOST_ADMINISTRATIONS = 5_000
MOST_LINES = 9_999


def _said(schema: CoreSchema, kind: str, message: str) -> CoreSchema:
    return cs.custom_error_schema(schema, custom_error_type=kind, custom_error_message=message)


def _written(pattern: str, parse: Any, kind: str, message: str, form: str) -> GetPydanticSchema:
    """Text in one ISO form, or the Python type itself; numbers and loose text are refused."""
    text = cs.chain_schema([cs.str_schema(pattern=pattern, strict=True), parse(strict=False)])
    python = cs.union_schema([parse(strict=True), text], mode="left_to_right")

    def schema(_source: Any, _handler: Any) -> CoreSchema:
        return _said(cs.json_or_python_schema(text, python), kind, message)

    def describe(_schema: Any, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "format": form, "pattern": pattern}

    return GetPydanticSchema(schema, describe)


_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"


def _truncating(strict: bool) -> CoreSchema:
    return cs.datetime_schema(strict=strict, microseconds_precision="truncate")


Instant = Annotated[
    datetime,
    _written(
        f"^{_DAY}[T ]{_CLOCK}$",
        _truncating,
        "instant",
        "write a time as YYYY-MM-DDThh:mm, with an offset such as -05:00 where it is known",
        "date-time",
    ),
]
Day = Annotated[
    date, _written(f"^{_DAY}$", cs.date_schema, "day", "write a date as YYYY-MM-DD", "date")
]


def _quantity(_source: Any, _handler: Any) -> CoreSchema:
    exact: dict[str, Any] = {"ge": 0, "max_digits": 15, "decimal_places": 6}
    number = cs.union_schema(
        [cs.int_schema(strict=True), cs.float_schema(strict=True, allow_inf_nan=False)],
        mode="left_to_right",
    )
    plain = cs.chain_schema([number, cs.decimal_schema(**exact)])
    python = cs.union_schema([cs.decimal_schema(strict=True, **exact), plain], mode="left_to_right")
    kinds = cs.json_or_python_schema(plain, python)
    schema = dict(_said(kinds, "quantity", "write a number from 0"))
    out = cs.plain_serializer_function_ser_schema(
        float, return_schema=cs.float_schema(), when_used="json"
    )
    schema["serialization"] = out
    return cast(CoreSchema, schema)


Quantity = Annotated[
    Decimal,
    GetPydanticSchema(_quantity, lambda _schema, _handler: {"type": "number", "minimum": 0}),
]


class _OnlyLists:
    """Lists and tuples only: a set or a generator has no order to keep."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Any) -> CoreSchema:
        kinds = cs.union_schema([cs.is_instance_schema(list), cs.is_instance_schema(tuple)])
        python = cs.chain_schema([_said(kinds, "listed", "write a list"), handler(source)])
        return cs.json_or_python_schema(handler(source), python)


def _empty_for_null(value: Any) -> Any:
    return () if value is None else value


_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict(), Field(ge=0, le=1_000_000)]
Counted = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Identifier = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200, pattern=_PLAIN)
]
Text = Annotated[str, StringConstraints(strict=True, max_length=2_000, pattern=_PLAIN)]
Code = Annotated[
    str, StringConstraints(strict=True, min_length=5, max_length=5, pattern="^[A-Z0-9]+$")
]
Modifier = Annotated[
    str, StringConstraints(strict=True, min_length=2, max_length=2, pattern="^[A-Z0-9]+$")
]
PlaceOfService = Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{2}$")]
TypeOfBill = Annotated[str, StringConstraints(strict=True, pattern="^0?[0-9]{2}[0-9A-Z]$")]
RevenueCode = Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{3,4}$")]
Ndc = Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{4,6}-?[0-9]{3,4}-?[0-9]{1,2}$")]
Diagnosis = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z][0-9A-Z.]{2,8}$")]

Setting = Literal["facility", "professional"]
Category = Literal[
    "therapeutic",
    "chemotherapy",
    "complex_biologic",
    "hydration",
    "vaccine",
    "contrast",
    "flush",
    "blood",
    "anesthesia",
]
Route = Literal[
    "IV", "IM", "SC", "IA", "ID", "IO", "IT", "IP", "IPL", "IL", "IVES", "IVT", "ICV",
    "PO", "SL", "PR", "TOP", "INH", "NASAL", "OPH", "OTIC", "TUBE", "OTHER",
]  # fmt: skip
Method = Literal["push", "infusion", "injection"]
TimesFrom = Literal["charted", "pump", "calculated", "ordered", "defaulted"]
Purpose = Literal[
    "treatment",
    "hydration",
    "keep_open",
    "flush",
    "drug_carrier",
    "imaging",
    "procedure",
    "premedication",
    "pump_refill",
    "declotting",
]
Access = Literal["peripheral", "port", "picc", "central"]
Device = Literal["on_body_injector", "ambulatory_pump", "implanted_pump"]
Level = Literal["personal", "direct", "general", "none"]
Mode = Literal["in_person", "audio_video", "audio_only", "none"]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """The model of a dictionary; raises InputError, which names fields and no value."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            faults = tuple(_faults(error, cls))
        raise InputError(faults)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """The model of a JSON text; raises InputError, which names fields and no value."""
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:
            faults = tuple(_faults(error, cls))
        raise InputError(faults)


class Supervision(_Model):
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


class Administration(_Model):
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
    visit: Counted | None = None
    """1, 2 … when the patient left and came back the same day."""
    last_seen_running: Instant | None = None
    """A charted look at a drip whose stop is missing."""
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

    def __repr__(self) -> str:
        return "Administration(…)"

    __str__ = __repr__


class ClaimLine(_Model):
    """One line as billed (837P loop 2400 SV1, 837I loop 2400 SV2)."""

    number: Counted
    """Line number, unique in the claim."""
    code: Code
    """CPT or HCPCS code."""
    modifiers: Annotated[tuple[Modifier, ...], _OnlyLists, BeforeValidator(_empty_for_null)] = ()
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
        tuple[Counted, ...], _OnlyLists, BeforeValidator(_empty_for_null)
    ] = ()
    """Positions in the encounter's diagnoses, from 1."""
    charge: Quantity | None = None
    """Charge in dollars."""
    ndc: Ndc | None = None
    """NDC reported with a drug line."""
    minutes: Whole | None = None
    """Minutes reported on the line."""
    administrations: (
        Annotated[tuple[Identifier, ...], _OnlyLists, BeforeValidator(_empty_for_null)] | None
    ) = None
    """Ids of the administrations that the line bills, where the biller links them."""

    def __repr__(self) -> str:
        return f"ClaimLine(number={self.number})"

    __str__ = __repr__


class Encounter(_Model):
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
    """When the encounter ended."""
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
    administrations: Annotated[tuple[Administration, ...], _OnlyLists] | None = Field(
        default=None, max_length=MOST_ADMINISTRATIONS
    )
    """The chart; None means no chart, an empty list means nothing was given."""
    lines: Annotated[tuple[ClaimLine, ...], _OnlyLists] | None = Field(
        default=None, max_length=MOST_LINES
    )
    """The claim; None means no claim, an empty list means nothing was billed."""
    diagnoses: Annotated[tuple[Diagnosis, ...], _OnlyLists, BeforeValidator(_empty_for_null)] = ()
    """ICD-10-CM codes in claim order."""
    complexity_documented: Flag | None = None
    """Whether the record shows the work that makes a biologic's administration complex."""

    def __repr__(self) -> str:
        given = "no chart" if self.administrations is None else len(self.administrations)
        billed = "no claim" if self.lines is None else len(self.lines)
        return f"Encounter(administrations={given}, lines={billed})"

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
        starts = [a.start.date() for a in self.administrations or () if a.start is not None]
        if starts:
            return min(starts)
        return min((one.date for one in self.lines or () if one.date is not None), default=None)


def _crossed(encounter: Encounter) -> Iterator[str]:
    """What no single field shows: repeated or dangling ids, missing date, mixed clocks."""
    given, billed = encounter.administrations or (), encounter.lines or ()
    ids = {one.id for one in given}
    if len(ids) != len(given):
        yield "administrations: two share one id; give each its own"
    if len({line.number for line in billed}) != len(billed):
        yield "lines: two share one number; give each its own"
    for place, target in _links(encounter):
        if target not in ids:
            yield f"{place} names no administration of this encounter; write one of its ids"
    if (given or billed) and encounter.service_date is None:
        yield "date is not stated anywhere; write the encounter's date"
    zone = encounter.timezone
    if zone is not None and (not zone_is_plain(zone) or tz.gettz(zone) is None):
        yield "timezone is not a known zone; write an IANA name such as America/Chicago"
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


def _instants(encounter: Encounter) -> Iterator[datetime]:
    for at in (encounter.start, encounter.end):
        if at is not None:
            yield at
    for one in encounter.administrations or ():
        for at in (one.start, one.stop, one.last_seen_running):
            if at is not None:
                yield at


def zone_is_plain(name: str) -> bool:
    """Whether a zone name is made of letters, digits, ``_ + - /`` only, so it is no path."""
    return (
        name.isascii()
        and not name.startswith("/")
        and name.replace("/", "a").replace("_", "a").replace("+", "a").replace("-", "a").isalnum()
    )


_PLAIN_WORDS = {
    "missing": "is required",
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "string_type": "write text",
    "tuple_type": "write a list",
    "model_type": "write an object",
    "json_invalid": "this is not JSON",
}


def _faults(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    for one in error.errors(include_url=False, include_context=True, include_input=False):
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in one["loc"]).lstrip(".")
        if one["type"] == "crossed":
            yield Fault("the encounter", one["msg"])
            continue
        if one["type"] == "extra_forbidden":
            known = _fields_at(model, one["loc"][:-1])
            yield Fault(
                place.rpartition(".")[0] or "the top level",
                "holds a field that is not in the contract",
                did_you_mean(str(one["loc"][-1]), known),
            )
            continue
        context = one.get("ctx", {})
        remedy = _PLAIN_WORDS.get(one["type"]) or one["msg"].removeprefix("Value error, ")
        if one["type"] == "string_pattern_mismatch":
            remedy = _SHAPES.get(str(context.get("pattern")), "write it in the form of the field")
        elif one["type"] in {"string_too_short", "string_too_long"} and context.get(
            "min_length", context.get("max_length")
        ) in {2, 5}:
            remedy = "write a code of exactly that many capital letters and digits: 5, a modifier 2"
        yield Fault(place or model.__name__, "is not what the contract asks for", remedy)


_SHAPES = {
    _PLAIN: "leave out control characters such as tabs and line ends",
    "^[A-Z0-9]+$": "write capital letters A-Z and digits 0-9 only",
    "^[0-9]{2}$": "write two digits",
    "^0?[0-9]{2}[0-9A-Z]$": "write the three characters of the type of bill",
    "^[0-9]{3,4}$": "write the four digits of the revenue code",
}


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Field names of the model that a location ends in."""
    here: type[BaseModel] = model
    for part in loc:
        found: dict[str, type[BaseModel]] = {
            "administrations": Administration,
            "lines": ClaimLine,
            "supervision": Supervision,
        }
        if isinstance(part, str) and here is Encounter and part in found:
            here = found[part]
    return list(here.model_fields)
