"""uvicorn's HTTP/1.1 by httptools, with bounds on connections, headers, tiny pieces, slow senders and slow readers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from standout.server.auth import client_of
from standout.server.connections import Connections
from standout.server.logs import log

_MOST_HEAD_BYTES = 32 * 1024
#: Requests that one client may send before the first is answered.
_MOST_PIPELINED = 64
#: So many pieces of a body are looked at; from then on they must have so many bytes each on average.
_FREE_PIECES, _LEAST_PIECE = 4096, 32
#: What a reader must take of an answer, bytes per second, looked at after so many seconds at the latest.
_LEAST_RATE, _LOOK_S = 2000, 20.0


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    #: Seconds from the connection, or the first byte of a further request, to the end of its headers.
    header_s = 20.0
    #: Seconds after which a client must have taken something of an answer.
    answer_s = 60.0
    crowd: Connections

    address = ""
    _header_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = _pieces = _piece_bytes = 0

    # ---- what `Connections` asks

    @property
    def idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def sending(self) -> bool:
        return self.idle or self.cycle.more_body

    @property
    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def abandon(self) -> None:
        self.transport.abort()

    # ---- connections and headers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = client_of(self.client[0] if self.client else "")
        self._header_timer = self.loop.call_later(self.header_s, self._headers_late)
        self.crowd.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.remove(self)
        for timer in (self._header_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._in_head else 0
        if self._head_bytes > 2 * _MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._sent_head = True, 0
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_s, self._headers_late)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._sent_head += len(name) + len(value) + 4
        if self._sent_head + len(self.url) > _MOST_HEAD_BYTES:
            raise ValueError("too large")  # httptools refuses the request
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._pieces, self._piece_bytes = False, 0, 0
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().on_headers_complete()
        if len(self.pipeline) > _MOST_PIPELINED:
            self.transport.abort()

    def _headers_late(self) -> None:
        self._header_timer = None
        if self.idle:
            self.transport.abort()
        else:  # of a further request, while the first is worked on and nothing is read
            self._header_timer = self.loop.call_later(self.header_s, self._headers_late)

    def send_400_response(self, msg: str) -> None:
        """As uvicorn's, in the form of all refusals."""
        body = json.dumps(
            {
                "type": "urn:standout:problem:bad_request", "title": "The request can't be understood",
                "status": 400, "detail": msg, "code": "bad_request",
            }
        ).encode()  # fmt: skip
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for another protocol is answered in this one."""

    # ---- bodies

    def on_body(self, body: bytes) -> None:
        self._pieces += 1
        self._piece_bytes += len(body)
        if self._pieces > _FREE_PIECES and self._piece_bytes < _LEAST_PIECE * self._pieces:
            if not self.transport.is_closing():
                self.send_400_response("The body comes in pieces of a few bytes; send it in larger ones.")
            return
        super().on_body(body)

    # ---- answers

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.crowd.served(self)
        if self.idle and self.cycle is not None and self.cycle.more_body:
            self.transport.close()  # nobody reads the rest of that request

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._look_again()
            self.crowd.check_unsent()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _look_again(self) -> None:
        seconds = min(self.answer_s, _LOOK_S)
        self._write_timer = self.loop.call_later(seconds, self._look, self.unsent, seconds)

    def _look(self, before: int, seconds: float) -> None:
        """A reader may be slow, but has to go on."""
        if before - self.unsent >= _LEAST_RATE * seconds:
            self._look_again()
            return
        state: dict[str, Any] = self.cycle.scope.get("state", {}) if self.cycle is not None else {}
        fields = {"request_id": state.get("request_id", ""), "bytes_left": self.unsent}
        log.warning("answer cut: nobody takes it", extra={"fields": fields})
        self.transport.abort()


def protocol_with_bounds(header_s: float, answer_s: float, crowd: Connections) -> type[BoundedProtocol]:
    """The protocol for `uvicorn.Config(http=…)` with these bounds."""
    return type("Protocol", (BoundedProtocol,), {"header_s": header_s, "answer_s": answer_s, "crowd": crowd})
