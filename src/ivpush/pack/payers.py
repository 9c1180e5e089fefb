"""Payers' overlays: policies set, severities changed, rules switched off or added."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from ivpush.contract.result import Severity
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.pack.files import Say, Sheet
from ivpush.pack.policies import Policy
from ivpush.pack.rule import Known, Rule, read_rule

__all__ = [
    "Payer",
    "own_rules",
    "read_payer",
    "with_bases",
]


@dataclass(slots=True)
class Payer:
    """One payer's overlay: policies set, severities changed, rules switched off or added."""

    id: str
    title: str
    cites: tuple[str, ...]
    policies: dict[str, Any]
    severity: dict[str, str]
    off: dict[str, str]
    rules: tuple[Rule, ...]
    base: str | None = None
    inherited: tuple[Rule, ...] = ()
    place: str = ""

    def applied(self, rules: Iterable[Rule]) -> list[Rule]:
        """The pack's rules as this payer has them, in order, with its own."""
        changed = [
            rule.with_(severity=self.severity[rule.id]) if rule.id in self.severity else rule
            for rule in (*rules, *self.inherited)
            if rule.id not in self.off
        ]
        return [*changed, *self.rules]

    def on(self, base: Payer) -> Payer:
        """The overlay with what it does not say itself taken from another."""
        return replace(
            self, policies={**base.policies, **self.policies},
            severity={**base.severity, **self.severity}, off={**base.off, **self.off},
            inherited=(*base.inherited, *base.rules),
        )  # fmt: skip


def with_bases(payers: Mapping[str, Payer], say: Say) -> dict[str, Payer]:
    """Every overlay with its base, and its base's base, under it."""
    made: dict[str, Payer] = {}
    for payer in payers.values():
        chain, one = [payer], payer
        while one.base is not None:
            if one.base not in payers:
                say(Fault(one.place, f"base: no overlay '{one.base[:60]}'",
                          did_you_mean(one.base, payers)))  # fmt: skip
                break
            one = payers[one.base]
            if one in chain:
                say(Fault(payer.place, "is in the end based on itself", "break the circle"))
                break
            chain.append(one)
        whole = chain[-1]
        for upper in reversed(chain[:-1]):
            whole = upper.on(whole)
        made[payer.id] = whole
    return made


def own_rules(sheet: Sheet) -> set[str]:
    """Ids of the rules that an overlay brings, as far as they can be read."""
    rules = sheet.data.get("rules", ()) if isinstance(sheet.data, dict) else ()
    return {str(one["id"]) for one in rules if isinstance(one, dict) and "id" in one}


_PAYER_KEYS = {"id", "title", "base", "cites", "checked", "policies", "severity", "off", "rules"}


def read_payer(
    sheet: Sheet, policies: Mapping[str, Policy], rules: Collection[str], known: Known, say: Say
) -> Payer | None:
    """An overlay of payers/; None where it cannot be used."""
    data = sheet.data
    if not isinstance(data, dict) or "id" not in data:
        say(Fault(sheet.place(), "is no overlay", "write id, title, policies"))
        return None
    for key in set(data) - _PAYER_KEYS:
        say(Fault(sheet.place((key,), key=True), f"unknown key '{key[:60]}'",
                  did_you_mean(key, _PAYER_KEYS)))  # fmt: skip
    set_by: dict[str, Any] = {}
    for name, value in data.get("policies", {}).items():
        place = sheet.place(("policies", name))
        if name not in policies:
            say(Fault(place, f"no policy '{name[:60]}'", did_you_mean(name, policies)))
            continue
        try:
            set_by[name] = policies[name].read(value)
        except UsageError as error:
            say(Fault(place, error.faults[0].problem, error.faults[0].remedy))
    for part in ("severity", "off"):
        for rule in data.get(part, {}):
            if rule not in rules:
                say(
                    Fault(
                        sheet.place((part, rule)),
                        f"no rule '{rule[:60]}'",
                        did_you_mean(rule, rules),
                    )
                )
    for rule, word in data.get("severity", {}).items():
        if word not in get_args(Severity):
            say(Fault(sheet.place(("severity", rule)), f"no severity '{word[:60]}'",
                      did_you_mean(word, get_args(Severity))))  # fmt: skip
    for n, one in enumerate(data.get("cites", ())):
        if one not in known.sources:
            say(Fault(sheet.place(("cites", n)), f"'{one[:60]}' is in no row of sources.yaml",
                      did_you_mean(one, known.sources)))  # fmt: skip
    own = [
        read_rule(sheet, one, known, say, ("rules", n))
        for n, one in enumerate(data.get("rules", ()))
    ]
    return Payer(
        data["id"], str(data.get("title", data["id"])), tuple(data.get("cites", ())), set_by,
        dict(data.get("severity", {})), dict(data.get("off", {})),
        tuple(one for one in own if one is not None), data.get("base"), (), sheet.place(),
    )  # fmt: skip
