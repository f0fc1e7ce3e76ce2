"""The finished picture: turned, scaled and cropped in one step, the person on one color."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compositing.foreground import clean_foreground
from standout.id_photo.crop import Placement
from standout.imaging.arrays import Alpha, Frame, blend, resize
from standout.inference.clean_alpha import clean_alpha

#: The outline may be soft within this distance, share of the picture's height; inside all is person, outside nothing.
_SOFT = 0.02
#: A picture's edge that shows less of what is beyond the photo than this, pixels, counts as inside.
_SLACK = 1.0


@dataclass(frozen=True)
class Rendered:
    """The finished picture.

    Attributes:
        pixels: uint8 RGB (H, W, 3).
        alpha: float32 (H, W), the person in it.
        added: For each edge of the picture beyond the photo, how many pixels lie there.
        cut: Edges of the photo that cut the person inside the picture.
        unsure: The share of the person of which the network was unsure (alpha 0.2 … 0.8, away from the outline).
    """

    pixels: Frame
    alpha: Alpha
    added: dict[str, int]
    cut: tuple[str, ...]
    unsure: float


def render(
    frame: Frame, alpha: Alpha, place: Placement, background: tuple[int, int, int] | None, *, body_row: float = 0.0
) -> Rendered:
    """Renders the picture.

    Args:
        frame: The photo, uint8 RGB (H, W, 3).
        alpha: float32 (H, W), the person alone.
        place: How the photo is turned, scaled and laid.
        background: The color behind the person, RGB; None keeps the photo's own.
        body_row: Below this row of the picture the person is a body without holes.
    """
    part, shift = _part(place, (frame.shape[0], frame.shape[1]))
    ratio = min(1.0, place.scale)
    size = tuple(max(1, round(length * ratio)) for length in frame[part].shape[:2])
    # Shrunk first, by areas: an affine warp alone would leave out what lies between its samples.
    pixels, small = resize(frame[part], (size[0], size[1])), resize(alpha[part], (size[0], size[1]))
    matrix = _rescaled(place.matrix, shift, (size[1] / frame[part].shape[1], size[0] / frame[part].shape[0]))
    raw = _warp(small, matrix, place)
    person, unsure = _without_holes(raw, round(body_row), place.scale)
    added, inside = _beyond(place, (frame.shape[0], frame.shape[1]))
    if background is None:
        picture = _warp(pixels, matrix, place)
        picture = np.where(inside[..., None], picture, np.uint8(255))
    else:
        clean = clean_foreground(pixels, np.ascontiguousarray(small))
        picture = blend(_warp(clean, matrix, place), np.array(background, np.float32), person)
    cut = _cut_edges(alpha, place)
    return Rendered(np.ascontiguousarray(picture), person, added, cut, unsure)


def corners(place: Placement) -> NDArray[np.float64]:
    """The picture's corners in the photo, (4, 2) as (x, y): upper left, upper right, lower right, lower left."""
    w, h = place.width - 0.5, place.height - 0.5
    ends = np.array([[-0.5, -0.5], [w, -0.5], [w, h], [-0.5, h]])
    turn = np.linalg.inv(place.matrix[:, :2])
    return np.asarray((ends - place.matrix[:, 2]) @ turn.T, np.float64)


