"""Violations as SARIF 2.1.0, the format of code-scanning services; written as results come.

The format ``sarif`` of the command line, and of ``ivpush.adapters``. The rules of the pack stand in
``tool.driver.rules``. A physical location names the file and line of the encounter's record, the
logical ones name the encounter and the claim line or administration in it. The fingerprint
``ivpush/v1`` holds while rule, encounter and line stay the same, wherever in a file the record
stands.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any

from ivpush.writers.safe import as_json, place_of, visible

if TYPE_CHECKING:
    from ivpush.contract.result import Result, Violation
    from ivpush.engine import Worked
    from ivpush.pack.rule import Rule
    from ivpush.writers import WriteOptions

__all__ = ["Writer"]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


class Writer:
    """Writes one run; the log is whole after ``close``."""

    def __init__(self, out: IO[bytes], options: WriteOptions) -> None:
        self._out = out
        self._sign = b""
        """What stands before the next result: nothing, then commas."""
        rules = sorted(options.pack.rules, key=lambda rule: rule.id)
        self._index = {rule.id: number for number, rule in enumerate(rules)}
        out.write(_head(rules, options))

    def write(self, work: Worked, place: str) -> None:
        """Write the violations of one result."""
        self.add(work.result, place)

    def add(self, outcome: Result, place: str = "") -> None:
        """Write the violations of a result; one that came from no file has no place."""
        physical, encounter = _physical(place), outcome.encounter
        # A rule may speak twice of the same things; the count keeps their fingerprints apart.
        seen = Counter[tuple[Any, ...]]()
        for violation in outcome.violations:
            key = (violation.rule, encounter, violation.line, *violation.administrations)
            seen[key] += 1
            result = {
                "ruleId": violation.rule,
                **self._rule_index(violation.rule),
                "level": _LEVELS[violation.severity],
                "message": {"text": visible(f"{violation.message} {violation.fix}".strip())},
                "locations": [{**physical, "logicalLocations": _logical(encounter, violation)}],
                "partialFingerprints": {"ivpush/v1": _fingerprint((*key, seen[key]))},
                "properties": _properties(violation),
            }
            self._out.write(self._sign + b"\n" + as_json(result))
            self._sign = b","

    def close(self) -> None:
        """End the log."""
        self._out.write(b"\n]}]}\n")

    def _rule_index(self, rule: str) -> dict[str, int]:
        """Where the rule stands in the driver; empty for a rule of a payer's overlay."""
        index = self._index.get(rule)
        return {} if index is None else {"ruleIndex": index}


def _head(rules: list[Rule], options: WriteOptions) -> bytes:
    """The log up to its first result."""
    driver: dict[str, Any] = {"name": "ivpush"}
    if options.version:
        driver["semanticVersion"] = options.version
    driver["rules"] = [_descriptor(rule) for rule in rules]
    driver["properties"] = {"pack": options.pack.name, "packVersion": options.pack.version}
    run = b'{"tool":{"driver":' + as_json(driver) + b'},"columnKind":"unicodeCodePoints"'
    schema = b'{"$schema":' + as_json(_SCHEMA)
    return schema + b',"version":"2.1.0","runs":[' + run + b',"results":['


def _descriptor(rule: Rule) -> dict[str, Any]:
    text = f"{rule.why}\n\nNot covered: {rule.not_covered}\n\nSources: {', '.join(rule.cites)}"
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"disposition": rule.disposition},
    }


def _physical(place: str) -> dict[str, Any]:
    """File and line of a record, and the reader's own words for where in the file it stands."""
    if not place:
        return {}
    where = place_of(place)
    physical: dict[str, Any] = {"artifactLocation": {"uri": where.uri}}
    if where.line is not None:
        physical["region"] = {"startLine": where.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if where.within:
        location["message"] = {"text": visible(where.within)}
    return location


def _logical(encounter: str, violation: Violation) -> list[dict[str, Any]]:
    """The encounter, then the claim line and the administrations that a violation names."""
    name = visible(encounter)
    parts = [("lines", str(violation.line))] if violation.line is not None else []
    parts += [("administrations", visible(key)) for key in violation.administrations]
    # "object" is the kind that SARIF has for a piece of JSON (section 3.33.7).
    locations = [{"name": name, "fullyQualifiedName": name, "kind": "object"}]
    for group, part in parts:
        path = f"{name}/{group}/{part}"
        locations.append({"name": part, "fullyQualifiedName": path, "kind": "object"})
    return locations


def _fingerprint(key: tuple[Any, ...]) -> str:
    return sha256(as_json(key)).hexdigest()


def _properties(violation: Violation) -> dict[str, Any]:
    properties = {
        "disposition": violation.disposition,
        "carc": violation.carc,
        "rarc": violation.rarc,
        "cites": list(violation.cites),
    }
    return {key: value for key, value in properties.items() if value}
