"""WebDataset: uncompressed tars in which a sample's files share a key: `0001.jpg`, `0001.mask.png`.

The photograph is the JPEG, WebP or PNG; the mask is `.mask.png`, `.seg.png`, `.label.png`, or the PNG beside a JPEG.
Only the tar's headers are read here. A photograph is read from its place when it is drawn, so that a set of any size is
shuffled as a whole and takes no memory.
"""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from standout.errors import DataError
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.places import Member
from standout.workshop.data.readers._parts import split_named

NAME = "WebDataset"
RANK = 80

_PHOTOS = ("jpg", "jpeg", "webp", "image.jpg", "image.png", "img.png", "png")
_MASKS = ("mask.png", "seg.png", "label.png", "segmentation.png", "alpha.png", "png")
_UNSURE = "unsure.png"


def fits(root: Path) -> bool:
    return bool(_shards(root))


def find(root: Path, person: str) -> FoundPairs:
    found = FoundPairs()
    for shard in _shards(root):
        split = split_named(shard.stem)
        samples = _samples(shard)
        labeled = any(_pick(files, _MASKS, without=_pick(files, _PHOTOS)) for files in samples.values())
        if samples and not labeled:
            endings = sorted({ending for files in samples.values() for ending in files})
            wanted, there = ", ".join(_MASKS[:3]), ", ".join(endings[:8])
            text = f"{shard}: no sample has a mask ({wanted} …); their files end in {there}"
            found.faults.append(Fault(Pair(shard, None, split or root.stem), "not understood", text))
            continue
        for key, files in samples.items():
            image = _pick(files, _PHOTOS)
            if image is None:
                continue
            mask = _pick(files, _MASKS, without=image)
            pair = Pair(image, mask, split or root.stem, f"{shard.stem}/{key}", person=person, split=split)
            if mask is None:
                found.faults.append(Fault(pair, "no mask", f"{image}: no mask of the key {key!r} in the shard"))
            else:
                found.pairs.append(pair)
    return found


def _shards(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix.lower() == ".tar" else []
    return sorted(path for path in root.iterdir() if path.suffix.lower() == ".tar" and path.is_file())


def _samples(shard: Path) -> dict[str, dict[str, Member]]:
    """Key -> ending -> place."""
    samples: dict[str, dict[str, Member]] = {}
    try:
        # "r:": a compressed tar can't be read from the middle.
        with tarfile.open(shard, "r:") as tar:
            for entry in tar:
                if entry.isfile() and not PurePosixPath(entry.name).name.startswith("."):
                    folder, _, name = entry.name.rpartition("/")
                    stem, _, ending = name.partition(".")
                    member = Member(shard, entry.name, entry.offset_data, entry.size)
                    samples.setdefault(f"{folder}/{stem}".lstrip("/"), {})[ending.lower()] = member
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(
            f"{shard} can't be read as an uncompressed tar ({error}); unpack a compressed one first."
        ) from error
    return samples


def _pick(files: dict[str, Member], endings: tuple[str, ...], without: Member | None = None) -> Member | None:
    return next((files[ending] for ending in endings if ending in files and files[ending] is not without), None)
