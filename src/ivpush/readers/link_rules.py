"""How the ids of a claim and its chart may differ, and still be one: rules that the user states.

``linking`` joins by those that are stated, and hints at the others. No rule is applied by itself,
for two ids that look alike may be two visits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ivpush.errors import Fault, UsageError, did_you_mean

__all__ = ["RULES", "chosen", "differences", "key_of_id"]

_SPACES, _DECIMALS = re.compile(r"\s+"), re.compile(r"\.0+\Z")
_SIGNS, _ZEROS = re.compile(r"[^\w\s]|_"), re.compile(r"\A0+(?=.)")

RULES: Mapping[str, Callable[[str], str]] = {
    "spaces": lambda text: _SPACES.sub("", text),
    "case": str.casefold,
    "decimals": lambda text: _DECIMALS.sub("", text),
    "signs": lambda text: _SIGNS.sub("", text),
    "zeros": lambda text: _ZEROS.sub("", text),
}
"""What each rule takes from an id, in the order in which they are applied."""
_WORDS = {
    "spaces": "spaces",
    "case": "capital letters",
    "decimals": "a decimal .0",
    "signs": "signs such as hyphens",
    "zeros": "leading zeros",
}


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The rules of these names, in order; raises UsageError for one that does not exist."""
    wanted = list(names)
    faults = [
        Fault("link_by", f"has no rule '{name[:20]}'", did_you_mean(name, RULES))
        for name in wanted
        if name not in RULES
    ]
    if faults:
        raise UsageError(faults)
    return tuple(name for name in RULES if name in wanted)


def key_of_id(text: str, rules: Iterable[str] = tuple(RULES)) -> str:
    """An id without what the rules take from it."""
    for name in rules:
        text = RULES[name](text)
    return text


def differences(first: str, second: str) -> tuple[str, str]:
    """By what two ids differ that all rules together make one: in words, and the rules needed."""
    needed = [
        name
        for name in RULES
        if key_of_id(first, _without(name)) != key_of_id(second, _without(name))
    ]
    return " and ".join(_WORDS[name] for name in needed), ",".join(needed)


def _without(left_out: str) -> list[str]:
    return [name for name in RULES if name != left_out]
