"""The workbench in Chromium: each thing that it does, by keyboard alone; and nothing that it must not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ivpush.batch import EngineOptions
from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.web.app import create_app
from ivpush.web.settings import Settings
from tests.readers.x12.samples import BILL, envelope
from tests.web.browsing import Visitor, file_with, needs_browser, started
from tests.web.calls import BUNDLE, EXAMPLE, ROOT, serving, serving_app
from tests.web.payloads import PAYLOADS
from tests.web.test_checking import workbook
from tests.writers.works import FREE_TEXT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as opened:
        yield opened


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    with serving(Settings()) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture
def visitor(browser: Browser, home: str) -> Iterator[Visitor]:
    visitor = Visitor(browser, home)
    visitor.open()
    yield visitor
    visitor.close()


def shown(visitor: Visitor) -> Any:
    """The encounter that is edited."""
    return json.loads(visitor.page.input_value("#all"))


def loaded(visitor: Visitor, name: str) -> None:
    """An example, chosen by its first letters."""
    visitor.choose("#examples", name)
    visitor.until("() => document.querySelector('.drawing')")


def test_codes_and_drawing_follow_as_one_types(visitor: Visitor) -> None:
    visitor.write("Date", "2026-03-02")
    visitor.tab_to("#add-dose")
    visitor.press("Enter")
    # The new row has the focus already.
    visitor.type("ondansetron")
    visitor.write("Start", "10:00")
    visitor.until_codes("96374 × 1")
    visitor.until(
        "() => document.querySelector('.wide-drawing svg title')?.textContent.includes('1 admin')"
    )
    visitor.tab_to("#add-dose")
    visitor.press("Enter")
    visitor.type("ketorolac")
    visitor.write("Start", "1105", 1)
    visitor.until_codes("96374 × 1", "96375 × 1")
    assert shown(visitor)["administrations"][1]["start"] == "2026-03-02T11:05"
    visitor.tab_to("#add-line")
    visitor.press("Enter")
    visitor.type("96375")
    visitor.until("() => document.querySelector('.findings .error')")
    visitor.tab_to("#claim .remove")
    visitor.press("Enter")
    assert visitor.page.evaluate("document.activeElement.id") == "add-line"
    assert "lines" not in shown(visitor)


def test_setting_payer_date_and_switches_change_the_answer(visitor: Visitor) -> None:
    loaded(visitor, "same")
    visitor.until_codes("96374 × 1", "96376 × 1")
    visitor.tab_to_label("Setting")
    visitor.press("ArrowDown")
    visitor.until_codes("96374 × 1")
    visitor.press("ArrowUp")
    visitor.until_codes("96374 × 1", "96376 × 1")
    visitor.tab_to_label("Payer")
    visitor.type("TRICARE")
    visitor.until("() => document.querySelector('#pack').textContent.includes('payer tricare')")
    visitor.tab_to("#switches-box summary")
    visitor.press("Enter")
    visitor.choose("#switches select", "same_drug_push_gap")
    visitor.write("Value", "90")
    visitor.press("Enter")
    visitor.until_codes("96374 × 1")
    assert "same_drug_push_gap_minutes = 90" in visitor.text_of("#switches")
    visitor.tab_to("#switches .plain button", back=True)
    visitor.press("Enter")
    visitor.until_codes("96374 × 1", "96376 × 1")
    visitor.write("Date", "2008-03-02")
    visitor.until("() => document.querySelector('#pack').textContent.includes('2008-03-02')")


def test_an_answer_changes_the_claim(visitor: Visitor) -> None:
    loaded(visitor, "missing")
    visitor.until("() => document.querySelector('.question')")
    before = visitor.codes()
    visitor.tab_to(".question input")
    visitor.type("95")
    visitor.press("Enter")
    visitor.until("() => !document.querySelector('.question')")
    assert visitor.codes() != before
    assert shown(visitor)["administrations"][0]["minutes"] == 95
    assert visitor.page.evaluate("document.activeElement.id") == "answer"


def test_the_corrected_claim_can_be_taken(visitor: Visitor) -> None:
    loaded(visitor, "emer")
    visitor.until("() => document.querySelector('.findings .error')")
    visitor.tab_to('[aria-label="The claim to send"] button')
    visitor.press("Enter")
    visitor.until("() => document.querySelector('#status.violations') === null")
    assert not visitor.page.locator(".findings .error").count()
    assert "It is the claim as it stands." in visitor.text_of('[aria-label="The claim to send"]')


def test_a_rule_opens_with_its_sources_and_cases(visitor: Visitor) -> None:
    loaded(visitor, "emer")
    visitor.tab_to(".findings button")
    visitor.press("Enter")
    visitor.page.wait_for_selector("#rule[open]")
    text = visitor.text_of("#rule")
    for part in ("IVP101", "Sources", "Cases", "checked 20", "breaks it"):
        assert part in text
    visitor.press("Escape")
    assert not visitor.page.locator("#rule[open]").count()
    assert visitor.page.evaluate("document.activeElement.matches('.findings button')")


def test_why_not_says_which_condition_fails(visitor: Visitor) -> None:
    loaded(visitor, "same")
    visitor.tab_to("#why-code")
    visitor.type("96375")
    visitor.press("Enter")
    visitor.page.wait_for_selector("#why .fails")
    assert "is not suggested" in visitor.text_of("#why")
    assert "the same drug was given before" in visitor.text_of("#why")


FILES = {
    "visit.json": EXAMPLE,
    "visits.ndjson": json.dumps(json.loads(EXAMPLE)).encode()
    + b"\n"
    + EXAMPLE.replace(b"\n", b" "),
    "claims.837": envelope(*BILL),
    "bundle.json": json.dumps(BUNDLE).encode(),
    "lines.xlsx": workbook(3),
    "lines.csv": b"encounter,number,code,units,date\nA,1,96374,2,2026-03-02\n",
}


def test_files_are_read_by_the_readers_of_the_server(visitor: Visitor, tmp_path: Path) -> None:
    visitor.tab_to("#load")
    for name, raw in FILES.items():
        visitor.file = file_with(tmp_path, name, raw)
        visitor.page.evaluate("document.querySelector('#notice').textContent = ''")
        visitor.press("Enter")
        visitor.until("() => document.querySelector('#notice').textContent.includes('read.')")
        visitor.until("() => document.querySelector('#pack').textContent")
        assert shown(visitor)["lines"], name
        assert visitor.page.locator("#records option").count() == (2 if "visits" in name else 1)


def test_a_table_of_another_layout_is_read_by_its_map(visitor: Visitor, tmp_path: Path) -> None:
    text = (ROOT / "tests/data/claims_csv/rif_carrier.csv").read_bytes()
    visitor.file = file_with(tmp_path, "claims.csv", text)
    visitor.choose("#maps", "cms rif c")
    visitor.tab_to("#load", back=True)
    visitor.press("Enter")
    visitor.until("() => document.querySelector('#notice').textContent.includes('read.')")
    assert shown(visitor)["lines"]
    assert visitor.page.locator("#records option").count() > 1


def test_what_cannot_be_read_is_said(visitor: Visitor, tmp_path: Path) -> None:
    for name, raw in (("scan.pdf", b"%PDF-1.7"), ("packed.gz", b"\x1f\x8b\x08")):
        visitor.file = file_with(tmp_path, name, raw)
        visitor.page.evaluate("document.querySelector('#notice').textContent = ''")
        visitor.tab_to("#load")
        visitor.press("Enter")
        visitor.until("() => document.querySelector('#notice').textContent")
    visitor.faults[:] = [each for each in visitor.faults if "status of 4" not in each]


def test_copies_and_a_link_that_no_server_sees(browser: Browser, home: str) -> None:
    visitor = Visitor(browser, home, permissions=["clipboard-read", "clipboard-write"])
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.open()
    loaded(visitor, "emer")
    copies = {}
    for button in ("copy-result", "copy-claim", "copy-link"):
        visitor.page.evaluate("document.querySelector('#notice').textContent = ''")
        visitor.tab_to(f"#{button}")
        visitor.press("Enter")
        visitor.until("() => document.querySelector('#notice').textContent.includes('copied')")
        copies[button] = visitor.page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copies["copy-result"])["encounter"] == "ed-1"
    assert json.loads(copies["copy-claim"])[0]["code"] == "96361"
    before = shown(visitor)
    other = Visitor(browser, home)
    other.page.on("request", lambda request: asked.append(request.url))
    other.open(copies["copy-link"].removeprefix(home))
    other.until("() => document.querySelector('.findings')")
    assert shown(other) == before
    # Neither a server nor the history of the browser keeps what the link held.
    assert other.page.url == f"{home}/"
    assert not [url for url in asked if "#" in url or "ondansetron" in url or "ed-1" in url]
    other.open("/#v1=broken")
    other.close()
    visitor.close()


def test_json_can_be_pasted_and_is_told_where_it_does_not_fit(visitor: Visitor) -> None:
    visitor.tab_to("#all-box summary")
    visitor.press("Enter", "Tab", "Control+a")
    visitor.page.keyboard.insert_text("{")
    visitor.until("() => document.querySelector('#all-fault').textContent")
    visitor.press("Control+a")
    visitor.page.keyboard.insert_text('{"id": "E1", "setting": "hospital"}')
    visitor.until("() => document.querySelector('#faults').textContent.includes('setting')")
    visitor.press("Control+a")
    visitor.page.keyboard.insert_text(EXAMPLE.decode())
    visitor.until("() => document.querySelector('.drawing')")
    assert visitor.page.get_by_label("Visit", exact=True).input_value() == json.loads(EXAMPLE)["id"]


@pytest.mark.parametrize(("scheme", "example"), [("light", "emer"), ("dark", "miss")])
def test_nobody_is_shut_out(browser: Browser, home: str, scheme: str, example: str) -> None:
    """What axe finds, with all that can be opened; it runs where the page's policy is lifted."""
    from axe_playwright_python.sync_playwright import Axe

    visitor = Visitor(browser, home, color_scheme=scheme, bypass_csp=True)
    visitor.open()
    loaded(visitor, example)
    visitor.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    visitor.page.fill("#why-code", "96376")
    visitor.page.press("#why-code", "Enter")
    visitor.page.wait_for_selector("#why .fails, #why .holds")
    _assert_clean(Axe().run(visitor.page))
    visitor.page.click(".findings button")
    visitor.page.wait_for_selector("#rule[open]")
    _assert_clean(Axe().run(visitor.page))
    visitor.close()


