"""How much the installed package takes: a fresh environment, without pip and setuptools, package by package.

python tools/install_size.py                # the core, with the versions of constraints.txt
python tools/install_size.py video matting  # with extras
python tools/install_size.py --limit 400    # and exit with 1 if it takes more than 400 MB
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What every environment has, and no program needs to run.
NOT_OURS = {"pip", "setuptools", "wheel"}

#: Runs in the measured environment: the bytes of each distribution's files, with what Python compiled of them.
LIST = """
import importlib.metadata, pathlib
for found in importlib.metadata.distributions():
    files = {pathlib.Path(str(found.locate_file(file))).resolve() for file in found.files or []}
    print(found.metadata["Name"], sum(file.stat().st_size for file in files if file.is_file()), sep="\\t")
"""


def measure(extras: list[str], constraints: Path | None) -> dict[str, int]:
    """Distribution -> bytes, of a new environment that holds Standout with these extras."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
        words = ["--constraint", str(constraints)] if constraints else []
        subprocess.run([python, "-m", "pip", "install", "--quiet", *words, target], check=True)
        listed = subprocess.run([python, "-P", "-c", LIST], capture_output=True, text=True, check=True).stdout
    sizes = (line.split("\t") for line in listed.splitlines())
    return {name: int(size) for name, size in sizes if name.lower() not in NOT_OURS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extras", nargs="*")
    parser.add_argument("--limit", type=float, help="MB (1 MB = 1,000,000 bytes)")
    parser.add_argument("--newest", action="store_true", help="without constraints.txt")
    words = parser.parse_args()
    sizes = measure(words.extras, None if words.newest else ROOT / "constraints.txt")
    total = sum(sizes.values()) / 1e6
    print("| package | MB |\n|---|---|")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"| {name} | {size / 1e6:.1f} |")
    print(f"| **all** | **{total:.0f}** |")
    if words.limit is not None and total > words.limit:
        sys.exit(f"The installation must take at most {words.limit:g} MB; received {total:.0f}.")


if __name__ == "__main__":
    main()
