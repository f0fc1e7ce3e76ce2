"""Nothing leaves the machine: what the packages under Standout would send of their own accord is switched off.

`import standout` does it: before any module of Standout imports one of these packages, in every process, and child
processes inherit it. Nothing later is early enough: onnxruntime reads its variable once, while it is being imported.
"""

from __future__ import annotations

import os

#: Environment variable -> the value that keeps a package quiet.
SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime 1.29 and later: events to a server, a device id in the user's cache
    "NO_ALBUMENTATIONS_UPDATE": "1",  # albumentations asks PyPI for news when it is imported
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray reports the use of a cluster that it starts
}


def switch_telemetry_off() -> None:
    """Sets each of `SWITCHES` that the user hasn't set otherwise."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
