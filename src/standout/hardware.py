"""How many cores and how much memory this process may use: the machine's, or what a container leaves of them.

A container with two of 64 cores and 2 GB sees the whole machine in `os.cpu_count()` and `sysconf`; its limits are in
the files of its control group (version 2, and version 1 of older systems).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_SYSTEM = Path("/")


def hardware_threads(system: Path = _SYSTEM) -> int:
    """The hardware threads that this process may keep busy: so many processes of one thread need no more.

    Args:
        system: Where /proc and /sys lie; another folder in tests.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cpu_quota(system)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def usable_cores(system: Path = _SYSTEM) -> int:
    """The cores that this process may use; two hardware threads of one core count as one."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        siblings = (system / "sys/devices/system/cpu/cpu0/topology/thread_siblings_list").read_text("ascii")
        per_core = max(1, _count_of_list(siblings))
    except (OSError, ValueError):
        per_core = 1
    # A quota is time, of which a core has one second per second; so it is compared with cores, not with their threads.
    return max(1, min(logical // per_core, hardware_threads(system)))


def usable_memory(system: Path = _SYSTEM) -> int | None:
    """The bytes that this process may use; None where the system doesn't tell (Windows)."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    limits = [_number(file) for file in _files(system, "memory", "memory.max", "memory.limit_in_bytes")]
    return min([physical, *(limit for limit in limits if limit is not None and limit > 0)])


def _cpu_quota(system: Path) -> float | None:
    """Processors' worth of time that the control groups allow; None without a limit."""
    quotas = []
    for file in _files(system, "cpu", "cpu.max", "cpu.cfs_quota_us"):
        if file.name == "cpu.max":
            quota, _, period = _text(file).partition(" ")
        else:
            quota, period = _text(file), _text(file.with_name("cpu.cfs_period_us"))
        if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):  # not "max", not -1
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def _files(system: Path, controller: str, name: str, old_name: str) -> Iterator[Path]:
    """The limit's file of this process' control group and of all above it: each of them holds."""
    for line in _text(system / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            root, file = system / "sys/fs/cgroup", name
        elif controller in controllers.split(","):
            root, file = system / "sys/fs/cgroup" / controller, old_name
        else:
            continue
        # Within a container the group may be named as the host sees it; then only the root is there.
        here = root / group.lstrip("/")
        for folder in (here, *here.parents):
            if (folder / file).is_file():
                yield folder / file
            if folder == root:
                break


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.isdecimal() else None


def _count_of_list(text: str) -> int:
    """How many numbers a kernel's list holds: `0-3` and `0,4-6` hold four."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count
