"""Which rule's finding explains which: ``follows_from`` of all rules of a pack, looked at together.

``Pack`` calls ``check_causes`` once every rule is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ivpush.errors import Fault, did_you_mean
from ivpush.pack.files import Say

if TYPE_CHECKING:
    from ivpush.pack.rule import Rule

__all__ = ["check_causes"]


def check_causes(rules: Iterable[Rule], say: Say) -> None:
    """Say where a rule follows from none that exists, or, through others, from itself."""
    by_id = {rule.id: rule for rule in rules}
    # Worked out once for all: reaching through causes asks for each many times.
    causes = {rule.id: frozenset(_causes(rule, by_id)) for rule in by_id.values()}
    for rule in by_id.values():
        for cause in rule.follows_from:
            # A prefix such as IVP3 is a room, so that a new rule of it counts of itself.
            if not any(other.startswith(cause) for other in by_id):
                problem = f"follows_from: '{cause}' is no rule or room"
                say(Fault(rule.place, problem, did_you_mean(cause, by_id)))
        # Two findings that fold into each other would both vanish from the report.
        if rule.id in _reached(rule.id, causes):
            problem = "follows_from: comes back to the rule itself"
            say(Fault(rule.place, problem, "take out one of the two directions"))


def _causes(rule: Rule, by_id: Mapping[str, Rule]) -> Iterator[str]:
    for other in by_id:
        if other != rule.id and other.startswith(rule.follows_from):
            yield other


def _reached(start: str, causes: Mapping[str, frozenset[str]]) -> set[str]:
    """Every rule that explains one, directly or through others."""
    reached: set[str] = set()
    ahead = list(causes[start])
    while ahead:
        rule = ahead.pop()
        if rule not in reached:
            reached.add(rule)
            ahead += causes[rule]
    return reached
