"""Rule packs, maps, configurations, checkpoints and JSON with their structure changed.

    python -m benchmarks.fuzz_packs [INPUTS] [SEED]

Bytes changed at random are refused by the parsers; here the tree behind them is changed instead: a
value of another kind or at the end of its range, a key gone, repeated or renamed, a value from
elsewhere, lists within lists. Expressions are put together from the words and signs of all rules.
What is refused must be refused by an error of ours; a rule or an encounter that is accepted is run.
``KEPT`` holds what once ended in a traceback.
"""

from __future__ import annotations

import copy
import io
import json
import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks.fuzzing import CANARY, broken, fuzz, reader_outcomes
from ivpush import Engine, Pack, PackError, UsageError
from ivpush.batch.intake import Intake
from ivpush.batch.outputs import Checkpoint
from ivpush.batch.plan import Plan
from ivpush.batch.runner import _Setup
from ivpush.commands.configuration import read_configuration
from ivpush.pack.codes import cells_by_column
from ivpush.pack.data import denials_of
from ivpush.pack.files import Faults, Layer, Sheet, read_yaml
from ivpush.pack.folder import rules_folder
from ivpush.pack.known import Known
from ivpush.pack.rule import Rule, read_rule
from ivpush.readers import Record
from ivpush.readers.json import read
from ivpush.readers.tables.maps import parse_map

PACK = Pack.load()
ENGINE = Engine(pack=PACK)
DENIALS = denials_of(PACK.data.releases)
RULES = sorted(
    path for path in (rules_folder() / "checks").glob("*/*.yaml") if ".pins." not in path.name
)
PAYERS = sorted((rules_folder() / "payers").glob("*.yaml"))
MAPS = sorted((rules_folder() / "maps").glob("*.yaml"))
BASE = sorted(path for path in rules_folder().glob("*.yaml") if path.name != "mutants.yaml")
TOML = f"""payer = "medicare"
packs = ["ours"]
select = ["IVP1"]
[policies]
long_push = "infusion"
same_drug_push_gap_minutes = 31
[[ignore]]
rule = "IVP908"
reason = "{CANARY}"
until = 2026-12-31
""".encode()
ENCOUNTER: dict[str, Any] = {
    "id": f"{CANARY}1",
    "setting": "facility",
    "date": "2026-03-02",
    "timezone": "America/New_York",
    "supervision": {"level": "direct", "provider_present": True},
    "administrations": [
        {
            "id": f"{CANARY}a",
            "drug": f"{CANARY} drug",
            "category": "therapeutic",
            "route": "IV",
            "method": "infusion",
            "start": "2026-03-02T10:00",
            "stop": "2026-03-02T11:31",
            "site": CANARY,
        },
        {"id": "b", "drug": "ondansetron", "route": "IV", "method": "push", "minutes": 2},
    ],
    "lines": [
        {"number": 1, "code": "96365", "units": 1, "charge": 10.5, "administrations": ["b"]},
        {"number": 2, "code": "96375", "units": 2, "modifiers": ["59"], "date": "2026-03-02"},
    ],
}
KEPT: tuple[tuple[str, str], ...] = (
    ("in_force", "{from: 2009-01-01, to: 9999-12-31}"),
    ("in_force", "{from: 0001-01-01}"),
    ("codes", "[[a]]"),
    ("codes", "{role: [[x]]}"),
    ("codes", "{role: {x: y}}"),
    ("cites", "[[a]]"),
    ("severity", "[error]"),
    ("denial", "[]"),
    ("edit", "{replace_code: {}}"),
    ("cases", "[[]]"),
    ("require", "count(x for x in claim.lines) > 99999999999999999999"),
    ("require", "not " * 400 + "line.coded"),
)
"""Keys of a rule with values that once ended in a traceback or took long."""
ODD: tuple[Any, ...] = (
    *("", "0", "-1", "1e9", "9" * 40, "9999-12-31", "0001-01-01", "2026-02-30", "no", "null", "~"),
    *("x" * 3_000, "{line.code}", "{line.nothing}", "{", "lines[0]", "1 <", "a\nb", "é", "IVP101"),
    *([], {}, [[]], [[["x"]]], ["x", "x"], {"x": {"y": "z"}}, {"from": "x", "to": []}, [{}]),
)
WORDS = re.compile(r"[a-z_]+(?:\.[a-z_]+)*|\d+|[<>=!]=|[-+*/<>(),]|'[^']*'")
EXPRESSIONS = [
    text
    for path in RULES
    for key in ("when", "require")
    if isinstance(text := read_yaml(path.name, path.read_bytes()).mapping.get(key), str)
]


