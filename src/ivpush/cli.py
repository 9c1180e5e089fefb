"""The command line: ``ivpush check | explain | rules``.

Exit status: 0 clean; 1 violations at or above ``--fail-on``; 2 bad usage or missing input; 3 a rule
pack that is not fit to be used; 4 some records could not be read; 130 interrupted. Where several
apply: 130, 3, 2, 4, 1. Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ivpush import __version__
from ivpush.errors import Fault, IvpushError, PackError, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.engine import Engine, Worked
    from ivpush.models import Encounter
    from ivpush.pack import Pack
    from ivpush.readers.json import SetAside
    from ivpush.writers.text import Look

__all__ = ["main"]

CLEAN, BROKEN, USAGE, PACK, UNREAD, INTERRUPTED = 0, 1, 2, 3, 4, 130
_ORDER = (INTERRUPTED, PACK, USAGE, UNREAD, BROKEN, CLEAN)
_LEVELS = {"error": 0, "warning": 1, "info": 2, "never": -1}
_FORMATS = ("text", "json", "ndjson")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status, and never a traceback for a user's mistake."""
    options = _parser().parse_args(argv)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except PackError as error:
        return _complain(error, PACK)
    except IvpushError as error:
        return _complain(error, USAGE)
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not flush into the void at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except KeyboardInterrupt:
        return INTERRUPTED


def _complain(error: IvpushError, status: int) -> int:
    for fault in error.faults:
        print(f"ivpush: {_plain(str(fault))}", file=sys.stderr)
    return status


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ivpush", description="Check injection and infusion claims against the chart."
    )
    parser.add_argument("--version", action="version", version=f"ivpush {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_explain(commands)
    _add_rules(commands)
    return parser


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--payer", help="overlay of encounters that name no payer")
    parser.add_argument("--policy", action="append", default=[], metavar="NAME=VALUE",
                        help="set a policy; may be repeated")  # fmt: skip
    _add_pack(parser)


def _add_pack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rules", action="append", default=[], metavar="DIR", type=Path,
                        help="stack a folder of further rules; may be repeated")  # fmt: skip
    parser.add_argument("--no-cache", action="store_true", help="read the pack without its cache")


def _add_look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("--ascii", action="store_true", help="use plain ASCII only")
    parser.add_argument("--show-text", action="store_true",
                        help="print the chart's own words, such as drug names")  # fmt: skip


def _add_check(commands: Any) -> None:
    parser = commands.add_parser("check", help="suggest codes, find what is wrong, mend the claim")
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="JSON object, array or NDJSON; - reads standard input")  # fmt: skip
    parser.add_argument("--format", choices=_FORMATS, default="text")
    parser.add_argument("--fix", action="store_true",
                        help="write encounters with corrected claims, one a line")  # fmt: skip
    parser.add_argument("--fail-on", choices=tuple(_LEVELS), default="error",
                        help="lowest severity that makes the exit status 1")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="violations leave the status 0")
    parser.add_argument("--explain", action="store_true", help="text: tell why, step by step")
    _add_engine(parser)
    _add_look(parser)
    parser.set_defaults(run=_check)


def _add_explain(commands: Any) -> None:
    parser = commands.add_parser("explain", help="explain a rule, a code, or an encounter's result")
    parser.add_argument("what", metavar="RULE|CODE|FILE")
    _add_engine(parser)
    _add_look(parser)
    parser.set_defaults(run=_explain)


