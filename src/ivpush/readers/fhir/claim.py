"""FHIR's Claim and ExplanationOfBenefit as lines of the contract.

A line without a CPT or HCPCS code, or counted in minutes, has no place in the contract: it is left
out and noted, and a claim of such lines alone is set aside, for it did bill something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ivpush.readers.builder import ndc_form
from ivpush.readers.fhir.elements import Concept, Node
from ivpush.readers.fhir.links import key_of

__all__ = [
    "Billed",
    "billed",
    "claim_key",
    "is_void",
    "setting_of",
]

_CODE = re.compile(r"[A-Z0-9]{5}", re.ASCII)
_MODIFIER = re.compile(r"[A-Z0-9]{2}", re.ASCII)
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z.]{2,8}", re.ASCII)
_REVENUE = re.compile(r"[0-9]{3,4}", re.ASCII)
_PLACE = re.compile(r"[0-9]{2}", re.ASCII)
_BILL = re.compile(r"0?[0-9]{2}[0-9A-Z]", re.ASCII)
_SETTINGS = {"institutional": "facility", "professional": "professional"}
_VOID = frozenset({"cancelled", "entered-in-error"})
_TIMES = frozenset({"min", "mj", "minute", "minutes"})
_SERVICES = ("productOrService", "service")


@dataclass(slots=True)
class Billed:
    """What one claim says beside its setting."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    diagnoses: list[str] = field(default_factory=list)
    type_of_bill: str | None = None
    place_of_service: str | None = None
    day: date | None = None


def is_void(node: Node) -> bool:
    """Whether a claim was withdrawn, or is no claim but a question beforehand."""
    if node.text("status") in _VOID:
        node.case.note("a claim was cancelled or entered in error, and is left out")
        return True
    if node.text("use") not in {None, "claim", "complete"}:
        node.case.note("a preauthorization or predetermination bills nothing, and is left out")
        return True
    return False


def setting_of(node: Node, stated: str | None) -> str | None:
    """The setting by the claim's type; else the one stated by the caller; None: set it aside."""
    concept, terms = node.concept("type"), node.case.terms
    types = {code for system, code, _ in concept.codings if terms.system(system) == "claim-type"}
    types = types or {code for system, code, _ in concept.codings if system is None}
    known = {_SETTINGS[code] for code in types if code in _SETTINGS}
    if len(known) == 1:
        return known.pop()
    if types:
        node.wrong("type", "only institutional and professional claims bill these services")
        return None
    if stated is None:
        node.wrong("type", "name the claim's type, or say --setting facility or professional")
    return stated


def billed(node: Node) -> Billed:
    """Lines, diagnoses, bill type and place of one claim."""
    made = Billed()
    positions = _diagnoses(node, made)
    for one in node.children("supportingInfo") + node.children("information"):
        for system, code, _ in one.concept("code").codings:
            if node.case.terms.system(system) == "type-of-bill" and _BILL.fullmatch(code or ""):
                made.type_of_bill = code
    items = node.children("item")
    for number, item in enumerate(items, 1):
        line = _line(item, number, positions)
        if line is not None:
            made.lines.append(line)
    if items and not made.lines and not node.case.faults:
        node.wrong("item", "no item bills a CPT or HCPCS code, so that there is no line to check")
    if node.children("addItem"):
        node.case.note("lines that the payer added were not billed, and are left out")
    places = {line.get("place_of_service") for line in made.lines}
    if len(places) == 1:
        made.place_of_service = places.pop()
    period = node.child("billablePeriod")
    begun = period.when("start") if period is not None else None
    made.day = begun.day if begun is not None else None
    return made


def _diagnoses(node: Node, made: Billed) -> dict[int, int]:
    """Position of each diagnosis by its sequence; one without an ICD-10-CM code has none."""
    rows = []
    for number, one in enumerate(node.children("diagnosis"), 1):
        concept = one.concept("diagnosisCodeableConcept")
        codes = [code for system, code, _ in concept.codings
                 if code and node.case.terms.system(system) == "icd-10-cm"
                 and _DIAGNOSIS.fullmatch(code)]  # fmt: skip
        if not codes:
            node.case.note("a diagnosis has no ICD-10-CM code, and is left out")
            continue
        rows.append((one.positive("sequence") or number, codes[0]))
    rows.sort()
    made.diagnoses = [code for _, code in rows]
    return {sequence: place for place, (sequence, _) in enumerate(rows, 1)}


