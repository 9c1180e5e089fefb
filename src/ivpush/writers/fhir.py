"""Results as FHIR R4: a Bundle of type ``collection`` with one OperationOutcome an encounter.

The format ``fhir`` of the command line; ``ivpush.adapters`` hands on a single ``outcome``. An issue
is a violation (its rule, CARC and RARC as codes, message and fix as text, evidence as expressions),
an open question, or a rule that could not be judged. ``diagnostics`` names the rule and the place
of the encounter, nothing of the chart. Which encounter an outcome is of stands in its id where the
id fits, and always in its tag.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from ivpush.writers.fhir_bundle import encounter_to_bundle, entry_url, fits_id
from ivpush.writers.safe import escaped_json

if TYPE_CHECKING:
    from ivpush.contract.result import Question, Result, Unjudged, Violation
    from ivpush.engine import Worked
    from ivpush.writers import WriteOptions

__all__ = ["Writer", "encounter_to_bundle", "outcome"]

# Severities and codes of issues are bound to the value sets issue-severity and issue-type of R4.
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
_EMPTY = b'{"resourceType":"Bundle","type":"collection"}\n'
_START = b'{"resourceType":"Bundle","type":"collection","entry":[\n'


class Writer:
    """Writes one Bundle; an entry leaves as soon as its result is known."""

    def __init__(self, out: IO[bytes], options: WriteOptions) -> None:
        self._out, self._options = out, options
        self._begun = False

    def write(self, work: Worked, place: str) -> None:
        """Add the outcome of one encounter."""
        entry = {
            # The place is part of the name: one id may stand in several records of an input.
            "fullUrl": entry_url("OperationOutcome", f"{place}/{work.result.encounter}"),
            "resource": outcome(work.result, place),
        }
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        self._out.write(b",\n" if self._begun else _START)
        self._begun = True
        # A lone surrogate, which UTF-8 cannot hold, becomes an escape too.
        self._out.write(escaped_json(text.encode("utf-8", "backslashreplace")))

    def close(self) -> None:
        """End the Bundle; one without results has no entries, for FHIR allows no empty list."""
        self._out.write(b"\n]}\n" if self._begun else _EMPTY)
        self._out.flush()


def outcome(result: Result, place: str = "") -> dict[str, Any]:
    """One result as the plain data of an OperationOutcome."""
    resource: dict[str, Any] = {"resourceType": "OperationOutcome"}
    if fits_id(result.encounter):
        resource["id"] = result.encounter
    resource["meta"] = {"tag": [{"system": _ENCOUNTER, "display": result.encounter}]}
    issues = [_violation(violation, place) for violation in result.violations]
    issues += [_question(question, place) for question in result.questions]
    issues += [_unjudged(unjudged, place) for unjudged in result.unjudged]
    # An outcome must have at least one issue (OperationOutcome.issue is 1..*).
    resource["issue"] = issues or [
        _issue("information", "informational", "No rule is broken, and no question is open.", place)
    ]
    return resource


def _issue(severity: str, code: str, text: str, *diagnostics: str) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
    stated = "; ".join(filter(None, diagnostics))
    if stated:
        issue["diagnostics"] = stated
    return issue


def _violation(violation: Violation, place: str) -> dict[str, Any]:
    severity, code = _SEVERITY[violation.severity], _CODES[violation.disposition]
    text = f"{violation.message} {violation.fix}"
    issue = _issue(severity, code, text, f"{violation.rule} {violation.name}", place)
    codings = [{"system": _RULE, "code": violation.rule, "display": violation.name}]
    for system, reason in ((_CARC, violation.carc), (_RARC, violation.rarc)):
        if reason is not None:
            codings.append({"system": system, "code": reason})
    issue["details"]["coding"] = codings
    if violation.evidence:
        issue["expression"] = list(violation.evidence)
    return issue


def _question(question: Question, place: str) -> dict[str, Any]:
    issue = _issue("warning", "required", question.ask, f"who can say: {question.who}", place)
    issue["expression"] = [question.missing]
    return issue


def _unjudged(unjudged: Unjudged, place: str) -> dict[str, Any]:
    text = f"{unjudged.rule} could not be judged, for these facts are not stated."
    issue = _issue("information", "informational", text, unjudged.rule, place)
    issue["details"]["coding"] = [{"system": _RULE, "code": unjudged.rule}]
    if unjudged.missing:
        issue["expression"] = list(unjudged.missing)
    return issue
