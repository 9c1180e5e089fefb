"""Batches: a line for each line, in order, whatever the blocks, and no more held than is taken."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Engine
from ivpush.web.batch import Lines
from tests.shipped import PACK
from tests.web.calls import EXAMPLE, HOME, NDJSON, line_of, post, usual, with_limits

ROW = line_of(EXAMPLE)


def cut(raw: bytes, places: list[int], most: int) -> list[tuple[int, bytes | None]]:
    lines, taken = Lines(most), []
    ends = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    for start, stop in pairwise(ends):
        taken += lines.take(raw[start:stop])
    return [*taken, *lines.end()]


@given(st.binary(max_size=60).map(lambda raw: raw.replace(b"a", b"\n")), st.lists(st.integers(0)))
def test_lines_are_the_same_however_the_bytes_come(raw: bytes, places: list[int]) -> None:
    whole = [
        (number, part if len(part) <= 10 else None)
        for number, part in enumerate(raw.split(b"\n"), 1)
        if part.strip() or len(part) > 10
    ]
    assert cut(raw, places, most=10) == whole


def test_each_line_has_its_answer_in_order() -> None:
    small = with_limits(body_bytes=20_000)
    raw = ROW + b"\n \nno json\n" + b"x" * 20_001 + b"\n" + ROW.rstrip()
    answer = post("/v1/check-batch?payer=medicare", raw, NDJSON, app=small)
    result = Engine("medicare", pack=PACK).check(EXAMPLE).to_json()
    rows = answer.content.splitlines()
    assert [rows[0], rows[3]] == [result, result]
    assert [json.loads(row)["place"] for row in rows[1:3]] == ["line 4", "line 5"]
    assert len(rows) == 4
    assert post("/v1/check-batch", b"", NDJSON).content == b""
    assert post("/v1/check-batch", ROW, {"Content-Type": "text/plain"}).status_code == 415


def test_no_more_is_read_than_was_taken() -> None:
    """A caller that takes nothing is read no further: that is what keeps memory flat."""
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": ROW, "more_body": True}

    async def go() -> int:
        taken = asyncio.Semaphore(5)

        async def send(message: dict[str, Any]) -> None:
            await taken.acquire()

        headers = [(b"host", HOME[7:].encode()), (b"content-type", b"application/x-ndjson")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/check-batch",
            "raw_path": b"/v1/check-batch",
            "query_string": b"",
            "headers": headers,
        }
        running = asyncio.create_task(usual()(scope, receive, send))  # type: ignore[arg-type]
        before = -1
        while before != read or read < 5:
            before = read
            await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return read

    # The head and four answers were taken; the fifth waits, and nothing is read behind it.
    assert asyncio.run(go()) == 5
