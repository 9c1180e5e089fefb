"""Violations as SARIF 2.1.0, the format of code-scanning services; written as results come.

The rules of the pack stand in ``tool.driver.rules``. A physical location names the file and line
of the encounter's record, the logical ones name the encounter and the claim line or administration
in it. The fingerprint ``ivpush/v1`` holds while rule, encounter and line stay the same, wherever in
a file the record stands.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any

from ivpush.writers.safe import as_json, place_of, visible

if TYPE_CHECKING:
    from ivpush.contract.result import Violation
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
        self._out, self._sign = out, b""
        rules = sorted(options.pack.rules, key=lambda one: one.id)
        self._index = {one.id: number for number, one in enumerate(rules)}
        driver = {
            "name": "ivpush",
            "semanticVersion": options.version,
            "rules": [_descriptor(one) for one in rules],
            "properties": {"pack": options.pack.name, "packVersion": options.pack.version},
        }
        if not options.version:
            del driver["semanticVersion"]
        out.write(b'{"$schema":' + as_json(_SCHEMA) + b',"version":"2.1.0","runs":[{"tool":'
                  b'{"driver":' + as_json(driver) + b'},"columnKind":"unicodeCodePoints",'
                  b'"results":[')  # fmt: skip

    def write(self, work: Worked, place: str) -> None:
        """Write the violations of one result."""
        where, seen = _physical(place), Counter[tuple[Any, ...]]()
        encounter = work.result.encounter
        for one in work.result.violations:
            key = (one.rule, encounter, one.line, *one.administrations)
            seen[key] += 1
            self._out.write(self._sign + b"\n" + as_json({
                "ruleId": one.rule,
                **({"ruleIndex": self._index[one.rule]} if one.rule in self._index else {}),
                "level": _LEVELS[one.severity],
                "message": {"text": visible(f"{one.message} {one.fix}".strip())},
                "locations": [{**where, "logicalLocations": _logical(encounter, one)}],
                "partialFingerprints": {"ivpush/v1": _fingerprint((*key, seen[key]))},
                "properties": _properties(one),
            }))  # fmt: skip
            self._sign = b","

    def close(self) -> None:
        """End the log."""
        self._out.write(b"\n]}]}\n")


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
    where = place_of(place)
    physical: dict[str, Any] = {"artifactLocation": {"uri": where.uri}}
    if where.line is not None:
        physical["region"] = {"startLine": where.line}
    made: dict[str, Any] = {"physicalLocation": physical}
    if where.within:
        made["message"] = {"text": visible(where.within)}
    return made


def _logical(encounter: str, one: Violation) -> list[dict[str, Any]]:
    name = visible(encounter)
    whole = {"name": name, "fullyQualifiedName": name, "kind": "object"}
    parts = [("lines", str(one.line))] if one.line is not None else []
    parts += [("administrations", visible(given)) for given in one.administrations]
    return [whole, *({"name": part, "fullyQualifiedName": f"{name}/{kind}/{part}", "kind": "object"}
                     for kind, part in parts)]  # fmt: skip


def _fingerprint(key: tuple[Any, ...]) -> str:
    return sha256(as_json(key)).hexdigest()


def _properties(one: Violation) -> dict[str, Any]:
    said = {"disposition": one.disposition, "carc": one.carc, "rarc": one.rarc,
            "cites": list(one.cites)}  # fmt: skip
    return {key: value for key, value in said.items() if value}
