"""The kinds of fields of the contract: strict text, codes, times, numbers and closed words.

No pydantic setting alone refuses all that lies here: a number read as a time, a date as midnight,
text as a number, full-width digits, a set as a list.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import Field, GetPydanticSchema, Strict, StringConstraints
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

__all__ = [
    "PLAIN",
    "Access",
    "Category",
    "Code",
    "Counted",
    "Day",
    "Device",
    "Diagnosis",
    "Flag",
    "Identifier",
    "Instant",
    "JsonSchema",
    "Level",
    "Method",
    "Mode",
    "Modifier",
    "Ndc",
    "OnlyLists",
    "PlaceOfService",
    "Purpose",
    "Quantity",
    "RevenueCode",
    "Route",
    "Setting",
    "Text",
    "TimesFrom",
    "TypeOfBill",
    "Whole",
    "empty_for_null",
]


JsonSchema = dict[str, object]
"""A JSON Schema, as pydantic asks a kind of field for it."""


class _Parse(Protocol):
    """Makes the schema of a Python type: of that type alone, or of text that is read to it."""

    def __call__(self, *, strict: bool) -> CoreSchema: ...


def _said(schema: CoreSchema, kind: str, message: str) -> CoreSchema:
    return cs.custom_error_schema(schema, custom_error_type=kind, custom_error_message=message)


def _written(pattern: str, parse: _Parse, kind: str, message: str, form: str) -> GetPydanticSchema:
    """Text in one ISO form, or the Python type itself; numbers and loose text are refused."""
    # The pattern first: pydantic alone takes '20240701' and numbers for times as well.
    text = cs.chain_schema([cs.str_schema(pattern=pattern, strict=True), parse(strict=False)])
    python = cs.union_schema([parse(strict=True), text], mode="left_to_right")

    def schema(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return _said(cs.json_or_python_schema(text, python), kind, message)

    def describe(_schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"type": "string", "format": form, "pattern": pattern}

    return GetPydanticSchema(schema, describe)


# [0-9] and not \d, which matches digits of every script.
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"


def _truncating(strict: bool) -> CoreSchema:
    # Nanoseconds of a pump's log are cut and not refused; minutes count, so nothing is lost.
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


def _decimal(*, strict: bool) -> CoreSchema:
    # Fifteen digits, six of them decimals: an Arrow column of decimal128(15, 6) holds them.
    return cs.decimal_schema(ge=Decimal(), max_digits=15, decimal_places=6, strict=strict)


def _quantity(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
    # Strict: without it pydantic takes '5' and True for numbers.
    number = cs.union_schema(
        [cs.int_schema(strict=True), cs.float_schema(strict=True)],
        mode="left_to_right",
    )
    # A decimal is finite, so that an infinite float ends here.
    plain = cs.chain_schema([number, _decimal(strict=False)])
    python = cs.union_schema([_decimal(strict=True), plain], mode="left_to_right")
    return cs.custom_error_schema(
        cs.json_or_python_schema(plain, python),
        custom_error_type="quantity",
        custom_error_message="write a number from 0, with at most 9 digits and 6 decimals",
        # As a JSON number: pydantic would write a Decimal as text, which readers would not sum.
        serialization=cs.plain_serializer_function_ser_schema(
            float, return_schema=cs.float_schema(), when_used="json"
        ),
    )


Quantity = Annotated[
    Decimal,
    GetPydanticSchema(_quantity, lambda _schema, _handler: {"type": "number", "minimum": 0}),
]


class OnlyLists:
    """Lists and tuples only: a set or a generator has no order to keep."""

    @staticmethod
    def __get_pydantic_core_schema__(source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = cs.union_schema([cs.is_instance_schema(list), cs.is_instance_schema(tuple)])
        python = cs.chain_schema([_said(kinds, "listed", "write a list"), handler(source)])
        return cs.json_or_python_schema(handler(source), python)


def empty_for_null(value: object) -> object:
    """An empty list where a null stands for one, as rows of tables write it."""
    return () if value is None else value


# No control characters: ids and texts are printed to terminals and logs.
PLAIN = r"^[^\x00-\x1f\x7f]*$"
Flag = Annotated[bool, Strict()]
# Minutes of nearly two years, and units beyond any MUE: what is larger is a slip of the keys.
Whole = Annotated[int, Strict(), Field(ge=0, le=1_000_000)]
Counted = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Identifier = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200, pattern=PLAIN)
]
Text = Annotated[str, StringConstraints(strict=True, max_length=2_000, pattern=PLAIN)]
Code = Annotated[
    str, StringConstraints(strict=True, min_length=5, max_length=5, pattern="^[A-Z0-9]+$")
]
# CPT and HCPCS modifiers have two characters; payers add some of letters and digits mixed.
Modifier = Annotated[
    str, StringConstraints(strict=True, min_length=2, max_length=2, pattern="^[A-Z0-9]+$")
]
PlaceOfService = Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{2}$")]
# The leading zero is printed on the UB-04 form and left out in an 837I (CLM05-1, CLM05-3).
TypeOfBill = Annotated[str, StringConstraints(strict=True, pattern="^0?[0-9]{2}[0-9A-Z]$")]
# NUBC writes four digits with a leading zero; older systems leave it out.
RevenueCode = Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{3,4}$")]
# Labels carry 4-4-2, 5-3-2 or 5-4-1, HIPAA claims 5-4-2 without hyphens; systems mix them.
Ndc = Annotated[str, StringConstraints(strict=True, pattern="^[0-9]{4,6}-?[0-9]{3,4}-?[0-9]{1,2}$")]
# ICD-10-CM: a letter and up to six more, with or without the dot after the third.
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
    "IV",
    "IM",
    "SC",
    "IA",
    "ID",
    "IO",
    "IT",
    "IP",
    "IPL",
    "IL",
    "IVES",
    "IVT",
    "ICV",
    "PO",
    "SL",
    "PR",
    "TOP",
    "INH",
    "NASAL",
    "OPH",
    "OTIC",
    "TUBE",
    "OTHER",
]
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
Device = Literal["on_body_injector", "ambulatory_pump", "implanted_pump", "stationary_pump"]
PumpSupplier = Literal["practice", "supplier", "patient"]
Level = Literal["personal", "direct", "general", "none"]
Mode = Literal["in_person", "audio_video", "audio_only", "none"]
