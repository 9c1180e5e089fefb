"""FHIR out: valid R4, one outcome an encounter, and a bundle that reads back as the same encounter."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from ivpush.contract.encounter import Encounter
from ivpush.contract.fields import Method, Purpose, Route
from ivpush.errors import InputError
from ivpush.readers import ReadOptions, Record
from ivpush.readers.fhir.reader import read
from ivpush.writers import WriteOptions
from ivpush.writers.fhir import Writer, encounter_to_bundle, outcome
from tests.properties.charts import chart, doses, fluid, push
from tests.shipped import ENGINE
from tests.writers.works import HOSTILE

CANARY = "Zebra"


def written(*encounters: Encounter) -> tuple[bytes, dict[str, Any]]:
    out = io.BytesIO()
    writer = Writer(out, WriteOptions(ENGINE.pack))
    for number, one in enumerate(encounters, 1):
        writer.write(ENGINE.work(one), f"claims.ndjson:{number}")
    writer.close()
    assert not out.closed
    return out.getvalue(), json.loads(out.getvalue())


def billed(**more: Any) -> Encounter:
    lines = [{"number": 1, "code": "96374", "units": 2}, {"number": 2, "code": "96360", "units": 1}]
    return chart(push("a1"), fluid("a2", 60, 90), lines=lines, **more)


def test_results_are_valid_r4() -> None:
    text, _ = written(billed(), billed(id="two words"), chart())
    bundle = Bundle.model_validate_json(text)
    assert len(bundle.entry or ()) == 3


def test_no_result_is_a_valid_document_too() -> None:
    text, data = written()
    Bundle.model_validate_json(text)
    assert "entry" not in data


@given(doses(), st.sampled_from(("facility", "professional")))
def test_every_finding_question_and_unjudged_rule_is_an_issue(plan: Any, setting: str) -> None:
    encounter = chart(*plan, setting=setting, lines=[{"number": 1, "code": "96365", "units": 3}])
    result = ENGINE.check(encounter)
    issues = outcome(result)["issue"]
    count = len(result.violations) + len(result.questions) + len(result.unjudged)
    assert len(issues) == max(count, 1)
    mapped = {"error": "error", "warning": "warning", "info": "information"}
    assert [x["severity"] for x in issues[: len(result.violations)]] == [
        mapped[x.severity] for x in result.violations
    ]
    Bundle.model_validate_json(written(encounter)[0])


def test_an_issue_names_rule_reason_text_and_evidence() -> None:
    encounter = billed()
    _, data = written(encounter)
    resource = data["entry"][0]["resource"]
    result = ENGINE.check(encounter)
    first, issue = result.violations[0], resource["issue"][0]
    assert issue["details"]["text"] == f"{first.message} {first.fix}"
    codes = {x["code"] for x in issue["details"]["coding"]}
    assert codes == {x for x in (first.rule, first.carc, first.rarc) if x}
    assert issue["expression"] == list(first.evidence)
    assert issue["diagnostics"] == f"{first.rule} {first.name}; claims.ndjson:1"
    assert (resource["id"], resource["meta"]["tag"][0]["display"]) == ("E1", "E1")


def test_an_id_that_fhir_does_not_allow_stands_in_the_tag_alone() -> None:
    _, data = written(billed(id="visit 7/A"))
    resource = data["entry"][0]["resource"]
    assert "id" not in resource and resource["meta"]["tag"][0]["display"] == "visit 7/A"


def test_entries_of_one_document_have_their_own_urls() -> None:
    _, data = written(billed(), billed())
    first, second = (one["fullUrl"] for one in data["entry"])
    assert first != second


def test_the_same_result_gives_the_same_bytes() -> None:
    assert written(billed())[0] == written(billed())[0]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_cannot_be_printed_is_an_escape_of_the_same_value(text: str) -> None:
    raw, bundle = written(chart(push("a1"), id=text))
    assert all(sign.isprintable() or sign == "\n" for sign in raw.decode())
    (entry,) = bundle["entry"]
    assert entry["resource"]["meta"]["tag"][0]["display"] == text


def test_the_charts_own_words_are_not_written() -> None:
    plan = [
        push("a1", 0, drug=CANARY, site=CANARY, extra=(("separate_site_reason", CANARY),)),
        push("a2", 5, drug=f"{CANARY} two", site="b"),
    ]
    text, _ = written(chart(*plan, lines=[{"number": 1, "code": "96374", "units": 1}]))
    assert CANARY.encode() not in text


# Round trip


FHIR_ID = st.from_regex(r"[A-Za-z0-9.-]{1,12}", fullmatch=True)
IDS = FHIR_ID | st.sampled_from(("visit 7/A", "é", "a|b"))
WORDS = st.sampled_from(("ondansetron", "sodium chloride 0.9 %", "Ketorolac (Toradol)"))
BASE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
AMOUNTS = st.decimals(0, 5000, places=3, allow_nan=False).map(lambda x: x.normalize())
PURPOSES = [x for x in get_args(Purpose) if x != "treatment"] + ["treatment"]


@st.composite
def given_ones(draw: st.DrawFn, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {"id": draw(st.sampled_from((f"a{number}", f"dose {number}")))}
    facts = {
        "drug": WORDS,
        "hcpcs": st.sampled_from(("J2405", "J1885")),
        "ndc": st.sampled_from(("00409189001", "0069-2587-10")),
        "route": st.sampled_from(get_args(Route)),
        "purpose": st.sampled_from(PURPOSES),
        "site": st.sampled_from(("left forearm", "port, chest")),
        "performer": FHIR_ID,
    }
    for name, values in facts.items():
        if draw(st.booleans()):
            made[name] = draw(values)
    how = draw(st.sampled_from((None, "method", "access", "device")))
    words = {
        "method": get_args(Method),
        "access": ("picc", "port"),
        "device": ("on_body_injector", "ambulatory_pump", "implanted_pump"),
    }
    if how is not None:
        made[how] = draw(st.sampled_from(words[how]))
    if draw(st.booleans()):
        made["dose"] = draw(AMOUNTS)
        made["dose_unit"] = draw(st.sampled_from(("mg", "mL", "units")))
        if made["dose_unit"] == "mL":
            made["volume_ml"] = made["dose"]
    rate = draw(st.sampled_from((None, "rate_ml_per_hour", "minutes")))
    if rate is not None:
        made[rate] = draw(AMOUNTS if rate != "minutes" else st.integers(0, 1440))
    if draw(st.booleans()):
        made["start"] = BASE + timedelta(minutes=draw(st.integers(0, 600)))
        if draw(st.booleans()):
            made["stop"] = made["start"] + timedelta(seconds=draw(st.integers(1, 20_000)))
    return made


@st.composite
def lines_drawn(draw: st.DrawFn, number: int, diagnoses: int, place: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "number": number * 2,
        "units": draw(st.integers(0, 900)),
        "code": draw(st.sampled_from(("96374", "J2405", "0213T", "G0463"))),
        "modifiers": draw(st.lists(st.sampled_from(("59", "XS", "JW", "25")), max_size=3)),
    }
    facts = {
        "date": st.just(date(2026, 3, 2)),
        "revenue_code": st.sampled_from(("0260", "636")),
        "charge": AMOUNTS,
        "ndc": st.sampled_from(("00409189001", "0069-2587-10")),
    }
    for name, values in facts.items():
        if draw(st.booleans()):
            made[name] = draw(values)
    if place is not None and draw(st.booleans()):
        made["place_of_service"] = draw(st.sampled_from((place, "19")))
    if diagnoses:
        made["diagnosis_pointers"] = draw(st.lists(st.integers(1, diagnoses), max_size=3))
    return made


@st.composite
def fhir_holds(draw: st.DrawFn) -> Encounter:
    """Any encounter without a fact that the module's docstring says FHIR cannot hold."""
    made: dict[str, Any] = {
        "id": draw(IDS),
        "setting": draw(st.sampled_from(("facility", "professional"))),
    }
    if draw(st.booleans()):
        made["start"] = BASE
        if draw(st.booleans()):
            made["end"] = BASE + timedelta(hours=9)
    else:
        made["date"] = date(2026, 3, 2)
    if draw(st.booleans()):
        made["place_of_service"] = draw(st.sampled_from(("11", "22")))
    count = draw(st.integers(0, 3))
    if count:
        made["administrations"] = [draw(given_ones(n)) for n in range(count)]
    if draw(st.booleans()):
        icd = draw(st.lists(st.sampled_from(("I10", "R11.2", "C50.911")), unique=True))
        made["diagnoses"] = icd
        made["lines"] = [
            draw(lines_drawn(n, len(icd), made.get("place_of_service")))
            for n in range(1, draw(st.integers(1, 4)))
        ]
        if draw(st.booleans()):
            made["type_of_bill"] = draw(st.sampled_from(("131", "0851")))
    return Encounter.model_validate(made)


