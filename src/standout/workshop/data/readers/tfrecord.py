"""TFRecord shards of tf.train.Example, read without TensorFlow.

Two forms: DeepLab's (`image/encoded` and `image/segmentation/class/encoded`, a PNG of class numbers) and TensorFlow's
object detection (`image/object/mask`, a PNG for each object, with `image/object/class/text`; without masks its boxes).
Only the outlines of a record are read here; pictures are read from their place when they are drawn.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standout.errors import DataError
from standout.workshop.data.drawings import Annotation, Drawing, box
from standout.workshop.data.label_pictures import VOC_PERSON
from standout.workshop.data.painted import PaintedInstances, PaintedMask
from standout.workshop.data.pair import Fault, FoundPairs, Pair
from standout.workshop.data.person_values import parse_person
from standout.workshop.data.places import Member
from standout.workshop.data.readers._parts import Categories, check_holds, split_named

NAME = "TFRecord"
RANK = 90

_PHOTO, _CLASSES, _MASKS = "image/encoded", "image/segmentation/class/encoded", "image/object/mask"
_NAMES = "image/object/class/text"
_SIDES = tuple(f"image/object/bbox/{side}" for side in ("xmin", "ymin", "xmax", "ymax"))


def fits(root: Path) -> bool:
    return bool(_shards(root))


def find(root: Path, person: str) -> FoundPairs:
    found = FoundPairs()
    for shard in _shards(root):
        split = split_named(shard.name)
        name = split or root.stem
        for number, example in _examples(shard):
            place = f"{shard.name}, record {number}"
            photo = example.get(_PHOTO)
            if photo is None or not photo.spans:
                lonely = Pair(shard, None, name, split=split)
                found.faults.append(Fault(lonely, "no image", f"{place}: it has no `{_PHOTO}`"))
                continue
            image = _member(shard, number, photo.spans[0], _title(example, shard))
            if not example.keys() & {_CLASSES, _MASKS, _SIDES[0]}:
                lonely = Pair(image, None, name, split=split)
                text = f"{place}: no feature says where people are; it has {', '.join(sorted(example)[:8])}"
                found.faults.append(Fault(lonely, "not understood", text))
                continue
            mask = _mask(shard, number, example, person)
            found.pairs.append(Pair(image, mask, name, f"{shard.stem}/{number}", split=split))
    if parse_person(person) is None:
        classes = [pair.mask.place for pair in found.pairs if isinstance(pair.mask, PaintedMask)]
        check_holds(classes, str(VOC_PERSON), root)
    return found


def _mask(shard: Path, number: int, example: dict[str, _Feature], person: str) -> Annotation | None:
    if classes := example.get(_CLASSES):
        value = person if parse_person(person) is not None else str(VOC_PERSON)
        return PaintedMask(_member(shard, number, classes.spans[0], f"{number}.png"), value)
    wanted = Categories(person)
    names = [text.decode("utf-8", "replace") for text in example[_NAMES].texts] if _NAMES in example else None
    if masks := example.get(_MASKS):
        chosen = [i for i in range(len(masks.spans)) if names is None or (i < len(names) and names[i] in wanted)]
        places = tuple(_member(shard, number, masks.spans[i], f"{number}-{i}.png") for i in chosen)
        return PaintedInstances(places) if places else None
    sides = [example[side].floats for side in _SIDES if side in example]
    if len(sides) == 4:
        shapes = tuple(
            box(left, top, right, bottom, "unsure", relative=True)
            for i, (left, top, right, bottom) in enumerate(zip(*sides, strict=False))
            if names is None or (i < len(names) and names[i] in wanted)
        )
        return Drawing(f"{shard}, record {number}", shapes) if shapes else None
    return None


def _title(example: dict[str, _Feature], shard: Path) -> str:
    named = example.get("image/filename")
    return named.texts[0].decode("utf-8", "replace") if named and named.texts else f"{shard.stem}.jpg"


def _member(shard: Path, number: int, span: tuple[int, int], title: str) -> Member:
    return Member(shard, f"{number:06d}-{Path(title).name}", span[0], span[1] - span[0])


def _shards(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if _is_shard(root) else []
    return sorted(path for path in root.iterdir() if path.is_file() and _is_shard(path))


def _is_shard(path: Path) -> bool:
    return ".tfrecord" in path.name.lower() and not path.name.lower().endswith((".gz", ".idx", ".index"))


# ---------------------------------------------------------------- records and protocol buffers


@dataclass
class _Feature:
    """One feature's values: where bytes lie in the file, short ones themselves, and numbers."""

    spans: list[tuple[int, int]]
    texts: list[bytes]
    floats: list[float]


def _examples(shard: Path) -> Iterator[tuple[int, dict[str, _Feature]]]:
    with shard.open("rb") as stream:
        size = shard.stat().st_size
        if not size:
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at, number = 0, 0
            while at < size:
                if at + 12 > size:
                    raise DataError(f"{shard} is cut off after record {number - 1}.")
                (length,) = struct.unpack_from("<Q", data, at)
                start, end = at + 12, at + 12 + length  # length, its checksum, the record, its checksum
                if end + 4 > size:
                    raise DataError(f"{shard} is cut off in record {number}, or it is no uncompressed TFRecord.")
                try:
                    yield number, _example(data, start, end)
                except (IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
                    raise DataError(f"{shard}, record {number}: this isn't a tf.train.Example ({error}).") from error
                at, number = end + 4, number + 1


def _example(data: mmap.mmap, start: int, end: int) -> dict[str, _Feature]:
    features: dict[str, _Feature] = {}
    for _, body in _fields(data, start, end, 1):  # Example.features
        for _, entry in _fields(data, *body, 1):  # Features.feature, a map
            key, value = "", None
            for field, span in _fields(data, *entry, None):
                if field == 1:
                    key = data[span[0] : span[1]].decode()
                elif field == 2:
                    value = _feature(data, *span)
            if value is not None:
                features[key] = value
    return features


def _feature(data: mmap.mmap, start: int, end: int) -> _Feature:
    feature = _Feature([], [], [])
    for kind, body in _fields(data, start, end, None):
        if kind == 1:  # BytesList
            for _, span in _fields(data, *body, 1):
                feature.spans.append(span)
                feature.texts.append(data[span[0] : min(span[1], span[0] + 4096)])
        elif kind == 2:  # FloatList, packed
            for _, span in _fields(data, *body, 1):
                count = (span[1] - span[0]) // 4
                feature.floats += struct.unpack_from(f"<{count}f", data, span[0])
    return feature


def _fields(data: mmap.mmap, start: int, end: int, wanted: int | None) -> Iterator[tuple[int, tuple[int, int]]]:
    """The fields of a message: their numbers, and where their bytes lie."""
    at = start
    while at < end:
        tag, at = _varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == 2:
            length, at = _varint(data, at)
            span = (at, at + length)
        elif wire == 0:
            begin = at
            _, at = _varint(data, at)
            span, length = (begin, at), 0
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
            span = (at, at + length)
        else:
            raise ValueError(f"wire type {wire}")
        at = span[1]
        if at > end:
            raise ValueError("a field reaches beyond its message")
        if wanted is None or field == wanted:
            yield field, span


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number that doesn't end")
