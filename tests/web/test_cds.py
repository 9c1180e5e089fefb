"""CDS Hooks: what is offered, and a card for each finding, as its specification asks."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.web.calls import BUNDLE, CANARY, JSON, get, post

PATH = "/cds-services/ivpush"


def call_of(prefetch: Any, **more: Any) -> bytes:
    call = {
        "hook": "encounter-discharge",
        "hookInstance": str(uuid.UUID(int=7)),
        "context": {"userId": "Practitioner/1", "patientId": "1", "encounterId": "1"},
        "prefetch": prefetch,
        **more,
    }
    return json.dumps(call).encode()


def prefetched() -> dict[str, Any]:
    """The bundle's resources as a caller sends them: a searchset for each query."""
    of = {
        "encounter": "Encounter",
        "administrations": "MedicationAdministration",
        "claims": "Claim",
    }
    given: dict[str, Any] = {
        key: {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [each for each in BUNDLE["entry"] if each["resource"]["resourceType"] == kind],
        }
        for key, kind in of.items()
    }
    given["others"] = None
    return given


def test_the_service_offers_what_it_then_answers() -> None:
    (service,) = get("/cds-services")["services"]
    assert service["id"] == "ivpush" and service["hook"] == "encounter-discharge"
    assert set(service["prefetch"]) < set(prefetched())


def test_a_card_for_each_finding() -> None:
    answer = post(f"{PATH}?setting=facility", call_of(prefetched()), JSON)
    cards = answer.json()["cards"]
    body = json.dumps(BUNDLE).encode()
    checked = post("/v1/check?setting=facility", body, JSON).json()
    (result,) = checked["results"]
    rules = [each["rule"] for each in result["violations"]]
    rules += [each["missing"] for each in result["questions"]]
    assert [card["source"]["topic"]["code"] for card in cards] == rules
    for card in cards:
        assert len(card["summary"]) < 140
        assert card["indicator"] in {"info", "warning", "critical"}
        assert card["detail"]
    ids = [card["uuid"] for card in cards]
    assert len(set(ids)) == len(ids) and all(map(uuid.UUID, ids))
    again = post(f"{PATH}?setting=facility", call_of(prefetched()), JSON).json()["cards"]
    assert [card["uuid"] for card in again] == ids


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"[" * 100_000, call_of(None), call_of({}, hook=CANARY), b'{"hook": 7}'],
)
def test_a_call_that_does_not_fit_is_refused(body: bytes) -> None:
    answer = post(PATH, body, JSON)
    assert answer.status_code == 422 and CANARY not in answer.text


@pytest.mark.parametrize("given", [CANARY, 7, [CANARY], {"resourceType": "Patient", "id": CANARY}])
def test_odd_resources_bring_no_card(given: Any) -> None:
    answer = post(PATH, call_of({"encounter": given}), JSON)
    assert answer.status_code == 200 and answer.json() == {"cards": []}


def test_nothing_that_came_is_a_mark_of_markdown() -> None:
    stated = json.loads(json.dumps(prefetched()).replace("ondansetron", "[x](javascript:1)<b>"))
    cards = post(f"{PATH}?setting=facility", call_of(stated), JSON).json()["cards"]
    assert cards
    assert not [card for card in cards if "](" in card["detail"] or "<b>" in card["detail"]]
