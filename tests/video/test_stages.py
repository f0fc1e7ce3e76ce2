"""Stages run at once, in bounded memory, and an error anywhere ends everything with its cause."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from standout.video.stages import run_stream


def double(items: Iterator[Any]) -> Iterator[Any]:
    for item in items:
        yield 2 * item


def test_order_is_kept() -> None:
    got: list[int] = []
    run_stream(range(50), [double, double], got.append)
    assert got == [4 * i for i in range(50)]


def test_the_source_doesnt_run_ahead() -> None:
    made: list[int] = []
    ahead: list[int] = []

    def source() -> Iterator[int]:
        for i in range(60):
            made.append(i)
            yield i

    def slow(item: int) -> None:
        time.sleep(0.002)
        ahead.append(len(made) - item)

    run_stream(source(), [iter], slow, depth=2)
    assert max(ahead) <= 8


@pytest.mark.parametrize("place", ["source", "stage", "sink"])
def test_an_error_is_raised_at_once_and_no_thread_is_left(place: str) -> None:
    def fail_at(items: Iterator[Any], here: bool) -> Iterator[Any]:
        for item in items:
            if here and item == 5:
                raise ValueError("the cause")
            yield item

    def endless() -> Iterator[int]:
        i = 0
        while True:
            yield i
            i += 1

    def sink(item: int) -> None:
        if place == "sink" and item == 5:
            raise ValueError("the cause")

    start, before = time.monotonic(), set(threading.enumerate())
    with pytest.raises(ValueError, match="the cause"):
        run_stream(fail_at(endless(), place == "source"), [lambda items: fail_at(items, place == "stage")], sink)
    assert time.monotonic() - start < 2
    assert set(threading.enumerate()) <= before


def test_it_stops_when_told_whatever_waits_in_the_queues() -> None:
    stop = threading.Event()
    got: list[int] = []

    def sink(item: int) -> None:
        got.append(item)
        if item == 3:
            time.sleep(0.2)  # the queues fill
            stop.set()

    run_stream(iter(range(10**9)), [iter], sink, stop=stop)
    assert got == [0, 1, 2, 3]


def test_the_callers_event_stays_the_callers() -> None:
    stop = threading.Event()
    run_stream(range(5), [iter], lambda item: None, stop=stop)
    assert not stop.is_set()
