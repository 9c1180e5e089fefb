"""Services of the day beside a chart: what they change of it, and what they never change."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from tests.properties.charts import as_lines, encounters
from tests.shipped import ENGINE

PROCEDURES = ("74177", "12002", "45378", "47562", "31500", "92960", "78452", "20610", "90935")


def purposed(encounter: Encounter) -> Encounter:
    """The chart with every purpose stated."""
    stated = {"hydration": "hydration"}
    doses = [
        each.model_copy(update={"purpose": stated.get(each.category or "", "treatment")})
        for each in encounter.administrations or ()
    ]
    return encounter.model_copy(update={"administrations": tuple(doses)})


def beside(encounter: Encounter, lines: list[dict[str, Any]]) -> Encounter:
    record = encounter.model_dump(mode="json", exclude_none=True)
    return Encounter.model_validate({**record, "lines": lines})


def counted(encounter: Encounter) -> Counter[tuple[str, object]]:
    count: Counter[tuple[str, object]] = Counter()
    for line in ENGINE.suggest(encounter):
        count[line.code, line.date] += line.units
    return count


@given(encounters(), st.sampled_from(PROCEDURES))
def test_beside_a_procedure_treatment_keeps_its_codes_and_units(
    encounter: Encounter, code: str
) -> None:
    chart = purposed(encounter)
    other = beside(chart, [{"number": 1, "code": code, "units": 1}])
    assert counted(other) == counted(beside(chart, []))


@given(encounters(), st.sampled_from(PROCEDURES))
def test_a_procedure_of_another_date_changes_nothing(encounter: Encounter, code: str) -> None:
    days = [each.start.date() for each in encounter.administrations or () if each.start is not None]
    assert encounter.service_date is not None
    day = max(days, default=encounter.service_date) + timedelta(days=30)
    line = {"number": 1, "code": code, "units": 1, "date": day.isoformat()}
    assert ENGINE.suggest(beside(encounter, [line])) == ENGINE.suggest(beside(encounter, []))


@given(encounters(), st.sampled_from(PROCEDURES))
def test_what_is_suggested_beside_a_procedure_is_billed_without_a_fault(
    encounter: Encounter, code: str
) -> None:
    procedure = {"number": 99, "code": code, "units": 1}
    suggested = ENGINE.suggest(beside(purposed(encounter), [procedure]))
    lines = [{"number": n, **each} for n, each in enumerate(as_lines(suggested), 1)]
    result = ENGINE.check(beside(purposed(encounter), [procedure, *lines]))
    pairs = {"IVP502", "IVP503", "IVP601", "IVP602"}
    assert not pairs & {each.rule for each in result.violations}
