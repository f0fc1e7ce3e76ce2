"""`clean_alpha`: what people see of a network's probability; one rule for photo, official photo, video and webcam."""

from __future__ import annotations

import numpy as np

from standout.imaging.arrays import Alpha

#: Below it alpha becomes 0, as near to 1 it becomes 1. Chosen once,
#: by error and flicker on all roads; docs/measurements.md has its table.
CLIP = 0.2


def clean_alpha(alpha: Alpha, *, enlarged: float = 1.0) -> Alpha:
    """Makes an alpha of a network's probability, in place: below `CLIP` it becomes 0, as near to 1 it becomes 1, and
    between them lies a straight line.

    The line is the same for every picture, and 0.5 stays 0.5. Without it a haze of the old background stays behind the
    person, and the person lets the new one shine through.

    Args:
        alpha: float32 of any shape, about [0, 1]; written to.
        enlarged: How much larger alpha is shown than the photo was: a soft outline grew as much, and becomes as much
            crisper again.

    Returns:
        `alpha` itself, in [0, 1].

    Example:
        >>> clean_alpha(np.array([[0.02, 0.1, 0.3, 0.5, 0.95]], np.float32)).astype(float).round(2).tolist()
        [[0.0, 0.0, 0.17, 0.5, 1.0]]
    """
    slope = max(1 / (1 - 2 * CLIP), enlarged)
    np.multiply(alpha, np.float32(slope), out=alpha)
    alpha += np.float32(0.5 * (1 - slope))
    return np.clip(alpha, 0, 1, out=alpha)