class Fuzzed(NamedTuple):
    """What is read, by its kind, with the name of the file that it would stand in."""

    kind: str
    name: str
    raw: bytes


# Drawing


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a tree: what holds it, and its key or number."""
    steps = list(data.items()) if isinstance(data, dict) else list(enumerate(data))
    for step, value in steps:
        yield data, step
        if isinstance(value, dict | list):
            yield from places(value)


def changed(data: Any, rng: random.Random) -> Any:
    """A copy of a tree that is changed in one to three places."""
    tree = copy.deepcopy(data)
    for _ in range(rng.randint(1, 3)):
        every = list(places(tree))
        if not every:
            break
        holder, step = rng.choice(every)
        other, place = rng.choice(every)
        value = copy.deepcopy(other[place])
        match rng.choice(("odd", "odd", "gone", "elsewhere", "list", "deep", "renamed")):
            case "odd":
                holder[step] = copy.deepcopy(rng.choice(ODD))
            case "gone":
                del holder[step]
            case "elsewhere":
                holder[step] = value
            case "list":
                holder[step] = [holder[step], value]
            case "deep":
                holder[step] = nested(holder[step], rng.randint(2, 40))
            case "renamed" if isinstance(holder, dict):
                holder[rng.choice(("x", "from", "id", f"{step}s"))] = holder.pop(step)
    return tree


def nested(value: Any, depth: int) -> Any:
    """A value within so many lists."""
    for _ in range(depth):
        value = [value]
    return value


def expression(rng: random.Random) -> str:
    """Words and signs of the rules in another order, or one expression put into another."""
    first, second = rng.choice(EXPRESSIONS), rng.choice(EXPRESSIONS)
    if rng.random() < 0.4:
        sign = rng.choice((" and ", " or ", " == ", " in ", " + ", " < "))
        return f"({first}){sign}not ({second})"
    words = WORDS.findall(first)
    for _ in range(rng.randint(1, 3)):
        words[rng.randrange(len(words))] = rng.choice(WORDS.findall(second))
    return " ".join(words)


def drawn(rng: random.Random) -> Fuzzed:
    """One input of any kind; whole packs are seldom drawn, for each costs a tenth of a second."""
    kind = rng.choice(("rule", "rule", "expression", "map", "toml", "checkpoint", "json", "json"))
    if rng.random() < 0.05:
        kind = rng.choice(("base", "payer"))
    if kind == "toml":
        pieces = (b"[[]]", b"9" * 40, b"2026-02-30", b'"', b"= true", b"{x = {}}")
        return Fuzzed(kind, "ivpush.toml", broken(TOML, pieces, rng))
    if kind == "checkpoint":
        state = changed(checkpoint(), rng)
        sealed = {**state, "seal": seal_of(state)} if isinstance(state, dict) else state
        return Fuzzed(kind, "o.checkpoint", json.dumps(sealed).encode())
    if kind == "json":
        return Fuzzed(kind, "f.json", json.dumps(changed(ENCOUNTER, rng)).encode())
    paths = {"map": MAPS, "base": BASE, "payer": PAYERS}.get(kind, RULES)
    path = rng.choice(paths)
    data = tree_of(path)
    if kind == "expression":
        data = {**data, rng.choice(("when", "require")): expression(rng)}
    else:
        data = changed(data, rng)
    name = path.relative_to(rules_folder()).as_posix()
    return Fuzzed(kind, name, yaml.safe_dump(data, sort_keys=False).encode())


@cache
def tree_of(path: Path) -> Any:
    """The data of a file of the pack."""
    return read_yaml(path.name, path.read_bytes()).data


@cache
def checkpoint() -> dict[str, Any]:
    """A checkpoint as a run writes it, without its seal."""
    counts = {"read": 1, "checked": 1, "set_aside": 0}
    return {
        "version": "0",
        "pack": "p",
        "input": "i",
        "options": {"payer": None},
        "at": {"file": 0, "records": 1, "offset": 9, "line": 1},
        "counts": {
            **counts,
            "statistics": {"statuses": {"clean": 1}, "amounts": {"missed": "1.5"}},
        },
        "kept": [{"length": 0, "digest": "d"}],
        "done": False,
    }


def seal_of(state: dict[str, Any]) -> str:
    """The seal that a checkpoint of such a state has."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Checkpoint(f"{folder}/o")
        kept.write(state)
        seal: str = json.loads(kept.path.read_bytes())["seal"]
    return seal


