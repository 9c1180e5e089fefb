"""Logs as one JSON object a line, without a word of a request but its route and counts.

``guard`` writes a line for each request; ``processes`` hands ``LOGGING`` to uvicorn.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

__all__ = ["LOGGING", "JsonFormatter", "logger"]

logger = logging.getLogger("ivpush.web")
logger.addHandler(logging.NullHandler())


class JsonFormatter(logging.Formatter):
    """Writes time, level, message and the fields of ``extra={"fields": …}``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; of an exception its kind alone, for a traceback may hold values."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {
        "ivpush.web": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "uvicorn": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # Its lines hold paths and queries. Named, for else it would hand them on to the one above.
        "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
"""Settings of ``logging`` for a process of the server."""
