"""Finding faces and their five points: the MTCNN cascade in plain NumPy.

Zhang, Zhang, Li, Qiao: "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", 2016
(arXiv 1604.02878). The weights (1 MB, MIT) are those of the package `mtcnn`, converted by tools/convert_mtcnn.py. Three
networks of a few layers on a small picture don't need more than NumPy.
"""

from __future__ import annotations

import importlib.resources
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import ModelFileError
from standout.imaging.arrays import Frame, resize

Floats = NDArray[np.float32]

#: Faces are looked for in a picture of at most this side; the points are then measured in the full one.
SEARCH_SIDE = 800
#: The smallest face that is looked for, as a share of the longer side.
SMALLEST = 0.04
_PYRAMID_STEP = 0.709
#: (score, overlap) that the three networks ask for.
_P, _R, _O = (0.6, 0.7), (0.7, 0.6), (0.9, 0.5)
#: Crops, as (shift x, shift y, scale), over which the points are averaged.
_JITTER = [(x, y, s) for s in (0.95, 1.05, 1.15) for x, y in ((0, 0), (-0.05, 0), (0.05, 0), (0, -0.05), (0, 0.05))]
#: Half of what these crops cover together, in sides of the face; and its largest size in pixels.
_REGION, _FINEST = 0.65, 480


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture, in pixels of that picture.

    Attributes:
        box: (left, top, right, bottom).
        score: 0 … 1.
        points: float64 (5, 2) as (x, y): the eye at the left of the picture, the other eye, the tip of the nose,
            the corner of the mouth at the left, the other corner.
    """

    box: tuple[float, float, float, float]
    score: float
    points: NDArray[np.float64]

    @property
    def side(self) -> float:
        """Height of the box, pixels."""
        return self.box[3] - self.box[1]

    @property
    def uprightness(self) -> float:
        """1 of a face whose eyes are above its mouth, 0 of one on its side, -1 of one that is upside down."""
        across, down = self.points[3:].mean(axis=0) - self.points[:2].mean(axis=0)
        return float(down / max(np.hypot(across, down), 1e-6))


class FaceFinder(Protocol):
    """Whatever finds faces: `Mtcnn`, or a stand-in."""

    def find(self, frame: Frame) -> list[Face]: ...


class Mtcnn:
    """Finds upright faces; the largest comes first.

    Raises:
        ModelFileError: The file of weights is missing or broken: the installation isn't whole.
    """

    def __init__(self) -> None:
        networks = _weights()
        self._p, self._r, self._o = (networks[name] for name in ("pnet", "rnet", "onet"))

    def find(self, frame: Frame) -> list[Face]:
        """The faces of a frame, uint8 RGB (H, W, 3)."""
        scale = min(1.0, SEARCH_SIDE / max(frame.shape[:2]))
        size = (max(1, round(frame.shape[0] * scale)), max(1, round(frame.shape[1] * scale)))
        small = resize(frame, size)
        boxes = self._propose(small)
        boxes, _ = self._judge(small, boxes, _rnet, self._r, 24, _R)
        boxes, _ = self._judge(small, boxes, _onet, self._o, 48, _O)
        if len(boxes) == 0:
            return []
        boxes[:, :4] *= frame.shape[1] / size[1]
        faces = [self._measure(frame, row) for row in boxes]
        return sorted(faces, key=lambda face: face.side, reverse=True)

    def _propose(self, picture: Frame) -> Floats:
        smallest = max(12.0, SMALLEST * max(picture.shape[:2]))
        scale = 12 / smallest
        found = [np.zeros((0, 5), np.float32)]
        while min(picture.shape[:2]) * scale >= 12:
            size = (int(np.ceil(picture.shape[0] * scale)), int(np.ceil(picture.shape[1] * scale)))
            found.append(_cells(_pnet(_unit(resize(picture, size))[None], self._p), scale))
            scale *= _PYRAMID_STEP
        return _thin(np.concatenate(found), _P[1])

    def _judge(
        self, picture: Frame, boxes: Floats, network: Any, weights: list[Floats], side: int, wanted: tuple[float, float]
    ) -> tuple[Floats, Floats]:
        if len(boxes) == 0:
            return boxes, np.zeros((0, 10), np.float32)
        boxes = _square(boxes)
        score, shift, points = network(_crops(picture, boxes, side), weights)
        keep = score > wanted[0]
        boxes, shift, points = boxes[keep], shift[keep], points[keep]
        width, height = (boxes[:, 2] - boxes[:, 0])[:, None], (boxes[:, 3] - boxes[:, 1])[:, None]
        moved = boxes[:, :4] + shift * np.concatenate([width, height, width, height], axis=1)
        result = np.concatenate([moved, score[keep][:, None]], axis=1).astype(np.float32)
        return _thin(result, wanted[1], by_smaller=side == 48), points

    def _measure(self, frame: Frame, row: Floats) -> Face:
        """The five points, averaged over crops that are shifted and scaled a little."""
        base = _square(row[None])[0]
        side = base[2] - base[0]
        center = np.array([(base[0] + base[2]) / 2, (base[1] + base[3]) / 2])
        # The networks see 48 pixels: a large face is shrunk once, not for every crop.
        whole = np.array([[*(center - _REGION * side), *(center + _REGION * side), 1.0]], np.float32)
        fine = min(_FINEST, max(48, round(float(2 * _REGION * side))))
        left, top, right, _ = (round(float(value)) for value in whole[0, :4])
        region = _cut(frame, whole[0], fine)
        step = (right - left) / fine
        crops = []
        for x, y, scale in _JITTER:
            middle, half = (center + np.array([x, y]) * side - (left, top)) / step, side * scale / 2 / step
            crops.append([*(middle - half), *(middle + half), 1.0])
        boxes = np.array(crops, np.float32)
        _, _, relative = _onet(_crops(region, boxes, 48), self._o)
        sides = (boxes[:, 2] - boxes[:, 0])[:, None]
        points = np.stack([boxes[:, :1] + relative[:, :5] * sides, boxes[:, 1:2] + relative[:, 5:] * sides], axis=2)
        points = points * step + np.array([left, top], np.float32)
        box = tuple(float(value) for value in row[:4])
        return Face((box[0], box[1], box[2], box[3]), float(row[4]), points.mean(axis=0).astype(np.float64))


# ---------------------------------------------------------------- the three networks


def _pnet(x: Floats, w: list[Floats]) -> tuple[Floats, Floats]:
    """P-Net over a whole picture: face score (H', W') and box shifts (H', W', 4)."""
    x = _pool(_prelu(_conv(x, w[0], w[1]), w[2]), 2, 2, pad=True)
    x = _prelu(_conv(x, w[3], w[4]), w[5])
    x = _prelu(_conv(x, w[6], w[7]), w[8])
    return _softmax(_conv(x, w[11], w[12]))[0], _conv(x, w[9], w[10])[0]


def _rnet(x: Floats, w: list[Floats]) -> tuple[Floats, Floats, Floats]:
    x = _pool(_prelu(_conv(x, w[0], w[1]), w[2]), 3, 2, pad=True)
    x = _pool(_prelu(_conv(x, w[3], w[4]), w[5]), 3, 2, pad=False)
    x = _prelu(_conv(x, w[6], w[7]), w[8])
    x = _prelu(_flat(x) @ w[9] + w[10], w[11])
    return _softmax(x @ w[14] + w[15]), x @ w[12] + w[13], np.zeros((len(x), 10), np.float32)


def _onet(x: Floats, w: list[Floats]) -> tuple[Floats, Floats, Floats]:
    x = _pool(_prelu(_conv(x, w[0], w[1]), w[2]), 3, 2, pad=True)
    x = _pool(_prelu(_conv(x, w[3], w[4]), w[5]), 3, 2, pad=False)
    x = _pool(_prelu(_conv(x, w[6], w[7]), w[8]), 2, 2, pad=True)
    x = _prelu(_conv(x, w[9], w[10]), w[11])
    x = _prelu(_flat(x) @ w[12] + w[13], w[14])
    return _softmax(x @ w[19] + w[20]), x @ w[15] + w[16], x @ w[17] + w[18]


def _conv(x: Floats, kernel: Floats, bias: Floats) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.asarray(np.tensordot(windows, kernel, axes=([3, 4, 5], [2, 0, 1])) + bias, np.float32)


def _pool(x: Floats, size: int, stride: int, *, pad: bool) -> Floats:
    if pad:  # at the far side only, as the networks were trained
        ends = [max(0, (-(-n // stride) - 1) * stride + size - n) for n in x.shape[1:3]]
        x = np.pad(x, ((0, 0), (0, ends[0]), (0, ends[1]), (0, 0)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return np.asarray(windows[:, ::stride, ::stride].max(axis=(4, 5)))


def _prelu(x: Floats, slope: Floats) -> Floats:
    return np.asarray(np.maximum(x, 0) + slope * np.minimum(x, 0), np.float32)


def _softmax(x: Floats) -> Floats:
    """The face's share of the two classes."""
    return np.asarray(1 / (1 + np.exp(np.clip(x[..., 0] - x[..., 1], -60, 60))), np.float32)


