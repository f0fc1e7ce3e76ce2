"""A sheet of photo paper full of copies, with marks where to cut, as PNG or PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from standout.errors import ConfigError, OutputError
from standout.imaging.arrays import Frame

#: Paper by name: (width, height), mm.
PAPERS: dict[str, tuple[float, float]] = {
    "10x15": (100.0, 150.0),
    "13x18": (127.0, 178.0),
    "4x6in": (101.6, 152.4),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "letter": (215.9, 279.4),
}
#: Along the paper's edge, between copies, and the length of a cut mark, mm. Eight copies of 35 × 45 fit on 10 × 15 cm.
_MARGIN, GAP_MM, _MARK = 2.0, 2.0, 2.0
MOST_GAP_MM = 50.0
_INK = (120, 120, 120)


@dataclass(frozen=True)
class Sheet:
    """A page with copies of a photo.

    Attributes:
        pixels: uint8 RGB (H, W, 3).
        dpi: So that copies have their true size on paper.
        boxes: The copies, (left, top, right, bottom), right and bottom the first pixels outside.
    """

    pixels: Frame
    dpi: int
    boxes: tuple[tuple[int, int, int, int], ...]

    def encode(self, suffix: str) -> bytes:
        """The page as a file.

        Args:
            suffix: ".png" or ".pdf".

        Raises:
            OutputError: Any other.
        """
        check_sheet_suffix(suffix)
        image, buffer = Image.fromarray(self.pixels), io.BytesIO()
        if suffix.lower() == ".png":
            image.save(buffer, "PNG", dpi=(self.dpi, self.dpi), compress_level=6)
        else:
            image.save(buffer, "PDF", resolution=self.dpi, quality=95, subsampling=0)
        return buffer.getvalue()


def check_sheet_suffix(suffix: str) -> None:
    """Refuses files that a sheet isn't written as.

    Raises:
        OutputError: It is neither .png nor .pdf.
    """
    if suffix.lower() not in (".png", ".pdf"):
        raise OutputError(f"A print sheet must end in .png or .pdf; received {suffix or 'no ending'!r}.")


def check_paper(paper: str) -> tuple[float, float]:
    """The (width, height) of a paper, mm.

    Raises:
        ConfigError: There is no such paper.
    """
    if paper.lower() not in PAPERS:
        raise ConfigError(f"The paper must be one of {', '.join(PAPERS)}; received {paper!r}.")
    return PAPERS[paper.lower()]


def lay_sheet(photo: Frame, dpi: int, paper: str = "10x15", *, gap_mm: float = GAP_MM, mirrored: bool = False) -> Sheet:
    """Lays as many copies as fit on a paper, upright or sideways, whichever holds more.

    Args:
        photo: uint8 RGB (H, W, 3); its size on paper follows from `dpi`.
        dpi: The resolution of photo and page, dots per inch.
        paper: A name of `PAPERS`.
        gap_mm: Between copies; at 0 they touch, and one cut parts two.
        mirrored: Turn the page around, left to right, for paper whose ink is transferred.

    Raises:
        ConfigError: There is no such paper, not even one copy fits, or the gap is out of range.
    """
    across, down = check_paper(paper)
    if not 0 <= gap_mm <= MOST_GAP_MM:
        raise ConfigError(f"`gap_mm` must lie in 0 … {MOST_GAP_MM:g}; received {gap_mm:g}.")
    gap = _pixels(gap_mm, dpi)
    pages = [_grid(photo, dpi, size, gap) for size in ((across, down), (down, across))]
    (width, height), columns, rows = max(pages, key=lambda page: page[1] * page[2])
    if columns * rows == 0:
        raise ConfigError(
            f"A photo of {photo.shape[1] / dpi * 25.4:.0f} × {photo.shape[0] / dpi * 25.4:.0f} mm doesn't fit on "
            f"{paper} ({across:g} × {down:g} mm); choose a larger paper: {', '.join(PAPERS)}."
        )
    page = np.full((height, width, 3), 255, np.uint8)
    step_x, step_y = photo.shape[1] + gap, photo.shape[0] + gap
    left, top = (width - columns * step_x + gap) // 2, (height - rows * step_y + gap) // 2
    boxes = []
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * step_x, top + row * step_y
            boxes.append((x, y, x + photo.shape[1], y + photo.shape[0]))
    for box in boxes:
        for y, x in _marks(box, _pixels(_MARK, dpi)):
            page[y, x] = _INK
    for x, y, right, bottom in boxes:  # after the marks, which must never lie on a face
        page[y:bottom, x:right] = photo
    if mirrored:
        page = np.ascontiguousarray(page[:, ::-1])
        boxes = [(width - right, top, width - left, bottom) for left, top, right, bottom in boxes]
    return Sheet(page, dpi, tuple(boxes))


def _pixels(mm: float, dpi: int) -> int:
    return round(mm / 25.4 * dpi)


def _grid(photo: Frame, dpi: int, paper: tuple[float, float], gap: int) -> tuple[tuple[int, int], int, int]:
    """The page's (width, height) in pixels, and how many columns and rows fit."""
    width, height = (_pixels(length, dpi) for length in paper)
    margin = _pixels(_MARGIN, dpi)
    columns = (width - 2 * margin + gap) // (photo.shape[1] + gap)
    rows = (height - 2 * margin + gap) // (photo.shape[0] + gap)
    return (width, height), max(0, columns), max(0, rows)


def _marks(box: tuple[int, int, int, int], length: int) -> Iterator[tuple[slice, slice]]:
    """Eight lines outside of a copy that prolong its edges: the first pixel beside a line's inner side is kept."""
    left, top, right, bottom = box
    for x in (left - 1, right):
        yield slice(max(0, top - 1 - length), top), slice(x, x + 1)
        yield slice(bottom, bottom + 1 + length), slice(x, x + 1)
    for y in (top - 1, bottom):
        yield slice(y, y + 1), slice(max(0, left - 1 - length), left)
        yield slice(y, y + 1), slice(right, right + 1 + length)
