"""How long a report takes to open in Chromium: ``python -m benchmarks.report_opening``.

Encounters of ``ivpush.testing`` with made-up charges are checked into a report, and the page is
opened three times, searched, sorted, and one row of it opened.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from ivpush import Encounter, Engine
from ivpush.report import Report
from ivpush.testing.samples import encounters
from tests.web.browsing import started, why_no_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DIFFERENT = 2_000
"""Encounters that are made up; of more the same come again under other ids."""
TURNS = 3


def report_of(count: int) -> Report:
    """A report of so many encounters."""
    engine, charges = Engine(), random.Random(5)
    report = Report({rule.id: rule.name for rule in engine.pack.every_rule})
    drawn = list(encounters(77, min(count, DIFFERENT), engine=engine))
    for number in range(count):
        record = dict(drawn[number % len(drawn)])
        lines = record.get("lines") or ()
        priced = [
            {**line, "charge": Decimal(charges.randint(4_000, 40_000)) / 100} for line in lines
        ]
        named = {**record, "id": f"V{number:06d}", "lines": priced or record.get("lines")}
        report.add(engine.check(Encounter.model_validate(named), visit=True))
    return report


def opened(browser: Browser, file: Path, count: int) -> tuple[float, ...]:
    """Seconds until the page is ready, until a search, a sort and an opened row are shown."""
    page = browser.new_context().new_page()
    times = [perf_counter()]
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    times.append(perf_counter())
    page.fill("#text", f"V{count - 1:06d}")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('1 ')")
    times.append(perf_counter())
    page.fill("#text", "")
    page.click("th[data-column=errors] button")
    times.append(perf_counter())
    page.click("button.row >> nth=0")
    page.wait_for_selector("article svg")
    times.append(perf_counter())
    return tuple(after - before for before, after in pairwise(times))


def main() -> None:
    """Make the report, open it, print seconds."""
    parser = argparse.ArgumentParser(prog="benchmarks.report_opening")
    parser.add_argument("--encounters", type=int, default=20_000, metavar="N")
    count = parser.parse_args().encounters
    if lacking := why_no_browser():
        raise SystemExit(lacking)
    with tempfile.TemporaryDirectory() as folder:
        file, start = Path(folder) / "report.html", process_time()
        file.write_text("".join(report_of(count).pages()), "utf-8")
        size = file.stat().st_size / 1e6
        print(f"{count:,} encounters, {size:.1f} MB, made in {process_time() - start:.0f} s")
        with started() as browser:
            for _ in range(TURNS):
                ready, search, sort, row = opened(browser, file, count)
                print(f"open {ready:.2f} s, search {search:.2f}, sort {sort:.2f}, row {row:.2f}")


if __name__ == "__main__":
    main()
