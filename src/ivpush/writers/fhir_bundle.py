"""An encounter of the contract as a FHIR R4 Bundle: Encounter, MedicationAdministration, Claim.

``ivpush convert --to fhir`` calls ``encounter_to_bundle``. What FHIR cannot hold of the contract,
and what is therefore left out: of an administration
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

from ivpush import clock
from ivpush.contract.encounter import Administration, ClaimLine, Encounter
from ivpush.errors import Fault, InputError
from ivpush.readers.terms import Terms, shipped_terms

__all__ = ["encounter_to_bundle", "entry_url", "fits_id"]

Resource = dict[str, Any]
"""A resource or element of FHIR as plain JSON-like data."""

# The data type "id" of R4.
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
# Fixed for ever: the URL of a name must not change between versions of ivpush.
_SPACE = uuid.UUID("6f0a7c1e-9d52-5c1b-8e5e-2b1f6a0c4d3e")
_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ABSENT_REASONS = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# What R4 requires and the contract does not hold: an extension where an element may be empty
# otherwise, a code where a CodeableConcept must say something.
_ABSENT = {"extension": [{"url": _ABSENT_REASON, "valueCode": "unknown"}]}
_UNKNOWN = {"coding": [{"system": _ABSENT_REASONS, "code": "unknown"}]}
_TYPES = {"facility": "institutional", "professional": "professional"}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/claiminformationcategory"
_PRIORITY = "http://terminology.hl7.org/CodeSystem/processpriority"


def fits_id(text: str) -> bool:
    """Whether a text may be the id of a resource."""
    return _ID.fullmatch(text) is not None


def entry_url(kind: str, name: str) -> str:
    """A fullUrl that the same name always gets."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, f'{kind}/{name}')}"


def encounter_to_bundle(encounter: Encounter) -> Resource:
    """The encounter as the plain data of a Bundle of type ``collection``.

    Raises InputError for a time without an offset where the encounter names no time zone, for FHIR
    writes none.
    """
    terms = shipped_terms()
    link = entry_url("Encounter", encounter.id)
    entries: list[Resource] = [{"fullUrl": link, "resource": _encounter(encounter, terms)}]
    for number, administration in enumerate(encounter.administrations or ()):
        place = f"administrations[{number}]"
        period = _period(administration.start, administration.stop, encounter, place)
        # An id is unique in its encounter only.
        url = entry_url("MedicationAdministration", f"{encounter.id}/{administration.id}")
        resource = _administration(administration, link, period, terms)
        entries.append({"fullUrl": url, "resource": resource})
    if encounter.lines is not None:
        resource = _claim(encounter, encounter.lines, link, terms)
        entries.append({"fullUrl": entry_url("Claim", encounter.id), "resource": resource})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _named(kind: str, name: str) -> Resource:
    """The beginning of a resource; a name that may be no id becomes an identifier."""
    if fits_id(name):
        return {"resourceType": kind, "id": name}
    return {"resourceType": kind, "identifier": [{"value": name}]}


def _instant(at: datetime, encounter: Encounter, place: str) -> str:
    if at.tzinfo is None:
        zone = clock.zone_named(encounter.timezone)
        if zone is None:
            raise InputError(
                Fault(
                    place,
                    "has no offset, and FHIR writes every time with one",
                    "state the encounter's timezone",
                )
            )
        at = at.replace(tzinfo=zone)
    return at.isoformat()


def _period(
    start: datetime | None, stop: datetime | None, encounter: Encounter, place: str
) -> dict[str, str]:
    ends = {"start": start, "end": stop}
    return {
        name: _instant(at, encounter, f"{place}.{name}")
        for name, at in ends.items()
        if at is not None
    }


def _encounter(encounter: Encounter, terms: Terms) -> Resource:
    resource = _named("Encounter", encounter.id)
    resource["status"] = "finished" if encounter.end is not None else "unknown"
    resource["class"] = dict(_ABSENT)
    if encounter.place_of_service is not None:
        resource["type"] = [_coded(terms.uris["place"], encounter.place_of_service)]
    period = _period(encounter.start, encounter.end, encounter, "encounter")
    if encounter.start is None and encounter.date is not None:
        period["start"] = encounter.date.isoformat()
    if period:
        resource["period"] = period
    return resource


# The chart


def _administration(
    administration: Administration, link: str, period: dict[str, str], terms: Terms
) -> Resource:
    performer, purpose = administration.performer, administration.purpose
    resource = _named("MedicationAdministration", administration.id)
    resource["status"] = "completed"
    resource["medicationCodeableConcept"] = _medication(administration, terms)
    resource["subject"] = dict(_ABSENT)
    resource["context"] = {"reference": link}
    if performer is not None and fits_id(performer):
        resource["performer"] = [{"actor": {"reference": f"Practitioner/{performer}"}}]
    if purpose is not None:
        resource["reasonCode"] = [{"text": purpose.replace("_", " ")}]
    resource["dosage"] = _dosage(administration, terms)
    # Required in R4, so that a chart without times says that they are unknown.
    resource["effectivePeriod"] = period or dict(_ABSENT)
    return resource


