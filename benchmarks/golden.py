"""The results of a fixed corpus, kept once and compared with later: ``python -m benchmarks.golden``.

``golden write DIR`` keeps a corpus and what the code at hand says of it; ``golden compare DIR`` works
it out again and tells what differs, byte by byte. So a change that should change no result is
checked against one that was never touched:

    PYTHONPATH=../old/src python -m benchmarks.golden write DIR
    python -m benchmarks.golden compare DIR

The corpus is made-up visits, the published scenarios, the examples and the encounters of any NDJSON
file given. It is judged as its records state their payer (``base``), and then whole under each of
four overlays. Every result is kept as JSON, as text with its trace, as SARIF and as CSV.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import IO, Any

import ivpush
from ivpush import Encounter, Engine
from ivpush.readers import Record, SetAside
from ivpush.readers import json as json_reader
from ivpush.testing import encounters
from ivpush.writers import ResultWriter, WriteOptions, ndjson, sarif, text
from ivpush.writers import csv as csv_writer

ROOT = Path(__file__).resolve().parents[1]
CORPUS, MANIFEST = "corpus.ndjson", "manifest.json"
PAYERS: dict[str, str | None] = {
    "base": None,
    "medi_cal_hpsj": "medi_cal_hpsj",
    "palmetto_jj_jm": "palmetto_jj_jm",
    "premera": "premera",
    "select_health": "select_health",
}
"""The four overlays under which the most results differ from each other and from no overlay's."""
SHOWN = 3
"""How many differing records of a file are named."""


def _text_writer(out: IO[bytes], options: WriteOptions) -> ResultWriter:
    return text.Writer(out, text.Look(), source=options.pack.source, explain=True)


WRITERS: dict[str, Callable[[IO[bytes], WriteOptions], ResultWriter]] = {
    "ndjson": ndjson.Writer,
    "txt": _text_writer,
    "sarif": sarif.Writer,
    "csv": csv_writer.Writer,
}
"""The writer of each kind of file, by the ending of its name."""


# The corpus


