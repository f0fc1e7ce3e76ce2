"""Standout separates people from their background: offline, on an ordinary CPU.

    import standout
    standout.cut_out("photo.jpg").save("photo.png")

Names are loaded when they are first used, so `import standout` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from standout.batch.folder import process_folder as process_folder
    from standout.card import ModelCard as ModelCard
    from standout.compose.options import Look as Look
    from standout.errors import StandoutError as StandoutError
    from standout.film import process_video as process_video
    from standout.idphoto.photo import id_photo as id_photo
    from standout.media.video import frames as frames
    from standout.pipeline import cut_out as cut_out
    from standout.runtime.moving import VideoAlpha as VideoAlpha
    from standout.runtime.predict import Model as Model
    from standout.runtime.predict import load as load

#: public name -> module that holds it
_HOMES = {
    "Look": "standout.compose.options",
    "Model": "standout.runtime.predict",
    "ModelCard": "standout.card",
    "StandoutError": "standout.errors",
    "VideoAlpha": "standout.runtime.moving",
    "cut_out": "standout.pipeline",
    "frames": "standout.media.video",
    "id_photo": "standout.idphoto.photo",
    "load": "standout.runtime.predict",
    "process_folder": "standout.batch.folder",
    "process_video": "standout.film",
}

__all__ = [
    "Look",
    "Model",
    "ModelCard",
    "StandoutError",
    "VideoAlpha",
    "__version__",
    "cut_out",
    "frames",
    "id_photo",
    "load",
    "process_folder",
    "process_video",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'standout' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
