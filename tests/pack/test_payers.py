"""Payers' overlays: what each page changes on a small encounter, and how one stands on another."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine, Pack, PackError
from ivpush.authoring.catalogue import payers_page
from ivpush.pack.folder import rules_folder
from tests.shipped import PACK

DAY = "2026-03-02"


def given(drug: str, start: str, stop: str | None = None, **more: Any) -> dict[str, Any]:
    times = {"start": f"{DAY}T{start}"} | ({"stop": f"{DAY}T{stop}"} if stop else {})
    return {
        "id": f"{drug}{start}",
        "drug": drug,
        "route": "IV",
        "method": "infusion" if stop else "push",
        **times,
        **more,
    }


def check(
    payer: str | None, *chart: dict[str, Any], lines: list[Any] | None = None, **more: Any
) -> Any:
    record = {
        "id": "E",
        "setting": "facility",
        "date": DAY,
        "payer": payer,
        **more,
        "administrations": list(chart),
        "lines": lines,
    }
    return Engine(pack=PACK).check(Encounter.model_validate(record))


def suggested(result: Any) -> list[tuple[str, int]]:
    return [(one.code, one.units) for one in result.suggested]


def broken(result: Any, line: int) -> set[str]:
    """The rules that find something on a line, those folded into another finding too."""
    return {
        rule
        for violation in result.violations
        if violation.line == line
        for rule in (violation.rule, *violation.folds)
    }


def line(number: int, code: str, units: int = 1, **more: Any) -> dict[str, Any]:
    return {"number": number, "code": code, "units": units, **more}


PAYERS = {
    "anthem_blue_cross_ca",
    "bcbsnc",
    "cgs_j15",
    "cigna",
    "first_coast_jn",
    "health_net_ca",
    "medi_cal_hpsj",
    "medicare",
    "ngs_j6_jk",
    "noridian_je",
    "noridian_jf",
    "novitas_jh_jl",
    "palmetto_jj_jm",
    "premera",
    "regence",
    "select_health",
    "texas_medicaid",
    "tricare",
    "unitedhealthcare",
    "wps_j5_j8",
}


def test_every_page_has_its_title_sources_and_date() -> None:
    assert set(PACK.payers) == PAYERS
    for payer in PACK.payers.values():
        assert payer.title and payer.cites
        assert all(PACK.sources[cite] for cite in payer.cites)
        text = (rules_folder() / "payers" / f"{payer.id}.yaml").read_text("utf-8")
        assert "checked: 2026-11-2" in text


def test_a_payer_without_rules_of_its_own_says_what_the_pack_says() -> None:
    chart = [
        given("vancomycin", "09:00", "10:10"),
        given("ondansetron", "09:20"),
        given("normal saline", "11:00", "12:00"),
    ]
    plain = suggested(check(None, *chart))
    for payer in PAYERS - {"select_health", "palmetto_jj_jm"}:
        assert suggested(check(payer, *chart)) == plain, payer


def test_palmetto_adds_no_unit_inside_the_first_hour() -> None:
    chart = [given("vancomycin", "09:00", "09:20"), given("levofloxacin", "09:20", "09:40")]
    assert suggested(check("medicare", *chart)) == [("96365", 1), ("96367", 1)]
    assert suggested(check("palmetto_jj_jm", *chart)) == [("96365", 1)]


def test_palmetto_calculates_a_stop_and_takes_no_drip_for_a_push() -> None:
    drip = given("ondansetron", "09:00", method="infusion")
    assert suggested(check("medicare", drip)) == [("96374", 1)]
    assert suggested(check("palmetto_jj_jm", drip)) == []
    rated = {**drip, "volume_ml": 100, "rate_ml_per_hour": 100}
    assert suggested(check("palmetto_jj_jm", rated)) == [("96365", 1)]


def test_noridian_stands_on_medicare() -> None:
    for payer in ("noridian_je", "noridian_jf", "palmetto_jj_jm"):
        overlay = PACK.payers[payer]
        assert overlay.base == "medicare"
        assert overlay.policies["complex_biologic_mode"] == "documented_factors"


def test_select_health_counts_hydration_earlier_and_shorter_as_a_push() -> None:
    assert suggested(check(None, given("normal saline", "09:00", "09:20"))) == []
    office: dict[str, Any] = {"setting": "professional", "place_of_service": "11"}
    longer, shorter = (given("normal saline", "09:00", stop) for stop in ("09:20", "09:15"))
    assert suggested(check("select_health", longer, **office)) == [("96360", 1)]
    assert suggested(check("select_health", shorter, **office)) == [("96374", 1)]


def test_a_page_about_one_kind_of_claim_says_nothing_of_the_other() -> None:
    fluid = given("normal saline", "09:00", "09:20")
    assert suggested(check("select_health", fluid)) == []
    chart = [given("ceftriaxone", "09:00", "09:20"), given("azithromycin", "09:20", "09:40")]
    office: dict[str, Any] = {
        "setting": "professional",
        "place_of_service": "11",
        "primary_administration": None,
    }
    assert len(suggested(check("palmetto_jj_jm", *chart))) == 1
    assert len(suggested(check("palmetto_jj_jm", *chart, **office))) == 2


def test_a_page_says_nothing_of_dates_before_it() -> None:
    fluid = {**given("normal saline", "09:00"), "method": "infusion", "start": None, "minutes": 20}
    office: dict[str, Any] = {"setting": "professional", "place_of_service": "11"}
    for day, codes in (("2025-06-11", []), ("2025-06-12", [("96360", 1)])):
        assert suggested(check("select_health", fluid, **office, date=day)) == codes


def test_what_a_page_does_not_speak_of_is_left_to_its_base() -> None:
    palmetto = PACK.payers["palmetto_jj_jm"].speaking(date(2026, 3, 2), "professional")
    assert palmetto.policies == PACK.payers["medicare"].policies
    early = PACK.payers["palmetto_jj_jm"].speaking(date(2015, 9, 30), "facility")
    assert early.policies == PACK.payers["medicare"].policies
    silent = PACK.payers["select_health"].speaking(date(2026, 3, 2), "facility")
    assert (silent.policies, silent.rules) == ({}, ())


@pytest.mark.parametrize(
    "payer", ["novitas_jh_jl", "first_coast_jn", "ngs_j6_jk", "wps_j5_j8", "cgs_j15"]
)
def test_contractors_without_a_page_of_their_own_say_what_medicare_says(payer: str) -> None:
    assert PACK.payers[payer].policies == PACK.payers["medicare"].policies
    assert PACK.payers[payer].severity == PACK.payers["medicare"].severity


def test_tricare_pays_hospitals_as_medicare_does() -> None:
    hospital = PACK.payers["tricare"].speaking(date(2026, 3, 2), "facility")
    medicare = PACK.payers["medicare"]
    assert hospital.severity == medicare.severity
    differing = {
        name for name, value in hospital.policies.items() if medicare.policies.get(name) != value
    }
    assert differing == {"discards_without_chart"}


def test_regence_denies_the_codes_of_its_list_and_no_others() -> None:
    hospital = {"setting": "professional", "place_of_service": "22"}
    lines = [line(1, "96374"), line(2, "96450"), line(3, "36591")]
    result = check("regence", lines=lines, **hospital)
    assert "IVP404" in broken(result, 1)
    assert "IVP404" not in broken(result, 2) | broken(result, 3)


def test_texas_pays_one_injection_a_day() -> None:
    shots = [given("ketorolac", "10:00", route="IM"), given("ceftriaxone", "10:05", route="IM")]
    result = check("texas_medicaid", *shots, lines=[line(1, "96372", 2)])
    assert "IVP612" in broken(result, 1)


def test_regence_counts_a_nursing_facility_as_a_facility() -> None:
    chart = given("ondansetron", "09:00")
    office: dict[str, Any] = {"setting": "professional", "place_of_service": "32"}
    assert suggested(check(None, chart, **office)) == [("96374", 1)]
    assert suggested(check("regence", chart, **office)) == []


def test_cigna_pays_no_saline_that_flushes_or_dilutes() -> None:
    chart = [
        given("ceftriaxone", "10:00", "10:30"),
        given("normal saline", "10:00", "10:30", purpose="drug_carrier"),
    ]
    lines = [line(1, "96365"), line(2, "J7050")]
    result = check("cigna", *chart, lines=lines)
    assert "CIG001" in broken(result, 2)
    assert [one.code for one in result.corrected] == ["96365"]
    assert "CIG001" not in broken(check(None, *chart, lines=lines), 2)
    hydrated = check(
        "cigna", given("NS", "10:00", "11:00"), lines=[line(1, "96360"), line(2, "J7050")]
    )
    assert "CIG001" not in broken(hydrated, 2)


def test_premera_asks_the_product_of_a_drug_line() -> None:
    chart = given("ondansetron", "10:00")
    bare, named = line(2, "J2405", 4), line(2, "J2405", 4, ndc="00143989005")
    for setting in ("facility", "professional"):
        assert "PRE001" in broken(check("premera", chart, lines=[bare], setting=setting), 2)
        assert "PRE001" not in broken(check("premera", chart, lines=[named], setting=setting), 2)
    assert "PRE001" not in broken(check(None, chart, lines=[bare]), 2)


def test_blue_cross_nc_bundles_a_line_draw_whatever_the_modifier() -> None:
    lines = [line(1, "99213", modifiers=["25"]), line(2, "36591", modifiers=["59"])]
    assert "BCN001" in broken(check("bcbsnc", lines=lines, setting="professional"), 2)
    assert "BCN001" not in broken(check(None, lines=lines, setting="professional"), 2)


def test_san_joaquin_limits_units_and_asks_direct_supervision() -> None:
    lines = [line(1, "96365"), line(2, "96367", 4), line(3, "96368")]
    chart = given("vancomycin", "09:00", "10:00")
    result = check("medi_cal_hpsj", chart, lines=lines, supervision={"level": "general"})
    assert "HPS001" in broken(result, 1)
    assert "IVP612" in broken(result, 2) and "IVP612" in broken(result, 3)
    fewer = check(
        "medi_cal_hpsj",
        chart,
        lines=[lines[0], line(2, "96367", 3)],
        supervision={"level": "direct"},
    )
    assert "HPS001" not in broken(fewer, 1) and "IVP612" not in broken(fewer, 2)


def test_texas_wants_drugs_under_pharmacy_or_iv_therapy() -> None:
    chart = given("ondansetron", "10:00")
    for revenue, wrong in (("0450", True), ("0636", False), ("0258", False), ("0260", False)):
        result = check("texas_medicaid", chart, lines=[line(1, "J2405", 4, revenue_code=revenue)])
        assert ("TXM001" in broken(result, 1)) is wrong


def test_health_net_and_the_pack_deny_a_nurse_visit() -> None:
    lines = [line(1, "96372"), line(2, "99211", modifiers=["25"])]
    assert "IVP604" in broken(check("health_net_ca", lines=lines, setting="professional"), 2)
    assert PACK.payers["health_net_ca"].policies == {"em_99211": "deny"}


def test_united_pays_no_supplies_beside_a_push() -> None:
    lines = [line(1, "96374"), line(2, "A4223")]
    assert "IVP615" in broken(check("unitedhealthcare", lines=lines), 2)


def test_a_rule_of_a_payer_holds_within_its_dates_on_any_day_of_one_book() -> None:
    """A payer's dates are boundaries of books too: what was opened first must not speak for both."""
    for days in (
        (date(2017, 10, 20), date(2017, 10, 21)),
        (date(2017, 10, 21), date(2017, 10, 20)),
    ):
        pack = Pack.load()
        held = {day: "CIG001" in {one.id for one in pack.book(day, "cigna").rules} for day in days}
        assert held == {date(2017, 10, 20): False, date(2017, 10, 21): True}


