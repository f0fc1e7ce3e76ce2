"""The version, told once: `pyproject.toml` has it; the tag, the changelog and the browser library must agree.

python tools/release.py prepare 1.0.0   # sets the version, and dates what the changelog has under Unreleased
python tools/release.py check v1.0.0    # what publish.yml asks before anything is built
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
_STAGES = {"a": "alpha", "b": "beta", "rc": "rc"}


def prepare(root: Path, version: str, day: str) -> None:
    """Writes the version into pyproject.toml and web/, and a section of this version into the changelog."""
    if not _VERSION.fullmatch(version):
        sys.exit(f"The version must look like 1.2.3 or 1.2.3rc1; received {version!r}.")
    project, changelog = root / "pyproject.toml", root / "CHANGELOG.md"
    text = changelog.read_text("utf-8")
    if "## Unreleased\n" not in text:
        sys.exit("CHANGELOG.md must have a section `## Unreleased`.")
    changelog.write_text(text.replace("## Unreleased\n", f"## Unreleased\n\n## {version} ({day})\n", 1), "utf-8")
    project.write_text(
        re.sub(r'(?m)^version = "[^"]*"', f'version = "{version}"', project.read_text("utf-8"), count=1), "utf-8"
    )
    # The lock tells the package's own version twice, before any other's.
    for name, times in (("package.json", 1), ("package-lock.json", 2)):
        file = root / "web" / name
        line = f'"version": "{npm_version(version)}"'
        file.write_text(re.sub(r'"version": "[^"]*"', line, file.read_text("utf-8"), count=times), "utf-8")


def npm_version(version: str) -> str:
    """A version as npm writes it: 1.2.3rc1 is 1.2.3-rc.1."""
    return re.sub(r"(a|b|rc)(\d+)$", lambda found: f"-{_STAGES[found[1]]}.{found[2]}", version)


def check(root: Path, tag: str) -> None:
    """Exits with a sentence unless tag, pyproject.toml, changelog and the browser library are of one version."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if tag != f"v{version}":
        sys.exit(f"The tag must be v{version}, as pyproject.toml has it; received {tag!r}.")
    if not re.search(
        rf"(?m)^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", (root / "CHANGELOG.md").read_text("utf-8")
    ):
        sys.exit(f"CHANGELOG.md must have a section `## {version} (YYYY-MM-DD)`; `tools/release.py prepare` makes it.")
    told = json.loads((root / "web" / "package.json").read_text("utf-8"))["version"]
    if told != npm_version(version):
        sys.exit(f"web/package.json must be of version {npm_version(version)}; it is of {told}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("prepare", "check"))
    parser.add_argument("version", help="1.0.0 for prepare, the tag v1.0.0 for check")
    words = parser.parse_args()
    if words.what == "prepare":
        prepare(ROOT, words.version, datetime.datetime.now(datetime.UTC).date().isoformat())
    else:
        check(ROOT, words.version)


if __name__ == "__main__":
    main()
