"""One encounter from the FHIR resources that belong to it: a record a claim, or one without.

``reader`` finds out which resources belong together and hands them in, an encounter at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivpush.errors import Fault, InputError, first_faults
from ivpush.readers import Note, Reading, ReadOptions, SetAside
from ivpush.readers.builder import Case, finished
from ivpush.readers.fhir.chart import Charted, administrations
from ivpush.readers.fhir.claim import billed, claim_key, is_void, setting_of
from ivpush.readers.fhir.drugs import Finder
from ivpush.readers.fhir.elements import Node, When
from ivpush.readers.fhir.links import subject_of

__all__ = [
    "CLAIMS",
    "Part",
    "encounters_of",
    "name_of",
]

CLAIMS = frozenset({"Claim", "ExplanationOfBenefit"})
_ADMINISTRATION = "MedicationAdministration"
_NEVER = ("cancelled", "entered-in-error")
_PERIODS = ("period", "actualPeriod")  # actualPeriod: R5


@dataclass(frozen=True, slots=True)
class Part:
    """One resource and its place."""

    place: str
    resource: dict[str, Any]

    @property
    def kind(self) -> str:
        """The resource's type."""
        return str(self.resource["resourceType"])


def encounters_of(
    key: str, parts: list[Part], find: Finder, options: ReadOptions
) -> Iterator[Reading]:
    """The records of one encounter; ``key`` names it where it has no resource of its own."""
    place, came = parts[0].place, len(parts)
    parts = _each_once(parts)
    if len(parts) < came:
        yield Note(place, "a resource came twice, and is read once")
    fault = _mixed(parts)
    if fault is not None:
        yield SetAside(place, InputError(fault))
        return
    if len(parts) == 1 and _never_was(parts[0]):
        yield Note(place, "an encounter was cancelled or entered in error, and is left out")
        return
    case = Case(options)
    claims = _claims(parts, case)
    yield from case.said(place)
    if case.faults:
        error = InputError(first_faults(case.faults, len(case.faults)))
        yield SetAside(case.first_faulted or place, error)
        return
    charted = [part for part in parts if part.kind not in CLAIMS]
    for suffix, record_parts in _records(charted, claims):
        case = Case(options)
        identity = name_of(key, record_parts) + suffix
        record = _record(identity, record_parts, find, case)
        yield from finished(place, record, case)


def _each_once(parts: list[Part]) -> list[Part]:
    """The parts without those that are word for word an earlier one with its id."""
    kept: list[Part] = []
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for part in parts:
        own_id = part.resource.get("id")
        if isinstance(own_id, str):
            earlier = first.setdefault((part.kind, own_id), part.resource)
            if earlier is not part.resource and earlier == part.resource:
                continue
        kept.append(part)
    return kept


def _mixed(parts: list[Part]) -> Fault | None:
    subjects = {subject_of(part.resource) for part in parts} - {None}
    if len(subjects) > 1:
        return Fault(
            "subject",
            "the resources of one encounter name several patients",
            "give each patient's encounter its own",
        )
    if sum(part.kind == "Encounter" for part in parts) > 1:
        return Fault("Encounter", "two resources are the same encounter", "keep the newer one")
    return None


def _never_was(part: Part) -> bool:
    return part.kind == "Encounter" and part.resource.get("status") in _NEVER


def _claims(parts: list[Part], case: Case) -> list[Part]:
    """Claims that bill something; an answer to a claim that is here itself adds nothing."""
    claims = [
        part
        for part in parts
        if part.kind in CLAIMS and not is_void(Node(part.resource, part.kind, case))
    ]
    # By id alone, as an answer names its claim; the payer repeats every line of it.
    here = {f"Claim/{claim.resource.get('id')}" for claim in claims if claim.kind == "Claim"}
    answers = [
        claim
        for claim in claims
        if claim.kind != "Claim" and claim_key(Node(claim.resource, claim.kind, case)) in here
    ]
    for _ in answers:
        case.note("an ExplanationOfBenefit answers a claim that is here itself, and is left out")
    return [claim for claim in claims if claim not in answers]


