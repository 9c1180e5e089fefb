"""``ivpush explain``: a rule, a code, or the result of an encounter.

``ivpush.__main__`` adds it; ``rules show`` prints a rule through ``show``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.commands.inputs import add_inputs
from ivpush.commands.options import (
    add_engine,
    add_look,
    add_selection,
    plain,
    read_pack,
    say,
    settle,
)
from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
    from ivpush.pack.pack import Pack

__all__ = ["add", "show"]


def add(commands: Commands) -> None:
    """Add ``explain`` to the commands."""
    parser = commands.add_parser("explain", help="explain a rule, a code, or an encounter's result")
    parser.add_argument("what", metavar="RULE|CODE|FILE")
    add_inputs(parser)
    add_selection(parser)
    add_engine(parser)
    add_look(parser)
    parser.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> int:
    if Path(options.what).is_file() or options.what == "-":
        return _explain_file(options)
    from ivpush.authoring.catalogue import code_page

    settle(options)
    pack = read_pack(options)
    code = options.what.upper()
    if code in pack.codes:
        return say(code_page(pack.codes[code], pack))
    return show(options.what, pack)


def _explain_file(options: argparse.Namespace) -> int:
    """The results of a file, explained step by step: a run of ``check`` with its other defaults."""
    from ivpush.commands import check

    parser = argparse.ArgumentParser()
    check.add(parser.add_subparsers())
    # The file named here is only there because check asks for one.
    words = ["check", "--explain", "--exit-zero", "--format", "text", "-"]
    check_options = parser.parse_args(words)
    for name, value in vars(options).items():
        if name != "run":
            setattr(check_options, name, value)
    check_options.files = [options.what]
    return check.check(check_options)


def show(name: str, pack: Pack) -> int:
    """Print one rule by id or name; raises UsageError where there is none."""
    from ivpush.authoring.catalogue import rule_page

    rules = {key: rule for rule in pack.every_rule for key in (rule.id, rule.name)}
    # Ids are in capitals and names in small letters.
    rule = rules.get(name) or rules.get(name.upper())
    if rule is None:
        remedy = did_you_mean(name, [*rules, *pack.codes])
        raise UsageError(Fault(f"'{plain(name[:60])}'", "is no rule, code or file", remedy))
    return say(rule_page(rule, pack))
