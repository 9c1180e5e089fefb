"""FHIR with one resource or element garbled: no other chart in silence."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import SetAside
from tests.readers.fhir.samples import (
    ENCOUNTER,
    SCT,
    administration,
    bundle,
    claim,
    item,
    readings,
    texts,
)
from tests.readers.garbling import (
    FOREIGN,
    PROCEDURE,
    Heard,
    Order,
    assert_lawful,
    garbled_texts,
    heard,
    often,
    order_lists,
)

Path = tuple[Any, ...]
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
WHEN = (
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
STATUSES = "completed|in-progress|on-hold|stopped|not-done|entered-in-error|finished|active"
# What may stand in an element as well as what it holds, by the end of its path.
AS_GOOD = {
    ("status",): STATUSES,
    ("start",): WHEN,
    ("end",): WHEN,
    ("effectiveDateTime",): WHEN,
    ("servicedDate",): WHEN,
    ("id",): ".+",
    ("reference",): ".+",
    ("medicationCodeableConcept", "text"): ".+",
    ("site", "text"): ".+",
    ("dose", "unit"): ".+",
    ("medicationCodeableConcept", "coding", 0, "code"): PROCEDURE,
    ("productOrService", "coding", 0, "code"): PROCEDURE,
    ("diagnosisCodeableConcept", "coding", 0, "code"): "[A-Z][0-9A-Z.]{2,8}",
    ("modifier", 0, "coding", 0, "code"): "[0-9A-Z]{2}",
}
# A line may have no modifier.
MAY_LACK = ("modifier",)


class Change(NamedTuple):
    """A value put into a place of the resources; ``gone``: the place is taken out."""

    path: Path
    value: Any = None
    gone: bool = False


def given_by(order: Order) -> dict[str, Any]:
    start, stop = (f"{at:%Y-%m-%dT%H:%M}:00-06:00" for at in (order.start, order.stop))
    timed: dict[str, Any] = {"effectivePeriod": {"start": start, "end": stop}}
    if order.kind == "push":
        timed = {"effectivePeriod": None, "effectiveDateTime": start}
    return administration(
        id=order.id,
        status="not-done" if order.kind == "refused" else "completed",
        medicationCodeableConcept={
            "coding": [{"system": HCPCS, "code": order.hcpcs}],
            "text": order.drug,
        },
        dosage={
            "route": {"coding": [{"system": SCT, "code": "47625008"}]},
            "site": {"text": "left arm"},
            "dose": {"value": 4, "unit": "mg"},
            **({"rateQuantity": {"value": 100, "unit": "mL/h"}} if order.kind == "bag" else {}),
        },
        **timed,
    )


def visit(orders: list[Order]) -> list[dict[str, Any]]:
    diagnosis = {
        "sequence": 1,
        "diagnosisCodeableConcept": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R112"}]
        },
    }
    items = [
        item(
            order.hcpcs,
            number,
            encounter=[{"reference": "Encounter/e1"}],
            modifier=[{"coding": [{"code": "59"}]}],
            diagnosisSequence=[1],
            net={"value": 100},
        )
        for number, order in enumerate(orders, 1)
    ]
    billed = claim(
        "institutional", *items, diagnosis=[diagnosis], total={"value": 100 * len(items)}
    )
    begun = {"period": {"start": f"{orders[0].start:%Y-%m-%d}T00:30:00-06:00"}}
    return [{**ENCOUNTER, **begun}, *map(given_by, orders), billed]


def places(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    keys = data if isinstance(data, dict) else range(len(data))
    for key in keys:
        yield (*path, key), data[key]
        if isinstance(data[key], dict | list):
            yield from places(data[key], (*path, key))


def changes(resources: list[dict[str, Any]], *, counted: bool) -> Iterator[Change]:
    for path, value in places(resources):
        if len(path) == 1:
            if counted:
                yield Change(path, gone=True)
            continue
        if not any(path[-len(end) :] == end for end in (MAY_LACK, (*MAY_LACK, 0))):
            yield Change(path, gone=True)
        if isinstance(value, str):
            others: tuple[Any, ...] = tuple(garbled_texts(value))
        elif path[-1:] == MAY_LACK:
            others = (FOREIGN, {})
        else:
            others = (None, FOREIGN, "", -1, {}, [])
        for other in others:
            if other != value and not is_as_good(path, other):
                yield Change(path, other)


def is_as_good(path: Path, other: Any) -> bool:
    forms = (form for end, form in AS_GOOD.items() if path[-len(end) :] == end)
    return isinstance(other, str) and any(re.fullmatch(form, other) for form in forms)


def changed(resources: list[dict[str, Any]], change: Change) -> list[dict[str, Any]]:
    data: Any = copy.deepcopy(resources)
    place = data
    for key in change.path[:-1]:
        place = place[key]
    if change.gone:
        del place[change.path[-1]]
    else:
        place[change.path[-1]] = change.value
    whole: list[dict[str, Any]] = data
    return whole


def judged(resources: list[dict[str, Any]], total: int | None) -> Heard:
    if total is None:
        return heard(readings(texts(*resources)))
    return heard(readings(texts({**bundle(*resources), "total": total})))


@often
@given(order_lists(), st.booleans(), st.data())
def test_resources_of_a_visit(orders: list[Order], counted: bool, data: st.DataObject) -> None:
    resources = visit(orders)
    total = len(resources) if counted else None
    cases = list(changes(resources, counted=counted))
    garbled = changed(resources, cases[data.draw(st.integers(0, len(cases) - 1))])
    assert_lawful(judged(resources, total), judged(garbled, total))
    doubled = data.draw(st.sampled_from(resources))
    assert_lawful(judged(resources, None), judged([*resources, doubled], None))


@pytest.mark.parametrize("kind", ["collection", "searchset", "history", "batch"])
def test_a_bundle_that_states_more_than_it_holds_is_set_aside(kind: str) -> None:
    whole = bundle(ENCOUNTER, administration(), kind=kind)
    (aside,) = readings(json.dumps({**whole, "total": 3}).encode())
    assert isinstance(aside, SetAside)
    assert str(aside.error).startswith("Bundle.total: states 3 matches, of which 2 came")
