"""Policies: switches where sources disagree, with their values and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.language.tree import Kind
from ivpush.pack.files import Say, Sheet

__all__ = [
    "Policy",
    "policy_values",
    "read_policies",
]

_KEYS = {"kind", "values", "default", "from", "to", "touches", "asks", "why", "cites"}


@dataclass(frozen=True, slots=True)
class Policy:
    """One switch: its kind, its values (or bounds), its default, and who says what."""

    name: str
    form: str
    kind: Kind
    values: tuple[str, ...]
    low: int
    high: int
    default: Any
    touches: str
    why: str
    cites: tuple[str, ...]
    asks: tuple[Any, ...] = ()
    """Values that payers hold beside the default: asked of a payer whose position is unknown."""

    def read(self, value: Any) -> Any:
        """A value as written by a person or a program; raises UsageError where it does not fit."""
        place = f"policy {self.name}"
        if self.form == "flag":
            word = str(value).lower()
            if word in {"true", "false"}:
                return word == "true"
            raise UsageError(Fault(place, "is a flag", "write true or false"))
        if self.form == "number":
            text = str(value)
            if text.isascii() and text.isdigit() and self.low <= int(text) <= self.high:
                return int(text)
            raise UsageError(
                Fault(place, "is a whole number", f"write one from {self.low} to {self.high}")
            )
        if self.form == "words":
            words = value.split(",") if isinstance(value, str) else value
            return frozenset(str(one).strip() for one in words)
        if self.form == "units":
            if isinstance(value, Mapping) and all(str(n).isdigit() for n in value.values()):
                return {str(code): int(units) for code, units in value.items()}
            raise UsageError(Fault(place, "is a mapping of codes to units", "write {code: units}"))
        if str(value) in self.values:
            return str(value)
        raise UsageError(Fault(place, f"has no value '{str(value)[:60]}'",
                               did_you_mean(str(value), self.values)))  # fmt: skip


def read_policies(sheet: Sheet, say: Say) -> dict[str, Policy]:
    """The policies of policies.yaml; faults are said with their places."""
    made: dict[str, Policy] = {}
    rows = sheet.data.get("policies")
    if not isinstance(rows, dict):
        say(Fault(sheet.place(), "holds no policies", "write policies:"))
        return made
    for name, row in rows.items():
        place = sheet.place(("policies", name))
        if not isinstance(row, dict):
            say(Fault(place, "is no policy", "write kind, values and default"))
            continue
        for key in set(row) - _KEYS:
            say(Fault(sheet.place(("policies", name, key), key=True), f"unknown key '{key[:60]}'",
                      did_you_mean(key, _KEYS)))  # fmt: skip
        policy = _policy(name, row, place, say)
        if policy is not None:
            made[name] = policy
    return made


def _policy(name: str, row: Mapping[str, Any], place: str, say: Say) -> Policy | None:
    form = row.get("kind", "choice")
    values = tuple(row.get("values", ()))
    kinds = {"choice": Kind("word", words=frozenset(values)), "flag": Kind("flag"),
             "number": Kind("whole"), "words": Kind("texts"), "units": Kind("other")}  # fmt: skip
    if form not in kinds or (form == "choice" and not values):
        say(Fault(place, "has no kind or no values", did_you_mean(str(form), kinds)))
        return None
    bounds = (int(row.get("from", 0)), int(row.get("to", 0)))
    shape = Policy(name, form, kinds[form], values, *bounds, None, str(row.get("touches", "")),
                   str(row.get("why", "")), tuple(row.get("cites", ())))  # fmt: skip
    try:
        default = shape.read(row.get("default", ""))
    except UsageError as error:
        say(Fault(place, f"default: {error.faults[0].problem}", error.faults[0].remedy))
        return None
    asks = []
    for one in row.get("asks", ()):
        try:
            asks.append(shape.read(one))
        except UsageError as error:
            say(Fault(place, f"asks: {error.faults[0].problem}", error.faults[0].remedy))
    return replace(shape, default=default, asks=tuple(asks))


def policy_values(policies: Mapping[str, Policy], set_by: Mapping[str, Any]) -> dict[str, Any]:
    """Every policy's value: the one set, else its default."""
    return {name: set_by.get(name, policy.default) for name, policy in policies.items()}
