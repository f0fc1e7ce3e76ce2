"""Pictures that are alike are found among many, in little memory."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from standout.workshop.audit.duplicates import fingerprint, mirrored, near_pairs


def picture(seed: int) -> np.ndarray:
    blotches = np.random.default_rng(seed).uniform(0, 255, (5, 5, 3)).astype(np.float32)
    return cv2.resize(blotches, (64, 64), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def test_the_same_scaled_brightened_and_mirrored_are_found_and_others_are_not() -> None:
    first = picture(1)
    frames = [first, picture(2), cv2.resize(first, (100, 90)), first // 2 + 90, first[:, ::-1].copy(), picture(3)]
    prints = [fingerprint(frame) for frame in frames]
    found = near_pairs([bits for bits, _ in prints], [thumb for _, thumb in prints])
    assert {(a, b) for a, b, _ in found} == {(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4)}
    assert mirrored(prints[0][1])[0].tolist() == fingerprint(frames[4])[0].tolist()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_square_of_the_pictures() -> None:
    count = 8000
    rng = np.random.default_rng(0)
    hashes = list(rng.integers(0, 1 << 63, (count, 2), dtype=np.uint64))
    thumbs = [np.full((24, 24), i % 200, np.float32) for i in range(count)]  # flat: never alike
    hashes[7000] = hashes[10]
    thumbs[7000] = thumbs[10] = rng.uniform(0, 255, (24, 24)).astype(np.float32)
    tracemalloc.start()
    found = near_pairs(hashes, thumbs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(a, b) for a, b, _ in found] == [(10, 7000)]
    assert peak < 120e6  # the thumbnails of the pictures and of their mirror images are half of it