def _add_rules(commands: Any) -> None:
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
        _add_pack(action)
        action.set_defaults(run=run)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where parsed packs are kept between runs; None where no folder can be named."""
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    if base:
        return Path(base) / "ivpush"
    home = environ.get("HOME")
    return Path(home) / ".cache" / "ivpush" if home else None


def _pack(options: argparse.Namespace) -> Pack:
    from ivpush.pack import Pack

    cache = None if options.no_cache else cache_folder(os.environ)
    return Pack.load(extra=tuple(options.rules), cache=cache)


def _engine(options: argparse.Namespace) -> Engine:
    from ivpush.engine import Engine

    policies = {}
    for one in options.policy:
        name, sign, value = one.partition("=")
        if not sign:
            raise UsageError(Fault("--policy", "has no value", "write --policy NAME=VALUE"))
        policies[name] = value
    pack = _pack(options)
    if options.payer is not None and options.payer not in pack.payers:
        raise UsageError(Fault("--payer", "has no overlay in this pack",
                               did_you_mean(options.payer, pack.payers)))  # fmt: skip
    return Engine(options.payer, policies=policies, pack=pack)


def _look(options: argparse.Namespace) -> Look:
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


class _Run:
    """One run of ``check``: its counts and its worst status."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.checked = self.set_aside = self.waiting = 0
        self.statuses = {CLEAN}

    def records(self) -> Iterator[Encounter]:
        """Every readable encounter of every file; the others are reported and counted."""
        from ivpush.readers.json import SetAside

        for name in self.options.files:
            for one in self._read(name):
                if isinstance(one, SetAside):
                    self.set_aside += 1
                    self.statuses.add(UNREAD)
                    for fault in one.error.faults:
                        print(f"ivpush: {_plain(one.place)}: {_plain(str(fault))}", file=sys.stderr)
                else:
                    self.checked += 1
                    yield one

    def _read(self, name: str) -> Iterator[Encounter | SetAside]:
        from ivpush.readers.json import read

        if name == "-":
            yield from read("-", sys.stdin.buffer)
            return
        try:
            with Path(name).open("rb") as stream:
                yield from read(name, stream)
        except OSError as error:
            self.statuses.add(USAGE)
            print(f"ivpush: {_plain(name)}: {error.strerror or 'cannot be read'}; name a file "
                  "that can be read", file=sys.stderr)  # fmt: skip

    def judge(self, work: Worked) -> None:
        """Take a result into the exit status."""
        worst = _LEVELS[self.options.fail_on]
        if not self.options.exit_zero and any(
            _LEVELS[one.severity] <= worst for one in work.result.violations
        ):
            self.statuses.add(BROKEN)

    def close(self) -> int:
        """Print the counts; gives the exit status."""
        read = self.checked + self.set_aside
        waiting = f"; {self.waiting} claim(s) wait for an answer" if self.waiting else ""
        print(f"{read} in = {self.checked} checked + {self.set_aside} set aside{waiting}",
              file=sys.stderr)  # fmt: skip
        return next(status for status in _ORDER if status in self.statuses)


def _check(options: argparse.Namespace) -> int:
    engine, run = _engine(options), _Run(options)
    write = _mended if options.fix else {"text": _texts, "json": _array, "ndjson": _lines}[
        options.format]  # fmt: skip
    try:
        write(_works(engine, run), run)
    except KeyboardInterrupt:
        run.statuses.add(INTERRUPTED)
        print("ivpush: interrupted; what was written is whole, the rest was not read",
              file=sys.stderr)  # fmt: skip
    return run.close()


def _works(engine: Engine, run: _Run) -> Iterator[Worked]:
    for encounter in run.records():
        work = engine.work(encounter)
        run.judge(work)
        yield work


def _texts(works: Iterator[Worked], run: _Run) -> None:
    from ivpush.writers.text import render

    look = _look(run.options)
    for number, work in enumerate(works):
        text = render(work, look, explain=run.options.explain)
        sys.stdout.write(("\n" if number else "") + text)


def _lines(works: Iterator[Worked], run: _Run) -> None:
    out = _bytes_out()
    for work in works:
        out.write(work.result.to_json() + b"\n")


