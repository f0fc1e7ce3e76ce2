"""Where Standout keeps what it could find out again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

#: The environment variable that names another folder.
CACHE_VARIABLE = "STANDOUT_CACHE"


def cache_folder() -> Path:
    """The folder that `STANDOUT_CACHE` names, else Standout's in the user's cache folder; need not exist."""
    own = os.environ.get(CACHE_VARIABLE)
    return Path(own) if own else platformdirs.user_cache_path("standout", appauthor=False)
