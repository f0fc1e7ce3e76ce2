"""uvicorn's HTTP/1.1 with deadlines for those who send their headers, or take their answer, a byte at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class DeadlineProtocol(H11Protocol):
    """Cuts off whoever sends headers, or takes an answer, too slowly."""

    #: Seconds from the connection, or the first byte of a further request, to the end of its headers.
    header_s = 20.0
    #: Seconds in which a client must take what was sent to it.
    answer_s = 60.0

    _header_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._header_timer = self.loop.call_later(self.header_s, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._cancel_header_timer()
        elif self._header_timer is None:  # the headers of a further request have begun
            self._header_timer = self.loop.call_later(self.header_s, self._give_up)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._cancel_header_timer()  # between requests uvicorn's own limit holds

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.answer_s, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel_write_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_header_timer()
        self._cancel_write_timer()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self.transport.abort()

    def _cancel_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _cancel_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def protocol_with_deadlines(header_s: float, answer_s: float) -> type[DeadlineProtocol]:
    """The protocol for `uvicorn.Config(http=…)` with these seconds."""
    return type("Protocol", (DeadlineProtocol,), {"header_s": header_s, "answer_s": answer_s})
