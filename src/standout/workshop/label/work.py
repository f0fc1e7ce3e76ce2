"""Labeling as the work of a step: a photograph becomes `images/`, `masks/` and `unsure/` of a set, or is left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import cv2
import numpy as np

from standout.cluster.photo import Photo, Product
from standout.cluster.storage import Place
from standout.errors import InputError
from standout.imaging.arrays import Frame
from standout.imaging.decode import MAX_BYTES, read
from standout.imaging.encode import encode
from standout.workshop.label.agreement import AgreementRule, Box, Label, agree, read_boxes
from standout.workshop.label.judges import Judge, JudgeFile


@dataclass(frozen=True)
class LabelWork:
    """Judges look at each photograph.

    Attributes:
        judges: At least two.
        rule: When the judges agree.
        source: Where the photographs' `boxes/` lie, as the step has it.
        prefix: What stands before the names of the sets.
        dropped: Paths of photographs that somebody has looked at and doesn't want.
        corrected: Path -> PNG of the mask that somebody has drawn; gray, 128 is unsure.
    """

    judges: tuple[JudgeFile, ...]
    rule: AgreementRule
    source: str
    prefix: str = ""
    dropped: frozenset[str] = frozenset()
    corrected: dict[str, bytes] = field(default_factory=dict, repr=False)
    ending: str = ".png"
    max_bytes: int = MAX_BYTES

    @property
    def model(self) -> str:
        """The judges' names, for the manifest."""
        return " + ".join(f"{judge.kind}={judge.name}" for judge in self.judges)

    @property
    def fingerprint(self) -> str:
        """Of the judges and the rule."""
        parts = [*(judge.kind + judge.digest for judge in self.judges), repr(self.rule), self.prefix]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def fingerprint_of(self, path: str) -> str:
        """Of the judges and the rule, and of what somebody decided by hand."""
        if path in self.dropped:
            return "dropped"
        if path in self.corrected:
            return hashlib.sha256(self.corrected[path]).hexdigest()[:32]
        return self.fingerprint

    def named_after(self, path: str) -> str:
        """The mask's path, with the photograph's ending.

        Example:
            >>> work = LabelWork((), AgreementRule(), "", prefix="judged_")
            >>> work.named_after("webcam/images/a.jpg"), work.named_after("a.jpg")
            ('judged_webcam/masks/a.jpg', 'masks/a.jpg')
        """
        photo = PurePosixPath(path)
        folder = photo.parent.parent if photo.parent.name == "images" else photo.parent
        base = "" if str(folder) == "." else f"{self.prefix}{folder}/"
        return f"{base}masks/{photo.name}"

    def open(self, threads: int) -> Callable[[Photo, bytes], Product]:
        """Loads the judges.

        Raises:
            StandoutError: One can't be used.
        """
        cv2.setNumThreads(threads)
        judges = [file.load(threads) for file in self.judges]
        source = Place(self.source)

        def do(photo: Photo, data: bytes) -> Product:
            return self._label(photo, data, judges, source)

        return do

    def _label(self, photo: Photo, data: bytes, judges: list[Judge], source: Place) -> Product:
        image, mask, unsure = _files_of(photo)
        if photo.path in self.dropped:
            facts = json.dumps({"kept": False, "why": "dropped by hand"})
            return Product({}, None, (0, 0), facts=facts, remove=(image, mask, unsure))
        if PurePosixPath(photo.path).parent.name in ("masks", "unsure"):
            return Product({}, None, (0, 0), facts=json.dumps({"kept": False, "why": "it is a mask"}))
        frame = read(data).frame
        if photo.path in self.corrected:
            label = _by_hand(self.corrected[photo.path], frame, photo.path)
        else:
            alphas = np.stack([judge(frame) for judge in judges])
            label = agree(alphas, self.rule, frame=frame, boxes=_boxes(photo.path, source))
        size, agreed = (frame.shape[0], frame.shape[1]), round(label.agreed, 4)
        if label.alpha is None or label.unsure is None:
            facts = json.dumps({"kept": False, "why": label.why_not, "agreed": agreed})
            return Product({}, None, size, facts=facts, remove=(image, mask, unsure))
        gray = np.rint(label.alpha * 255).astype(np.uint8)
        gray[gray == 128] = 127  # 128 means unsure, which has a picture of its own here
        files = {image: data, unsure: encode(label.unsure.astype(np.uint8) * 255), mask: encode(gray)}
        facts = json.dumps({"kept": True, "agreed": agreed, "unsure": round(float(label.unsure.mean()), 4)})
        return Product(files, bool((label.alpha > 0.5).any()), size, facts=facts)


def _files_of(photo: Photo) -> tuple[str, str, str]:
    """Where a photograph, its mask, and what is unsure of it lie in the output; `photo.output` is the mask."""
    mask = PurePosixPath(photo.output)
    base = mask.parent.parent
    image = (base / "images" / mask.stem).as_posix() + PurePosixPath(photo.path).suffix
    return image, mask.as_posix(), (base / "unsure" / mask.name).as_posix()


def _boxes(path: str, source: Place) -> list[Box] | None:
    """The boxes beside a photograph: `boxes/STEM.txt` beside `images/`. None where there are none."""
    photo = PurePosixPath(path)
    if photo.parent.name != "images":
        return None
    name = (photo.parent.parent / "boxes" / f"{photo.stem}.txt").as_posix()
    try:
        data = source.read(name)
    except InputError:
        return None
    try:
        return read_boxes(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        raise InputError(f"`{name}` must be text: {error}.") from error


def _by_hand(content: bytes, frame: Frame, path: str) -> Label:
    mask = cv2.cvtColor(read(content).frame, cv2.COLOR_RGB2GRAY)
    if mask.shape != frame.shape[:2]:
        raise InputError(
            f"The corrected mask of `{path}` must be of its size, {frame.shape[1]} × {frame.shape[0]}; "
            f"received {mask.shape[1]} × {mask.shape[0]}."
        )
    unsure = mask == 128
    return Label(np.where(unsure, 0, mask / np.float32(255)).astype(np.float32), unsure, 1.0)
