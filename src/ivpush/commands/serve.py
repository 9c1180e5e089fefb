"""``ivpush serve``: the local workbench and the REST API.

``ivpush.__main__`` adds it; ``ivpush.web`` does the work and needs the extra ``web``.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ivpush.commands.options import (
    CLEAN,
    add_engine,
    add_selection,
    cache_of,
    choose,
    make_engine,
    settle,
    tell,
)
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from ivpush.batch.plan import EngineOptions
    from ivpush.commands.options import Commands
    from ivpush.web.settings import Settings

__all__ = ["add"]

_HOST, _PORT = "127.0.0.1", 8321


def add(commands: Commands) -> None:
    """Add ``serve`` to the commands."""
    parser = commands.add_parser("serve", help="run the workbench and the REST API")
    group = parser.add_argument_group("who may call it")
    group.add_argument(
        "--host",
        default=_HOST,
        metavar="ADDRESS",
        help=f"address to listen on (default {_HOST}, this machine alone; any other needs a token)",
    )
    group.add_argument(
        "--port",
        type=int,
        default=_PORT,
        help=f"port to listen on (default {_PORT}; 0 takes a free one)",
    )
    group.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name by which it may be called, such as a proxy's; may be repeated",
    )
    group.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="file with the token that callers must show",
    )
    group = parser.add_argument_group("what it grants")
    group.add_argument("--workers", type=int, default=1, help="processes that answer (default 1)")
    group.add_argument(
        "--body-bytes", type=int, metavar="N", help="most bytes of a body (default 10 MiB)"
    )
    group.add_argument(
        "--seconds", type=int, metavar="N", help="most seconds of a request (default 30)"
    )
    add_engine(parser)
    add_selection(parser)
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    settle(options)
    processes = _processes()
    settings = _settings(options)
    if options.workers < 1:
        raise UsageError(Fault("workers", "is too small", "write 1 or more"))
    if not 0 <= options.port < 65_536:
        raise UsageError(Fault("--port", "is no port", "write one from 0 to 65535"))
    with processes.listen(options.host, options.port) as listening:
        port = listening.getsockname()[1]
        shown = f"[{options.host}]" if ":" in options.host else options.host
        tell(f"http://{shown}:{port}/ is answered until Ctrl-C")
        processes.run(settings, listening, options.workers)
    return CLEAN


def _processes() -> ModuleType:
    """The module that runs servers; raises UsageError where its extra is not installed."""
    try:
        return import_module("ivpush.web.processes")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("ivpush"):
            raise
        problem, remedy = f"needs {error.name}", "install ivpush[web]"
        raise UsageError(Fault("serve", problem, remedy)) from None


def _settings(options: argparse.Namespace) -> Settings:
    """The settings that the options describe; raises UsageError for what does not fit."""
    from ivpush.web.settings import Limits, Settings

    limits = {
        name: value
        for name in ("body_bytes", "seconds")
        if (value := getattr(options, name)) is not None
    }
    own = f"[{options.host}]" if ":" in options.host else options.host
    hosts = {*Settings().hosts, own, *(name.lower() for name in options.allow_host)}
    return Settings(
        engine=_engine(options),
        limits=Limits(**limits),
        hosts=tuple(sorted(hosts)),
        token=_token(options.token_file),
    )


def _engine(options: argparse.Namespace) -> EngineOptions:
    """How every process builds its engine; what does not exist is refused before any starts."""
    from ivpush.batch.plan import EngineOptions

    engine = make_engine(options)
    cache = cache_of(options)
    return EngineOptions(
        payer=engine.payer,
        policies=engine.policies,
        packs=tuple(map(str, options.rules)),
        cache=str(cache) if cache is not None else None,
        silent=choose(options, engine.pack),
    )


def _token(file: Path | None) -> str | None:
    """The token in a file: its first line; raises UsageError where it cannot be read."""
    if file is None:
        return None
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError):
        remedy = "name a file that holds the token in ASCII"
        raise UsageError(Fault(str(file), "cannot be read", remedy)) from None
