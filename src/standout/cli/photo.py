"""`standout photo.jpg`: cuts the people out of photos."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from standout.images import Encoding
    from standout.pipeline import Predictor

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def photo(
    photos: Annotated[list[str], typer.Argument(help="Photos; `-` reads one from standard input.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file, a folder, or `-` for standard output.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file.")] = "photo",
    mask: Annotated[bool, typer.Option("--mask", help="Write alpha alone, as a grey picture.")] = False,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 92,
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse larger photos before decoding.")] = 200_000_000,
    keep_metadata: Annotated[bool, typer.Option("--keep-metadata", help="Keep GPS and other private EXIF.")] = False,
) -> None:
    """Cut the people out of photos. Writes PHOTO.standout.png beside each photo, or where -o says."""
    # A damaged corner of a file's metadata is no news for the terminal; a damaged file is an error anyway.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    from standout.errors import StandoutError
    from standout.runtime.predict import load

    jobs = [(source, target_of(source, output, many=len(photos) > 1)) for source in photos]
    check_targets(jobs)
    loaded = load(model)
    failed = 0
    for source, target in jobs:
        try:
            cut_out_file(
                source, target, loaded, mask=mask, quality=quality, max_pixels=max_pixels, keep_metadata=keep_metadata
            )
        except StandoutError as error:
            _say(str(error))
            failed += 1
    if failed:
        raise SystemExit(2 if failed == len(jobs) else 1)


def cut_out_file(
    source: str, target: str, model: Predictor, *, mask: bool, quality: int, max_pixels: int, keep_metadata: bool
) -> None:
    """One photo, from file to file; `-` stands for the standard streams."""
    from standout.images import format_of, read
    from standout.pipeline import cut_out_picture

    file_format = "PNG" if target == "-" else format_of(target)
    picture = read(source, max_pixels=max_pixels)
    encoding = picture.encoding(file_format, keep_metadata=keep_metadata, quality=quality)
    if mask:
        encoding = dataclasses.replace(encoding, icc=None)  # a grey picture can't carry a profile of RGB colours
    result = cut_out_picture(picture, model)
    if result.nobody:
        _say(f"nobody was found in `{source}`; the cut-out is empty.")
    if picture.colour.dtype != "uint8" and file_format != "PNG" and not mask:
        _say(f"a {file_format} holds 8 bits per colour; write a PNG to keep the 16 of `{source}`.")
    write_output(target, result.mask() if mask else result.rgba(), encoding)


def target_of(source: str, output: str | None, *, many: bool) -> str:
    """Where the cut-out of `source` goes: beside it, into the folder `output`, to the file `output`, or to `-`."""
    from standout.errors import OutputError

    if output == "-":
        if many:
            raise OutputError("Standard output takes one photo; give a folder with `-o` for several.")
        return "-"
    name = "photo.standout.png" if source == "-" else f"{Path(source).stem}.standout.png"
    if output is None:
        return "-" if source == "-" else str(Path(source).parent / name)
    if Path(output).is_dir() or output.endswith(("/", "\\")):
        return str(Path(output) / name)
    if many:
        raise OutputError(f"Several photos need a folder; `-o {output}` is none, so create it or end it with a slash.")
    return output


def check_targets(jobs: list[tuple[str, str]]) -> None:
    """Refuses outputs that would overwrite a photo or each other, before anything is read."""
    from standout.errors import OutputError

    sources = {Path(source).resolve() for source, _ in jobs if source != "-"}
    seen: dict[Path, str] = {}
    for source, target in jobs:
        if target == "-":
            continue
        path = Path(target).resolve()
        if path in sources:
            raise OutputError(f"The output `{target}` would overwrite a photo; choose another name with `-o`.")
        if path in seen:
            raise OutputError(
                f"`{seen[path]}` and `{source}` would both be written to `{target}`; give each its own `-o`."
            )
        seen[path] = source


def write_output(target: str, pixels: NDArray[Any], encoding: Encoding) -> None:
    """Writes a picture to a file, whole or not at all, or to standard output."""
    from standout.images import atomic_write, encode, write_picture

    if target == "-":
        sys.stdout.buffer.write(encode(pixels, encoding))
        sys.stdout.buffer.flush()
        return
    with atomic_write(target) as file:
        write_picture(file, pixels, encoding)


def _say(sentence: str) -> None:
    sys.stderr.write(f"standout: {sentence}\n")
