"""Nothing leaves the machine: no command writes an identity, looks up a name or opens a connection.

Each command runs with an empty HOME and without CI in its environment (onnxruntime keeps quiet where CI is set), on
Linux in a network of its own without a way out; the kernel's counters tell what was tried.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from kits import write_pairs
from standout.cli import COMMANDS
from standout.privacy import SWITCHES, switch_telemetry_off

PHOTO = str(files("standout") / "assets" / "astronaut.jpg")

#: command -> its arguments; PHOTO, PHOTOS (a folder), PAIRS (a data set), FILM and RUN stand for what the test makes.
CALLS: dict[str, list[str]] = {
    "photo": ["photo", "PHOTO", "-o", "out.png"],
    "folder": ["folder", "PHOTOS", "out", "--workers", "2"],
    "id-photo": ["id-photo", "PHOTO", "--spec", "us-visa", "-o", "visa.jpg"],
    "video": ["video", "FILM", "-o", "out.mp4", "--background", "blur"],
    "webcam": ["webcam", "--list"],
    "page": ["page", "site"],
    "demo": ["demo"],
    "evaluate": ["evaluate", "PAIRS"],
    "audit": ["audit", "PAIRS"],
    "convert": ["convert", "PAIRS", "converted"],
    "augment": ["augment", "PAIRS", "augmented", "--count", "2"],
    "benchmark": ["benchmark", "--model", "live", "--size", "64x64", "--rounds", "2", "--repeats", "1"],
    "info": ["info"],
    "serve": ["serve", "--check"],
}
#: What Standout and packages keep for themselves: checked data sets, a list of fonts, Keras' settings.
OWN_CACHES = (".cache/standout/", ".cache/matplotlib/", ".config/matplotlib/", ".keras/keras.json")
#: Need Keras or other people's networks: their packages are asked by `test_the_workshop_asks_nobody`.
OTHERS = {"train", "export", "label"}

#: Runs a command in a network of its own and prints what the kernel counted: names asked for, connections opened.
COUNTED = """
import fcntl, json, os, socket, struct, subprocess, sys
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(wire, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)
lines = [line.split() for line in open("/proc/net/snmp")]
counts = {head[0] + key: int(value) for head, values in zip(lines[::2], lines[1::2])
          for key, value in zip(head[1:], values[1:])}
json.dump([done.returncode, *(counts[k] for k in ("Udp:OutDatagrams", "Tcp:ActiveOpens", "Ip:OutNoRoutes"))],
          open(os.environ["COUNTS"], "w"))
"""


@cache
def own_network() -> list[str]:
    """The words before a command that give it a network of its own; none where that can't be had."""
    words = ["unshare", "--net", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])] if _linux() else []
    works = bool(words) and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    return words if works else []


def _linux() -> bool:
    return sys.platform == "linux" and shutil.which("unshare") is not None


def run_watched(tmp_path: Path, *command: str) -> tuple[subprocess.CompletedProcess[str], list[int] | None, list[str]]:
    """The command's outcome; [exit code, datagrams, connections, ways out tried] or None; the files in its HOME."""
    home, work, counts = tmp_path / "home", tmp_path / "work", tmp_path / "counts.json"
    home.mkdir()
    work.mkdir(exist_ok=True)
    kept = {"PATH", "LANG", "LC_ALL", "PYTHONPATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "SYSTEMROOT"}
    env = {name: value for name, value in os.environ.items() if name in kept}
    env |= {"HOME": str(home), "COUNTS": str(counts), "COLUMNS": "200"}
    words = list(command)
    if own_network():
        resolver = tmp_path / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\n")
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        words = [*own_network(), "sh", "-c", script, str(resolver), sys.executable, "-c", COUNTED, *command]
    done = subprocess.run(words, cwd=work, env=env, capture_output=True, text=True, timeout=120, check=False)
    found = json.loads(counts.read_text()) if counts.exists() else None
    return done, found, sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def assert_quiet(
    done: subprocess.CompletedProcess[str], counts: list[int] | None, written: list[str], *, own_connections: int = 0
) -> None:
    expected = [0, own_connections, 0]
    assert counts is None or counts[1:] == expected, f"datagrams, connections, routes: {counts[1:]}"
    assert not [name for name in written if not name.startswith(OWN_CACHES)]
    # 1 is the audit's verdict on so small a set.
    assert (counts[0] if counts else done.returncode) in (0, 1) and "Traceback" not in done.stderr, done.stderr


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "photos").mkdir()
    shutil.copy(PHOTO, folder / "photos" / "a.jpg")
    write_pairs(folder / "pairs", 4)
    (folder / "film.y4m").write_bytes(b"YUV4MPEG2 W64 H48 F25:1 Ip C420\n" + (b"FRAME\n" + bytes(64 * 48 * 3 // 2)) * 3)
    paths = {"PHOTO": Path(PHOTO), "PHOTOS": folder / "photos", "PAIRS": folder / "pairs", "FILM": folder / "film.y4m"}
    return {name: str(path) for name, path in paths.items()}


def test_every_command_is_asked() -> None:
    assert CALLS.keys() | OTHERS == COMMANDS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_no_command_tells_anybody_anything(name: str, inputs: dict[str, str], tmp_path: Path) -> None:
    arguments = [inputs.get(word, word) for word in CALLS[name]]
    # The server's own check is a request to itself.
    own = 1 if name == "serve" else 0
    assert_quiet(*run_watched(tmp_path, sys.executable, "-m", "standout", *arguments), own_connections=own)


@pytest.mark.slow
def test_the_library_tells_nobody_while_it_is_used(tmp_path: Path) -> None:
    # Seconds afterwards, too: onnxruntime sends from a thread of its own, after five.
    code = f"import time, standout; standout.cut_out({PHOTO!r}); time.sleep(7)"
    assert_quiet(*run_watched(tmp_path, sys.executable, "-c", code))


@pytest.mark.slow
def test_a_dependency_that_sends_is_noticed(tmp_path: Path) -> None:
    code = "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass"
    _, counts, _ = run_watched(tmp_path, sys.executable, "-c", code)
    if counts is None:
        pytest.skip("no network namespace can be had here")
    assert counts[1] > 0


@pytest.mark.slow
def test_the_workshop_asks_nobody(tmp_path: Path) -> None:
    pytest.importorskip("albumentations")
    pytest.importorskip("ai_edge_litert")
    # TensorFlow and Keras are what `standout info` imports.
    code = "import standout.workshop.data.augment, standout.workshop.label.judges, ai_edge_litert.interpreter"
    assert_quiet(*run_watched(tmp_path, sys.executable, "-c", code))


def test_the_switches_are_set_before_anything_is_imported() -> None:
    code = f"import os, standout; print(*[os.environ.get(name) for name in {list(SWITCHES)}])"
    env = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(SWITCHES.values())


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    switch_telemetry_off()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
