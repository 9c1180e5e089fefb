"""The report says what its results say: the same counts, every encounter, nothing of a patient."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ivpush import Result
from ivpush.claim.statistics import Statistics
from ivpush.contract.encounter import encounter_of
from ivpush.report import Report
from ivpush.testing.samples import encounters as samples
from tests.report.reports import BILLED, VISITS, attacked, report_of, small
from tests.shipped import ENGINE
from tests.timeline.test_forms import Outline
from tests.timeline.visits import given, visit


def data_of(page: str, name: str) -> Any:
    """What a page holds packed under a name."""
    match = re.search(f'<script type="application/octet-stream" id="{name}">(.*?)</script>', page)
    assert match is not None
    return json.loads(zlib.decompress(base64.b64decode(match[1])))


def details_in(page: str) -> list[str]:
    numbers = re.findall(r'id="chunk-(\d+)"', page)
    return [text for number in numbers for text in data_of(page, f"chunk-{number}")]


def test_totals_are_those_of_the_statistics_of_a_run() -> None:
    records = [*VISITS, *samples(42, 60, engine=ENGINE)]
    statistics = Statistics()
    for record in records:
        encounter = encounter_of(record)
        work = ENGINE.work(encounter)
        statistics.add(encounter, work.result, work.book.outdated)
    totals = report_of(records).totals
    assert totals.statistics == statistics
    assert dict(statistics.findings.items()) == {
        " ".join(key): count for key, count in totals.rules.items()
    }
    for groups in (totals.payers, totals.settings, totals.weeks):
        assert sum(group.encounters for group in groups.values()) == len(records)
        errors = sum(group.severities["error"] for group in groups.values())
        assert errors == statistics.severities["error"]
        missed = sum((g.amounts.get("missed", Decimal(0)) for g in groups.values()), Decimal(0))
        assert missed == statistics.amounts.get("missed", Decimal(0))
    assert totals.whos.total() == sum(len(ENGINE.check(record).questions) for record in records)


def test_every_encounter_has_a_row_and_its_details() -> None:
    page = small()
    rows = data_of(page, "rows")
    assert rows["columns"]["id"] == [record["id"] for record in VISITS]
    details = details_in(page)
    assert len(details) == len(VISITS)
    for record, html, row in zip(VISITS, details, range(len(VISITS)), strict=True):
        result = ENGINE.check(record)
        assert rows["columns"]["errors"][row] == len(result.errors)
        assert all(each.rule in html for each in result.violations)
        assert all(line.code in html for line in result.suggested)
        assert ("<svg" in html) == (record.get("administrations") is not None)
        assert all(f"Ask {question.who}" in html for question in result.questions)


def test_more_encounters_than_one_pack_holds_keep_their_order() -> None:
    records = [{**VISITS[3], "id": f"v{number}"} for number in range(85)]
    page = "".join(report_of(records).pages())
    assert data_of(page, "rows")["columns"]["id"] == [f"v{number}" for number in range(85)]
    assert [len(data_of(page, f"chunk-{n}")) for n in range(3)] == [40, 40, 5]
    assert f"CHUNK = {40};" in page


def test_a_report_of_results_that_were_kept_is_the_same_file() -> None:
    def page(again: bool) -> str:
        report = Report()
        for record in VISITS:
            result = ENGINE.check(record, visit=True)
            report.add(Result.from_json(result.to_json()) if again else result)
        return "".join(report.pages())

    assert page(again=False) == page(again=True)


def test_results_without_their_visit_say_what_is_lacking() -> None:
    report = Report()
    report.add(ENGINE.check(BILLED))
    page = "".join(report.pages())
    assert "1 result came without the visit" in page
    assert "setting not kept" in page and "no drawing" in details_in(page)[0]


def test_money_is_counted_where_charges_are_known() -> None:
    totals = report_of([BILLED]).totals
    assert (
        totals.statistics.amounts["unsupported"]
        == Decimal(0) + totals.payers["medicare"].amounts["unsupported"]
    )
    assert "unsupported $" in "".join(report_of([BILLED]).pages())
    bare = {**BILLED, "lines": [{"number": 1, "code": "96365", "units": 2}]}
    assert '<th class="n" scope="col">unsupported $' not in "".join(report_of([bare]).pages())


def test_the_stamp_names_packs_tables_and_what_was_not_checked() -> None:
    report = report_of(VISITS)
    report.totals.set_aside["lines[].code: is no code"] = 3
    report.totals.silent = ("IVP703",)
    page = "".join(report.pages())
    stamp = ENGINE.check(BILLED).pack
    assert stamp.layers[0].hash[:12] in page and str(stamp.layers[0].version) in page
    for kind, release in ENGINE.work(BILLED).book.in_force.items():
        assert release.isoformat() in page, kind
    assert "3 records set aside: lines[].code: is no code" in page
    assert "Rules that were not to speak: IVP703." in page
    assert "1 encounter came without a chart." in page
    ((rule, count),) = report.totals.unjudged.most_common(1)
    assert re.search(f"{rule}</th>.*?>{count}</td></tr>", page)


def test_a_result_that_says_what_was_checked_is_shown_whole() -> None:
    report = Report()
    result = ENGINE.check(BILLED, coverage=True, visit=True)
    report.add(result)
    assert result.checked is not None
    page = "".join(report.pages())
    assert "What was checked" in details_in(page)[0]
    assert all(table.release.isoformat() in page for table in result.checked.tables)


def test_the_policy_of_the_page_lets_its_own_script_and_style_run_and_nothing_else() -> None:
    page = small()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for name in ("script", "style"):
        text = re.search(f"<{name}>(.*?)</{name}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1] and "unsafe" not in policy[1]


def test_no_payload_becomes_more_than_text() -> None:
    clean, page = Outline(small()), attacked()
    for part in (page, *details_in(page)):
        outline = Outline(part)
        assert not [name for name in outline.attributes if name.startswith("on")]
        assert "href" not in outline.attributes and "src" not in outline.attributes
        assert outline.elements["img"] == outline.elements["iframe"] == 0
        assert "style" not in outline.attributes
    # The two that hold data, one a pack, and the script.
    assert Outline(page).elements["script"] == clean.elements["script"] + 1


def test_the_charts_words_stand_in_it_only_when_asked() -> None:
    canary = "Jane-Doe-078-05-1120"
    record = visit(
        given("a1", canary, "infusion", "09:00", "10:00", site=canary),
        given("a2", "morphine", "push", "09:30", site="b", separate_site_reason=canary),
        given("a3", "ketorolac", "push", "09:40", site=None),
    )
    work = ENGINE.work(record)
    for show_text in (False, True):
        report = Report(show_text=show_text)
        report.add(replace(work.result, visit=work.visit(show_text=show_text)))
        page = "".join(report.pages())
        assert (canary in page + "".join(details_in(page))) is show_text


def test_an_empty_report_is_a_page_too() -> None:
    page = "".join(Report().pages())
    assert "0 encounters" in page and data_of(page, "rows") == {"words": [], "columns": {}}
