"""Unfinished files have one kind of name, and the sweep that removes them touches nothing else."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from standout.errors import OutputError
from standout.imaging.files import Unfinished, atomic_write, is_temporary, sweep_temporary


def leave_half(folder: Path, code: str) -> None:
    """A process that dies in the midst of its writing."""
    code = f"import os, signal; from standout.imaging.files import *; {code}; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode != 0


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_only_what_an_owners_lock_proves_abandoned_is_swept(tmp_path: Path) -> None:
    kept = {"photo.standout.png", ".standout-notes.txt", "film.mp4.part"}
    # Names like ours without a lock: nobody knows whose they are.
    kept |= {".standout-0123456789abcdef.part.mp4", ".standout-0123456789abcdef", "a.png"}
    for name in kept:
        (tmp_path / name).write_bytes(b"a user's")
    leave_half(tmp_path, "a = atomic_write('b.png'); b = a.__enter__(); b.write(b'half'); b.flush()")
    leave_half(tmp_path, "film = Unfinished('c.mp4', suffix='.part.mp4'); film.path.write_bytes(b'half')")
    leave_half(tmp_path, "pictures = Unfinished('d', folder=True); (pictures.path / '1.png').write_bytes(b'half')")
    dead = {path.name for path in tmp_path.iterdir()} - kept
    assert len(dead) == 6 and all(is_temporary(name) for name in dead)
    film = Unfinished(tmp_path / "film.mp4", suffix=".part.mp4")
    film.path.write_bytes(b"all of it")
    with atomic_write(tmp_path / "a.png") as file:
        file.write(b"whole")
        sweep_temporary(tmp_path)
    film.place()
    assert {path.name for path in tmp_path.iterdir()} == kept | {"film.mp4"}
    assert (tmp_path / "a.png").read_bytes() == b"whole" and (tmp_path / "film.mp4").read_bytes() == b"all of it"


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_what_another_machine_has_begun_lately_is_left_alone(tmp_path: Path) -> None:
    """Its lock may not be seen here."""
    leave_half(tmp_path, "film = Unfinished('c.mp4'); film.path.write_bytes(b'half')")
    (lock,) = tmp_path.glob("*.lock")
    lock.write_text("elsewhere")
    sweep_temporary(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    sweep_temporary(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("refused", ["chmod", "fsync", "flock"])
def test_a_network_drive_may_refuse_what_isnt_needed(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL if refused == "fsync" else errno.EPERM, "refused")

    module = pytest.importorskip("fcntl") if refused == "flock" else os
    monkeypatch.setattr(module, refused, refuse)
    for content in (b"new", b"newer"):
        with atomic_write(tmp_path / "a.png") as file:
            file.write(content)
        film = Unfinished(tmp_path / "b.mp4", suffix=".part.mp4")
        film.path.write_bytes(content)
        film.place()
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.mp4").read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.mp4"}


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_lost_the_bytes_is_no_success(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="can't be written"), atomic_write(tmp_path / "a.png") as file:
        file.write(b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.png": b"old"}


@pytest.mark.skipif(os.name == "nt", reason="needs pipes")
def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        with atomic_write(tmp_path / "pipe") as file:
            file.write(b"bytes")
        assert reader.communicate(timeout=20)[0] == b"bytes"
    assert (tmp_path / "pipe").is_fifo() and len(list(tmp_path.iterdir())) == 1


def test_sweeping_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    sweep_temporary(tmp_path / "gone")


@pytest.mark.skipif(os.name == "nt", reason="needs modes and links")
def test_a_file_that_was_there_keeps_its_permissions_and_a_link_stays_a_link(tmp_path: Path) -> None:
    private, link = tmp_path / "elsewhere" / "private.json", tmp_path / "link.json"
    private.parent.mkdir()
    private.write_text("old")
    private.chmod(0o600)
    link.symlink_to(private)
    with atomic_write(link) as file:
        file.write(b"new")
    film = Unfinished(link, suffix=".part.mp4")
    film.path.write_bytes(b"new")
    film.place()
    assert link.is_symlink() and private.read_text() == "new"
    assert private.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in private.parent.iterdir()] == ["private.json"]


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_link_that_leads_nowhere_or_to_itself(tmp_path: Path) -> None:
    nowhere, circle = tmp_path / "nowhere.json", tmp_path / "circle.json"
    nowhere.symlink_to(tmp_path / "target.json")
    circle.symlink_to(circle)
    with atomic_write(nowhere) as file:
        file.write(b"new")
    assert nowhere.is_symlink() and (tmp_path / "target.json").read_bytes() == b"new"
    with suppress(OutputError), atomic_write(circle) as file:
        file.write(b"new")
    assert {path.name for path in tmp_path.iterdir()} == {"nowhere.json", "target.json", "circle.json"}