# Reading


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """What comes of an input: accepted or refused, by its kind."""
    if fuzzed.kind == "json":
        for item in (items := list(read("f", io.BytesIO(fuzzed.raw)))):
            if isinstance(item, Record):
                ENGINE.check(item.encounter)
        yield from reader_outcomes(items)
        return
    try:
        _READ.get(fuzzed.kind, _read_pack)(fuzzed)
    except (PackError, UsageError):
        yield f"{fuzzed.kind} refused"
    else:
        yield f"{fuzzed.kind} accepted"


def _read_pack(fuzzed: Fuzzed) -> None:
    """A small pack with one file in another form; its rules are run."""
    sheet = read_yaml(fuzzed.name, fuzzed.raw)
    if fuzzed.kind in {"base", "payer"}:
        Engine(pack=Pack([{**_small_layer(), fuzzed.name: sheet}], "fuzzed")).check(ENCOUNTER)
        return
    rule = _rule_of(sheet)
    if rule is not None:
        Engine(pack=PACK.with_(rules=(rule,), payers={})).check(ENCOUNTER)


def _rule_of(sheet: Sheet) -> Rule | None:
    """The rule of a sheet, by what the shipped pack knows; raises PackError."""
    known = Known(
        sources=PACK.sources,
        policies=PACK.policies,
        kinds=PACK.data.modifiers.keys() | {"separate"},
        codes=PACK.codes,
        cells=cells_by_column(PACK.codes),
        denials=DENIALS,
        names=PACK.names,
    )
    faults = Faults()
    rule = read_rule(sheet, known, faults.say)
    if faults.found:
        raise PackError(faults.found)
    return rule


@cache
def _small_layer() -> Layer:
    """The base pack without its rules, overlays and tables, so that it loads quickly."""
    layer: dict[str, Sheet | bytes] = {
        path.relative_to(rules_folder()).as_posix(): read_yaml(path.name, path.read_bytes())
        for path in BASE
    }
    for name in ("drugs.csv", "drug_names.csv"):
        layer[name] = (rules_folder() / name).read_bytes()
    return layer


def _read_toml(fuzzed: Fuzzed) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / fuzzed.name
        path.write_bytes(fuzzed.raw)
        read_configuration(path)


def _read_checkpoint(fuzzed: Fuzzed) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.ndjson"
        source.write_bytes(b"{}\n")
        Path(folder, fuzzed.name).write_bytes(fuzzed.raw)
        plan = Plan((str(source),), (("ndjson", f"{folder}/o"),), resume=True)
        _Setup(plan, Intake(plan, lambda _note: None))


_READ: dict[str, Callable[[Fuzzed], object]] = {
    "map": lambda fuzzed: parse_map(fuzzed.name, fuzzed.raw),
    "toml": _read_toml,
    "checkpoint": _read_checkpoint,
}

if __name__ == "__main__":
    sys.exit(fuzz(drawn, outcomes, sys.argv[1:]))
