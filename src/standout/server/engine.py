"""What a worker does with a picture: the one module of the server that calls the product."""

from __future__ import annotations

import copy
import dataclasses
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standout.compositing.composite import composite
from standout.compositing.options import CompositeOptions
from standout.compositing.select import find_people
from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, resize
from standout.imaging.decode import read
from standout.imaging.encode import FORMATS, EncodeOptions, encode
from standout.imaging.picture import Picture
from standout.pipeline.cut_out import people_of, run
from standout.server.look import photo_options, with_background
from standout.server.opening import OpenPhotoEngine
from standout.server.tasks import Answer, Ready, Refusal, Task

MEDIA_TYPES = {"PNG": "image/png", "WEBP": "image/webp", "JPEG": "image/jpeg", "TIFF": "image/tiff"}


class PhotoEngine:
    """The models, loaded once and warm."""

    def __init__(self, how: OpenPhotoEngine) -> None:
        import cv2

        from standout.inference.model import bundled_names, load

        warnings.filterwarnings("ignore", module=r"PIL\.")
        cv2.setNumThreads(how.threads)
        self._max_pixels = how.max_pixels
        self._matting = how.matting
        if how.matting:
            from standout.compositing.matting import warm_up

            warm_up()
        names = {name: name for name in bundled_names()}
        own = Path(how.model).stem if how.model.endswith(".onnx") else how.model
        self._default = own
        files = {own: how.model} | {name: file for name, file in names.items() if name != own}
        device = how.device or "cpu"
        self._loaded = {name: load(file, threads=how.threads, device=device) for name, file in files.items()}
        for model in self._loaded.values():
            model.alpha(np.full((256, 256, 3), 127, np.uint8))  # the first run is the slowest

    @property
    def ready(self) -> Ready:
        """The models and the specifications that there are."""
        from standout.id_photo.specs import list_specs

        models = {
            name: {**dataclasses.asdict(model.card), "device": model.device} for name, model in self._loaded.items()
        }
        specs = (
            {
                "name": spec.name, "title": spec.title, "note": spec.note,
                "width_mm": spec.width_mm, "height_mm": spec.height_mm,
                "width_px": spec.width_px, "height_px": spec.height_px,
                "replacing_the_background": spec.replacing,
            }
            for spec in list_specs()
        )  # fmt: skip
        return Ready(models, tuple(specs))

    def answer(self, task: Task) -> Answer | Refusal:
        """One picture."""
        kinds: dict[str, Callable[[Task], Answer | Refusal]] = {
            "photo": self._photo,
            "removebg": self._removebg,
            "id_photo": self._id_photo,
        }
        return kinds[task.kind](task)

    # ---- photos

    def _photo(self, task: Task) -> Answer | Refusal:
        asked, clock = task.options, _Clock()
        options = photo_options(asked, self._max_pixels)
        if options.matting != "none" and not self._matting:
            return Refusal("matting_off", "This server was started without matting; start it with `--matting`.")
        file_format = FORMATS["." + str(asked.get("format") or "png")]
        if task.background is not None:
            with clock.stage("read"):
                options = with_background(options, read(task.background, max_pixels=options.max_pixels))
        name, model = self._model(asked)
        result = run(task.image, model, options, file_format=file_format)
        if not result.people and asked.get("require_person"):
            return Refusal("no_person", "Nobody was found in the picture.")
        clock.stages |= result.seconds
        with clock.stage("encode"):
            data = encode(result.pixels, result.encoding)
            extra = {"matte": encode(result.matte, EncodeOptions("PNG"))} if asked.get("with_matte") else {}
        return _answer(
            data,
            MEDIA_TYPES[file_format],
            result.pixels,
            result.people,
            name,
            result.photo_size[::-1],
            clock,
            result.notes,
            extra,
        )

    def _model(self, asked: Mapping[str, Any]) -> tuple[str, Any]:
        name = asked.get("model") or self._default
        if name not in self._loaded:
            raise ConfigError(f"`model` must be one of {', '.join(self._loaded)}; received {str(name)[:60]!r}.")
        model = self._loaded[name]
        if (asked.get("looks") or 1) != model.looks:
            model = copy.copy(model)  # the session is the same
            model.looks = asked["looks"]
        return name, model

    # ---- remove.bg

    def _removebg(self, task: Task) -> Answer | Refusal:
        from standout.server import canvas, layout

        asked, clock = task.options, _Clock()
        name, model = self._model(asked)
        with clock.stage("read"):
            picture = read(task.image, max_pixels=self._max_pixels)
            size_wh = picture.size[1], picture.size[0]
            roi = layout.parse_roi(asked["roi"], size_wh) if asked.get("roi") else None
            small = _at_most(picture, asked["most_pixels"])
        with clock.stage("model"):
            alpha, people = people_of(small, model)
            if roi is not None:
                alpha, people = _inside(alpha, roi, size_wh, model.card.threshold)
        if not people:
            return Refusal("no_person", "Could not identify foreground in image: nobody was found.")
        with clock.stage("compose"):
            rgba = composite(
                small, alpha, CompositeOptions(shadow=asked["shadow"]), threshold=model.card.threshold
            ).pixels
            rgba = canvas.lay_out(rgba, asked["layout"])
            box = canvas.subject_box(rgba) or (0, 0, rgba.shape[1], rgba.shape[0])
            under = _backdrop((rgba.shape[0], rgba.shape[1]), task, asked, self._max_pixels)
            pixels: NDArray[Any] = rgba if under is None else canvas.over(rgba, under)
            if asked["channels"] == "alpha":
                pixels = np.ascontiguousarray(rgba[..., 3])
        with clock.stage("encode"):
            kind = asked["format"]
            if kind == "auto":
                kind = "png" if pixels.ndim == 2 or pixels.shape[2] == 4 else "jpg"
            if kind == "zip":
                data, media = _zip_of(rgba, under), "application/zip"
            else:
                if kind == "jpg" and pixels.ndim == 3 and pixels.shape[2] == 4:
                    pixels = canvas.over_color(np.asarray(pixels, np.uint8), (255, 255, 255, 255))
                file_format = FORMATS["." + kind]
                data, media = encode(pixels, EncodeOptions(file_format, dpi=picture.dpi)), MEDIA_TYPES[file_format]
        where = {"left": box[0], "top": box[1], "width": box[2] - box[0], "height": box[3] - box[1]}
        return _answer(data, media, pixels, people, name, picture.size, clock, (), {"foreground": where})

    # ---- official photos

    def _id_photo(self, task: Task) -> Answer | Refusal:
        from standout.errors import InputError, LimitExceeded
        from standout.id_photo.make import make_id_photo
        from standout.id_photo.specs import list_specs

        asked, clock = task.options, _Clock()
        specs = {spec.name: spec for spec in list_specs()}
        if asked["spec"] not in specs:
            raise ConfigError(f"There is no specification {asked['spec'][:60]!r}; `/v1/specs` lists all {len(specs)}.")
        spec = specs[asked["spec"]]
        height, width, _ = spec.pixels(asked.get("dpi"))
        if height * width > self._max_pixels:
            raise ConfigError(f"`dpi` asks for {width} × {height} pixels, more than this server makes; lower it.")
        name, model = self._model(asked)
        with clock.stage("read"):
            picture = read(task.image, max_pixels=self._max_pixels)
        try:
            with clock.stage("model"):
                made = make_id_photo(
                    picture, spec, background=asked.get("background"), dpi=asked.get("dpi"), model=model
                )
        except LimitExceeded:
            raise
        except InputError as error:
            return Refusal("no_face", str(error))
        with clock.stage("encode"):
            file_format = FORMATS["." + asked["format"]]
            file = made.encode(file_format, max_kb=asked.get("max_kb"))
        report = file.report.as_json()
        if asked.get("strict") and file.report.failed:
            return Refusal("rules_failed", f"These rules fail: {', '.join(file.report.failed)}.", {"report": report})
        extra = {"report": report}
        return _answer(
            file.data, MEDIA_TYPES[file_format], made.pixels, 1, name, picture.size, clock, picture.notes, extra
        )


