"""`standout webcam`: the camera's picture with another background, for calls and streams."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from standout.cli.console import said_above, say
from standout.cli.devices import DeviceOption

if TYPE_CHECKING:
    from standout.inference.live import LiveConfig
    from standout.webcam.output import Output
    from standout.webcam.session import Webcam

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_PREVIEWS = ("auto", "window", "browser", "none")


@app.command()
def webcam(
    camera: Annotated[str, typer.Option(help="A camera's number, a device, or a video file.")] = "0",
    background: Annotated[
        list[str] | None,
        typer.Option(
            "--background",
            "-b",
            help="blur, blur:RADIUS, a color, an image, or off; repeat the option to cycle with B.",
        ),
    ] = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="Also send to a virtual camera: Zoom, Meet, OBS.")] = False,
    virtual_device: Annotated[str | None, typer.Option(help="Which virtual camera, as /dev/video10.")] = None,
    preview: Annotated[
        str | None, typer.Option(help="auto, window, browser or none; auto, or none with --virtual, if absent.")
    ] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Show the preview as a mirror does.")] = False,
    control: Annotated[str | None, typer.Option(help="stdin: a command per line; http or a port: by requests.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the browser preview; 0 takes a free one.")] = 0,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT to ask the camera for.")] = "1280x720",
    fps: Annotated[float, typer.Option(help="At most so many frames per second.")] = 30.0,
    idle: Annotated[float, typer.Option(help="Seconds without a watcher before the camera is let go; 0: never.")] = 5.0,
    model: Annotated[str, typer.Option("--model", "-m", help="A bundled model's name or an ONNX file.")] = "live",
    device: DeviceOption = None,
    network: Annotated[int | None, typer.Option(help="Longer side of the picture at the network, pixels.")] = None,
    every: Annotated[int, typer.Option(help="The network sees every n-th frame.")] = 1,
    smoothing: Annotated[str, typer.Option(help="In time: flow, confidence or off.")] = "flow",
    threads: Annotated[int, typer.Option(min=1, help="Threads of the network; more is faster on idle cores.")] = 1,
    frames: Annotated[int | None, typer.Option(min=1, help="End after so many frames.")] = None,
    list_cameras: Annotated[bool, typer.Option("--list", help="List the cameras, and end.")] = False,
) -> None:
    """Blur or replace what is behind you, live: in a window, in the browser, or as a virtual camera.

    Keys: B next background, P or Space pause, M mirror, Q quit. Nothing leaves this computer.
    """
    import cv2

    from standout.cli.devices import say_device
    from standout.inference.live import LiveMask, load_live
    from standout.webcam.camera import Camera
    from standout.webcam.session import DEFAULT_BACKGROUNDS, Webcam, WebcamOptions

    if list_cameras:
        _list()
        return
    wanted = _Wanted(preview or ("none" if virtual else "auto"), control, port, virtual, virtual_device, fps)
    asked = _parse_size(size)
    options = WebcamOptions(tuple(background or DEFAULT_BACKGROUNDS), fps, mirror, idle)
    config = _live_config(network, every, threads, smoothing)
    source = int(camera) if _is_number(camera) else camera
    # Pictures this small gain nothing by OpenCV's own threads, and those would take the processor from the network.
    cv2.setNumThreads(1)
    loaded = load_live(model, config, device=device)
    say_device(loaded, device)
    cam = Webcam(Camera(source, size_wh=asked, fps=fps), LiveMask(loaded, config), options, say=say)

    def outputs(found: tuple[int, int]) -> Sequence[Output]:
        if found != asked and isinstance(source, int):
            say(f"the camera gives {found[0]}x{found[1]} instead of {size}.")
        return wanted.open(cam, found)

    _run(cam, outputs, wanted, frames)


def _is_number(text: str) -> bool:
    """Whether it is a number of a camera, a port or a size: up to five ASCII digits."""
    return text.isascii() and text.isdecimal() and len(text) <= 5


@dataclass(frozen=True)
class _Wanted:
    """The outputs that were asked for."""

    preview: str
    control: str | None
    port: int
    virtual: bool
    device: str | None
    fps: float

    def __post_init__(self) -> None:
        from standout.errors import ConfigError

        if self.preview not in _PREVIEWS:
            raise ConfigError(f"`--preview` must be one of {', '.join(_PREVIEWS)}; received {self.preview!r}.")
        if self.preview == "none" and not self.virtual:
            raise ConfigError("There would be nothing to see; use `--virtual`, or leave out `--preview none`.")
        if self.control not in (None, "stdin", "http") and not _is_number(self.control or ""):
            raise ConfigError(f"`--control` must be stdin, http or a port; received {self.control!r}.")

    @property
    def server_port(self) -> int:
        return int(self.control) if self.control and _is_number(self.control) else self.port

    def open(self, cam: Webcam, size_wh: tuple[int, int]) -> Sequence[Output]:
        """The outputs for frames of (width, height)."""
        found: list[Output] = []
        if self.virtual:
            from standout.webcam.virtual_camera import VirtualCamera

            camera = VirtualCamera(size_wh, self.fps, self.device)
            say(f"the virtual camera is `{camera.device}`; choose it in Zoom, Meet or OBS.")
            found.append(camera)
        try:
            window = self._window(cam)
            found += [window] if window else []
            if self.preview == "browser" or (self.preview == "auto" and not window) or self._by_requests:
                from standout.webcam.browser import PreviewServer

                server = PreviewServer(cam.command, cam.status, port=self.server_port)
                say(f"open {server.url} in a browser on this computer.")
                found.append(server)
        except BaseException:
            for output in found:
                output.close()
            raise
        return found

    @property
    def _by_requests(self) -> bool:
        return self.control is not None and self.control != "stdin"

    def _window(self, cam: Webcam) -> Output | None:
        from standout.errors import DeviceError
        from standout.webcam.window import Window, has_display

        if self.preview == "window" or (self.preview == "auto" and has_display()):
            try:
                return Window(cam.command)
            except DeviceError as error:
                if self.preview == "window":
                    raise
                say(str(error))
        return None


def _run(
    cam: Webcam,
    outputs: Callable[[tuple[int, int]], Sequence[Output]],
    wanted: _Wanted,
    frames: int | None,
) -> None:
    """Runs until somebody quits; Ctrl-C is the ordinary way to."""
    from standout.webcam.terminal import TerminalKeys, listen_to_lines

    keys: AbstractContextManager[object] = nullcontext()
    if wanted.control == "stdin":
        listen_to_lines(sys.stdin, cam.command, _answer)
    else:
        keys = TerminalKeys(cam.command, say)
    try:
        with keys, _StatusLine().showing(cam.status_text):
            cam.run(outputs, frames=frames)
        say(cam.status_text())
    except KeyboardInterrupt:
        say("stopped.")


class _StatusLine:
    """One line at the terminal's foot that is rewritten each second; sentences go above it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._text = ""
        self._terminal = sys.stderr.isatty()

    def _write_above(self, line: str) -> None:
        with self._lock:
            sys.stderr.write(f"{self._clear()}{line}{self._text}")
            sys.stderr.flush()

    def _clear(self) -> str:
        return "\r\x1b[2K" if self._terminal and self._text else ""

    @contextmanager
    def showing(self, text: Callable[[], str]) -> Iterator[None]:
        """Shows what `text` returns while the block runs, and at its end as a sentence."""
        stop = threading.Event()

        def show() -> None:
            while self._terminal and not stop.wait(1.0):
                with self._lock:
                    width = shutil.get_terminal_size().columns - 1
                    clear, self._text = self._clear(), text()[:width]
                    sys.stderr.write(clear + self._text)
                    sys.stderr.flush()

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        try:
            with said_above(self._write_above):
                yield
        finally:
            stop.set()
            thread.join()
            with self._lock:
                sys.stderr.write(self._clear())
                self._text = ""


def _live_config(longest: int | None, every: int, threads: int, smoothing: str) -> LiveConfig:
    from standout.errors import ConfigError
    from standout.inference.live import LiveConfig
    from standout.inference.smoothing import SMOOTHINGS

    chosen = next((name for name in SMOOTHINGS if name == smoothing), None)
    if chosen is None:
        raise ConfigError(f"`--smoothing` must be one of {', '.join(SMOOTHINGS)}; received {smoothing!r}.")
    return LiveConfig(longest=longest, every=every, threads=threads, smoothing=chosen)


def _parse_size(text: str) -> tuple[int, int]:
    from standout.errors import ConfigError
    from standout.imaging.parse import parse_size

    width, height = parse_size(text, name="--size", most=8192)
    if width is None or height is None or min(width, height) < 16:
        raise ConfigError(f"`--size` must be WIDTHxHEIGHT, both at least 16 pixels; received {text!r}.")
    return width, height


def _list() -> None:
    from standout.webcam.camera import cameras

    found = cameras()
    for device, name in found.items():
        sys.stdout.write(f"{device}  {name}\n")
    if not found:
        say("no camera is listed; only Linux lists them, elsewhere try `--camera 0`, `--camera 1`.")


def _answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