def _flat(x: Floats) -> Floats:
    return x.transpose(0, 2, 1, 3).reshape(len(x), -1)  # the dense layers were trained column by column


# ---------------------------------------------------------------- boxes


def _unit(picture: NDArray[Any]) -> Floats:
    return np.asarray((picture.astype(np.float32) - 127.5) / 128)


def _cells(output: tuple[Floats, Floats], scale: float) -> Floats:
    score, shift = output
    rows, columns = np.nonzero(score > _P[0])
    corner = np.stack([columns, rows], axis=1) * 2.0
    cells = np.concatenate([corner, corner + 12], axis=1) + shift[rows, columns] * 12
    boxes = np.concatenate([cells / scale, score[rows, columns][:, None]], axis=1).astype(np.float32)
    return _thin(boxes, 0.5)


def _thin(boxes: Floats, overlap: float, *, by_smaller: bool = False) -> Floats:
    """Non-maximum suppression; the best first."""
    rest = boxes[np.argsort(-boxes[:, 4])]
    kept = []
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        low, high = np.maximum(best[:2], rest[:, :2]), np.minimum(best[2:4], rest[:, 2:4])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        area = np.prod(best[2:4] - best[:2])
        areas = np.prod(rest[:, 2:4] - rest[:, :2], axis=1)
        whole = np.minimum(area, areas) if by_smaller else area + areas - shared
        rest = rest[shared <= overlap * np.maximum(whole, 1e-6)]
    return np.array(kept, np.float32).reshape(-1, 5)


