"""Tables for the examples beside this one: encounters as three tables, joined by encounter.

python -m ivpush.testing --n 200 --seed 1 > claims.ndjson
python examples/make_tables.py claims.ndjson tables
"""

import csv
import sys
from pathlib import Path

import pyarrow.parquet as pq

from ivpush.contract.cells import cell_of
from ivpush.frames import encounters_to_tables
from ivpush.readers import Record
from ivpush.readers.json import read


def main(source: Path, folder: Path) -> None:
    with source.open("rb") as stream:
        items = list(read(source.name, stream))
    encounters = [item.encounter for item in items if isinstance(item, Record)]
    tables = encounters_to_tables(encounters)
    folder.mkdir(exist_ok=True)
    for name in ("encounters", "administrations"):
        pq.write_table(tables[name], folder / f"{name}.parquet")
    # Claim lines as they mostly come: text, with lists joined by semicolons.
    with (folder / "lines.csv").open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(tables["lines"].column_names)
        writer.writerows(map(cell_of, row.values()) for row in tables["lines"].to_pylist())
    aside = len(items) - len(encounters)
    print(f"{len(items)} in = {len(encounters)} written + {aside} set aside")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
