"""What goes wrong, as RFC 9457 problems; none repeats a value of a request.

Every endpoint raises ``RefusedError`` or an error of ours; ``app`` and ``guard`` answer with
``problem``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from starlette.responses import Response

from ivpush.errors import Fault, InputError, InternalError, IvpushError, UsageError

__all__ = ["MEDIA_TYPE", "RefusedError", "problem", "refused_as"]

MEDIA_TYPE = "application/problem+json"
_CLOSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
"""The rest of such a request is not read, so its connection cannot be used again."""


class RefusedError(Exception):
    """A request that is not answered, with its status and what is wrong."""

    def __init__(
        self,
        status: HTTPStatus,
        faults: Iterable[Fault] | Fault,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.headers = status, dict(headers or {})
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(status.phrase)


def refused_as(error: Exception) -> RefusedError:
    """How an error is answered: bad input 422, a bad parameter 400, a failure of ours 500."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, InputError) and not isinstance(error, InternalError):
        return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, error.faults)
    if isinstance(error, UsageError):
        return RefusedError(HTTPStatus.BAD_REQUEST, error.faults)
    ours = error if isinstance(error, IvpushError) else InternalError.of(error)
    return RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, ours.faults)


def problem(error: Exception, request_id: str) -> Response:
    """The answer to a request that failed."""
    refusal = refused_as(error)
    body = {
        # What HTTP says of the status says all; the faults are the rest (RFC 9457, section 4.2.1).
        "type": "about:blank",
        "title": refusal.status.phrase,
        "status": int(refusal.status),
        "detail": "; ".join(map(str, refusal.faults)),
        "instance": f"urn:uuid:{request_id}",
        "faults": [
            {"place": fault.place, "problem": fault.problem, "remedy": fault.remedy}
            for fault in refusal.faults
        ],
    }
    headers = dict(refusal.headers)
    if refusal.status in _CLOSING:
        headers["Connection"] = "close"
    return Response(
        json.dumps(body), status_code=refusal.status, headers=headers, media_type=MEDIA_TYPE
    )
