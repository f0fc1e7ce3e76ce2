"""How photos are read, finished and written."""

from __future__ import annotations

from dataclasses import dataclass

from standout.compose.options import Look
from standout.errors import OutputError
from standout.imaging.decode import MAX_BYTES
from standout.imaging.defaults import DEFAULT_QUALITY, MAX_PIXELS
from standout.imaging.encode import NO_TRANSPARENCY


@dataclass(frozen=True)
class PhotoOptions:
    """How photos are read, what becomes of them, and how they are written.

    Attributes:
        look: How the finished picture looks.
        mask: Instead of the picture, what would be shown of it: grey, 255 is person.
        quality: The quality of JPEG and WebP files, 1 … 100.
        keep_metadata: Write GPS and other private EXIF too.
        max_pixels: Width × height that is allowed, looked up before decoding.
        max_bytes: Size of a file that is allowed.

    Example:
        >>> PhotoOptions(Look(background="white"), quality=85).look.opaque
        True
    """

    look: Look = Look()
    mask: bool = False
    quality: int = DEFAULT_QUALITY
    keep_metadata: bool = False
    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES

    def check_format(self, file_format: str) -> None:
        """Refuses a format that can't hold the result, before any work is done.

        Raises:
            OutputError: A JPEG without a background.
        """
        if file_format == "JPEG" and not (self.look.opaque or self.mask):
            raise OutputError(NO_TRANSPARENCY)
