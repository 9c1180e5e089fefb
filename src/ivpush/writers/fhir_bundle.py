"""An encounter of the contract as a FHIR R4 Bundle: Encounter, MedicationAdministration, Claim.

What FHIR cannot hold of the contract, and what is therefore left out: of an administration
``category``, ``hormonal``, ``wasted``, ``single_dose_container``, ``times_from``, ``continues``,
``mixed_with``, ``lumen``, ``resited_from``, ``separate_site_reason``, ``visit``,
``last_seen_running``, ``continuously_attended``, ``administered_by``, ``ordered``, ``monitoring``
and ``response``, ``access`` and ``device`` beside another method, a volume beside a dose in another
unit, minutes beside a rate; of a line ``minutes`` and the links to administrations; of the
encounter ``payer``, ``timezone``, ``supervision``, ``primary_administration``,
``complexity_documented``, a date beside a start, and the setting where there is no claim; a
``performer`` that is no FHIR id, and a stop that equals its start. A place of service that every
line carries reads back as the encounter's too.
"""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dateutil import tz

from ivpush.contract.encounter import Administration, ClaimLine, Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers.terms import Terms, shipped_terms

__all__ = ["encounter_to_bundle", "entry_url", "fits_id"]

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_SPACE = uuid.UUID("6f0a7c1e-9d52-5c1b-8e5e-2b1f6a0c4d3e")
_ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                          "valueCode": "unknown"}]}  # fmt: skip
_UNKNOWN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                        "code": "unknown"}]}  # fmt: skip
_TYPES = {"facility": "institutional", "professional": "professional"}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/claiminformationcategory"
_PRIORITY = "http://terminology.hl7.org/CodeSystem/processpriority"


def fits_id(text: str) -> bool:
    """Whether a text may be the id of a resource."""
    return _ID.fullmatch(text) is not None


