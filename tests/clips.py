"""Clips that tests make for themselves: a bright square (the stand-ins' person) that moves over dark blue."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from standout.pixels import Frame

NTSC = Fraction(30000, 1001)


def scene(index: int, size: tuple[int, int] = (48, 64)) -> Frame:
    """Frame `index`: the person's square is half the height and moves one pixel a frame; a red mark at the top left."""
    height, width = size
    frame = np.full((height, width, 3), (10, 20, 60), np.uint8)
    left = width // 4 + index % max(1, width // 3)
    frame[height // 4 : 3 * height // 4, left : left + width // 3] = (250, 240, 230)
    frame[: height // 6, : width // 6] = (160, 0, 0)
    return frame


def make_clip(
    path: Path,
    count: int = 8,
    *,
    size: tuple[int, int] = (48, 64),
    steps: list[int] | None = None,
    sound: str | None = None,
    subtitles: str | None = None,
    rotation: int = 0,
    matrix: int | None = None,
    codec: str = "libx264",
) -> Path:
    """Writes a clip of `count` frames; `steps` are the frames' durations in 1/30000 s (1001 each if absent)."""
    steps = steps or [1001] * count
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=NTSC, options={"crf": "10", "bf": "0"} if codec == "libx264" else {})
        video.width, video.height = size[1], size[0]
        video.pix_fmt = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        video.codec_context.time_base = video.time_base = Fraction(1, 30000)
        if matrix:
            video.codec_context.colorspace, video.codec_context.color_range = matrix, 1
        if rotation:
            video.set_display_rotation(rotation)
        noise = out.add_stream(sound, rate=48000, layout="mono") if sound else None
        words = out.add_mux_stream(subtitles) if subtitles else None
        if words is not None:
            words.time_base = Fraction(1, 1000)
        pts, lasts = 0, {}
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(scene(index, size), "rgb24")
            picture = picture.reformat(format=video.pix_fmt, dst_colorspace=matrix, dst_color_range=1)
            picture.pts, picture.time_base = pts, Fraction(1, 30000)
            lasts[pts] = steps[index]
            pts += steps[index]
            for packet in video.encode(picture):
                packet.duration = lasts[packet.pts]
                out.mux(packet)
        for packet in video.encode(None):
            packet.duration = lasts[packet.pts]
            out.mux(packet)
        if noise is not None:
            samples = (np.sin(np.arange(pts * 48000 // 30000) / 9) * 9000).astype(np.int16)[None]
            tone = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            tone.sample_rate, tone.pts = 48000, 0
            fifo = av.AudioResampler(
                noise.format, noise.layout, 48000, frame_size=noise.codec_context.frame_size or 960
            )
            for part in [*fifo.resample(tone), *fifo.resample(None)]:
                out.mux(noise.encode(part))
            out.mux(noise.encode(None))
        if words is not None:
            text = b"hello"
            packet = av.Packet(len(text).to_bytes(2, "big") + text if subtitles == "mov_text" else text)
            packet.pts = packet.dts = 50
            packet.duration, packet.time_base, packet.stream = 100, Fraction(1, 1000), words
            out.mux(packet)
    return path