def _part(place: Placement, shape: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """The part of the photo that is needed, with a margin, and where it begins, (x, y)."""
    ends = corners(place)
    room = max(8.0, 16 / place.scale)
    left, top = (max(0, int(value)) for value in np.floor(ends.min(axis=0) - room))
    right, bottom = (int(value) for value in np.ceil(ends.max(axis=0) + room))
    left, top = min(left, shape[1] - 1), min(top, shape[0] - 1)
    return (slice(top, min(shape[0], max(bottom, top + 1))), slice(left, min(shape[1], max(right, left + 1)))), (
        left,
        top,
    )


def _rescaled(matrix: NDArray[np.float64], shift: tuple[int, int], ratio: tuple[float, float]) -> NDArray[np.float64]:
    """The same map for a part of the photo that begins at `shift` and was shrunk by `ratio`, both (x, y)."""
    turn = matrix[:, :2] / np.array(ratio)
    # Pixel centers: p = shift + (q + 1/2) / ratio − 1/2.
    origin = np.array(shift) + 0.5 / np.array(ratio) - 0.5
    return np.column_stack([turn, matrix[:, :2] @ origin + matrix[:, 2]])


def _warp(array: NDArray[Any], matrix: NDArray[np.float64], place: Placement) -> NDArray[Any]:
    """A picture, whose edges go on outside, or an alpha, which is 0 there."""
    is_alpha = array.ndim == 2
    border = cv2.BORDER_CONSTANT if is_alpha else cv2.BORDER_REPLICATE
    how = cv2.INTER_LINEAR if is_alpha else cv2.INTER_CUBIC
    return cv2.warpAffine(array, matrix, (place.width, place.height), flags=how, borderMode=border, borderValue=0)


def _without_holes(alpha: Alpha, body_row: int, scale: float) -> tuple[Alpha, float]:
    """Alpha without holes in the body and without haze beside it: soft along the outline alone.

    What is enclosed below `body_row`, also by the lower edge, is body. Above, an enclosed patch may be the wall seen
    between hair and neck, and stays what the network says.
    """
    height = alpha.shape[0]
    person = (alpha >= 0.5).astype(np.uint8)
    start = min(max(body_row, 0), height - 1)
    outside = np.pad(1 - person[start:], ((1, 0), (1, 1)), constant_values=1)  # open above and at the sides
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    person[start:] |= (labels[1:, 1:-1] != labels[0, 0]).astype(np.uint8)
    reach = max(2, round(_SOFT * height))
    # Beyond the lower edge the body goes on; at the sides the outline may.
    within = cv2.distanceTransform(np.pad(person, ((1, reach + 1), (1, 1)), mode="edge"), cv2.DIST_L2, 5)
    deep = within[1 : height + 1, 1:-1] > reach
    beyond = cv2.distanceTransform(1 - person, cv2.DIST_L2, 5)
    unsure = float(((alpha > 0.2) & (alpha < 0.8) & deep).sum()) / max(1, int(person.sum()))
    crisp = clean_alpha(alpha.copy(), enlarged=scale)
    settled = np.where(deep, 1, np.where(beyond > reach, 0, crisp))
    return np.ascontiguousarray(settled, np.float32), unsure


def _beyond(place: Placement, shape: tuple[int, int]) -> tuple[dict[str, int], NDArray[np.bool_]]:
    """How many pixels of the picture lie beyond each edge of the photo, and the map of those that don't."""
    height, width = shape
    y, x = np.mgrid[: place.height, : place.width]
    turn = np.linalg.inv(place.matrix[:, :2])
    px = turn[0, 0] * (x - place.matrix[0, 2]) + turn[0, 1] * (y - place.matrix[1, 2])
    py = turn[1, 0] * (x - place.matrix[0, 2]) + turn[1, 1] * (y - place.matrix[1, 2])
    slack = _SLACK / place.scale
    sides = {"top": -py, "bottom": py - (height - 1), "left": -px, "right": px - (width - 1)}
    added = {side: round(float(depth.max()) * place.scale) for side, depth in sides.items() if depth.max() > slack}
    outside = np.zeros(x.shape, bool)
    for depth in sides.values():
        outside |= depth > slack
    return added, ~outside


def _cut_edges(alpha: Alpha, place: Placement) -> tuple[str, ...]:
    """Edges of the photo at which the person is cut, as far as they lie inside the picture."""
    last_row, last_column = alpha.shape[0] - 1, alpha.shape[1] - 1
    rows, columns = np.arange(last_row + 1.0), np.arange(last_column + 1.0)
    lines = {
        "top": (alpha[0], columns, 0 * columns),
        "bottom": (alpha[-1], columns, 0 * columns + last_row),
        "left": (alpha[:, 0], 0 * rows, rows),
        "right": (alpha[:, -1], 0 * rows + last_column, rows),
    }
    found = []
    for side, (line, x, y) in lines.items():
        points = np.column_stack([x, y])[line >= 0.5]
        across, down = (points @ place.matrix[:, :2].T + place.matrix[:, 2]).T
        # A person who reaches the picture's own edge there isn't cut by the photo's.
        visible = (across > 1) & (across < place.width - 2) & (down > 1) & (down < place.height - 2)
        if visible.sum() > 2:
            found.append(side)
    return tuple(found)
