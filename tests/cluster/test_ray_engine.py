"""Which Ray cluster is used, without starting one."""

from __future__ import annotations

from typing import Any

import pytest

from standout.cluster.options import ClusterOptions
from standout.errors import ConfigError

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("address", "expected"), [(None, "local"), ("ray://head:10001", "ray://head:10001")])
def test_no_address_is_a_cluster_of_its_own_and_never_one_that_happens_to_run(
    monkeypatch: pytest.MonkeyPatch, address: str | None, expected: str
) -> None:
    from standout.cluster.ray_engine import RayEngine

    asked: list[dict[str, Any]] = []

    def init(**words: Any) -> None:
        asked.append(words)
        raise ConnectionError("far enough")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setenv("RAY_ADDRESS", "ray://another:10001")
    with pytest.raises(ConfigError, match="No Ray cluster can be used"), RayEngine(ClusterOptions(address=address)):
        pass
    assert asked[0]["address"] == expected
