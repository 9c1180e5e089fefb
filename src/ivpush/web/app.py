"""The application: every route with its endpoint, behind the guard.

``processes`` runs it; whoever has a server of their own takes ``create_app``::

    app = create_app(Settings(EngineOptions(payer="medicare")))
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ivpush.errors import Fault, IvpushError
from ivpush.web import batch, catalogue, cds, checking, drawing, fhir, pages
from ivpush.web.guard import Guard
from ivpush.web.logs import logger
from ivpush.web.metrics import Metrics
from ivpush.web.openapi import description
from ivpush.web.problems import RefusedError, problem
from ivpush.web.service import Service
from ivpush.web.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.engine import Engine

__all__ = ["create_app", "make_metrics"]


async def openapi(_request: Request) -> Response:
    """The description of the API."""
    return JSONResponse(description())


ROUTES = (
    Route("/", pages.index),
    Route("/static/{name}", pages.asset),
    Route("/healthz", pages.healthz),
    Route("/metrics", pages.counts),
    Route("/openapi.json", openapi),
    Route("/v1/check", checking.check, methods=["POST"]),
    Route("/v1/check-batch", batch.check_batch, methods=["POST"]),
    Route("/v1/convert", checking.convert, methods=["POST"]),
    Route("/v1/why-not", checking.why_not, methods=["POST"]),
    Route("/v1/timeline", drawing.timeline, methods=["POST"]),
    Route("/v1/rules", catalogue.rules),
    Route("/v1/rules/{id}", catalogue.rule),
    Route("/v1/payers", catalogue.payers),
    Route("/v1/policies", catalogue.policies),
    Route("/v1/codes", catalogue.codes),
    Route("/v1/maps", catalogue.maps),
    Route("/v1/examples", catalogue.examples),
    Route("/fhir/$validate", fhir.validate, methods=["POST"]),
    Route("/fhir/Bundle/$validate", fhir.validate, methods=["POST"]),
    Route("/cds-services", cds.discover),
    Route(f"/cds-services/{cds.SERVICE}", cds.cards, methods=["POST"]),
)
_OPEN = ("/", "/healthz", "/openapi.json")


def make_metrics() -> Metrics:
    """Counts for all routes; processes of one server are given the same."""
    return Metrics(sorted({route.endpoint.__name__ for route in ROUTES} | {"none"}))


def create_app(
    settings: Settings, metrics: Metrics | None = None, engine: Engine | None = None
) -> Guard:
    """The application of one process; raises PackError and UsageError as an engine does.

    Whoever has an engine already hands it in; else one is made as the settings say.
    """
    counts = metrics or make_metrics()
    app = Starlette(
        routes=ROUTES,
        exception_handlers={
            RefusedError: _failed,
            IvpushError: _failed,
            HTTPException: _no_route,
            Exception: _failed,
        },
    )
    app.state.service = Service(settings, counts, engine)
    static = [f"/static/{name}" for name in pages.assets()]
    return Guard(
        app,
        settings,
        counts,
        open_paths=frozenset([*_OPEN, *static]),
        streaming=frozenset({"/v1/check-batch"}),
    )


async def _failed(request: Request, error: Exception) -> Response:
    answer = problem(error, request.state.request_id)
    if answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        # Its kind alone: the text of an error of Python may hold what a chart says.
        fields = {"request": request.state.request_id, "error": type(error).__name__}
        logger.error("failed", extra={"fields": fields})
    return answer


async def _no_route(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus(500)
    fault = Fault("the request", "has no such method and path", "GET /openapi.json lists them")
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem(RefusedError(status, fault, headers), request.state.request_id)
