"""Calls of the application without a network, and servers of this process for tests that need one."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from ivpush import Encounter, Engine
from ivpush.web.app import create_app
from ivpush.web.guard import Guard
from ivpush.web.processes import config_of, listen
from ivpush.web.settings import Settings
from ivpush.writers.fhir import encounter_to_bundle
from tests.shipped import PACK

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
EXAMPLE = EXAMPLES[0].read_bytes()
BUNDLE = encounter_to_bundle(
    Encounter.model_validate({**json.loads(EXAMPLE), "timezone": "America/Chicago"})
)
"""The example as FHIR, which writes every time with an offset."""
CANARY = "Jane-Doe-078-05-1120"
HOME = "http://127.0.0.1:8321"
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
FHIR = {"Content-Type": "application/fhir+json"}
X12 = {"Content-Type": "application/EDI-X12"}


def app_of(settings: Settings) -> Guard:
    """An application over the pack that all tests share."""
    return create_app(settings, engine=Engine(pack=PACK))


@cache
def usual() -> Guard:
    """The application with the settings that nobody changed."""
    return app_of(Settings())


def call(
    method: str,
    path: str,
    content: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    app: Guard | None = None,
    params: Any = None,
) -> httpx.Response:
    """The answer of the application to one request."""

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app=app or usual())
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            return await client.request(
                method, path, content=content, headers=headers, params=params
            )

    return asyncio.run(go())


def get(path: str, **more: Any) -> Any:
    """The JSON of a GET that is answered."""
    answer = call("GET", path, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(path: str, content: bytes, headers: dict[str, str], **more: Any) -> httpx.Response:
    """The answer of a POST."""
    return call("POST", path, content, headers, **more)


def line_of(raw: bytes) -> bytes:
    """A JSON document on one line."""
    return json.dumps(json.loads(raw)).encode() + b"\n"


def with_limits(**limits: int) -> Guard:
    """The application with other limits."""
    settings = Settings()
    return app_of(replace(settings, limits=replace(settings.limits, **limits)))


async def pieces(*blocks: bytes) -> AsyncIterator[bytes]:
    """A body that comes in pieces."""
    for block in blocks:
        yield block


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, int]]:
    """A server of this process; gives its address, and stops it."""
    with serving_app(app_of(settings)) as address:
        yield address


@contextmanager
def serving_app(app: Guard) -> Iterator[tuple[str, int]]:
    """The same for an application that is made already."""
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(config_of(partial(_given, app), workers=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            server.should_exit = True
            thread.join()


def _given(app: Guard) -> Guard:
    return app


def connected(address: tuple[str, int]) -> socket.socket:
    """A connection that never waits longer than a test may."""
    connection = socket.create_connection(address)
    connection.settimeout(20)
    return connection
