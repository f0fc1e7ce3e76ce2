"""Packs sets of photographs and masks into one file that travels to a GPU: WebP pictures and PNG labels in a pickle.

    python pack.py OUT.pkl SET [SET …] [--side 512] [--quality 70]

A SET is a folder with images/, and masks/ where people are: 255 person, 0 not, 128 unsure, or unsure/ beside it. Its
name is the set's; train.py draws by it. Soft masks keep their grays in the sets `portraits` and `cutouts` alone; a set
of RGBA pictures without masks/ is taken for cut-outs.
"""

import argparse
import pickle
from pathlib import Path

import cv2
import numpy as np

SOFT = {"portraits", "cutouts"}


def shrunk(picture, side):
    scale = min(1, side / max(picture.shape[:2]))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return picture if scale == 1 else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def label_of(folder, stem, size_hw, soft):
    """uint8 (H, W): 255 person, 0 not, 128 unsure; None where the set has no masks."""
    file = folder / "masks" / f"{stem}.png"
    if not file.exists():
        return None
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if soft:
        return cv2.resize(mask, size_hw[::-1], interpolation=cv2.INTER_AREA)
    unsure = (mask > 64) & (mask < 192)
    if (folder / "unsure" / f"{stem}.png").exists():
        unsure |= cv2.imread(str(folder / "unsure" / f"{stem}.png"), cv2.IMREAD_GRAYSCALE) > 127
    person, unsure = (
        cv2.resize(part.astype(np.float32), size_hw[::-1], interpolation=cv2.INTER_AREA)
        for part in (mask > 191, unsure)
    )
    return np.where(unsure > 0.3, 128, np.where(person >= 0.5, 255, 0)).astype(np.uint8)


def pack(folder, side, quality):
    """Yields (set, stem, WebP bytes, PNG bytes or None)."""
    for file in sorted((folder / "images").iterdir()):
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is None:
            continue
        picture = shrunk(picture, side)
        label = label_of(folder, file.stem, picture.shape[:2], folder.name in SOFT)
        if label is None and picture.ndim == 3 and picture.shape[2] == 4:
            label = picture[..., 3]
        pixels = picture[..., :3] if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        webp = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        png = None if label is None else cv2.imencode(".png", label, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
        yield folder.name, file.stem, webp, png


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--side", type=int, default=512, help="longest side, pixels [512]")
    parser.add_argument("--quality", type=int, default=70, help="of WebP, 1 … 100 [70]")
    options = parser.parse_args()
    items = [item for folder in options.sets for item in pack(folder, options.side, options.quality)]
    options.out.write_bytes(pickle.dumps(items))
    print(f"{options.out}: {len(items)} photographs, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
