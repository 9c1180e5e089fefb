"""The drugs of an administration, wherever FHIR puts them; ``chart`` asks for them.

The drug may be a concept of the resource itself, a contained Medication, or one that stands
elsewhere in the input. A Medication without a code of its own is a mixture of its ingredients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ivpush.readers.builder import Case, ndc_form, text_form
from ivpush.readers.fhir.elements import Concept, Node
from ivpush.readers.fhir.links import key_of
from ivpush.readers.shapes import CODE
from ivpush.readers.terms import plain

__all__ = [
    "Finder",
    "drug_of",
    "drugs_of",
]

Finder = Callable[[str], dict[str, Any] | None]
"""Gives the resource behind a key, or None where the input does not hold it."""


def drugs_of(node: Node, find: Finder) -> list[dict[str, Any]]:
    """The drug, or the ingredients of a mixture that has no name of its own; empty: none named."""
    if "medicationCodeableConcept" in node.data:
        return [drug_of(node.concept("medicationCodeableConcept"), node.case)]
    medication = node.child("medication")  # R5: a CodeableReference
    if medication is not None and medication.data.get("concept") is not None:
        return [drug_of(medication.concept("concept"), node.case)]
    reference = node.child("medicationReference")
    if medication is not None and reference is None:
        reference = medication.child("reference")
    return [] if reference is None else _by_reference(node, reference, find)


def _by_reference(node: Node, reference: Node, find: Finder) -> list[dict[str, Any]]:
    medication = _medication(node, reference, find)
    if medication is None:
        shown = reference.text("display")
        node.case.note("an administration names a medication that is not in the input")
        return [{"drug": text_form(shown)}] if shown else []
    if medication.data.get("code") is not None:
        return [drug_of(medication.concept("code"), node.case)]
    return _ingredients(medication)


def _medication(node: Node, reference: Node, find: Finder) -> Node | None:
    literal = reference.text("reference") or ""
    if literal.startswith("#"):  # contained: its id means something in this resource alone
        for contained in node.children("contained"):
            if contained.data.get("id") == literal[1:]:
                return contained
        return None
    key = key_of(reference.data, "Medication")
    resource = find(key) if key is not None else None
    return None if resource is None else Node(resource, "Medication", node.case)


def _ingredients(medication: Node) -> list[dict[str, Any]]:
    drugs = []
    for ingredient in medication.children("ingredient"):
        item = ingredient.child("item")  # R5: a CodeableReference
        concept = (
            ingredient.concept("itemCodeableConcept") if item is None else item.concept("concept")
        )
        if concept.codings or concept.text:
            drugs.append(drug_of(concept, medication.case))
    return drugs


def drug_of(concept: Concept, case: Case) -> dict[str, Any]:
    """Name and codes of a drug; a code without words is named by its system and itself."""
    codes = _codes(concept, case)
    name = concept.named or (None if codes else _bare_code(concept, case))
    return {**codes, "drug": text_form(name)} if name else codes


def _codes(concept: Concept, case: Case) -> dict[str, str]:
    """The first HCPCS code and the first NDC that have the form of one."""
    codes: dict[str, str] = {}
    for coding in concept.codings:
        system, code = case.terms.system(coding.system), coding.code
        if code is None:
            continue
        if system in {"hcpcs", "cpt"}:
            if CODE.fullmatch(code):
                codes.setdefault("hcpcs", code)
            else:
                case.note("a HCPCS code has not the form of one, and is left out")
        elif system == "ndc":
            ndc = ndc_form(code)
            if ndc is None:
                case.note("an NDC has not the form of one, and is left out")
            else:
                codes.setdefault("ndc", ndc)
    return codes


def _bare_code(concept: Concept, case: Case) -> str | None:
    """The first code as a name; an NDC that could not be read names nothing."""
    for coding in concept.codings:
        system = case.terms.system(coding.system)
        if coding.code is not None and system != "ndc" and plain(coding.code):
            return f"{system or 'code'} {coding.code}"
    return None
