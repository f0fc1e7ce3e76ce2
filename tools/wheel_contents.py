"""Checks that a wheel holds what a user needs, and nothing of the workbench.

python tools/wheel_contents.py dist/*.whl
"""

from __future__ import annotations

import sys
import zipfile

NEEDED = (
    "standout/assets/photo.onnx",
    "standout/assets/live.onnx",
    "standout/assets/astronaut.jpg",
    "standout/server/page/index.html",
    "standout/py.typed",
    "standout/__init__.pyi",
)
FORBIDDEN = ("tests/", "weights/", "web/", "benchmarks/")


def faults(wheel: str) -> list[str]:
    """What is missing from a wheel and what shouldn't be in it, a sentence each."""
    names = zipfile.ZipFile(wheel).namelist()
    missing = [f"{wheel} lacks {name}." for name in NEEDED if name not in names]
    return missing + [f"{wheel} holds {name}." for name in names if name.startswith(FORBIDDEN)]


if __name__ == "__main__":
    found = [fault for wheel in sys.argv[1:] for fault in faults(wheel)]
    sys.exit("\n".join(found) or ("give a wheel" if len(sys.argv) < 2 else 0))