# --- an overlay on another


def page(folder: Path, name: str, text: str) -> Path:
    (folder / "payers").mkdir(parents=True, exist_ok=True)
    (folder / "payers" / f"{name}.yaml").write_text(f"id: {name}\ntitle: {name}\n{text}", "utf-8")
    return folder


def test_an_overlay_takes_from_its_base_what_it_does_not_say(tmp_path: Path) -> None:
    page(tmp_path, "upper", "base: middle\npolicies: {long_push: warn}\noff: {PRE001: not here}\n")
    page(
        tmp_path,
        "middle",
        "base: premera\npolicies: {long_push: infusion, em_99211: allow_with_25}\n"
        "severity: {IVP104: warning, PRE001: info}\n",
    )
    page(tmp_path, "other", "base: middle\n")
    pack = Pack.load(extra=[tmp_path])
    upper, other = pack.payers["upper"], pack.payers["other"]
    assert upper.policies == {"long_push": "warn", "em_99211": "allow_with_25"}
    assert upper.severity == {"IVP104": "warning", "PRE001": "info"}
    ids = {one.id: one for one in pack.book(date(2026, 3, 2), "other").rules}
    assert ids["PRE001"].severity == "info" and ids["IVP104"].severity == "warning"
    assert [one.id for one in other.inherited] == ["PRE001"] and other.rules == ()
    assert "PRE001" not in {one.id for one in pack.book(date(2026, 3, 2), "upper").rules}
    assert "all that `middle` says" in payers_page(pack)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base: medicar\n", "did you mean 'medicare'"),
        ("base: house\n", "break the circle"),
        ("basis: medicare\n", "did you mean 'base'"),
        ("cites: [regence-108]\n", "'regence-109'"),
    ],
)
def test_a_faulty_base_or_source_is_explained(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PackError) as caught:
        Pack.load(extra=[page(tmp_path, "house", text)])
    assert said in str(caught.value) and "payers/house.yaml:" in str(caught.value)


