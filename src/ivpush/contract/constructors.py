"""What the constructors of the models take, for type checkers: each field in its natural forms.

A model holds tuples, decimals and instants, but its constructor also takes lists, numbers and ISO
text. ``contract.encounter`` gives these types to checkers alone; a test holds them equal to the
fields of the models, and to what the constructors accept.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Required, TypedDict

from ivpush.contract.fields import (
    Access,
    Category,
    Device,
    Level,
    Method,
    Mode,
    PumpSupplier,
    Purpose,
    Route,
    TimesFrom,
)

__all__ = ["AdministrationFields", "ClaimLineFields", "SupervisionFields"]

Amount = Decimal | float
"""A number, an int too; a text is none, for who knows what its comma separates."""
Moment = dt.datetime | str
"""A time, or the ISO text of one."""
Date = dt.date | str
"""A date, or the ISO text of one."""
Words = list[str] | tuple[str, ...]
"""Texts in their order; a single text is none."""


class SupervisionFields(TypedDict, total=False):
    """The fields of a ``Supervision`` as its constructor takes them."""

    level: Level | None
    mode: Mode | None
    provider_present: bool | None
    assessment: bool | None
    consent: bool | None


class AdministrationFields(TypedDict, total=False):
    """The fields of an ``Administration`` as its constructor takes them."""

    id: Required[str]
    drug: str | None
    hcpcs: str | None
    ndc: str | None
    category: Category | None
    hormonal: bool | None
    dose: Amount | None
    dose_unit: str | None
    wasted: Amount | None
    single_dose_container: bool | None
    route: Route | None
    method: Method | None
    start: Moment | None
    stop: Moment | None
    minutes: int | None
    times_from: TimesFrom | None
    volume_ml: Amount | None
    rate_ml_per_hour: Amount | None
    continues: str | None
    site: str | None
    lumen: str | None
    resited_from: str | None
    access: Access | None
    separate_site_reason: str | None
    mixed_with: str | None
    purpose: Purpose | None
    device: Device | None
    pump_supplied_by: PumpSupplier | None
    visit: int | None
    last_seen_running: Moment | None
    stopped_early: str | None
    continuously_attended: bool | None
    administered_by: str | None
    performer: str | None
    ordered: bool | None
    monitoring: bool | None
    response: bool | None


class ClaimLineFields(TypedDict, total=False):
    """The fields of a ``ClaimLine`` as its constructor takes them."""

    number: Required[int]
    code: Required[str]
    modifiers: Words | None
    units: Required[int]
    date: Date | None
    place_of_service: str | None
    revenue_code: str | None
    diagnosis_pointers: list[int] | tuple[int, ...] | None
    charge: Amount | None
    ndc: str | None
    minutes: int | None
    administrations: Words | None
