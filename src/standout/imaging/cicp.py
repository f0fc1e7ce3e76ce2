"""Coding-independent code points: which colors a HEIC, AVIF or PNG without an ICC profile holds, and their way to sRGB.

The code points are those of ITU-T H.273: PNG carries them in its `cICP` chunk, HEIC and AVIF in a `colr` box of type
`nclx`. HDR follows ITU-R BT.2408: the white of a page is 203 nits in PQ and 75 % of the signal in HLG, and both become
white in sRGB. What is brighter than a white page can't be told apart from it in sRGB.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Luminance of a white page in PQ (BT.2408, section 2.1), and its scene light in HLG: the signal 0.75.
WHITE_NITS = 203.0
WHITE_HLG = 0.26496256

#: Code point -> chromaticities (x, y) of red, green, blue and white.
_D65 = (0.3127, 0.3290)
_PRIMARIES: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),  # BT.709, sRGB
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),  # BT.601, 625 lines
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),  # BT.601, 525 lines
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),  # SMPTE 240M
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020, BT.2100
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),  # DCI-P3
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
}
_GAMMA22, _GAMMA28, _LINEAR, _SRGB, _PQ, _HLG = 4, 5, 8, 13, 16, 18
#: Transfers that are shown as sRGB shows them. Cameras write 1, 6, 14 and 15 for what they mean to be seen on a screen.
_LIKE_SRGB = (1, 2, 6, 13, 14, 15)

_MOST_BOXES = 8192
_STRIP = 1 << 20  # pixels that are converted at a time: twelve bytes each in float32


@dataclass(frozen=True)
class ColorCode:
    """The colors of a picture by their code points.

    Attributes:
        primaries: ITU-T H.273, table 2: 1 is BT.709 and sRGB, 9 BT.2020, 12 Display P3.
        transfer: ITU-T H.273, table 3: 13 is sRGB, 16 PQ, 18 HLG.
    """

    primaries: int
    transfer: int

    @property
    def is_srgb(self) -> bool:
        """Whether nothing has to be converted; unknown code points count as sRGB, as everywhere."""
        return self.primaries in (1, 2) and self.transfer in _LIKE_SRGB

    @property
    def is_hdr(self) -> bool:
        """Whether it is PQ or HLG."""
        return self.transfer in (_PQ, _HLG)

    @property
    def is_known(self) -> bool:
        """Whether `to_srgb` can convert it."""
        transfers = (*_LIKE_SRGB, _GAMMA22, _GAMMA28, _LINEAR, _PQ, _HLG)
        return (self.primaries in _PRIMARIES or self.primaries == 2) and self.transfer in transfers

    @property
    def name(self) -> str:
        """For messages: "PQ, BT.2020"."""
        transfer = {_PQ: "PQ", _HLG: "HLG", _LINEAR: "linear"}.get(self.transfer, f"transfer {self.transfer}")
        primaries = {1: "BT.709", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
        place = primaries.get(self.primaries, f"primaries {self.primaries}")
        return place if self.transfer in _LIKE_SRGB else f"{transfer}, {place}"


def to_srgb(pixels: NDArray[Any], code: ColorCode) -> NDArray[Any]:
    """Full-range RGB in the colors of `code` to sRGB; what sRGB can't show is clipped channel by channel.

    Args:
        pixels: uint8 or uint16 (H, W, 3).
        code: A known one (`is_known`).

    Returns:
        A new array of the same type and shape.
    """
    linear = _linear_table(code.transfer, pixels.dtype.name)
    matrix = _to_bt709(code.primaries)
    encoded = _srgb_table(pixels.dtype.name)
    last = np.float32(encoded.size - 1)
    out = np.empty(pixels.shape, pixels.dtype)
    rows = max(1, _STRIP // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], rows):
        light = linear[pixels[top : top + rows]]
        if matrix is not None:
            light = light @ matrix.T
        # + 0.5: to the nearest entry.
        out[top : top + rows] = encoded[(np.clip(light, 0, 1) * last + np.float32(0.5)).astype(np.uint16)]
    return out


def from_srgb(pixels: NDArray[Any], code: ColorCode) -> NDArray[Any]:
    """sRGB to full-range RGB in the colors of `code`: the way back of `to_srgb`.

    White becomes the white of a page, not the brightest that the code can say: 203 nits in PQ, the signal 0.75 in HLG.

    Args:
        pixels: uint8 or uint16 (H, W, 3), sRGB.
        code: A known one (`is_known`).

    Returns:
        A new array of the same type and shape.
    """
    linear = _linear_table(_SRGB, pixels.dtype.name)
    matrix = _to_bt709(code.primaries)
    inverse = None if matrix is None else np.linalg.inv(matrix.astype(np.float64)).astype(np.float32)
    encoded = _signal_table(code.transfer, pixels.dtype.name)
    last = np.float32(encoded.size - 1)
    out = np.empty(pixels.shape, pixels.dtype)
    rows = max(1, _STRIP // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], rows):
        light = linear[pixels[top : top + rows]]
        if inverse is not None:
            light = light @ inverse.T
        # The root spreads the dark tones, where the codes of PQ lie closest.
        out[top : top + rows] = encoded[(np.sqrt(np.clip(light, 0, 1)) * last + np.float32(0.5)).astype(np.uint16)]
    return out


@lru_cache(maxsize=8)
def _signal_table(transfer: int, dtype: str) -> NDArray[Any]:
    """65,536 steps of the square root of linear light, each as signal."""
    light = np.linspace(0, 1, 1 << 16) ** 2
    return np.asarray((signal_of(light, transfer) * np.iinfo(dtype).max).round(), dtype)


@lru_cache(maxsize=16)
def _linear_table(transfer: int, dtype: str) -> NDArray[np.float32]:
    """Every signal value's light, 1 for the white of a page."""
    signal = np.linspace(0, 1, int(np.iinfo(dtype).max) + 1)
    return np.asarray(linear_light(signal, transfer), np.float32)


