"""Contact sheets: many small pictures with a caption each, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from standout.errors import InputError
from standout.imaging.arrays import Frame, Mask, letterbox_box, resize

PAPER = (250, 250, 248)
INK = (40, 40, 44)
MISSED = (226, 58, 58)  # person that was taken for background
FALSE = (38, 110, 230)  # background that was taken for person
EDGE = (255, 214, 0)
_GAP = 8
_LINE = 17  # height of a line of text, pixels


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 RGB (H, W, 3), and up to two lines below it."""

    frame: Frame
    caption: str


def contact_sheet(tiles: Sequence[Tile], *, columns: int = 4, cell: int = 256, title: str = "") -> Frame:
    """Lays tiles out in rows, each fitted into `cell` × `cell` pixels without stretching.

    Returns:
        The page, uint8 RGB.

    Raises:
        InputError: There is no tile.
    """
    if not tiles:
        raise InputError("`tiles` must hold at least one picture; received none.")
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    head = _GAP + (2 * _LINE if title else 0)
    step_x, step_y = cell + _GAP, cell + 2 * _LINE + _GAP
    page = Image.new("RGB", (_GAP + columns * step_x, head + rows * step_y), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    if title:
        draw.text((_GAP, _GAP), _fit(title, page.width - 2 * _GAP, font), INK, font)
    for index, tile in enumerate(tiles):
        x, y = _GAP + index % columns * step_x, head + index // columns * step_y
        box = letterbox_box(tile.frame.shape[0], tile.frame.shape[1], (cell, cell))
        page.paste(Image.fromarray(resize(tile.frame, (box.height, box.width))), (x + box.left, y + box.top))
        for line, text in enumerate(tile.caption.splitlines()[:2]):
            draw.text((x, y + cell + 2 + line * _LINE), _fit(text, cell, font), INK, font)
    return np.asarray(page)


def mark_errors(frame: Frame, mask: Mask, found: Mask) -> Frame:
    """The photo with what was missed in red, what was found wrongly in blue, and the true edge in yellow."""
    out = frame.copy()
    for wrong, color in ((mask & ~found, MISSED), (found & ~mask, FALSE)):
        out[wrong] = (0.35 * out[wrong] + 0.65 * np.asarray(color)).astype(np.uint8)
    return mark_edge(out, mask)


def mark_edge(frame: Frame, mask: Mask) -> Frame:
    """The photo with the mask's outline in yellow, thick enough to be seen on a small tile."""
    out = np.ascontiguousarray(frame).copy()
    lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(out, lines, -1, EDGE, max(1, round(max(mask.shape) / 300)))
    return out


def _fit(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Shortens in the middle what is too wide: both ends of a file's name tell it from its neighbors."""
    if font.getlength(text) <= width:
        return text
    for keep in range(len(text) - 2, 2, -1):
        shorter = f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}"
        if font.getlength(shorter) <= width:
            return shorter
    return text[:3]
