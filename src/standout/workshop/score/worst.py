"""The contact sheet of the photographs that a model does worst on."""

from __future__ import annotations

import numpy as np

from standout.imaging.arrays import Frame
from standout.imaging.contact_sheet import Tile, contact_sheet, mark_errors
from standout.workshop.data.pair import Fault
from standout.workshop.score.evaluate import Predict, load_pair, true_mask
from standout.workshop.score.report import Evaluation, PhotoScore


def worst_sheet(report: Evaluation, predict: Predict, count: int = 12) -> Frame:
    """Predicts the worst photographs again and shows what was missed (red) and found wrongly (blue).

    Returns:
        The page, uint8 RGB.
    """
    tiles = []
    for photo in report.worst(count):
        loaded = load_pair(photo.pair)
        if isinstance(loaded, Fault):  # gone since it was scored
            continue
        mask = true_mask(loaded.alpha)
        # Where the truth isn't known nothing is an error.
        found = np.where(loaded.sure, predict(loaded.frame) >= report.threshold, mask)
        tiles.append(Tile(mark_errors(loaded.frame, mask, found), _caption(photo)))
    return contact_sheet(
        tiles, title=f"The worst {len(tiles)}: missed in red, found wrongly in blue, true edge in yellow"
    )


def _caption(photo: PhotoScore) -> str:
    if photo.nobody:
        return f"{photo.stem}\n{photo.set}: nobody there, {photo.badness:.1%} found"
    return f"{photo.stem}\n{photo.set}: IoU {photo.iou:.3f}, boundary F {photo.boundary_f:.3f}"
