"""What a worker does with a picture: the one module of the server that calls the product."""

from __future__ import annotations

import copy
import dataclasses
import time
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standout.compositing.background import Background
from standout.compositing.composite import composite
from standout.compositing.options import CompositeOptions
from standout.compositing.select import find_people
from standout.errors import ConfigError
from standout.imaging.arrays import Alpha, resize
from standout.imaging.decode import read
from standout.imaging.encode import EncodeOptions, encode, format_named
from standout.imaging.picture import Picture
from standout.pipeline.cut_out import people_of, run
from standout.server.look import cut_out_options
from standout.server.tasks import Answer, CutOut, IdPhoto, LaidOut, Ready, Refusal, Rgba, Task

MEDIA_TYPES = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg", "tiff": "image/tiff"}


class PhotoEngine:
    """The models, loaded once and warm."""

    def __init__(self, model: str, *, device: str | None, threads: int, max_pixels: int, matting: bool) -> None:
        import cv2

        from standout.inference.model import bundled_names, load

        warnings.filterwarnings("ignore", module=r"PIL\.")
        cv2.setNumThreads(threads)
        self._max_pixels = max_pixels
        self._matting = matting
        if matting:
            from standout.compositing.matting import warm_up

            warm_up()
        names = {name: name for name in bundled_names()}
        own = Path(model).stem if model.endswith(".onnx") else model
        self._default = own
        files = {own: model} | {name: file for name, file in names.items() if name != own}
        self._loaded = {name: load(file, threads=threads, device=device or "cpu") for name, file in files.items()}
        for loaded in self._loaded.values():
            loaded.alpha(np.full((256, 256, 3), 127, np.uint8))  # the first run is the slowest

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
        if isinstance(task, CutOut):
            return self._cut_out(task)
        return self._id_photo(task) if isinstance(task, IdPhoto) else self._laid_out(task)

    def _model(self, asked: str | None, tta: int = 1) -> tuple[str, Any]:
        name = asked or self._default
        if name not in self._loaded:
            raise ConfigError(f"`model` must be one of {', '.join(self._loaded)}; received {name[:60]!r}.")
        model = self._loaded[name]
        if tta != model.tta:
            model = copy.copy(model)  # the session is the same
            model.tta = tta
        return name, model

    # ---- photos

    def _cut_out(self, task: CutOut) -> Answer | Refusal:
        clock, file_format = _Clock(), format_named(task.format)
        options = cut_out_options(task.keywords, self._max_pixels)
        if options.matting != "none" and not self._matting:
            return Refusal("matting_off", "This server was started without matting; start it with `--matting`.")
        if isinstance(task.background, bytes):
            with clock.stage("read"):
                behind = Background("image", image=read(task.background, max_pixels=options.max_pixels))
            options = dataclasses.replace(options, background=behind)
        elif task.background is not None:
            options = dataclasses.replace(options, background=task.background)
        name, model = self._model(task.model, task.tta)
        result = run(task.image, model, options, file_format=file_format)
        if not result.people and task.require_person:
            return Refusal("no_person", "Nobody was found in the picture.")
        for stage, seconds in result.seconds.items():
            clock.stages[stage] = clock.stages.get(stage, 0.0) + seconds
        with clock.stage("encode"):
            data = encode(result.pixels, result.encoding)
            matte = encode(result.matte, EncodeOptions("png")) if task.with_matte else b""
        media, seen = MEDIA_TYPES[file_format], result.photo_size
        return Answer(
            data, media, *result.size, result.people > 0, name, seen[0] * seen[1], clock.stages, result.notes, matte
        )

    # ---- remove.bg

    def _laid_out(self, task: LaidOut) -> Answer | Refusal:
        from standout.server import canvas, layout

        clock = _Clock()
        name, model = self._model(None)
        with clock.stage("read"):
            picture = read(task.image, max_pixels=self._max_pixels)
            size_wh = picture.size[1], picture.size[0]
            roi = layout.parse_roi(task.roi, size_wh) if task.roi else None
            small = _at_most(picture, task.most_pixels)
        with clock.stage("model"):
            alpha, people = people_of(small, model)
            if roi is not None:
                alpha, people = _inside(alpha, roi, size_wh, model.card.threshold)
        if not people:
            return Refusal("no_person", "Could not identify foreground in image: nobody was found.")
        with clock.stage("compose"):
            look = CompositeOptions(shadow=task.shadow)
            rgba = canvas.lay_out(composite(small, alpha, look, threshold=model.card.threshold).pixels, task.layout)
            box = canvas.subject_box(rgba) or (0, 0, rgba.shape[1], rgba.shape[0])
            under = _backdrop((rgba.shape[0], rgba.shape[1]), task.background, self._max_pixels)
            pixels: NDArray[Any] = rgba if under is None else canvas.over(rgba, under)
            if task.channels == "alpha":
                pixels = np.ascontiguousarray(rgba[..., 3])
        with clock.stage("encode"):
            kind = task.format
            if kind == "auto":
                kind = "png" if pixels.ndim == 2 or pixels.shape[2] == 4 else "jpg"
            if kind == "zip":
                data, media = _zip_of(rgba, under), "application/zip"
            else:
                if kind == "jpg" and pixels.ndim == 3 and pixels.shape[2] == 4:
                    pixels = canvas.over_color(np.asarray(pixels, np.uint8), (255, 255, 255, 255))
                file_format = format_named(kind)
                data, media = encode(pixels, EncodeOptions(file_format, dpi=picture.dpi)), MEDIA_TYPES[file_format]
        where = box[0], box[1], box[2] - box[0], box[3] - box[1]
        seen = size_wh[0] * size_wh[1]
        size = pixels.shape[1], pixels.shape[0]
        return Answer(data, media, *size, True, name, seen, clock.stages, picture.notes, foreground=where)

    # ---- official photos

    def _id_photo(self, task: IdPhoto) -> Answer | Refusal:
        from standout.errors import InputError, LimitExceeded
        from standout.id_photo.make import make_id_photo
        from standout.id_photo.specs import list_specs

        clock, file_format = _Clock(), format_named(task.format)
        specs = {spec.name: spec for spec in list_specs()}
        if task.spec not in specs:
            raise ConfigError(f"There is no specification {task.spec[:60]!r}; `/v1/specs` lists all {len(specs)}.")
        spec = specs[task.spec]
        height, width, _ = spec.pixels(task.dpi)
        if height * width > self._max_pixels:
            raise ConfigError(f"`dpi` asks for {width} × {height} pixels, more than this server makes; lower it.")
        name, model = self._model(task.model)
        with clock.stage("read"):
            picture = read(task.image, max_pixels=self._max_pixels)
        try:
            with clock.stage("model"):
                made = make_id_photo(picture, spec, background=task.background, dpi=task.dpi, model=model)
        except LimitExceeded:
            raise
        except InputError as error:
            return Refusal("no_face", str(error))
        with clock.stage("encode"):
            file = made.encode(file_format, max_kb=task.max_kb)
        report = file.report.as_json()
        if task.strict and file.report.failed:
            return Refusal("rules_failed", f"These rules fail: {', '.join(file.report.failed)}.", {"report": report})
        size, seen = (made.pixels.shape[1], made.pixels.shape[0]), picture.size[0] * picture.size[1]
        media = MEDIA_TYPES[file_format]
        return Answer(file.data, media, *size, True, name, seen, clock.stages, picture.notes, report=report)


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


def _backdrop(size_hw: tuple[int, int], background: bytes | Rgba | None, max_pixels: int) -> NDArray[Any] | None:
    """What comes under a cut-out, RGBA: the uploaded picture, the color, or nothing."""
    if background is None:
        return None
    if isinstance(background, bytes):
        from standout.compositing.background import fit_image

        fitted = fit_image(read(background, max_pixels=max_pixels).frame, size_hw, fit="cover", position=(0.5, 0.5))
        return np.dstack([fitted, np.full(size_hw, 255, np.uint8)])
    under = np.empty((*size_hw, 4), np.uint8)
    under[:] = background
    return under


def _zip_of(rgba: NDArray[np.uint8], under: NDArray[Any] | None) -> bytes:
    """color.jpg and alpha.png, and background.jpg if there is one: what remove.bg's own tools put together."""
    from standout.server.canvas import spread_colors

    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("color.jpg", encode(spread_colors(rgba), EncodeOptions("jpg", 95)))
        archive.writestr("alpha.png", encode(np.ascontiguousarray(rgba[..., 3]), EncodeOptions("png")))
        if under is not None:
            archive.writestr("background.jpg", encode(np.ascontiguousarray(under[..., :3]), EncodeOptions("jpg", 95)))
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
