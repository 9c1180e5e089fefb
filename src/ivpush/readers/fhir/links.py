"""Which FHIR resources belong together: every way to name one comes to the same key.

A reference names its target literally (absolute or relative), by the entry's fullUrl, or by a
logical identifier. ``reader`` puts resources together by these keys; ``units``, ``chart`` and
``drugs`` find a patient, a request or a medication by them.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "aliases",
    "encounter_keys",
    "key_of",
    "subject_of",
]

_SUBJECTS = ("subject", "patient")  # charts name a subject, claims a patient


def key_of(reference: Any, kind: str) -> str | None:
    """The key of the resource that a Reference names; None where it names none that can be told."""
    if not isinstance(reference, dict):
        return None
    literal = reference.get("reference")
    if isinstance(literal, str) and literal.strip():
        return _literal_key(literal.strip(), kind)
    identifier = _identifier_text(reference.get("identifier"))
    return None if identifier is None else f"{kind}?{identifier}"


def _literal_key(literal: str, kind: str) -> str:
    """``kind/id`` of a relative or absolute address; any other, such as a urn, as it stands."""
    address = literal.split("/_history/", maxsplit=1)[0]
    before, _, last = address.rpartition("/")
    if last and (before == kind or before.endswith(f"/{kind}")):
        return f"{kind}/{last}"
    return address


def _identifier_text(identifier: Any) -> str | None:
    """``system|value`` of an Identifier, as FHIR's searches write it."""
    if not isinstance(identifier, dict):
        return None
    value, system = identifier.get("value"), identifier.get("system")
    if not isinstance(value, str) or not value:
        return None
    return f"{system if isinstance(system, str) else ''}|{value}"


def aliases(resource: dict[str, Any], full_url: Any) -> list[str]:
    """Every key by which others may name this resource; the first is its own."""
    kind = str(resource.get("resourceType"))
    keys = []
    if isinstance(resource.get("id"), str) and resource["id"]:
        keys.append(f"{kind}/{resource['id']}")
    if isinstance(full_url, str) and full_url:
        keys.append(_literal_key(full_url, kind))
    # Most resources repeat their identifier, but in some it is a single object.
    identifiers = resource.get("identifier")
    for identifier in _as_list(identifiers) or (identifiers,):
        text = _identifier_text(identifier)
        if text is not None:
            keys.append(f"{kind}?{text}")
    return list(dict.fromkeys(keys))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def encounter_keys(resource: dict[str, Any]) -> list[str]:
    """Keys of the encounters that an administration or the items of a claim name."""
    if "item" in resource or resource.get("resourceType") != "MedicationAdministration":
        references = [
            reference
            for item in _as_list(resource.get("item"))
            if isinstance(item, dict)
            for reference in _as_list(item.get("encounter"))
        ]
    else:
        references = [resource.get("context"), resource.get("encounter")]
    keys = (key_of(reference, "Encounter") for reference in references)
    return list(dict.fromkeys(key for key in keys if key is not None))


def subject_of(resource: dict[str, Any]) -> str | None:
    """Key of the patient, only ever compared with another one."""
    for name in _SUBJECTS:
        key = key_of(resource.get(name), "Patient")
        if key is not None:
            return key
    return None