def read_back(encounter: Encounter) -> Encounter:
    text = json.dumps(encounter_to_bundle(encounter)).encode()
    options = ReadOptions(setting=encounter.setting if encounter.lines is None else None)
    (record,) = [x for x in read("f", io.BytesIO(text), options) if isinstance(x, Record)]
    return record.encounter


@given(fhir_holds())
def test_what_fhir_can_hold_reads_back_equal(encounter: Encounter) -> None:
    assert read_back(encounter) == encounter


@given(fhir_holds())
def test_a_bundle_of_ours_is_valid_r4(encounter: Encounter) -> None:
    Bundle.model_validate(json.loads(json.dumps(encounter_to_bundle(encounter))))


@given(fhir_holds())
def test_what_reads_back_equal_is_judged_alike(encounter: Encounter) -> None:
    assert ENGINE.check(read_back(encounter)).to_json() == ENGINE.check(encounter).to_json()


def test_a_time_without_an_offset_needs_a_zone() -> None:
    naive = chart(push("a1"))
    with pytest.raises(InputError, match="has no offset"):
        encounter_to_bundle(naive)
    zoned = chart(push("a1"), timezone="America/Chicago")
    (made,) = read_back(zoned).administrations or ()
    assert made.start is not None and made.start.isoformat() == "2026-03-02T08:00:00-06:00"


def test_no_claim_and_a_claim_that_bills_nothing_are_told_apart() -> None:
    assert read_back(chart(day=BASE, timezone="UTC")).lines is None
    assert read_back(chart(day=BASE, lines=[])).lines == ()


def test_a_dose_that_is_not_stated_is_absent_data_and_not_zero() -> None:
    bundle = encounter_to_bundle(chart(push("a1"), timezone="UTC"))
    dose = bundle["entry"][1]["resource"]["dosage"]["dose"]
    assert "value" not in dose
    assert dose["extension"][0]["valueCode"] == "unknown"


def test_decimals_are_written_without_loss() -> None:
    plan = push("a1", extra=(("dose", Decimal("0.125")), ("dose_unit", "mg")))
    (made,) = read_back(chart(plan, timezone="UTC")).administrations or ()
    assert made.dose == Decimal("0.125")
