"""Which FHIR resources belong together: references, and an index that holds no content.

A reference names its target literally (absolute or relative), by the entry's fullUrl, or by a
logical identifier; all three come to the same key. The index keeps numbers only: where a resource
stands and which group it belongs to.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

__all__ = ["Index", "aliases", "encounter_keys", "key_of", "subject_of"]

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


class Index:
    """Numbers of resources in groups, groups in the order of their first resource."""

    __slots__ = ("_groups", "_heads", "_next", "_same", "_spots", "_tails")

    def __init__(self) -> None:
        self._groups: dict[str, int] = {}
        self._same: dict[str, str] = {}
        self._heads, self._tails = array("q"), array("q")
        self._next, self._spots = array("q"), array("q")

    def add(self, key: str, spot: int) -> None:
        """Put a resource that stands at ``spot`` into the group of ``key``."""
        number = len(self._spots)
        self._spots.append(spot)
        self._next.append(-1)
        group = self._groups.setdefault(key, len(self._groups))
        if group == len(self._heads):
            self._heads.append(number)
            self._tails.append(number)
            return
        self._next[self._tails[group]] = number
        self._tails[group] = number

    def alike(self, names: list[str]) -> None:
        """Say that several keys name one encounter, the first being its own."""
        for name in names[1:]:
            self._same.setdefault(name, names[0])

    def own_key(self, key: str) -> str:
        """The encounter's own key behind one of its names."""
        return self._same.get(key, key)

    def groups(self) -> Iterator[tuple[str, list[int]]]:
        """Every group with the spots of its resources, names of one encounter put together."""
        together: dict[str, list[int]] = {}
        for key, group in self._groups.items():
            together.setdefault(self.own_key(key), []).append(group)
        for key, members in together.items():
            yield key, sorted(spot for group in members for spot in self._chain(group))

    def _chain(self, group: int) -> Iterator[int]:
        at = self._heads[group]
        while at >= 0:
            yield self._spots[at]
            at = self._next[at]
