"""Find and check image/mask pairs, and describe them in a manifest.

Three forms are read:

* a folder with `images/` and `masks/` (same stem; photographs of any kind that the product reads; the mask grey, or
  the alpha channel); without `masks/` it holds photographs with nobody in them, whose mask is empty;
* a folder of such folders, one set each; an optional `sets.toml` gives each a weight (`[street]`, `weight = 0.5`);
* a CSV with the columns `image,mask` and, where known, `group,set,weight`; paths are relative to the CSV, and an
  empty mask means nobody.

A set may have a third folder, `unsure/`: white where the label is not to be trusted (self-training writes it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.errors import DataError, InputError
from standout.imaging.arrays import Frame
from standout.imaging.decode import SUFFIXES, read
from standout.text_files import TextFileError, read_csv, read_toml

#: More than this share of grey pixels (neither near 0 nor near 255) is no mask but a picture or a heat map.
#: Soft hair edges stay below it.
MAX_GREY_SHARE = 0.10


@dataclass(frozen=True)
class Pair:
    """A photograph and its mask; no mask means nobody is in the picture."""

    image: Path
    mask: Path | None
    set: str = ""
    group: str = ""
    weight: float = 1.0  # of its set
    unsure: Path | None = None

    @property
    def stem(self) -> str:
        return self.image.stem


@dataclass(frozen=True)
class Fault:
    """A pair that can't be used, and why, in words."""

    pair: Pair
    kind: str  # unreadable, sizes differ, mask empty, mask not two-valued, no mask, no image
    text: str


@dataclass(frozen=True)
class Checked:
    """The outcome of `check_pairs`."""

    good: tuple[Pair, ...]
    faults: tuple[Fault, ...]
    data_hash: str  # SHA-256 over the names and contents of the good pairs


def find_pairs(root: Path | str) -> tuple[list[Pair], list[Fault]]:
    """Finds every pair below `root` (a folder or a CSV) without opening a picture.

    Returns:
        The pairs, sorted by set and name, and what is missing a partner.

    Raises:
        DataError: There is nothing of an accepted form.
    """
    root = Path(root)
    faults: list[Fault]
    if root.is_file() and root.suffix.lower() == ".csv":
        pairs, faults = _read_csv(root), []
    elif (root / "images").is_dir():
        pairs, faults = _read_set(root, root.name, 1.0)
    elif root.is_dir():
        pairs, faults = [], []
        weights = _set_weights(root)
        for folder in sorted(path for path in root.iterdir() if (path / "images").is_dir()):
            found = _read_set(folder, folder.name, weights.get(folder.name, 1.0))
            pairs += found[0]
            faults += found[1]
    else:
        raise DataError(f"DATA must be a folder or a CSV file; {root} is neither.")
    if not pairs and not faults:
        raise DataError(
            f"No pictures in {root}: expected images/ (and masks/ with the same stems), folders of that kind, "
            "or a CSV with the columns image,mask."
        )
    return pairs, faults


