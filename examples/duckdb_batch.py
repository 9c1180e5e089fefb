"""DuckDB around ivpush: SQL in, tables of results out.

python examples/duckdb_batch.py tables    # made by examples/make_tables.py
"""

import sys
from pathlib import Path

import duckdb

from ivpush import EngineOptions, check_batches

KEPT = ("encounters", "violations", "lines", "set_aside")


def main(folder: Path) -> None:
    database = duckdb.connect(str(folder / "findings.duckdb"))
    # Each input has a cursor of its own, for a connection runs one query at a time.
    lines, administrations, encounters = (database.cursor() for _ in range(3))
    files = [
        str(folder / name)
        for name in ("lines.csv", "administrations.parquet", "encounters.parquet")
    ]
    pieces = check_batches(
        # As text: a revenue code such as 0260 is no number.
        lines=lines.sql("from read_csv(?, all_varchar = true)", params=[files[0]]),
        administrations=administrations.sql("from read_parquet(?)", params=[files[1]]),
        encounters=encounters.sql("from read_parquet(?)", params=[files[2]]),
        engine=EngineOptions(payer="medicare"),
    )
    for number, piece in enumerate(pieces):
        for name in KEPT:
            database.register("piece", getattr(piece, name))
            if number:
                database.execute(f"insert into {name} from piece")
            else:
                database.execute(f"create or replace table {name} as from piece")

    denials = """select rule, name, count(*) as findings, count(distinct encounter) as encounters
                 from violations where severity = 'error'
                 group by all order by findings desc, rule"""
    database.sql(denials).write_parquet(str(folder / "denials.parquet"))
    print(database.sql(f"{denials} limit 5"))

    counts = """with ids as (select encounter from read_csv(?, all_varchar = true)
                    union select encounter from read_parquet(?)
                    union select id from read_parquet(?))
                select (select count(*) from ids), (select count(*) from encounters),
                    (select count(*) from set_aside)"""
    read, checked, aside = database.execute(counts, files).fetchall()[0]
    print(f"{read} in = {checked} checked + {aside} set aside")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
