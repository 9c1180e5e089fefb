"""Policies: switches where sources disagree, with their values and defaults."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from ivpush.contract.result import PolicySetting
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.language.tree import Kind
from ivpush.pack.checked import read_shape
from ivpush.pack.files import Say, Sheet
from ivpush.pack.known import Known
from ivpush.pack.shapes.data import PoliciesFile, PolicyShape
from ivpush.records import record

__all__ = [
    "Policies",
    "Policy",
    "PolicyValue",
    "as_written",
    "policy_values",
    "read_policies",
]


PolicyValue = str | bool | int | frozenset[str] | dict[str, int]
"""What a policy is set to: a word, a flag, a number, a list of words, or units by code."""


@record
class Switch:
    """What values a policy may take: its form, and its words or bounds."""

    name: str
    form: str
    values: tuple[str, ...]
    low: int
    high: int

    def read(self, value: object) -> PolicyValue:
        """A value as written by a person or a program; raises UsageError where it does not fit."""
        return _READERS[self.form](self, value)

    def wrong(self, problem: str, remedy: str) -> UsageError:
        """The error of a value that does not fit."""
        return UsageError(Fault(f"policy {self.name}", problem, remedy))


@record
class Policy(Switch):
    """One policy: what it may be set to, its default, and who says what."""

    kind: Kind
    default: PolicyValue
    touches: str
    why: str
    cites: tuple[str, ...]
    asks: tuple[PolicyValue, ...] = ()
    """Values that payers hold beside the default: asked of a payer whose position is unknown."""
    settles: tuple[PolicyValue, ...] = ()
    """Values that say what a missing fact bills, so that no answer about it excuses a claim."""


def _flag(policy: Switch, value: object) -> bool:
    # Values come as text from YAML and the command line, and as bool from Python.
    word = str(value).lower()
    if word in {"true", "false"}:
        return word == "true"
    raise policy.wrong("is a flag", "write true or false")


def _number(policy: Switch, value: object) -> int:
    number = _whole(value)
    if number is not None and policy.low <= number <= policy.high:
        return number
    raise policy.wrong("is a whole number", f"write one from {policy.low} to {policy.high}")


def _words(policy: Switch, value: object) -> frozenset[str]:
    # The command line has one text for a list; a file has a list.
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Collection) or isinstance(words, Mapping | bytes):
        raise policy.wrong("is a list of words", "write the words, with a comma after each")
    if not all(isinstance(word, str) for word in words):
        raise policy.wrong("is a list of words", "write no list within the list")
    return frozenset(word.strip() for word in words)


def _units(policy: Switch, value: object) -> dict[str, int]:
    units = {}
    # The pair of None reads as no number, so that one test refuses both wrong forms.
    for code, text in value.items() if isinstance(value, Mapping) else ((None, None),):
        number = _whole(text)
        if number is None:
            raise policy.wrong("is a mapping of codes to units", "write {code: units}")
        units[str(code)] = number
    return units


def _choice(policy: Switch, value: object) -> str:
    if isinstance(value, str) and value in policy.values:
        return value
    # Cut at 60 characters: a value may be a whole file pasted by mistake.
    shown = f"'{value[:60]}'" if isinstance(value, str) else "of this form"
    near = value if isinstance(value, str) else ""
    raise policy.wrong(f"has no value {shown}", did_you_mean(near, policy.values))


def _whole(value: object) -> int | None:
    """A whole number of up to nine digits."""
    text = str(value) if isinstance(value, int | str) else ""
    # str(True) is no digit, and isdigit alone would take digits of other scripts.
    fits = text.isascii() and text.isdigit() and len(text) < 10
    return int(text) if fits else None


_READERS: Mapping[str, Callable[[Switch, object], PolicyValue]] = {
    "choice": _choice,
    "flag": _flag,
    "number": _number,
    "words": _words,
    "units": _units,
}


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
    encounter_gap_hours: int
    exact_15_minutes: str
    facility_denied_codes: frozenset[str]
    facility_pos_set: str
    hydration_facilitates_drug: str
    hydration_floor_minutes: int
    hydration_overlap: str
    hydration_requires_dx_59: bool
    hydration_short_as_push: bool
    infusion_stopped_early: str
    long_push: str
    max_units: dict[str, int]
    midnight_infusion_date: str
    missing_stop_time: str
    missing_stop_time_hydration: str
    postop_pain_push: str
    product_administration: str
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

    def __init__(self, values: Mapping[str, object]) -> None:
        # The file names the policies, so no constructor can list them all.
        self.__dict__.update(values)


_FORMS = {
    "str": "choice",
    "bool": "flag",
    "int": "number",
    "frozenset[str]": "words",
    "dict[str, int]": "units",
}


def _check_declared(policies: Mapping[str, Policy], sheet: Sheet, say: Say) -> None:
    """Say which policies the engine reads and the file lacks, or has of another kind."""
    # Annotations are text here (``from __future__``), so _FORMS has their words as keys.
    for name, hint in Policies.__annotations__.items():
        form, policy = _FORMS[hint], policies.get(name)
        if policy is None and sheet.at(("policies", name)) is None:
            problem = f"lacks the policy '{name}', which the engine reads"
            say(Fault(sheet.place(), problem, "write it"))
        elif policy is not None and policy.form != form:
            place = sheet.place(("policies", name))
            say(Fault(place, f"{name} is of kind {policy.form}", f"the engine reads a {form}"))


def read_policies(sheet: Sheet, known: Known, say: Say) -> dict[str, Policy]:
    """The policies of policies.yaml; faults are said with their places."""
    shape = read_shape(sheet, PoliciesFile, say, known)
    if shape is None:
        return {}
    policies: dict[str, Policy] = {}
    for name, row in shape.policies.items():
        policy = _policy(name, row, sheet, say)
        if policy is not None:
            policies[name] = policy
    _check_declared(policies, sheet, say)
    return policies


def _policy(name: str, row: PolicyShape, sheet: Sheet, say: Say) -> Policy | None:
    kinds = {
        "choice": Kind("word", words=frozenset(row.values)),
        "flag": Kind("flag"),
        "number": Kind("whole"),
        "words": Kind("texts"),
        # Kind other keeps a mapping out of rules: the language has no look-up by code.
        "units": Kind("other"),
    }
    switch = Switch(name, form=row.kind, values=row.values, low=row.low, high=row.high)
    reader = _Reader(switch, sheet, say)
    default = reader.read(row.default, "default")
    asks, settles = reader.each(row.asks, "asks"), reader.each(row.settles, "settles")
    if default is None or asks is None or settles is None:
        return None
    return Policy(
        name=name,
        form=row.kind,
        values=row.values,
        low=row.low,
        high=row.high,
        kind=kinds[row.kind],
        default=default,
        touches=row.touches,
        why=row.why,
        cites=row.cites,
        asks=asks,
        settles=settles,
    )


class _Reader(NamedTuple):
    """Reads the values that the file writes of one policy."""

    switch: Switch
    sheet: Sheet
    say: Say

    def read(self, written: object, *path: int | str) -> PolicyValue | None:
        """A value; None, and said, where it does not fit."""
        try:
            return self.switch.read(written)
        except UsageError as error:
            fault = error.faults[0]
            place = self.sheet.place(("policies", self.switch.name, *path))
            self.say(Fault(place, f"{path[0]}: {fault.problem}", fault.remedy))
            return None

    def each(self, written: Iterable[object], key: str) -> tuple[PolicyValue, ...] | None:
        """The values of a list; None where one of them does not fit."""
        read = [self.read(value, key, n) for n, value in enumerate(written)]
        values = tuple(value for value in read if value is not None)
        return values if len(values) == len(read) else None


def as_written(value: PolicyValue) -> PolicySetting:
    """A policy's value as results write it: a set of words in order."""
    return tuple(sorted(value)) if isinstance(value, frozenset) else value


def policy_values(
    policies: Mapping[str, Policy], set_by: Mapping[str, PolicyValue]
) -> dict[str, PolicyValue]:
    """Every policy's value: the one set, else its default."""
    return {name: set_by.get(name, policy.default) for name, policy in policies.items()}
