"""A deadline belongs to the job, not to the client: who hangs up keeps no worker."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server_fakes import open_fake_engine
from standout.server.pool import BoundedPool
from standout.server.problems import Problem
from standout.server.tasks import Answer, CutOut


@asynccontextmanager
async def pool_of(workers: int = 1) -> AsyncIterator[BoundedPool]:
    pool = BoundedPool(open_fake_engine, workers=workers, threads=1, queue=2)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def hard(pool: BoundedPool, timeout_s: float) -> asyncio.Task[Any]:
    return asyncio.create_task(pool.run(CutOut(image=b"sleep:600"), timeout_s))


def test_a_client_that_hangs_up_takes_no_deadline_away() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            client = hard(pool, 0.5)
            await until(lambda: pool.busy == 1)
            client.cancel()
            with pytest.raises(asyncio.CancelledError):
                await client
            # The picture would take ten minutes; another one is served after the first one's half second.
            assert isinstance((await pool.run(CutOut(image=b"plain"), 30)).result, Answer)
            assert pool.busy == 0

    run(test)


def test_what_waits_has_a_deadline_too() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            running, waiting = hard(pool, 1.0), hard(pool, 0.3)
            for one in (waiting, running):
                with pytest.raises(Problem, match="seconds that were left"):
                    await one
            assert pool.waiting == 0

    run(test)


def test_a_worker_that_dies_while_idle_is_replaced_before_anybody_asks() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            (before,) = pool.pids()
            os.kill(before, signal.SIGKILL)
            await until(lambda: not pool.ready or pool.pids() != [before])
            await until(lambda: pool.ready)
            assert pool.pids() != [before]

    run(test)
