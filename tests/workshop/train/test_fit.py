"""Train, stop, resume, export, cut out: the workshop's whole road on twenty pairs."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from kits import TINY_TRAINING as TINY
from kits import needs_tensorflow
from standout.cli import run as command

pytestmark = [*needs_tensorflow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    assert command(["train", str(data), "--run", str(run), "steps=4", "refine_channels=4", *TINY]) == 0
    return run


def test_the_run_folder_tells_everything(trained):
    for name in ("config.json", "best.weights.h5", "last.weights.h5", "state.npz", "history.csv", "history.png"):
        assert (trained / name).stat().st_size > 0, name
    assert cv2.imread(str(trained / "previews" / "000004.jpg")).shape[1] == 8 * 160
    assert list((trained / "tensorboard").iterdir())
    rows = (trained / "history.csv").read_text().splitlines()
    assert len(rows) == 3 and "iou" in rows[0] and "iou_people" in rows[0] and "false_people" in rows[0]
    assert not [file.name for file in trained.iterdir() if file.name.startswith(".")]  # no temporary file stays


def test_an_exported_run_cuts_out_a_photo(trained, data, tmp_path, capfd):
    onnx_file = tmp_path / "person.onnx"
    assert command(["export", str(trained), "-o", str(onnx_file)]) == 0
    out = tmp_path / "out.png"
    photo = data / "people" / "images" / "p00.png"
    assert command([str(photo), "--model", str(onnx_file), "-o", str(out)]) == 0
    assert cv2.imread(str(out), cv2.IMREAD_UNCHANGED).shape == (64, 64, 4)
    import standout

    card = standout.load(onnx_file).card
    assert (card.encoder, card.input_size, card.samples) == ("mobilenet_v2", (64, 64), 8)
    facts, with_facts = tmp_path / "card.toml", tmp_path / "told.onnx"
    facts.write_text("samples = 131_192\n")  # this run went on from others
    assert command(["export", str(trained), "-o", str(with_facts), "--card", str(facts)]) == 0
    capfd.readouterr()
    assert command(["info", "-m", str(with_facts)]) == 0
    assert "training saw 131,192 pictures" in capfd.readouterr().out
    assert command(["export", str(trained), "-o", str(tmp_path / "odd.onnx"), "--size", "50"]) == 2
    assert command(["export", str(tmp_path), "-o", str(tmp_path / "odd.onnx")]) == 2
    assert not (tmp_path / "odd.onnx").exists()


def test_an_export_that_differs_is_refused(trained, tmp_path, monkeypatch, capfd):
    from standout.workshop.export import onnx

    monkeypatch.setattr(
        onnx,
        "_norm_factors",
        lambda norm: (np.ones(norm.gamma.shape, np.float32), np.zeros(norm.gamma.shape, np.float32)),
    )
    assert command(["export", str(trained), "-o", str(tmp_path / "wrong.onnx")]) == 2
    assert "must equal Keras" in capfd.readouterr().err and not (tmp_path / "wrong.onnx").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["bacth=3"], "did you mean `train.batch`"),
        (["weights=none.npz"], "is not there"),
        (["encoder=resnet"], "mobilenet_v2"),
        (["--resume"], "can't be read"),
    ],
)
def test_wrong_settings_end_with_a_sentence_and_2(data, tmp_path, words, says, capfd):
    run = tmp_path / "run"
    assert command(["train", str(data), "--run", str(run), *words]) == 2
    assert says in capfd.readouterr().err.replace("\n", " ")
    assert not (run / "state.npz").exists()


def test_a_run_is_not_overwritten_and_a_resumed_one_keeps_its_network(trained, data, capfd):
    assert command(["train", str(data), "--run", str(trained)]) == 2
    assert "--resume" in capfd.readouterr().err
    assert command(["train", str(data), "--run", str(trained), "--resume", "batch=4"]) == 2
    assert "train.batch" in capfd.readouterr().err


def test_a_smaller_network_learns_from_a_teacher(data, trained, tmp_path):
    run = tmp_path / "student"
    words = [f"teacher={trained}", "distill=1.0", "refine_channels=0"]
    assert command(["train", str(data), "--run", str(run), "steps=2", *TINY, *words]) == 0
    record = json.loads((run / "config.json").read_text())
    assert "layers of the teacher" in record["start"]
    assert command(["export", str(run), "-o", str(tmp_path / "student.onnx"), "--size", "64"]) == 0
    assert (tmp_path / "student.onnx").stat().st_size < exported_size(trained, tmp_path)


def exported_size(run: Path, folder: Path) -> int:
    assert command(["export", str(run), "-o", str(folder / "teacher.onnx"), "--size", "64"]) == 0
    return (folder / "teacher.onnx").stat().st_size


def test_a_teacher_that_is_no_run_is_named(data, tmp_path, capsys):
    assert command(["train", str(data), "--run", str(tmp_path / "run"), "steps=2", *TINY, "teacher=nowhere"]) == 2
    assert "nowhere is no run folder" in capsys.readouterr().err