# ---- pictures


def _at_most(picture: Picture, most_pixels: int | None) -> Picture:
    """The picture in 8-bit sRGB, made smaller where it has more pixels."""
    height, width = picture.size
    alpha = picture.alpha
    frame = picture.frame
    if most_pixels is not None and height * width > most_pixels:
        share = (most_pixels / (height * width)) ** 0.5
        size = max(1, int(height * share)), max(1, int(width * share))
        frame = np.asarray(resize(frame, size), np.uint8)
        alpha = None if alpha is None else np.asarray(resize(alpha, size), np.float32)
    return Picture(frame, frame, alpha, dpi=picture.dpi)


def _inside(
    alpha: Alpha, roi: tuple[int, int, int, int], size_wh: tuple[int, int], threshold: float
) -> tuple[Alpha, int]:
    """The people inside a region, given in pixels of the picture as it came, and how many."""
    height, width = alpha.shape
    across, down = width / size_wh[0], height / size_wh[1]
    left, top, right, bottom = roi
    rows = slice(int(top * down), max(int(top * down) + 1, round(bottom * down)))
    columns = slice(int(left * across), max(int(left * across) + 1, round(right * across)))
    person = np.zeros_like(alpha)
    person[rows, columns] = alpha[rows, columns]
    return person, len(find_people(person, threshold=threshold))


def _backdrop(size_hw: tuple[int, int], task: Task, asked: Mapping[str, Any], max_pixels: int) -> NDArray[Any] | None:
    """What comes under a cut-out, RGBA: the uploaded picture, the colour, or nothing."""
    if task.background is not None:
        from standout.compositing.background import fit_image

        frame = read(task.background, max_pixels=max_pixels).frame
        fitted = fit_image(frame, size_hw, fit="cover", position=(0.5, 0.5))
        return np.dstack([fitted, np.full(size_hw, 255, np.uint8)])
    if asked["rgba"] is None:
        return None
    under = np.empty((*size_hw, 4), np.uint8)
    under[:] = asked["rgba"]
    return under


def _zip_of(rgba: NDArray[np.uint8], under: NDArray[Any] | None) -> bytes:
    """color.jpg and alpha.png, and background.jpg if there is one: what remove.bg's own tools put together."""
    from standout.server.canvas import spread_colors

    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("color.jpg", encode(spread_colors(rgba), EncodeOptions("JPEG", 95)))
        archive.writestr("alpha.png", encode(np.ascontiguousarray(rgba[..., 3]), EncodeOptions("PNG")))
        if under is not None:
            archive.writestr("background.jpg", encode(np.ascontiguousarray(under[..., :3]), EncodeOptions("JPEG", 95)))
    return buffer.getvalue()


# ---- answers


class _Clock:
    def __init__(self) -> None:
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - started


def _answer(
    data: bytes,
    media_type: str,
    pixels: NDArray[Any],
    people: int,
    model: str,
    seen_hw: tuple[int, int],
    clock: _Clock,
    notes: tuple[str, ...],
    extra: Mapping[str, Any],
) -> Answer:
    height, width = pixels.shape[:2]
    seen = seen_hw[0] * seen_hw[1]
    return Answer(data, media_type, width, height, people > 0, model, seen, clock.stages, notes, extra)
