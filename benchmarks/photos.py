"""Standout against the `rembg` package with its U2Netp session: seconds per photo and peak memory, in one run.

    python benchmarks/photos.py FOLDER [--rembg /path/to/rembg] [--rounds 3] [--json result.json]

FOLDER holds JPEG, PNG or WebP photos (12-megapixel ones, to check the promise). Both programs are run as a user runs
them, by their command lines, turn about, each round in another order: once per photo from a cold start (the first
`--cold` photos), and once over the whole folder. Medians are printed, and the ratio rival : Standout.

rembg is not a dependency. `pip install 'rembg[cpu,cli]'` into an environment of its own and name its command with
`--rembg`; its model u2netp.onnx must lie in $U2NET_HOME (or ~/.u2net). What isn't there is reported as missing.

Processor seconds stand beside: on a busy machine they are the steadier figure. Peak memory is the sum over all
processes of a command, each page shared between them counted once (PSS, Linux); elsewhere the largest resident set that
the system reports for one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SAMPLE_S = 0.05


Run = tuple[float, float, int]


@dataclass
class Program:
    """One command line and what was measured of it: (seconds per photo, processor seconds per photo, peak bytes)."""

    name: str
    single: list[str]
    folder: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    cold: list[Run] = field(default_factory=list)
    many: list[Run] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rembg", default=shutil.which("rembg"), help="rembg's command [default: the one on PATH]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", type=int, default=3, help="photos that are also cut out from a cold start")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    photos = sorted(path for path in arguments.folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not photos:
        parser.error(f"there is no JPEG, PNG or WebP in {arguments.folder}")
    programs = [standout_program()]
    missing = rembg_missing(arguments.rembg)
    if missing is None:
        programs.append(rembg_program(arguments.rembg))
    for number in range(arguments.rounds):
        turn = programs if number % 2 == 0 else programs[::-1]
        for photo in photos[: arguments.cold]:
            for program in turn:
                program.cold.append(run_one(program, photo))
        for program in turn:
            program.many.append(run_folder(program, photos))
    show(programs, photos, missing)
    if arguments.json:
        measured = {program.name: {"cold": program.cold, "folder": program.many} for program in programs}
        result = {"machine": machine(), "photos": len(photos), "missing": missing, "measured": measured}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def standout_program() -> Program:
    command = [sys.executable, "-m", "standout"]
    known = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    folder = [*command, "folder"] if "\n  folder " in known else [*command, "photo", "*", "-o"]
    return Program("standout", [*command, "photo"], folder)


def rembg_missing(command: str | None) -> str | None:
    """Why rembg can't be measured, or None."""
    if command is None or shutil.which(command) is None:
        return "rembg is not installed (--rembg names its command)"
    home = Path(os.environ.get("U2NET_HOME", Path.home() / ".u2net"))
    if not (home / "u2netp.onnx").is_file():
        return f"rembg has no model: {home / 'u2netp.onnx'} is not there"
    return None


def rembg_program(command: str) -> Program:
    return Program("rembg u2netp", [command, "i", "-m", "u2netp"], [command, "p", "-m", "u2netp"])


def run_one(program: Program, photo: Path) -> Run:
    with tempfile.TemporaryDirectory() as work:
        target = Path(work) / "out.png"
        option = ["-o"] if program.name == "standout" else []
        measured = run([*program.single, str(photo), *option, str(target)])
        if not target.is_file():
            raise SystemExit(f"{program.name} wrote nothing for {photo.name}")
    return measured


def run_folder(program: Program, photos: list[Path]) -> Run:
    with tempfile.TemporaryDirectory() as work:
        source, target = Path(work) / "in", Path(work) / "out"
        source.mkdir()
        target.mkdir()
        for photo in photos:
            (source / photo.name).symlink_to(photo.resolve())
        command = list(program.folder)
        if "*" in command:
            at = command.index("*")
            command[at : at + 1] = [str(path) for path in sorted(source.iterdir())]
        else:
            command.append(str(source))
        seconds, processor, peak = run([*command, str(target)])
        written = sum(1 for path in target.rglob("*") if path.suffix == ".png")
        if written != len(photos):
            raise SystemExit(f"{program.name} wrote {written} of {len(photos)} photos")
    return seconds / len(photos), processor / len(photos), peak


def run(command: list[str]) -> Run:
    """Seconds, processor seconds and peak bytes of a command with all its children."""
    used, begin = processor_seconds(), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = [0]
    watcher = threading.Thread(target=watch, args=(process, peak), daemon=True)
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - begin
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} … failed: {errors.decode(errors='replace')[-400:]}")
    return seconds, processor_seconds() - used, peak[0] or largest_child()


def processor_seconds() -> float:
    """Of all children that have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(shared_size(pid) for pid in tree(process.pid)))
        time.sleep(SAMPLE_S)


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def shared_size(pid: int) -> int:
    """PSS in bytes; 0 for a process that is gone or where there is no /proc."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def largest_child() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def show(programs: list[Program], photos: list[Path], missing: str | None) -> None:
    print(f"{len(photos)} photos · {machine()}")
    print(
        f"{'':<18}{'cold start, s':>14}{'processor':>11}{'peak MB':>9}{'folder, s':>14}{'processor':>11}{'peak MB':>9}"
    )
    table = {}
    for program in programs:
        row = [middle(runs, which) for runs in (program.cold, program.many) for which in range(3)]
        table[program.name] = row
        c, cp, cm, f, fp, fm = row
        print(f"{program.name:<18}{c:>14.2f}{cp:>11.2f}{cm / 1e6:>9.0f}{f:>14.2f}{fp:>11.2f}{fm / 1e6:>9.0f}")
    if missing is not None:
        print(f"rembg u2netp       missing: {missing}")
        return
    ours, rival = table[programs[0].name], table[programs[1].name]
    c, cp, cm, f, fp, fm = (theirs / mine for theirs, mine in zip(rival, ours, strict=True))
    print(f"{'rembg : standout':<18}{c:>13.1f}×{cp:>10.1f}×{cm:>8.1f}×{f:>13.1f}×{fp:>10.1f}×{fm:>8.1f}×")
    for name, reached, wanted in (("cold start", c, 3), ("folder", f, 5), ("memory", min(cm, fm), 2)):
        print(f"{name}: {reached:.1f}× of {wanted}×, {'kept' if reached >= wanted else 'missed'}")


def middle(runs: list[Run], which: int) -> float:
    return statistics.median(run[which] for run in runs)


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
