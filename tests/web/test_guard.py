"""Who may call, and what no answer, log or header ever holds: the threats of the threat model."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import Any

import pytest

from ivpush.errors import UsageError
from ivpush.web import processes
from ivpush.web.guard import POLICY
from ivpush.web.logs import JsonFormatter
from ivpush.web.settings import Limits, Settings
from tests.web.calls import (
    CANARY,
    EXAMPLE,
    HOME,
    JSON,
    app_of,
    call,
    connected,
    post,
    serving,
    usual,
    with_limits,
)

TOKEN = "0123456789abcdef0123456789abcdef"
OPEN_TO_ALL = Settings(hosts=("127.0.0.1", "claims.example.org"), token=TOKEN)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8321", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:8321", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("evil.example:8321", 400),
        ("", 400),
    ],
)
def test_a_name_that_was_rebound_is_refused(host: str, status: int) -> None:
    assert post("/v1/check", EXAMPLE, {**JSON, "Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": HOME}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://127.0.0.1:9"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_a_page_of_another_site_is_refused(headers: dict[str, str], status: int) -> None:
    answer = post("/v1/check", EXAMPLE, {**JSON, **headers})
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_link_from_elsewhere_leads_to_the_page() -> None:
    assert call("GET", "/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
    ],
)
def test_beyond_this_machine_a_token_is_shown(shown: dict[str, str], status: int) -> None:
    app = app_of(OPEN_TO_ALL)
    for path in ("/v1/rules", "/metrics", "/cds-services"):
        assert call("GET", path, headers=shown, app=app).status_code == status
    # What holds no data is open: the page that asks for the token, and what a probe calls.
    for path in ("/", "/healthz", "/openapi.json"):
        assert call("GET", path, headers=shown, app=app).status_code == 200


def test_no_server_is_open_without_a_token() -> None:
    with pytest.raises(UsageError, match="no token"):
        Settings(hosts=("0.0.0.0",))
    with pytest.raises(UsageError, match="no token"):
        Settings(hosts=("127.0.0.1", "claims.example.org"))
    with pytest.raises(UsageError, match="too short"):
        Settings(token="short")
    assert TOKEN not in repr(OPEN_TO_ALL)
    with pytest.raises(UsageError):
        Limits(seconds=0)


def test_every_answer_has_the_headers_that_bind_a_browser() -> None:
    for answer in (
        call("GET", "/"),
        call("GET", f"/{CANARY}"),
        post("/v1/check", EXAMPLE, JSON),
        post("/v1/check", EXAMPLE, {**JSON, "Host": "evil.example"}),
    ):
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        uuid.UUID(answer.headers["x-request-id"])
    assert "unsafe" not in POLICY and "*" not in POLICY


def test_an_id_is_taken_only_where_it_can_name_nobody() -> None:
    given = str(uuid.uuid4())
    answer = call("GET", "/healthz", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    answer = call("GET", "/healthz", headers={"X-Request-Id": CANARY})
    assert CANARY not in str(answer.headers)


def test_logs_hold_nothing_of_a_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stated = json.loads(EXAMPLE)
    raw = json.dumps({**stated, "id": CANARY, CANARY: CANARY}).encode()
    headers = {**JSON, "X-Request-Id": CANARY, "User-Agent": CANARY, "Referer": CANARY}
    post("/v1/check", raw, headers)
    post(f"/{CANARY}", raw, headers, params={CANARY: CANARY})
    call(CANARY, "/v1/check", headers=headers)
    post("/v1/check-batch", raw, headers)
    ours = [each for each in caplog.records if each.name == "ivpush.web"]
    lines = [JsonFormatter().format(each) for each in ours]
    told: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert [(each["method"], each["route"], each["status"]) for each in told] == [
        ("POST", "check", 422),
        ("POST", "none", 404),
        ("other", "check", 405),
        ("POST", "check_batch", 200),
    ]
    assert CANARY not in "".join(lines)
    assert told[0]["bytes_in"] == len(raw)
    try:
        raise ValueError(CANARY)
    except ValueError:
        failed = logging.LogRecord("x", 40, "", 1, "failed", None, __import__("sys").exc_info())
    assert json.loads(JsonFormatter().format(failed))["error"] == "ValueError"
    assert CANARY not in JsonFormatter().format(failed)


def test_a_large_body_is_refused_before_it_has_come() -> None:
    app, read = with_limits(body_bytes=1_000), 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 400, "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
        usual_headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        path = {"path": "/v1/check", "raw_path": b"/v1/check", "query_string": b""}
        return {
            "type": "http",
            "method": "POST",
            **path,
            "headers": [*usual_headers, *headers],
        }

    asyncio.run(app(scope((b"content-length", b"1001")), receive, send))  # type: ignore[arg-type]
    assert (sent[0]["status"], read) == (413, 0)
    sent.clear()
    asyncio.run(app(scope(), receive, send))  # type: ignore[arg-type]
    assert (sent[0]["status"], read) == (413, 3)
    assert (b"connection", b"close") in sent[0]["headers"]


def test_slow_callers_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head, a body and a batch that do not come end their connection, and others are answered."""
    monkeypatch.setattr(processes, "_HEAD_SECONDS", 0.3)
    monkeypatch.setattr(processes, "_IDLE_SECONDS", 1)
    head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s\r\n\r\n"
    begun = (
        (b"", b""),
        (b"GET / HT", b""),
        (head % (b"/v1/check", b"Content-Length: 100") + b"{", b" 408 "),
        (head % (b"/v1/check-batch", b"Transfer-Encoding: chunked") + b"1\r\n{\r\n", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP", b" 200 "),
    )
    with serving(Settings(limits=Limits(seconds=1))) as address:
        held = [connected(address) for _ in begun]
        for connection, (said, _) in zip(held, begun, strict=True):
            connection.sendall(said)
        with connected(address) as quick:
            quick.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b" 200 " in quick.recv(4_096)
        for connection, (_, answer) in zip(held, begun, strict=True):
            got = b""
            while block := connection.recv(65_536):
                got += block
            assert answer in got
            connection.close()


def test_a_check_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from ivpush import Engine

    hold = threading.Event()
    monkeypatch.setattr(Engine, "work", lambda *_, **__: hold.wait(20))
    app = with_limits(seconds=1, threads=1)
    answer = post("/v1/check", EXAMPLE, JSON, app=app)
    hold.set()
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"


def test_past_its_bound_callers_are_asked_to_come_again() -> None:
    app = with_limits(requests=1)

    async def go() -> list[int]:
        import httpx

        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            calls = [client.post("/v1/check", content=EXAMPLE, headers=JSON) for _ in range(3)]
            return sorted(answer.status_code for answer in await asyncio.gather(*calls))

    assert asyncio.run(go()) == [200, 503, 503]


def test_counts_name_routes_and_no_value() -> None:
    app = with_limits()
    post("/v1/check", EXAMPLE, JSON, app=app)
    call("GET", f"/{CANARY}", app=app)
    text = call("GET", "/metrics", app=app).text
    assert CANARY not in text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines['ivpush_requests_total{route="check",status="2xx"}'] == "1"
    assert lines['ivpush_requests_total{route="none",status="4xx"}'] == "1"
    assert lines["ivpush_requests_in_progress"] == "1"
    assert sum(int(count) for name, count in lines.items() if "results" in name) == 1
    assert lines["ivpush_request_milliseconds_count"] == "2"


def test_other_kinds_of_connection_are_left_alone() -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError

    asyncio.run(usual()({"type": "websocket"}, never, never))  # type: ignore[arg-type]