def _line(item: Node, number: int, positions: dict[int, int]) -> dict[str, Any] | None:
    case = item.case
    service = next((item.concept(one) for one in _SERVICES if one in item.data), Concept((), None))
    code = _procedure(item, service)
    if code is None:
        case.note("an item bills no CPT or HCPCS code, and is left out")
        return None
    quantity = item.child("quantity")
    if quantity is not None:
        unit = (quantity.text("code") or quantity.text("unit") or "").casefold()
        if unit in _TIMES:
            case.note("an item is counted in minutes, as anaesthesia is, and is left out")
            return None
    made: dict[str, Any] = {
        "number": item.positive("sequence") or number,
        "code": code,
        "units": _units(item, quantity),
        "modifiers": _modifiers(item),
        "date": _date(item),
        "place_of_service": _place(item),
        "revenue_code": _revenue(item),
        "diagnosis_pointers": _pointers(item, positions),
        "charge": _charge(item),
        "ndc": _ndc(item, service),
    }
    return {key: value for key, value in made.items() if value is not None}


def _procedure(item: Node, service: Concept) -> str | None:
    found = [code for system, code, _ in service.codings
             if code and item.case.terms.system(system) in {"cpt", "hcpcs"}
             and _CODE.fullmatch(code)]  # fmt: skip
    if len(set(found)) > 1:
        item.wrong("productOrService", "write one procedure code an item")
    return found[0] if found else None


def _units(item: Node, quantity: Node | None) -> int | None:
    number = quantity.number("value") if quantity is not None else None
    if number is None:
        item.case.note("an item has no quantity, and is read as one unit")
        return 1
    if number != number.to_integral_value() or number > 1_000_000:
        item.wrong("quantity.value", "write whole units")
        return None
    return int(number)


def _modifiers(item: Node) -> list[str]:
    made = []
    for n, one in enumerate(item.children("modifier")):
        codes = [code for _, code, _ in one.as_concept().codings if code]
        good = [code for code in codes if _MODIFIER.fullmatch(code)]
        if codes and not good:
            item.wrong(f"modifier[{n}]", "write two capital letters or digits")
        made += good[:1]
    return made


def _date(item: Node) -> date | None:
    period = item.child("servicedPeriod")
    when = item.when("servicedDate") or (period.when("start") if period is not None else None)
    return when.day if when is not None else None


def _coded(item: Node, name: str, system: str, form: re.Pattern[str]) -> str | None:
    """The code of a system that the table knows, else the only one that has the form."""
    codings = [(item.case.terms.system(of), code) for of, code, _ in item.concept(name).codings
               if code and form.fullmatch(code)]  # fmt: skip
    known = [code for of, code in codings if of == system]
    if known:
        return known[0]
    others = {code for of, code in codings if of is None}
    return others.pop() if len(others) == 1 else None


def _place(item: Node) -> str | None:
    return _coded(item, "locationCodeableConcept", "place", _PLACE)


def _revenue(item: Node) -> str | None:
    return _coded(item, "revenue", "revenue", _REVENUE)


def _pointers(item: Node, positions: dict[int, int]) -> list[int]:
    made = []
    for name in ("diagnosisSequence", "diagnosisLinkId"):
        listed = item.data.get(name)
        if listed is None:
            continue
        if not isinstance(listed, list) or not all(type(one) is int for one in listed):
            item.wrong(name, "write a list of sequences")
            continue
        for one in listed:
            if one in positions:
                made.append(positions[one])
            else:
                item.case.note("an item points to a diagnosis that could not be read")
    return made


def _charge(item: Node) -> Decimal | None:
    net = item.child("net")
    if net is None:
        for one in item.children("adjudication"):
            if any(code == "submitted" for _, code, _ in one.concept("category").codings):
                net = one.child("amount")
    if net is None:
        return None
    if net.text("currency") not in {None, "USD"}:
        item.case.note("a charge is not in dollars, and is left out")
        return None
    return net.number("value")


def _ndc(item: Node, service: Concept) -> str | None:
    found: list[str] = []
    details = [one.concept("productOrService") for one in item.children("detail")]
    for concept in (service, *details):
        for system, code, _ in concept.codings:
            if code and item.case.terms.system(system) == "ndc":
                written = ndc_form(code)
                if written is None:
                    item.case.note("an NDC has not the form of one, and is left out")
                else:
                    found.append(written)
    if len(set(found)) > 1:
        item.case.note("an item names several NDCs, of which the first is read")
    return found[0] if found else None


def claim_key(node: Node) -> str | None:
    """Key of the claim that an ExplanationOfBenefit answers."""
    return key_of(node.data.get("claim"), "Claim")
