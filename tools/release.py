"""The version, told once: `pyproject.toml` has it, the tag and the changelog must agree.

python tools/release.py prepare 1.0.0   # sets the version, and dates what the changelog has under Unreleased
python tools/release.py check v1.0.0    # what publish.yml asks before anything is built
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")


def prepare(root: Path, version: str, day: str) -> None:
    """Writes the version into pyproject.toml, and a section of this version into the changelog."""
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


def check(root: Path, tag: str) -> None:
    """Exits with a sentence unless tag, pyproject.toml and changelog are of one version."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if tag != f"v{version}":
        sys.exit(f"The tag must be v{version}, as pyproject.toml has it; received {tag!r}.")
    if not re.search(
        rf"(?m)^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", (root / "CHANGELOG.md").read_text("utf-8")
    ):
        sys.exit(f"CHANGELOG.md must have a section `## {version} (YYYY-MM-DD)`; `tools/release.py prepare` makes it.")


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
