"""Makes the pictures of docs/id-photo.md from the bundled portrait: python tools/id_photo_pictures.py"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import standout
from standout.id_photo.faces import Mtcnn
from standout.id_photo.head import Head, measure_head
from standout.imaging.arrays import Frame, resize
from standout.imaging.decode import read

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PORTRAIT = Path(standout.__file__).parent / "assets" / "astronaut.jpg"
HEIGHT = 420


def measured() -> Frame:
    """The photo with the eye line, and with crown and chin as spans."""
    frame = read(PORTRAIT).frame
    (face,) = Mtcnn().find(frame)
    head = measure_head(face, standout.load().alpha(frame))
    zoom = HEIGHT / 320
    canvas = np.ascontiguousarray(
        cv2.resize(frame[:320, 40:400], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    )
    for color, lengths in (
        ((255, 60, 60), (head.crown.low, head.crown.mid, head.crown.high)),
        ((70, 150, 255), (0.0,)),
        ((60, 220, 90), (-head.chin.low, -head.chin.mid, -head.chin.high)),
    ):
        for up in lengths:
            thick = 2 if up in (head.crown.mid, 0.0, -head.chin.mid) else 1
            ends = [_point(head, across, up, zoom) for across in (-90, 90)]
            cv2.line(canvas, ends[0], ends[1], color, thick, cv2.LINE_AA)
    for x, y in face.points:
        cv2.circle(canvas, (round((x - 40) * zoom), round(y * zoom)), 4, (255, 230, 0), -1, cv2.LINE_AA)
    return canvas


def _point(head: Head, across: float, up: float, zoom: float) -> tuple[int, int]:
    angle = np.radians(head.tilt)
    right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    x, y = np.array(head.eyes) + across * right - up * down
    return round((x - 40) * zoom), round(y * zoom)


def framed(frame: Frame) -> Frame:
    """At the common height, with a gray line around, for the white photos lie on a white page."""
    small = resize(frame, (HEIGHT, round(frame.shape[1] * HEIGHT / frame.shape[0])))
    return cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(170, 170, 170))


def main() -> None:
    gap = np.full((HEIGHT + 2, 14, 3), 255, np.uint8)
    row = [framed(measured())]
    for spec in ("us-visa", "uk-passport", "jp-cv"):
        row += [gap, framed(standout.make_id_photo(PORTRAIT, spec).pixels)]
    _write("id-photo.jpg", np.hstack(row))
    sheet = standout.make_id_photo(PORTRAIT, "uk-passport").sheet("10x15")
    page = resize(sheet.pixels, (sheet.pixels.shape[0] // 2, sheet.pixels.shape[1] // 2))
    _write("id-photo-sheet.jpg", cv2.copyMakeBorder(page, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(170, 170, 170)))


def _write(name: str, frame: Frame) -> None:
    cv2.imwrite(str(PICTURES / name), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
