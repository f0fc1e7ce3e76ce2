"""The command line: parse, call, print. One module per command, imported when it is called.

`standout photo.jpg` is short for `standout photo photo.jpg`: what is no command is a photo.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import Any

from standout.cli.console import say
from standout.cli.streams import expand_wildcards, open_streams

#: cmd.exe and PowerShell hand wildcards over as they are.
_SHELL_EXPANDS = os.name != "nt"


@dataclass(frozen=True)
class Command:
    """A command's module (which holds `app`, a Typer of one command) and its line in `standout --help`."""

    module: str
    help: str


#: In the order of `standout --help`.
COMMANDS: dict[str, Command] = {
    "photo": Command("standout.cli.photo", "Cut the people out of photos (also: `standout photo.jpg`)"),
    "id-photo": Command("standout.cli.id_photo", "Make a passport, visa or CV photo, and say which rules it keeps"),
    "folder": Command("standout.cli.folder", "Cut the people out of all photos in a folder; watch it for new ones"),
    "video": Command("standout.cli.video", "Cut the people out of a video: new background, blur, or transparent"),
    "webcam": Command("standout.cli.webcam", "Blur or replace what is behind you, live; also as a virtual camera"),
    "serve": Command("standout.cli.serve", "Cut people out over HTTP; answers clients of rembg and remove.bg too"),
    "page": Command("standout.cli.page", "Write the browser page as files: photos and webcam on the visitor's device"),
    "demo": Command("standout.cli.demo", "Cut the person out of the bundled photo"),
    "evaluate": Command("standout.cli.evaluate", "Score a model on photographs with masks"),
    "label": Command("standout.cli.label", "Make masks for photographs that have none, where several networks agree"),
    "train": Command("standout.cli.train", "Train a network on a folder of pairs"),
    "export": Command("standout.cli.export", "Turn a training run into an ONNX model"),
    "audit": Command("standout.cli.audit", "Say what a data set is good for before training on it"),
    "convert": Command("standout.cli.convert", "Write a data set of COCO, LabelMe, YOLO, VOC, … as pairs to train on"),
    "augment": Command("standout.cli.augment", "Write augmented pairs to train on, over all cores"),
    "benchmark": Command("standout.cli.benchmark", "Measure speed and memory; compare two measurements"),
    "info": Command("standout.cli.info", "Show versions, models and devices"),
}


def main(argv: list[str] | None = None) -> None:
    """Runs the command line and exits: 0 done, 1 some items failed, 2 bad input or usage, 130 interrupted."""
    open_streams()
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Runs one command and returns its exit code."""
    argv = list(argv) if _SHELL_EXPANDS else expand_wildcards(argv)
    if len(argv) > 1 and argv[0] == "help":  # `standout help video` is `standout video --help`
        argv = [argv[1], "--help"]
    if not argv or argv[0] in ("-h", "--help", "help"):
        return _print_help()
    if argv[0] == "--version":
        return _print_version()
    if near := _near_command(argv[0]):
        say(f"There is no command and no file `{argv[0]}`; did you mean `standout {near}`?")
        return 2
    name, rest = (argv[0], argv[1:]) if argv[0] in COMMANDS else ("photo", argv)
    from standout.errors import StandoutError

    app = importlib.import_module(COMMANDS[name].module).app
    try:
        app(args=rest, prog_name=f"standout {name}")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except StandoutError as error:
        say(with_flags(str(error), app))
        return 2
    except BrokenPipeError:
        # The reader of our output went away (`standout … | head`): quietly stop, and keep Python from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # A name that is too long, a disk that fails under a read: whatever the system refuses is told in its words.
        what = f"`{error.filename}`" if error.filename is not None else "A file"
        say(f"{what} can't be used: {error.strerror or error}.")
        return 2
    except KeyboardInterrupt:
        say("interrupted.")
        return 130
    return 0


#: Parameters of the library whose flag has another name.
_FLAGS = {
    "source": "camera",
    "start_s": "start",
    "end_s": "end",
    "file_format": "format",
    "clean": "keep-edge-colors",
    "size_hw": "size",
    "timeout_s": "timeout",
}


def with_flags(sentence: str, app: Any) -> str:
    """A message of the library in the words of this command: `max_pixels` -> `--max-pixels`."""
    import re

    from typer.main import get_command

    flags = {flag for option in get_command(app).params for flag in option.opts if flag.startswith("--")}

    def flag_of(match: re.Match[str]) -> str:
        flag = "--" + _FLAGS.get(match[1], match[1]).replace("_", "-")
        return f"`{flag}{match[2]}`" if flag in flags else match[0]

    return re.sub(r"`([a-z_]+)((?: [^`]*)?)`", flag_of, sentence)


def _near_command(word: str) -> str:
    """The command that a misspelt word must mean, or ""; what is a file, or could be one, is a photo."""
    if word in COMMANDS or word.startswith("-") or "." in word or os.sep in word or os.path.lexists(word):
        return ""
    import difflib

    return next(iter(difflib.get_close_matches(word.lower(), COMMANDS, 1, 0.7)), "")


def _print_version() -> int:
    from standout import __version__

    sys.stdout.write(f"standout {__version__}\n")
    return 0


def _print_help() -> int:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.help}" for name, command in COMMANDS.items()]
    sys.stdout.write(
        "Usage: standout PHOTO...            writes PHOTO.standout.png, the people without their background\n"
        "       standout COMMAND [ARGS]...   `standout COMMAND --help` tells more\n\n"
        "Commands:\n" + "\n".join(lines) + "\n"
    )
    return 0
