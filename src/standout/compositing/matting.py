"""Hair by matting: closed-form (Levin 2008) or KNN (Chen 2013), solved by pymatting in a band around the edge.

Needs the extra `matting`. The size that is solved is bounded, so a 100-megapixel photo takes as long as a small one;
the answer is brought back to full size along the photo's own edges (`imaging.guided_filter`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from standout.compositing.edge import person_box
from standout.compositing.options import Matting
from standout.errors import MissingExtra, StandoutError
from standout.imaging.arrays import Alpha, Frame, resize
from standout.imaging.guided_filter import upsample_alpha
from standout.imaging.parse import Length

#: Most pixels that are solved at once: about ten seconds of one core.
MAX_PIXELS = 600_000
#: Half the width of the band, as a share of the person's longer side.
BAND = 0.03
#: Sure person, sure background: alpha above, below.
_SURE = (0.95, 0.05)


def warm_up(method: Matting = "closed-form") -> None:
    """Solves something tiny, so that a missing extra is told and what is compiled late is compiled now.

    Raises:
        MissingExtra: pymatting isn't installed.
    """
    across = np.linspace(-4, 4, 64, dtype=np.float32)
    alpha = np.clip(2 - np.hypot(across, across[:, None]) / 1.5, 0, 1).astype(np.float32)
    frame = np.repeat((alpha * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
    matte(frame, alpha, method=method)


@dataclass(frozen=True)
class Matted:
    """An alpha, and why it is the old one if it is.

    Attributes:
        alpha: float32 (H, W) in [0, 1].
        note: Empty, or a sentence that says why matting was left out.
    """

    alpha: Alpha
    note: str = ""


def matte(
    frame: Frame,
    alpha: Alpha,
    *,
    method: Matting = "closed-form",
    band: float = BAND,
    max_pixels: int = MAX_PIXELS,
) -> Matted:
    """Works out the soft edge of `alpha` anew from the colors on both sides.

    Args:
        frame: uint8 RGB (H, W, 3).
        alpha: float32 (H, W).
        method: `closed-form`, `knn`, or `none`, which returns `alpha` as it is.
        band: How far from the outline strands are looked for, as a share of the person's longer side.
        max_pixels: The bound on what is solved.

    Returns:
        The alpha; where the equations can't be solved, the one that came in, with a note.

    Raises:
        MissingExtra: pymatting is not installed.

    Example:
        >>> nobody = np.zeros((32, 32), np.float32)
        >>> matte(np.zeros((32, 32, 3), np.uint8), nobody, method="none").note
        ''
    """
    if method == "none":
        return Matted(alpha)
    solve = _solver(method)
    box = person_box(alpha, margin=Length(max(0.05, 2 * band), "share"), least=_SURE[1])
    if box is None:
        return Matted(alpha, "matting was left out: there is nobody in the picture.")
    left, top, right, bottom = box
    inner, picture = alpha[top:bottom, left:right], frame[top:bottom, left:right]
    scale = min(1.0, (max_pixels / inner.size) ** 0.5)
    size = (max(8, round(inner.shape[0] * scale)), max(8, round(inner.shape[1] * scale)))
    small, guide = np.asarray(resize(inner, size), np.float32), np.asarray(resize(picture, size), np.uint8)
    trimap = _trimap(small, band)
    missing = [name for name, value in (("person", 1.0), ("background", 0.0)) if not (trimap == value).any()]
    if missing:
        return Matted(alpha, f"matting was left out: no pixel is surely {' or '.join(missing)}.")
    if not (trimap == 0.5).any():
        return Matted(alpha)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the solver's own advice to programmers
            solved = solve(guide.astype(np.float64) / 255, trimap.astype(np.float64))
    except (ValueError, MemoryError, ArithmeticError, np.linalg.LinAlgError) as error:
        return Matted(alpha, f"matting was left out: the equations could not be solved ({error}).")
    if not np.isfinite(solved).all():
        return Matted(alpha, "matting was left out: the equations have no finite solution.")
    result = alpha.copy()
    result[top:bottom, left:right] = _lift(np.clip(solved, 0, 1).astype(np.float32), trimap, guide, inner, picture)
    return Matted(result)


def _give_numba_a_cache() -> None:
    """Where numba can keep what it compiles: as it chooses, or in a folder of this process where it can choose none.

    Without one pymatting can't even be imported: no home, and site-packages that can't be written (AWS Lambda,
    containers, services). A folder that others could write would let them run code here, so it is new and private.
    """
    import importlib.util

    package = importlib.util.find_spec("pymatting")
    if package is None or package.origin is None or os.environ.get("NUMBA_CACHE_DIR") or "numba" in sys.modules:
        return
    kept = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "numba")
    if not any(_can_be_written(folder) for folder in (Path(package.origin).parent / "__pycache__", kept)):
        folder = tempfile.mkdtemp(prefix="standout-numba-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["NUMBA_CACHE_DIR"] = folder


def _can_be_written(folder: Path) -> bool:
    """Whether a folder is writable, or could be made."""
    there = next((place for place in (folder, *folder.parents) if os.path.isdir(place)), None)
    return there is not None and os.access(there, os.W_OK)


def _solver(method: Matting) -> Any:
    _give_numba_a_cache()
    try:
        if method == "knn":
            from pymatting.alpha.estimate_alpha_knn import estimate_alpha_knn as solve
        else:
            from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf as solve
    except ImportError as error:
        raise MissingExtra("Matting", "matting") from error
    except Exception as error:
        raise StandoutError(f"Matting can't be used here: pymatting doesn't load ({error!s:.150}).") from error
    return solve


def _trimap(alpha: Alpha, band: float) -> Alpha:
    """1 person, 0 background, 0.5 unknown: the soft pixels and a band on both sides of the outline."""
    half = max(2, round(band * max(alpha.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * half + 1, 2 * half + 1))
    person = cv2.erode((alpha > _SURE[0]).astype(np.uint8), kernel, borderValue=1)
    behind = cv2.erode((alpha < _SURE[1]).astype(np.uint8), kernel, borderValue=1)
    return np.where(person > 0, 1.0, np.where(behind > 0, 0.0, 0.5)).astype(np.float32)


def _lift(solved: Alpha, trimap: Alpha, guide: Frame, alpha: Alpha, picture: Frame) -> Alpha:
    """The solved alpha at full size inside the band; outside the band, and towards its rim, the alpha that was."""
    if solved.shape == alpha.shape:
        return np.where(trimap == 0.5, solved, alpha).astype(np.float32)
    # At the resolution that was solved: here, unlike in the network's output, every pixel was worked out.
    lifted = upsample_alpha(solved, picture, guide, subsample=1)
    band = resize((trimap == 0.5).astype(np.float32), alpha.shape)
    return np.asarray(band * lifted + (1 - band) * alpha, np.float32)
