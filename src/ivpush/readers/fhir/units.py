"""One encounter from the FHIR resources that belong to it: a record a claim, or one without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, ReadOptions, SetAside
from ivpush.readers.builder import Case, finished
from ivpush.readers.fhir.chart import Finder, administrations, first_day
from ivpush.readers.fhir.claim import billed, claim_key, is_void, setting_of
from ivpush.readers.fhir.elements import Node, When
from ivpush.readers.fhir.links import subject_of

__all__ = [
    "CLAIMS",
    "Part",
    "encounters_of",
]

CLAIMS = frozenset({"Claim", "ExplanationOfBenefit"})
_NEVER = ("cancelled", "entered-in-error")
_PERIODS = ("period", "actualPeriod")


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
    place = parts[0].place
    problem = _mixed(parts)
    if problem is not None:
        yield SetAside(place, InputError(problem))
        return
    case = Case(options)
    own = [one for one in parts if one.kind == "Encounter"]
    if own and own[0].resource.get("status") in _NEVER and len(parts) == 1:
        yield Note(place, "an encounter was cancelled or entered in error, and is left out")
        return
    claims = _claims(parts, case)
    charted = [one for one in parts if one.kind not in CLAIMS]
    for message in case.said():
        yield Note(place, message)
    if case.faults:
        yield SetAside(place, InputError(case.faults))
        return
    if not claims and not charted:
        return
    for number, claim in enumerate(claims or [None], 1):
        suffix = f"/{_name(claim, number)}" if claim is not None and len(claims) > 1 else ""
        yield from _record(place, key, suffix, [*charted, *filter(None, [claim])], find, options)


def _mixed(parts: list[Part]) -> Fault | None:
    subjects = {subject_of(one.resource) for one in parts} - {None}
    if len(subjects) > 1:
        return Fault("subject", "the resources of one encounter name several patients",
                     "give each patient's encounter its own")  # fmt: skip
    if sum(one.kind == "Encounter" for one in parts) > 1:
        return Fault("Encounter", "two resources are the same encounter", "keep the newer one")
    return None


def _claims(parts: list[Part], case: Case) -> list[Part]:
    """Claims that bill something; an answer to a claim that is here itself adds nothing."""
    kept = [one for one in parts
            if one.kind in CLAIMS and not is_void(Node(one.resource, one.kind, case))]  # fmt: skip
    own = {f"Claim/{one.resource.get('id')}" for one in kept if one.kind == "Claim"}
    answers = [one for one in kept if one.kind != "Claim"
               and claim_key(Node(one.resource, one.kind, case)) in own]  # fmt: skip
    for _ in answers:
        case.note("an ExplanationOfBenefit answers a claim that is here itself, and is left out")
    return [one for one in kept if one not in answers]


def _name(part: Part, number: int) -> str:
    own = part.resource.get("id")
    if isinstance(own, str) and own:
        return own
    listed = part.resource.get("identifier")
    for one in listed if isinstance(listed, list) else (listed,):
        if isinstance(one, dict) and isinstance(one.get("value"), str) and one["value"]:
            return str(one["value"])
    return f"{part.kind}-{number}"


def _record(
    place: str, key: str, suffix: str, parts: list[Part], find: Finder, options: ReadOptions
) -> Iterator[Reading]:
    case = Case(options)
    record: dict[str, Any] = {"timezone": options.timezone, "payer": options.payer}
    record["id"] = _identity(key, parts) + suffix
    for one in parts:
        if one.kind == "Encounter":
            _encounter(Node(one.resource, "Encounter", case), record, alone=len(parts) == 1)
    _chart(parts, record, find, case)
    _claim(parts, record, case)
    yield from finished(place, record, case)


def _identity(key: str, parts: list[Part]) -> str:
    for one in parts:
        if one.kind == "Encounter":
            return _name(one, 1)
    if key:
        return key.partition("Encounter?")[2].rpartition("|")[2] or key.rpartition("/")[2]
    return _name(parts[0], 1)


def _encounter(node: Node, record: dict[str, Any], *, alone: bool) -> None:
    if node.text("status") in _NEVER and not alone:
        node.wrong("status", "an encounter that never was has neither a chart nor a claim")
    for name in _PERIODS:
        period = node.child(name)
        if period is not None:
            start, end = period.when("start"), period.when("end")
            record["start"], record["end"] = _at(start), _at(end)
            if start is not None and start.at is None:
                record["date"] = start.day
    for concept in (one.as_concept() for one in node.children("type")):
        for system, code, _ in concept.codings:
            if node.case.terms.system(system) == "place" and code:
                record["place_of_service"] = code


def _at(when: When | None) -> Any:
    return when.at if when is not None else None


def _chart(parts: list[Part], record: dict[str, Any], find: Finder, case: Case) -> None:
    kind = "MedicationAdministration"
    charted = [one for one in parts if one.kind == kind]
    if not charted:
        return
    given: list[dict[str, Any]] = []
    for number, one in enumerate(charted, 1):
        path = f"{kind}[{number}]" if len(charted) > 1 else kind
        given += administrations(Node(one.resource, path, case), number, find)
    record["first_day"] = first_day(given)
    record["administrations"] = given


def _claim(parts: list[Part], record: dict[str, Any], case: Case) -> None:
    claim = next((one for one in parts if one.kind in CLAIMS), None)
    if claim is None:
        record["setting"] = case.options.setting
        if case.options.setting is None:
            case.fault("setting", "is not stated, for no claim came with the chart",
                       "say --setting facility or professional")  # fmt: skip
        return
    node = Node(claim.resource, claim.kind, case)
    record["setting"] = setting_of(node, case.options.setting)
    found = billed(node)
    record["lines"], record["diagnoses"] = found.lines, found.diagnoses
    record["type_of_bill"], record["bill_day"] = found.type_of_bill, found.day
    if record.get("place_of_service") is None:
        record["place_of_service"] = found.place_of_service
