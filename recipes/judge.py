"""Label photographs that have no masks, with two public networks as judges.

    python recipes/judge.py UNLABELLED OUT --with LABELLED \\
        --deeplab deeplabv3_mnv2_pascal_quant.tflite --selfie selfie_segmentation.tflite

UNLABELLED holds sets (folders with images/). OUT becomes a folder that `standout train` reads: the sets of LABELLED as
links, and `judged_<set>` with masks/ and unsure/.

The rule. DeepLabV3 (COCO + VOC, Apache-2.0) sees each photograph and its mirror image; MediaPipe selfie segmentation
(Apache-2.0) sees it once. A photograph is kept where the two agree: person IoU of their masks at least 0.85 (0.88 for
sets named "mixed"), and 2 … 90 % of it is person. Its mask is where both say person. It is unsure, and teaches nothing,
where they differ, where either is in doubt (0.2 … 0.8), and within 2 px of the mask's edge: neither draws a fine edge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from standout.data.pairs import SUFFIXES, read_image
from standout.errors import InputError

AGREEMENT, AGREEMENT_MIXED = 0.85, 0.88
PERSON_OF_VOC = 15


class Judge:
    """A TensorFlow Lite network."""

    def __init__(self, file: Path):
        from tensorflow.lite import Interpreter

        self._net = Interpreter(str(file), num_threads=2)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]
        self._output = self._net.get_output_details()[0]["index"]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        self._net.set_tensor(self._input["index"], pixels[None])
        self._net.invoke()
        return self._net.get_tensor(self._output)[0]


def deeplab_person(judge: Judge, frame: np.ndarray) -> np.ndarray:
    """DeepLab's person mask as float32 (H, W): its class map is scaled bilinearly, so edges are soft."""
    height, width = frame.shape[:2]
    scale = 513 / max(height, width)
    h, w = round(height * scale), round(width * scale)
    canvas = np.full((513, 513, 3), 127, np.uint8)
    canvas[:h, :w] = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    person = (judge(canvas) == PERSON_OF_VOC)[:h, :w].astype(np.float32)
    return cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR)


def selfie_person(judge: Judge, frame: np.ndarray) -> np.ndarray:
    """The selfie network's alpha, float32 (H, W)."""
    pixels = cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.resize(judge(pixels)[..., 0], frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def verdict(deeplab: np.ndarray, selfie: np.ndarray, agreement: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The mask and what is unsure of it, both bool (H, W); None where the judges disagree."""
    d, s = deeplab > 0.5, selfie > 0.5
    union = (d | s).sum()
    if not union or (d & s).sum() / union < agreement or not 0.02 < d.mean() < 0.9:
        return None
    mask = d & s
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    grey = mask.astype(np.uint8)
    edge = cv2.dilate(grey, kernel) != cv2.erode(grey, kernel)
    doubt = ((deeplab > 0.2) & (deeplab < 0.8)) | ((selfie > 0.2) & (selfie < 0.8))
    return mask, (d != s) | doubt | edge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unlabelled", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--deeplab", type=Path, required=True)
    parser.add_argument("--selfie", type=Path, required=True)
    parser.add_argument("--with", dest="labelled", type=Path, required=True)
    args = parser.parse_args()
    deeplab, selfie = Judge(args.deeplab), Judge(args.selfie)
    args.out.mkdir(parents=True, exist_ok=True)
    for folder in sorted(args.labelled.iterdir()):
        if (folder / "images").is_dir() and not (args.out / folder.name).exists():
            (args.out / folder.name).symlink_to(folder.resolve())
    for folder in sorted(args.unlabelled.iterdir()):
        files = sorted(file for file in (folder / "images").glob("*") if file.suffix.lower() in SUFFIXES)
        target, kept = args.out / f"judged_{folder.name}", 0
        for file in files:
            try:
                frame = read_image(file)
            except InputError as error:
                print(error)
                continue
            mirrored = np.ascontiguousarray(frame[:, ::-1])
            both = (deeplab_person(deeplab, frame) + deeplab_person(deeplab, mirrored)[:, ::-1]) / 2
            agreement = AGREEMENT_MIXED if folder.name == "mixed" else AGREEMENT
            found = verdict(both, selfie_person(selfie, frame), agreement)
            if found is None:
                continue
            kept += 1
            for name in ("images", "masks", "unsure"):
                (target / name).mkdir(parents=True, exist_ok=True)
            link = target / "images" / file.name
            if not link.exists():
                link.symlink_to(file.resolve())
            for name, part in zip(("masks", "unsure"), found, strict=True):
                cv2.imwrite(str(target / name / f"{file.stem}.png"), part.astype(np.uint8) * 255)
        print(f"{folder.name}: {kept} of {len(files)} kept")


if __name__ == "__main__":
    main()
