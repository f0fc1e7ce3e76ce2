"""What comes out of a film has the tags and the look of what went in; what is laid behind has the film's own light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from fakes import FakeModel
from standout.video.options import VideoOptions
from standout.video.process import process_video
from standout.video.reader import VideoReader

#: (matrix, range, primaries, transfer) of H.273.
SDR, FULL = (1, 1, 1, 1), (1, 2, 1, 1)
PQ, HLG, WIDE, P3 = (9, 1, 9, 16), (9, 1, 9, 18), (9, 1, 9, 14), (1, 1, 12, 1)
#: BT.709 to BT.2020 and to Display P3, linear light, as anybody prints them.
TO = {
    9: np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]),
    12: np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]]),
}
#: sRGB colors in vertical stripes; the second half is bright, so the stand-in finds people there.
STRIPES = np.array([(20, 30, 60), (120, 40, 30), (30, 90, 40), (250, 240, 230), (255, 225, 190), (235, 235, 255)])


def to_linear(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def signal_of(srgb: np.ndarray, primaries: int, transfer: int) -> np.ndarray:
    """0 … 1, written from the standards, independently of the code."""
    light = to_linear(srgb / 255) @ TO.get(primaries, np.eye(3)).T
    if transfer == 16:
        y = (light * 203 / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375
    if transfer == 18:
        light = light * 0.265
        return np.where(
            light <= 1 / 12,
            np.sqrt(3 * light),
            0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073,
        )
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def codes_of(signal: np.ndarray, tags: tuple[int, ...], bits: int) -> list[float]:
    """Luma and chroma of one color (H.273, section 8.3)."""
    red, blue = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}[tags[0]]
    luma = red * signal[0] + (1 - red - blue) * signal[1] + blue * signal[2]
    values = [luma, (signal[2] - luma) / (2 - 2 * blue), (signal[0] - luma) / (2 - 2 * red)]
    if tags[1] == 2:
        most = (1 << bits) - 1
        return [values[0] * most, *(v * most + (1 << (bits - 1)) for v in values[1:])]
    step = 1 << (bits - 8)
    return [(219 * values[0] + 16) * step, *((224 * v + 128) * step for v in values[1:])]


def planes(picture: Any) -> list[np.ndarray]:
    dtype = np.dtype(np.uint16 if picture.format.components[0].bits > 8 else np.uint8)
    return [
        np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)[:, : plane.width]
        for plane in picture.planes
    ]


def striped(path: Path, tags: tuple[int, ...], layout: str, codec: str, count: int = 3) -> Path:
    """A film of `STRIPES`, each 32 pixels wide and 96 high, in these tags."""
    bits = 10 if "10" in layout else 8
    options = {"libx265": {"x265-params": "log-level=none:lossless=1"}, "libx264": {"crf": "1", "bf": "0"}}
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25, options=options.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = 192, 96, layout
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = tags
        picture: Any = av.VideoFrame(192, 96, layout)
        for index, color in enumerate(STRIPES):
            values = codes_of(signal_of(color, tags[2], tags[3]), tags, bits)
            for plane, value in zip(planes(picture), values, strict=True):
                wide = plane.shape[1] // 6
                plane[:, index * wide : (index + 1) * wide] = round(value)
        picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc = tags
        for index in range(count):
            picture.pts = index
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def first(path: Path) -> Any:
    with av.open(str(path)) as source:
        return next(source.decode(video=0))


def tags_of(picture: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in (picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc))


def values_at(picture: Any, x: float, y: float) -> list[float]:
    """Mean luma and chroma around a place, shares of the size."""
    found = []
    for plane in planes(picture)[:3]:
        row, column = int(y * plane.shape[0]), int(x * plane.shape[1])
        found.append(float(plane[row - 3 : row + 3, column - 3 : column + 3].mean()))
    return found


CASES = [
    pytest.param(SDR, "yuv420p", "libx264", id="usual"),
    pytest.param(FULL, "yuvj420p", "libx264", id="full range"),
    pytest.param((5, 1, 5, 6), "yuv420p", "libx264", id="BT.601"),
    pytest.param(PQ, "yuv420p10le", "libx265", id="PQ"),
    pytest.param(HLG, "yuv420p10le", "libx265", id="HLG"),
    pytest.param(WIDE, "yuv420p10le", "libx265", id="BT.2020, SDR"),
    pytest.param(P3, "yuv420p", "libx264", id="Display P3"),
    pytest.param(SDR, "yuv422p10le", "prores_ks", id="ProRes"),
]


@pytest.mark.parametrize(("tags", "layout", "codec"), CASES)
@pytest.mark.parametrize("ending", [".mp4", ".webm", ".mov"])
def test_tags_and_look_are_kept_and_white_is_the_film_s_own(
    tmp_path: Path, tags: tuple[int, ...], layout: str, codec: str, ending: str
) -> None:
    clip = striped(tmp_path / "in.mov", tags, layout, codec)
    process_video(clip, tmp_path / f"out{ending}", background="white", model=FakeModel())
    before, after = first(clip), first(tmp_path / f"out{ending}")
    wanted = (5, *tags[1:]) if tags[0] == 5 else tags
    assert tags_of(after) == wanted
    bits = max(part.bits for part in after.format.components)
    assert bits == (10 if "10" in layout else 8)
    step = 1 << (bits - 8)
    for x in (4.5 / 6, 5.5 / 6):  # people stay as they were
        assert values_at(after, x, 0.5) == pytest.approx(values_at(before, x, 0.5), abs=3 * step)
    page = codes_of(signal_of(np.array([255, 255, 255]), tags[2], tags[3]), tags, bits)
    assert values_at(after, 0.5 / 6, 0.5) == pytest.approx(page, abs=2.5 * step)


def test_the_white_of_a_page_is_203_nits_and_three_quarters() -> None:
    white = np.array([255, 255, 255])
    assert signal_of(white, 9, 16) == pytest.approx([0.5807] * 3, abs=1e-3)
    assert signal_of(white, 9, 18) == pytest.approx([0.75] * 3, abs=1e-3)


@pytest.mark.parametrize(("tags", "layout", "codec"), CASES)
def test_pictures_and_the_network_get_srgb(tmp_path: Path, tags: tuple[int, ...], layout: str, codec: str) -> None:
    clip = striped(tmp_path / "in.mov", tags, layout, codec)
    with VideoReader(clip) as reader:
        timed = next(iter(reader))
    for frame in (timed.frame, timed.small((48, 96))):
        wide = frame.shape[1] // 6
        for index, color in enumerate(STRIPES):
            assert np.abs(frame[frame.shape[0] // 2, int((index + 0.5) * wide)].astype(int) - color).max() <= 6
    process_video(clip, tmp_path / "frames", model=FakeModel(), options=VideoOptions(frames=True))
    with Image.open(tmp_path / "frames" / "000001.png") as picture:
        pixels = np.asarray(picture)
    for index in (3, 4, 5):
        assert np.abs(pixels[48, index * 32 + 16, :3].astype(int) - STRIPES[index]).max() <= 6
        assert pixels[48, index * 32 + 16, 3] == 255


@pytest.mark.parametrize(("tags", "layout", "codec"), [CASES[1], CASES[3], CASES[4]])
def test_prores_carries_limited_range_only_and_so_is_converted_to_it(
    tmp_path: Path, tags: tuple[int, ...], layout: str, codec: str
) -> None:
    clip = striped(tmp_path / "in.mov", tags, layout, codec)
    process_video(clip, tmp_path / "out.mov", model=FakeModel())
    after = first(tmp_path / "out.mov")
    assert tags_of(after)[1:] == (1, *tags[2:])
    bits = max(part.bits for part in after.format.components)
    for index in (4, 5):
        wanted = codes_of(signal_of(STRIPES[index], tags[2], tags[3]), (tags[0], 1), bits)
        assert values_at(after, (index + 0.5) / 6, 0.5) == pytest.approx(wanted, abs=5 << (bits - 8))


def test_a_transparent_webm_says_that_it_has_fewer_bits(tmp_path: Path) -> None:
    clip = striped(tmp_path / "in.mov", HLG, "yuv420p10le", "libx265")
    result = process_video(clip, tmp_path / "out.webm", model=FakeModel())
    assert any("8 bits" in note for note in result.notes)
    assert tags_of(first(tmp_path / "out.webm")) == HLG


def test_a_matte_is_a_measure_and_never_hdr(tmp_path: Path) -> None:
    clip = striped(tmp_path / "in.mov", PQ, "yuv420p10le", "libx265")
    process_video(clip, tmp_path / "out.mp4", model=FakeModel(), options=VideoOptions(matte=True))
    after = first(tmp_path / "out.mp4")
    assert tags_of(after) == SDR
    assert values_at(after, 0.5 / 6, 0.5)[0] == pytest.approx(16, abs=2)
    assert values_at(after, 4.5 / 6, 0.5)[0] == pytest.approx(235, abs=2)


def test_what_hdr10_says_of_its_screen_is_kept(tmp_path: Path) -> None:
    source, clip = striped(tmp_path / "plain.mov", PQ, "yuv420p10le", "libx265"), tmp_path / "in.mov"
    screen = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    with av.open(str(source)) as before, av.open(str(clip), "w") as out:
        options = {"x265-params": f"log-level=none:{screen}:hdr-opt=1:repeat-headers=1"}
        stream: Any = out.add_stream("libx265", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = PQ
        for index, picture in enumerate(before.decode(video=0)):
            picture.pts = index
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    process_video(clip, tmp_path / "out.mp4", background="white", model=FakeModel())
    for name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"):
        pair = [first(path).side_data.get(name) for path in (clip, tmp_path / "out.mp4")]
        assert pair[0] is not None and pair[1] is not None
        assert bytes(pair[1]) == bytes(pair[0])