def _records(charted: list[Part], claims: list[Part]) -> Iterator[tuple[str, list[Part]]]:
    """The parts of each record, and what tells its id from the others' of the encounter."""
    if len(claims) > 1:
        for number, claim in enumerate(claims, 1):
            yield f"/{_name(claim, number)}", [*charted, claim]
    elif claims or charted:
        yield "", [*charted, *claims]


def _name(part: Part, number: int) -> str:
    own_id = part.resource.get("id")
    if isinstance(own_id, str) and own_id:
        return own_id
    identifiers = part.resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else (identifiers,):
        value = identifier.get("value") if isinstance(identifier, dict) else None
        if isinstance(value, str) and value:
            return value
    return f"{part.kind}-{number}"


def name_of(key: str, parts: list[Part]) -> str:
    """The id of an encounter: its resource's own, else the one by which others name it."""
    for part in parts:
        if part.kind == "Encounter":
            return _name(part, 1)
    if key:  # Encounter?system|value, or Encounter/id
        return key.partition("Encounter?")[2].rpartition("|")[2] or key.rpartition("/")[2]
    return _name(parts[0], 1)


def _record(identity: str, parts: list[Part], find: Finder, case: Case) -> dict[str, Any]:
    encounter = _encounter(parts, case)
    chart = _chart(parts, find, case)
    claim = _claim(parts, case)
    return {
        "id": identity,
        "timezone": case.options.timezone,
        "payer": case.options.payer,
        **chart,
        **claim,
        **encounter,  # last, for where it was is the encounter's to say before the claim's
    }


def _encounter(parts: list[Part], case: Case) -> dict[str, Any]:
    """Times and place of the encounter's own resource, as far as it states them."""
    part = next((part for part in parts if part.kind == "Encounter"), None)
    if part is None:
        return {}
    case.at = part.place
    node = Node(part.resource, "Encounter", case)
    if node.text("status") in _NEVER and len(parts) > 1:
        problem = "says that it never was, but it has a chart or a claim"
        node.wrong("status", "correct one of them", problem)
    return {**_period(node), **_place_of_service(node)}


def _period(node: Node) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    for name in _PERIODS:
        period = node.child(name)
        if period is not None:
            start, end = period.when("start"), period.when("end")
            stated |= {"start": _instant(start), "end": _instant(end)}
            # Without a time of day it dates the encounter, but nothing can be counted from it.
            if start is not None and start.at is None:
                stated["date"] = start.day
    return stated


def _place_of_service(node: Node) -> dict[str, Any]:
    """The last code of a place among the encounter's types."""
    stated: dict[str, Any] = {}
    for concept in [element.as_concept() for element in node.children("type")]:
        for coding in concept.codings:
            if node.case.terms.system(coding.system) == "place" and coding.code:
                stated = {"place_of_service": coding.code}
    return stated


def _instant(when: When | None) -> datetime | None:
    return when.at if when is not None else None


def _chart(parts: list[Part], find: Finder, case: Case) -> dict[str, Any]:
    """The administrations; ``first_day`` dates them where no time of day does."""
    charted = [part for part in parts if part.kind == _ADMINISTRATION]
    if not charted:
        return {}
    charts: list[Charted] = []
    for number, part in enumerate(charted, 1):
        case.at = part.place
        path = f"{_ADMINISTRATION}[{number}]" if len(charted) > 1 else _ADMINISTRATION
        charts.append(administrations(Node(part.resource, path, case), number, find))
    return {
        "first_day": min((chart.day for chart in charts if chart.day is not None), default=None),
        "administrations": [
            administration for chart in charts for administration in chart.administrations
        ],
    }


def _claim(parts: list[Part], case: Case) -> dict[str, Any]:
    """What the record's claim says; without one, the setting that the caller stated."""
    claim = next((part for part in parts if part.kind in CLAIMS), None)
    if claim is None:
        if case.options.setting is None:
            case.fault(
                "setting",
                "is not stated, for no claim came with the chart",
                "give the setting: facility or professional",
            )
        return {"setting": case.options.setting}
    case.at = claim.place
    node = Node(claim.resource, claim.kind, case)
    setting = setting_of(node, case.options.setting)
    bill = billed(node)
    return {
        "setting": setting,
        "lines": bill.lines,
        "diagnoses": bill.diagnoses,
        "type_of_bill": bill.type_of_bill,
        "bill_day": bill.day,
        "place_of_service": bill.place_of_service,
    }