def _assert_clean(found: Any) -> None:
    assert not found.response["violations"], found.generate_report()


def test_a_narrow_window_needs_no_sideways_scroll(browser: Browser, home: str) -> None:
    visitor = Visitor(browser, home, viewport={"width": 320, "height": 640})
    visitor.open()
    for name in ("emer", "miss", "chemo"):
        loaded(visitor, name)
        visitor.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") == 320
    visitor.page.click(".findings button")
    visitor.page.wait_for_selector("#rule[open]")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 320
    assert visitor.page.evaluate(
        "(d => d.scrollWidth <= d.clientWidth)(document.querySelector('#rule'))"
    )
    visitor.close()


# Foreign text


def hostile() -> Iterator[dict[str, Any]]:
    """Visits with scripts in every field: one that is right, where text is free, then others."""
    doses = [
        {
            "id": f"{payload[:50]}{number}",
            "performer": payload[:50],
            # Else each unknown drug would be asked about, which takes long for sixty.
            "category": "therapeutic",
            "route": "IV",
            "method": "push",
            "start": f"2026-03-02T{number // 60:02}:{number % 60:02}",
            **dict.fromkeys(FREE_TEXT, payload),
        }
        for number, payload in enumerate(PAYLOADS)
    ]
    visit = {"id": PAYLOADS[0], "setting": "facility", "date": "2026-03-02", "payer": PAYLOADS[1]}
    line = {"number": 1, "code": "96374", "units": 9}
    yield {**visit, "administrations": doses, "lines": [line]}
    # Refused, all of them: what is said of them must not be markup either.
    yield dict(zip(Encounter.model_fields, PAYLOADS, strict=False))
    yield {**visit, "administrations": [_all(Administration)]}
    yield {**visit, "lines": [_all(ClaimLine)]}
    yield {**visit, "supervision": {**_all(Supervision), PAYLOADS[0]: PAYLOADS[0]}}


