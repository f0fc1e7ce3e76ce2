"""Which Ray cluster is used, without starting one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cluster_work import CopyWork
from standout.cluster.engines import ClusterLost
from standout.cluster.options import ClusterOptions
from standout.cluster.photo import Photo
from standout.cluster.ray_engine import RayEngine
from standout.cluster.step import Step
from standout.errors import ConfigError

ray = pytest.importorskip("ray")
pyarrow = pytest.importorskip("pyarrow")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
LOSSES = [ray.exceptions.RayError("a node is gone"), ValueError("Ray Data's own"), TimeoutError()]


@pytest.mark.parametrize(("address", "expected"), [(None, "local"), ("ray://head:10001", "ray://head:10001")])
def test_no_address_is_a_cluster_of_its_own_and_never_one_that_happens_to_run(
    monkeypatch: pytest.MonkeyPatch, address: str | None, expected: str
) -> None:
    asked: list[dict[str, Any]] = []

    def init(**words: Any) -> None:
        asked.append(words)
        raise ConnectionError("far enough")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setenv("RAY_ADDRESS", "ray://another:10001")
    with pytest.raises(ConfigError, match="No Ray cluster can be used"), RayEngine(ClusterOptions(address=address)):
        pass
    assert asked[0]["address"] == expected


class _Rows:
    """Stands in for Ray Data from `from_arrow` to `iter_batches`: one table of rows, and then what comes instead."""

    def __init__(self, then: BaseException | None) -> None:
        self._then = then

    def map_batches(self, *_: Any, **__: Any) -> _Rows:
        return self

    def iter_batches(self, **_: Any) -> Iterator[Any]:
        yield pyarrow.table({"path": ["a.jpg"]})
        if self._then is not None:
            raise self._then


@pytest.mark.parametrize(
    "lost", [ray.exceptions.RayError("a node is gone"), ValueError("Ray Data's own"), TimeoutError()]
)
def test_whatever_ray_raises_is_a_cluster_that_is_lost(monkeypatch: pytest.MonkeyPatch, lost: Exception) -> None:
    engine = engine_on(monkeypatch, _Rows(lost))
    rows = engine(Step(CopyWork(), "in", "out"), [Photo("a.jpg", "a.png")])
    assert next(rows) == [{"path": "a.jpg"}]
    with pytest.raises(ClusterLost):
        next(rows)


def test_an_interruption_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_on(monkeypatch, _Rows(KeyboardInterrupt()))
    rows = engine(Step(CopyWork(), "in", "out"), [Photo("a.jpg", "a.png")])
    next(rows)
    with pytest.raises(KeyboardInterrupt):
        next(rows)
    rows = engine(Step(CopyWork(), "in", "out"), [Photo("a.jpg", "a.png")])
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # as a job does that is stopped


def engine_on(monkeypatch: pytest.MonkeyPatch, rows: _Rows) -> RayEngine:
    import ray.data

    monkeypatch.setattr(ray.data, "from_arrow", lambda _: rows)
    engine = RayEngine(ClusterOptions())
    engine._ray, engine._room = ray, 1
    return engine
