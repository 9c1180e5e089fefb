"""``ivpush rules``: list, show, check and test the rules, and write their pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ivpush.commands.common import BROKEN, CLEAN, add_pack, read_pack, say
from ivpush.commands.explain import show
from ivpush.errors import Fault, UsageError, did_you_mean

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``rules`` and its actions to the commands."""
    parser = commands.add_parser("rules", help="list, show, check and test the rules")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    for name, says, run in (
        ("list", "one line a rule", _rules_list),
        ("show", "one rule with its sources and cases", _rules_show),
        ("lint", "read the pack whole and report every fault", _rules_lint),
        ("test", "run the cases that the rules hold", _rules_test),
        ("docs", "write the generated pages into a folder", _rules_docs),
    ):
        action = actions.add_parser(name, help=says)
        if name == "show":
            action.add_argument("rule", metavar="RULE")
        if name == "test":
            action.add_argument("rule", metavar="RULE", nargs="?")
        if name == "docs":
            action.add_argument("folder", metavar="DIR", type=Path)
        if name == "list":
            action.add_argument("--format", choices=("text", "json"), default="text")
        add_pack(action)
        action.set_defaults(run=run)


def _rules_show(options: argparse.Namespace) -> int:
    return show(options.rule, read_pack(options))


def _rules_list(options: argparse.Namespace) -> int:
    rules = sorted(read_pack(options).rules, key=lambda one: one.id)
    if options.format == "json":
        import json

        rows = [{"id": one.id, "name": one.name, "severity": one.severity,
                 "disposition": one.disposition, "title": one.title,
                 "cites": list(one.cites)} for one in rules]  # fmt: skip
        return say(json.dumps(rows, indent=2) + "\n")
    for one in rules:
        say(f"{one.id}  {one.severity:<8} {one.name:<42} {one.title}\n")
    print(f"{len(rules)} rules", file=sys.stderr)
    return CLEAN


def _rules_lint(options: argparse.Namespace) -> int:
    options.no_cache = True
    pack = read_pack(options)
    cases = sum(len(rule.cases) for rule in pack.rules)
    print(f"{pack.name} {pack.version}: {len(pack.rules)} rules, {cases} cases, "
          f"{len(pack.codes)} codes, {len(pack.payers)} payers: no fault")  # fmt: skip
    return CLEAN


def _rules_test(options: argparse.Namespace) -> int:
    from ivpush.authoring import run_cases

    pack = read_pack(options)
    known = {key for rule in pack.rules for key in (rule.id, rule.name)}
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
    from ivpush.documents import pages

    made = pages(read_pack(options))
    for name, text in made.items():
        path: Path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    print(f"{len(made)} pages written")
    return CLEAN
