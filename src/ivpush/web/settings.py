"""How a server is set up: its engine, its limits, who may call it.

``commands.serve`` and whoever embeds ``app.create_app`` make a ``Settings``; every process of the
server is given the same one.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from ivpush.batch.plan import EngineOptions
from ivpush.errors import Fault, UsageError, require_count

__all__ = ["Limits", "Settings", "is_loopback"]

LEAST_TOKEN = 16
"""Signs of a token; a shorter one could be tried out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process of the server grants; raises UsageError for what grants nothing."""

    body_bytes: int = 10 * 1024 * 1024
    """Bytes of a request's body; of a batch, of one line."""
    unpacked_bytes: int = 64 * 1024 * 1024
    """Bytes to which a workbook may unpack; nothing else that is packed is taken."""
    seconds: int = 30
    """Until a request is answered; of a batch, until more of it comes or its answer is taken."""
    requests: int = 1_000
    """Requests at the same time; further ones are asked to come again."""
    threads: int = 4
    """Checks at the same time."""
    records: int = 1_000
    """Records of one request that is no batch."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            require_count(name, getattr(self, name), least=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with.

    In use::

        app = create_app(Settings(EngineOptions(payer="medicare")))

    Raises UsageError for a host name beyond this machine without a token, and for a short token.
    """

    engine: EngineOptions = field(default_factory=EngineOptions)
    limits: Limits = field(default_factory=Limits)
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Names by which it may be called; any other may be that of a page that rebinds its own."""
    token: str | None = field(default=None, repr=False)
    """What a caller must show; None where only this machine can call."""

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            remedy = f"write {LEAST_TOKEN} signs or more"
            raise UsageError(Fault("token", "is too short", remedy))
        if self.token is None and not all(map(is_loopback, self.hosts)):
            problem = "names another machine than this one, and no token is set"
            raise UsageError(Fault("hosts", problem, "set a token, which callers must show"))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, seen from itself."""
    name = host.removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
