"""Color profiles: between a photo's own colors and sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from standout.imaging.arrays import Frame

#: Largest difference, in steps of 8 bits, at which a profile counts as sRGB under another name.
_SAME = 1


def rgb_profile(icc: bytes | None) -> bytes | None:
    """`icc` if it is a readable profile of RGB colors, else None."""
    profile = _open(icc) if icc else None
    return icc if profile is not None and profile.profile.xcolor_space.strip() == "RGB" else None


@lru_cache(maxsize=32)
def is_srgb(icc: bytes) -> bool:
    """Whether an RGB profile does to colors what sRGB does; told by converting 125 of them."""
    levels = np.array([0, 64, 128, 192, 255], np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    return int(np.abs(to_srgb(probe, icc).astype(int) - probe).max()) <= _SAME


def to_srgb(frame: Frame, icc: bytes) -> Frame:
    """uint8 RGB in the colors of `icc` to sRGB; unchanged if the profile can't be used."""
    return _convert(frame, icc, to=True)


def from_srgb(frame: Frame, icc: bytes) -> Frame:
    """uint8 RGB in sRGB to the colors of `icc`; unchanged if the profile can't be used."""
    return _convert(frame, icc, to=False)


def cmyk_to_srgb(image: Image.Image, icc: bytes) -> Image.Image | None:
    """A CMYK picture through its profile; None if that can't be used."""
    from PIL import ImageCms

    profile = _open(icc)
    if profile is None or profile.profile.xcolor_space.strip() != "CMYK":
        return None
    try:
        return ImageCms.profileToProfile(image, profile, _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _convert(frame: Frame, icc: bytes, *, to: bool) -> Frame:
    transform = _transform(icc, to)
    if transform is None:
        return frame
    from PIL import ImageCms

    converted = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(frame)), transform)
    return np.asarray(converted)


@lru_cache(maxsize=32)
def _transform(icc: bytes, to: bool) -> Any:
    from PIL import ImageCms

    own = _open(icc)
    if own is None:
        return None
    try:
        source, target = (own, _srgb()) if to else (_srgb(), own)
        return ImageCms.buildTransform(source, target, "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _open(icc: bytes) -> Any:
    from PIL import ImageCms

    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
