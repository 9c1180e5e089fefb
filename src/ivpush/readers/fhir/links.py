"""Which FHIR resources belong together: every way to name one comes to the same key.

A reference names its target literally (absolute or relative), by the entry's fullUrl, or by a
logical identifier.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "aliases",
    "encounter_keys",
    "key_of",
    "subject_of",
]

_SUBJECTS = ("subject", "patient")


def key_of(reference: Any, kind: str) -> str | None:
    """The key of the resource that a Reference names; None where it names none that can be told."""
    if not isinstance(reference, dict):
        return None
    literal = reference.get("reference")
    if isinstance(literal, str) and literal.strip():
        return _literal(literal.strip(), kind)
    found = _identified(reference.get("identifier"))
    return None if found is None else f"{kind}?{found}"


def _literal(literal: str, kind: str) -> str:
    bare = literal.split("/_history/", maxsplit=1)[0]
    before, _, last = bare.rpartition("/")
    if last and (before == kind or before.endswith(f"/{kind}")):
        return f"{kind}/{last}"
    return bare


def _identified(identifier: Any) -> str | None:
    if not isinstance(identifier, dict):
        return None
    value, system = identifier.get("value"), identifier.get("system")
    if not isinstance(value, str) or not value:
        return None
    return f"{system if isinstance(system, str) else ''}|{value}"


def aliases(resource: dict[str, Any], full_url: Any) -> list[str]:
    """Every key by which others may name this resource; the first is its own."""
    kind = str(resource.get("resourceType"))
    made = []
    if isinstance(resource.get("id"), str) and resource["id"]:
        made.append(f"{kind}/{resource['id']}")
    if isinstance(full_url, str) and full_url:
        made.append(_literal(full_url, kind))
    listed = resource.get("identifier")
    for one in _listed(listed) or (listed,):
        found = _identified(one)
        if found is not None:
            made.append(f"{kind}?{found}")
    return list(dict.fromkeys(made))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def encounter_keys(resource: dict[str, Any]) -> list[str]:
    """Keys of the encounters that an administration or the items of a claim name."""
    if "item" in resource or resource.get("resourceType") != "MedicationAdministration":
        named = [
            one
            for item in _listed(resource.get("item"))
            if isinstance(item, dict)
            for one in _listed(item.get("encounter"))
        ]
    else:
        named = [resource.get("context"), resource.get("encounter")]
    keys = (key_of(one, "Encounter") for one in named)
    return list(dict.fromkeys(one for one in keys if one is not None))


def subject_of(resource: dict[str, Any]) -> str | None:
    """Key of the patient, only ever compared with another one."""
    for name in _SUBJECTS:
        found = key_of(resource.get(name), "Patient")
        if found is not None:
            return found
    return None
