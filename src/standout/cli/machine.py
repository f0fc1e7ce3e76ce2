"""What this machine and this installation have: for `standout info` and for the head of a benchmark."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

#: Packages whose versions decide over speed and results.
_PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "Pillow", "tensorflow", "keras", "albumentations")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, Python and the versions that matter."""
    versions = {name: version for name in _PACKAGES if (version := installed(name))}
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": versions,
    }


def installed(package: str) -> str:
    """The version of an installed distribution, or ""."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def missing_by_extra() -> dict[str, list[str]]:
    """Extra -> what it would have to install here; an empty list where the extra is whole."""
    missing: dict[str, list[str]] = {}
    metadata = importlib.metadata.metadata("standout")
    for extra in metadata.get_all("Provides-Extra") or []:
        missing[extra] = []
    for line in importlib.metadata.requires("standout") or []:
        found = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        name = re.match(r"[A-Za-z0-9._-]+", line)
        if found and name and name.group() != "standout" and not installed(name.group()):
            missing.setdefault(found.group(1), []).append(name.group())
    return missing


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
        found = re.search(r"model name\s*:\s*(.+)", text)
        if found:
            return found.group(1).strip()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):  # Windows has no sysconf
        return None
