"""DuckDB around ivpush: rows of SQL in, a table of results out (pip install duckdb pyarrow).

python examples/duckdb_batch.py claims.ndjson
"""

import json
import sys

import duckdb

from ivpush import spark


def main(source: str) -> None:
    database = duckdb.connect()
    # The input has a cursor of its own, for a connection reads or writes, never both at once.
    reader = (
        database.cursor()
        .sql(
            "select filename, encounter from (select filename, "
            "unnest(string_split(trim(content, chr(10)), chr(10))) as encounter from read_text(?))",
            params=[source],
        )
        .to_arrow_reader(1_000)
    )
    # The same function that Spark's executors run: record batches in, record batches out.
    options = json.dumps({"payer": "medicare", "policies": {}, "packs": [], "setting": None,
                          "timezone": None})  # fmt: skip
    first = True
    for results in spark.judge(reader, options, ["filename"]):
        database.register("results", results)
        database.execute(
            "create table findings as from results"
            if first
            else "insert into findings from results"
        )
        first = False
    print(database.sql("""
        select rule, count(*) as encounters from (select unnest(rules) as rule from findings)
        group by rule order by encounters desc, rule limit 5
    """))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
