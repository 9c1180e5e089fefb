"""``ivpush explain``: a rule, a code, another name of a result, or the result of an encounter.

``ivpush.__main__`` adds it; ``rules show`` prints a rule through ``show``. With ``--why-not`` it
says of each encounter of a file why a code was not suggested.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.commands.inputs import Intake, add_inputs
from ivpush.commands.options import (
    add_engine,
    add_look,
    add_selection,
    make_engine,
    plain,
    read_pack,
    say,
    settle,
)
from ivpush.commands.parser import Parser
from ivpush.commands.terminal import for_terminal
from ivpush.errors import Fault, UsageError, did_you_mean, nearest_word

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
    from ivpush.pack.pack import Pack

__all__ = ["add", "show"]


def add(commands: Commands) -> None:
    """Add ``explain`` to the commands."""
    parser = commands.add_parser(
        "explain",
        help="explain a rule, a code, a source, a policy, a payer, a fact or a result",
    )
    parser.add_argument(
        "what",
        metavar="NAME|FILE",
        help="a rule, code, source, policy, payer or fact by its name; or a file of encounters",
    )
    parser.add_argument(
        "--why-not",
        metavar="CODE",
        help="say which condition of a code fails in each encounter of the file, and on which fact",
    )
    add_inputs(parser)
    add_selection(parser)
    add_engine(parser)
    add_look(parser)
    parser.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> int:
    if options.why_not is not None:
        return _explain_code(options)
    if Path(options.what).is_file() or options.what == "-":
        return _explain_file(options)
    from ivpush.authoring.catalogue import code_page
    from ivpush.authoring.glossary import glossary_page

    settle(options)
    pack = read_pack(options)
    code = options.what.upper()
    if code in pack.codes:
        return say(for_terminal(code_page(pack.codes[code], pack)))
    page = glossary_page(options.what, pack)
    return show(options.what, pack) if page is None else say(for_terminal(page))


def _explain_file(options: argparse.Namespace) -> int:
    """The results of a file, explained step by step: a run of ``check`` with its other defaults."""
    from ivpush.commands import check

    parser = Parser()
    check.add(parser.add_subparsers())
    # The file named here is only there because check asks for one.
    words = ["check", "--explain", "--exit-zero", "--format", "text", "-"]
    check_options = parser.parse_args(words)
    for name, value in vars(options).items():
        if name != "run":
            setattr(check_options, name, value)
    check_options.files = [options.what]
    return check.check(check_options)


def _explain_code(options: argparse.Namespace) -> int:
    """Why a code was not suggested for the encounters of a file."""
    from ivpush.writers.why_not import why_not, why_not_page

    settle(options)
    options.files = [options.what]
    engine = make_engine(options)
    code = options.why_not.upper()
    if code not in engine.pack.codes:
        remedy = did_you_mean(code, engine.pack.codes)
        fault = Fault(f"'{plain(options.why_not[:60])}'", "is no code of this pack", remedy)
        raise UsageError(fault)
    intake = Intake(options, payer=options.payer)
    for record in intake.records():
        say(for_terminal(why_not_page(why_not(engine, record.encounter, code))))
    return intake.close()


def show(name: str, pack: Pack) -> int:
    """Print one rule by id or name; raises UsageError where there is none."""
    from ivpush.authoring.catalogue import rule_page
    from ivpush.authoring.glossary import words_explained

    rules = pack.rules_by_word
    # Ids are in capitals and names in small letters.
    rule = rules.get(name) or rules.get(name.upper())
    if rule is None:
        near = nearest_word(name, [*rules, *pack.codes, *words_explained(pack)])
        remedy = f"did you mean '{near}'?" if near else "list the rules: ivpush rules list"
        problem = "is no rule, code, source, policy, payer, fact or file"
        raise UsageError(Fault(f"'{plain(name[:60])}'", problem, remedy))
    return say(for_terminal(rule_page(rule, pack)))
