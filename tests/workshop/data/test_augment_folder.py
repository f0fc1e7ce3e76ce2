"""Offline augmentation: training reads it, nothing depends on the workers, and neither a kill nor a full disk hurts."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from kits import disc, write_nobody, write_pairs

pytest.importorskip("albumentations")

from standout.cli import run
from standout.workshop.data.augment_plan import AugmentOptions, Plan, draw
from standout.workshop.data.check import check_pairs
from standout.workshop.data.labels import read_mask
from standout.workshop.data.pair import Pair
from standout.workshop.data.pairs import find_pairs

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_pairs(root / "people", 12)
    write_nobody(root / "nobody", 3)
    (root / "people" / "groups.csv").write_text("stem,group\np00,anna\np01,anna\n")
    (root / "sets.toml").write_text("[people]\nweight = 0.5\n")
    return root


def augment(data: Path, out: Path, *more: str, count: int = 70) -> int:
    return run(["augment", str(data), str(out), "--count", str(count), "--size", "64", *more])


def digest(out: Path) -> dict[str, str]:
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def written(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("augmented")
    assert augment(data, out, "--workers", "1") == 0
    return out


def test_training_finds_every_pair_usable_and_keeps_a_photograph_on_one_side(written: Path) -> None:
    pairs, faults = find_pairs(written)
    checked = check_pairs(pairs, faults=faults)
    assert len(checked.good) == 70 and not checked.faults
    assert {pair.weight for pair in pairs if pair.set == "people"} == {0.5}
    with (written / "people" / "groups.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["group"] for row in rows if row["photo"] in ("p00.png", "p01.png")} == {"anna"}
    used = [row["photo"] for row in rows]
    counts = [used.count(f"p{i:02d}.png") for i in range(12)]
    assert max(counts) - min(counts) <= 4 and min(counts) > 0  # all photographs in turn, 4 variations in a row
    assert {pair.group for pair in pairs if pair.set == "people"} >= {"anna", "p02"}


def test_image_and_mask_are_changed_together(written: Path) -> None:
    # The stand-in people are bright on dark; whatever was done to the picture, brightness tells where they are.
    agree = []
    for file in sorted((written / "people" / "images").iterdir()):
        image, mask = cv2.imread(str(file)), read_mask(written / "people" / "masks" / f"{file.stem}.png") > 127
        gray = image.mean(axis=2)
        agree.append(gray[mask].mean() - gray[~mask].mean())
    assert np.median(agree) > 60 and np.mean(np.array(agree) > 0) > 0.9
    # One sample in thirty is the photograph as it is, so a few may be alike.
    assert len(set(digest(written / "people" / "images").values())) > 0.9 * len(agree)


def test_any_number_of_workers_and_a_resumed_run_write_the_same_files(data: Path, tmp_path: Path) -> None:
    assert augment(data, tmp_path / "out", "--workers", "2", count=40) == 0
    *victims, kept = sorted((tmp_path / "out" / "people" / "images").iterdir())[:4]
    victims[0].unlink()  # as a kill leaves it: a mask without its image, half a file, a file without content
    victims[1].rename(victims[1].with_name(".standout-0123456789abcdef.part"))
    victims[1].with_name(".standout-0123456789abcdef.lock").write_text(socket.gethostname())
    victims[2].write_bytes(b"")
    before = kept.stat().st_mtime_ns
    assert augment(data, tmp_path / "out", "--workers", "1", count=70) == 0
    assert kept.stat().st_mtime_ns == before
    fresh = tmp_path / "fresh"
    assert augment(data, fresh, "--workers", "1", count=40) == 0
    assert augment(data, fresh, "--workers", "1", count=70) == 0
    assert digest(tmp_path / "out") == digest(fresh)


def test_a_killed_run_leaves_no_process_and_is_gone_on_with(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = [sys.executable, "-m", "standout", "augment", str(data), str(out), "--size", "64", "--workers", "2"]
    process = subprocess.Popen([*line, "--count", "20000"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(out.glob("people/images/*.jpg")):
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    workers = children.read_text().split() if children.exists() else []
    process.kill()
    process.wait()
    assert list(out.glob("people/images/*.jpg"))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_runs(pid) for pid in workers):
        time.sleep(0.1)
    assert not any(_runs(pid) for pid in workers)
    assert augment(data, out, "--workers", "1", count=8) == 0
    assert not list(out.rglob("*.part"))


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_bad_pairs_are_named_and_the_rest_is_augmented(data: Path, tmp_path: Path, capsys) -> None:
    write_pairs(tmp_path / "people", 4)
    (tmp_path / "people" / "images" / "p01.png").write_bytes(b"no picture")
    (tmp_path / "people" / "masks" / "p02.png").unlink()
    assert augment(tmp_path, tmp_path / "out", "--workers", "1", count=6) == 1
    err = capsys.readouterr().err
    assert re.search(r"unreadable\):.*p01\.png", err, re.S) and re.search(r"no mask\):.*p02\.png", err, re.S)
    assert len(list((tmp_path / "out" / "people" / "images").iterdir())) == 6


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--seed", "1"], "seed 0, now 1"),
        (["--size", "96"], "size 64, now 96"),
        (["--png"], "format 'jpg', now 'png'"),
        (["--size", "50"], "multiple of 32"),
        (["--zoom-out", "2"], "0 … 1"),
    ],
)
def test_other_settings_are_refused_and_change_nothing(data, written, more, says, capsys) -> None:
    before = digest(written)
    assert augment(data, written, *more) == 2
    assert says in capsys.readouterr().err
    assert digest(written) == before


def test_other_pictures_and_other_peoples_folders_are_refused(data: Path, written: Path, tmp_path, capsys) -> None:
    write_pairs(tmp_path / "people", 4)
    assert augment(tmp_path, written) == 2
    assert "other pictures" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.jpg").write_bytes(b"")
    assert augment(data, tmp_path / "mine") == 2
    assert "didn't write" in capsys.readouterr().err
    assert os.listdir(tmp_path / "mine") == ["holiday.jpg"]
    assert augment(tmp_path / "missing", tmp_path / "new") == 2 and not (tmp_path / "new").exists()


def test_a_full_disk_ends_with_a_sentence_and_leaves_no_half_file(data, tmp_path, monkeypatch, capsys) -> None:
    real, calls = os.replace, []

    def full(source, target):
        calls.append(target)
        if len(calls) > 30:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert augment(data, tmp_path / "out", "--workers", "1") == 2
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.setattr(os, "replace", real)
    assert not list(tmp_path.rglob("*.part"))
    assert augment(data, tmp_path / "out", "--workers", "1") == 0
    assert len(list((tmp_path / "out").glob("*/images/*.jpg"))) == 70


def test_a_tiny_person_in_a_large_photograph_is_in_every_sample(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    mask = disc(900, (70, 830), 5)
    rng = np.random.default_rng(0)
    image = np.where(mask[..., None], 250, rng.integers(0, 70, (900, 900, 3))).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "images" / "a.png"), image)
    cv2.imwrite(str(tmp_path / "masks" / "a.png"), mask * np.uint8(255))
    (pair,) = find_pairs(tmp_path)[0]
    for index in range(6):
        frame, label = draw(pair, index, AugmentOptions(64))
        assert frame.shape == (64, 64, 3) and (label[..., 0] > 127).any()


def test_boxes_alone_are_named_and_left_as_they_are(tmp_path: Path, capsys) -> None:
    """Turned and cut, a box is no box any more; an empty file of boxes says that nobody is there, which stays true."""
    data = tmp_path / "data"
    write_pairs(data / "people", 3)
    write_nobody(data / "street", 3)
    (data / "street" / "boxes").mkdir()
    for name, line in (("n00", "0 0.5 0.5 0.5 0.5\n"), ("n01", ""), ("n02", "")):
        (data / "street" / "boxes" / f"{name}.txt").write_text(line)
    assert augment(data, tmp_path / "out", "--workers", "1", count=20) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if "boxes alone" in line]
    assert len(told) == 1 and "n00.png" in told[0] and "train on boxes as they are" in told[0]
    pairs, faults = find_pairs(tmp_path / "out")
    assert len(check_pairs(pairs, faults=faults).good) == 20
    assert {pair.has_person for pair in pairs if pair.set == "street"} == {False}


def test_photographs_with_nobody_among_pairs_of_a_csv_get_a_set_of_their_own(data: Path, tmp_path: Path) -> None:
    lines = [f"{data}/people/images/p{i:02d}.png,{data}/people/masks/p{i:02d}.png" for i in range(4)]
    (tmp_path / "all.csv").write_text("\n".join(["image,mask", *lines, f"{data}/nobody/images/n00.png,"]))
    assert augment(tmp_path / "all.csv", tmp_path / "out", "--workers", "1", count=10) == 0
    pairs, faults = find_pairs(tmp_path / "out")
    assert not faults and {(pair.set, pair.mask is None) for pair in pairs} == {("all", False), ("all-nobody", True)}


def test_a_sample_depends_on_seed_and_index_alone(data: Path) -> None:
    pairs = tuple(find_pairs(data)[0])
    plan = Plan(pairs, AugmentOptions(64, in_a_row=2), data)
    assert [plan.pair_of(i) for i in (0, 2, 4)] == [plan.pair_of(i) for i in (1, 3, 5)]
    shown = [plan.pair_of(i) for i in range(0, 2 * len(pairs), 2)]
    assert sorted(p.image for p in shown) == sorted(p.image for p in pairs)
    first, again, other = (draw(pairs[0], i, AugmentOptions(64)) for i in (5, 5, 6))
    assert (first[0] == again[0]).all() and (first[0] != other[0]).any()
    assert (draw(pairs[0], 5, AugmentOptions(64, seed=1))[0] != first[0]).any()


def test_the_sets_with_people_are_looked_up_once_and_not_for_every_sample(tmp_path, monkeypatch):
    pairs = tuple(Pair(tmp_path / f"{i}.jpg", tmp_path / f"{i}.png" if i % 2 else None, "street") for i in range(50))
    plan = Plan(pairs, AugmentOptions(64), tmp_path)
    hashed = []
    monkeypatch.setattr(Pair, "__hash__", lambda pair: hashed.append(pair) or 0)
    folders = {plan.folder_of(pair).name for pair in pairs}
    assert folders == {"street", "street-nobody"}
    assert len(hashed) <= len(pairs)
