"""FHIR's Claim and ExplanationOfBenefit as lines of the contract; ``units`` hands them in.

A line without a CPT or HCPCS code, or counted in minutes, has no place in the contract: it is left
out and noted, and a claim of such lines alone is set aside, for it did bill something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ivpush.readers.builder import ndc_form
from ivpush.readers.fhir.elements import Concept, Node
from ivpush.readers.fhir.links import key_of
from ivpush.readers.shapes import CODE

__all__ = [
    "Billed",
    "billed",
    "claim_key",
    "is_void",
    "setting_of",
]

_MODIFIER = re.compile(r"[A-Z0-9]{2}", re.ASCII)
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z.]{2,8}", re.ASCII)
_REVENUE = re.compile(r"[0-9]{3,4}", re.ASCII)
_PLACE = re.compile(r"[0-9]{2}", re.ASCII)
_BILL = re.compile(r"0?[0-9]{2}[0-9A-Z]", re.ASCII)
_SETTINGS = {"institutional": "facility", "professional": "professional"}
_VOID = frozenset({"cancelled", "entered-in-error"})
_MINUTE_UNITS = frozenset({"min", "mj", "minute", "minutes"})  # mj: X12's unit for minutes
_SERVICES = ("productOrService", "service")  # service: STU3
_MOST_UNITS = 1_000_000


@dataclass(frozen=True, slots=True)
class Billed:
    """What one claim says beside its setting."""

    lines: list[dict[str, Any]]
    diagnoses: list[str] | None
    type_of_bill: str | None
    place_of_service: str | None
    day: date | None


class _Diagnoses(NamedTuple):
    """Codes in the order of the claim, and the position of each by its sequence."""

    codes: list[str] | None
    positions: dict[int, int]


def is_void(node: Node) -> bool:
    """Whether a claim was withdrawn, or is no claim but a question beforehand."""
    if node.text("status") in _VOID:
        node.case.note("a claim was cancelled or entered in error, and is left out")
        return True
    if node.text("use") not in {None, "claim", "complete"}:  # complete: STU3
        node.case.note("a preauthorization or predetermination bills nothing, and is left out")
        return True
    return False


def claim_key(node: Node) -> str | None:
    """Key of the claim that an ExplanationOfBenefit answers."""
    return key_of(node.data.get("claim"), "Claim")


def setting_of(node: Node, stated: str | None) -> str | None:
    """The setting by the claim's type; else the one stated by the caller; None: set it aside."""
    codings, terms = node.concept("type").codings, node.case.terms
    types = {coding.code for coding in codings if terms.system(coding.system) == "claim-type"}
    # A code without a system is read as FHIR's own where no coding names that system.
    types = types or {coding.code for coding in codings if coding.system is None}
    settings = {_SETTINGS[code] for code in types if code in _SETTINGS}
    if len(settings) == 1:
        return settings.pop()
    if types:
        problem = "is of another type than the two that bill these services"
        node.wrong("type", "check institutional and professional claims only", problem)
        return None
    if stated is None:
        remedy = "name the claim's type, or give the setting: facility or professional"
        node.wrong("type", remedy, "does not say which kind of claim it is")
    return stated


def billed(node: Node) -> Billed:
    """Lines, diagnoses, bill type and place of one claim."""
    diagnoses = _diagnoses(node)
    type_of_bill = _type_of_bill(node)
    lines = _lines(node, diagnoses.positions)
    places = {line.get("place_of_service") for line in lines}
    period = node.child("billablePeriod")
    begun = period.when("start") if period is not None else None
    return Billed(
        lines=lines,
        diagnoses=diagnoses.codes,
        type_of_bill=type_of_bill,
        place_of_service=places.pop() if len(places) == 1 else None,
        day=begun.day if begun is not None else None,
    )


