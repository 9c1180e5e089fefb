"""What commands share: exit statuses, options, the pack, the engine, and how to print."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.claim.selection import Selection
    from ivpush.engine import Engine
    from ivpush.pack.pack import Pack
    from ivpush.writers.text import Look

__all__ = [
    "BROKEN",
    "CLEAN",
    "INTERRUPTED",
    "ORDER",
    "PACK",
    "UNREAD",
    "USAGE",
    "add_engine",
    "add_look",
    "add_pack",
    "add_selection",
    "cache_folder",
    "choose",
    "make_engine",
    "make_look",
    "plain",
    "read_pack",
    "say",
    "settle",
]

CLEAN, BROKEN, USAGE, PACK, UNREAD, INTERRUPTED = 0, 1, 2, 3, 4, 130
ORDER = (INTERRUPTED, PACK, USAGE, UNREAD, BROKEN, CLEAN)
"""Which exit status speaks where several apply, first to last."""


def plain(text: str) -> str:
    """The text with what cannot be printed replaced, so that no control character gets out."""
    return "".join(one if one.isprintable() else "?" for one in text)


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options that make an engine: payer, policies, packs."""
    parser.add_argument("--payer", help="overlay of encounters that name no payer")
    parser.add_argument("--policy", action="append", default=[], metavar="NAME=VALUE",
                        help="set a policy; may be repeated")  # fmt: skip
    add_pack(parser)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the configuration and the rules that speak."""
    parser.add_argument("--config", metavar="FILE", type=Path,
                        help="configuration file instead of the one found")  # fmt: skip
    parser.add_argument("--no-config", action="store_true", help="use no configuration file")
    parser.add_argument("--select", action="append", default=[], metavar="RULE[,RULE]",
                        help="let only these rules speak: ids, names or starts of ids")  # fmt: skip
    parser.add_argument("--ignore", action="append", default=[], metavar="RULE[,RULE]",
                        help="keep these rules silent in this run")  # fmt: skip


def settle(options: argparse.Namespace) -> None:
    """Take the configuration into the options; what the command line says comes on top."""
    from ivpush.commands.configuration import Configuration, find_configuration, read_configuration

    found = None if options.no_config else options.config or find_configuration(Path())
    settled = read_configuration(found) if found is not None else Configuration()
    options.settled = settled
    options.config = found
    if options.payer is None:
        options.payer = settled.payer
    options.rules = [*settled.packs, *options.rules]
    policies = [f"{name}={value}" for name, value in settled.policies.items()]
    options.policy = [*policies, *options.policy]


def choose(options: argparse.Namespace, pack: Pack) -> Selection:
    """The rules that speak; an ignore that has ended is named and holds no more."""
    from ivpush.claim.selection import Ignore, select_rules

    select = _words(options.select) or options.settled.select
    ignore = [*options.settled.ignore, *(Ignore(one, "") for one in _words(options.ignore))]
    selection, ended = select_rules(pack.every_rule, select, ignore, date.today())
    for fault in ended:
        print(f"ivpush: {plain(str(fault))}", file=sys.stderr)
    return selection


def _words(given: Iterable[str]) -> list[str]:
    return [one.strip() for text in given for one in text.split(",") if one.strip()]


def add_pack(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the rule pack."""
    parser.add_argument("--rules", action="append", default=[], metavar="DIR", type=Path,
                        help="stack a folder of further rules; may be repeated")  # fmt: skip
    parser.add_argument("--no-cache", action="store_true", help="read the pack without its cache")


def add_look(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how text is printed."""
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("--ascii", action="store_true", help="use plain ASCII only")
    parser.add_argument("--show-text", action="store_true",
                        help="print the chart's own words, such as drug names")  # fmt: skip


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where parsed packs are kept between runs; None where no folder can be named."""
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if base:
        return Path(base) / "ivpush"
    home = environ.get("HOME")
    return Path(home) / ".cache" / "ivpush" if home else None


def read_pack(options: argparse.Namespace) -> Pack:
    """The pack that the options name."""
    from ivpush.pack.pack import Pack

    cache = None if options.no_cache else cache_folder(os.environ)
    return Pack.load(extra=tuple(options.rules), cache=cache)


def make_engine(options: argparse.Namespace) -> Engine:
    """The engine that the options describe; raises UsageError for what does not exist."""
    from ivpush.engine import Engine

    policies = {}
    for one in options.policy:
        name, sign, value = one.partition("=")
        if not sign:
            raise UsageError(Fault("--policy", "has no value", "write --policy NAME=VALUE"))
        policies[name] = value
    pack = read_pack(options)
    if options.payer is not None and options.payer not in pack.payers:
        raise UsageError(Fault("--payer", "has no overlay in this pack",
                               did_you_mean(options.payer, pack.payers)))  # fmt: skip
    return Engine(options.payer, policies=policies, pack=pack)


def make_look(options: argparse.Namespace) -> Look:
    """How to print on this terminal, as the options, NO_COLOR and the width say."""
    from ivpush.writers.text import Look

    out, environ = sys.stdout, os.environ
    terminal = out.isatty()
    colour = options.color == "always" or (
        options.color == "auto"
        and not environ.get("NO_COLOR")
        and (bool(environ.get("FORCE_COLOR")) or (terminal and environ.get("TERM") != "dumb"))
    )
    width = shutil.get_terminal_size((96, 24)).columns if terminal else 96
    if environ.get("COLUMNS", "").isdigit():
        width = int(environ["COLUMNS"])
    plain = options.ascii
    try:
        "→…—▏█".encode(out.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        plain = True
    return Look(max(40, min(width, 240)), colour, plain, options.show_text)


def say(text: str) -> int:
    """Write text to standard output in the encoding it has; gives the status of success."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    return CLEAN