def _all(model: type[Administration | ClaimLine | Supervision]) -> dict[str, str]:
    return dict(zip(model.model_fields, PAYLOADS, strict=False))


def test_no_script_of_a_chart_or_claim_runs(visitor: Visitor) -> None:
    seen = []
    for record in hostile():
        visitor.page.evaluate("document.querySelector('#status').textContent = ''")
        visitor.page.evaluate(
            "async record => (await import('/static/model.js')).replace(record)", record
        )
        visitor.until("() => document.querySelector('#status').textContent")
        seen.append(visitor.text_of("#status"))
    # The first was checked and drawn, all others were refused.
    assert seen[0].startswith("Something") and set(seen[1:]) == {"This cannot be checked yet."}
    loaded(visitor, "emer")
    assert visitor.page.evaluate("window.stolen") is None


SCRIPT = "<img src=x onerror=stolen=1><script>stolen=1</script>"
HOSTILE = f"""\
id: IVP199
name: hostile
title: "{SCRIPT} is shown."
severity: error
disposition: return
in_force: {{from: 2009-01-01}}
for_each: line
codes: any
require: line.units < 3
message: "{SCRIPT}"
fix: "{SCRIPT}"
why: "{SCRIPT}"
not_covered: "{SCRIPT}"
cites: [cms-aoc]
cases:
  - name: "{SCRIPT}"
    lines: ["96374"]
    expect: []
  - name: three units
    lines: [{{code: "96374", units: 3}}]
    expect: [{{line: 1}}]
"""


def test_no_script_of_a_pack_runs(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "checks/roles/IVP199-hostile.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(HOSTILE, "utf-8")
    app = create_app(Settings(EngineOptions(packs=(str(tmp_path),))))
    with serving_app(app) as (host, port):
        visitor = Visitor(browser, f"http://{host}:{port}")
        visitor.open()
        loaded(visitor, "emer")
        visitor.page.get_by_role("button", name="IVP199 hostile").first.click()
        visitor.page.wait_for_selector("#rule[open]")
        assert visitor.text_of("#rule").count(SCRIPT) == 6
        assert SCRIPT in visitor.text_of(".findings")
        assert visitor.page.evaluate("window.stolen") is None
        visitor.close()