def _square(boxes: Floats) -> Floats:
    center = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])[:, None] / 2
    return np.concatenate([center - half, center + half, boxes[:, 4:5]], axis=1)


def _crops(picture: Frame, boxes: Floats, side: int) -> Floats:
    """Square crops as the networks want them, (N, side, side, 3)."""
    result = np.empty((len(boxes), side, side, 3), np.float32)
    for number, box in enumerate(boxes):
        result[number] = _unit(_cut(picture, box, side))
    return result


def _cut(picture: Frame, box: Floats, side: int) -> Frame:
    """A square resized to (side, side, 3); black beyond the picture."""
    left, top, right, bottom = (round(float(value)) for value in box[:4])
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    inner = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    canvas = np.zeros((bottom - top, right - left, 3), np.uint8)
    y, x = max(0, -top), max(0, -left)
    canvas[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return np.asarray(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache
def _weights() -> dict[str, list[Floats]]:
    """The arrays of `pnet`, `rnet` and `onet`, float32, in the order of their layers."""
    file = importlib.resources.files("standout") / "assets" / "mtcnn.npz"
    networks: dict[str, list[Floats]] = {}
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            for key in sorted(arrays.files):
                networks.setdefault(key.split("/")[0], []).append(arrays[key].astype(np.float32))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            f"The face detector's weights `{file}` can't be read ({error}); install Standout again."
        ) from error
    return networks
