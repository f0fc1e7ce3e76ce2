"""Writes the kit's data set in every form that a reader reads."""

from __future__ import annotations

import base64
import csv
import io
import json
import struct
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from workshop.data.readers_kit import SCENES, SIZE_HW, Form, encoded, mask, numbers, outline, photo, write


def folders(root: Path) -> Path:
    for name in SCENES:
        people = name in ("a", "b")
        folder = root / ("people" if people else "nobody")
        write(folder / "images" / f"{name}.jpg", encoded(photo(name), "JPEG"))
        if people:
            label = np.where(mask(name), 255, np.where(mask(name, "unsure"), 128, 0)).astype(np.uint8)
            write(folder / "masks" / f"{name}.png", encoded(label))
    return root


def table(root: Path) -> Path:
    folders(root)
    with (root / "all.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "mask"])
        for name in SCENES:
            folder = "people" if name in ("a", "b") else "nobody"
            writer.writerow([f"{folder}/images/{name}.jpg", f"people/masks/{name}.png" if folder == "people" else ""])
    return root / "all.csv"


def lists(root: Path) -> Path:
    for name in SCENES:
        write(root / "Images" / f"{name}.jpg", encoded(photo(name), "JPEG"))
        label = np.where(mask(name), 1, np.where(mask(name, "unsure"), 255, 0)).astype(np.uint8)
        write(root / "Annotations" / f"{name}.png", encoded(label))
    lines = [f"Images/{name}.jpg Annotations/{name}.png" for name in SCENES]
    write(root / "train.txt", "\n".join(lines[:3]))
    write(root / "val.txt", lines[3] + "\n")
    return root


def coco(root: Path) -> Path:
    annotations: list[dict[str, Any]] = []
    for number, name in enumerate(SCENES, 1):
        write(root / "val2017" / f"{name}.jpg", encoded(photo(name), "JPEG"))
        for what, boxes in SCENES[name].items():
            for box in boxes:
                figure: Any = [outline(box)]
                if what == "unsure":  # a crowd, column by column
                    flat = mask(name, "unsure").T.reshape(-1)
                    changes = np.flatnonzero(np.diff(flat)) + 1
                    counts = np.diff([0, *changes, flat.size]).tolist()
                    figure = {"counts": counts, "size": list(SIZE_HW)}
                annotations.append(
                    {"id": len(annotations), "image_id": number, "category_id": 18 if what == "dog" else 1,
                     "iscrowd": int(what == "unsure"), "segmentation": figure}
                )  # fmt: skip
    content = {
        "images": [{"id": i, "file_name": f"{n}.jpg", "height": 48, "width": 64} for i, n in enumerate(SCENES, 1)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
    }
    write(root / "annotations" / "instances_val2017.json", json.dumps(content))
    return root


def labelme(root: Path) -> Path:
    for name in SCENES:
        write(root / f"{name}.jpg", encoded(photo(name), "JPEG"))
        labels = {"unsure": "__ignore__"}
        shapes = [
            {
                "label": labels.get(what, what),
                "shape_type": "polygon",
                "points": np.reshape(outline(box), (-1, 2)).tolist(),
            }
            for what, boxes in SCENES[name].items()
            for box in boxes
        ]
        content = {
            "version": "5.4.1",
            "shapes": shapes,
            "imagePath": f"{name}.jpg",
            "imageHeight": 48,
            "imageWidth": 64,
        }
        write(root / f"{name}.json", json.dumps(content))
    return root


def yolo(root: Path) -> Path:
    write(root / "data.yaml", "path: .\ntrain: images/train\nnames:\n  0: dog\n  1: person\n")
    for name in SCENES:
        write(root / "images" / "train" / f"{name}.JPG", encoded(photo(name), "JPEG"))
        lines = []
        for what, boxes in SCENES[name].items():
            for box in boxes:
                left, top, right, bottom = box[0] / 64, box[1] / 48, box[2] / 64, box[3] / 48
                words = np.array(outline((left, top, right, bottom)))  # type: ignore[arg-type]
                if what == "unsure":  # a box alone
                    words = np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
                lines.append(" ".join([str(int(what != "dog")), *(f"{word:.6f}" for word in words)]))
        if lines:
            write(root / "labels" / "train" / f"{name}.txt", "\n".join(lines) + "\n")
    return root


def voc(root: Path) -> Path:
    for name in SCENES:
        write(root / "JPEGImages" / f"{name}.jpg", encoded(photo(name), "JPEG"))
        write(root / "SegmentationClass" / f"{name}.png", encoded(numbers(name), palette=True))
    write(root / "ImageSets" / "Segmentation" / "train.txt", "a\nb\nc\nnone\n")
    return root


def supervisely(root: Path) -> Path:
    write(
        root / "meta.json", json.dumps({"classes": [{"title": "person_poly"}, {"title": "Dog"}, {"title": "neutral"}]})
    )
    for name in SCENES:
        write(root / "ds1" / "img" / f"{name}.png", encoded(photo(name)))
        things: list[dict[str, Any]] = []
        for what, boxes in SCENES[name].items():
            for number, box in enumerate(boxes):
                title = {"person": "person_poly", "dog": "Dog", "unsure": "neutral"}[what]
                points = np.reshape(outline(box), (-1, 2)).tolist()
                thing: dict[str, Any] = {"classTitle": title, "geometryType": "polygon",
                                         "points": {"exterior": points, "interior": []}}  # fmt: skip
                if number == 1:  # the second person as a bitmap
                    left, top, right, bottom = box
                    picture = np.zeros((bottom - top, right - left, 4), np.uint8)
                    picture[...] = 255
                    data = base64.b64encode(zlib.compress(encoded(picture))).decode()
                    thing = {
                        "classTitle": title,
                        "geometryType": "bitmap",
                        "bitmap": {"data": data, "origin": [left, top]},
                    }
                things.append(thing)
        content = {"size": {"height": 48, "width": 64}, "objects": things}
        write(root / "ds1" / "ann" / f"{name}.png.json", json.dumps(content))
    return root


def imagefolder(root: Path) -> Path:
    rows = []
    for name in SCENES:
        write(root / "train" / f"{name}.jpg", encoded(photo(name), "JPEG"))
        row = {"file_name": f"{name}.jpg", "mask_file_name": ""}
        if name in ("a", "b"):
            label = np.where(mask(name), 255, np.where(mask(name, "unsure"), 128, 0)).astype(np.uint8)
            write(root / "train" / "masks" / f"{name}.png", encoded(label))
            row["mask_file_name"] = f"masks/{name}.png"
        rows.append(json.dumps(row))
    write(root / "train" / "metadata.jsonl", "\n".join(rows))
    return root


def imagefolder_of_parquet(root: Path) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    imagefolder(root)
    file = root / "train" / "metadata.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    parquet.write_table(pa.Table.from_pylist(rows), file.with_suffix(".parquet"))
    file.unlink()
    return root


def cutouts(root: Path) -> Path:
    for name in ("a", "b"):
        alpha = np.where(mask(name), 255, 0).astype(np.uint8)
        write(root / f"{name}.png", encoded(np.dstack([photo(name), alpha])))
    return root


def webdataset(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    with tarfile.open(root / "shard-000000.tar", "w") as tar:
        for name in ("a", "b", "c"):
            for ending, data in (
                ("jpg", encoded(photo(name), "JPEG")),
                ("seg.png", encoded(numbers(name), palette=True)),
            ):
                entry = tarfile.TarInfo(f"{name}.{ending}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return root


def tfrecord(root: Path) -> Path:
    examples = [
        {"image/encoded": encoded(photo(name), "JPEG"), "image/filename": f"{name}.jpg".encode(),
         "image/segmentation/class/encoded": encoded(numbers(name))}
        for name in ("a", "b", "c")
    ]  # fmt: skip
    write(root / "train-00000-of-00001.tfrecord", b"".join(record(example(features)) for features in examples))
    return root


def example(features: dict[str, Any]) -> bytes:
    """A tf.train.Example in protocol buffers: bytes, lists of bytes, or floats."""
    entries = b""
    for key, value in features.items():
        values = value if isinstance(value, list) else [value]
        if isinstance(values[0], float):
            feature = field(2, field(1, struct.pack(f"<{len(values)}f", *values)))
        else:
            feature = field(1, b"".join(field(1, one) for one in values))
        entries += field(1, field(1, key.encode()) + field(2, feature))
    return field(1, entries)


def field(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def record(body: bytes) -> bytes:
    # The checksums aren't read; a broken record shows in what it holds.
    return struct.pack("<Q", len(body)) + b"\0\0\0\0" + body + b"\0\0\0\0"


FORMS: dict[str, Form] = {
    "folders": Form(folders),
    "table": Form(table),
    "coco": Form(coco),
    "lists": Form(lists, person="1"),
    "labelme": Form(labelme),
    "yolo": Form(yolo),
    "voc": Form(voc),
    "supervisely": Form(supervisely),
    "imagefolder": Form(imagefolder),
    "cutouts": Form(cutouts, ("a", "b"), unsure=False),
    "webdataset": Form(webdataset, ("a", "b", "c"), person="15"),
    "tfrecord": Form(tfrecord, ("a", "b", "c")),
}
