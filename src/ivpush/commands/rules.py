"""``ivpush rules``: list, show, check, test, mutate, compare and write rules, and their pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.commands.explain import show
from ivpush.commands.options import BROKEN, CLEAN, add_pack, read_pack, say
from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``rules`` and its actions to the commands."""
    parser = commands.add_parser("rules", help="list, show, check, test, compare and write rules")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    made = {}
    for name, says, run in (
        ("list", "one line a rule, or what a payer changes", _rules_list),
        ("show", "one rule with its sources and cases", _rules_show),
        ("lint", "read the pack whole, report every fault, and advise", _rules_lint),
        ("test", "run the cases that the rules hold", _rules_test),
        ("mutate", "change rules and data one thing at a time; list what no case notices",
         _rules_mutate),
        ("new", "write the frame of a new rule, with the next free id of its room", _rules_new),
        ("diff", "what changed between two packs", _rules_diff),
        ("schema", "JSON Schema of a rule file or an overlay, for editors", _rules_schema),
        ("docs", "write the generated pages into a folder", _rules_docs),
    ):  # fmt: skip
        action = made[name] = actions.add_parser(name, help=says)
        add_pack(action)
        action.set_defaults(run=run)
    for name in ("list", "mutate", "diff"):
        made[name].add_argument("--format", choices=("text", "json"), default="text")
    made["show"].add_argument("rule", metavar="RULE")
    made["test"].add_argument("rule", metavar="RULE", nargs="?")
    made["docs"].add_argument("folder", metavar="DIR", type=Path)
    made["list"].add_argument("--payer", help="only what this payer's overlay changes")
    made["list"].add_argument("--room", help="only the rules of one room")
    made["mutate"].add_argument("rule", metavar="RULE", nargs="*")
    made["mutate"].add_argument("--workers", type=int, default=1, metavar="N")
    made["mutate"].add_argument("--scenarios", type=Path, metavar="FILE",
                                help="encounters with their published lines")  # fmt: skip
    made["new"].add_argument("room", metavar="ROOM")
    made["new"].add_argument("name", metavar="NAME")
    made["new"].add_argument("--into", metavar="DIR", type=Path, default=Path("rules"),
                             help="the folder of the pack (default: rules)")  # fmt: skip
    made["diff"].add_argument("old", metavar="OLD", type=Path)
    made["diff"].add_argument("new", metavar="NEW", type=Path)
    made["schema"].add_argument("kind", choices=("rule", "overlay"), nargs="?", default="rule")


def _as_json(data: Any) -> int:
    import json

    return say(json.dumps(data, indent=2) + "\n")


def _rules_show(options: argparse.Namespace) -> int:
    return show(options.rule, read_pack(options))


def _rules_list(options: argparse.Namespace) -> int:
    from ivpush.pack.rule import ROOMS

    pack = read_pack(options)
    if options.payer is not None:
        return _payer_list(options, pack)
    if options.room is not None and options.room not in ROOMS:
        raise UsageError(Fault("--room", "is no room", did_you_mean(options.room, ROOMS)))
    digit = ROOMS[options.room] if options.room is not None else ""
    rules = sorted((one for one in pack.rules if one.id[3:].startswith(digit)),
                   key=lambda one: one.id)  # fmt: skip
    if options.format == "json":
        return _as_json([{"id": one.id, "name": one.name, "severity": one.severity,
                          "disposition": one.disposition, "title": one.title,
                          "cites": list(one.cites)} for one in rules])  # fmt: skip
    for one in rules:
        say(f"{one.id}  {one.severity:<8} {one.name:<42} {one.title}\n")
    print(f"{len(rules)} rules", file=sys.stderr)
    return CLEAN


def _payer_list(options: argparse.Namespace, pack: Pack) -> int:
    """What an overlay changes, each beside the value of the base pack."""
    from ivpush.authoring.diff import payer_rows

    payer = pack.payers.get(options.payer)
    if payer is None:
        raise UsageError(Fault("--payer", "has no overlay in this pack",
                               did_you_mean(options.payer, pack.payers)))  # fmt: skip
    rows = payer_rows(payer, pack)
    if options.format == "json":
        return _as_json(rows)
    for row in rows:
        say(f"{row['kind']:<9} {row['name']:<42} {row['base']} -> {row['payer']}\n")
    print(f"{len(rows)} changes", file=sys.stderr)
    return CLEAN


