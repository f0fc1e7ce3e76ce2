"""`standout video in.mp4 -o out.mp4`: cuts the people out of a video."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from standout.cli.devices import DeviceOption

if TYPE_CHECKING:
    from standout.inference.smoothing import Smoothing
    from standout.video.codecs import Codec
    from standout.video.encoders import Quality
    from standout.video.options import VideoOptions

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def video(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Videos, animated pictures, a folder of pictures or of videos; - for a pipe.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A .mp4, .mov, .mkv or .webm; .webp, .gif, .apng; - for a pipe; a folder."),
    ] = None,
    background: Annotated[
        str | None, typer.Option("--background", "-b", help="A colour, an image, a video, blur, blur:RADIUS.")
    ] = None,
    frames: Annotated[str | None, typer.Option("--frames", help="Write PNG pictures into this new folder.")] = None,
    matte: Annotated[bool, typer.Option("--matte", help="Write alpha alone, as a grey video.")] = False,
    start: Annotated[str | None, typer.Option(help="Begin here: seconds or [HH:]MM:SS.")] = None,
    end: Annotated[str | None, typer.Option(help="End before here: seconds or [HH:]MM:SS.")] = None,
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT, WIDTHx or xHEIGHT.")] = None,
    fps: Annotated[str | None, typer.Option(help="Constant frame rate, as 25 or 30000/1001.")] = None,
    codec: Annotated[str | None, typer.Option(help="Codec of a transparent video: vp9, prores or png.")] = None,
    quality: Annotated[str, typer.Option(help="How hard the encoder tries: fast, balanced or best.")] = "balanced",
    crf: Annotated[
        int | None, typer.Option(help="Constant quality in the encoder's numbers; smaller is better.")
    ] = None,
    bitrate: Annotated[str | None, typer.Option(help="Bits per second instead, as 800k or 5M.")] = None,
    encoder: Annotated[
        str, typer.Option(help="software, auto (a graphics card's, if one works), or a name such as h264_nvenc.")
    ] = "software",
    workers: Annotated[int, typer.Option(help="How many of several videos are processed at a time.")] = 1,
    suffix: Annotated[str, typer.Option(help="Ending of the results of several videos, as .mov.")] = "",
    pipe_format: Annotated[str | None, typer.Option(help="Format for `-o -`: nut or y4m.")] = None,
    smoothing: Annotated[str, typer.Option(help="In time: flow, confidence or off.")] = "flow",
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file; else live, or photo.")
    ] = None,
    device: DeviceOption = None,
    keep_partial: Annotated[bool, typer.Option("--keep-partial", help="After Ctrl-C, keep what is done.")] = False,
) -> None:
    """Cut the people out of a video: over a new background, or transparent (.webm, .mov, --frames)."""
    from standout.cli.devices import load_model
    from standout.errors import ConfigError
    from standout.inference.video_alpha import threads_beside_others
    from standout.video.encoders import EncodingOptions
    from standout.video.options import VideoOptions
    from standout.video.process import process_video

    if (output is None) == (frames is None):
        raise ConfigError("Give one target: `-o FILE` for a video, or `--frames FOLDER` for pictures.")
    if matte and background:
        raise ConfigError("`--matte` has no background; leave out one of the two.")
    options = VideoOptions(
        matte=matte,
        frames=frames is not None,
        start_s=_seconds(start, "--start"),
        end_s=_seconds(end, "--end"),
        size=size,
        fps=_fraction(fps, "--fps"),
        codec=cast("Codec | None", codec),
        smoothing=cast("Smoothing", smoothing),
        keep_partial=keep_partial,
        pipe_format=cast("Literal['nut', 'y4m'] | None", pipe_format),
        encoding=EncodingOptions(
            quality=cast("Quality", quality), crf=crf, bitrate=_bits_per_second(bitrate), encoder=encoder
        ),
    )
    target = Path(frames or output or "")
    source = sources[0]
    if _is_batch(sources, target, options):
        _batch(sources, target, suffix, background or "transparent", model, options, workers)
        return
    if suffix or workers != 1:
        raise ConfigError("`--suffix` and `--workers` are for several videos, whose output is a folder.")
    try:
        with _Bar(source) as bar:
            result = process_video(
                source,
                target,
                background=background or "transparent",
                model=load_model(model or "live", device, threads=threads_beside_others()),
                options=options,
                progress=bar.update,
            )
    except KeyboardInterrupt:
        sys.stderr.write(f"standout: interrupted; `{target}` was not written (`--keep-partial` keeps what is done).\n")
        raise SystemExit(130) from None
    for note in result.notes:
        sys.stderr.write(f"standout: {note}.\n")
    if result.interrupted:
        sys.stderr.write(f"standout: interrupted; `{result.target}` holds the first {result.frames} frames.\n")
        raise SystemExit(130)
    sys.stderr.write(f"standout: {result.frames} frames in `{result.target}` (model {result.model}).\n")
    if not result.complete:
        raise SystemExit(1)


def _is_batch(sources: list[str], target: Path, options: VideoOptions) -> bool:
    """Whether several films go into a folder."""
    from standout.video.batch import films_of

    if len(sources) > 1:
        return True
    into_folder = not options.frames and str(target) != "-" and (target.is_dir() or not target.suffix)
    first = Path(sources[0])
    return into_folder and (first.is_file() or (first.is_dir() and bool(films_of(first))))


def _batch(
    sources: list[str],
    target: Path,
    suffix: str,
    background: str,
    model: str | None,
    options: VideoOptions,
    workers: int,
) -> None:
    from standout.video.batch import BatchFilm, process_videos

    def say(film: BatchFilm) -> None:
        if film.error:
            sys.stderr.write(f"standout: `{film.source}` failed: {film.error}\n")
            return
        sys.stderr.write(f"standout: {film.frames} frames in `{film.target}`.\n")
        for note in film.notes:
            sys.stderr.write(f"standout: `{film.source}`: {note}.\n")

    films = process_videos(
        sources,
        target,
        suffix=suffix,
        background=background,
        model=model,
        options=options,
        workers=workers,
        progress=say,
    )
    failed = sum(bool(film.error) for film in films)
    skipped = sum(film.skipped for film in films)
    rest = f", {skipped} of them unchanged since an earlier run" if skipped else ""
    sys.stderr.write(f"standout: {len(films) - failed} of {len(films)} videos in `{target}`{rest}.\n")
    if failed or not all(film.complete for film in films):
        raise SystemExit(1)


class _Bar:
    """Frames done, frames per second and time to go, on stderr."""

    def __init__(self, source: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[fps]:.1f} fps"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(Path(source).name, total=None, fps=0.0)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def update(self, done: int, info: object) -> None:
        self._bar.start()  # not before there is something to show: an error before that stays one line
        total = getattr(info, "frames", None)
        passed = self._bar.tasks[0].elapsed or 0.0
        self._bar.update(
            self._task, completed=done, total=max(total, done) if total else None, fps=done / passed if passed else 0.0
        )


def _fraction(text: str | None, name: str) -> Fraction | None:
    from standout.errors import ConfigError

    if text is None:
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"`{name}` must be a number or a fraction, as 25 or 30000/1001; received {text!r}.") from None


def _seconds(text: str | None, name: str) -> Fraction | None:
    from standout.errors import ConfigError

    if text is None:
        return None
    try:
        total = Fraction(0)
        for part in text.split(":"):
            total = total * 60 + Fraction(part)
        return total
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"`{name}` must be seconds or [HH:]MM:SS, as 12.5 or 1:02; received {text!r}.") from None


def _bits_per_second(text: str | None) -> int | None:
    from standout.errors import ConfigError

    if text is None:
        return None
    scale = {"k": 1000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    try:
        return round(float(text[:-1] if scale > 1 else text) * scale)
    except (ValueError, OverflowError):
        raise ConfigError(f"`--bitrate` must be bits per second, as 800k or 5M; received {text!r}.") from None
