"""Numbers that hold where nothing else is said; in a module without NumPy, so that `--help` names them at once."""

from __future__ import annotations

#: Width × height beyond which a picture is refused before it is decoded.
MAX_PIXELS = 200_000_000
#: The same for a browser, whose tabs, above all those of phones, have a tenth of the memory.
MAX_PIXELS_IN_BROWSERS = 60_000_000
#: Quality of JPEG and WebP files, 1 … 100.
DEFAULT_QUALITY = 92
