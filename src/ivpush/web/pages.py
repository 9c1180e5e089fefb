"""The workbench: a page, its styles and its modules, sent as they lie in ``static``.

They are read when the server starts; a request chooses among them and names no path of the disk.
``/healthz`` and ``/metrics`` stand here too, for they say nothing of any encounter.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import JSONResponse, Response

from ivpush._version import __version__
from ivpush.errors import Fault
from ivpush.pack.folder import package_folder
from ivpush.timeline.style import STYLE
from ivpush.web import metrics
from ivpush.web.problems import RefusedError
from ivpush.web.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["asset", "assets", "counts", "healthz", "index"]

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class _Asset(NamedTuple):
    body: bytes
    media_type: str


@cache
def assets() -> dict[str, _Asset]:
    """The files of the workbench by name."""
    folder = package_folder() / "web" / "static"
    files = {
        file.name: _Asset(file.read_bytes(), _TYPES[file.suffix])
        for file in sorted(folder.iterdir())
        if file.suffix in _TYPES
    }
    return {**files, "timeline.css": _Asset(STYLE.encode(), _TYPES[".css"])}


async def index(_request: Request) -> Response:
    """The page of the workbench."""
    return _sent("index.html")


async def asset(request: Request) -> Response:
    """A file of the workbench."""
    return _sent(request.path_params["name"])


def _sent(name: str) -> Response:
    file = assets().get(name)
    if file is None:
        fault = Fault("the path", "is no file of the workbench", "begin at /")
        raise RefusedError(HTTPStatus.NOT_FOUND, fault)
    return Response(file.body, media_type=file.media_type)


async def healthz(request: Request) -> Response:
    """Says that the process answers, and by which pack."""
    pack = service_of(request).pack
    return JSONResponse({"status": "ok", "ivpush": __version__, "pack": pack.digest})


async def counts(request: Request) -> Response:
    """The counts of all processes, for Prometheus."""
    return Response(service_of(request).metrics.text(), media_type=metrics.MEDIA_TYPE)
