"""``ivpush rules``: list, show, check, test, mutate, compare and write rules, and their pages.

``ivpush.__main__`` adds it. Each action is a function here; the work is done by
``ivpush.authoring``, and here its results are printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ivpush.commands.explain import show
from ivpush.commands.options import BROKEN, CLEAN, add_pack, read_pack, say
from ivpush.errors import Fault, PackError, UsageError, did_you_mean
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.authoring.mutation import Survey
    from ivpush.commands.options import Commands
    from ivpush.commands.parser import Parser
    from ivpush.pack.pack import Pack
    from ivpush.pack.rule import Rule

__all__ = ["add"]

_MOST_WORKERS = 64

Action = Callable[[argparse.Namespace], int]


def add(commands: Commands) -> None:
    """Add ``rules`` and its actions to the commands."""
    parser = commands.add_parser("rules", help="list, show, check, test, compare and write rules")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")

    def action(name: str, run: Action, does: str) -> Parser:
        parser = actions.add_parser(name, help=does)
        add_pack(parser)
        parser.set_defaults(run=run)
        return parser

    _list_options(action("list", _list, "one line a rule, or what a payer changes"))
    parser = action("show", _show, "one rule with its sources and cases")
    parser.add_argument("rule", metavar="RULE", help="its id or name")
    action("lint", _lint, "read the pack whole, report every fault, and advise")
    parser = action("test", _test, "run the cases that the rules hold")
    parser.add_argument("rule", metavar="RULE", nargs="?", help="one rule (default: all)")
    does = "also list the conditions that no case shows to decide, true and false (MC/DC)"
    parser.add_argument("--coverage", action="store_true", help=does)
    does = "change rules and data one thing at a time; list what no case notices"
    _mutate_options(action("mutate", _mutate, does))
    does = "write the frame of a new rule, with the next free id of its room"
    _new_options(action("new", _new, does))
    parser = action("diff", _diff, "what changed between two packs")
    _add_format(parser)
    parser.add_argument("old", metavar="OLD", type=Path, help="folder of the earlier pack")
    parser.add_argument("new", metavar="NEW", type=Path, help="folder of the later pack")
    parser = action("schema", _schema, "JSON Schema of a rule file or an overlay, for editors")
    parser.add_argument(
        "kind",
        choices=("rule", "pins", "overlay"),
        nargs="?",
        default="rule",
        help="which file (default rule)",
    )
    parser = action("docs", _docs, "write the generated pages into a folder")
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the pages are written")


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of what is printed"
    )


def _list_options(parser: argparse.ArgumentParser) -> None:
    _add_format(parser)
    parser.add_argument("--payer", help="only what this payer's overlay changes")
    parser.add_argument("--room", help="only the rules of one room")


def _mutate_options(parser: argparse.ArgumentParser) -> None:
    _add_format(parser)
    parser.add_argument("rule", metavar="RULE", nargs="*", help="rules (default: all)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="work in N processes")
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="FILE",
        help="encounters with their published lines",
    )


def _new_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("room", metavar="ROOM", help="the folder below checks, such as record")
    parser.add_argument("name", metavar="NAME", help="what the rule flags, such as dose-missing")
    parser.add_argument(
        "--into",
        metavar="DIR",
        type=Path,
        default=Path("rules"),
        help="the folder of the pack (default: rules)",
    )


# What the actions share


def _say_json(data: Any) -> int:
    import json

    return say(json.dumps(data, indent=2) + "\n")


def _require_rules(names: Iterable[str], pack: Pack) -> None:
    """Raises UsageError for a name that is no rule's id or name."""
    known = pack.rules_by_word
    for name in names:
        if name not in known:
            raise UsageError(Fault("RULE", "is not in the pack", did_you_mean(name, known)))


# Looking at rules


def _show(options: argparse.Namespace) -> int:
    return show(options.rule, read_pack(options))


def _list(options: argparse.Namespace) -> int:
    pack = read_pack(options)
    if options.payer is not None:
        return _list_payer(options, pack)
    rules = _rules_of(options.room, pack)
    if options.format == "json":
        return _say_json([_rule_row(rule) for rule in rules])
    for rule in rules:
        say(f"{rule.id}  {rule.severity:<8} {rule.name:<42} {rule.title}\n")
    print(counted(len(rules), "rule"), file=sys.stderr)
    return CLEAN


def _rules_of(room: str | None, pack: Pack) -> Sequence[Rule]:
    """The rules of one room or of all, by id; the first digit of an id is its room's."""
    from ivpush.pack.rule import ROOMS

    if room is not None and room not in ROOMS:
        raise UsageError(Fault("--room", "is no room", did_you_mean(room, ROOMS)))
    digit = "" if room is None else ROOMS[room]
    # An id is three letters and three digits: IVP104 is of the room whose digit is 1.
    rules = [rule for rule in pack.rules if rule.id[3:].startswith(digit)]
    return sorted(rules, key=lambda rule: rule.id)


def _rule_row(rule: Rule) -> Mapping[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "disposition": rule.disposition,
        "title": rule.title,
        "cites": list(rule.cites),
    }


def _list_payer(options: argparse.Namespace, pack: Pack) -> int:
    """What an overlay changes, each beside the value of the base pack."""
    from ivpush.authoring.diff import payer_rows

    pack.require_payer(options.payer)
    rows = payer_rows(pack.payers[options.payer], pack)
    if options.format == "json":
        return _say_json(rows)
    for row in rows:
        say(f"{row['kind']:<9} {row['name']:<42} {row['base']} -> {row['payer']}\n")
    print(counted(len(rows), "change"), file=sys.stderr)
    return CLEAN