def _pictures(folder: Path) -> dict[str, Path]:
    """Stem -> file, of the pictures in a folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    return {path.stem: path for path in files}


def _read_set(folder: Path, name: str, weight: float) -> tuple[list[Pair], list[Fault]]:
    images = _pictures(folder / "images")
    groups = _read_groups(folder / "groups.csv")
    has_masks = (folder / "masks").is_dir()
    masks = _pictures(folder / "masks") if has_masks else {}
    unsure = _pictures(folder / "unsure") if (folder / "unsure").is_dir() else {}
    pairs, faults = [], []
    for stem, image in images.items():
        pair = Pair(image, masks.get(stem), name, groups.get(stem, stem), weight, unsure.get(stem))
        if has_masks and pair.mask is None:
            faults.append(Fault(pair, "no mask", f"{image.name}: no file of this stem in masks/"))
        else:
            pairs.append(pair)
    for stem in sorted(masks.keys() - images.keys()):
        orphan = Pair(folder / "images" / stem, masks[stem], name, stem, weight)
        faults.append(Fault(orphan, "no image", f"{masks[stem].name}: no file of this stem in images/"))
    return pairs, faults


def _read_groups(file: Path) -> dict[str, str]:
    """`groups.csv` beside images/: stem,group (the same person, the same video), so that no group is split."""
    if not file.is_file():
        return {}
    columns, rows = _rows(file)
    if not {"stem", "group"} <= set(columns):
        raise DataError(f"{file} must have the columns stem,group; received {','.join(columns) or 'nothing'}.")
    return {row["stem"]: row["group"] for row in rows if row["stem"] and row["group"]}


def _set_weights(root: Path) -> dict[str, float]:
    file = root / "sets.toml"
    if not file.is_file():
        return {}
    try:
        sets = read_toml(file)
    except TextFileError as error:
        raise DataError(f"{file} can't be read: {error}.") from error
    for name, entry in sets.items():
        if not isinstance(entry, dict) or not _is_weight(entry.get("weight")):
            raise DataError(
                f"{file} must hold `[set]` tables with `weight = number`, 0 or more; received {name} = {entry!r}."
            )
    return {name: float(entry["weight"]) for name, entry in sets.items()}


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def _rows(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        return read_csv(file)
    except TextFileError as error:
        raise DataError(f"{file} can't be read: {error}; save it as CSV in UTF-8.") from error


def _read_csv(file: Path) -> list[Pair]:
    columns, rows = _rows(file)
    if not {"image", "mask"} <= set(columns):
        raise DataError(f"{file} must have the columns image,mask; received {','.join(columns) or 'nothing'}.")
    pairs = []
    for number, row in enumerate(rows, 1):
        if not row["image"] or "\0" in row["image"] + row["mask"]:
            raise DataError(
                f"{file}, row {number}: `image` must be the path of a photograph; received {row['image']!r}."
            )
        image, mask = file.parent / row["image"], row["mask"]
        try:
            weight = float(row.get("weight") or 1)
        except ValueError:
            weight = -1.0
        if not _is_weight(weight):
            raise DataError(
                f"{file}, row {number} ({row['image']}): `weight` must be a number, 0 or more; "
                f"received {row['weight']!r}."
            )
        pairs.append(
            Pair(image, file.parent / mask if mask else None, row.get("set") or file.stem,
                 row.get("group") or image.stem, weight)
        )  # fmt: skip
    return sorted(pairs, key=lambda pair: (pair.set, str(pair.image)))


def read_image(path: Path) -> Frame:
    """Reads a photograph as uint8 RGB (H, W, 3) in sRGB, upright: the pixels that the product sees.

    Training, scoring, audit and int8 calibration read their photographs here.

    Raises:
        InputError: It can't be decoded.
    """
    return read(path).frame


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Reads a mask as uint8 (H, W), 255 person: its alpha channel if it has one that varies, otherwise its grey value.

    Raises:
        InputError: It can't be decoded.
    """
    mask = cv2.imdecode(_bytes(path), cv2.IMREAD_UNCHANGED)
    if mask is None:
        raise InputError(f"{path} is not a picture that can be read.")
    if mask.dtype == np.uint16:
        mask = (mask // 257).astype(np.uint8)
    if mask.ndim == 3 and mask.shape[2] == 4 and (mask[..., 3] != 255).any():
        mask = mask[..., 3]
    elif mask.ndim == 3 and mask.shape[2] >= 3:
        mask = mask[..., :3].max(axis=2)
    elif mask.ndim == 3:
        mask = mask[..., -1]
    mask = np.ascontiguousarray(mask, np.uint8)
    # Masks of 0 and 1 are common; white is then 1.
    return np.asarray(mask * np.uint8(255) if mask.max() == 1 else mask, np.uint8)


def _bytes(path: Path) -> NDArray[np.uint8]:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).") from error
    if data.size == 0:
        raise InputError(f"{path} is an empty file.")
    return data


def check_pairs(
    pairs: Sequence[Pair], *, faults: Iterable[Fault] = (), progress: Callable[[int, int], None] | None = None
) -> Checked:
    """Opens every pair, names each bad one, and hashes the good ones.

    Args:
        pairs: As `find_pairs` returns them.
        faults: Faults found before, which are passed on.
        progress: Called with (done, all) now and then.
    """
    good: list[Pair] = []
    bad = list(faults)
    digest = hashlib.sha256()
    with ThreadPoolExecutor() as pool:  # decoding releases the interpreter's lock
        for done, (pair, fault, content) in enumerate(pool.map(_check_pair, pairs), 1):
            if fault:
                bad.append(fault)
            else:
                good.append(pair)
                digest.update(f"{pair.set}/{pair.image.name}\0".encode() + content)
            if progress:
                progress(done, len(pairs))
    return Checked(tuple(good), tuple(bad), digest.hexdigest())


def _check_pair(pair: Pair) -> tuple[Pair, Fault | None, bytes]:
    content = hashlib.sha256()
    try:
        image = read_image(pair.image)
        content.update(pair.image.read_bytes())
        if pair.mask is None:
            return pair, None, content.digest()
        mask = read_mask(pair.mask)
        content.update(pair.mask.read_bytes())
    except InputError as error:
        return pair, Fault(pair, "unreadable", str(error)), b""
    if mask.shape != image.shape[:2]:
        sizes = f"the image is {image.shape[1]}×{image.shape[0]}, its mask {mask.shape[1]}×{mask.shape[0]}"
        text = f"{pair.image.name}: {sizes}"
        return pair, Fault(pair, "sizes differ", text), b""
    kind, text = mask_fault(mask)
    if kind:
        return pair, Fault(pair, kind, f"{pair.image.name}: {text}"), b""
    return pair, None, content.digest()


def mask_fault(mask: NDArray[np.uint8]) -> tuple[str, str]:
    """For what fault nobody can train on a mask, uint8 (H, W), and its text; both empty if it is good."""
    if not (mask > 127).any():
        return "mask empty", "the mask is empty; photographs with nobody belong in a set without masks/"
    grey = float(((mask > 32) & (mask < 223)).mean())
    if grey > MAX_GREY_SHARE:
        return "mask not two-valued", f"{grey:.0%} of the mask is neither black nor white"
    return "", ""


def with_weights(pairs: Iterable[Pair], weights: dict[str, float]) -> list[Pair]:
    """The pairs with the weights of the sets that `weights` names.

    Raises:
        DataError: It names a set that isn't there.
    """
    pairs = list(pairs)
    sets = {pair.set for pair in pairs}
    unknown = sorted(weights.keys() - sets)
    if unknown:
        raise DataError(f"weights_by_set names {unknown}, but the sets are {sorted(sets)}.")
    return [replace(pair, weight=weights.get(pair.set, pair.weight)) for pair in pairs]
