"""Label photographs that have no masks, with our own network and two public ones as judges.

    python recipes/judge.py UNLABELLED OUT --with LABELLED \\
        --deeplab deeplabv3_mnv2_pascal_quant.tflite --selfie selfie_segmentation.tflite [--own photo]

UNLABELLED holds sets (folders with images/). OUT becomes a folder that `standout train` reads: the sets of LABELLED as
links, and `judged_<set>` with masks/ and unsure/.

The rule. Three judges look at a photograph: DeepLabV3 (COCO + VOC, Apache-2.0) and our own network, each also at the
mirror image, and MediaPipe selfie segmentation (Apache-2.0). What two of them call person is the mask. The photograph
is kept where two judges agree with that mask (person IoU at least 0.87), and 1 … 90 % of it is person. It is unsure,
and teaches nothing, where the judges that agree differ or are in doubt (0.2 … 0.8), and within 2 px of the mask's
edge: none of them draws a fine edge.

What was kept before stays as it is: a second round with a better network of ours adds the photographs on which the
judges agree only now, and a round that was stopped goes on.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

import standout
from standout.data.labels import read_image
from standout.errors import InputError
from standout.imaging.decode import SUFFIXES

AGREEMENT = 0.87
PERSON_OF_VOC = 15


class TfLite:
    """A TensorFlow Lite network, on one thread: the photographs run side by side."""

    def __init__(self, file: Path):
        import tensorflow as tf

        self._net = tf.lite.Interpreter(str(file), num_threads=1)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._output = self._net.get_output_details()[0]["index"]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        self._net.set_tensor(self._input, pixels[None])
        self._net.invoke()
        return self._net.get_tensor(self._output)[0]


class Judges:
    """The three networks; called with a frame they give their alphas, float32 (3, H, W)."""

    def __init__(self, deeplab: Path, selfie: Path, own: str):
        self.deeplab, self.selfie = TfLite(deeplab), TfLite(selfie)
        self.own = standout.load(own, threads=1)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        mirrored = np.ascontiguousarray(frame[:, ::-1])
        return np.stack([
            (self._deeplab(frame) + self._deeplab(mirrored)[:, ::-1]) / 2,
            self._selfie(frame),
            (self.own.alpha(frame) + self.own.alpha(mirrored)[:, ::-1]) / 2,
        ])  # fmt: skip

    def _deeplab(self, frame: np.ndarray) -> np.ndarray:
        """The person class: the class map is scaled bilinearly, so edges are soft."""
        height, width = frame.shape[:2]
        scale = 513 / max(height, width)
        h, w = round(height * scale), round(width * scale)
        canvas = np.full((513, 513, 3), 127, np.uint8)
        canvas[:h, :w] = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        person = (self.deeplab(canvas) == PERSON_OF_VOC)[:h, :w].astype(np.float32)
        return cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR)

    def _selfie(self, frame: np.ndarray) -> np.ndarray:
        pixels = cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        return cv2.resize(self.selfie(pixels)[..., 0], frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def verdict(alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The mask and what is unsure of it, both bool (H, W); None where no two judges agree.

    Args:
        alphas: float32 (3, H, W) in [0, 1].
    """
    masks = alphas > 0.5
    mask = masks.sum(0) >= 2
    if not 0.01 < mask.mean() < 0.9:
        return None
    agree = [(m & mask).sum() / (m | mask).sum() >= AGREEMENT for m in masks]
    if sum(agree) < 2:
        return None
    believed = masks[agree]
    doubt = ((alphas[agree] > 0.2) & (alphas[agree] < 0.8)).any(0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    grey = mask.astype(np.uint8)
    edge = cv2.dilate(grey, kernel) != cv2.erode(grey, kernel)
    return mask, doubt | (believed != mask).any(0) | edge


_judges: Judges | None = None


def _start_worker(*files: Path | str) -> None:
    global _judges
    cv2.setNumThreads(1)
    _judges = Judges(*files)


def _judge(file: Path, target: Path) -> bool:
    """Judges one photograph, writes what was found, and says whether it was kept."""
    link = target / "images" / file.name
    if link.exists() and (target / "unsure" / f"{file.stem}.png").exists():
        return True
    try:
        frame = read_image(file)
    except InputError as error:
        print(error)
        return False
    found = verdict(_judges(frame))
    if found is None:
        return False
    if not link.exists():
        link.symlink_to(file.resolve())
    for name, part in zip(("masks", "unsure"), found, strict=True):
        cv2.imwrite(str(target / name / f"{file.stem}.png"), part.astype(np.uint8) * 255)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unlabelled", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--deeplab", type=Path, required=True)
    parser.add_argument("--selfie", type=Path, required=True)
    parser.add_argument("--own", default="photo", help="our network: `photo`, or an ONNX file")
    parser.add_argument("--with", dest="labelled", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for folder in sorted(args.labelled.iterdir()):
        if (folder / "images").is_dir() and not (args.out / folder.name).exists():
            (args.out / folder.name).symlink_to(folder.resolve())
    context = multiprocessing.get_context("spawn")
    files = (args.deeplab, args.selfie, args.own)
    with ProcessPoolExecutor(os.cpu_count(), context, _start_worker, files) as pool:
        for folder in sorted(args.unlabelled.iterdir()):
            target = args.out / f"judged_{folder.name}"
            for name in ("images", "masks", "unsure"):
                (target / name).mkdir(parents=True, exist_ok=True)
            photos = sorted(file for file in (folder / "images").glob("*") if file.suffix.lower() in SUFFIXES)
            kept = sum(pool.map(_judge, photos, [target] * len(photos), chunksize=8))
            print(f"{folder.name}: {kept} of {len(photos)} kept", flush=True)


if __name__ == "__main__":
    main()