def _diff(options: argparse.Namespace) -> int:
    from ivpush.authoring.diff import as_row, changes

    changed = list(changes(_pack_in(options.old), _pack_in(options.new)))
    if options.format == "json":
        return _say_json([as_row(change) for change in changed])
    for change in changed:
        say(f"{change.text}\n")
    print(counted(len(changed), "change"), file=sys.stderr)
    return CLEAN


def _pack_in(folder: Path) -> Pack:
    """One of two packs; its faults name the folder, or nobody knows which of them is unfit."""
    from ivpush.pack.pack import Pack

    try:
        return Pack.load(folder)
    except PackError as error:
        remedy = "compare a pack of another ivpush with the ivpush that it came with"
        unfit = Fault(str(folder), "is no pack that this ivpush reads", remedy)
        raise PackError([*error.faults, unfit]) from None


# Checking rules


def _lint(options: argparse.Namespace) -> int:
    from ivpush.authoring.advice import advice

    # A pack from the cache was checked when it was put there; lint checks it again.
    options.no_cache = True
    pack = read_pack(options)
    cases = counted(sum(len(rule.every_case) for rule in pack.rules), "case")
    pieces = list(advice(pack))
    for piece in pieces:
        say(f"advice: {piece}\n")
    print(
        f"{pack.name} {pack.version}: {counted(len(pack.rules), 'rule')}, {cases}, "
        f"{counted(len(pack.codes), 'code')}, {counted(len(pack.payers), 'payer')}: no fault, "
        f"advice: {len(pieces)}"
    )
    return CLEAN


def _test(options: argparse.Namespace) -> int:
    from ivpush.authoring.cases import run_cases

    pack = read_pack(options)
    _require_rules(filter(None, (options.rule,)), pack)
    count = failed = 0
    for case in run_cases(pack, options.rule):
        count += 1
        if case.problem:
            failed += 1
            say(f"{case.rule} {case.name}: {case.problem}\n")
    print(f"{counted(count, 'case')} = {count - failed:,} held + {failed:,} failed")
    if options.coverage:
        _say_coverage(pack, options.rule)
    return BROKEN if failed else CLEAN


def _say_coverage(pack: Pack, only: str | None) -> None:
    """The conditions that no case shows to decide, then how many there are."""
    from ivpush.authoring.coverage import coverage_of

    conditions = list(coverage_of(pack, only))
    for condition in conditions:
        if condition.not_shown:
            say(f"{condition}\n")
    both = sum(not condition.not_shown for condition in conditions)
    unknowable = [condition for condition in conditions if condition.may_be_unknown]
    opened = sum(None in condition.shown for condition in unknowable)
    print(
        f"{counted(len(conditions), 'condition')}: {both:,} decide both ways in some case; "
        f"{opened:,} of the {len(unknowable):,} that may be unknown leave a case open"
    )


def _mutate(options: argparse.Namespace) -> int:
    from ivpush.authoring.mutation import survey

    # As for lint: what is changed is what stands in the files now.
    options.no_cache = True
    pack = read_pack(options)
    _require_rules(options.rule, pack)
    if not 1 <= options.workers <= _MOST_WORKERS:
        raise UsageError(Fault("--workers", "is out of range", f"write 1 to {_MOST_WORKERS}"))
    scenarios = [] if options.scenarios is None else _scenarios(options.scenarios)
    began = perf_counter()
    outcome = survey(pack, options.rule, scenarios, options.workers)
    seconds = perf_counter() - began
    if options.format == "json":
        _say_json(_survey_row(outcome, seconds))
    else:
        _say_survey(outcome, seconds)
    return BROKEN if outcome.survivors or outcome.idle_marks else CLEAN


def _scenarios(path: Path) -> list[dict[str, Any]]:
    import json

    try:
        lines = path.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError):
        remedy = "name a file of one JSON object a line"
        raise UsageError(Fault("--scenarios", "cannot be read", remedy)) from None


def _survey_row(outcome: Survey, seconds: float) -> Mapping[str, Any]:
    return {
        "mutants": outcome.mutants,
        **outcome.counts,
        "percent": round(outcome.percent, 2),
        "survivors": list(outcome.survivors),
        "idle_marks": list(outcome.idle_marks),
        "seconds": round(seconds, 1),
    }


def _say_survey(outcome: Survey, seconds: float) -> None:
    for label in outcome.survivors:
        say(f"survived: {label}\n")
    for label in outcome.idle_marks:
        say(f"marked equivalent, yet killed or not made: {label}\n")
    counts = outcome.counts
    print(
        f"{outcome.mutants} mutants: {counts['killed']} killed by cases, "
        f"{counts['refused']} refused by the pack's own checks, "
        f"{counts['equivalent']} marked equivalent, {counts['survived']} survive: "
        f"{outcome.percent:.1f} % noticed, in {seconds:.0f} s"
    )


# Writing


def _new(options: argparse.Namespace) -> int:
    from ivpush.authoring.new_rule import frame

    if not options.into.is_dir():
        raise UsageError(Fault("--into", "is no folder", "name the folder of the pack"))
    name, text = frame(options.room, options.name, read_pack(options))
    path: Path = options.into / name
    path.parent.mkdir(parents=True, exist_ok=True)
    # x: a rule that somebody has begun is not written over.
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return say(f"{path}\n")


def _schema(options: argparse.Namespace) -> int:
    from ivpush.authoring.schema import overlay_schema, pins_schema, rule_schema

    schemas = {"rule": rule_schema, "pins": pins_schema, "overlay": overlay_schema}
    return _say_json(schemas[options.kind](read_pack(options)))


def _docs(options: argparse.Namespace) -> int:
    from ivpush.authoring.pages import pages

    pages_by_name = pages(read_pack(options))
    for name, text in pages_by_name.items():
        path: Path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    print(f"{len(pages_by_name)} pages written")
    return CLEAN
