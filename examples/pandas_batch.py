"""pandas: lines and administrations in; each billed line with its verdict, denials by rule out.

python examples/pandas_batch.py tables    # made by examples/make_tables.py
"""

import sys
from pathlib import Path

import pandas as pd

from ivpush import EngineOptions, check_frame


def main(folder: Path) -> None:
    # As text: a revenue code such as 0260 is no number.
    lines = pd.read_csv(folder / "lines.csv", dtype="str")
    administrations = pd.read_parquet(folder / "administrations.parquet")
    encounters = pd.read_parquet(folder / "encounters.parquet")
    results = check_frame(
        lines=lines,
        administrations=administrations,
        encounters=encounters,
        engine=EngineOptions(payer="medicare"),
    )
    for record in results.set_aside.itertuples():
        print(f"{record.place}: {record.problem}", file=sys.stderr)

    denied = results.violations[results.violations["severity"] == "error"]
    by_rule = denied.groupby(["rule", "name"]).size().sort_values(ascending=False, kind="stable")
    by_rule.rename("findings").reset_index().to_parquet(folder / "denials.parquet")
    print(by_rule.head().to_string())

    # Every billed line once, with what came of it; lines of encounters set aside have no verdict.
    for name in ("number", "units"):
        lines[name] = pd.to_numeric(lines[name], errors="coerce").astype("Int64")
    verdicts = results.lines[["encounter", "number", "status"]]
    billed = lines[["encounter", "number", "code", "units"]].merge(
        verdicts, how="left", on=["encounter", "number"], validate="one_to_one"
    )
    billed["status"] = billed["status"].fillna("set aside")
    billed.to_parquet(folder / "billed.parquet")

    units = pd.DataFrame(
        {
            "billed": billed[billed["status"] != "set aside"].groupby("code")["units"].sum(),
            "suggested": results.suggested.groupby("code")["units"].sum(),
        }
    ).fillna(0)
    units.reset_index(names="code").to_parquet(folder / "units.parquet")

    ids = pd.concat([encounters["id"], administrations["encounter"], lines["encounter"]]).nunique()
    print(f"{ids} in = {len(results.encounters)} checked + {len(results.set_aside)} set aside")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
