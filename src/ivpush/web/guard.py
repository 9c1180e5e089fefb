"""What stands before every endpoint: hosts, origins, token, bounds, headers, log and counts.

``app`` wraps the application in a ``Guard``. Nothing that a request holds reaches a log, a header
or a problem: not its path, for a path may be made of an id.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from ivpush.errors import Fault
from ivpush.web.logs import logger
from ivpush.web.problems import RefusedError, problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ivpush.web.metrics import Metrics
    from ivpush.web.settings import Limits, Settings

__all__ = ["POLICY", "Guard"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What the workbench may load and run: what this server ships, and no string as a script."""
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # A browser must not keep what a chart says.
    "Cache-Control": "no-store",
}
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OWN_PAGES = {"same-origin", "none"}
"""What a browser says of a request from a page of this server, or from its address bar."""


@dataclass(slots=True)
class _Exchange:
    """One request and its answer, as they go by."""

    id: str
    began: float = field(default_factory=time.monotonic)
    bytes_in: int = 0
    bytes_out: int = 0
    status: int = 0
    whole: bool = False
    """Whether all of the request's body has come."""


class Guard:
    """An application behind its checks.

    In use::

        app = Guard(Starlette(routes=routes), settings, metrics, open_paths, streaming)

    ``open_paths`` need no token, for they hold no data; ``streaming`` are paths whose bodies have
    no end that could be bounded.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        metrics: Metrics,
        *,
        open_paths: frozenset[str],
        streaming: frozenset[str],
    ) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._open, self._streaming = open_paths, streaming
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; all else that a server may hand in is refused by saying nothing."""
        if scope["type"] != "http":
            return
        exchange = _Exchange(_request_id(Headers(scope=scope)))
        scope["state"] = {"request_id": exchange.id}
        self._running += 1
        self._metrics.add("ivpush_requests_in_progress")
        try:
            await self._answer(scope, receive, send, exchange)
        finally:
            self._running -= 1
            self._metrics.add("ivpush_requests_in_progress", -1)
            self._tell(scope, exchange)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, exchange: _Exchange
    ) -> None:
        watched = _watched(send, exchange)
        limits, streams = self._settings.limits, scope["path"] in self._streaming
        bounded = _bounded(receive, exchange, limits, streams=streams)
        try:
            self._admit(scope, limits, streams=streams)
            if streams:
                await self._app(scope, bounded, _hurried(watched, limits.seconds))
            else:
                async with asyncio.timeout(limits.seconds):
                    await self._app(scope, bounded, watched)
        except Exception as error:
            # An answer that has begun cannot be taken back; the connection is closed instead.
            if exchange.status:
                logger.warning("cut short", extra={"fields": {"error": type(error).__name__}})
                return
            if isinstance(error, TimeoutError):
                error = _too_slow(exchange)
            await problem(error, exchange.id)(scope, receive, watched)

    def _admit(self, scope: Scope, limits: Limits, *, streams: bool) -> None:
        """Raise RefusedError for a request that is not answered at all."""
        headers, path = Headers(scope=scope), scope["path"]
        self._check_host(headers)
        _check_origin(headers, page=path in self._open)
        if path not in self._open:
            self._check_token(headers)
        if self._running > limits.requests:
            fault = Fault("the server", "is busy", "come again in a second")
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, fault, {"Retry-After": "1"})
        if headers.get("content-encoding", "identity") != "identity":
            # Unpacked it could be of any size.
            fault = Fault("the body", "is compressed", "send it as it is")
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, fault)
        length = headers.get("content-length", "0")
        if not streams and length.isdigit() and int(length[:20]) > limits.body_bytes:
            raise _too_large(limits)

    def _check_host(self, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name not in self._settings.hosts:
            remedy = "call it by a name that it was started with"
            raise RefusedError(HTTPStatus.BAD_REQUEST, Fault("Host", "is not this server", remedy))

    def _check_token(self, headers: Mapping[str, str]) -> None:
        token = self._settings.token
        if token is None:
            return
        shown = headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"Bearer {token}".encode()):
            fault = Fault("Authorization", "shows no token of this server", "send Bearer TOKEN")
            raise RefusedError(HTTPStatus.UNAUTHORIZED, fault, {"WWW-Authenticate": "Bearer"})

    def _tell(self, scope: Scope, exchange: _Exchange) -> None:
        """Log and count an answered request, by its endpoint and never by its path."""
        endpoint = scope.get("endpoint")
        route = getattr(endpoint, "__name__", "none")
        milliseconds = round((time.monotonic() - exchange.began) * 1000)
        status = exchange.status or HTTPStatus.INTERNAL_SERVER_ERROR
        self._metrics.request(route, status, milliseconds)
        fields = {
            "request": exchange.id,
            "method": scope["method"] if scope["method"] in _METHODS else "other",
            "route": route,
            "status": int(status),
            "milliseconds": milliseconds,
            "bytes_in": exchange.bytes_in,
            "bytes_out": exchange.bytes_out,
        }
        logger.info("request", extra={"fields": fields})


def _request_id(headers: Mapping[str, str]) -> str:
    """The caller's own id where it is a UUID; any other text might name a patient."""
    given = headers.get("x-request-id", "")
    return given if _UUID.fullmatch(given) else str(uuid.uuid4())


def _check_origin(headers: Mapping[str, str], *, page: bool) -> None:
    """Raise RefusedError for what a page of another server sent from the user's browser."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    foreign = origin is not None and _host_of(origin) != headers.get("host", "").lower()
    # A link from elsewhere may lead to the page itself, which holds no data.
    if foreign or (site is not None and site not in _OWN_PAGES and not page):
        remedy = "call it from its own page, or from a program"
        raise RefusedError(HTTPStatus.FORBIDDEN, Fault("Origin", "is another site's page", remedy))


def _host_of(origin: str) -> str:
    """Host and port of an origin; empty where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _too_large(limits: Limits) -> RefusedError:
    remedy = "split it, or send it to /v1/check-batch"
    fault = Fault("the body", f"is larger than {limits.body_bytes:,} bytes", remedy)
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, fault)


def _too_slow(exchange: _Exchange) -> RefusedError:
    if exchange.whole:
        fault = Fault("the request", "took too long to check", "split it")
        return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, fault, {"Retry-After": "1"})
    fault = Fault("the body", "did not come in time", "send it in one go")
    return RefusedError(HTTPStatus.REQUEST_TIMEOUT, fault)


def _bounded(receive: Receive, exchange: _Exchange, limits: Limits, *, streams: bool) -> Receive:
    """What comes in, counted; RefusedError past its bound, TimeoutError where a stream pauses."""

    async def take() -> Message:
        if not streams:
            message = await receive()
        else:
            message = await asyncio.wait_for(receive(), limits.seconds)
        if message["type"] == "http.request":
            exchange.bytes_in += len(message.get("body", b""))
            exchange.whole = not message.get("more_body", False)
            if not streams and exchange.bytes_in > limits.body_bytes:
                raise _too_large(limits)
        return message

    return take


def _hurried(send: Send, seconds: int) -> Send:
    """What goes out; TimeoutError where the caller takes none of it for so long."""

    async def give(message: Message) -> None:
        await asyncio.wait_for(send(message), seconds)

    return give


def _watched(send: Send, exchange: _Exchange) -> Send:
    """What goes out, counted, with the headers that every answer has."""

    async def give(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = exchange.id
            for name, value in _HEADERS.items():
                headers[name] = value
        else:
            exchange.bytes_out += len(message.get("body", b""))
        await send(message)

    return give
