"""Clips that tests make for themselves: a bright square (the stand-ins' person) that moves over dark blue."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from standout.imaging.arrays import Frame

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
    words: bytes = b"hello",
    rotation: int = 0,
    matrix: int | None = None,
    extent: int = 1,
    codec: str = "libx264",
    pixels: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes a clip of `count` frames; `steps` are the frames' durations in 1/30000 s (1001 each if absent).

    Args:
        path: Its ending chooses the container.
        count: Of frames.
        size: (height, width).
        steps: As above.
        sound: An encoder of FFmpeg's, for a tone.
        subtitles: A codec of FFmpeg's, for `words` at 0.05 s.
        words: The subtitle.
        rotation: Degrees counterclockwise, in the metadata.
        matrix: Color matrix to convert with and to tag.
        extent: Color range to convert to and to tag, if `matrix` is given.
        codec: An encoder of FFmpeg's.
        pixels: Its pixel format.
        options: Its options.
    """
    steps = steps or [1001] * count
    options = options if options is not None else {"crf": "10", "bf": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream(codec, rate=NTSC, options=options)
        video.width, video.height = size[1], size[0]
        video.pix_fmt = pixels or ("yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p")
        video.codec_context.time_base = video.time_base = Fraction(1, 30000)
        if matrix:
            video.codec_context.colorspace, video.codec_context.color_range = matrix, extent
        if rotation:
            video.set_display_rotation(rotation)
        noise: Any = out.add_stream(sound, rate=48000, layout="mono") if sound else None
        text: Any = out.add_mux_stream(subtitles) if subtitles else None
        if text is not None:
            text.time_base = Fraction(1, 1000)
        pts = 0
        lasts: dict[int, int] = {}
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(scene(index, size), "rgb24")
            if not video.pix_fmt.startswith("rgb"):
                picture = picture.reformat(format=video.pix_fmt, dst_colorspace=matrix, dst_color_range=extent)
            picture.pts, picture.time_base = pts, Fraction(1, 30000)
            lasts[pts] = steps[index]
            pts += steps[index]
            _mux_film(out, video.encode(picture), lasts)
        _mux_film(out, video.encode(None), lasts)
        if noise is not None:
            _add_tone(out, noise, pts)
        if text is not None:
            _add_words(out, text, len(words).to_bytes(2, "big") + words if subtitles == "mov_text" else words)
    return path


def remux(source: Path, target: Path, options: dict[str, str] | None = None) -> Path:
    """The same streams in another container."""
    with av.open(str(source)) as before, av.open(str(target), "w", options=options or {}) as after:
        made = {stream.index: after.add_stream_from_template(stream) for stream in before.streams}
        for packet in before.demux():
            if packet.dts is not None:
                packet.stream = made[packet.stream.index]
                after.mux(packet)
    return target


def _mux_film(out: Any, packets: list[Any], lasts: dict[int, int]) -> None:
    for packet in packets:
        packet.duration = lasts[packet.pts]
        out.mux(packet)


def _add_tone(out: Any, stream: Any, ticks: int) -> None:
    samples = (np.sin(np.arange(ticks * 48000 // 30000) / 9) * 9000).astype(np.int16)[None]
    tone = av.AudioFrame.from_ndarray(samples, "s16", "mono")
    tone.sample_rate, tone.pts = 48000, 0
    size = stream.codec_context.frame_size or 960
    resampler = av.AudioResampler(stream.format, stream.layout, 48000, frame_size=size)
    for part in [*resampler.resample(tone), *resampler.resample(None)]:
        out.mux(stream.encode(part))
    out.mux(stream.encode(None))


def _add_words(out: Any, stream: Any, data: bytes) -> None:
    packet = av.Packet(data)
    packet.pts = packet.dts = 50
    packet.duration, packet.time_base, packet.stream = 100, Fraction(1, 1000), stream
    out.mux(packet)
