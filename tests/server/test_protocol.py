"""Deadlines of the connection itself, with a protocol that is given a tenth of the usual seconds."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

from standout.server.connections import Connections
from standout.server.protocol import protocol_with_bounds


async def large(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        large.ended = "sent"  # type: ignore[attr-defined]
    finally:
        large.left = True  # type: ignore[attr-defined]


def test_who_takes_no_answer_is_cut_off() -> None:
    async def test() -> None:
        config = uvicorn.Config(
            large,
            http=protocol_with_bounds(5, 0.5, Connections(100, 1 << 30)),
            ws="none",
            lifespan="off",
            log_config=None,
            port=0,
        )
        server = uvicorn.Server(config)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            running = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            reader = socket.create_connection(listening.getsockname())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while server.server_state.connections or not server.server_state.total_requests and not _left():
                await asyncio.sleep(0.05)
            reader.close()
            server.should_exit = True
            await running
        assert not server.server_state.connections

    large.left = False  # type: ignore[attr-defined]
    asyncio.run(asyncio.wait_for(test(), 60))


def _left() -> bool:
    return large.left  # type: ignore[attr-defined, no-any-return]