def entry_url(kind: str, name: str) -> str:
    """A fullUrl that the same name always gets."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, f'{kind}/{name}')}"


def encounter_to_bundle(encounter: Encounter) -> dict[str, Any]:
    """The encounter as the plain data of a Bundle of type ``collection``.

    Raises InputError for a time without an offset where the encounter names no time zone, for FHIR
    writes none.
    """
    terms = shipped_terms()
    link = entry_url("Encounter", encounter.id)
    entries = [{"fullUrl": link, "resource": _encounter(encounter, terms)}]
    for number, one in enumerate(encounter.administrations or ()):
        resource = _administration(one, link, terms)
        period = _period(one.start, one.stop, encounter, f"administrations[{number}]")
        resource["effectivePeriod"] = period or dict(_ABSENT)
        name = f"{encounter.id}/{one.id}"
        entries.append({"fullUrl": entry_url("MedicationAdministration", name),
                        "resource": resource})  # fmt: skip
    if encounter.lines is not None:
        resource = _claim(encounter, link, terms)
        entries.append({"fullUrl": entry_url("Claim", encounter.id), "resource": resource})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _named(kind: str, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": kind}
    if fits_id(name):
        made["id"] = name
    else:
        made["identifier"] = [{"value": name}]
    return made


def _instant(at: datetime, encounter: Encounter, place: str) -> str:
    if at.tzinfo is None:
        zone = tz.gettz(encounter.timezone) if encounter.timezone is not None else None
        if zone is None:
            raise InputError(Fault(place, "has no offset, and FHIR writes every time with one",
                                   "state the encounter's timezone"))  # fmt: skip
        at = at.replace(tzinfo=zone)
    return at.isoformat()


def _period(
    start: datetime | None, stop: datetime | None, encounter: Encounter, place: str
) -> dict[str, str]:
    ends = {"start": start, "end": stop}
    return {name: _instant(at, encounter, f"{place}.{name}")
            for name, at in ends.items() if at is not None}  # fmt: skip


def _encounter(encounter: Encounter, terms: Terms) -> dict[str, Any]:
    made = _named("Encounter", encounter.id)
    made["status"] = "finished" if encounter.end is not None else "unknown"
    made["class"] = dict(_ABSENT)
    if encounter.place_of_service is not None:
        made["type"] = [_coded(terms.uris["place"], encounter.place_of_service)]
    period = _period(encounter.start, encounter.end, encounter, "encounter")
    if encounter.start is None and encounter.date is not None:
        period["start"] = encounter.date.isoformat()
    if period:
        made["period"] = period
    return made


def _administration(one: Administration, link: str, terms: Terms) -> dict[str, Any]:
    made = _named("MedicationAdministration", one.id)
    made["status"] = "completed"
    made["medicationCodeableConcept"] = _medication(one, terms)
    made["subject"] = dict(_ABSENT)
    made["context"] = {"reference": link}
    if one.performer is not None and fits_id(one.performer):
        made["performer"] = [{"actor": {"reference": f"Practitioner/{one.performer}"}}]
    if one.purpose is not None:
        made["reasonCode"] = [{"text": one.purpose.replace("_", " ")}]
    made["dosage"] = _dosage(one, terms)
    return made


def _medication(one: Administration, terms: Terms) -> dict[str, Any]:
    codes = (("hcpcs", one.hcpcs), ("ndc", one.ndc))
    codings = [{"system": terms.uris[of], "code": code} for of, code in codes if code is not None]
    made: dict[str, Any] = {"coding": codings} if codings else {}
    if one.drug:
        made["text"] = one.drug
    return made or dict(_UNKNOWN)


def _dosage(one: Administration, terms: Terms) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if one.site:
        made["site"] = {"text": one.site}
    if one.route is not None:
        coding = terms.codings[("route", one.route)]
        made["route"] = {"coding": [{"system": coding.system, "code": coding.code,
                                     "display": coding.label}]}  # fmt: skip
    words = one.method or one.access or one.device
    if words is not None:
        made["method"] = {"text": words.replace("_", " ")}
    amount, unit = one.dose, one.dose_unit
    if amount is None and one.volume_ml is not None:
        amount, unit = one.volume_ml, "mL"
    made["dose"] = dict(_ABSENT) if amount is None else _quantity(amount, unit)
    if one.rate_ml_per_hour is not None:
        made["rateQuantity"] = _quantity(one.rate_ml_per_hour, "mL/h")
    elif one.minutes is not None:
        made["rateQuantity"] = _quantity(Decimal(one.minutes), "min")
    return made


def _quantity(amount: Decimal, unit: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"value": _number(amount)}
    if unit:
        made["unit"] = unit
    return made


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _claim(encounter: Encounter, link: str, terms: Terms) -> dict[str, Any]:
    made = _named("Claim", encounter.id)
    made["status"], made["use"] = "active", "claim"
    made["type"] = _coded(terms.uris["claim-type"], _TYPES[encounter.setting])
    made["patient"], made["provider"] = dict(_ABSENT), dict(_ABSENT)
    made["_created"] = dict(_ABSENT)
    made["priority"] = _coded(_PRIORITY, "normal")
    made["insurance"] = [{"sequence": 1, "focal": True, "coverage": dict(_ABSENT)}]
    if encounter.type_of_bill is not None:
        code = _coded(terms.uris["type-of-bill"], encounter.type_of_bill)
        made["supportingInfo"] = [
            {"sequence": 1, "category": _coded(_CATEGORY, "info"), "code": code}
        ]
    if encounter.diagnoses:
        made["diagnosis"] = [
            {"sequence": n, "diagnosisCodeableConcept": _coded(terms.uris["icd-10-cm"], code)}
            for n, code in enumerate(encounter.diagnoses, 1)
        ]
    items = [_item(line, link, terms) for line in encounter.lines or ()]
    if items:
        made["item"] = items
    return made


def _item(line: ClaimLine, link: str, terms: Terms) -> dict[str, Any]:
    system = terms.uris["cpt" if line.code[0].isdigit() else "hcpcs"]
    made: dict[str, Any] = {
        "sequence": line.number,
        "productOrService": _coded(system, line.code),
        "quantity": {"value": line.units},
        "encounter": [{"reference": link}],
    }
    if line.diagnosis_pointers:
        made["diagnosisSequence"] = list(line.diagnosis_pointers)
    if line.modifiers:
        made["modifier"] = [_coded(terms.uris["hcpcs"], one) for one in line.modifiers]
    if isinstance(line.date, date):
        made["servicedDate"] = line.date.isoformat()
    if line.place_of_service is not None:
        made["locationCodeableConcept"] = _coded(terms.uris["place"], line.place_of_service)
    if line.revenue_code is not None:
        made["revenue"] = _coded(terms.uris["revenue"], line.revenue_code)
    if line.charge is not None:
        made["net"] = {"value": _number(line.charge), "currency": "USD"}
    if line.ndc is not None:
        made["detail"] = [{"sequence": 1, "productOrService": _coded(terms.uris["ndc"], line.ndc)}]
    return made
