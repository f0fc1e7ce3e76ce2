"""What the browser's library must know of Python's rules: each number from where it stands, for the model's JSON.

TypeScript holds none of them (`web/src/constants.ts` has their types), so a rule that is changed here is changed there
by the next `make web-models`; the tests compare both.
"""

from __future__ import annotations

from typing import Any

from standout.compositing import background, compositor, edge, foreground, select, shadow
from standout.compositing.options import CompositeOptions
from standout.imaging import arrays, defaults, guided_filter
from standout.inference import clean_alpha, hysteresis, live, smoothing, tta
from standout.pipeline.cut_out import NOBODY_BELOW


def browser_constants() -> dict[str, dict[str, Any]]:
    """Room or rule -> name -> number, ready for JSON.

    Example:
        >>> browser_constants()["hysteresis"]
        {'edge': 12, 'fade': 8}
    """
    return {
        "letterbox": {"gray": arrays.GRAY},
        "hysteresis": {"edge": hysteresis.EDGE, "fade": hysteresis.FADE},
        "clean_alpha": {"undecided": clean_alpha.CLIP},
        "nobody": {"share": NOBODY_BELOW},
        "looks": {
            "margin": tta.MARGIN, "margin_px": tta.MARGIN_PX, "least_piece": tta.LEAST_PIECE, "most_px": tta.MOST_PX,
            "doubt": float(f"{tta.DOUBT:.6g}"),
        },
        "guided_filter": {
            "subsample": guided_filter.SUBSAMPLE, "radius": guided_filter.RADIUS, "epsilon": guided_filter.EPSILON,
            "tile": guided_filter.TILE, "decided": guided_filter.DECIDED, "flat": guided_filter.FLAT,
        },
        "blur": {
            "share": background.BLUR_SHARE, "least": background.LEAST_BLUR, "work_radius": background.WORK_RADIUS,
            "lit": background.LIT, "far": background.FAR,
        },
        "edge_colors": {
            "flat": foreground.FLAT, "work_side": foreground.WORK_SIDE, "margin": foreground.MARGIN,
            "sweeps_small": foreground.SWEEPS_SMALL, "sweeps_large": foreground.SWEEPS_LARGE,
            "small": foreground.SMALL, "tiny": edge.TINY,
        },
        "people": {
            "work_side": select.WORK_SIDE, "least_share": select.LEAST_SHARE,
            "least_of_largest": select.LEAST_OF_LARGEST, "near": select.NEAR,
        },
        "crop": {"margin": CompositeOptions().margin.value, "least": edge.LEAST},
        "shadow": {
            "offset": list(shadow.OFFSET), "softness": shadow.SOFTNESS, "darkness": shadow.DARKNESS,
            "work_side": shadow.WORK_SIDE,
        },
        "smoothing": {
            "memory": smoothing.MEMORY, "tolerance": smoothing.TOLERANCE, "scene": smoothing.SCENE,
        },
        "live": {
            "longest_side": live.LONGEST_SIDE, "every": live.EVERY_IN_BROWSERS, "blur_radius": compositor.BLUR_RADIUS,
        },
        "limits": {"max_pixels": defaults.MAX_PIXELS_IN_BROWSERS},
    }  # fmt: skip
