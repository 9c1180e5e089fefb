"""Results as FHIR R4: a Bundle of type ``collection`` with one OperationOutcome an encounter.

An issue is a violation (its rule, CARC and RARC as codes, message and fix as text, evidence as
expressions), an open question, or a rule that could not be judged. ``diagnostics`` names the rule
and the place of the encounter, nothing of the chart. Which encounter an outcome is of stands in its
id where the id fits, and always in its tag.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from ivpush.writers.fhir_bundle import encounter_to_bundle, entry_url, fits_id

if TYPE_CHECKING:
    from ivpush.contract.result import Question, Result, Unjudged, Violation
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer", "encounter_to_bundle", "outcome"]

_SEVERITY = {"error": "error", "warning": "warning", "info": "information"}
_CODES = {
    "return": "invalid",
    "reject_line": "business-rule",
    "deny_line": "business-rule",
    "needs_documentation": "required",
    "informational": "informational",
}
_ENCOUNTER = "urn:ivpush:encounter"
_RULE = "urn:ivpush:rule"
_CARC = "https://x12.org/codes/claim-adjustment-reason-codes"
_RARC = "https://x12.org/codes/remittance-advice-remark-codes"


class Writer:
    """Writes one Bundle; an entry leaves as soon as its result is known."""

    def __init__(self, out: IO[bytes], options: WriteOptions) -> None:
        self._out, self._options = out, options
        self._begun = False

    def write(self, work: Worked, place: str) -> None:
        """Add the outcome of one encounter."""
        resource = outcome(work.result, place)
        entry = {"fullUrl": entry_url("OperationOutcome", f"{place}/{work.result.encounter}"),
                 "resource": resource}  # fmt: skip
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        self._out.write(self._start() if not self._begun else b",\n")
        self._begun = True
        self._out.write(text.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """End the Bundle; one without results has no entries."""
        end = b"\n]}\n" if self._begun else b'{"resourceType":"Bundle","type":"collection"}\n'
        self._out.write(end)
        self._out.flush()

    def _start(self) -> bytes:
        return b'{"resourceType":"Bundle","type":"collection","entry":[\n'


def outcome(result: Result, place: str = "") -> dict[str, Any]:
    """One result as the plain data of an OperationOutcome."""
    made: dict[str, Any] = {"resourceType": "OperationOutcome"}
    if fits_id(result.encounter):
        made["id"] = result.encounter
    made["meta"] = {"tag": [{"system": _ENCOUNTER, "display": result.encounter}]}
    issues = [_violation(one, place) for one in result.violations]
    issues += [_question(one, place) for one in result.questions]
    issues += [_unjudged(one, place) for one in result.unjudged]
    made["issue"] = issues or [
        _issue("information", "informational", "No rule is broken, and no question is open.", place)
    ]
    return made


def _issue(severity: str, code: str, text: str, *diagnostics: str) -> dict[str, Any]:
    made: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
    said = "; ".join(one for one in diagnostics if one)
    if said:
        made["diagnostics"] = said
    return made


def _violation(one: Violation, place: str) -> dict[str, Any]:
    made = _issue(_SEVERITY[one.severity], _CODES[one.disposition], f"{one.message} {one.fix}",
                  f"{one.rule} {one.name}", place)  # fmt: skip
    codings = [{"system": _RULE, "code": one.rule, "display": one.name}]
    for system, code in ((_CARC, one.carc), (_RARC, one.rarc)):
        if code is not None:
            codings.append({"system": system, "code": code})
    made["details"]["coding"] = codings
    if one.evidence:
        made["expression"] = list(one.evidence)
    return made


def _question(one: Question, place: str) -> dict[str, Any]:
    made = _issue("warning", "required", one.ask, f"who can say: {one.who}", place)
    made["expression"] = [one.missing]
    return made


def _unjudged(one: Unjudged, place: str) -> dict[str, Any]:
    text = f"{one.rule} could not be judged, for these facts are not stated."
    made = _issue("information", "informational", text, one.rule, place)
    made["details"]["coding"] = [{"system": _RULE, "code": one.rule}]
    if one.missing:
        made["expression"] = list(one.missing)
    return made
