"""Payers' overlays: policies set, severities changed, rules switched off or added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ivpush.contract.result import Severity
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.pack.checked import read_shape
from ivpush.pack.files import Say, Sheet, covers, mappings_of
from ivpush.pack.known import Known
from ivpush.pack.policies import Policy, PolicyValue
from ivpush.pack.rule import Rule, rule_of
from ivpush.pack.shapes.rules import CheckedOverlay
from ivpush.records import record

if TYPE_CHECKING:
    from ivpush.pack.shapes.cases import OverlayFile

__all__ = [
    "Payer",
    "own_rules",
    "read_payer",
    "with_bases",
]


@record
class Payer:
    """One payer's overlay: policies set, severities changed, rules switched off or added."""

    id: str
    title: str
    cites: tuple[str, ...]
    policies: dict[str, PolicyValue]
    severity: dict[str, Severity]
    off: dict[str, str]
    rules: tuple[Rule, ...]
    base: str | None = None
    inherited: tuple[Rule, ...] = ()
    place: str = ""
    setting: str | None = None
    """The kind of claim that its page speaks of; None: both."""
    valid_from: date = date.min
    valid_to: date | None = None
    layers: tuple[Payer, ...] = ()
    """The overlays that it was laid together from, the one at the bottom first."""

    @property
    def of_one_setting(self) -> bool:
        """Whether any of its layers speaks of one kind of claim alone."""
        return any(layer.setting is not None for layer in self.layers)

    def speaking(self, day: date, setting: str | None) -> Payer:
        """The overlay with only those layers that speak of a date and kind of claim."""
        silent = [layer for layer in self.layers if not layer.speaks_of(day, setting)]
        if not silent:
            return self
        standing = replace(self, policies={}, severity={}, off={}, rules=(), inherited=())
        for layer in self.layers:
            if layer not in silent:
                standing = layer.on(standing)
        return standing

    def speaks_of(self, day: date, setting: str | None) -> bool:
        """Whether its page speaks of a date and kind of claim; no kind stated: of any."""
        apart = None not in (self.setting, setting) and self.setting != setting
        return not apart and covers(self.valid_from, self.valid_to, day)

    def applied(self, rules: Iterable[Rule]) -> list[Rule]:
        """The pack's rules as this payer has them, in order, with its own."""
        changed = [
            replace(rule, severity=self.severity[rule.id]) if rule.id in self.severity else rule
            # Own rules come last and untouched: nobody softens what the overlay itself brings.
            for rule in (*rules, *self.inherited)
            if rule.id not in self.off
        ]
        return [*changed, *self.rules]

    def on(self, base: Payer) -> Payer:
        """The overlay with what it does not say itself taken from another."""
        return replace(
            self,
            # The upper overlay last: what it says itself wins over its base.
            policies={**base.policies, **self.policies},
            severity={**base.severity, **self.severity},
            off={**base.off, **self.off},
            inherited=(*base.inherited, *base.rules),
        )


def with_bases(payers: Mapping[str, Payer], say: Say) -> dict[str, Payer]:
    """Every overlay with its base, and its base's base, under it."""
    whole: dict[str, Payer] = {}
    for payer in payers.values():
        chain = _chain(payer, payers, say)
        # From the lowest upwards, so that each is laid on all that is below it.
        standing = chain[-1]
        for upper in reversed(chain[:-1]):
            standing = upper.on(standing)
        whole[payer.id] = replace(standing, layers=tuple(reversed(chain)))
    return whole


def _chain(payer: Payer, payers: Mapping[str, Payer], say: Say) -> list[Payer]:
    """An overlay, its base, and so on down to one that stands on none."""
    chain = [payer]
    while (base := chain[-1].base) is not None:
        below = payers.get(base)
        if below is None:
            problem = f"base: no overlay '{base[:60]}'"
            say(Fault(chain[-1].place, problem, did_you_mean(base, payers)))
            break
        # Said and cut, not raised: the other overlays can still be checked.
        if below in chain:
            say(Fault(payer.place, "is in the end based on itself", "break the circle"))
            break
        chain.append(below)
    return chain


def own_rules(sheet: Sheet) -> set[str]:
    """Ids of the rules that an overlay brings, as far as they can be read."""
    # Before any shape is checked, so nothing of the file may be taken for granted.
    rows = mappings_of(sheet.at(("rules",)))
    return {str(row["id"]) for row in rows if "id" in row}


def read_payer(
    sheet: Sheet,
    policies: Mapping[str, Policy],
    known: Known,
    say: Say,
) -> Payer | None:
    """An overlay of payers/; None where it cannot be used."""
    shape = _shape(sheet, known, say)
    if shape is None:
        return None
    rules = [rule_of(row, sheet, known, path=("rules", n)) for n, row in shape.rules.items()]
    return Payer(
        id=shape.id,
        title=shape.title or shape.id,
        cites=shape.cites,
        policies=dict(_values(shape.policies, policies, sheet, say)),
        severity=dict(shape.severity),
        off=dict(shape.off),
        rules=tuple(rule for rule in rules if rule is not None),
        base=shape.base,
        place=sheet.place(),
        setting=shape.setting,
        valid_from=shape.in_force.low if shape.in_force is not None else date.min,
        valid_to=shape.in_force.high if shape.in_force is not None else None,
    )


def _shape(sheet: Sheet, known: Known, say: Say) -> OverlayFile | CheckedOverlay | None:
    if known.checked:
        return read_shape(sheet, CheckedOverlay, say, known)
    from ivpush.pack.shapes.cases import OverlayFile  # noqa: PLC0415  (no check needs cases)

    return read_shape(sheet, OverlayFile, say, known)


def _values(
    written: Mapping[str, object], policies: Mapping[str, Policy], sheet: Sheet, say: Say
) -> Iterator[tuple[str, PolicyValue]]:
    """The policies that an overlay sets, each with its value as the policy reads it."""
    for name, value in written.items():
        try:
            yield name, policies[name].read(value)
        except UsageError as error:
            fault = error.faults[0]
            place = sheet.place(("policies", name))
            say(Fault(place, f"{name}: {fault.problem}", fault.remedy))
