"""One body in, one answer out: the same as the library's, whatever the format."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ivpush import Engine
from ivpush.readers import ReadOptions, Record
from ivpush.readers.detect import open_reader
from ivpush.readers.tables.maps import map_names
from ivpush.writers.why_not import why_not, why_not_adapter
from tests.shipped import PACK
from tests.web.calls import (
    BUNDLE,
    CANARY,
    EXAMPLE,
    EXAMPLES,
    FHIR,
    JSON,
    ROOT,
    X12,
    call,
    get,
    post,
    usual,
    with_limits,
)

FHIR_BODY = json.dumps(BUNDLE).encode()
OCTETS = {"Content-Type": "application/octet-stream"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
X12_FILE = ROOT / "tests/data/x12/lfh-two-claims-single-provider.837i"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_encounter_has_the_bytes_of_the_library(file: Any) -> None:
    raw = file.read_bytes()
    answer = post("/v1/check", raw, JSON)
    assert answer.status_code == 200
    assert answer.content == Engine(pack=PACK).check(raw).to_json()


def test_the_query_chooses_payer_policies_and_coverage() -> None:
    query = [("payer", "medicare"), ("policy", "long_push=infusion"), ("coverage", "true")]
    answer = post("/v1/check", EXAMPLE, JSON, params=query)
    engine = Engine("medicare", policies={"long_push": "infusion"}, pack=PACK)
    assert answer.content == engine.check(EXAMPLE, coverage=True).to_json()
    stated = json.loads(EXAMPLE)
    del stated["setting"]
    bare = json.dumps(stated).encode()
    assert post("/v1/check", bare, JSON).status_code == 422
    assert post("/v1/check?setting=professional", bare, JSON).status_code == 200


@pytest.mark.parametrize(
    ("raw", "headers"), [(X12_FILE.read_bytes(), X12), (FHIR_BODY, FHIR), (FHIR_BODY, JSON)]
)
def test_bodies_of_other_formats_give_the_results_of_all_they_hold(
    raw: bytes, headers: dict[str, str], tmp_path: Path
) -> None:
    file, options = tmp_path / "body", ReadOptions(setting="facility")
    file.write_bytes(raw)
    records = [each for each in open_reader(str(file), options) if isinstance(each, Record)]
    assert records
    answer = post("/v1/check?setting=facility", raw, headers).json()
    results = [Engine(pack=PACK).check(each.encounter).to_dict() for each in records]
    assert answer["results"] == results
    read = post("/v1/convert?setting=facility", raw, headers).json()
    dumped = [json.loads(each.encounter.model_dump_json(exclude_none=True)) for each in records]
    assert read["encounters"] == dumped


def test_a_table_is_read_by_a_shipped_map_and_by_no_file_of_the_machine() -> None:
    text = (ROOT / "tests/data/claims_csv/rif_carrier.csv").read_bytes()
    table = {"Content-Type": "text/csv"}
    read = post("/v1/convert?map=cms-rif-carrier", text, table).json()
    assert read["encounters"] and all(each["lines"] for each in read["encounters"])
    answer = post("/v1/convert", text, table, params={"map": str(ROOT / "rules/maps/clif.yaml")})
    assert answer.status_code == 400


def workbook(rows: int) -> bytes:
    """A workbook of claim lines."""
    book = openpyxl.Workbook()
    sheet = book.create_sheet(index=0)
    sheet.append(["encounter", "number", "code", "units", "date"])
    for number in range(1, rows + 1):
        sheet.append(["A", number, "96374", 1, "2026-03-02"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_up_to_the_bytes_that_it_unpacks_to() -> None:
    for headers in (XLSX, OCTETS):
        read = post("/v1/convert?setting=facility", workbook(2), headers).json()
        assert [len(each["lines"]) for each in read["encounters"]] == [2]
    small = with_limits(unpacked_bytes=100_000)
    assert post("/v1/convert?setting=facility", workbook(2), XLSX, app=small).status_code == 200
    large = workbook(2_000)
    assert len(large) < 100_000
    assert post("/v1/convert?setting=facility", large, XLSX, app=small).status_code == 413
    # A part that says it is smaller than it is gives no more than it said.
    cut = post("/v1/convert?setting=facility", large[: len(large) // 2], XLSX).json()
    assert cut["set_aside"] and not cut["encounters"]


def test_nothing_else_that_is_packed_is_unpacked() -> None:
    for raw in (b"PAR1", b"\x1f\x8b\x08", gzip.compress(EXAMPLE)):
        assert post("/v1/convert", raw, OCTETS).status_code == 415


def test_text_of_a_spreadsheet_may_be_utf_16() -> None:
    text = "encounter,number,code,units,date\nA,1,96374,1,2026-03-02\n".encode("utf-16")
    read = post("/v1/convert?setting=facility", text, {"Content-Type": "text/csv"}).json()
    assert [each["id"] for each in read["encounters"]] == ["A"]


def test_what_cannot_be_read_is_set_aside_beside_the_rest() -> None:
    raw = X12_FILE.read_bytes().replace(b"*837*", b"*999*", 1)
    answer = post("/v1/check", raw, X12).json()
    assert answer["set_aside"] and all(each["reason"] for each in answer["set_aside"])


def test_policies_that_callers_name_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivpush.pack.pack._MOST_WINDOWS", 8)
    monkeypatch.setattr("ivpush.web.service._MOST_ENGINES", 8)
    app = with_limits()
    for minutes in range(30):
        policy = f"same_drug_push_gap_minutes={minutes + 1}"
        answer = post("/v1/check", EXAMPLE, JSON, app=app, params={"policy": policy})
        assert answer.json()["pack"]["policies"]
    assert len(PACK._windows) <= 8


def test_one_request_holds_so_many_records() -> None:
    app = with_limits(records=1)
    answer = post("/v1/check", X12_FILE.read_bytes(), X12, app=app)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", JSON, 422),
        (b"[]", JSON, 422),
        (b"[" * 100_000, JSON, 422),
        (b"\xff\xfe", JSON, 400),
        (b"{}", {"Content-Type": "text/html"}, 415),
        (b"{}", {}, 415),
        (b"\x1f\x8b\x08", JSON, 415),
        (b"PK\x03\x04", {"Content-Type": "text/csv"}, 415),
        (b"{}", {**JSON, "Content-Encoding": "gzip"}, 415),
    ],
)
def test_a_body_that_does_not_fit_is_refused(
    body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = post("/v1/check", body, headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status and said["faults"]
    assert all(fault["problem"] and fault["remedy"] for fault in said["faults"])


@pytest.mark.parametrize("path", ["/v1/check", "/v1/convert", "/v1/check-batch", "/fhir/$validate"])
@pytest.mark.parametrize(
    "query",
    [
        {CANARY: "1"},
        {"payer": CANARY},
        {"policy": CANARY},
        {"policy": f"{CANARY}={CANARY}"},
        {"policy": f"long_push={CANARY}"},
        {"policy": f"max_units={CANARY}"},
        {"setting": CANARY},
        {"timezone": CANARY},
        {"map": CANARY},
        {"format": CANARY},
        {"coverage": CANARY},
        {"payer": ["medicare", "medicare"]},
    ],
)
def test_a_query_that_does_not_fit_is_refused_and_not_repeated(
    path: str, query: dict[str, Any]
) -> None:
    answer = post(path, b"{}", {"Content-Type": "application/json"}, params=query)
    assert answer.status_code == 400
    assert CANARY not in answer.text and CANARY not in str(answer.headers)


def test_no_problem_repeats_what_a_record_holds() -> None:
    stated = json.loads(EXAMPLE)
    for field in (*stated, CANARY):
        for odd in (CANARY, [CANARY], {CANARY: CANARY}):
            raw = json.dumps({**stated, field: odd}).encode()
            answer = post("/v1/check", raw, JSON)
            if answer.status_code != 200:
                assert answer.status_code == 422
                assert CANARY not in answer.text


def test_the_catalogue_tells_every_rule_payer_policy_and_code() -> None:
    listed = [each["id"] for each in get("/v1/rules")["rules"]]
    assert listed == sorted(rule.id for rule in PACK.every_rule)
    for rule in PACK.every_rule:
        whole = get(f"/v1/rules/{rule.id}")
        assert whole == get(f"/v1/rules/{rule.name}")
        assert [each["case"] for each in whole["cases"]] == [each["name"] for each in rule.cases]
        assert {each["id"] for each in whole["cites"]} == set(rule.cites)
    assert {each["id"] for each in get("/v1/payers")["payers"]} == set(PACK.payers)
    assert {each["name"] for each in get("/v1/policies")["policies"]} == set(PACK.policies)
    administered = {row.code for row in PACK.codes.values() if row.administration}
    assert {each["code"] for each in get("/v1/codes")["codes"]} == administered
    missing = call("GET", f"/v1/rules/{CANARY}")
    assert missing.status_code == 404 and CANARY not in missing.text


def test_why_not_tells_what_the_library_tells() -> None:
    answer = post("/v1/why-not?code=96376&payer=medicare", EXAMPLE, JSON)
    told = why_not(Engine("medicare", pack=PACK), EXAMPLE, "96376")
    assert why_not_adapter().validate_json(answer.content) == told
    for query in ({}, {"code": CANARY}):
        refused = post("/v1/why-not", EXAMPLE, JSON, params=query)
        assert refused.status_code == 400 and CANARY not in refused.text


def test_a_drawing_is_whole_or_fits_into_a_page_without_styles() -> None:
    drawn = Engine(pack=PACK).check(EXAMPLE).timeline()
    whole = post("/v1/timeline", EXAMPLE, JSON)
    assert whole.headers["content-type"] == "image/svg+xml"
    assert whole.text == drawn.svg()
    part = post("/v1/timeline?form=part", EXAMPLE, JSON).text
    assert drawn.svg(styled=False) in part and drawn.table() in part
    assert "<style" not in part and "style=" not in part
    shown = post("/v1/timeline?show_text=true", EXAMPLE, JSON).text
    assert shown == Engine(pack=PACK).check(EXAMPLE).timeline(show_text=True).svg()
    assert post(f"/v1/timeline?form={CANARY}", EXAMPLE, JSON).status_code == 400
    assert call("GET", "/static/timeline.css").headers["content-type"].startswith("text/css")


def test_shipped_maps_are_listed() -> None:
    assert get("/v1/maps")["maps"] == list(map_names())


def test_examples_can_be_tried() -> None:
    listed = get("/v1/examples")["examples"]
    assert [each["name"] for each in listed] == [file.stem for file in EXAMPLES]
    for each in listed:
        assert post("/v1/check", json.dumps(each["encounter"]).encode(), JSON).status_code == 200


def test_a_failure_of_ours_is_a_problem_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(Engine, "work", fail)
    answer = post("/v1/check", EXAMPLE, JSON)
    assert answer.status_code == 500
    assert CANARY not in answer.text
    rows = io.StringIO(post("/v1/check-batch", b"{}\n" + EXAMPLE.replace(b"\n", b""), JSON).text)
    assert [json.loads(row)["place"] for row in rows] == ["line 1", "line 2"]


def test_unknown_paths_and_methods_are_problems() -> None:
    for method, path, status in (
        ("GET", f"/{CANARY}", 404),
        ("GET", "/v1/check", 405),
        ("DELETE", "/v1/rules", 405),
        ("GET", f"/static/{CANARY}", 404),
        ("GET", "/static/../settings.py", 404),
    ):
        answer = call(method, path, app=usual())
        assert answer.status_code == status
        assert answer.json()["status"] == status and CANARY not in answer.text
