"""Rules, files of the base pack and overlays of payers with their structure changed.

What is refused must be refused by an error of ours; a rule that is accepted is run.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from functools import cache

from benchmarks.fuzz_json import ENCOUNTER
from benchmarks.fuzzing import Fuzzed, Target
from benchmarks.fuzzing_trees import changed, name_of, text_of, tree_of
from ivpush import Encounter, Engine, Pack, PackError, UsageError
from ivpush.pack.codes import cells_by_column
from ivpush.pack.data import denials_of
from ivpush.pack.files import Faults, Layer, Sheet, read_yaml
from ivpush.pack.folder import rules_folder
from ivpush.pack.known import Known
from ivpush.pack.rule import Rule, read_rule

RULES = sorted(
    path for path in (rules_folder() / "checks").glob("*/*.yaml") if ".pins." not in path.name
)
PAYERS = sorted(
    path
    for path in (rules_folder() / "payers").glob("*.yaml")
    # Such as stand on no other overlay and change no rule that the small pack lacks.
    if "base" not in tree_of(path) and path.stem != "medicare"
)
BASE = sorted(path for path in rules_folder().glob("*.yaml") if path.name != "mutants.yaml")
FEW_RULES = ("IVP104", "IVP206", "IVP703")
FEW_TABLES = ("denials-", "pos-", "tob-", "addon-")
SEEN = Encounter.model_validate(ENCOUNTER)
PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b"'", b",", b": ", b"- ", b"\n", b"\n  ", b"#", b"\x00"),
    *(b"\xff", b"&a", b"*a", b"!!x ", b"<<: ", b"|\n", b"---\n", b"9" * 40, b"[" * 100, b""),
)


def drawn(rng: random.Random) -> Fuzzed:
    """A rule, or one in fifty times another file: reading such a one takes ten times as long."""
    paths = rng.choice((BASE, PAYERS)) if rng.random() < 0.02 else RULES
    path = rng.choice(paths)
    return Fuzzed(text_of(changed(tree_of(path), rng), rng), name_of(path))


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """Whether a file is accepted or refused; in a small pack it is read, and its rules are run."""
    kind = "rule" if fuzzed.name.startswith("checks/") else "pack"
    try:
        sheet = read_yaml(fuzzed.name, fuzzed.raw)
        if kind == "rule":
            _run(_rule_of(sheet))
        else:
            Engine(pack=Pack([{**_small_layer(), fuzzed.name: sheet}], "fuzzed")).check(SEEN)
    except (PackError, UsageError):
        yield f"{kind} refused"
    else:
        yield f"{kind} accepted"


def _run(rule: Rule | None) -> None:
    if rule is not None:
        Engine(pack=_pack().with_(rules=(rule,), payers={})).check(SEEN)


def _rule_of(sheet: Sheet) -> Rule | None:
    """The rule of a sheet, by what the shipped pack knows; raises PackError."""
    faults = Faults()
    rule = read_rule(sheet, _known(), faults.say)
    if faults.found:
        raise PackError(faults.found)
    return rule


@cache
def _pack() -> Pack:
    return Pack.load()


@cache
def _known() -> Known:
    pack = _pack()
    return Known(
        sources=pack.sources,
        policies=pack.policies,
        kinds=pack.data.modifiers.keys() | {"separate"},
        codes=pack.codes,
        cells=cells_by_column(pack.codes),
        denials=denials_of(pack.data.releases),
        names=pack.names,
    )


@cache
def _small_layer() -> Layer:
    """The base pack with three rules, four kinds of table and the drugs that its files name."""
    layer: dict[str, Sheet | bytes] = {
        name_of(path): read_yaml(path.name, path.read_bytes()) for path in BASE
    }
    for path in RULES:
        if path.name.startswith(FEW_RULES):
            sheet = read_yaml(path.name, path.read_bytes())
            # Nothing is said of rules that are not there.
            alone = {key: value for key, value in sheet.mapping.items() if key != "follows_from"}
            layer[name_of(path)] = Sheet(sheet.name, alone, sheet.marks)
    for path in (rules_folder() / "tables").iterdir():
        if path.name.startswith(FEW_TABLES):
            layer[name_of(path)] = path.read_bytes()
    layer["drugs.csv"], layer["drug_names.csv"] = _few_drugs()
    return layer


def _few_drugs() -> tuple[bytes, bytes]:
    """The two tables of drugs, cut to what the other files name."""
    named = "".join(path.read_text("utf-8") for path in BASE)
    (head, *drugs), (names_head, *names) = (
        list(csv.reader(io.StringIO((rules_folder() / name).read_text("utf-8"))))
        for name in ("drugs.csv", "drug_names.csv")
    )
    drugs = [row for row in drugs if row[1] in named or row[0] in named]
    kept = {row[1] for row in drugs}
    names = [row for row in names if row[1] in kept]
    return _csv_of(head, *drugs), _csv_of(names_head, *names)


def _csv_of(*rows: list[str]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


TARGET = Target("packs", drawn, outcomes, ("/pack/",), PIECES)
