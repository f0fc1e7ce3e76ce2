"""Where frames come from: a video file, standard input, an animated picture, or a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from standout.video.picture_reader import PictureReader, picture_folder, webp_pictures
from standout.video.reader import VideoInfo, VideoReader
from standout.video.timed_frame import Film, TimedFrame


class Source(Protocol):
    """What is read; `VideoReader` and `PictureReader` are.

    Attributes:
        path: The file or folder.
        end_s: Seconds before which it is wanted, or None.
        info: What the file says about itself.
        film: What all of its frames have in common.
        first: The first frame, for what only frames tell.
        notes: What couldn't be read, a sentence each; filled while it is read.
        decoder_note: What there is to say of the decoder; usually empty.
        container: PyAV's, for the streams beside the pictures; None where there are none.
        film_index: The number of the film among its streams.
        timecode: The film's first, as `01:02:03:04`; "" without.
    """

    path: Path
    end_s: Fraction | None
    info: VideoInfo
    film: Film
    first: TimedFrame
    notes: list[str]
    decoder_note: str
    container: Any
    film_index: int
    timecode: str

    def items(self, others: tuple[int, ...]) -> Iterator[TimedFrame | Any]: ...
    def close(self) -> None: ...
    def cancel(self) -> None: ...


def open_source(
    path: Path,
    *,
    start_s: Fraction | None = None,
    end_s: Fraction | None = None,
    size_hw: tuple[int, int] | None = None,
    fps: Fraction | None = None,
    decoder: str = "software",
) -> Source:
    """Opens what `path` is.

    Args:
        path: A video file, an animated picture, a folder of pictures, or `-` for standard input.
        start_s: Seconds from which it is wanted.
        end_s: Seconds before which it is wanted.
        size_hw: (height, width) of the frames; their own if absent.
        fps: Frames per second of a folder of pictures.
        decoder: The decoder of a video file, as in `decoders.DECODERS`.

    Raises:
        InputError: It is none of these, or can't be read.
    """
    if path.is_dir():
        return PictureReader(path, picture_folder(path, fps), start_s=start_s, end_s=end_s, size_hw=size_hw)
    if path.suffix.lower() == ".webp" and path.is_file():
        return PictureReader(path, webp_pictures(path), start_s=start_s, end_s=end_s, size_hw=size_hw)
    return VideoReader(path, start_s=start_s, end_s=end_s, size_hw=size_hw, decoder=decoder)
