"""A server over a real socket: as the page of the service shows it, and with the heads of a browser."""

from __future__ import annotations

import logging
import re
import signal

import httpx
import pytest
import uvicorn

from ivpush import Engine
from ivpush.web.processes import listen, run
from ivpush.web.settings import Settings
from tests.shipped import PACK
from tests.web.calls import EXAMPLE, JSON, ROOT, call, serving


def test_the_page_shows_how_to_embed_it() -> None:
    text = (ROOT / "docs/serve.md").read_text("utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", text, re.S)
    names: dict[str, object] = {}
    exec(shown, names)
    answer = call("POST", "/v1/check", EXAMPLE, JSON, app=names["app"])  # type: ignore[arg-type]
    assert answer.content == Engine("medicare", pack=PACK).check(EXAMPLE).to_json()


def test_one_process_ends_as_quietly_as_several(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # As uvicorn does, once all that was begun is answered.
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    try:
        with listen("127.0.0.1", 0) as listening:
            run(Settings(), listening, workers=1)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_socket_gives_the_same_bytes_and_no_name_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving(Settings()) as (host, port):
        home = f"http://{host}:{port}"
        with httpx.Client(base_url=home) as client:
            answers = [client.post("/v1/check", content=EXAMPLE, headers=JSON) for _ in range(3)]
            refused = client.post("/v1/check", content=EXAMPLE, headers={**JSON, "Host": "evil"})
    wanted = Engine(pack=PACK).check(EXAMPLE).to_json()
    assert [answer.content for answer in answers] == [wanted] * 3
    assert refused.status_code == 400
    assert "server" not in answers[0].headers
    # uvicorn's own lines of requests hold paths and queries.
    assert not logging.getLogger("uvicorn.access").hasHandlers()
    assert not [each for each in caplog.records if each.name == "uvicorn.access"]
