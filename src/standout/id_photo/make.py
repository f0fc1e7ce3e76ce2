"""`make_id_photo`: from any portrait to an official photo and a report on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from standout.compositing.select import keep_people
from standout.errors import ConfigError, InputError, OutputError
from standout.id_photo.crop import place_head
from standout.id_photo.evidence import Evidence
from standout.id_photo.faces import Face, FaceFinder, Mtcnn
from standout.id_photo.head import measure_head
from standout.id_photo.print_sheet import GAP_MM, Sheet, lay_sheet
from standout.id_photo.render import render
from standout.id_photo.report import RuleReport, Verdict
from standout.id_photo.rules import SECOND_FACE, judge, judge_file
from standout.id_photo.spec import Spec
from standout.id_photo.specs import load_spec
from standout.imaging.arrays import Alpha, Frame
from standout.imaging.decode import AnyPicture, picture_of
from standout.imaging.encode import FORMATS, EncodeOptions, encode, format_named, format_of
from standout.imaging.files import atomic_write
from standout.imaging.parse import Point, parse_color
from standout.imaging.picture import Picture
from standout.inference.model import AnyModel, Predictor, model_of

#: Where a JPEG's quality starts, and below which it is said.
_BEST, _POOR = 95, 50
#: A thousand bytes: also within limits that count 1024.
_KB = 1000


@dataclass(frozen=True)
class PhotoFile:
    """An official photo as a file.

    Attributes:
        data: The bytes of the file.
        quality: 1 … 100, of JPEG and WebP.
        report: The photo's, with what is said of the file.
    """

    data: bytes
    quality: int
    report: RuleReport


@dataclass(frozen=True, eq=False)
class IdPhoto:
    """An official photo.

    Attributes:
        pixels: uint8 RGB (H, W, 3), sRGB.
        dpi: So that it has its size in print.
        spec: The specification that the photo was made for.
        report: What the checks say of the photo.
        notes: What was lost in reading the portrait, a sentence each; usually empty.
    """

    pixels: Frame
    dpi: int
    spec: Spec
    report: RuleReport
    notes: tuple[str, ...] = ()

    def encode(self, file_format: str = "jpg", *, max_kb: float | None = None) -> PhotoFile:
        """The photo as a file of at most `max_kb` thousand bytes (by default the specification's ceiling).

        Raises:
            OutputError: The ceiling can't be kept, not even at the lowest quality.
        """
        file_format = format_named(file_format)
        lossy = file_format in (
            "jpg",
            "webp",
        )  # others have no quality to give up; the report says it
        ceiling = self.spec.max_kb if max_kb is None and lossy else max_kb
        data, quality = self._fit(file_format, ceiling)
        verdicts = list(judge_file(self.spec, len(data), FORMATS[file_format]))
        if ceiling is not None and quality < _POOR:
            words = f"the ceiling of {ceiling:g} KB takes quality {quality} of 100, at which blocks are seen"
            verdicts.append(Verdict("compression", "unknown", words))
        return PhotoFile(data, quality, self.report.adding(verdicts))

    def save(self, path: str | Path, *, max_kb: float | None = None) -> PhotoFile:
        """Writes `encode` to a file whose ending chooses the format, whole or not at all.

        Raises:
            OutputError: It can't be written there, or the ceiling can't be kept.
        """
        file = self.encode(format_of(path), max_kb=max_kb)
        with atomic_write(path) as stream:
            stream.write(file.data)
        return file

    def sheet(self, paper: str = "10x15", *, gap_mm: float = GAP_MM, mirrored: bool = False) -> Sheet:
        """A page full of copies with cut marks; see `standout.id_photo.print_sheet`."""
        return lay_sheet(self.pixels, self.dpi, paper, gap_mm=gap_mm, mirrored=mirrored)

    def _fit(self, file_format: str, ceiling: float | None) -> tuple[bytes, int]:
        """The best quality that keeps the ceiling, by bisection."""

        def attempt(quality: int) -> bytes:
            return encode(self.pixels, EncodeOptions(file_format, quality, dpi=(self.dpi, self.dpi)))

        data = attempt(_BEST)
        if self.spec.min_kb is not None and len(data) < self.spec.min_kb * _KB and file_format == "jpg":
            finest = attempt(100)  # some upload forms refuse small files
            if ceiling is None or len(finest) <= ceiling * _KB:
                return finest, 100
        if ceiling is None or len(data) <= ceiling * _KB:
            return data, _BEST
        if file_format not in ("jpg", "webp"):
            raise OutputError(
                f"As {FORMATS[file_format]} the photo has {len(data) / _KB:.1f} KB and can't be made smaller; "
                f"{ceiling:g} KB need a JPEG, so give the output the ending .jpg."
            )
        low, high, best = 1, _BEST - 1, (attempt(1), 1)
        if len(best[0]) > ceiling * _KB:
            raise OutputError(
                f"The photo can't be brought under {ceiling:g} KB: at the lowest quality it has "
                f"{len(best[0]) / _KB:.1f} KB; raise `max_kb` or lower `dpi`."
            )
        while low <= high:
            middle = (low + high) // 2
            data = attempt(middle)
            if len(data) <= ceiling * _KB:
                best, low = (data, middle), middle + 1
            else:
                high = middle - 1
        return best


def make_id_photo(
    source: AnyPicture,
    spec: Spec | str | Path,
    *,
    background: str | None = None,
    dpi: int | None = None,
    model: AnyModel | None = None,
    device: str | None = None,
) -> IdPhoto:
    """Makes an official photo: straightened, cropped to the specification, on a plain background.

        >>> from importlib.resources import files
        >>> import standout
        >>> photo = standout.make_id_photo(str(files("standout") / "assets" / "astronaut.jpg"), "us-visa")
        >>> photo.pixels.shape, photo.report.status("head size")
        ((600, 600, 3), 'pass')
        >>> len(photo.encode("jpg", max_kb=30).data) <= 30_000
        True

    Args:
        source: A path, the bytes of a file, a Pillow picture, or an array (gray, RGB or RGBA; uint8 or uint16).
        spec: A name that `standout id-photo --list-specs` shows, a TOML file, or a `Spec`.
        background: A color (`white`, `#rrggbb`), or `keep` for the photo's own; by default the specification's.
        dpi: Dots per inch of the print; by default what the specification asks for, at least 300.
        model: From `standout.load`, or what it takes; the bundled "photo" if absent.
        device: Where a model given by name or path runs; see `standout.load`.

    Raises:
        InputError: The photo can't be used; it shows no face, several, or too small a one.
        ConfigError: The specification, the color or the resolution can't be used.
        ModelFileError: A network's file is missing or broken.
    """
    spec = spec if isinstance(spec, Spec) else load_spec(spec)
    return make_with(source, spec, model_of(model, device=device), _mtcnn(), background=background, dpi=dpi)


def make_with(
    source: AnyPicture,
    spec: Spec,
    network: Predictor,
    faces: FaceFinder,
    *,
    background: str | None = None,
    dpi: int | None = None,
) -> IdPhoto:
    """As `make_id_photo`, with what finds the person and the faces given."""
    color = _background(background, spec)
    if dpi is not None and not 72 <= dpi <= 2400:
        raise ConfigError(f"`dpi` must lie in 72 … 2400; received {dpi}.")
    height, width, dpi = spec.pixels(dpi)
    picture = picture_of(source)
    found = _one_person(_find_faces(faces, picture.frame))
    alpha = _person(picture, found[0], network)
    head = measure_head(found[0], alpha, network_side=max(network.card.input_size), hair=spec.hair != "excluded")
    place = place_head(head, spec, (height, width), picture.size, inside=color is None)
    body_row = place.eye_row + 1.3 * head.chin.mid * place.scale
    rendered = render(picture.frame, alpha, place, color, body_row=body_row)
    facts = Evidence(picture.frame, alpha, found, head, place, rendered, spec, dpi, color)
    return IdPhoto(rendered.pixels, dpi, spec, RuleReport(spec, width, height, dpi, judge(facts)), picture.notes)


def _background(asked: str | None, spec: Spec) -> tuple[int, int, int] | None:
    if asked is None:
        return spec.background
    if asked == "keep":
        return None
    try:
        return parse_color(asked)
    except ConfigError as error:
        raise ConfigError(f"The background must be a color or `keep`. {error}") from None


#: Quarter turns to the left that NumPy makes, and how users would have to turn the photo.
_TURNS = {3: "by 90° to the right", 1: "by 90° to the left", 2: "by 180°"}


def _find_faces(finder: FaceFinder, frame: Frame) -> list[Face]:
    """The faces; where there are none, it is asked whether the photo lies on its side or its head.

    Raises:
        InputError: There is none.
    """
    faces = finder.find(frame)
    if faces:
        return faces
    # A face on its side is found, too: the direction counts in which one stands upright.
    upright = {}
    for turns in _TURNS:
        found = finder.find(np.ascontiguousarray(np.rot90(frame, turns)))
        upright[turns] = max((face.score * face.uprightness for face in found), default=0.0)
    best = max(upright, key=upright.__getitem__)
    if upright[best] > 0:
        raise InputError(f"No face was found, but there is one if the photo is turned {_TURNS[best]}; turn it first.")
    raise InputError(
        "No face was found; an official photo needs one that looks into the camera, upright and well lit; "
        "turn a photo that lies on its side."
    )


def _one_person(faces: list[Face]) -> list[Face]:
    """The faces, if all but the first are far smaller."""
    rivals = [face for face in faces if face.side >= SECOND_FACE * faces[0].side]
    if len(rivals) > 1:
        places = ", ".join(f"{(f.box[0] + f.box[2]) / 2:.0f},{(f.box[1] + f.box[3]) / 2:.0f}" for f in rivals)
        raise InputError(
            f"The photo must show one person; received {len(rivals)} faces, at {places}; crop it to one of them first."
        )
    return faces


def _person(picture: Picture, face: Face, model: Predictor) -> Alpha:
    """Alpha of the person whose face it is, and of nobody else."""
    alpha = model.alpha(picture.frame)
    if picture.alpha is not None:
        alpha = alpha * picture.alpha
    x, y = (float(value) for value in face.points.mean(axis=0))
    row, column = (min(max(int(v), 0), n - 1) for v, n in ((y, alpha.shape[0]), (x, alpha.shape[1])))
    if alpha[row, column] < model.card.threshold:
        return alpha  # `measure_head` says that the network sees nobody there
    return keep_people(np.array(alpha, np.float32), at=Point(max(x, 0), max(y, 0)), threshold=model.card.threshold)


@lru_cache(maxsize=1)
def _mtcnn() -> FaceFinder:
    return Mtcnn()
