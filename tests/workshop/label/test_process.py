"""`standout label`: sets that can be trained on, sheets to look at, a card, and lists of what somebody decided."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from standout.cli import run as command
from standout.cluster.engines import in_this_process
from standout.errors import ConfigError, InputError
from standout.imaging.decode import read
from standout.imaging.encode import encode
from standout.workshop.data.pairs import find_pairs
from standout.workshop.label import judges as judges_module
from standout.workshop.label.agreement import AgreementRule
from standout.workshop.label.judges import JudgeFile, parse_judge
from standout.workshop.label.process import LabelOptions, LabelReport, label_photos


def picture(person: tuple[int, int] | None, blind: bool = False) -> bytes:
    """100 × 120, a bright person between two columns; with `blind` the second judge can't see it."""
    frame = np.full((100, 120, 3), (10, 20, 60), np.uint8)
    if person:
        frame[20:90, person[0] : person[1]] = (250, 240, 230)
    frame[:5, :5] = 255 if blind else 0
    return encode(frame)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges by brightness; the second is blind where the corner is bright."""

    def bright(_: JudgeFile, threads: int) -> Any:
        return lambda frame: (frame[..., 0] > 128).astype(np.float32) * (np.arange(len(frame))[:, None] >= 5)

    def sometimes_blind(file: JudgeFile, threads: int) -> Any:
        see = bright(file, threads)
        return lambda frame: see(frame) * np.float32(frame[0, 0, 0] < 128)

    monkeypatch.setitem(judges_module._LOADERS, "own", bright)
    monkeypatch.setitem(judges_module._LOADERS, "selfie", sometimes_blind)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    root = tmp_path / "photographs"
    for name, content in {
        "webcam/images/a.png": picture((30, 80)), "webcam/images/blind.png": picture((30, 80), blind=True),
        "webcam/images/nobody.png": picture(None), "webcam/images/broken.jpg": b"no picture",
        "coco/images/two.png": picture((20, 90)), "coco/boxes/two.txt": b"0 0.25 0.55 0.5 0.9\n",
        "coco/masks/two.png": picture((1, 2)),
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def label(source: Path, target: Path, **options: Any) -> LabelReport:
    chosen = LabelOptions(
        (JudgeFile("own", "photo"), JudgeFile("selfie", "s.tflite", b"x")), AgreementRule(band=0), **options
    )
    return label_photos(source, target, options=chosen, engine=in_this_process)


@pytest.mark.usefixtures("fakes")
def test_where_the_judges_agree_there_is_a_pair_to_train_on(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = label(photographs, out, prefix="judged_")
    assert report.kept == {"judged_webcam": 1, "judged_coco": 1}
    assert report.looked_at == {"judged_webcam": 4, "judged_coco": 1}
    assert report.why_not == {"hardly anybody is in it": 2, "could not be used": 1}
    pairs, faults = find_pairs(out)
    assert [pair.image.name for pair in pairs] == ["two.png", "a.png"] and faults == []
    assert all(pair.mask and pair.unsure for pair in pairs)
    mask = read(out / "judged_webcam/masks/a.png").frame[..., 0]
    assert (mask[30:80, 35:75] == 255).all() and (mask[:, :25] == 0).all()
    assert (out / "judged_webcam/images/a.png").read_bytes() == (photographs / "webcam/images/a.png").read_bytes()
    beyond = read(out / "judged_coco/masks/two.png").frame[:, 65:, 0]
    assert beyond.max() == 0, "outside the box nobody is"


@pytest.mark.usefixtures("fakes")
def test_the_card_has_the_rule_and_the_counts_and_sheets_are_pictures(photographs: Path, tmp_path: Path) -> None:
    report = label(photographs, tmp_path / "out")
    card = tomllib.loads((tmp_path / "out" / "card.toml").read_text("utf-8"))["data"]
    assert card == list(report.card)
    assert "webcam: 1 of 4 photographs; masks by 2 judges" in card
    assert any("IoU at least 0.87" in line for line in card) and any("selfie (s.tflite" in line for line in card)
    assert set(report.written) == {"card.toml", "sheets/coco.jpg", "sheets/webcam.jpg"}
    assert read(tmp_path / "out/sheets/webcam.jpg").frame.shape[1] > 200


@pytest.mark.usefixtures("fakes")
def test_what_somebody_drops_or_corrects_wins_and_the_rest_stays(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    label(photographs, out)
    before = (out / "coco/masks/two.png").stat().st_mtime_ns
    drawn = np.zeros((100, 120), np.uint8)
    drawn[50:, 50:] = 255
    drawn[50:60, 50:60] = 128
    report = label(
        photographs, out, dropped=frozenset({"webcam/images/a.png"}),
        corrected={"webcam/images/blind.png": encode(drawn)},
    )  # fmt: skip
    assert report.kept == {"webcam": 1, "coco": 1} and report.photos.count("done") == 2
    assert not list(out.glob("webcam/*/a.png")), "image, mask and what is unsure of it are gone"
    mask, unsure = (read(out / "webcam" / part / "blind.png").frame[..., 0] for part in ("masks", "unsure"))
    assert mask[70, 70] == 255 and unsure[55, 55] == 255 and unsure[70, 70] == 0
    assert (out / "coco/masks/two.png").stat().st_mtime_ns == before
    again = label(photographs, out)
    assert again.kept == {"webcam": 1, "coco": 1} and again.photos.count("done") == 2, "taken back"


@pytest.mark.usefixtures("fakes")
def test_other_judges_or_another_rule_judge_anew(photographs: Path, tmp_path: Path) -> None:
    label(photographs, tmp_path / "out")
    assert label(photographs, tmp_path / "out").photos.count("done") == 0
    one = LabelOptions((JudgeFile("own", "photo"), JudgeFile("selfie", "s.tflite", b"y")), AgreementRule(band=0))
    report = label_photos(photographs, tmp_path / "out", options=one, engine=in_this_process)
    assert report.photos.count("done") == 5


@pytest.mark.usefixtures("fakes")
def test_a_corrected_mask_of_another_size_is_refused(photographs: Path, tmp_path: Path) -> None:
    small = {"webcam/images/a.png": encode(np.zeros((10, 12), np.uint8))}
    report = label(photographs, tmp_path / "out", corrected=small)
    assert any("must be of its size, 120 × 100; received 12 × 10" in failed.error for failed in report.photos.failed)


def test_judges_are_named_by_kind_and_file(tmp_path: Path) -> None:
    (tmp_path / "j.tflite").write_bytes(b"x")
    assert parse_judge(f"selfie={tmp_path / 'j.tflite'}").content == b"x"
    assert parse_judge("own=live").content is None
    with pytest.raises(ConfigError, match="own=MODEL, deeplab=FILE or selfie=FILE; received 'photo'"):
        parse_judge("photo")
    with pytest.raises(InputError, match="can't be read: No such file"):
        parse_judge("deeplab=missing.tflite")
    with pytest.raises(ConfigError, match="At least two judges"):
        LabelOptions((JudgeFile("own", "photo"),))


def test_a_file_that_is_no_network_is_told() -> None:
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(InputError, match=r"`x\.tflite` must be a TensorFlow Lite network"):
        JudgeFile("selfie", "x.tflite", b"no network").load(1)


@pytest.mark.slow
def test_the_command_on_this_machine(
    photographs: Path, tmp_path: Path, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = ["--judge", f"own={model_file}"] * 2
    drop, correct = tmp_path / "drop.txt", tmp_path / "correct" / "webcam" / "images"
    drop.write_text("# seen\nblind\n")
    correct.mkdir(parents=True)
    cv2.imwrite(str(correct / "nobody.png"), np.full((100, 120), 255, np.uint8))
    arguments = [str(photographs), str(tmp_path / "out"), *judged, "--band", "0", "--workers", "2"]
    code = command(["label", *arguments, "--drop", str(drop), "--correct", str(tmp_path / "correct")])
    said = capsys.readouterr()
    assert code == 1, "broken.jpg"
    assert "webcam: 2 of 4 kept" in said.out and "1 × dropped by hand" in said.out and "broken.jpg" in said.out
    assert read(tmp_path / "out/webcam/masks/nobody.png").frame.min() == 255
    drop.write_text("who.jpg\n")
    assert command(["label", *arguments, "--drop", str(drop)]) == 2
    assert "received 'who.jpg': there is no such photograph" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / ".standout-journal.jsonl").read_text().splitlines()[0])