@lru_cache(maxsize=2)
def _srgb_table(dtype: str) -> NDArray[Any]:
    """65,536 steps of linear light, each as sRGB."""
    light = np.linspace(0, 1, 1 << 16)
    signal = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray((signal * np.iinfo(dtype).max).round(), dtype)


def linear_light(signal: NDArray[Any], transfer: int) -> NDArray[np.float64]:
    """Signal 0 … 1 to linear light, in which the white of a page is 1; HDR goes beyond.

    Args:
        signal: Signal values in [0, 1], of any shape.
        transfer: A code point of `ColorCode`.
    """
    signal = np.asarray(signal, np.float64)
    if transfer == _PQ:  # SMPTE ST 2084, equation 4.1
        root = signal ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        return np.asarray(light * (10000 / WHITE_NITS))
    if transfer == _HLG:  # the inverse of BT.2100's OETF
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
        return np.asarray(light / WHITE_HLG)
    if transfer == _LINEAR:
        return signal
    if transfer in (_GAMMA22, _GAMMA28):
        return np.asarray(signal ** (2.2 if transfer == _GAMMA22 else 2.8))
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def signal_of(light: NDArray[Any], transfer: int) -> NDArray[np.float64]:
    """The way back of `linear_light`.

    Args:
        light: Linear light of any shape, at least 0; 1 is the white of a page.
        transfer: A code point of `ColorCode`.
    """
    light = np.asarray(light, np.float64)
    if transfer == _PQ:  # SMPTE ST 2084, equation 5.1
        root = (light * (WHITE_NITS / 10000)) ** 0.1593017578125
        return np.asarray(((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** 78.84375)
    if transfer == _HLG:  # BT.2100, table 5
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = light * WHITE_HLG
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
    if transfer == _LINEAR:
        return light
    if transfer in (_GAMMA22, _GAMMA28):
        return np.asarray(light ** (1 / (2.2 if transfer == _GAMMA22 else 2.8)))
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=8)
def _to_bt709(primaries: int) -> NDArray[np.float32] | None:
    """The matrix from these primaries' linear RGB to BT.709's; None where they are the same."""
    if primaries in (1, 2):
        return None
    matrix = np.linalg.inv(_to_xyz(1)) @ _adapted(primaries)
    return np.asarray(matrix, np.float32)


def _adapted(primaries: int) -> NDArray[np.float64]:
    """To XYZ with the white moved to D65 by von Kries, as Bradford sees cones; only DCI-P3 needs it."""
    to_xyz = _to_xyz(primaries)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    white, target = bradford @ _xyz(*_PRIMARIES[primaries][3]), bradford @ _xyz(*_D65)
    return np.asarray(np.linalg.inv(bradford) @ np.diag(target / white) @ bradford @ to_xyz)


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    *colors, white = (_xyz(*xy) for xy in _PRIMARIES[primaries])
    columns = np.stack(colors, axis=1)
    return np.asarray(columns * np.linalg.solve(columns, white))


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1.0, (1 - x - y) / y])


# ---------------------------------------------------------------- where files keep it


def color_code(kind: str, data: bytes) -> ColorCode | None:
    """The code points of a file, None where it has none.

    Args:
        kind: "PNG", "HEIC" or "AVIF"; others have none.
        data: The file.
    """
    found = _of_png(data) if kind == "PNG" else _of_heif(data) if kind in ("HEIC", "AVIF") else None
    return found


def _of_png(data: bytes) -> ColorCode | None:
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"cICP" and length >= 4:
            return ColorCode(data[at + 8], data[at + 9])
        if name in (b"IDAT", b"IEND"):
            return None
        at += 12 + length
    return None


def _of_heif(data: bytes) -> ColorCode | None:
    for body in _properties(data, b"colr"):  # ISO/IEC 14496-12, 12.1.5
        if bytes(body[:4]) == b"nclx" and len(body) >= 8:
            return ColorCode(*struct.unpack_from(">HH", body, 4))
    return None


def avif_bits(data: bytes) -> int:
    """Bits per color of an AVIF: 8, 10 or 12."""
    for body in _properties(data, b"av1C"):  # AV1 codec configuration: its third byte says so
        if len(body) >= 4:
            return (12 if body[2] & 0x20 else 10) if body[2] & 0x40 else 8
    return 8


def _properties(data: bytes, name: bytes) -> list[memoryview]:
    """The properties of this name of a HEIC or AVIF, the main picture's first: meta / iprp / ipco."""
    place: memoryview | None = memoryview(data)
    for outer, header in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0)):
        place = next((body for kind, body in boxes(place) if kind == outer), None) if place is not None else None
        place = place[header:] if place is not None else None
    return [body for kind, body in boxes(place) if kind == name] if place is not None else []


def boxes(data: memoryview) -> list[tuple[bytes, memoryview]]:
    """(name, content) of the boxes of a HEIC or AVIF, or of one of its boxes; of the first thousands."""
    found: list[tuple[bytes, memoryview]] = []
    at = 0
    while at + 8 <= len(data) and len(found) < _MOST_BOXES:
        size, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1 and at + 16 <= len(data):
            size, start = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        end = len(data) if size == 0 else at + size
        if end < start:
            break
        found.append((name, data[start:end]))
        at = end
    return found