def test_a_circle_of_two_is_found(tmp_path: Path) -> None:
    page(page(tmp_path, "a", "base: b\n"), "b", "base: a\n")
    with pytest.raises(PackError) as caught:
        Pack.load(extra=[tmp_path])
    assert "break the circle" in str(caught.value)


def test_the_pages_order_does_not_matter(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(rules_folder(), tmp_path / "rules"))
    (rules / "payers/medicare.yaml").rename(rules / "payers/zzz.yaml")
    again = Pack.load(rules)
    assert again.payers["noridian_je"].policies == PACK.payers["noridian_je"].policies


def test_no_overlay_takes_the_place_of_another_in_silence(tmp_path: Path) -> None:
    page = tmp_path / "payers" / "z.yaml"
    page.parent.mkdir()
    page.write_text("id: bcbsnc\ntitle: Ours\ncites: [aapc-faq]\n", "utf-8")
    with pytest.raises(PackError, match=r"z\.yaml:1:5: 'bcbsnc' is taken by .*bcbsnc\.yaml"):
        Pack.load(extra=[tmp_path])
    page.write_text("id: ours\nbase: bcbsnc\ntitle: Ours\ncites: [aapc-faq]\n", "utf-8")
    assert Pack.load(extra=[tmp_path]).payers["ours"].base == "bcbsnc"