def _rules_lint(options: argparse.Namespace) -> int:
    from ivpush.authoring.advice import advice

    options.no_cache = True
    pack = read_pack(options)
    cases = sum(len(rule.every_case) for rule in pack.rules)
    told = [f"advice: {one}\n" for one in advice(pack)]
    for one in told:
        say(one)
    print(f"{pack.name} {pack.version}: {len(pack.rules)} rules, {cases} cases, "
          f"{len(pack.codes)} codes, {len(pack.payers)} payers: no fault, "
          f"{len(told)} pieces of advice")  # fmt: skip
    return CLEAN


def _rules_mutate(options: argparse.Namespace) -> int:
    import json
    from time import perf_counter

    from ivpush.authoring.mutation import survey

    options.no_cache = True
    pack = read_pack(options)
    known = {key for rule in pack.every_rule for key in (rule.id, rule.name)}
    for one in options.rule:
        if one not in known:
            raise UsageError(Fault("RULE", "is not in the pack", did_you_mean(one, known)))
    if not 1 <= options.workers <= 64:
        raise UsageError(Fault("--workers", "is out of range", "write 1 to 64"))
    scenarios = []
    if options.scenarios is not None:
        try:
            text = options.scenarios.read_text("utf-8")
            scenarios = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (OSError, ValueError):
            raise UsageError(Fault("--scenarios", "cannot be read",
                                   "name a file of one JSON object a line")) from None  # fmt: skip
    began = perf_counter()
    found = survey(pack, options.rule, scenarios, options.workers)
    seconds = perf_counter() - began
    broken = bool(found.survivors or found.idle_marks)
    if options.format == "json":
        _as_json({"mutants": found.mutants, **found.counts, "percent": round(found.percent, 2),
                  "survivors": list(found.survivors), "idle_marks": list(found.idle_marks),
                  "seconds": round(seconds, 1)})  # fmt: skip
        return BROKEN if broken else CLEAN
    for one in found.survivors:
        say(f"survived: {one}\n")
    for one in found.idle_marks:
        say(f"marked equivalent, yet killed or not made: {one}\n")
    counts = found.counts
    print(f"{found.mutants} mutants: {counts['killed']} killed by cases, "
          f"{counts['refused']} refused by the pack's own checks, "
          f"{counts['equivalent']} marked equivalent, {counts['survived']} survive: "
          f"{found.percent:.1f} % noticed, in {seconds:.0f} s")  # fmt: skip
    return BROKEN if broken else CLEAN


def _rules_new(options: argparse.Namespace) -> int:
    from ivpush.authoring.new_rule import frame

    if not options.into.is_dir():
        raise UsageError(Fault("--into", "is no folder", "name the folder of the pack"))
    name, text = frame(options.room, options.name, read_pack(options))
    path: Path = options.into / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return say(f"{path}\n")


def _rules_diff(options: argparse.Namespace) -> int:
    from ivpush.authoring.diff import as_row, changes
    from ivpush.pack.pack import Pack

    found = list(changes(Pack.load(options.old), Pack.load(options.new)))
    if options.format == "json":
        return _as_json([as_row(one) for one in found])
    for one in found:
        say(f"{one.text}\n")
    print(f"{len(found)} changes", file=sys.stderr)
    return CLEAN


def _rules_schema(options: argparse.Namespace) -> int:
    from ivpush.authoring.schema import overlay_schema, rule_schema

    make = rule_schema if options.kind == "rule" else overlay_schema
    return _as_json(make(read_pack(options)))


def _rules_test(options: argparse.Namespace) -> int:
    from ivpush.authoring.cases import run_cases

    pack = read_pack(options)
    known = {key for rule in pack.every_rule for key in (rule.id, rule.name)}
    if options.rule is not None and options.rule not in known:
        raise UsageError(Fault("RULE", "is not in the pack", did_you_mean(options.rule, known)))
    count = failed = 0
    for one in run_cases(pack, options.rule):
        count += 1
        if one.problem:
            failed += 1
            say(f"{one.rule} {one.name}: {one.problem}\n")
    print(f"{count} cases, {count - failed} hold, {failed} fail")
    return BROKEN if failed else CLEAN


def _rules_docs(options: argparse.Namespace) -> int:
    from ivpush.authoring.pages import pages

    made = pages(read_pack(options))
    for name, text in made.items():
        path: Path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    print(f"{len(made)} pages written")
    return CLEAN
