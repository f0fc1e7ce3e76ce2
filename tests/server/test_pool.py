"""The worker processes: bounded, replaced, drained. Engines are fakes; processes are real."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server_fakes import open_fake_engine, open_nothing
from standout.errors import StandoutError
from standout.server.pool import BoundedPool
from standout.server.problems import Problem
from standout.server.tasks import Answer, CutOut, Refusal


def task(order: bytes = b"plain") -> CutOut:
    return CutOut(image=order)


@asynccontextmanager
async def pool_of(workers: int = 1, queue: int = 2, **more: Any) -> AsyncIterator[BoundedPool]:
    pool = BoundedPool(open_fake_engine, workers=workers, threads=1, queue=queue, **more)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


async def until(true: Callable[[], bool]) -> None:
    """Waits for something that is about to happen."""
    while not true():
        await asyncio.sleep(0.01)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 120))


def test_answers_come_from_other_processes_and_the_queue_is_bounded() -> None:
    async def test() -> None:
        async with pool_of(workers=2, queue=2) as pool:
            assert pool.ready and len(pool.memory()) in (0, 2)
            done = [asyncio.create_task(pool.run(task(b"sleep:0.5"), 60)) for _ in range(4)]
            await until(lambda: (pool.busy, pool.waiting) == (2, 2))
            assert pool.full
            with pytest.raises(Problem) as refused:
                await pool.run(task(), 60)
            assert refused.value.code == "queue_full" and int(refused.value.headers["Retry-After"]) >= 1
            answers = [(await one).result for one in done]
            pids = {answer.data for answer in answers if isinstance(answer, Answer)}
            assert len(pids) == 2 and str(os.getpid()).encode() not in pids
            assert (pool.busy, pool.waiting) == (0, 0)
            assert max([(await one).wait_s for one in done]) > 0

    run(test)


@pytest.mark.slow
def test_whoever_stops_waiting_gives_the_place_free() -> None:
    async def test() -> None:
        async with pool_of(queue=1) as pool:
            first = asyncio.create_task(pool.run(task(b"sleep:2"), 60))
            await until(lambda: pool.busy == 1)
            second = asyncio.create_task(pool.run(task(), 60))
            await until(lambda: pool.full)
            second.cancel()
            await until(lambda: not pool.full)
            assert pool.waiting == 0
            third = await pool.run(task(), 60)
            assert isinstance(third.result, Answer) and isinstance((await first).result, Answer)

    run(test)


def test_a_worker_that_dies_costs_one_request_and_is_replaced() -> None:
    async def test() -> None:
        deaths: list[int] = []
        async with pool_of(queue=4, on_death=lambda: deaths.append(1)) as pool:
            (before,) = pool.pids()
            dying = asyncio.create_task(pool.run(task(b"die"), 60))
            behind = asyncio.create_task(pool.run(task(), 60))
            with pytest.raises(Problem) as died:
                await dying
            assert died.value.code == "worker_died" and "SIGKILL" in died.value.detail
            assert isinstance((await behind).result, Answer)  # it waited for the next one
            assert pool.pids() != [before] and deaths == [1]

    run(test)


def test_a_worker_that_dies_while_idle_costs_nothing() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            os.kill(pool.pids()[0], signal.SIGKILL)
            await asyncio.sleep(0.2)
            assert isinstance((await pool.run(task(), 60)).result, Answer)

    run(test)


def test_what_takes_too_long_is_ended() -> None:
    async def test() -> None:
        async with pool_of(queue=1) as pool:
            late = asyncio.create_task(pool.run(task(b"sleep:60"), 0.3))
            waits = asyncio.create_task(pool.run(task(), 0.2))
            for one in (waits, late):
                with pytest.raises(Problem) as refused:
                    await one
                assert refused.value.code == "timeout"
            assert isinstance((await pool.run(task(), 60)).result, Answer)

    run(test)


def test_a_fault_costs_one_request_and_its_text_stays_inside() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            refusal = (await pool.run(task(b"fault"), 60)).result
            assert isinstance(refusal, Refusal) and refusal.code == "fault"
            assert "RuntimeError" in refusal.detail and "secret" not in refusal.detail
            assert isinstance((await pool.run(task(), 60)).result, Answer)

    run(test)


def test_closing_lets_running_tasks_end_and_takes_no_more() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            running = asyncio.create_task(pool.run(task(b"sleep:0.3"), 60))
            await until(lambda: pool.busy == 1)
            pids = pool.pids()
            await pool.close()
            assert isinstance((await running).result, Answer)
            with pytest.raises(Problem) as refused:
                await pool.run(task(), 60)
            assert refused.value.code == "not_ready"
            assert not any(Path(f"/proc/{pid}").exists() for pid in pids) or not Path("/proc").exists()

    run(test)


def test_a_service_managers_sigterm_to_all_processes_ends_no_work() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            running = asyncio.create_task(pool.run(task(b"sleep:0.3"), 60))
            await asyncio.sleep(0.1)
            os.kill(pool.pids()[0], signal.SIGTERM)
            assert isinstance((await running).result, Answer)

    run(test)


def test_workers_that_cannot_work_say_why() -> None:
    async def test() -> None:
        pool = BoundedPool(open_nothing, workers=1, threads=1, queue=1)
        with pytest.raises(StandoutError, match="There is no model file"):
            await pool.start()
        await pool.close()

    run(test)


def test_a_module_in_the_current_folder_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "signal.py").write_text("open('ran', 'w').close()\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)

    async def test() -> None:
        async with pool_of() as pool:
            assert isinstance((await pool.run(task(), 60)).result, Answer)

    run(test)
    assert not (tmp_path / "ran").exists()
