"""The load test itself: what it counts as right, wrong and lost."""

from __future__ import annotations

import asyncio
import time

from benchmarks.serve import Load, batch, client

from ivpush.web.settings import Settings
from tests.shipped import ENGINE
from tests.web.calls import EXAMPLE, line_of, serving

RECORD = line_of(EXAMPLE).rstrip()
RIGHT = (RECORD, ENGINE.check(RECORD).to_json())
OTHER = (RECORD, b"{}")


async def _loaded(port: int) -> tuple[Load, Load, list[int]]:
    good, bad = Load(), Load()
    until = time.monotonic() + 0.3
    calls = [client(port, n, [RIGHT], until, good) for n in range(8)]
    await asyncio.gather(*calls, client(port, 0, [OTHER], until, bad))
    return good, bad, [await batch(port, 350, [RIGHT]), await batch(port, 3, [OTHER])]


def test_answers_are_held_against_the_bytes_of_the_library() -> None:
    with serving(Settings()) as (_, port):
        good, bad, wrong = asyncio.run(_loaded(port))
    assert good.seconds and (good.lost, good.wrong) == (0, 0)
    assert bad.wrong == len(bad.seconds) > 0
    assert wrong == [0, 3]
    assert 0 < good.share(0.5) <= good.share(0.99)