def corpus(visits: int, seed: int, files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The records of the corpus, each with an id of its own."""
    taken: set[str] = set()
    for record in _records(visits, seed, files):
        stem = name = str(record.get("id", "record"))
        number = 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        yield {**record, "id": name}


def _records(visits: int, seed: int, files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    yield from encounters(seed, visits)
    for path in sorted((ROOT / "tests/data/scenarios").glob("*.ndjson")):
        yield from _rows(path)
    for path in sorted((ROOT / "examples").glob("*.json")):
        yield json.loads(path.read_text("utf-8"))
    for path in files:
        yield from _rows(path)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The encounters of NDJSON; a row is one, or holds one under ``encounter``."""
    with path.open(encoding="utf-8") as rows:
        for row in filter(str.strip, rows):
            record = json.loads(row)
            yield record.get("encounter", record)


# The results


def judge(source: Path, target: Path, name: str, payer: str | None, kinds: Sequence[str]) -> None:
    """Write what the code at hand says of a corpus under one payer, one file for each kind.

    An overlay takes the place of the payer that a record states. A record that cannot be read
    leaves a row in the NDJSON alone.
    """
    engine = Engine(payer=payer)
    options = WriteOptions(engine.pack, ivpush.__version__)
    with ExitStack() as files:
        stream = files.enter_context(source.open("rb"))
        outs = {kind: files.enter_context((target / f"{name}.{kind}").open("wb")) for kind in kinds}
        writers = [WRITERS[kind](out, options) for kind, out in outs.items()]
        for record in json_reader.read(CORPUS, stream):
            if isinstance(record, SetAside):
                refused = {"encounter": record.place, "set_aside": str(record.error)}
                outs["ndjson"].write(json.dumps(refused).encode() + b"\n")
            if not isinstance(record, Record):
                continue
            work = engine.work(_as_billed_to(payer, record.encounter))
            for writer in writers:
                writer.write(work, record.place)
            if hasattr(work, "release"):  # older checkouts free memory by hand
                work.release()
        for writer in writers:
            writer.close()


def _as_billed_to(payer: str | None, encounter: Encounter) -> Encounter:
    return encounter if payer is None else encounter.model_copy(update={"payer": payer})


# The comparison


@dataclass(slots=True)
class Comparison:
    """What differs between two files of results."""

    name: str
    but: frozenset[str] = frozenset()
    """Keys that were left out of account."""
    records: int = 0
    """Records that differ."""
    first: list[str] = field(default_factory=list)
    """The first of them, each with the keys that differ."""
    keys: Counter[str] = field(default_factory=Counter)
    """In how many records each key differs."""

    def add(self, record: str, paths: Iterable[str]) -> None:
        """Take one record that differs."""
        distinct = list(dict.fromkeys(paths))
        self.records += 1
        self.keys.update(distinct)
        if len(self.first) < SHOWN:
            more = f" and {len(distinct) - 6} more" if len(distinct) > 6 else ""
            self.first.append(f"{record}: {', '.join(distinct[:6])}{more}")

    def __str__(self) -> str:
        if not self.records:
            return (
                f"{self.name}: equal{' but for ' if self.but else ''}{', '.join(sorted(self.but))}"
            )
        counts = [f"  {count:>7} x {key}" for key, count in self.keys.most_common()]
        first = [f"  {record}" for record in self.first]
        return "\n".join([f"{self.name}: {self.records} records differ", *first, *counts])


def compared(folder: Path, but: frozenset[str], payer: tuple[str, str | None]) -> list[Comparison]:
    """The files of one payer, worked out again and compared with those kept.

    With keys named in ``but``, the JSON alone is compared, without what stands under them.
    """
    kinds = ["ndjson"] if but else list(WRITERS)
    with TemporaryDirectory() as new:
        judge(folder / CORPUS, Path(new), *payer, kinds)
        names = [f"{payer[0]}.{kind}" for kind in kinds]
        return [
            _file(name, (folder / name).read_bytes(), (Path(new) / name).read_bytes(), but)
            for name in names
        ]


def _file(name: str, old: bytes, new: bytes, but: frozenset[str]) -> Comparison:
    comparison = Comparison(name, but)
    if old == new:
        return comparison
    split = _SPLITS[name.rpartition(".")[2]]
    before, after = split(old), split(new)
    for record in dict.fromkeys((*before, *after)):
        if record not in after or record not in before:
            comparison.add(record, ["(only kept)" if record in before else "(only new)"])
            continue
        pair = blanked(before[record], but), blanked(after[record], but)
        # As text, for 1, 1.0 and true are equal as values, and so are keys in another order.
        if json.dumps(pair[0]) != json.dumps(pair[1]):
            comparison.add(record, list(differing(*pair)) or ["(order of keys)"])
    if not comparison.records and not but:
        comparison.add("(the file)", ["(order or spacing)"])
    return comparison


def blanked(value: Any, keys: frozenset[str]) -> Any:
    """A JSON value without what stands under the keys, at any depth."""
    if isinstance(value, dict):
        return {key: None if key in keys else blanked(part, keys) for key, part in value.items()}
    return [blanked(part, keys) for part in value] if isinstance(value, list) else value


def differing(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The paths at which two JSON values differ; lists of other lengths are not gone into."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{key}" if path else key
            if key in before and key in after:
                yield from differing(before[key], after[key], inner)
            else:
                yield f"{inner} ({'only kept' if key in before else 'only new'})"
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{path}[] (how many)"
            return
        for old, new in zip(before, after, strict=True):
            yield from differing(old, new, f"{path}[]")
    elif type(before) is not type(after) or before != after:
        yield path


# Files cut into records: encounter ids with what stands there, as JSON values


def _ndjson_records(data: bytes) -> dict[str, Any]:
    results = map(json.loads, data.splitlines())
    return {result["encounter"]: result for result in results}


def _text_records(data: bytes) -> dict[str, Any]:
    parts = re.split(r"^(?=Encounter )", data.decode(), flags=re.MULTILINE)
    return {
        part[len("Encounter ") :].partition("  ")[0]: {"lines": part.splitlines()}
        for part in parts
        if part
    }


def _sarif_records(data: bytes) -> dict[str, Any]:
    (run,) = json.loads(data)["runs"]
    records: dict[str, Any] = {"(the head)": {**run, "results": []}}
    for result in run["results"]:
        encounter = result["locations"][0]["logicalLocations"][0]["name"]
        records.setdefault(encounter, {"results": []})["results"].append(result)
    return records


def _csv_records(data: bytes) -> dict[str, Any]:
    records: dict[str, Any] = {}
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        records.setdefault(row["encounter"], {"rows": []})["rows"].append(row)
    return records


_SPLITS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "ndjson": _ndjson_records,
    "txt": _text_records,
    "sarif": _sarif_records,
    "csv": _csv_records,
}


# The command


def write(folder: Path, visits: int, seed: int, files: Sequence[Path], workers: int) -> int:
    """Keep the corpus and its results in a folder; gives how many records there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / CORPUS).open("wb") as out:
        for record in corpus(visits, seed, files):
            out.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
            count += 1
    manifest = {
        "version": ivpush.__version__,
        "visits": visits,
        "seed": seed,
        "records": count,
        "payers": PAYERS,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    for _ in _spread(partial(_written, folder), PAYERS.items(), workers):
        pass
    return count


def _written(folder: Path, payer: tuple[str, str | None]) -> None:
    judge(folder / CORPUS, folder, *payer, list(WRITERS))


def compare(folder: Path, but: Iterable[str], workers: int) -> Iterator[Comparison]:
    """The comparison of every file of a folder, in the order of its manifest."""
    payers = json.loads((folder / MANIFEST).read_text("utf-8"))["payers"].items()
    for comparisons in _spread(partial(compared, folder, frozenset(but)), payers, workers):
        yield from comparisons


def _spread(call: Callable[[Any], Any], items: Iterable[Any], workers: int) -> Iterator[Any]:
    """The call of each item, in order, in so many processes."""
    if workers < 2:
        yield from map(call, items)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(call, items)


def main(argv: Sequence[str] | None = None) -> int:
    """Write or compare, as the command line asks; gives the exit status."""
    options = _parser().parse_args(argv)
    start = perf_counter()
    print(f"ivpush of {Path(ivpush.__file__).parent}")
    status = 0
    if options.command == "write":
        count = write(
            options.folder,
            visits=options.visits,
            seed=options.seed,
            files=options.corpus,
            workers=options.workers,
        )
        print(f"{count} records under {len(PAYERS)} payers")
    else:
        for comparison in compare(options.folder, options.but, options.workers):
            print(comparison, flush=True)
            status |= bool(comparison.records)
    print(f"{perf_counter() - start:.0f} s")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.golden",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="keep a corpus and its results")
    writing.add_argument("--visits", type=int, default=6_000, help="made-up visits (default 6000)")
    writing.add_argument("--seed", type=int, default=1, help="their seed (default 1)")
    writing.add_argument(
        "--corpus",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="NDJSON with further encounters",
    )
    comparing = commands.add_parser("compare", help="tell what differs now; status 1 if any does")
    comparing.add_argument(
        "--but",
        type=lambda names: names.split(","),
        default=[],
        metavar="KEY,...",
        help="compare the JSON alone, without these keys",
    )
    for command in (writing, comparing):
        command.add_argument("folder", type=Path, metavar="DIR")
        command.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
