"""Hypothesis strategies for encounters; needs hypothesis, which is the user's own.

Users' tests call it: ``encounters`` draws what the engine takes, ``records`` the same as dicts.

    @given(strategies.encounters())
    def test_mine(encounter): ...
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from ivpush.contract.encounter import Encounter
from ivpush.errors import Fault, UsageError
from ivpush.testing.samples import Template, days, templates

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["encounters", "records"]

_STOCK = 60
"""Visits to draw from; each is judged once, in the first test that draws."""


def records(*, seed: int = 1, setting: str | None = None) -> SearchStrategy[dict[str, Any]]:
    """Records of the contract: ordinary visits with administrations and lines left out or changed.

    They shrink towards few administrations, few lines and the first visit of the stock. Raises
    UsageError where hypothesis is missing, or for a setting in which no visit takes place.
    """
    try:
        from hypothesis import strategies as st  # noqa: PLC0415
    except ImportError:
        remedy = "write pip install hypothesis"
        fault = Fault("ivpush.testing.strategies", "needs hypothesis", remedy)
        raise UsageError(fault) from None

    # What comes first is what a failing example shrinks to.
    @st.composite
    def record_of(draw: DrawFn) -> dict[str, Any]:
        template = draw(st.sampled_from(_stock(seed, setting)))
        day = draw(st.dates(*days()))
        record: dict[str, Any] = json.loads(template.line("H1", day))
        # It names an administration, which may be left out.
        record.pop("primary_administration", None)
        for key in ("administrations", "lines"):
            count = len(record[key])
            kept = draw(st.lists(st.integers(0, count - 1), unique=True)) if count else []
            record[key] = [record[key][n] for n in sorted(kept)]
        for line in record["lines"]:
            line["units"] = draw(st.sampled_from((line["units"], 1, 2)))
        for facts in record["administrations"]:
            if draw(st.booleans()):
                facts.pop(draw(st.sampled_from(sorted(facts.keys() - {"id", "route"}))))
        return record

    return record_of()


def encounters(*, seed: int = 1, setting: str | None = None) -> SearchStrategy[Encounter]:
    """The same as encounters, which the engine takes; a failing example can be pasted."""
    return records(seed=seed, setting=setting).map(_validated)


def _validated(record: dict[str, Any]) -> Encounter:
    return Encounter.model_validate(record)


# Hypothesis shows a failing example as a call by this name, which then makes it again.
_validated.__name__ = "Encounter.model_validate"


@cache
def _stock(seed: int, setting: str | None) -> list[Template]:
    return templates(seed, _STOCK, setting=setting)
