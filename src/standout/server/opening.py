"""How a worker opens its engine: light, for the server itself needs neither networks nor arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standout.server.engine import PhotoEngine


@dataclass(frozen=True)
class OpenPhotoEngine:
    """Opens a `PhotoEngine` in a worker; calling it is what a worker does first.

    Attributes:
        model: The default one, a bundled name or a file.
        device: The device to compute on, as `standout.load` takes it.
        threads: For the network, OpenCV included.
        max_pixels: The most pixels a picture may have.
        matting: Whether `matting` may be asked for.
    """

    model: str
    device: str | None
    threads: int
    max_pixels: int
    matting: bool = False

    def __call__(self) -> PhotoEngine:
        """In the worker."""
        from standout.server.engine import PhotoEngine

        return PhotoEngine(self)
