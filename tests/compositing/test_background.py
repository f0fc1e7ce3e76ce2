"""What comes behind the person: fitted as asked, and blurred by its own light alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import standout
from kits import saved
from standout.compositing.background import blur_background, fit_image, parse_background
from standout.compositing.options import CompositeOptions
from standout.errors import ConfigError, OutputError
from standout.imaging.arrays import Frame
from standout.imaging.parse import Length, Point, parse_keep, parse_length, parse_point, parse_position


def stripes() -> Frame:
    """20 × 60: red, green and blue thirds from left to right."""
    image = np.zeros((20, 60, 3), np.uint8)
    for third in range(3):
        image[:, 20 * third : 20 * third + 20, third] = 255
    return image


def test_cover_fills_and_cuts_the_sides() -> None:
    fitted = fit_image(stripes(), (40, 40))
    assert fitted.shape == (40, 40, 3) and (fitted == (0, 255, 0)).all()


@pytest.mark.parametrize(("position", "color"), [((0.0, 0.5), 0), ((0.5, 0.5), 1), ((1.0, 0.5), 2)])
def test_position_chooses_what_stays_in_view(position: tuple[float, float], color: int) -> None:
    assert fit_image(stripes(), (40, 40), position=position)[20, 20, color] == 255


def test_contain_shows_all_of_it() -> None:
    fitted = fit_image(stripes(), (60, 60), fit="contain", position=(0.5, 1.0))
    assert fitted[:40].max() == 0
    assert [int(fitted[50, x].argmax()) for x in (5, 30, 55)] == [0, 1, 2]


def test_stretch_keeps_every_edge() -> None:
    fitted = fit_image(stripes(), (60, 30), fit="stretch")
    assert fitted.shape == (60, 30, 3) and [int(fitted[30, x].argmax()) for x in (2, 15, 27)] == [0, 1, 2]


@pytest.mark.parametrize("lens", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_no_halo_of_the_person_in_the_blur(lens: bool, dtype: type) -> None:
    """A red person before a gray wall: not a trace of red may be found in the blurred wall."""
    scale = 1 if dtype == np.uint8 else 257
    photo = np.full((120, 160, 3), 120, np.uint8)
    y, x = np.mgrid[:120, :160]
    alpha = np.clip((40 - np.hypot(x - 80, y - 60)) / 4 + 0.5, 0, 1).astype(np.float32)
    photo = (alpha[..., None] * (230, 20, 20) + (1 - alpha[..., None]) * photo).round().astype(dtype) * scale
    blurred = blur_background(photo.astype(dtype), alpha, radius=15, bokeh=lens)
    assert blurred.dtype == dtype
    assert int(np.abs(blurred.astype(int) - 120 * scale).max()) <= 2 * scale


def test_a_wider_radius_blurs_more_and_a_lens_keeps_lights() -> None:
    photo = np.full((120, 160, 3), 30, np.uint8)
    photo[58:62, 78:82] = 255
    nobody = np.zeros((120, 160), np.float32)
    soft, softer = (blur_background(photo, nobody, radius=r)[60, 80, 0] for r in (4, 16))
    assert 30 < softer < soft < 255
    # Out of focus, a lamp is a disc of one brightness with a rim, and brighter than a veil.
    lens = blur_background(photo, nobody, radius=16, bokeh=True)[60]
    veil = blur_background(photo, nobody, radius=16)[60]
    assert int(lens[80 + 8, 0]) > 1.5 * int(veil[80 + 8, 0])
    assert int(lens[80 + 24, 0]) < int(lens[80 + 8, 0]) / 2


def test_nothing_but_person_has_a_background_too() -> None:
    assert blur_background(np.full((20, 20, 3), 9, np.uint8), np.ones((20, 20), np.float32)).shape == (20, 20, 3)


def test_backgrounds_are_read(tmp_path: Path) -> None:
    (tmp_path / "white.png").write_bytes(b"x")
    assert parse_background("white").color == (255, 255, 255, 255)
    assert parse_background("#0F8").color == (0, 255, 136, 255)
    assert parse_background("blur").radius is None and parse_background("blur:7.5").radius == 7.5
    assert parse_background(str(tmp_path / "white.png")).image == tmp_path / "white.png"
    assert (
        CompositeOptions().background.kind == "transparent"
        and CompositeOptions(background="blur").background.kind == "blur"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("withe", "did you mean `white`"), ("#12", "`#rrggbb`"), ("#gggggg", "`#rrggbb`"), ("blur:much", "in pixels"),
        ("blur:-3", "between 0.5 and 1000"), ("blur:nan", "between"), ("beach.jpg", "neither a file"), ("", "neither"),
    ],
)  # fmt: skip
def test_backgrounds_that_are_refused(text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=words) as caught:
        parse_background(text)
    assert "\n" not in str(caught.value)


def test_a_misspelt_file_is_told_its_neighbor(tmp_path: Path) -> None:
    (tmp_path / "beach.jpg").touch()
    with pytest.raises(ConfigError, match=r"did you mean `beach\.jpg`"):
        parse_background(str(tmp_path / "baech.jpg"))


@pytest.mark.parametrize("text", ["middle", "1,2,3", "x,y", "-5%,3%", "101%,0%"])
def test_positions_that_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="position"):
        parse_position(text)


def test_people_points_and_margins_are_read_or_refused() -> None:
    assert parse_keep("2, 1") == (2, 1) and parse_point("0,0") == Point(0, 0) and parse_length("12px") == Length(12)
    refused = {parse_keep: ("0", "bob"), parse_point: ("5", "-1,4", "50%,3"), parse_length: ("100%", "-1", "inf")}
    for parse, texts in refused.items():
        for text in texts:
            with pytest.raises(ConfigError, match="received"):
                parse(text)


@pytest.mark.parametrize(
    "wrong",
    [{"fit": "fill"}, {"matting": "closed"}, {"edge": 201}, {"feather": -1}, {"position": (2, 0)}, {"keep": "biggest"},
     {"keep": "largest", "at": (1, 1)}, {"margin": float("nan")}, {"edge": "3"}, {"keep": ()}, {"keep": (0,)},
     {"crop": "no"}, {"position": "middle"}, {"at": "here"}, {"background": 3}, {"background": None}, {"fit": None}],
)  # fmt: skip
def test_looks_that_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        CompositeOptions(**wrong)  # type: ignore[arg-type]


def background_forms() -> dict[str, object]:
    """One orange picture in every form that `cut_out` takes for a photo."""
    orange = np.full((30, 40, 3), (255, 128, 64), np.uint8)
    data = saved(Image.fromarray(orange), "PNG")
    return {
        "uint8": orange, "uint16": orange.astype(np.uint16) * 257, "float64": orange / 255,
        "float32": (orange / 255).astype(np.float32), "RGBA": np.dstack([orange, np.full((30, 40), 255, np.uint8)]),
        "Pillow": Image.fromarray(orange), "bytes": data, "bytearray": bytearray(data), "open": io.BytesIO(data),
        "a color": (255, 128, 64), "NumPy color": np.array([255, 128, 64], np.uint8), "list": [255, 128, 64],
        "hex": "#ff8040", "opaque hex": "#ff8040ff",
    }  # fmt: skip


PHOTO, PERSON = np.full((20, 20, 3), 9, np.uint8), np.zeros((20, 20), np.float32)


@pytest.mark.parametrize("name", list(background_forms()))
def test_a_background_is_whatever_a_photo_is(name: str) -> None:
    result = standout.compose(PHOTO, PERSON, background=background_forms()[name])  # type: ignore[arg-type]
    assert result.pixels.shape == (20, 20, 3)
    assert np.abs(result.pixels[3, 3].astype(int) - (255, 128, 64)).max() <= 1


def test_a_gray_background_is_gray_and_a_turned_one_is_upright(tmp_path: Path) -> None:
    for gray in (np.full((9, 9), 200, np.uint8), np.full((9, 9, 1), 200, np.uint8), np.full((9, 9), 51400, np.uint16)):
        assert standout.compose(PHOTO, PERSON, background=gray).pixels[3, 3].tolist() == [200, 200, 200]
    exif = Image.Exif()
    exif[274] = 6
    lying = Image.fromarray(np.rot90(stripes()))
    lying.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        results = [
            standout.compose(PHOTO, PERSON, background=form, fit="stretch").pixels
            for form in (stripes(), tmp_path / "a.png", opened, (tmp_path / "a.png").read_bytes())
        ]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((9, 9, 3), np.int64), np.ones((9, 9, 3), bool), np.zeros((0, 0, 3), np.uint8),
     np.zeros((9, 9, 2), np.uint8), np.full((9, 9, 3), 200.0), b"no picture", 3, None, ["a.png"], (1, 2), (256, 0, 0),
     (1.0, 0, 0), np.array([1.0, 0, 0]), "https://example.org/a.jpg",
     Path("https://example.org/a.jpg"), "data:image/png;base64,iVBORw0", "nowhere.png"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_background_is_one_short_sentence_of_one_type(wrong: object) -> None:
    with pytest.raises(ConfigError) as caught:
        CompositeOptions(background=wrong)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 320 and "\n" not in str(caught.value)


@pytest.mark.parametrize("half", ["#ff000080", (255, 0, 0, 128), "rgba(255,0,0,128)"])
def test_a_color_that_lets_something_through(half: object) -> None:
    person = np.zeros((20, 20), np.float32)
    person[5:15, 5:15] = 1
    result = standout.compose(PHOTO, person, background=half)  # type: ignore[arg-type]
    assert result.pixels[0, 0].tolist() == [255, 0, 0, 128] and result.pixels[10, 10].tolist() == [9, 9, 9, 255]
    assert result.alpha[0, 0] == 0 and result.alpha[10, 10] == 1
    deep = standout.compose(PHOTO.astype(np.uint16) * 257, person, background=half)  # type: ignore[arg-type]
    assert deep.pixels[0, 0].tolist() == [65535, 0, 0, 128 * 257]
    with pytest.raises(OutputError, match="transparency"):
        result.encode("jpg")


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_an_image_with_transparency_stays_transparent(fit: str) -> None:
    logo = np.zeros((40, 40, 4), np.uint8)
    logo[..., 1] = 255  # green where nobody sees it
    logo[10:30, 10:30] = (200, 0, 0, 255)
    result = standout.compose(PHOTO, PERSON, background=logo, fit=fit)  # type: ignore[arg-type]
    assert result.pixels[0, 0, 3] == 0 and result.pixels[10, 10].tolist() == [200, 0, 0, 255]
    edge = result.pixels[result.pixels[..., 3] > 0]
    assert edge[:, 1].max() <= 2  # nothing of the hidden green


def test_what_is_said_of_a_background_reaches_the_result() -> None:
    frames = [Image.fromarray(stripes()).rotate(turn) for turn in (0, 5)]
    result = standout.compose(
        PHOTO, PERSON, background=saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    )
    assert result.notes == ("the background: the first of 2 frames; `standout video` makes an animation",)
