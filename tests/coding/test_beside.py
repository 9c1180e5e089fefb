"""What the claim holds beside the chart decides whose a dose is, and what sets its line apart."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ivpush import Result
from tests.shipped import PACK
from tests.visits import (
    DAY,
    NEXT_DAY,
    answers,
    asked,
    billed,
    check,
    dose,
    drip,
    fluid,
    line,
    push,
    work,
)

SCAN, REPAIR, SCOPE, HEART_CT, EYE, INTUBATION = (
    "74177",
    "12002",
    "45378",
    "75574",
    "67028",
    "31500",
)


def beside(*codes: str, **facts: Any) -> dict[str, Any]:
    lines = [line(number, code) for number, code in enumerate(codes, 1)]
    return {"lines": lines, **facts}


def given(drug: str, start: str = "10:00", **facts: Any) -> dict[str, Any]:
    """A push of a drug of the table, its class not stated."""
    return push("a", start, **{"drug": drug, "category": None, **facts})


def marked(result: Result) -> list[tuple[str, bool]]:
    return [(each.code, bool(each.modifiers)) for each in result.suggested]


def left_out(result: Result) -> list[str]:
    return [each.because for each in result.not_billable]


@pytest.mark.parametrize("code", [SCAN, REPAIR, SCOPE, INTUBATION])
def test_treatment_beside_a_paired_procedure_stands_with_its_modifier(code: str) -> None:
    result = check(given("morphine", purpose="treatment"), **beside(code))
    assert marked(result) == [("96374", True)] and code in result.suggested[0].because
    assert not result.questions


def test_a_drug_given_for_a_procedure_earns_nothing_and_the_reason_names_the_code() -> None:
    result = check(given("fentanyl", purpose="procedure"), **beside(SCOPE))
    assert not billed(result) and SCOPE in left_out(result)[0]


def test_a_claim_without_other_services_changes_no_line() -> None:
    assert marked(check(given("morphine"))) == [("96374", False)]
    assert marked(check(given("morphine"), **beside("99284"))) == [("96374", False)]


def test_a_line_of_another_date_stands_beside_nothing() -> None:
    result = check(given("morphine"), lines=[line(1, SCAN, date="2026-03-03")])
    assert marked(result) == [("96374", False)]


def test_a_drug_for_pain_or_nausea_beside_a_scan_is_never_asked_about() -> None:
    for drug in ("morphine", "ondansetron", "ceftriaxone"):
        result = check(given(drug), **beside(SCAN))
        assert marked(result) == [("96374", True)] and not result.questions


@pytest.mark.parametrize(
    ("drug", "code"),
    [
        ("metoprolol", HEART_CT),
        ("ketamine", "23650"),
        ("amiodarone", "93620"),
        ("ondansetron", SCOPE),
        ("morphine", REPAIR),
    ],
)
def test_what_may_be_for_the_procedure_is_asked_with_its_name(drug: str, code: str) -> None:
    result = check(given(drug), **beside(code))
    (question,) = result.questions
    assert question.missing == "administrations[0].purpose" and code in question.ask
    # A modifier may stand behind the code.
    bills = {
        value: [code[:5] for code, _ in rows]
        for value, rows in answers(result, question.missing).items()
    }
    assert bills == {"treatment": ["96374"], "procedure": []}


def test_a_stated_purpose_closes_the_question() -> None:
    for purpose in ("treatment", "procedure"):
        result = check(given("ondansetron", purpose=purpose), **beside(SCOPE))
        assert "administrations[0].purpose" not in asked(result)


def test_fluid_before_an_operation_is_asked_as_hydration() -> None:
    result = check(fluid("a", "7:00".zfill(5), "08:30"), **beside("47562"))
    (question,) = result.questions
    assert list(answers(result, question.missing)) == ["hydration", "procedure"]


def test_sedation_of_a_scope_belongs_to_it_though_nobody_said_so() -> None:
    result = check(given("midazolam"), **beside(SCOPE))
    assert not billed(result) and SCOPE in left_out(result)[0]
    assert marked(check(given("midazolam", purpose="treatment"), **beside(SCOPE)))


def test_a_dose_that_belongs_to_a_procedure_leads_nothing() -> None:
    sedation, pain = given("midazolam", "10:00"), push("b", "08:00", purpose="treatment")
    assert marked(check(sedation, pain, **beside(SCOPE))) == [("96374", True)]


def test_a_drip_of_a_sedative_after_an_intubation_is_asked_about_and_its_push_is_part() -> None:
    drip_ = drip("a", "10:10", "12:30", drug="propofol", category=None)
    assert asked(check(drip_, **beside(INTUBATION))) == ["administrations[0].purpose"]
    assert not billed(check(given("etomidate"), **beside(INTUBATION)))


def test_a_pair_of_indicator_0_is_never_billed_whatever_the_purpose() -> None:
    chemo = drip("a", "09:00", "09:40", category="chemotherapy", purpose="treatment")
    result = check(chemo, **beside("79101"))
    assert not billed(result) and "79101" in left_out(result)[0]


def test_a_code_that_owns_the_injection_pays_for_it() -> None:
    toxin = {"drug": "Botox", "category": None, "route": "IM", "method": "injection"}
    result = check(push("a", "10:00", **toxin), **beside("64612"))
    assert not billed(result) and "64612" in left_out(result)[0]
    vitamin = {"drug": "cyanocobalamin", "category": None, "route": "IM", "method": "injection"}
    assert marked(check(push("a", "10:00", **vitamin), **beside("64612"))) == [("96372", True)]


def test_any_drug_into_the_eye_is_paid_within_the_code_of_that_injection() -> None:
    eye = push("a", "10:00", drug="ranibizumab", category=None, route="IVT", method="injection")
    assert EYE in left_out(check(eye, **beside(EYE)))[0]
    assert EYE not in left_out(check(eye))[0]


def test_a_product_has_its_own_code_but_for_payers_that_take_the_general_one() -> None:
    product = drip("a", "09:00", "10:05", drug="pemivibart", category="therapeutic")
    assert "M0224" in left_out(check(product))[0]
    general = check(product, policies={"product_administration": "general_code"})
    assert billed(general) == [("96365", 1)]


def test_an_antibody_takes_the_billed_one_of_its_codes_else_the_one_without_counselling() -> None:
    antibody = push("a", "10:00", drug="nirsevimab", route="IM", method="injection", category=None)
    assert billed(check(antibody)) == [("96381", 1)]
    assert billed(check(antibody, **beside("96380"))) == [("96380", 1)]


def test_premedication_belongs_to_what_follows_it_next() -> None:
    dose = push("a", "08:00", purpose="premedication")
    antibody = drip("b", "08:30", "10:00")
    blood = drip("c", "11:00", "12:00", category="blood")
    refused = {"transfusion_premed": "not_billable"}
    assert ("96375", 1) in billed(check(dose, antibody, blood, policies=refused))
    assert billed(check(dose, blood, policies=refused)) == []
    # What nobody calls premedication is a treatment, even as the blood begins.
    treatment = push("d", "11:00")
    assert ("96375", 2) in billed(check(dose, antibody, treatment, blood, policies=refused))
    diuretic = given("furosemide", "08:00", purpose="premedication")
    assert billed(check(diuretic, blood, policies=refused)) == [("96374", 1)]


@pytest.mark.parametrize("modifier", ["59", "XE", "XS", "XP", "XU"])
def test_a_modifier_that_lifts_a_standing_pair_is_never_needless(modifier: str) -> None:
    lines = [line(1, SCAN), line(2, "96374", modifiers=[modifier])]
    result = check(given("morphine"), lines=lines)
    assert not [each for each in result.violations if each.line == 2]
    assert [each.modifiers for each in result.corrected or ()] == [(), (modifier,)]


def test_premedication_serves_nothing_of_another_encounter() -> None:
    dose, later = push("a", "08:00", purpose="premedication"), push("b", "2026-03-09T10:00")
    repaired = line(1, "12001", date=DAY)
    assert billed(check(dose, later, lines=[repaired])) == [("96374", 1)]
    assert len(billed(check(dose, push("b", "10:00"), lines=[repaired]))) == 2


def test_every_source_of_the_tables_is_a_source_of_the_pack() -> None:
    for kind in ("owners", "procedures", "uses", "beside"):
        (release,) = PACK.releases[kind]
        assert release.rows
    owners = PACK.data.releases.owners[0].table
    assert {owner.source for owner in owners} <= PACK.sources.keys()


def test_every_use_that_the_tables_speak_of_is_the_use_of_some_drug() -> None:
    uses = frozenset().union(*PACK.data.releases.uses[0].table.values())
    by_class = {
        "premedication",
        "contrast",
        "fluid",
        "anesthetic",
        "antineoplastic",
        "other",
        "unknown",
        "",
    }
    assert {use for _, use, _ in PACK.data.releases.beside[0].table} <= uses | by_class
    groups = {group for _, group in PACK.data.releases.procedures[0].table}
    assert {group for group, _, _ in PACK.data.releases.beside[0].table} == groups


def test_premedication_with_nothing_after_it_belongs_to_the_operation() -> None:
    dose = given("cefazolin", "07:30", purpose="premedication")
    assert not billed(check(dose, **beside("47562")))
    assert marked(check(dose, **beside(SCAN))) == [("96374", True)]
    followed = check(dose, drip("b", "09:00", "10:00", purpose="treatment"), **beside("47562"))
    assert len(billed(followed)) == 2


def test_a_line_without_its_modifier_is_not_said_to_be_part_while_the_question_is_open() -> None:
    lines = [line(1, SCOPE), line(2, "96374")]
    result = check(given("ondansetron"), lines=lines)
    assert asked(result) == ["administrations[0].purpose"] and result.corrected is None
    (fault,) = [each for each in result.violations if each.severity == "error"]
    assert fault.line == 2 and SCOPE in fault.message and "given for" not in fault.message


@pytest.mark.parametrize(
    ("drug", "code"),
    [
        ("Yescarta", "38228"),
        ("Pluvicto", "79101"),
        ("Xofigo", "79101"),
        ("Zevalin", "79403"),
        ("Pemgarda", "M0224"),
        ("Pombiliti", "G0138"),
    ],
)
def test_a_brand_is_owned_as_its_drug_is(drug: str, code: str) -> None:
    dose = drip("a", "09:00", "09:40", drug=drug, category=None)
    assert code in left_out(check(dose))[0]


def test_the_code_of_cell_therapy_goes_by_the_date() -> None:
    dose = drip("a", "2024-06-03T09:00", "2024-06-03T09:40", drug="Yescarta", category=None)
    assert "0540T" in left_out(check(dose, date="2024-06-03"))[0]


def test_a_dose_for_a_procedure_that_the_claim_does_not_bill_names_none() -> None:
    for_procedure = push("a", "10:00", purpose="procedure")
    unnamed, named = [check(for_procedure, lines=[line(1, code)]) for code in ("80053", SCOPE)]
    assert left_out(unnamed) == left_out(check(for_procedure))
    assert SCOPE in left_out(named)[0]


def test_a_technique_that_cms_pairs_with_nothing_stands_beside_everything() -> None:
    """domain: chemotherapy into a reservoir of the brain."""
    reservoir = dose("a", "10:00", None, route="ICV", category="chemotherapy")
    assert billed(check(reservoir, lines=[line(1, SCOPE)])) == [("96542", 1)]


# What a premedication is for


PREMEDICATION = {"purpose": "premedication"}
BLOOD_LINE = "36430"


def serves(*chart: dict[str, Any], **facts: Any) -> tuple[bool, bool]:
    """Whether the dose with the id ``p`` is for blood, and whether for a drug after it."""
    derived = work(*chart, **facts).derived
    (premedication,) = [each for each in derived.administrations if each.given.id == "p"]
    return bool(premedication.before_blood), bool(premedication.before_drug)


def before(start: str | None = "09:00", drug: str = "house blend") -> dict[str, Any]:
    return push("p", start, drug=drug, **PREMEDICATION)


def unit(start: str | None, key: str = "u") -> dict[str, Any]:
    """A unit of blood."""
    return drip(key, start, category="blood")


FOR_BLOOD, FOR_A_DRUG, FOR_NEITHER = (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        pytest.param([before(), unit("10:00")], FOR_BLOOD, id="blood-follows"),
        pytest.param([before(), unit("09:00")], FOR_BLOOD, id="blood-at-once"),
        pytest.param([before(), unit("08:00")], FOR_NEITHER, id="blood-came-first"),
        pytest.param([before(), push("d", "10:00")], FOR_A_DRUG, id="drug-follows"),
        pytest.param([before(), push("d", "08:00")], FOR_NEITHER, id="drug-came-first"),
        pytest.param([before(), push("d", "10:00"), unit("11:00")], FOR_A_DRUG, id="drug-is-next"),
        pytest.param([before(), unit("10:00"), push("d", "11:00")], FOR_BLOOD, id="blood-is-next"),
        pytest.param([before(), push("d", "10:00"), unit("10:00")], FOR_BLOOD, id="both-at-once"),
        pytest.param([before(), unit(None)], FOR_BLOOD, id="blood-of-no-time"),
        pytest.param([before(None), unit("10:00")], FOR_BLOOD, id="premedication-of-no-time"),
        pytest.param([before(None), unit(None)], FOR_BLOOD, id="neither-timed"),
        pytest.param([before(), unit(None), push("d")], FOR_A_DRUG, id="drug-of-no-time-too"),
        pytest.param([before(), unit("10:00"), unit(None, "v")], FOR_BLOOD, id="two-units"),
        pytest.param([before("09:00", "furosemide"), unit("10:00")], FOR_A_DRUG, id="diuretic"),
    ],
)
def test_a_premedication_is_for_what_comes_next(
    chart: list[dict[str, Any]], expected: tuple[bool, bool]
) -> None:
    assert serves(*chart) == expected


@pytest.mark.parametrize(
    ("chart", "billed_line", "expected"),
    [
        pytest.param([before()], line(1, BLOOD_LINE), FOR_BLOOD, id="undated"),
        pytest.param([before()], line(1, BLOOD_LINE, date=DAY), FOR_BLOOD, id="that-day"),
        pytest.param([before()], line(1, BLOOD_LINE, date=NEXT_DAY), FOR_NEITHER, id="another"),
        pytest.param([before(None)], line(1, BLOOD_LINE, date=DAY), FOR_BLOOD, id="untimed"),
        pytest.param([before()], line(1, "80053", date=DAY), FOR_NEITHER, id="no-transfusion"),
        pytest.param(
            [before(), push("d", "10:00")], line(1, BLOOD_LINE), FOR_A_DRUG, id="a-drug-follows"
        ),
        pytest.param(
            [before(), push("d", "08:00")], line(1, BLOOD_LINE), FOR_NEITHER, id="a-drug-earlier"
        ),
        pytest.param(
            [before(), push("f", "10:00", purpose="flush")],
            line(1, BLOOD_LINE),
            FOR_BLOOD,
            id="a-flush-follows",
        ),
        pytest.param(
            [before(), push("f", "10:00", category="flush")],
            line(1, BLOOD_LINE),
            FOR_BLOOD,
            id="a-drug-that-flushes",
        ),
    ],
)
def test_a_billed_transfusion_of_the_day_is_what_a_premedication_was_for_if_nothing_else_is(
    chart: list[dict[str, Any]], billed_line: dict[str, Any], expected: tuple[bool, bool]
) -> None:
    assert serves(*chart, lines=[billed_line]) == expected


@pytest.mark.parametrize(("policy", "reason"), [("not_billable", "transfusion"), (None, None)])
def test_only_the_policy_takes_what_is_before_blood_off_the_bill(
    policy: str | None, reason: str | None
) -> None:
    policies = {"transfusion_premed": policy} if policy else None
    chart = [before(), unit("10:00"), push("q", "09:05", route=None, **PREMEDICATION)]
    derived = work(*chart, policies=policies).derived.administrations
    reasons = {each.given.id: each.reason for each in derived}
    # The first reason stays: nobody knows how the second went in.
    assert (reasons["p"], reasons["q"]) == (reason, "route_missing")


def test_administrations_visits_and_drugs_of_a_claim_stand_beside_nothing() -> None:
    codes = ("96374", "99283", "J2405", REPAIR, "XYZ99", "G0378")
    neighbours = work(push("a", "10:00"), **beside(*codes)).derived.neighbours
    assert neighbours.on(date.fromisoformat(DAY)) == (REPAIR, "XYZ99")


def test_a_dose_of_no_time_stands_beside_the_lines_of_the_visits_day() -> None:
    lines = [line(1, EYE, date=NEXT_DAY)]
    untimed = push("a", None, drug="house blend", route="IVT", method="injection")
    assert left_out(check(untimed, lines=lines)) != left_out(check(untimed, **beside(EYE)))


def test_of_the_codes_of_a_day_the_one_that_bars_is_named() -> None:
    chemo = drip("a", "09:00", "09:40", category="chemotherapy", purpose="treatment")
    result = check(chemo, **beside("80053", "79101", SCAN))
    assert not billed(result)
    (why,) = left_out(result)
    assert "79101" in why and "80053" not in why and SCAN not in why
