"""What all endpoints of one process share: the engines, the threads that check, the counts.

``app.create_app`` makes one; endpoints reach it by ``service_of``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from ivpush.engine import Engine

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.web.metrics import Metrics
    from ivpush.web.settings import Settings

__all__ = ["Service", "service_of"]

_MOST_ENGINES = 64
"""Sets of payer and policies that stay at hand; an engine of the same pack is cheap to make."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Service:
    """The engines of one process; built when it starts, and by no request.

    In use::

        engine = service.engine("medicare", {})
        result = await service.run(engine.check, encounter)
    """

    def __init__(self, settings: Settings, metrics: Metrics, engine: Engine | None) -> None:
        self.settings, self.metrics = settings, metrics
        self._first = engine or settings.engine.engine()
        self.pack = self._first.pack
        self._engines: dict[tuple[object, ...], Engine] = {}
        # Own threads: one whose request was given up still counts until its check ends.
        self._threads = ThreadPoolExecutor(settings.limits.threads, "ivpush-check")

    def engine(self, payer: str | None, policies: dict[str, str]) -> Engine:
        """The engine for a payer and policies beside those of the server; raises UsageError."""
        key = (payer, tuple(sorted(policies.items())))
        engine = self._engines.get(key)
        if engine is None:
            if len(self._engines) >= _MOST_ENGINES:
                self._engines.clear()
            merged = {**self._first.policies, **policies}
            engine = Engine(payer or self._first.payer, policies=merged, pack=self.pack)
            self._engines[key] = engine
        return engine

    async def run(
        self, do: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
    ) -> Answer:
        """What a function gives, worked out on a thread, so that other requests are answered."""
        future = self._threads.submit(do, *given, **named)
        return await asyncio.wrap_future(future)


def service_of(request: Request) -> Service:
    """The service of the process that a request came to."""
    return cast("Service", request.app.state.service)
