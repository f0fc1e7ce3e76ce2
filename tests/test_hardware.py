"""A container's limits are what counts, not the machine's size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from standout.hardware import hardware_threads, usable_cores, usable_memory


@pytest.fixture
def large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 hardware threads, 256 GiB."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1 << 26}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__, raising=False)


def system(tmp_path: Path, **files: str) -> Path:
    """A file system with these files; `/` is written `__`."""
    for name, text in files.items():
        file = tmp_path / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


SIBLINGS = "sys__devices__system__cpu__cpu0__topology__thread_siblings_list"


@pytest.mark.usefixtures("large_machine")
@pytest.mark.parametrize(("siblings", "cores"), [("0", 64), ("0,32", 32), ("0-1", 32), ("0-3", 16), ("0,4-6", 16)])
def test_the_threads_of_a_core_are_counted_in_every_form_of_the_kernels_list(
    siblings: str, cores: int, tmp_path: Path
) -> None:
    root = system(tmp_path, **{SIBLINGS: siblings + "\n"})
    assert usable_cores(root) == cores and hardware_threads(root) == 64


@pytest.mark.usefixtures("large_machine")
@pytest.mark.parametrize(("quota", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1),
                                              ("max 100000", 64), ("", 64), ("nonsense", 64)])  # fmt: skip
def test_a_containers_processors(quota: str, cores: int, tmp_path: Path) -> None:
    root = system(tmp_path, proc__self__cgroup="0::/\n", **{"sys__fs__cgroup__cpu.max": quota})
    assert usable_cores(root) == hardware_threads(root) == cores


@pytest.mark.usefixtures("large_machine")
def test_the_narrowest_group_above_counts(tmp_path: Path) -> None:
    root = system(
        tmp_path, proc__self__cgroup="0::/outer/inner\n",
        **{"sys__fs__cgroup__outer__cpu.max": "300000 100000", "sys__fs__cgroup__outer__inner__cpu.max": "max 100000",
           "sys__fs__cgroup__outer__memory.max": "max", "sys__fs__cgroup__outer__inner__memory.max": "2147483648"},
    )  # fmt: skip
    assert usable_cores(root) == 3 and usable_memory(root) == 2 << 30


@pytest.mark.usefixtures("large_machine")
def test_groups_of_version_1(tmp_path: Path) -> None:
    root = system(
        tmp_path, proc__self__cgroup="4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n0::/docker/abc\n",
        **{"sys__fs__cgroup__cpu__cpu.cfs_quota_us": "400000", "sys__fs__cgroup__cpu__cpu.cfs_period_us": "100000",
           "sys__fs__cgroup__memory__memory.limit_in_bytes": "1073741824"},
    )  # fmt: skip
    assert usable_cores(root) == 4 and usable_memory(root) == 1 << 30
    (root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us").write_text("-1")
    (root / "sys/fs/cgroup/memory/memory.limit_in_bytes").write_text("9223372036854771712")
    assert usable_cores(root) == 64 and usable_memory(root) == 256 << 30


@pytest.mark.usefixtures("large_machine")
def test_without_groups_it_is_the_machine(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == hardware_threads(tmp_path) == 64
    assert usable_memory(tmp_path) == 256 << 30
