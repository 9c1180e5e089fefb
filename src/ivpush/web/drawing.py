"""``POST /v1/timeline``: an encounter drawn against the clock, to be kept or shown in a page.

``form=svg`` is a whole picture with its own style. ``form=part`` is what the workbench takes into
its page: the drawing and its table without a style, for a strict policy allows none inline; the
page loads it as ``/static/timeline.css``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

from ivpush.errors import Fault
from ivpush.timeline.style import PATTERNS
from ivpush.web.asked import GIVEN, Asked, asked_of
from ivpush.web.problems import RefusedError
from ivpush.web.reading import encounter_of, format_of
from ivpush.web.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["FORMS", "SVG", "timeline"]

SVG = "image/svg+xml"
FORMS = {"svg": SVG, "part": "text/html"}
"""Forms of a drawing, and the content type of each."""
_TIMELINE = frozenset({*GIVEN, "form", "show_text"})


async def timeline(request: Request) -> Response:
    """The drawing of one encounter of JSON."""
    service, asked = service_of(request), asked_of(request, _TIMELINE)
    form = request.query_params.get("form", "svg")
    if form not in FORMS:
        fault = Fault("form", "is no form of a drawing", f"write one of: {', '.join(FORMS)}")
        raise RefusedError(HTTPStatus.BAD_REQUEST, fault)
    format_of(request, given=None, anything=False)
    raw = await request.body()
    text = await service.run(_drawn, raw, asked, form)
    return Response(text, media_type=FORMS[form])


def _drawn(raw: bytes, asked: Asked, form: str) -> str:
    result = asked.engine.check(encounter_of(raw, asked.read).encounter)
    drawn = result.timeline(show_text=asked.show_text)
    if form == "svg":
        return drawn.svg()
    patterns = f'<svg class="ivp" width="0" height="0" aria-hidden="true">{PATTERNS}</svg>'
    table = f"<details><summary>The same as a table</summary>{drawn.table()}</details>"
    return f"<!doctype html>{patterns}<div>{drawn.svg(styled=False)}</div>{table}"
