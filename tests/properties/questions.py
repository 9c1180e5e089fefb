"""Answers to questions, written back into the encounter that they were asked about."""

from __future__ import annotations

from typing import Any

from ivpush import Encounter


def with_answer(encounter: Encounter, question: Any, value: Any) -> Encounter:
    """The encounter with one answer stated."""
    record = encounter.model_dump(mode="json")
    path = question.answers[0].when.field
    if not path.startswith("administrations["):
        within, _, field = path.rpartition(".")
        (record.setdefault(within, {}) if within else record)[field] = value
        return Encounter.model_validate(record)
    place, field = path.split(".")
    index = int(place.removeprefix("administrations[").removesuffix("]"))
    record["administrations"][index][field] = value
    return Encounter.model_validate(record)


def values_of(when: Any) -> list[Any]:
    """The value of an answer; of a stretch of minutes its ends and its middle.

    An open one bills what its first minute bills; what is longer, ``changes`` says.
    """
    if hasattr(when, "value"):
        return [when.value]
    if when.high is None:
        return [when.low]
    return [when.low, when.high, (when.low + when.high) // 2]
