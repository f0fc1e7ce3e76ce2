"""The public names and where they live; `__init__.py` loads them by this file when they are first used."""

from .compositing.background import Background as Background
from .compositing.options import CompositeOptions as CompositeOptions
from .errors import (
    ConfigError as ConfigError,
)
from .errors import (
    DataError as DataError,
)
from .errors import (
    DeviceError as DeviceError,
)
from .errors import (
    InputError as InputError,
)
from .errors import (
    LimitExceeded as LimitExceeded,
)
from .errors import (
    MissingExtra as MissingExtra,
)
from .errors import (
    ModelFileError as ModelFileError,
)
from .errors import (
    OutputError as OutputError,
)
from .errors import (
    StandoutError as StandoutError,
)
from .folder.options import FolderOptions as FolderOptions
from .folder.process import process_folder as process_folder
from .folder.report import FolderReport as FolderReport
from .folder.report import PhotoResult as PhotoResult
from .folder.watch import watch_folder as watch_folder
from .id_photo.make import IdPhoto as IdPhoto
from .id_photo.make import PhotoFile as PhotoFile
from .id_photo.make import make_id_photo as make_id_photo
from .id_photo.print_sheet import Sheet as Sheet
from .id_photo.report import RuleReport as RuleReport
from .id_photo.report import Verdict as Verdict
from .id_photo.spec import Spec as Spec
from .id_photo.specs import list_specs as list_specs
from .id_photo.specs import load_spec as load_spec
from .imaging.encode import EncodeOptions as EncodeOptions
from .imaging.parse import Length as Length
from .imaging.parse import Point as Point
from .inference.model import Model as Model
from .inference.model import load as load
from .inference.video_alpha import VideoAlpha as VideoAlpha
from .model_card import ModelCard as ModelCard
from .pipeline.cut_out import compose as compose
from .pipeline.cut_out import cut_out as cut_out
from .pipeline.options import CutOutOptions as CutOutOptions
from .pipeline.result import Result as Result
from .video.batch import BatchFilm as BatchFilm
from .video.batch import process_videos as process_videos
from .video.options import VideoOptions as VideoOptions
from .video.process import VideoResult as VideoResult
from .video.process import process_video as process_video
from .video.reader import VideoInfo as VideoInfo
from .video.reader import read_frames as read_frames
from .workshop.score.evaluate import evaluate as evaluate
from .workshop.score.report import Evaluation as Evaluation

__version__: str
