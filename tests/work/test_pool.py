"""A worker that dies costs one item; whatever happens to an item is in its future."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pool_work import WordWork
from standout.errors import InputError, MissingExtra, ModelFileError, StandoutError
from standout.work.pool import Stopped, TookTooLong, WorkerDied, WorkerPool

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs signals")


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_whatever_happens_to_an_item_is_in_its_future_and_the_others_are_done() -> None:
    deaths: list[int] = []
    with WorkerPool(WordWork(), workers=2, threads=3, on_death=lambda: deaths.append(1)) as pool:
        words = ["a", "die", "b", "fail", "extra", "crash", "odd", "c"]
        done = {word: future for word, future in pool.each(words)}
        assert [done[word].result() for word in "abc"] == ["A", "B", "C"]
        for word, kind, text in (
            ("die", WorkerDied, "was killed (SIGKILL), perhaps for want of memory"),
            ("fail", InputError, "The word is broken."),
            ("extra", MissingExtra, "This needs the extra `other`"),
            ("crash", StandoutError, "Internal error: ZeroDivisionError: a fault"),
            ("odd", StandoutError, "Internal error: "),
        ):
            error = done[word].exception()
            assert type(error) is kind and text in str(error)
        assert pool.hello == {"threads": 3, "env": "3"}
        assert deaths == [1]


def test_items_can_come_back_in_their_order_and_are_never_taken_far_ahead() -> None:
    taken: list[int] = []

    def endless() -> object:
        number = 0
        while True:
            taken.append(number)
            yield str(number)
            number += 1

    with WorkerPool(WordWork(), workers=2) as pool:
        for place, (word, future) in enumerate(pool.each(endless(), ahead=4, in_order=True)):  # type: ignore[arg-type]
            assert (word, future.result()) == (str(place), str(place))
            assert len(taken) <= place + 5
            if place == 20:
                break


def test_an_item_that_takes_too_long_is_given_up_and_only_that() -> None:
    with WorkerPool(WordWork(slow_to_open=0.5), workers=1, deadline_s=0.3) as pool:
        slow, quick = pool.submit("hang"), pool.submit("a")
        with pytest.raises(TookTooLong, match="longer than 0.3 seconds"):
            slow.result(20)
        assert quick.result(20) == "A"
        assert slow.seconds >= 0.3
        assert pool.submit("hang", deadline_s=0.1).exception(20).seconds == 0.1  # type: ignore[union-attr]


def test_an_item_can_be_given_up_by_whoever_gave_it() -> None:
    deaths: list[int] = []
    with WorkerPool(WordWork(), workers=1, on_death=lambda: deaths.append(1)) as pool:
        at_work, waiting = pool.submit("hang"), pool.submit("a")
        wait_for(at_work.running)
        pool.give_up(waiting)
        pool.give_up(at_work)
        assert waiting.cancelled()
        with pytest.raises(Stopped):
            at_work.result(20)
        assert pool.submit("b").result(20) == "B"
        assert deaths == []


def test_an_interrupt_ends_what_is_at_work_and_forgets_what_waits() -> None:
    with WorkerPool(WordWork(), workers=1) as pool:
        assert pool.submit("a").result(20) == "A"
        at_work, waiting = pool.submit("slow"), pool.submit("b")
        wait_for(at_work.running)
        time.sleep(0.2)
        pids = pool.pids()
        pool.interrupt()
        with pytest.raises(Stopped):
            at_work.result(20)
        assert waiting.cancelled()
        assert pool.submit("c").result(20) == "C"
        assert pool.pids() == pids


def test_work_that_cant_be_done_at_all_is_told_to_each_and_nobody_waits_for_ever() -> None:
    with WorkerPool(WordWork(unusable=True), workers=2) as pool:
        pool.start()
        with pytest.raises(ModelFileError, match="The model is broken"):
            pool.wait_ready(20)
        for _, future in pool.each(["a", "b", "c"]):
            assert isinstance(future.exception(), ModelFileError)
    with WorkerPool(WordWork(dies=True), workers=1) as pool:
        with pytest.raises(StandoutError, match=r"No worker process can be started here: it exited with code 3"):
            pool.submit("a").result(30)
        assert pool.broken


def test_no_process_may_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with (
        WorkerPool(WordWork(), workers=1) as pool,
        pytest.raises(StandoutError, match="No worker process can be started here: Operation not permitted"),
    ):
        pool.submit("a").result(30)


def test_warm_workers_are_replaced_though_no_item_waits() -> None:
    deaths: list[int] = []
    with WorkerPool(WordWork(), workers=2, keep_warm=True, on_death=lambda: deaths.append(1)) as pool:
        pool.start(2)
        pool.wait_ready(30)
        before = pool.pids()
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: pool.ready == 2 and before[0] not in pool.pids())
        assert before[1] in pool.pids() and deaths == [1]
        assert pool.submit("a").result(20) == "A"


def test_closing_waits_as_long_as_it_is_told_and_leaves_no_process() -> None:
    pool = WorkerPool(WordWork(), workers=2)
    done, hangs, waits = pool.submit("a"), pool.submit("hang"), [pool.submit(word) for word in "bcd"]
    wait_for(hangs.running)
    pids = pool.pids()
    pool.close(grace_s=0.2)
    assert done.result() == "A"
    assert isinstance(hangs.exception(), Stopped)
    assert all(future.done() for future in waits)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(StandoutError, match="ending"):
        pool.submit("e")


def test_workers_end_with_their_parent_however_it_ends(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from pool_work import WordWork;"
        "from standout.work.pool import WorkerPool; pool = WorkerPool(WordWork(), workers=1);"
        "print(pool.submit('pid').result(), flush=True); pool.submit('hang'); time.sleep(1000)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text()

    wait_for(gone)


def test_a_script_needs_no_main_guard_and_a_daemonic_process_may_have_workers(tmp_path: Path) -> None:
    """As in Celery, whose workers are daemonic: `multiprocessing` would refuse."""
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing, sys\nprint('imported')\nsys.path.insert(0, sys.argv[1])\n"
        "from pool_work import WordWork\nfrom standout.work.pool import WorkerPool\n"
        "def go():\n    with WorkerPool(WordWork(), workers=2) as pool:\n"
        "        print(multiprocessing.current_process().daemon, pool.submit('a').result(), flush=True)\n"
        "go()\n"
        "task = multiprocessing.get_context('fork').Process(target=go, daemon=True)\ntask.start(); task.join()\n"
    )
    command = [sys.executable, "-W", "ignore", str(script), str(Path(__file__).parent.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert done.stdout.split("\n")[:3] == ["imported", "False A", "True A"], done.stderr


def test_workers_hear_no_signals_of_their_parents_group_and_import_nothing_from_the_current_folder() -> None:
    with WorkerPool(WordWork(), workers=1) as pool:
        assert pool.submit("group").result(20) != os.getpgid(0)
        assert "" not in pool.submit("path").result(20)
        pid = pool.submit("pid").result(20)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # a service manager tells every process
            os.kill(pid, number)
        time.sleep(0.1)
        assert pool.submit("pid").result(20) == pid
