"""Settings that every test shares: how Hypothesis draws its examples.

``IVPUSH_EXAMPLES=5000`` draws more (or fewer) than the usual 200; with ``CI`` set, the examples
are the same in every run, so that a red run is red because of the change. ``IVPUSH_SHRINK=0``
reports a counterexample as it was found: whole encounters take minutes to shrink.

No test may reach a network: a connection to another machine fails the test that opens it.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

SHRINKS = os.environ.get("IVPUSH_SHRINK") != "0"
settings.register_profile(
    "ivpush",
    max_examples=int(os.environ.get("IVPUSH_EXAMPLES", "200")),
    derandomize=os.environ.get("CI", "") not in {"", "0", "false"},
    phases=[phase for phase in Phase if SHRINKS or phase is not Phase.shrink],
    deadline=None,  # a shared machine is no stopwatch
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ivpush")


_connect = socket.socket.connect


def _connect_here(self: socket.socket, address: Any) -> None:
    """Connect to this machine only; Spark and pools of processes talk to themselves."""
    if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
        pytest.fail("a test opened a connection to another machine")
    _connect(self, address)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _connect_here)
        yield
