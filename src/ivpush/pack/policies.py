"""Policies: switches where sources disagree, with their values and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.language.tree import Kind
from ivpush.pack.files import Say, Sheet

__all__ = [
    "Policies",
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


class Policies:
    """The policies in force for one book, by name: ``book.policy.long_push``.

    Declared here are those that the engine itself reads, so that a misspelt one is an error of type
    and one that policies.yaml lacks is a fault of the pack. Rules read these and all others.
    """

    additional_hour_minutes: int
    ask_supervision: bool
    bolus_from_same_bag: str
    complex_biologic_mode: str
    concurrent_min_overlap_minutes: int
    concurrent_of_different_sites: str
    encounter_boundary: str
    encounter_boundary_gap_hours: int
    exact_15_minutes: str
    facility_pos_set: str
    hydration_facilitates_drug: str
    hydration_floor_minutes: int
    hydration_overlap: str
    hydration_requires_dx_59: bool
    hydration_short_as_push: bool
    long_push: str
    max_units: dict[str, int]
    midnight_infusion_date: str
    missing_stop_time: str
    missing_stop_time_hydration: str
    postop_pain_push: str
    professional_missing_primary_reason: str
    push_during_infusion_same_drug: str
    repeat_same_drug_infusion: str
    restart_new_initial: bool
    same_drug_formulation: str
    same_drug_gap_measured_from: str
    same_drug_push_gap_minutes: int
    same_line_return_visit: str
    second_initial_modifier: str
    second_site_requires_reason: bool
    sedation_drug_push: str
    sequential_within_first_hour: str
    setting_rule: str
    transfusion_premed: str

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


_FORMS = {"str": "choice", "bool": "flag", "int": "number", "frozenset[str]": "words",
          "dict[str, int]": "units"}  # fmt: skip


def _undeclared(made: Mapping[str, Policy], place: str, say: Say) -> None:
    """Say which policies the engine reads and the file lacks, or has of another kind."""
    for name, hint in Policies.__annotations__.items():
        form = _FORMS[hint]
        if name not in made:
            say(Fault(place, f"lacks the policy '{name}', which the engine reads", "write it"))
        elif made[name].form != form:
            say(Fault(place, f"{name} is of kind {made[name].form}", f"the engine reads a {form}"))


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
    _undeclared(made, sheet.place(), say)
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
