"""``ivpush serve``: what it refuses before it starts, and how several processes answer and end."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ivpush import Engine
from ivpush.__main__ import _parser
from tests.commands.cli import ROOT, environment
from tests.shipped import PACK
from tests.web.conftest import MISSING

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
EXAMPLE = (ROOT / "examples/office-infusion.json").read_bytes()
ROW = json.dumps(json.loads(EXAMPLE)).encode() + b"\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "0.0.0.0"), "no token is set"),
        (("--allow-host", "claims.example.org"), "no token is set"),
        (("--token-file", "short"), "is too short"),
        (("--token-file", "missing"), "cannot be read"),
        (("--workers", "0"), "write 1 or more"),
        (("--port", "70000"), "is no port"),
        (("--seconds", "0"), "write 1 or more"),
        (("--payer", "nobody"), "has no overlay"),
        (("--host", "192.0.2.1", "--token-file", "long"), "cannot be listened on"),
    ],
)
def test_what_would_not_be_safe_or_right_is_refused(
    ivpush: Any, words: tuple[str, ...], said: str
) -> None:
    Path("short").write_text("secret")
    Path("long").write_text("0123456789abcdef0123456789abcdef\n")
    run = ivpush("serve", *words)
    assert run.status == 2
    assert said in run.err
    assert "0123456789" not in run.err


def test_the_examples_start_it_with_options_that_it_has() -> None:
    deploy = ROOT / "examples/deploy"
    unit = re.search(r"^ExecStart=(.*)$", (deploy / "ivpush.service").read_text("utf-8"), re.M)
    container = (deploy / "Containerfile").read_text("utf-8")
    entry = re.search(r"^ENTRYPOINT (\[.*?\])$", container.replace("\\\n", ""), re.M)
    assert unit is not None and entry is not None
    for words in (shlex.split(unit[1]), json.loads(entry[1])):
        options = _parser().parse_args(words[1:])
        assert words[0] == "/opt/ivpush/bin/ivpush"
        # Whoever is not on this machine alone must show a token.
        assert options.token_file is not None and options.workers > 1


def test_without_its_extra_it_says_which(ivpush: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.startswith("ivpush.web"):
            monkeypatch.delitem(sys.modules, name)
    # The package holds what is loaded anew under its own name too, and must forget that again.
    package = sys.modules["ivpush"]
    monkeypatch.setattr(package, "web", getattr(package, "web", None), raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    run = ivpush("serve")
    assert run.status == 2 and "install ivpush[web]" in run.err


def test_several_processes_answer_and_end_with_what_they_began(cache: Path) -> None:
    """A batch that is under way when the server is stopped gets its whole answer."""
    words = ["-m", "ivpush", "serve", "--port", "0", "--workers", "2", "--payer", "medicare"]
    process = subprocess.Popen(
        [sys.executable, *words],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(XDG_CACHE_HOME=str(cache)),
    )
    try:
        assert process.stderr is not None
        told = iter(process.stderr.readline, "")
        port = next(int(match[1]) for line in told if (match := re.search(r":(\d+)/", line)))
        with socket.create_connection(("127.0.0.1", port)) as connection:
            rows = _batch(connection, lambda: process.send_signal(signal.SIGTERM))
        assert rows == [Engine("medicare", pack=PACK).check(EXAMPLE).to_json()] * 2
        assert process.wait(60) == 0
        with pytest.raises(ConnectionRefusedError):
            HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/healthz")
    finally:
        process.kill()
        process.communicate()


def _batch(connection: socket.socket, between: Any) -> list[bytes]:
    """The answer to a batch of two lines, with something done once the first was answered."""
    connection.settimeout(60)
    connection.sendall(
        b"POST /v1/check-batch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    connection.sendall(b"%x\r\n%s\r\n" % (len(ROW), ROW))
    got = b""
    while b"\n\r\n" not in got.partition(b"\r\n\r\n")[2]:
        got += connection.recv(65_536)
    between()
    connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(ROW), ROW))
    while block := connection.recv(65_536):
        got += block
    return [*_rows(got.partition(b"\r\n\r\n")[2])]


def _rows(chunked: bytes) -> Iterator[bytes]:
    """The lines of a body in chunks, the last of which is empty: else it was cut off."""
    while True:
        size, _, chunked = chunked.partition(b"\r\n")
        if int(size, 16) == 0:
            return
        yield chunked[: int(size, 16)].rstrip(b"\n")
        chunked = chunked[int(size, 16) + 2 :]
