"""What the open demonstration databases give: ``python -m benchmarks.mar_demo PATH [MOST]``.

PATH is a folder with extracts of the MIMIC-III, CLIF and eICU demonstrations, or one of the files.
A stay of more than MOST administrations is read and counted but not judged: the questions of a long
stay take minutes. Counts only: rows by fate, administrations by technique, lines suggested, questions, findings, and
what could not be judged for want of which fact.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from ivpush import Engine
from ivpush.readers import ReadOptions, Record, SetAside
from ivpush.readers.tables.reader import read

MAPS = {
    "mimic3demo_inputevents_mv.csv": "mimic-iii-inputevents-mv",
    "clif_medication_admin_continuous.parquet": "clif-continuous",
    "clif_medication_admin_intermittent.parquet": "clif-intermittent",
    "eicudemo_medication_iv.csv": "eicu-medication",
    "eicudemo_infusiondrug.csv": "eicu-infusiondrug",
}


def show(title: str, counts: Counter[str], most: int = 12) -> None:
    print(f"  {title}: " + (", ".join(f"{one} {n}" for one, n in counts.most_common(most)) or "-"))


class Demo:
    def __init__(self) -> None:
        self.read = self.aside = self.given = self.long = 0
        self.counts: dict[str, Counter[str]] = {
            name: Counter()
            for name in (
                "set aside for",
                "as charted",
                "technique",
                "route",
                "not billable for",
                "category of services",
                "suggested (units)",
                "questions about",
                "findings",
                "not judged (encounters)",
                "for want of",
            )
        }

    def take(self, engine: Engine, one: Record) -> None:
        self.read += 1
        work, counts = engine.work(one.encounter), self.counts
        result = work.result
        for fact in work.derived.facts:
            self.given += 1
            counts["as charted"][fact.given.method or "method open"] += 1
            counts["route"][fact.given.route or "open"] += 1
            counts["technique"][fact.technique or "none"] += 1
            counts["category of services"][fact.family or "none"] += 1
            if fact.reason is not None:
                counts["not billable for"][fact.reason] += 1
        for line in result.suggested:
            counts["suggested (units)"][line.code] += line.units
        counts["questions about"].update(q.missing.rpartition(".")[2] for q in result.questions)
        counts["findings"].update(f"{v.rule} {v.name}" for v in result.violations)
        counts["not judged (encounters)"].update(one.rule for one in result.unjudged)
        for unjudged in result.unjudged:
            counts["for want of"].update({path.rpartition(".")[2] for path in unjudged.missing})


def run(engine: Engine, path: Path, most: int) -> None:
    demo = Demo()
    print(f"\n{path.name} ({MAPS[path.name]})")
    with path.open("rb") as stream:
        options = ReadOptions(setting="facility", map=MAPS[path.name])
        for one in read(path.name, stream, options):
            if isinstance(one, Record) and len(one.encounter.administrations or ()) > most:
                demo.long += 1
            elif isinstance(one, Record):
                demo.take(engine, one)
            elif isinstance(one, SetAside):
                demo.aside += 1
                demo.counts["set aside for"].update(f.problem for f in one.error.faults)
            else:
                print(f"  {one.message}")
    total = demo.read + demo.aside + demo.long
    print(
        f"  encounters: {total} in = {demo.read} checked + {demo.long} too long to be judged here + "
        f"{demo.aside} set aside; {demo.given} administrations judged"
    )
    for title, counts in demo.counts.items():
        show(title, counts)


def main(arguments: list[str]) -> int:
    if len(arguments) not in {1, 2} or not all(one.isdigit() for one in arguments[1:]):
        print("usage: python -m benchmarks.mar_demo PATH [MOST]", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    known = [one for one in paths if one.name in MAPS]
    if not known:
        print(f"holds none of: {', '.join(MAPS)}", file=sys.stderr)
        return 2
    engine, most = Engine(), int(arguments[1]) if len(arguments) > 1 else 5_000
    for path in known:
        run(engine, path, most)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
