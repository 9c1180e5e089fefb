"""Exports as hospitals send them: rows read a second and peak memory, beside pandas and the same file.

    python -m benchmarks.exports [ROWS] [csv|xlsx]

A chart of so many rows as CSV and as a workbook, read through to encounters in a process of its
own, and by pandas into one frame in another. The rate counts rows of the processor's time.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from benchmarks.batches import OWN_PEAK, environment

HEAD = "MAR_ENC_CSN,ORDER_MED_ID,LINE,MAR_ACTION_NAME,TAKEN_TIME,DESCRIPTION,SIG,DOSE_UNIT_NAME,ROUTE_NAME"
ROWS_OF_ENCOUNTER = 8
READ = f"""
import json, resource, sys, time
from pathlib import Path
{OWN_PEAK}
from ivpush.readers import ReadOptions, Record, SetAside
from ivpush.readers.detect import open_reader
start = time.process_time()
records = aside = 0
for each in open_reader(sys.argv[1], ReadOptions(map="epic-mar-admin-info", setting="facility")):
    records += isinstance(each, Record)
    aside += isinstance(each, SetAside)
print(json.dumps([records, aside, time.process_time() - start, own_peak()]))
"""
PANDAS = f"""
import json, resource, sys, time
from pathlib import Path
{OWN_PEAK}
import pandas as pd
start = time.process_time()
read = pd.read_excel if sys.argv[1].endswith("x") else pd.read_csv
frame = read(sys.argv[1])
print(json.dumps([len(frame), 0, time.process_time() - start, own_peak()]))
"""


def rows(count: int) -> Iterator[list[str]]:
    """Rows of Epic's layout: bags that are stopped, and pushes, eight rows an encounter."""
    for n in range(count):
        encounter, step = divmod(n, ROWS_OF_ENCOUNTER)
        at = datetime(2026, 3, 2, 8) + timedelta(days=encounter % 300, minutes=15 * step)
        action = ("New Bag", "Stopped", "Given", "Push")[step % 4]
        order = str(encounter * 10 + step // 2)
        written = f"{at.month}/{at.day}/{at.year} {at:%I:%M:%S %p}"
        drug = "CEFTRIAXONE 1 G IVPB" if step % 4 < 2 else "ONDANSETRON 4 MG/2 ML"
        yield [str(encounter), order, str(step + 1), action, written, drug, "1", "g", "Intravenous"]


def write(folder: Path, count: int, ending: str) -> Path:
    """The chart as CSV or as a workbook."""
    file = folder / f"mar.{ending}"
    if ending == "xlsx":
        import openpyxl

        workbook = openpyxl.Workbook(write_only=True)
        sheet = workbook.create_sheet()
        for row in chain([HEAD.split(",")], rows(count)):
            sheet.append(row)
        workbook.save(file)
        return file
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEAD.split(","))
        writer.writerows(rows(count))
    return file


def measured(program: str, file: Path) -> tuple[int, int, float, float]:
    """Records, set asides, seconds of the processor and peak MB of a program on a file."""
    process = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(file.parent),
    )
    records, aside, seconds, peak = json.loads(process.stdout)
    return records, aside, seconds, peak


def main(count: int, endings: Sequence[str]) -> None:
    """Print what each reader takes for each file."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in endings:
            file = write(Path(folder), count, ending)
            for name, program in (("ivpush", READ), ("pandas", PANDAS)):
                records, aside, seconds, peak = measured(program, file)
                print(
                    f"{ending:<5} {name}: {count:,} rows, {records:,} records, {aside} set "
                    f"aside, {count / seconds:,.0f} rows a second, peak {peak:.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000, sys.argv[2:] or ("csv", "xlsx"))
