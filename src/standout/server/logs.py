"""One line of JSON per event on stderr. No picture, name, address, query or key ever gets into it."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

log = logging.getLogger("standout.server")


def place_of(trace: TracebackType | None) -> str:
    """Where an error was raised, without a word of what was there."""
    calls = traceback.extract_tb(trace)[-3:]
    return " < ".join(f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in reversed(calls))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; what is given as `extra={"fields": {...}}` are its fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # The type and the place; the text of an error may hold what was sent.
            line["error"] = record.exc_info[0].__name__
            line["place"] = place_of(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def set_up_logs() -> None:
    """Sends our events, and uvicorn's warnings, to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name, level in (("standout.server", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
