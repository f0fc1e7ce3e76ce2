"""Paste cut-out people on photographs without people.

It teaches what the data lacks: small people, several, people cut by the frame, and what is no person.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from standout.imaging.arrays import Alpha, Frame, blend
from standout.workshop.data.augment import Label


@dataclass(frozen=True)
class CutOut:
    """A person (or a group), cropped to the mask.

    Attributes:
        frame: uint8 RGB (h, w, 3).
        alpha: float32 (h, w) in [0, 1].
        on_edge: Which sides of the photograph the person is cut by: top, bottom, left, right.
        matte: Whether alpha is exact to the strand and the frame holds the person's own colors alone.
    """

    frame: Frame
    alpha: Alpha
    on_edge: tuple[bool, bool, bool, bool]
    matte: bool = False


def crop_person(frame: Frame, mask: np.ndarray, *, matte: bool = False) -> CutOut | None:
    """Crops a frame to its mask (uint8, 255 person), or None if nobody is in it."""
    seen = mask > (7 if matte else 127)
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if not rows.size:
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    edge = (bool(top <= 1), bool(bottom >= mask.shape[0] - 1), bool(left <= 1), bool(right >= mask.shape[1] - 1))
    part = (slice(top, bottom), slice(left, right))
    if matte and seen[bottom - 3 : bottom, left:right].any(0).mean() > 0.35:  # cut straight, above a clear margin
        edge = (edge[0], True, *edge[2:])
    return CutOut(frame[part], mask[part].astype(np.float32) / np.float32(255), edge, matte)


def paste_people(background: Frame, people: list[CutOut], rng: np.random.Generator) -> tuple[Frame, Label]:
    """Pastes people on a photograph without people, farthest (smallest) first.

    Who has a matte is shown large, with every strand, often before a background out of focus.

    Args:
        background: uint8 RGB (H, W, 3) with nobody in it.
        people: One or several.
        rng: Decides sizes, places, light and sharpness.

    Returns:
        The picture, and its label, uint8 (H, W, 2): person, and nowhere unsure.
    """
    canvas = background.copy()
    mask = np.zeros(canvas.shape[:2], np.float32)
    if any(person.matte for person in people):
        canvas = _out_of_focus(canvas, rng)
    # Log-uniform: as many small people as large ones.
    bounds = [(0.45, 1.25) if person.matte else (0.12, 1.1) for person in people]
    shares = [np.exp(rng.uniform(np.log(low), np.log(high))) for low, high in bounds]
    for person, share in sorted(zip(people, shares, strict=True), key=lambda one: one[1]):
        canvas, mask = _paste(canvas, mask, person, float(share), rng)
    label = np.zeros((*mask.shape, 2), np.uint8)
    label[..., 0] = np.clip(mask * 255 + 0.5, 0, 255).astype(np.uint8)
    return canvas, label


def _paste(canvas: Frame, mask: Alpha, person: CutOut, share: float, rng: np.random.Generator) -> tuple[Frame, Alpha]:
    height, width = canvas.shape[:2]
    scale = share * height / person.frame.shape[0]
    # A wide group isn't blown up beyond the picture's width, and nobody more than doubled.
    scale = min(scale, 1.3 * width / person.frame.shape[1], 2.0)
    h, w = max(8, round(person.frame.shape[0] * scale)), max(8, round(person.frame.shape[1] * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    alpha = np.asarray(cv2.resize(person.alpha, (w, h), interpolation=interpolation), np.float32)
    frame = cv2.resize(person.frame, (w, h), interpolation=interpolation)
    if person.matte:  # what color a transparent pixel has means nothing: it must not bleed into strands
        seen = cv2.resize(person.frame * person.alpha[..., None], (w, h), interpolation=interpolation)
        own = np.clip(seen / np.maximum(alpha, 1e-3)[..., None] + 0.5, 0, 255).astype(np.uint8)
        frame = np.where(alpha[..., None] > 0.02, own, frame)
    if rng.random() < 0.5:
        frame, alpha = frame[:, ::-1], alpha[:, ::-1]
    soft = np.ascontiguousarray(alpha)
    if not person.matte:
        # The outermost pixels hold the old background's color: draw the edge in, then soften it.
        inner_alpha = cv2.erode(soft, np.ones((3, 3), np.uint8))
        soft = np.asarray(cv2.GaussianBlur(inner_alpha, (0, 0), float(rng.uniform(0.5, 1.2))), np.float32)
    top, left = _place(person, (h, w), (height, width), rng)
    inner = (slice(max(0, top), min(height, top + h)), slice(max(0, left), min(width, left + w)))
    if inner[0].start >= inner[0].stop or inner[1].start >= inner[1].stop:
        return canvas, mask
    part = (slice(inner[0].start - top, inner[0].stop - top), slice(inner[1].start - left, inner[1].stop - left))
    soft = np.ascontiguousarray(soft[part])
    front = _match_light(np.ascontiguousarray(frame[part]), canvas, rng)
    behind = canvas[inner]
    if rng.random() < 0.4:
        behind = _cast_shadow(behind, soft, rng)
    canvas[inner] = blend(front, behind, soft)
    mask[inner] = soft + mask[inner] * (1 - soft)
    return canvas, mask


def _out_of_focus(canvas: Frame, rng: np.random.Generator) -> Frame:
    """The background as a lens draws it: from sharp to a blur of a thirtieth of the picture."""
    if rng.random() < 0.25:
        return canvas
    sigma = max(canvas.shape[:2]) * float(np.exp(rng.uniform(np.log(0.002), np.log(0.03))))
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), sigma), np.uint8)


def _place(
    person: CutOut, size_hw: tuple[int, int], room_hw: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """Top and left. A side on which the person was cut stays outside the picture, or the cut would show."""
    (h, w), (height, width) = size_hw, room_hw
    cut_top, cut_bottom, cut_left, cut_right = person.on_edge
    if cut_bottom or rng.random() < 0.15:
        top = height - round(h * rng.uniform(0.6, 1.0))
    else:
        top = round(rng.uniform(0.0, 1.0) * (height - h))
    if cut_top and not cut_bottom:
        top = -round(h * rng.uniform(0, 0.2))
    left = round(rng.uniform(-0.25 * w, width - 0.75 * w))
    if cut_left and not cut_right:
        left = -round(w * rng.uniform(0, 0.3))
    elif cut_right and not cut_left:
        left = width - round(w * rng.uniform(0.7, 1.0))
    return top, left


def _match_light(front: Frame, canvas: Frame, rng: np.random.Generator) -> np.ndarray:
    """Moves the person's mean color part of the way to the scene's, so that light gives nobody away."""
    towards = rng.uniform(0.0, 0.6)
    shift = (canvas.reshape(-1, 3).mean(0) - front.reshape(-1, 3).mean(0)) * towards
    gain = rng.uniform(0.85, 1.15)
    lit: np.ndarray = np.clip(front.astype(np.float32) * gain + shift, 0, 255)
    return lit


def _cast_shadow(behind: Frame, alpha: Alpha, rng: np.random.Generator) -> np.ndarray:
    """A soft shadow beside the person."""
    sigma = max(1.0, 0.04 * alpha.shape[0])
    shift = np.array([[1, 0, rng.uniform(-2, 2) * sigma], [0, 1, rng.uniform(0, 2) * sigma]], np.float32)
    shadow = cv2.warpAffine(alpha, shift, alpha.shape[::-1])
    shadow = cv2.GaussianBlur(shadow, (0, 0), sigma) * rng.uniform(0.2, 0.6)
    return behind * (1 - shadow[..., None])
