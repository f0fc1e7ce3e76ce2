"""Print sheets: true size, as many copies as fit, marks that show where to cut and never lie on a face."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from standout.errors import ConfigError, OutputError
from standout.id_photo.print_sheet import PAPERS, lay_sheet

PHOTO = np.full((531, 413, 3), (200, 30, 90), np.uint8)  # 35 × 45 mm at 300 dpi
COPIES = {"10x15": 8, "13x18": 9, "4x6in": 8, "a4": 30, "a5": 15, "letter": 28}


@pytest.mark.parametrize("paper", sorted(PAPERS))
def test_copies_are_whole_apart_and_within_the_margin(paper: str) -> None:
    sheet = lay_sheet(PHOTO, 300, paper)
    height, width = sheet.pixels.shape[:2]
    assert sorted((width, height)) == sorted(round(mm / 25.4 * 300) for mm in PAPERS[paper])
    covered = np.zeros((height, width), int)
    for left, top, right, bottom in sheet.boxes:
        assert (right - left, bottom - top) == (413, 531)
        assert min(left, top, width - right, height - bottom) >= 23, "2 mm along the edge"
        np.testing.assert_array_equal(sheet.pixels[top:bottom, left:right], PHOTO)
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1, "no copy lies on another"
    assert len(sheet.boxes) == COPIES[paper]


@pytest.mark.slow
@pytest.mark.parametrize("paper", ["10x15", "a4"])
def test_marks_prolong_the_edges_of_every_copy(paper: str) -> None:
    sheet = lay_sheet(PHOTO, 300, paper)
    gray = (sheet.pixels == 120).all(axis=2)
    for left, top, right, bottom in sheet.boxes:
        for x in (left - 1, right):
            assert gray[top - 20 : top, x].all() and gray[bottom : bottom + 20, x].all()
        for y in (top - 1, bottom):
            assert gray[y, left - 20 : left].all() and gray[y, right : right + 20].all()
    # Nothing else is printed: paper, photos and marks.
    photo = (sheet.pixels == (200, 30, 90)).all(axis=2)
    assert (gray | photo | (sheet.pixels == 255).all(axis=2)).all()


def test_the_png_has_its_size() -> None:
    with Image.open(io.BytesIO(lay_sheet(PHOTO, 300, "10x15").encode(".png"))) as image:
        assert [round(value) for value in image.info["dpi"]] == [300, 300]
        assert sorted(round(pixels / 300 * 25.4) for pixels in image.size) == [100, 150]


@pytest.mark.parametrize("paper", ["10x15", "a4", "letter"])
def test_the_pdf_has_one_page_of_the_paper_s_size(paper: str) -> None:
    sheet = lay_sheet(PHOTO, 300, paper)
    data = sheet.encode(".pdf")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1
    match = re.search(rb"/MediaBox\s*\[\s*([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)", data)
    assert match is not None
    points = [float(value) for value in match.groups()]
    assert points[:2] == [0, 0]
    millimeters = sorted(value / 72 * 25.4 for value in points[2:])
    assert all(abs(a - b) < 0.1 for a, b in zip(millimeters, sorted(PAPERS[paper]), strict=True))
    start = data.index(b"\xff\xd8\xff")  # the page is a JPEG; its marks survive
    with Image.open(io.BytesIO(data[start:])) as image:
        page = np.asarray(image.convert("RGB")).astype(int)
    assert page.shape == sheet.pixels.shape
    left, top, right, _ = sheet.boxes[0]
    for x in (left - 1, right):
        assert abs(page[top - 15 : top - 5, x] - 120).max() < 60 and page[top - 10, x + 6].min() > 220


def test_what_doesn_t_fit_or_isn_t_paper_is_said() -> None:
    with pytest.raises(ConfigError, match=r"A photo of 169 × 254 mm doesn't fit on 10x15 \(100 × 150 mm\)"):
        lay_sheet(np.zeros((3000, 2000, 3), np.uint8), 300, "10x15")
    with pytest.raises(ConfigError, match="The paper must be one of 10x15, 13x18"):
        lay_sheet(PHOTO, 300, "a9")
    with pytest.raises(OutputError, match=r"must end in .png or .pdf; received '.gif'"):
        lay_sheet(PHOTO, 300).encode(".gif")


def test_without_gaps_copies_touch_and_more_of_them_fit() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (531, 413, 3), np.uint8)  # 35 × 45 mm at 300 dpi
    usual, tight = lay_sheet(photo, 300, "a4"), lay_sheet(photo, 300, "a4", gap_mm=0)
    assert len(tight.boxes) > len(usual.boxes)
    first, second = tight.boxes[0], tight.boxes[1]
    assert first[2] == second[0], "one cut parts two"
    for left, top, right, bottom in tight.boxes:
        assert np.array_equal(tight.pixels[top:bottom, left:right], photo), "no mark lies on a copy"
    with pytest.raises(ConfigError, match="gap_mm"):
        lay_sheet(photo, 300, "a4", gap_mm=-1)


def test_a_mirrored_sheet_is_the_sheet_in_a_mirror() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8)
    plain, mirrored = lay_sheet(photo, 300), lay_sheet(photo, 300, mirrored=True)
    assert np.array_equal(mirrored.pixels, plain.pixels[:, ::-1])
    left, top, right, bottom = mirrored.boxes[0]
    assert np.array_equal(mirrored.pixels[top:bottom, left:right], photo[:, ::-1])
