"""What HDR10 files say of the screen that they were made on (ST 2086) and of their brightest pixels (CTA-861.3)."""

from __future__ import annotations

import struct

from standout.video.timed_frame import Film, TimedFrame


def x265_parameters(film: Film, first: TimedFrame) -> str:
    """The part of `x265-params` that carries them, beginning with a colon; "" where there is nothing to say."""
    if not film.tags.is_hdr:
        return ""
    found = ":hdr-opt=1:repeat-headers=1" if film.tags.transfer == 16 else ""
    screen = first.side_data("MASTERING_DISPLAY_METADATA")
    if screen is not None and len(screen) >= 88:
        # AVMasteringDisplayMetadata: ten rationals, then whether primaries and luminance are there.
        numbers = struct.unpack_from("<20i2i", screen)
        values = [a / b if b else 0.0 for a, b in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
        if numbers[20] and numbers[21]:
            red, green, blue, white = (tuple(round(v * 50000) for v in values[i : i + 2]) for i in (0, 2, 4, 6))
            low, high = (round(v * 10000) for v in values[8:10])
            found += (
                f":master-display=G({green[0]},{green[1]})B({blue[0]},{blue[1]})R({red[0]},{red[1]})"
                f"WP({white[0]},{white[1]})L({high},{low})"
            )
    light = first.side_data("CONTENT_LIGHT_LEVEL")
    if light is not None and len(light) >= 8:
        most, mean = struct.unpack_from("<2I", light)
        found += f":max-cll={most},{mean}"
    return found
