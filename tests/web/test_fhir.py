"""FHIR's $validate: one OperationOutcome, valid R4, with the issues of all that came."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from ivpush import Engine
from ivpush.adapters import to_operation_outcome
from ivpush.readers import ReadOptions, Record
from ivpush.readers.detect import open_reader
from tests.shipped import PACK
from tests.web.calls import BUNDLE, FHIR, JSON, post

BODY = json.dumps(BUNDLE).encode()
PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "mode", "valueCode": "create"},
        {"name": "resource", "resource": BUNDLE},
    ],
}


@pytest.mark.parametrize("path", ["/fhir/$validate", "/fhir/Bundle/$validate"])
@pytest.mark.parametrize(
    ("body", "headers"), [(BODY, FHIR), (BODY, JSON), (json.dumps(PARAMETERS).encode(), FHIR)]
)
def test_the_outcome_has_the_issues_of_the_library(
    path: str, body: bytes, headers: dict[str, str], tmp_path: Any
) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(BODY)
    (record,) = [
        each
        for each in open_reader(str(file), ReadOptions(setting="facility"))
        if isinstance(each, Record)
    ]
    wanted = to_operation_outcome(Engine(pack=PACK).check(record.encounter))["issue"]
    answer = post(f"{path}?setting=facility", body, headers)
    assert answer.headers["content-type"] == "application/fhir+json"
    OperationOutcome.model_validate_json(answer.content)
    told = answer.json()["issue"]
    assert [each["details"] for each in told if each["severity"] != "information"] == [
        each["details"] for each in wanted if each["severity"] != "information"
    ]


@pytest.mark.parametrize(
    ("resource", "severity"),
    [
        ({"resourceType": "Bundle", "type": "collection"}, "information"),
        ({"resourceType": "Bundle", "entry": 7}, "error"),
        ({"resourceType": "Patient"}, "error"),
        ({}, "error"),
    ],
)
def test_what_holds_no_encounter_is_an_outcome_too(resource: Any, severity: str) -> None:
    answer = post("/fhir/$validate", json.dumps(resource).encode(), FHIR)
    assert answer.status_code == 200
    outcome = OperationOutcome.model_validate_json(answer.content)
    assert outcome.issue[0].severity == severity


def test_parameters_without_a_resource_are_refused() -> None:
    for parameter in (None, 7, [], [{"name": "mode"}]):
        body = json.dumps({"resourceType": "Parameters", "parameter": parameter}).encode()
        assert post("/fhir/$validate", body, FHIR).status_code == 422
    assert post("/fhir/$validate", b"", {"Content-Type": "text/plain"}).status_code == 415
