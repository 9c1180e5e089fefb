"""Encounters in one line, for users' tests: a chart, a claim, or both.

They are written as the cases of rules are; ``ivpush.testing`` hands the functions out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ivpush.authoring.encounters import short_encounter
from ivpush.contract.encounter import Encounter
from ivpush.pack.files import read_yaml
from ivpush.pack.folder import rules_folder

__all__ = ["chart", "claim"]


def chart(*administrations: str | Mapping[str, Any], **facts: Any) -> Encounter:
    """The encounter of a chart: ``chart("ketorolac IV push 10:00-10:02")``.

    An administration is ``DRUG ROUTE METHOD START-STOP`` or a mapping of its fields; the drug may
    be a code, and may have its dose behind it. They are called a1, a2 and so on, and bare clock
    times fall on the date. ``facts`` are further fields of the encounter, such as ``lines`` as
    ``claim`` takes them; it is a facility's unless ``setting`` says otherwise.

    Raises InputError for what is in no such form, or is refused by the contract.
    """
    return _encounter({"administrations": administrations, **facts})


def claim(*lines: str | Mapping[str, Any], **facts: Any) -> Encounter:
    """The encounter of a claim without a chart, each line as ``CODE-MODIFIER xUNITS``.

    ``facts`` are further fields of the encounter, such as ``administrations`` as ``chart`` takes
    them. Raises InputError as ``chart`` does.
    """
    return _encounter({"lines": lines, **facts})


def _encounter(facts: Mapping[str, Any]) -> Encounter:
    # Whoever tests need not see our own stack.
    __tracebackhide__ = True
    return short_encounter(facts, _case_date())


@cache
def _case_date() -> str:
    """The date of cases that name none, without loading the whole pack for it."""
    name = "pack.yaml"
    return str(read_yaml(name, (rules_folder() / name).read_bytes()).mapping["case_date"])