def _array(works: Iterator[Worked], run: _Run) -> None:
    """An array with indented results, written as they come."""
    out, sign = _bytes_out(), b"["
    try:
        for work in works:
            out.write(sign + b"\n" + work.result.to_json(indent=2))
            sign = b","
    finally:
        out.write(b"[]\n" if sign == b"[" else b"\n]\n")


def _mended(works: Iterator[Worked], run: _Run) -> None:
    out = _bytes_out()
    for work in works:
        corrected = work.result.corrected
        if corrected is None:
            run.waiting += 1
            corrected = work.encounter.lines or ()
        if work.encounter.lines is None:
            out.write(work.encounter.model_dump_json(exclude_none=True).encode() + b"\n")
            continue
        mended = work.encounter.model_copy(update={"lines": corrected})
        out.write(mended.model_dump_json(exclude_none=True).encode() + b"\n")


def _bytes_out() -> IO[bytes]:
    sys.stdout.flush()
    return sys.stdout.buffer


def _explain(options: argparse.Namespace) -> int:
    if Path(options.what).is_file() or options.what == "-":
        options.files, options.format, options.fix = [options.what], "text", False
        options.fail_on, options.exit_zero, options.explain = "error", True, True
        return _check(options)
    from ivpush.documents import code_page

    pack = _pack(options)
    wanted = options.what.upper()
    if wanted in pack.codes:
        return _say(code_page(pack.codes[wanted], pack))
    return _show(options.what, pack)


def _say(text: str) -> int:
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    return CLEAN


def _show(name: str, pack: Pack) -> int:
    from ivpush.documents import rule_page

    rules = {key: rule for rule in pack.rules for key in (rule.id, rule.name)}
    rule = rules.get(name) or rules.get(name.upper())
    if rule is None:
        known = [*rules, *pack.codes]
        raise UsageError(Fault(f"'{_plain(name[:60])}'", "is no rule, code or file",
                               did_you_mean(name, known)))  # fmt: skip
    return _say(rule_page(rule, pack))


def _rules_show(options: argparse.Namespace) -> int:
    return _show(options.rule, _pack(options))


def _rules_list(options: argparse.Namespace) -> int:
    rules = sorted(_pack(options).rules, key=lambda one: one.id)
    if options.format == "json":
        import json

        rows = [{"id": one.id, "name": one.name, "severity": one.severity,
                 "disposition": one.disposition, "title": one.title,
                 "cites": list(one.cites)} for one in rules]  # fmt: skip
        return _say(json.dumps(rows, indent=2) + "\n")
    for one in rules:
        _say(f"{one.id}  {one.severity:<8} {one.name:<42} {one.title}\n")
    print(f"{len(rules)} rules", file=sys.stderr)
    return CLEAN


def _rules_lint(options: argparse.Namespace) -> int:
    options.no_cache = True
    pack = _pack(options)
    cases = sum(len(rule.cases) for rule in pack.rules)
    print(f"{pack.name} {pack.version}: {len(pack.rules)} rules, {cases} cases, "
          f"{len(pack.codes)} codes, {len(pack.payers)} payers: no fault")  # fmt: skip
    return CLEAN


def _rules_test(options: argparse.Namespace) -> int:
    from ivpush.authoring import run_cases

    pack = _pack(options)
    known = {key for rule in pack.rules for key in (rule.id, rule.name)}
    if options.rule is not None and options.rule not in known:
        raise UsageError(Fault("RULE", "is not in the pack", did_you_mean(options.rule, known)))
    count = failed = 0
    for one in run_cases(pack, options.rule):
        count += 1
        if one.problem:
            failed += 1
            _say(f"{one.rule} {one.name}: {one.problem}\n")
    print(f"{count} cases, {count - failed} hold, {failed} fail")
    return BROKEN if failed else CLEAN


def _rules_docs(options: argparse.Namespace) -> int:
    from ivpush.documents import pages

    made = pages(_pack(options))
    for name, text in made.items():
        path: Path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    print(f"{len(made)} pages written")
    return CLEAN
