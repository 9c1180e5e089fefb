"""Every figure in one run, as one table of ratios: ``python -m benchmarks`` (extra: ``bench``).

Each section is a module that can be read alone. Ratios are of things measured in turn in the same
run; where a section needs an optional package that is missing, a line says so.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import instructions
from benchmarks.measure import Row, Size, figure

SECTIONS = {
    "checking": ("benchmarks.checking", "a check against reading JSON and against validation"),
    "stages": ("benchmarks.stages", "where the time of a check goes"),
    "peers": ("benchmarks.peers", "claim-validator on the claims that it can read"),
    "engines": ("benchmarks.engines", "the same rules in zen-engine and in Rust CEL"),
    "sql": ("benchmarks.sql_speed", "the same rules in DuckDB SQL"),
    "rules": ("benchmarks.rules_growth", "10 to 1,000 rules and more"),
    "lines": ("benchmarks.lines", "1 to 450 lines in one encounter"),
    "start": ("benchmarks.start", "how soon a fresh process imports, makes an engine, checks"),
    "loading": ("benchmarks.loading", "loading the pack from its YAML"),
    "workers": ("benchmarks.workers", "two processes against one"),
    "encounters": ("benchmarks.encounters", "time and memory against the number of encounters"),
    "tables": ("benchmarks.tables", "frames in pieces: memory against their length"),
    "spark": ("benchmarks.sparked", "Spark on two cores against one plain process"),
}
HEAD = ("what", "measured", "wanted", "detail")


def measured(name: str, size: Size) -> Iterator[Row | str]:
    """The rows and remarks of one section; a missing package becomes a remark."""
    module, _ = SECTIONS[name]
    try:
        yield from importlib.import_module(module).rows(size)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in {"benchmarks", "ivpush"}:
            raise
        yield f"not measured: {error.name} is not installed"


def markdown(entries: Iterable[tuple[str, Row | str]]) -> str:
    """The table as Markdown, of rows and remarks with their sections; remarks follow it."""
    table = [f"| {' | '.join(HEAD)} |", "|---|---|---|---|"]
    remarks, last = [], ""
    for section, entry in entries:
        if section != last:
            table.append(f"| **{SECTIONS[section][1]}** | | | |")
            last = section
        if isinstance(entry, str):
            remarks.append(f"- {section}: {entry}")
            continue
        ratio = f"**{figure(entry.ratio)}**" if entry.missed else figure(entry.ratio)
        table.append(f"| {entry.what} | {ratio} | {entry.wanted} | {entry.detail} |")
    return "\n".join([*table, "", *remarks, ""])


def head() -> str:
    """What was measured where."""
    return (
        f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} at the start; ratios of one run"
    )


def options_of_command() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest sizes, some minutes")
    parser.add_argument("--full", action="store_true", help="up to 10^6 encounters, half an hour")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", default=SECTIONS)
    parser.add_argument(
        "--instructions", action="store_true", help="count machine instructions, and nothing else"
    )
    parser.add_argument("--list", action="store_true", help="name the sections and stop")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    return parser.parse_args()


def main() -> None:
    """Measure what the command line asks for."""
    options = options_of_command()
    if options.list:
        for name, (_, title) in SECTIONS.items():
            print(f"{name:<12} {title}")
        return
    if options.instructions:
        sys.exit(instructions.main())
    size = Size.QUICK if options.quick else Size.FULL if options.full else Size.DEFAULT
    heading = head()
    print(f"{heading}\n\n{HEAD[0]:<80} {HEAD[1]:>8} {'':<6}  {HEAD[2]:<14} {HEAD[3]}")
    entries: list[tuple[str, Row | str]] = []
    for section in SECTIONS:
        if section in options.only:
            print(f"\n{section}: {SECTIONS[section][1]}")
            for entry in measured(section, size):
                print(f"  {entry}" if isinstance(entry, str) else entry, flush=True)
                entries.append((section, entry))
    if options.markdown:
        options.markdown.write_text(f"{heading}.\n\n{markdown(entries)}", "utf-8")


if __name__ == "__main__":
    main()
