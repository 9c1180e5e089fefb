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
from ivpush.engine import Worked
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
    """The most frequent of some counts on one line."""
    listed = ", ".join(f"{name} {count}" for name, count in counts.most_common(most))
    print(f"  {title}: {listed or '-'}")


class Demo:
    """What one extract gives, counted encounter by encounter."""

    def __init__(self) -> None:
        self.checked = self.aside = self.administrations = self.long = 0
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

    def take(self, engine: Engine, record: Record) -> None:
        """Judge one encounter and count what comes of it."""
        self.checked += 1
        work, counts = engine.work(record.encounter), self.counts
        self._take_chart(work)
        result = work.result
        for line in result.suggested:
            counts["suggested (units)"][line.code] += line.units
        counts["questions about"].update(q.missing.rpartition(".")[2] for q in result.questions)
        counts["findings"].update(f"{v.rule} {v.name}" for v in result.violations)
        counts["not judged (encounters)"].update(unjudged.rule for unjudged in result.unjudged)
        for unjudged in result.unjudged:
            counts["for want of"].update({path.rpartition(".")[2] for path in unjudged.missing})

    def _take_chart(self, work: Worked) -> None:
        counts = self.counts
        for administration in work.derived.administrations:
            self.administrations += 1
            counts["as charted"][administration.given.method or "method open"] += 1
            counts["route"][administration.given.route or "open"] += 1
            counts["technique"][administration.technique or "none"] += 1
            counts["category of services"][administration.family or "none"] += 1
            if administration.reason is not None:
                counts["not billable for"][administration.reason] += 1


def run(engine: Engine, path: Path, most: int) -> None:
    """Read and judge one extract, and print what it gives."""
    demo = Demo()
    print(f"\n{path.name} ({MAPS[path.name]})")
    with path.open("rb") as stream:
        options = ReadOptions(setting="facility", map=MAPS[path.name])
        for item in read(path.name, stream, options):
            if isinstance(item, Record) and len(item.encounter.administrations or ()) > most:
                demo.long += 1
            elif isinstance(item, Record):
                demo.take(engine, item)
            elif isinstance(item, SetAside):
                demo.aside += 1
                demo.counts["set aside for"].update(f.problem for f in item.error.faults)
            else:
                print(f"  {item.message}")
    total = demo.checked + demo.aside + demo.long
    print(
        f"  encounters: {total} in = {demo.checked} checked + {demo.long} too long to be judged here + "
        f"{demo.aside} set aside; {demo.administrations} administrations judged"
    )
    for title, counts in demo.counts.items():
        show(title, counts)


def main(arguments: list[str]) -> int:
    if len(arguments) not in {1, 2} or not all(map(str.isdigit, arguments[1:])):
        print("usage: python -m benchmarks.mar_demo PATH [MOST]", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    known = [path for path in paths if path.name in MAPS]
    if not known:
        print(f"holds none of: {', '.join(MAPS)}", file=sys.stderr)
        return 2
    engine, most = Engine(), int(arguments[1]) if len(arguments) > 1 else 5_000
    for path in known:
        run(engine, path, most)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
