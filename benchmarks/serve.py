"""The service under load: answers lost, answers that are not the library's bytes, times, memory.

    python -m benchmarks.serve [SECONDS] [CLIENTS] [LINES] [WORKERS]

Clients call ``POST /v1/check`` one after another over connections that stay open, for so many
seconds; then one batch of so many lines goes through ``/v1/check-batch``. The server runs in
processes of its own. It exits with 1 where an answer was lost or wrong.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ivpush import Engine
from ivpush.testing.samples import lines

RECORDS = 200
"""Different visits; clients take turns with them."""
SEED = 20
HOST = "127.0.0.1"


@dataclass(slots=True)
class Load:
    """What came of the calls."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    wrong: int = 0

    def share(self, part: float) -> float:
        """Milliseconds within which a share of the calls was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@contextmanager
def served(workers: int) -> Iterator[tuple[int, int]]:
    """A server in processes of its own; gives its port and the id of the first process."""
    words = ["-m", "ivpush", "serve", "--port", "0", "--workers", str(workers)]
    with subprocess.Popen(
        [sys.executable, *words], stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        match = re.search(r":(\d+)/", line)
        if match is None:
            sys.exit(line)
        # What it logs is read, for it waits once the pipe is full.
        drain = asyncio.get_running_loop().run_in_executor(None, process.stderr.read)
        yield int(match[1]), process.pid
        process.send_signal(signal.SIGTERM)
        process.wait()
        drain.cancel()


def request(path: str, body: bytes) -> bytes:
    """A whole request."""
    return (
        b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (
            path.encode(),
            HOST.encode(),
            len(body),
            body,
        )
    )


async def client(
    port: int, first: int, pairs: list[tuple[bytes, bytes]], until: float, load: Load
) -> None:
    """Calls one after another over one connection."""
    reader, writer = await asyncio.open_connection(HOST, port)
    number = first
    while time.monotonic() < until:
        record, wanted = pairs[number % len(pairs)]
        number += 1
        began = time.monotonic()
        writer.write(request("/v1/check", record))
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, asyncio.IncompleteReadError):
            load.lost += 1
            writer.close()
            reader, writer = await asyncio.open_connection(HOST, port)
            continue
        load.seconds.append(time.monotonic() - began)
        load.wrong += not head.startswith(b"HTTP/1.1 200") or body != wanted
    writer.close()
    await writer.wait_closed()


async def batch(port: int, count: int, pairs: list[tuple[bytes, bytes]]) -> int:
    """How many of the lines of a batch were answered otherwise than the library does, or not."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(
        b"POST /v1/check-batch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    async def send() -> None:
        for start in range(0, count, 100):
            rows = b"".join(
                pairs[n % len(pairs)][0] + b"\n" for n in range(start, min(count, start + 100))
            )
            writer.write(b"%x\r\n%s\r\n" % (len(rows), rows))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    sending = asyncio.create_task(send())
    await reader.readuntil(b"\r\n\r\n")
    right, rest = 0, b""
    while size := int(await reader.readline(), 16):
        *whole, rest = (rest + await reader.readexactly(size)).split(b"\n")
        await reader.readexactly(2)
        for row in whole:
            right += row == pairs[right % len(pairs)][1]
    await sending
    writer.close()
    await writer.wait_closed()
    return count - right


def peaks(parent: int) -> list[int]:
    """Megabytes that each process of the server held at most."""
    sizes = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(rf"^PPid:\t{parent}$", text, re.M) or status.parent.name == str(parent):
            peak = re.search(r"^VmHWM:\s+(\d+)", text, re.M)
            sizes.append(int(peak[1]) // 1024 if peak else 0)
    return sorted(sizes)


async def main(
    seconds: int = 60, clients: int = 200, count: int = 100_000, workers: int = 2
) -> int:
    """Print what is measured; gives the exit status."""
    engine = Engine()
    pairs = [(record, engine.check(record).to_json()) for record in _records(engine)]
    with served(workers) as (port, parent):
        # Each process reads the pack first.
        await asyncio.gather(
            *(client(port, n, pairs, time.monotonic() + 5, Load()) for n in range(8))
        )
        load = Load()
        until = time.monotonic() + seconds
        await asyncio.gather(*(client(port, n, pairs, until, load) for n in range(clients)))
        answered = len(load.seconds)
        print(f"{clients} clients, {seconds} s, {workers} processes: {answered:,} answers")
        print(f"lost {load.lost}, wrong {load.wrong}, {answered / seconds:,.0f} a second")
        print(f"half within {load.share(0.5):.0f} ms, 99 of 100 within {load.share(0.99):.0f} ms")
        bad = 0
        for lines_sent in (count // 10, count):
            began = time.monotonic()
            bad += await batch(port, lines_sent, pairs)
            rate = lines_sent / (time.monotonic() - began)
            print(
                f"batch of {lines_sent:,}: {rate:,.0f} a second, wrong {bad}, peaks {peaks(parent)} MB"
            )
    return int(bool(load.lost or load.wrong or bad))


def _records(engine: Engine) -> Iterator[bytes]:
    for text in lines(SEED, RECORDS, engine=engine):
        yield text.rstrip(b"\n") if isinstance(text, bytes) else text.rstrip("\n").encode()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:]))))
