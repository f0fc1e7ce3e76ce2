"""Standout separates people from their background: offline, on an ordinary CPU.

    import standout
    standout.cut_out("photo.jpg").save("photo.png")

Names are loaded when they are first used, so `import standout` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from standout.compose.options import Look as Look
    from standout.errors import StandoutError as StandoutError
    from standout.folder.process import process_folder as process_folder
    from standout.id_photo.make import make_id_photo as make_id_photo
    from standout.inference.model import Model as Model
    from standout.inference.model import load as load
    from standout.inference.video_alpha import VideoAlpha as VideoAlpha
    from standout.model_card import ModelCard as ModelCard
    from standout.photo.cut_out import cut_out as cut_out
    from standout.video.batch import process_videos as process_videos
    from standout.video.process import process_video as process_video
    from standout.video.reader import frames as frames

#: public name -> module that holds it
_HOMES = {
    "Look": "standout.compose.options",
    "Model": "standout.inference.model",
    "ModelCard": "standout.model_card",
    "StandoutError": "standout.errors",
    "VideoAlpha": "standout.inference.video_alpha",
    "cut_out": "standout.photo.cut_out",
    "frames": "standout.video.reader",
    "load": "standout.inference.model",
    "make_id_photo": "standout.id_photo.make",
    "process_folder": "standout.folder.process",
    "process_video": "standout.video.process",
    "process_videos": "standout.video.batch",
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
    "load",
    "make_id_photo",
    "process_folder",
    "process_video",
    "process_videos",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":  # pyproject.toml has it
        return importlib.import_module("importlib.metadata").version("standout")
    if name not in _HOMES:
        raise AttributeError(f"module 'standout' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
