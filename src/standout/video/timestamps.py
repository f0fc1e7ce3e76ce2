"""Time in video files, exact: where a file begins, which part of it is wanted, and whether all of it was there."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

#: Sound and pictures of one moment may lie this far apart in a file, seconds.
_SLACK_S = 3
#: Frames per second above which a file's word isn't taken.
_MOST_RATE = 2000
#: FFmpeg's formats that hold their length; that of others is its estimate.
_NAMES_ITS_LENGTH = ("mov", "matroska", "avi", "flv", "asf")


class Clock:
    """The time stamps of one reading of a file, from 0 where the file begins.

    Args:
        container: PyAV's.
        stream: The film in it.
        start_s: Seconds from which it is wanted.
        end_s: Seconds before which it is wanted.
    """

    def __init__(self, container: Any, stream: Any, start_s: Fraction | None, end_s: Fraction | None) -> None:
        self._container, self._stream = container, stream
        self._start, self._end = start_s, end_s
        #: Transport streams begin anywhere, below 0 too where their clock is about to wrap; players, and we, count from
        #: their beginning. A film in MP4 that begins before 0 (an encoder's delay) counts from 0.
        begin = Fraction(container.start_time or 0, 1_000_000)
        self._zero = begin if container.format.name == "mpegts" else max(Fraction(0), begin)
        self._next, self._last = 0, Fraction(0)
        self._before: int | None = None
        #: The film has reached `end_s`.
        self.over = False

    @property
    def whole(self) -> bool:
        """Whether all of the file is wanted."""
        return self._start is None and self._end is None

    @property
    def length_s(self) -> float | None:
        """Seconds that the wanted part lasts, as far as the file says."""
        seconds = self._named_s()
        if seconds is None:
            return None
        return max(0.0, min(seconds, float(self._end or seconds)) - float(self._start or 0))

    @property
    def all_read(self) -> bool:
        """Whether nothing that is wanted can still come."""
        return self.over and self._end is not None and self._last > self._end + _SLACK_S

    @property
    def missing_s(self) -> float:
        """How much earlier than it says the file ended, seconds; known when it has been read."""
        named = any(name in self._container.format.name for name in _NAMES_ITS_LENGTH)
        if self._end is not None or not named or not self._container.duration:
            return 0.0
        return float(Fraction(self._container.duration, 1_000_000) - self._last)

    def _named_s(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * time_base_of(self._stream))
        return self._container.duration / 1e6 if self._container.duration else None

    def seek(self) -> None:
        """To the key frame before the start. Not at all to the beginning: it would lose the sound's first packets."""
        if self._start:
            there = round((self._start + self._zero) / time_base_of(self._stream))
            self._container.seek(there, stream=self._stream)
            self._next = there - self._ticks(time_base_of(self._stream))

    def watch(self, packet: Any) -> None:
        """Notes how far the file reaches."""
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base) - self._zero
            self._last = max(self._last, end)

    def shift(self, packet: Any) -> bool:
        """Counts a packet's time stamps from the beginning; False if it is empty or not of the wanted part."""
        if packet.pts is None or not packet.size:
            return False
        ticks = self._ticks(packet.time_base)
        packet.pts -= ticks
        packet.dts = packet.pts if packet.dts is None else packet.dts - ticks
        return self._wanted(packet.pts * Fraction(packet.time_base))

    def stamp(self, picture: Any) -> tuple[int, int]:
        """A picture's time stamp and duration in ticks; guessed from the one before where the file says nothing."""
        base = time_base_of(self._stream)
        duration = picture.duration or max(1, round(1 / (rate_of(self._stream) * base)))
        pts = self._next if picture.pts is None else picture.pts - self._ticks(base)
        if self._before is not None:
            # Broken files give two frames one time, which no encoder takes.
            pts = max(pts, self._before + 1)
        self._before, self._next = pts, pts + duration
        return pts, duration

    def inside(self, time: Fraction) -> bool:
        """Whether the film at this time is wanted."""
        self.over = self.over or (self._end is not None and time >= self._end)
        return self._wanted(time)

    def _wanted(self, time: Fraction) -> bool:
        return (self._start is None or time >= self._start) and (self._end is None or time < self._end)

    def _ticks(self, base: Any) -> int:
        return round(self._zero / Fraction(base))


def time_base_of(stream: Any) -> Fraction:
    """Seconds per tick of a stream."""
    return Fraction(stream.time_base or Fraction(1, 90000))


def rate_of(stream: Any) -> Fraction:
    """Average frames per second of a stream."""
    # Some Matroska files name their clock's ticks as the rate.
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((Fraction(rate) for rate in rates if rate and 0 < rate <= _MOST_RATE), Fraction(25))


def exact(value: float | Fraction) -> Fraction:
    """The fraction that a number stands for: 0.1 is 1/10, although a float is a hair above."""
    return Fraction(value).limit_denominator(1_000_000)