def _diagnoses(node: Node) -> _Diagnoses:
    """The diagnoses by their sequence; one without an ICD-10-CM code has no position."""
    terms = node.case.terms
    rows = []
    for number, diagnosis in enumerate(node.children("diagnosis"), 1):
        codes = [
            coding.code
            for coding in diagnosis.concept("diagnosisCodeableConcept").codings
            if coding.code
            and terms.system(coding.system) == "icd-10-cm"
            and _DIAGNOSIS.fullmatch(coding.code)
        ]
        if not codes:
            node.case.note("a diagnosis has no ICD-10-CM code, and is left out")
            continue
        rows.append((diagnosis.positive("sequence") or number, codes[0]))
    rows.sort()
    positions = {sequence: position for position, (sequence, _) in enumerate(rows, 1)}
    # Of a claim whose diagnoses are all in other systems nobody can say that it has none.
    unread = bool(node.children("diagnosis")) and not rows
    return _Diagnoses(None if unread else [code for _, code in rows], positions)


def _type_of_bill(node: Node) -> str | None:
    """The last type of bill among the information given beside the items."""
    terms = node.case.terms
    written = None
    for information in node.children("supportingInfo") + node.children("information"):
        for system, code, _ in information.concept("code").codings:
            if terms.system(system) == "type-of-bill" and _BILL.fullmatch(code or ""):
                written = code
    return written


def _lines(node: Node, positions: dict[int, int]) -> list[dict[str, Any]]:
    items = node.children("item")
    if not items:
        node.case.note("a claim has no item, so that nothing is billed")
    _note_lacking(node, items)
    numbered = (_line(item, number, positions) for number, item in enumerate(items, 1))
    lines = [line for line in numbered if line is not None]
    # With a fault it is known already why there is no line.
    if items and not lines and not node.case.faults:
        problem = "bills no CPT or HCPCS code in any item, so that there is no line to check"
        node.wrong("item", "check only claims that bill one", problem)
    if node.children("addItem"):
        node.case.note("lines that the payer added were not billed, and are left out")
    return lines


def _note_lacking(node: Node, items: list[Node]) -> None:
    """Note where sequences or the total tell that an item is missing, or is there twice."""
    stated = (item.positive("sequence") for item in items)
    numbers = sorted(number for number in stated if number is not None)
    if numbers and numbers != list(range(1, len(numbers) + 1)):
        node.case.note("a claim's items do not count from 1 on: one may lack, or be there twice")
    total = node.child("total") if isinstance(node.data.get("total"), dict) else None
    nets = [item.child("net") for item in items]
    charges = [net.number("value") if net is not None else None for net in nets]
    amount = total.number("value") if total is not None else None
    known = [charge for charge in charges if charge is not None]
    if amount is not None and len(known) == len(items) and sum(known) != amount:
        node.case.note("a claim's total is not the sum of its items")


def _line(item: Node, number: int, positions: dict[int, int]) -> dict[str, Any] | None:
    case = item.case
    name = next((name for name in _SERVICES if name in item.data), None)
    service = Concept((), None) if name is None else item.concept(name)
    code = _procedure(item, service)
    if code is None:
        case.note("an item bills no CPT or HCPCS code, and is left out")
        return None
    quantity = item.child("quantity")
    if quantity is not None and _counts_minutes(quantity):
        case.note("an item is counted in minutes, as anaesthesia is, and is left out")
        return None
    line: dict[str, Any] = {
        "number": item.positive("sequence") or number,
        "code": code,
        "units": _units(item, quantity),
        "modifiers": _modifiers(item),
        "date": _date(item),
        "place_of_service": _code_of(item, "locationCodeableConcept", "place", _PLACE),
        "revenue_code": _code_of(item, "revenue", "revenue", _REVENUE),
        "diagnosis_pointers": _pointers(item, positions),
        "charge": _charge(item),
        "ndc": _ndc(item, service),
    }
    return {field: value for field, value in line.items() if value is not None}


def _procedure(item: Node, service: Concept) -> str | None:
    codes = [
        coding.code
        for coding in service.codings
        if coding.code
        and item.case.terms.system(coding.system) in {"cpt", "hcpcs"}
        and CODE.fullmatch(coding.code)
    ]
    if len(set(codes)) > 1:
        problem = "holds several procedure codes"
        item.wrong("productOrService", "write one an item", problem)
    return codes[0] if codes else None


