"""One server's parts in one place, and the road that every picture takes: body in, queue, worker, answer out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request

from standout.server.bodies import Intake, read_body
from standout.server.forms import Body
from standout.server.logs import log
from standout.server.metrics import Metrics
from standout.server.options import ServerOptions
from standout.server.pool import BoundedPool, Done
from standout.server.problems import Problem
from standout.server.tasks import Answer, Refusal, Task
from standout.server.urls import Fetcher


@dataclass
class Serving:
    """What every endpoint needs; at `app.state.serving`."""

    options: ServerOptions
    pool: BoundedPool
    intake: Intake
    metrics: Metrics
    fetcher: Fetcher
    #: Requests that are being answered; a list, so that all see the same number.
    in_flight: list[int] = field(default_factory=lambda: [0])
    #: Threads of their own: slow addresses keep nobody else waiting.
    _fetching: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "fetch"), repr=False)

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[Body]:
        """The request's body; what it holds in memory is given free at the end of the block.

        Raises:
            Problem: Whatever `read_body` raises; `queue_full`, `not_ready` before a byte is read.
        """
        if not self.pool.accepting:
            raise Problem("not_ready", "The server is starting or stopping; try again.", {"Retry-After": "5"})
        if self.pool.full:
            raise self.pool.full_problem()
        with self.intake.account() as account:
            options = self.options
            yield await read_body(
                request, account, max_bytes=options.max_bytes, timeout_s=min(options.body_timeout_s, options.timeout_s)
            )

    async def answer(self, request: Request, task: Task) -> tuple[Answer, float]:
        """The worker's answer, and the seconds that the task waited for one.

        Raises:
            Problem: The worker refuses, or none of the pool's can.
            ClientDisconnect: Nobody waits for the answer any more; a waiting task has left the queue.
        """
        left = self.options.timeout_s - (time.perf_counter() - request.scope["state"]["started"])
        done = await self._unless_gone(request, task, max(left, 0.01))
        result = done.result
        if isinstance(result, Refusal):
            raise _as_problem(result)
        self.metrics.picture(result.stages, done.wait_s, result.pixels, result.person)
        return result, done.wait_s

    async def fetch(self, url: str) -> bytes:
        """A picture from an address, if this server does that.

        Raises:
            Problem: `urls_not_allowed`, or what `Fetcher.fetch` raises.
        """
        if not self.options.allow_urls:
            raise Problem("urls_not_allowed", "This server fetches no addresses; send the picture itself.")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.fetcher.timeout_s + 1):  # a name server may keep its thread longer
                return await loop.run_in_executor(self._fetching, self.fetcher.fetch, url)
        except TimeoutError:
            raise Problem("bad_url", "The address can't be fetched: it took too long.") from None

    async def _unless_gone(self, request: Request, task: Task, timeout_s: float) -> Done:
        work = asyncio.create_task(self.pool.run(task, timeout_s))
        gone = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise ClientDisconnect
        finally:
            for one in (work, gone):
                one.cancel()
                with suppress(asyncio.CancelledError, Problem):
                    await one


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _as_problem(refusal: Refusal) -> Problem:
    if refusal.code != "fault":
        return Problem(refusal.code, refusal.detail, extra=refusal.extra)
    log.error("fault in a worker", extra={"fields": {"place": refusal.detail}})
    return Problem("fault", "A fault of this server; its log says where. Please report it.")
