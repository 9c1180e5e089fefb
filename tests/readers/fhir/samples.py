"""Resources of FHIR as the tests write them, and what the reader says of them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from ivpush.contract.encounter import Administration, Encounter
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.fhir.reader import read

DATA = Path(__file__).resolve().parents[2] / "data" / "fhir"
HERE = ReadOptions(setting="facility")
SCT = "http://snomed.info/sct"
CPT = "http://www.ama-assn.org/go/cpt"
CANARIES = ("Donald", "Duck", "Pump", "Careful", "Zebra", "MRN-4711")


def texts(*resources: Any) -> bytes:
    return "\n".join(json.dumps(resource) for resource in resources).encode()


def readings(text: bytes, options: ReadOptions = HERE) -> list[Any]:
    return list(read("f", io.BytesIO(text), options))


def encounter_of(*resources: Any, options: ReadOptions = HERE) -> tuple[Encounter, list[str]]:
    """The only encounter of some resources, and the notes."""
    every = readings(texts(*resources), options)
    (record,) = [x for x in every if not isinstance(x, Note)]
    assert isinstance(record, Record), str(record.error)
    return record.encounter, [x.message for x in every if isinstance(x, Note)]


def refused(*resources: Any, options: ReadOptions = HERE) -> str:
    (aside,) = [x for x in readings(texts(*resources), options) if not isinstance(x, Note)]
    assert isinstance(aside, SetAside)
    return str(aside.error)


def administration(**changes: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "ondansetron"},
        "subject": {"reference": "Patient/p", "display": "Zebra"},
        "context": {"reference": "Encounter/e1"},
        "effectivePeriod": {
            "start": "2026-03-02T10:00:00-06:00",
            "end": "2026-03-02T10:02:00-06:00",
        },
        "dosage": {"route": {"coding": [{"system": SCT, "code": "47625008"}]}},
    }
    resource.update(changes)
    return {key: value for key, value in resource.items() if value is not None}


def dosed(**dosage: Any) -> dict[str, Any]:
    return administration(dosage=dosage)


def claim(kind: str = "institutional", *items: Any, **more: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "Claim",
        "id": "c1",
        "status": "active",
        "use": "claim",
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": kind}]
        },
        "item": list(items) or [item("96374")],
    }
    resource.update(more)
    return {key: value for key, value in resource.items() if value is not None}


def item(code: str, sequence: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "productOrService": {"coding": [{"system": CPT, "code": code}]},
        "quantity": {"value": 1},
        "servicedDate": "2026-03-02",
        **more,
    }


def bundle(*resources: Any, kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": x} for x in resources]}


ENCOUNTER = {"resourceType": "Encounter", "id": "e1", "status": "finished"}


def only(encounter: Encounter) -> Administration:
    assert encounter.administrations is not None
    (administration,) = encounter.administrations
    return administration


def charted(*resources: Any) -> Administration:
    """The only administration of the only encounter."""
    return only(encounter_of(*resources)[0])


MEDICATION = {
    "resourceType": "Medication",
    "id": "m1",
    "code": {
        "coding": [
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "1",
                "display": "morphine",
            },
            {"system": "http://hl7.org/fhir/sid/ndc", "code": "00409189001"},
            {"system": "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "J2270"},
        ]
    },
}


def by_reference(reference: dict[str, Any], **more: Any) -> dict[str, Any]:
    return administration(medicationCodeableConcept=None, medicationReference=reference, **more)
