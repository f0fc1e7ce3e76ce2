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
    from standout.compose.parse import Background as Background
    from standout.errors import ConfigError as ConfigError
    from standout.errors import DataError as DataError
    from standout.errors import DeviceError as DeviceError
    from standout.errors import InputError as InputError
    from standout.errors import LimitExceeded as LimitExceeded
    from standout.errors import MissingExtra as MissingExtra
    from standout.errors import ModelFileError as ModelFileError
    from standout.errors import OutputError as OutputError
    from standout.errors import StandoutError as StandoutError
    from standout.folder.options import FolderOptions as FolderOptions
    from standout.folder.process import process_folder as process_folder
    from standout.folder.report import FolderReport as FolderReport
    from standout.folder.report import PhotoResult as PhotoResult
    from standout.folder.watch import watch_folder as watch_folder
    from standout.id_photo.make import IdPhoto as IdPhoto
    from standout.id_photo.make import PhotoFile as PhotoFile
    from standout.id_photo.make import make_id_photo as make_id_photo
    from standout.id_photo.print_sheet import Sheet as Sheet
    from standout.id_photo.report import RuleReport as RuleReport
    from standout.id_photo.report import Verdict as Verdict
    from standout.id_photo.spec import Spec as Spec
    from standout.id_photo.specs import list_specs as list_specs
    from standout.id_photo.specs import load_spec as load_spec
    from standout.imaging.encode import EncodeOptions as EncodeOptions
    from standout.imaging.parse import Length as Length
    from standout.imaging.parse import Point as Point
    from standout.inference.model import Model as Model
    from standout.inference.model import load as load
    from standout.inference.video_alpha import VideoAlpha as VideoAlpha
    from standout.model_card import ModelCard as ModelCard
    from standout.photo.cut_out import cut_out as cut_out
    from standout.photo.options import PhotoOptions as PhotoOptions
    from standout.video.batch import process_videos as process_videos
    from standout.video.options import VideoOptions as VideoOptions
    from standout.video.process import VideoResult as VideoResult
    from standout.video.process import process_video as process_video
    from standout.video.reader import VideoInfo as VideoInfo
    from standout.video.reader import read_frames as read_frames
    from standout.workshop.score.evaluate import evaluate as evaluate
    from standout.workshop.score.report import Evaluation as Evaluation

#: public name -> module that holds it
_HOMES = {
    "Background": "standout.compose.parse",
    "ConfigError": "standout.errors",
    "DataError": "standout.errors",
    "DeviceError": "standout.errors",
    "EncodeOptions": "standout.imaging.encode",
    "Evaluation": "standout.workshop.score.report",
    "FolderOptions": "standout.folder.options",
    "FolderReport": "standout.folder.report",
    "IdPhoto": "standout.id_photo.make",
    "InputError": "standout.errors",
    "Length": "standout.imaging.parse",
    "LimitExceeded": "standout.errors",
    "Look": "standout.compose.options",
    "MissingExtra": "standout.errors",
    "Model": "standout.inference.model",
    "ModelCard": "standout.model_card",
    "ModelFileError": "standout.errors",
    "OutputError": "standout.errors",
    "PhotoFile": "standout.id_photo.make",
    "PhotoOptions": "standout.photo.options",
    "PhotoResult": "standout.folder.report",
    "Point": "standout.imaging.parse",
    "RuleReport": "standout.id_photo.report",
    "Sheet": "standout.id_photo.print_sheet",
    "Spec": "standout.id_photo.spec",
    "StandoutError": "standout.errors",
    "Verdict": "standout.id_photo.report",
    "VideoAlpha": "standout.inference.video_alpha",
    "VideoInfo": "standout.video.reader",
    "VideoOptions": "standout.video.options",
    "VideoResult": "standout.video.process",
    "cut_out": "standout.photo.cut_out",
    "evaluate": "standout.workshop.score.evaluate",
    "list_specs": "standout.id_photo.specs",
    "load": "standout.inference.model",
    "load_spec": "standout.id_photo.specs",
    "make_id_photo": "standout.id_photo.make",
    "process_folder": "standout.folder.process",
    "process_video": "standout.video.process",
    "process_videos": "standout.video.batch",
    "read_frames": "standout.video.reader",
    "watch_folder": "standout.folder.watch",
}

__all__ = [
    "Background",
    "ConfigError",
    "DataError",
    "DeviceError",
    "EncodeOptions",
    "Evaluation",
    "FolderOptions",
    "FolderReport",
    "IdPhoto",
    "InputError",
    "Length",
    "LimitExceeded",
    "Look",
    "MissingExtra",
    "Model",
    "ModelCard",
    "ModelFileError",
    "OutputError",
    "PhotoFile",
    "PhotoOptions",
    "PhotoResult",
    "Point",
    "RuleReport",
    "Sheet",
    "Spec",
    "StandoutError",
    "Verdict",
    "VideoAlpha",
    "VideoInfo",
    "VideoOptions",
    "VideoResult",
    "__version__",
    "cut_out",
    "evaluate",
    "list_specs",
    "load",
    "load_spec",
    "make_id_photo",
    "process_folder",
    "process_video",
    "process_videos",
    "read_frames",
    "watch_folder",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":  # pyproject.toml has it
        return importlib.import_module("importlib.metadata").version("standout")
    if name not in _HOMES:
        raise AttributeError(f"module 'standout' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
