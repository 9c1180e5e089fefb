"""polars, lazily: tables of any length in, a Parquet file for every thousand encounters out.

python examples/polars_batch.py tables    # made by examples/make_tables.py
"""

import sys
from pathlib import Path

import polars as pl

from ivpush import EngineOptions, check_batches

ROWS = 10_000


def main(folder: Path, size: int = 1_000) -> None:
    # As text: a revenue code such as 0260 is no number.
    lines = pl.scan_csv(folder / "lines.csv", infer_schema=False)
    administrations = pl.scan_parquet(folder / "administrations.parquet")
    encounters = pl.scan_parquet(folder / "encounters.parquet")
    out = folder / "violations"
    out.mkdir(exist_ok=True)
    for old in out.glob("*.parquet"):
        old.unlink()  # a former run may have left more pieces than this one makes
    checked = aside = 0
    # Neither the tables nor the results are ever in memory as a whole. (polars calls
    # collect_batches unstable; frames that iter_slices cuts, or Arrow batches, do as well.)
    for number, piece in enumerate(
        check_batches(
            lines=lines.collect_batches(chunk_size=ROWS),
            administrations=administrations.collect_batches(chunk_size=ROWS),
            encounters=encounters.collect_batches(chunk_size=ROWS),
            engine=EngineOptions(payer="medicare"),
            size=size,
        )
    ):
        piece.violations.write_parquet(out / f"{number:06}.parquet")
        checked += piece.encounters.height
        aside += piece.set_aside.height
        for place, problem in piece.set_aside.select("place", "problem").iter_rows():
            print(f"{place}: {problem}", file=sys.stderr)

    denied = pl.scan_parquet(out / "*.parquet").filter(pl.col("severity") == "error")
    by_rule = denied.group_by("rule", "name").agg(
        findings=pl.len(), encounters=pl.col("encounter").n_unique()
    )
    by_rule = by_rule.sort(["findings", "rule"], descending=[True, False])
    by_rule.sink_parquet(folder / "denials.parquet")
    print(pl.read_parquet(folder / "denials.parquet").head())

    ids = pl.concat(
        [
            encounters.select(encounter="id"),
            administrations.select("encounter"),
            lines.select("encounter"),
        ]
    )
    read = ids.unique().select(pl.len()).collect().item()
    print(f"{read} in = {checked} checked + {aside} set aside")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
