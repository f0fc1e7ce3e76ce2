"""Draws docs/pictures/video.jpg: stills from a clip that is made of the bundled astronaut."""

from __future__ import annotations

import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

import standout
from standout.imaging.arrays import Frame
from standout.imaging.decode import read
from standout.video.options import VideoOptions

ROOT = Path(__file__).resolve().parent.parent
SIZE = (360, 480)
COUNT = 16


def make_clip(path: Path) -> None:
    """A slow pan and zoom over the photograph."""
    photo = read(ROOT / "src/standout/assets/astronaut.jpg").frame
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "14"})
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for index in range(COUNT):
            scale = 1.02 + 0.008 * index
            shift = np.array([[scale, 0, -20.0 - 2 * index], [0, scale, -8.0 - index]], np.float32)
            frame = cv2.warpAffine(photo, shift, SIZE[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        out.mux(stream.encode(None))


def still(path: Path, index: int = COUNT // 2) -> Frame:
    """One frame of a video, or of a folder of transparent pictures laid over a checkerboard."""
    if not path.is_dir():
        return list(standout.read_frames(path))[index]
    pixels = cv2.imread(str(path / f"{index + 1:06d}.png"), cv2.IMREAD_UNCHANGED)
    rgba = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), np.float32)
    y, x = np.indices(rgba.shape[:2]) // 12
    board = np.where(((x + y) % 2)[..., None] > 0, 235, 200).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    return np.asarray(rgba[..., :3] * alpha + board * (1 - alpha) + 0.5, np.uint8)


def main() -> None:
    pictures = ROOT / "docs" / "pictures"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "in.mp4"
        make_clip(clip)
        tiles = [still(clip)]
        for target, background, options in (
            ("blur.mp4", "blur", VideoOptions()),
            ("image.mp4", ROOT / "tests/photos/coffee.jpg", VideoOptions()),
            ("pngs", "transparent", VideoOptions(frames=True)),
            ("matte.mp4", "transparent", VideoOptions(matte=True)),
            ("color.mp4", "seagreen", VideoOptions(end_s=Fraction(3, 5))),
        ):
            standout.process_video(clip, folder / target, background=background, options=options)
            tiles.append(still(folder / target))
            print(target, file=sys.stderr)
    rows = [np.hstack(tiles[:3]), np.hstack(tiles[3:])]
    sheet = cv2.resize(np.vstack(rows), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(pictures / "video.jpg"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
