"""Runs the application: one process or several behind one socket, until told to stop.

``commands.serve`` calls ``run``. Each process builds its engine once; one that dies is replaced.
On SIGTERM or Ctrl-C no more requests are taken, and those begun are answered.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.supervisors import Multiprocess

from ivpush.errors import Fault, UsageError
from ivpush.web.app import create_app, make_metrics
from ivpush.web.guard import Guard
from ivpush.web.logs import LOGGING
from ivpush.web.settings import Settings

__all__ = ["config_of", "listen", "run"]

_BACKLOG = 2_048
_HEAD_SECONDS = 15
"""Until the head of a request has come; whoever sends it sign by sign holds a connection."""
_HEAD_BYTES = 32 * 1024
_IDLE_SECONDS = 5
"""Until a connection without a request is closed."""
_SILENT_SECONDS = 60
"""Until a process that says nothing is replaced; at its start it reads the pack."""
_STOP_SECONDS = 30
"""Until requests that were begun are cut off."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes calls; raises UsageError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        problem = f"cannot be listened on: {error.strerror or 'failed'}"
        remedy = "name an address of this machine and a free port"
        raise UsageError(Fault(f"{host}:{port}", problem, remedy)) from None


def run(settings: Settings, listening: socket.socket, workers: int) -> None:
    """Answer what comes to a socket, in so many processes, until told to stop."""
    config = config_of(partial(create_app, settings, make_metrics()), workers)
    if workers == 1:
        # uvicorn raises the signal again once all is answered, and its default would kill.
        signal.signal(signal.SIGTERM, _ended)
        uvicorn.Server(config).run(sockets=[listening])
    else:
        Multiprocess(config, sockets=[listening]).run()


def _ended(_number: int, _frame: FrameType | None) -> None:
    """Nothing is left to do: what was begun is answered."""


def config_of(make_app: Callable[[], Guard], workers: int) -> uvicorn.Config:
    """How uvicorn runs the application, which each process makes for itself."""
    return uvicorn.Config(
        make_app,
        factory=True,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        workers=workers,
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_worker_healthcheck=_SILENT_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which ends a connection whose next request does not come whole in time.

    uvicorn itself bounds only how long a connection may idle between requests.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on where the head is not whole yet."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._late is None:
            self._late = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