def _medication(administration: Administration, terms: Terms) -> Resource:
    codes = {"hcpcs": administration.hcpcs, "ndc": administration.ndc}
    codings = [
        {"system": terms.uris[system], "code": code}
        for system, code in codes.items()
        if code is not None
    ]
    concept: Resource = {"coding": codings} if codings else {}
    if administration.drug:
        concept["text"] = administration.drug
    return concept or dict(_UNKNOWN)


def _dosage(administration: Administration, terms: Terms) -> Resource:
    dosage: Resource = {}
    if administration.site:
        dosage["site"] = {"text": administration.site}
    if administration.route is not None:
        route = terms.codings[("route", administration.route)]
        coding = {"system": route.system, "code": route.code, "display": route.label}
        dosage["route"] = {"coding": [coding]}
    # One element for three fields: the first that is stated.
    method = administration.method or administration.access or administration.device
    if method is not None:
        dosage["method"] = {"text": method.replace("_", " ")}
    dosage["dose"] = _dose(administration)
    if administration.rate_ml_per_hour is not None:
        dosage["rateQuantity"] = _quantity(administration.rate_ml_per_hour, "mL/h")
    elif administration.minutes is not None:
        # Minutes without times have no element of their own; the reader takes a rate in "min" so.
        dosage["rateQuantity"] = _quantity(Decimal(administration.minutes), "min")
    return dosage


def _dose(administration: Administration) -> Resource:
    if administration.dose is not None:
        return _quantity(administration.dose, administration.dose_unit)
    if administration.volume_ml is not None:
        return _quantity(administration.volume_ml, "mL")
    # A dosage must have a dose or a rate (constraint mad-1).
    return dict(_ABSENT)


def _quantity(amount: Decimal, unit: str | None) -> Resource:
    quantity: Resource = {"value": _number(amount)}
    if unit:
        quantity["unit"] = unit
    return quantity


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


# The claim


def _claim(encounter: Encounter, lines: tuple[ClaimLine, ...], link: str, terms: Terms) -> Resource:
    resource = _named("Claim", encounter.id)
    resource["status"], resource["use"] = "active", "claim"
    resource["type"] = _coded(terms.uris["claim-type"], _TYPES[encounter.setting])
    resource["patient"], resource["provider"] = dict(_ABSENT), dict(_ABSENT)
    # A primitive: its extensions stand under the name with an underscore.
    resource["_created"] = dict(_ABSENT)
    resource["priority"] = _coded(_PRIORITY, "normal")
    resource["insurance"] = [{"sequence": 1, "focal": True, "coverage": dict(_ABSENT)}]
    if encounter.type_of_bill is not None:
        code = _coded(terms.uris["type-of-bill"], encounter.type_of_bill)
        category = _coded(_CATEGORY, "info")
        resource["supportingInfo"] = [{"sequence": 1, "category": category, "code": code}]
    if encounter.diagnoses:
        resource["diagnosis"] = [
            {"sequence": n, "diagnosisCodeableConcept": _coded(terms.uris["icd-10-cm"], code)}
            for n, code in enumerate(encounter.diagnoses, 1)
        ]
    # FHIR allows no empty list.
    if lines:
        resource["item"] = [_item(line, link, terms) for line in lines]
    return resource


def _item(line: ClaimLine, link: str, terms: Terms) -> Resource:
    # Codes of level I of HCPCS are those of CPT and begin with a digit.
    system = terms.uris["cpt" if line.code[0].isdigit() else "hcpcs"]
    item: Resource = {
        "sequence": line.number,
        "productOrService": _coded(system, line.code),
        "quantity": {"value": line.units},
        "encounter": [{"reference": link}],
    }
    if line.diagnosis_pointers:
        item["diagnosisSequence"] = list(line.diagnosis_pointers)
    if line.modifiers:
        item["modifier"] = [_coded(terms.uris["hcpcs"], modifier) for modifier in line.modifiers]
    if isinstance(line.date, date):
        item["servicedDate"] = line.date.isoformat()
    if line.place_of_service is not None:
        item["locationCodeableConcept"] = _coded(terms.uris["place"], line.place_of_service)
    if line.revenue_code is not None:
        item["revenue"] = _coded(terms.uris["revenue"], line.revenue_code)
    if line.charge is not None:
        item["net"] = {"value": _number(line.charge), "currency": "USD"}
    if line.ndc is not None:
        # The NDC of the drug that the line's code bills: a detail of the item.
        item["detail"] = [{"sequence": 1, "productOrService": _coded(terms.uris["ndc"], line.ndc)}]
    return item
