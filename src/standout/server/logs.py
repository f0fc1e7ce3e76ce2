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
            "event": record.getMessage().partition("\n")[0],  # asyncio's further lines name addresses
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # The type and the place; the text of an error may hold what was sent.
            line["error"] = record.exc_info[0].__name__
            line["place"] = place_of(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


class _Throttle(logging.Filter):
    """Lets so many records of one kind pass in so many seconds: a stranger mustn't fill the disk with lines."""

    def __init__(self, most: int = 5, seconds: float = 10.0) -> None:
        super().__init__()
        self._most, self._seconds = most, seconds
        self._kinds: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = str(record.msg).partition("\n")[0][:100]
        since, count = self._kinds.get(kind, (record.created, 0))
        if record.created - since > self._seconds:
            if count > self._most:
                record.fields = {**getattr(record, "fields", {}), "left_out": count - self._most}
            since, count = record.created, 0
        if len(self._kinds) > 1000:
            self._kinds.clear()
        self._kinds[kind] = (since, count + 1)
        return count < self._most


def set_up_logs() -> None:
    """Sends our events, and the warnings of uvicorn and asyncio, to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_Throttle())
    levels = {"standout.server": logging.INFO, "uvicorn.error": logging.WARNING, "asyncio": logging.WARNING}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
