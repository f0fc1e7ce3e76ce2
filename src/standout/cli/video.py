"""`standout video in.mp4 -o out.mp4`: cuts the people out of a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from standout.cli.console import progress_bar, say
from standout.cli.devices import DeviceOption

if TYPE_CHECKING:
    from standout.inference.smoothing import Smoothing
    from standout.video.codecs import Codec
    from standout.video.encoders import Quality
    from standout.video.options import VideoOptions
    from standout.video.reader import VideoInfo

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
        str | None, typer.Option("--background", "-b", help="A color, an image, a video, blur, blur:RADIUS.")
    ] = None,
    frames: Annotated[str | None, typer.Option("--frames", help="Write PNG pictures into this new folder.")] = None,
    matte: Annotated[bool, typer.Option("--matte", help="Write alpha alone, as a gray video.")] = False,
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
    decoder: Annotated[
        str,
        typer.Option(help="software, auto (a graphics card's, if one works), or a name: cuda, vaapi, videotoolbox …"),
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
    from standout.cli.signals import like_ctrl_c
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
        decoder=decoder,
        pipe_format=cast("Literal['nut', 'y4m'] | None", pipe_format),
        encoding=EncodingOptions(
            quality=cast("Quality", quality), crf=crf, bitrate=_bits_per_second(bitrate), encoder=encoder
        ),
    )
    target = Path(frames or output or "")
    source = sources[0]
    if _is_batch(sources, target, options):
        _batch(sources, target, suffix, background or "transparent", model, device, options, workers)
        return
    if suffix or workers != 1:
        raise ConfigError("`--suffix` and `--workers` are for several videos, whose output is a folder.")
    try:
        with like_ctrl_c(), progress_bar(Path(source).name, unit="fps") as move:
            result = process_video(
                source,
                target,
                background=background or "transparent",
                model=load_model(model or "live", device, threads=threads_beside_others()),
                options=options,
                progress=lambda done, info: move(done, _total(done, info)),
            )
    except KeyboardInterrupt:
        say(f"interrupted; `{target}` was not written (`--keep-partial` keeps what is done).")
        raise SystemExit(130) from None
    for note in result.notes:
        say(f"{note}.")
    if result.interrupted:
        say(f"interrupted; `{result.target}` holds the first {result.frames} frames.")
        raise SystemExit(130)
    say(f"{result.frames} frames in `{result.target}` (model {result.model}).")
    if not result.complete:
        raise SystemExit(1)


def _is_batch(sources: list[str], target: Path, options: VideoOptions) -> bool:
    """Whether several films go into a folder."""
    from standout.video.batch import films_of

    if len(sources) > 1:
        return True
    into_folder = not options.frames and str(target) != "-" and (target.is_dir() or not target.suffix)
    first = Path(sources[0])
    return into_folder and (first.is_file() or (first.is_dir() and bool(films_of(first, target))))


def _batch(
    sources: list[str],
    target: Path,
    suffix: str,
    background: str,
    model: str | None,
    device: str | None,
    options: VideoOptions,
    workers: int,
) -> None:
    from standout.cli.devices import choose_device
    from standout.cli.signals import like_ctrl_c
    from standout.video.batch import BatchFilm, process_videos

    ended: list[BatchFilm] = []

    def tell(film: BatchFilm) -> None:
        ended.append(film)
        if film.error:
            say(f"`{film.source}` failed: {film.error}")
        elif film.status == "done":
            say(f"{film.frames} frames in `{film.target}`.")
        for note in film.notes:
            say(f"`{film.source}`: {note}.")

    interrupted = False
    try:
        with like_ctrl_c():
            films = process_videos(
                sources,
                target,
                suffix=suffix,
                background=background,
                model=model,
                device=choose_device(model or "live", device),
                options=options,
                workers=workers,
                progress=tell,
            )
        interrupted = any(film.status == "pending" or film.interrupted for film in films)
    except KeyboardInterrupt:
        films, interrupted = ended, True
    whole = sum(film.complete for film in films)
    if interrupted:
        what = "1 video is" if whole == 1 else f"{whole} videos are"
        say(f"interrupted; {what} done in `{target}`; rerun the same command to resume.")
        raise SystemExit(130)
    unchanged = sum(film.status == "unchanged" for film in films)
    rest = f", {unchanged} of them unchanged since an earlier run" if unchanged else ""
    say(f"{whole} of {len(films)} videos in `{target}`{rest}.")
    if whole < len(films):
        raise SystemExit(1)


def _total(done: int, info: VideoInfo) -> int | None:
    """How many frames there will be: what the file says, unless it has more already."""
    return max(info.frames, done) if info.frames else None


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