def _counts_minutes(quantity: Node) -> bool:
    unit = quantity.text("code") or quantity.text("unit") or ""
    return unit.casefold() in _MINUTE_UNITS


def _units(item: Node, quantity: Node | None) -> int | None:
    number = quantity.number("value") if quantity is not None else None
    if number is None:
        item.case.note("an item has no quantity, and is read as one unit")
        return 1
    if number != number.to_integral_value() or number > _MOST_UNITS:
        item.wrong("quantity.value", "write whole units", "is no whole number of units")
        return None
    return int(number)


def _modifiers(item: Node) -> list[str]:
    modifiers = []
    for n, modifier in enumerate(item.children("modifier")):
        concept = modifier.as_concept()
        codes = [coding.code for coding in concept.codings if coding.code]
        # A text stands for a code where there is none.
        if not codes and concept.text:
            codes = [concept.text]
        if not codes:
            item.case.note("an item has a modifier that says nothing, and it is left out")
        good = [code for code in codes if _MODIFIER.fullmatch(code)]
        if codes and not good:
            problem = "is no modifier"
            item.wrong(f"modifier[{n}]", "write two capital letters or digits", problem)
        modifiers += good[:1]
    return modifiers


def _date(item: Node) -> date | None:
    period = item.child("servicedPeriod")
    when = item.when("servicedDate") or (period.when("start") if period is not None else None)
    return when.day if when is not None else None


def _code_of(item: Node, name: str, system: str, form: re.Pattern[str]) -> str | None:
    """The code of a system that the table knows, else the only one that has the form."""
    terms = item.case.terms
    codings = [
        (terms.system(coding.system), coding.code)
        for coding in item.concept(name).codings
        if coding.code and form.fullmatch(coding.code)
    ]
    known = [code for of, code in codings if of == system]
    if known:
        return known[0]
    others = {code for of, code in codings if of is None}
    return others.pop() if len(others) == 1 else None


def _pointers(item: Node, positions: dict[int, int]) -> list[int]:
    pointers = []
    for name in ("diagnosisSequence", "diagnosisLinkId"):  # diagnosisLinkId: STU3
        sequences = item.data.get(name)
        if sequences is None:
            continue
        # By type itself, for True is an int too.
        if not isinstance(sequences, list) or not all(type(number) is int for number in sequences):
            item.wrong(name, "write a list of sequences")
            continue
        for sequence in sequences:
            if sequence in positions:
                pointers.append(positions[sequence])
            else:
                item.case.note("an item points to a diagnosis that could not be read")
    return pointers


def _charge(item: Node) -> Decimal | None:
    net = item.child("net") or _submitted(item)
    if net is None:
        return None
    if net.text("currency") not in {None, "USD"}:
        item.case.note("a charge is not in dollars, and is left out")
        return None
    return net.number("value")


def _submitted(item: Node) -> Node | None:
    """The amount that an ExplanationOfBenefit repeats as submitted."""
    amount = None
    for adjudication in item.children("adjudication"):
        if any(coding.code == "submitted" for coding in adjudication.concept("category").codings):
            amount = adjudication.child("amount")
    return amount


def _ndc(item: Node, service: Concept) -> str | None:
    details = [detail.concept("productOrService") for detail in item.children("detail")]
    codes = list(_ndcs(item, [service, *details]))
    if len(set(codes)) > 1:
        item.case.note("an item names several NDCs, of which the first is read")
    return codes[0] if codes else None


def _ndcs(item: Node, concepts: list[Concept]) -> Iterator[str]:
    for concept in concepts:
        for system, code, _ in concept.codings:
            if not code or item.case.terms.system(system) != "ndc":
                continue
            ndc = ndc_form(code)
            if ndc is None:
                item.case.note("an NDC has not the form of one, and is left out")
            else:
                yield ndc
