"""Official photos: exact geometry on a drawn head, honest verdicts, and files that say their size."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import standout
from fakes import FakeFaces, FakeModel, face_at, portrait
from standout.cli import run
from standout.errors import ConfigError, InputError, OutputError
from standout.id_photo import make as module
from standout.id_photo.head import Head, Span, measure_head
from standout.id_photo.make import IdPhoto, make_with
from standout.id_photo.spec import Spec
from standout.id_photo.specs import list_specs, load_spec
from standout.imaging.arrays import Frame
from standout.imaging.decode import from_array

#: Processes are started, photographs are worked on: seconds each.
pytestmark = pytest.mark.slow

ASTRONAUT = Path(standout.__file__).parent / "assets" / "astronaut.jpg"
EYES = (500.0, 420.0)


@pytest.fixture(scope="module")
def model() -> FakeModel:
    return FakeModel((1024, 1024))


def make(frame: Frame | None = None, spec: str | Spec = "us-visa", *, tilt: float = 0.0, **options: object) -> IdPhoto:
    """A photo of the drawn head, or of a frame with a face at `EYES`."""
    faces = options.pop("faces", FakeFaces(face_at(EYES, tilt=tilt)))
    frame = portrait(tilt=tilt) if frame is None else frame
    model = options.pop("model", FakeModel((1024, 1024)))
    spec = spec if isinstance(spec, Spec) else load_spec(spec)
    return make_with(frame, spec, model, faces, **options)  # type: ignore[arg-type]


def pupils_of(photo: IdPhoto) -> np.ndarray:
    """Where the two red dots are, (2, 2) as (x, y), the left one first; pixel centers."""
    red = photo.pixels.astype(int)
    weight = np.clip(red[..., 0] - red[..., 1] - 40, 0, None).astype(float)
    centers = []
    for half in (slice(0, photo.pixels.shape[1] // 2), slice(photo.pixels.shape[1] // 2, None)):
        part = np.zeros_like(weight)
        part[:, half] = weight[:, half]
        y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
        centers.append([(part * x).sum() / part.sum(), (part * y).sum() / part.sum()])
    return np.array(centers)


# ---------------------------------------------------------------- geometry


@pytest.mark.parametrize("tilt", [0.0, -11.0, 7.5])
@pytest.mark.parametrize("name", ["us-visa", "jp-passport", "cn-visa-online"])
def test_the_eye_line_is_level_centered_and_where_the_report_says(name: str, tilt: float) -> None:
    photo = make(spec=name, tilt=tilt)
    left, right = pupils_of(photo)
    height, width = photo.pixels.shape[:2]
    assert abs(left[1] - right[1]) < 0.7, "the eyes are on one line"
    assert abs((left[0] + right[0]) / 2 - (width - 1) / 2) < 0.7, "and in the middle"
    verdict = next(verdict for verdict in photo.report.verdicts if verdict.rule == "eye line")
    assert verdict.value is not None
    per_unit = {"%": height / 100, "mm": height / (photo.spec.height_mm or 1), "px": 1.0}[verdict.unit]
    assert abs((height - (left[1] + right[1]) / 2 - 0.5) - verdict.value[1] * per_unit) < 1.0
    if name == "us-visa":  # 600 × 600; the eyes 56 … 69 % above the lower edge
        assert 0.56 * 600 < 600 - left[1] < 0.69 * 600


def test_the_head_has_the_size_that_is_asked_for() -> None:
    photo = make(spec="us-visa", tilt=5)
    person = np.abs(photo.pixels.astype(int) - 255).sum(axis=2) > 12
    crown = np.flatnonzero(person.any(axis=1))[0]
    left, right = pupils_of(photo)
    # The drawn head reaches 2 pupil distances above the eyes; what was measured must agree with what is seen.
    assert abs((left[1] - crown) / (right[0] - left[0]) - 2.0) < 0.03
    head = next(verdict for verdict in photo.report.verdicts if verdict.rule == "head size")
    assert head.status == "pass" and head.value is not None and 50 < head.value[0] < head.value[2] < 69


@pytest.mark.parametrize("spec", list_specs(), ids=lambda spec: spec.name)
def test_no_specification_is_broken_by_a_good_photo(spec: Spec, model: FakeModel) -> None:
    photo = make_with(portrait(tilt=3), spec, model, FakeFaces(face_at(EYES, tilt=3)))
    assert photo.pixels.shape == (*spec.pixels()[:2], 3)
    allowed = {"unaltered background"} if spec.replacing == "forbidden" else set()
    assert set(photo.report.failed) - {"resolution"} <= allowed
    assert ("unaltered background" in photo.report.failed) == (spec.replacing == "forbidden")
    for name, rule in (("head", "head size"), ("eyes", "eye line")):
        verdict = next(verdict for verdict in photo.report.verdicts if verdict.rule == rule)
        assert (verdict.allowed is not None) == (name in spec.bands)
        if name not in spec.bands:
            assert verdict.status == "unknown", "no source states a number, so nobody can pass"


def test_photos_are_taken_as_paths_bytes_arrays_and_pillow(tmp_path: Path) -> None:
    frame = portrait()
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG")
    (tmp_path / "in.png").write_bytes(buffer.getvalue())
    expected = make(frame).pixels
    for photo in (Image.fromarray(frame), buffer.getvalue(), tmp_path / "in.png", str(tmp_path / "in.png")):
        np.testing.assert_array_equal(make(photo).pixels, expected)  # type: ignore[arg-type]


# ---------------------------------------------------------------- verdicts


def test_a_verdict_needs_more_room_than_the_measurement_is_uncertain() -> None:
    spec = load_spec("us-visa")
    tight = dataclasses.replace(spec, bands={"head": dataclasses.replace(spec.bands["head"], low=0.60, high=0.62)})
    assert make(spec=spec).report.status("head size") == "pass"
    assert make(spec=tight).report.status("head size") == "unknown", "the band is narrower than the uncertainty"
    impossible = {
        "eyes": dataclasses.replace(spec.bands["eyes"], low=0.93, high=0.95),
        "chin": dataclasses.replace(spec.bands["eyes"], low=0.02, high=0.10),
    }
    assert "eye line" in make(spec=dataclasses.replace(spec, bands=impossible)).report.failed


def test_skull_and_hair_are_told_apart() -> None:
    face = face_at(EYES)
    alpha = FakeModel((1024, 1024)).alpha(portrait())
    with_hair = measure_head(face, alpha, network_side=1024)
    without = measure_head(face, alpha, network_side=1024, hair=False)
    assert abs(with_hair.crown.mid - 240) < 2, "2 pupil distances, to the top of what is seen"
    assert without.crown.mid < with_hair.crown.mid, "under high hair the skull is lower"
    assert without.height.high - without.height.low > with_hair.height.high - with_hair.height.low


def test_a_coarse_network_makes_the_crown_less_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    face, alpha = face_at(EYES), FakeModel((1024, 1024)).alpha(portrait())
    spans = [measure_head(face, alpha, network_side=side).crown for side in (128, 512, 2048)]
    widths = [span.high - span.low for span in spans]
    assert widths[0] > widths[1] > widths[2]
    seen: list[int] = []

    def measure(*words: Any, network_side: int, **options: Any) -> Head:
        seen.append(network_side)
        return measure_head(*words, network_side=network_side, **options)

    monkeypatch.setattr(module, "measure_head", measure)
    for side in (256, 544):
        make(model=FakeModel((side, side // 2 // 16 * 16)))
    assert seen == [256, 544]


def test_sums_of_uncertain_lengths() -> None:
    total = Span.around(10, 3) + Span.around(20, 4)
    assert (total.low, total.mid, total.high) == (25, 30, 35)


def test_a_cut_off_head_fails_and_its_size_is_not_judged() -> None:
    frame = portrait()[230:]  # the crown was at row 180
    photo = make(frame, faces=FakeFaces(face_at((EYES[0], EYES[1] - 230))))
    assert "whole head" in photo.report.failed
    assert photo.report.status("head size") == "unknown"


def test_shoulders_cut_by_the_photo_are_not_filled_silently() -> None:
    photo = make(portrait()[:640], spec="jp-passport")
    assert "room around" in photo.report.failed
    words = next(verdict.words for verdict in photo.report.verdicts if verdict.rule == "room around")
    assert "bottom edge cuts the person" in words
    sides = make(np.ascontiguousarray(portrait()[:, 330:670]), faces=FakeFaces(face_at((170, 420))))
    assert "room around" in sides.report.failed


def test_background_that_goes_on_beyond_the_photo_is_said() -> None:
    frame = portrait()[150:]  # 30 rows above the head
    photo = make(frame, faces=FakeFaces(face_at((EYES[0], EYES[1] - 150))))
    verdict = next(verdict for verdict in photo.report.verdicts if verdict.rule == "room around")
    assert verdict.status == "pass" and "the new background goes on there" in verdict.words
    kept = make(frame, faces=FakeFaces(face_at((EYES[0], EYES[1] - 150))), background="keep")
    assert kept.report.status("room around") == "pass", "with its own background, the picture is moved into the photo"
    narrow = np.ascontiguousarray(portrait()[:, 300:700])  # no square around the head fits
    kept = make(narrow, faces=FakeFaces(face_at((EYES[0] - 300, EYES[1]))), background="keep")
    assert "room around" in kept.report.failed


def test_a_turned_head_fails_and_makes_the_size_unsure() -> None:
    photo = make(faces=FakeFaces(face_at(EYES, nose=0.45)))
    assert "facing camera" in photo.report.failed
    assert photo.report.status("head size") == "unknown"
    assert make().report.status("facing camera") == "unknown", "five points can't prove that a head is straight"


def test_a_much_smaller_face_is_reported() -> None:
    near = FakeFaces(face_at(EYES), face_at((700.0, 300.0), 20.0))
    assert make(faces=near).report.status("one face") == "unknown"
    assert make(faces=near, background="keep").report.status("one face") == "fail"
    far = FakeFaces(face_at(EYES), face_at((5.0, 1190.0), 20.0))
    assert make(faces=far).report.status("one face") == "pass"


def test_resolution_is_that_of_the_photo_not_of_the_file() -> None:
    small = np.asarray(Image.fromarray(portrait()).resize((250, 300), Image.Resampling.BOX))
    faces = FakeFaces(face_at((125.0, 105.0), 30.0))
    unstated = make(small, spec="jp-passport", faces=faces)
    assert unstated.report.status("resolution") == "unknown"
    assert "resolution" in make(small, spec="nl-passport", faces=faces).report.failed, "400 dpi are asked for"
    assert make(spec="jp-passport").report.status("resolution") == "pass"


def test_destinations_that_forbid_a_new_background_say_so() -> None:
    replaced = make(spec="us-passport")
    verdict = next(verdict for verdict in replaced.report.verdicts if verdict.rule == "unaltered background")
    assert verdict.status == "fail" and "forbids altered photos" in verdict.words and verdict.source
    kept = make(spec="us-passport", background="keep")
    assert kept.report.status("unaltered background") == "pass"
    assert tuple(kept.pixels[5, 5]) == (10, 20, 60), "the photo's own background"
    assert kept.report.status("background") == "unknown", "dark blue is even, but not white"


def test_evenness_of_a_kept_background() -> None:
    white = portrait()
    white[(white == (10, 20, 60)).all(axis=2)] = (255, 255, 255)
    dark_model = FakeModel((1024, 1024))
    # White on white: the fake model can't tell them apart, so it looks at the drawn head instead.
    dark_model.alpha = lambda frame, refine=True: FakeModel((1024, 1024)).alpha(portrait())  # type: ignore[method-assign]
    faces = FakeFaces(face_at(EYES))
    even = make_with(white, load_spec("us-visa"), dark_model, faces, background="keep")
    assert even.report.status("background") == "pass"
    striped = white.copy()
    striped[:, ::200] = striped[:, 100::200] = striped[:, 30::100] = 0
    striped[(np.arange(1200) // 40 % 2).astype(bool)] //= 2
    report = make_with(striped, load_spec("us-visa"), dark_model, faces, background="keep").report
    assert "background" in report.failed


def test_the_background_is_the_color_that_is_asked_for() -> None:
    assert tuple(make(spec="us-visa").pixels[3, 3]) == (255, 255, 255)
    assert tuple(make(spec="uk-passport").pixels[3, 3]) == (0xEA, 0xEA, 0xEA), "light gray, as the specification says"
    assert tuple(make(background="#a0c0ff").pixels[3, 3]) == (0xA0, 0xC0, 0xFF)
    with pytest.raises(ConfigError, match="must be a color"):
        make(background="whyte")


def test_nothing_of_the_old_background_is_left_along_the_edge() -> None:
    pixels = make().pixels.astype(int)
    # The head is warm and the old background blue: a fringe would be bluer than both head and white.
    assert (pixels[..., 2] - pixels[..., 0]).max() <= 12


# ---------------------------------------------------------------- what can't be used


@pytest.mark.parametrize(("lies", "words"), [(1, "to the right"), (3, "to the left"), (2, "by 180°")])
def test_a_photo_on_its_side_is_told_how_to_turn(lies: int, words: str) -> None:
    upright = portrait()

    class Upright:
        """Finds the face in the upright photo alone."""

        def find(self, frame: Frame) -> list[Any]:
            return [face_at(EYES)] if np.array_equal(frame, upright) else []

    with pytest.raises(InputError, match=f"is turned.* {words}"):
        make(np.ascontiguousarray(np.rot90(upright, lies)), faces=Upright())
    with pytest.raises(InputError, match="lies on its side"):
        make(np.zeros_like(upright), faces=Upright())


def test_a_photo_upside_down_is_not_told_to_lie_on_its_side() -> None:
    upright = portrait()
    lying = dataclasses.replace(face_at(EYES), points=face_at(EYES).points[:, ::-1] * (-1.0, 1.0))

    class Both:
        """Finds the upright face, and one on its side in every turn of the photo."""

        def find(self, frame: Frame) -> list[Any]:
            if np.array_equal(frame, np.rot90(upright, 2)):
                return []
            return [face_at(EYES)] if np.array_equal(frame, upright) else [lying]

    with pytest.raises(InputError, match="turned by 180°"):
        make(np.ascontiguousarray(np.rot90(upright, 2)), faces=Both())


def test_what_was_lost_in_reading_is_told() -> None:
    picture = dataclasses.replace(from_array(portrait()), notes=("the first of 3 pages",))
    assert make(picture).notes == ("the first of 3 pages",) and make().notes == ()  # type: ignore[arg-type]


def test_the_command_asks_for_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["id-photo", str(ASTRONAUT), "-o", str(tmp_path / "o.jpg")]) == 2
    error = capsys.readouterr().err
    assert "`--spec` is missing" in error and "--list-specs" in error and not (tmp_path / "o.jpg").exists()


def test_a_black_and_white_photo_is_named() -> None:
    gray = np.ascontiguousarray(np.repeat(portrait()[..., 1:2], 3, axis=2))
    verdict = next(verdict for verdict in make(gray).report.verdicts if verdict.rule == "color")
    assert verdict.status == "unknown" and "black and white" in verdict.words
    assert all(verdict.rule != "color" for verdict in make().report.verdicts)


def test_no_face_several_faces_or_a_tiny_one_are_errors() -> None:
    with pytest.raises(InputError, match="No face was found"):
        make(faces=FakeFaces())
    with pytest.raises(InputError, match=r"must show one person; received 2 faces, at 500,480, 800,480"):
        make(faces=FakeFaces(face_at(EYES), face_at((800.0, 430.0), 100.0)))
    with pytest.raises(InputError, match="The face is too small: the eyes must be at least 24 pixels apart"):
        make(faces=FakeFaces(face_at(EYES, 20.0)))
    with pytest.raises(InputError, match="the network sees no person there"):
        make(np.zeros((1200, 1000, 3), np.uint8))
    with pytest.raises(ConfigError, match="`dpi` must lie in 72 … 2400"):
        make(spec="jp-passport", dpi=10)


@pytest.mark.parametrize("kind", ["nobody", "two"])
def test_the_command_writes_nothing_when_there_is_no_single_face(kind: str, tmp_path: Path) -> None:
    frame = np.asarray(Image.open(ASTRONAUT))[:300, 60:380]
    frame = np.full_like(frame, 128) if kind == "nobody" else np.hstack([frame, frame])
    Image.fromarray(frame).save(tmp_path / "in.png")
    outputs = [
        "--spec",
        "us-visa",
        "-o",
        str(tmp_path / "out.jpg"),
        "--sheet",
        str(tmp_path / "s.pdf"),
        "--report",
        str(tmp_path / "r.json"),
    ]
    assert run(["id-photo", str(tmp_path / "in.png"), *outputs]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png"]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_size_in_print_and_resolution_stand_in_the_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    make(spec="jp-passport", dpi=600).save(path)
    with Image.open(path) as image:
        dpi = image.info["dpi"]
        assert image.size == (827, 1063)
        assert [round(float(value)) for value in dpi] == [600, 600]
        assert abs(image.size[0] / float(dpi[0]) * 25.4 - 35) < 0.05
        assert abs(image.size[1] / float(dpi[1]) * 25.4 - 45) < 0.05


def noisy() -> Frame:
    """A portrait whose head is hard to compress."""
    frame = portrait()
    bright = frame.min(axis=2) > 200
    noise = np.random.default_rng(1).integers(190, 256, frame.shape).astype(np.uint8)
    return np.where(bright[..., None], noise, frame)


def test_the_ceiling_is_kept_with_the_best_quality_that_does() -> None:
    photo = make(noisy())
    free = photo.encode().data
    ceiling = len(free) // 3000
    file = photo.encode(max_kb=ceiling)
    assert len(file.data) <= ceiling * 1000
    assert file.quality < 95
    finer = io.BytesIO()
    options = {"quality": file.quality + 1, "dpi": (300, 300), "subsampling": 0 if file.quality >= 89 else 2}
    Image.fromarray(photo.pixels).save(finer, "JPEG", **options)
    assert len(finer.getvalue()) > ceiling * 1000, "one step better would be too large"


def test_a_specification_with_a_ceiling_keeps_it_by_itself() -> None:
    spec = dataclasses.replace(load_spec("us-visa"), max_kb=30)
    file = make(noisy(), spec=spec).encode()
    assert len(file.data) <= 30_000 and file.report.status("file size") == "pass"
    assert "file size" in make(noisy(), spec=spec).encode("PNG").report.failed, "a PNG has no quality to give up"
    small = dataclasses.replace(spec, min_kb=20_000, max_kb=None)
    assert "file size" in make(spec=small).encode().report.failed


def test_a_ceiling_that_can_t_be_kept_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    photo = make(noisy())
    with pytest.raises(OutputError, match=r"can't be brought under 2 KB: at the lowest quality it has \d+\.\d KB"):
        photo.save(tmp_path / "out.jpg", max_kb=2)
    with pytest.raises(OutputError, match="give the output the ending .jpg"):
        photo.save(tmp_path / "out.png", max_kb=2)
    assert list(tmp_path.iterdir()) == []


def test_poor_quality_is_said() -> None:
    file = make(noisy()).encode(max_kb=12)
    assert file.quality < 50 and file.report.status("compression") == "unknown"


# ---------------------------------------------------------------- the command, on a real photograph


def test_command_makes_photo_sheet_and_report_of_a_real_face(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, sheet, report = tmp_path / "out.jpg", tmp_path / "sheet.pdf", tmp_path / "report.json"
    before = ASTRONAUT.read_bytes()
    arguments = ["--spec", "us-visa", "-o", str(out), "--sheet", str(sheet), "--report", str(report), "--max-kb", "40"]
    assert run(["id-photo", str(ASTRONAUT), *arguments]) == 0
    assert ASTRONAUT.read_bytes() == before
    with Image.open(out) as image:
        assert image.size == (600, 600) and image.info["dpi"] == (300, 300)
        pixels = np.asarray(image).astype(int)
    assert out.stat().st_size <= 40_000
    assert pixels[10:40, 10:40].min() >= 250, "white beside the head"
    # Her face: warm skin around the middle, just below the eye line that the specification puts at 37.5 %.
    red, green, blue = pixels[250:300, 270:330].reshape(-1, 3).mean(axis=0)
    assert red > green > blue and red > 120
    assert sheet.read_bytes().startswith(b"%PDF")
    content = json.loads(report.read_text("utf-8"))
    rules = {rule["rule"]: rule for rule in content["rules"]}
    assert {rules[name]["status"] for name in ("one face", "head size", "eye line", "tilt", "whole head")} == {"pass"}
    assert rules["head size"]["allowed"] == {"min": 50.0, "max": 69.0}
    assert rules["head size"]["measured"]["from"] < rules["head size"]["measured"]["value"]
    assert rules["resolution"]["status"] == "unknown", "the portrait has only 512 pixels"
    assert content["picture"]["width_mm"] == 50.8 and content["specification"]["sources"]["faq"]["checked"]
    words = capsys.readouterr().out
    assert "✓ pass        head size" in words and "? unknown     resolution" in words and "travel.state.gov" in words


def test_strict_writes_no_photo_that_breaks_a_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--spec", "us-passport", "-o", str(tmp_path / "out.jpg"), "--report", str(tmp_path / "r.json")]
    assert run(["id-photo", str(ASTRONAUT), *arguments, "--strict"]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json"]
    assert "unaltered background" in json.loads((tmp_path / "r.json").read_text())["failed"]
    assert "nothing was written" in capsys.readouterr().err


def test_command_refuses_what_it_can_t_write_before_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "in.jpg"
    photo.write_bytes(ASTRONAUT.read_bytes())
    for arguments, message in (
        (["-o", str(photo)], "is already the photo"),
        (["-o", str(tmp_path / "out.gif")], "must end in"),
        (["-o", str(tmp_path / "absent" / "out.jpg")], "there is no folder"),
        (
            ["-o", str(tmp_path / "out.jpg"), "--sheet", str(tmp_path / "out.jpg")],
            "A print sheet must end in .png or .pdf",
        ),
        (["-o", str(tmp_path / "a.png"), "--sheet", str(tmp_path / "a.png")], "is already the output"),
        (
            ["-o", str(tmp_path / "a.png"), "--sheet", str(tmp_path / "s.png"), "--paper", "a9"],
            "The paper must be one of",
        ),
        (["--spec", "us-pasport"], "did you mean"),
    ):
        assert run(["id-photo", str(photo), "--spec", "us-visa", *arguments]) == 2
        assert message in capsys.readouterr().err
    assert run(["id-photo", "--spec", "us-visa"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in.jpg"] and photo.read_bytes() == ASTRONAUT.read_bytes()


def test_command_lists_and_shows_specifications(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "club.toml").write_text(
        'title = "Club card"\ndocument = "other"\n[size]\nwidth_mm = 30\nheight_mm = 40\nsource = "a"\n'
        '[sources.a]\ntitle = "leaflet"\nchecked = 2026-01-31\n'
    )
    assert run(["id-photo", "--list-specs", "--specs", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(list_specs()) + 1
    assert any(line.startswith("club ") and "30 × 40 mm" in line for line in lines)
    assert any(line.startswith("us-passport") and line.endswith("! forbids altered photos") for line in lines)
    assert run(["id-photo", "--show-spec", "--spec", "ru-passport"]) == 0
    assert 'title = "Russia, internal passport (35 x 45 mm)"' in capsys.readouterr().out
    photo = str(tmp_path / "out.png")
    assert run(["id-photo", str(ASTRONAUT), "--spec", str(tmp_path / "club.toml"), "-o", photo]) == 0
    with Image.open(photo) as image:
        assert image.size == (354, 472)


def test_photos_go_through_the_standard_streams() -> None:
    command = [sys.executable, "-m", "standout", "id-photo", "-", "--spec", "jp-cv", "-o", "-"]
    done = subprocess.run(command, input=ASTRONAUT.read_bytes(), capture_output=True, check=True)
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "JPEG" and image.size == (354, 472)
    assert "head size" in done.stderr.decode()


def test_the_example_in_the_documentation_is_true() -> None:
    import doctest

    from standout.id_photo import make as photo

    result = doctest.testmod(photo)
    assert result.attempted >= 4 and result.failed == 0


def test_a_file_that_must_not_be_small_gets_the_best_quality() -> None:
    spec = dataclasses.replace(load_spec("us-visa"), min_kb=len(make().encode().data) / 1000 + 0.5, max_kb=240)
    file = make(spec=spec).encode()
    assert file.quality == 100 and file.report.status("file size") == "pass"
