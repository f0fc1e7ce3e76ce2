"""`Webcam`: newest frame of a camera → alpha → background → window, browser and virtual camera, until told to stop."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from standout.compositing.backdrop import ALLOWED, Backdrop, still_picture
from standout.compositing.compositor import Compositor
from standout.errors import ConfigError, DeviceError
from standout.imaging.arrays import Alpha, Frame
from standout.webcam.camera import FrameSource, LiveFrame
from standout.webcam.output import Output
from standout.webcam.timing import Clock, Figures, Meter, RateLimiter, SystemClock

#: The hot key `b` goes through these when no background was asked for.
DEFAULT_BACKGROUNDS = ("blur", "blur:64", "#1f2933", "#00b140")

COMMANDS = ("background", "help", "mirror", "next", "pause", "quit", "resume", "status")

#: A camera that went away is looked for so long, this often.
_LOST_S, _RETRY_S = 30.0, 2.0
#: While nothing moves, the loop looks for keys and commands this often, and shows the still picture that often.
_REST_S, _STILL_S = 0.1, 1.0


class Mask(Protocol):
    """What is needed of `inference.live.LiveMask`."""

    def coarse(self, frame: Frame) -> Alpha: ...

    def enlarge(self, alpha: Alpha, frame: Frame) -> NDArray[np.uint8]: ...

    def reset(self) -> None: ...


@dataclass(frozen=True)
class WebcamOptions:
    """How the webcam behaves.

    Attributes:
        backgrounds: In the order of the hot key; the first is shown.
        fps: At most so many frames per second.
        mirror: Previews show the picture as a mirror does; the virtual camera never.
        idle_s: When nobody has watched for so long, the camera is let go until somebody does; 0: never.
    """

    backgrounds: tuple[str, ...] = DEFAULT_BACKGROUNDS
    fps: float = 30.0
    mirror: bool = False
    idle_s: float = 5.0

    def __post_init__(self) -> None:
        if not self.backgrounds:
            raise ConfigError("`backgrounds` must name at least one.")
        if not 1 <= self.fps <= 240:
            raise ConfigError(f"`fps` must lie between 1 and 240; received {self.fps:g}.")
        if not 0 <= self.idle_s <= 3600:
            raise ConfigError(f"`idle` must lie between 0 (never) and 3600 seconds; received {self.idle_s:g}.")


class Webcam:
    """The loop; `run` serves one thread, `command` may be called from any.

    Args:
        camera: Gives frames.
        mask: Finds people.
        options: How the session behaves.
        clock: The time.
        say: Called with sentences that the user should see.

    Raises:
        ConfigError: A background is none.
        InputError: A background's image can't be read.
    """

    def __init__(
        self,
        camera: FrameSource,
        mask: Mask,
        options: WebcamOptions | None = None,
        *,
        clock: Clock | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.options = options or WebcamOptions()
        self.outputs: list[Output] = []
        self.clock = clock or SystemClock()
        self.meter = Meter(self.clock)
        self.state = "starting"
        self._camera, self._mask, self._say = camera, mask, say or (lambda _: None)
        self._backdrops = [_backdrop(text) for text in self.options.backgrounds]
        self._backdrop = self._backdrops[0]
        self._mirror, self._paused, self._quit = self.options.mirror, False, False
        self._composer = Compositor()
        self._last: Frame | None = None
        self._size_wh = (0, 0)
        self._seen = 0

    # ------------------------------------------------------------ commands

    def command(self, text: str) -> str:
        """Does what a hot key, a line or a request asks for; returns what there is to say.

        Raises:
            ConfigError: There is no such command, or no such background; everything stays as it was.
            InputError: The background's image can't be read.
        """
        word, _, rest = text.strip().partition(" ")
        acts: dict[str, Callable[[str], str]] = {
            "background": self._set_background,
            "next": lambda _: self._next_background(),
            "pause": lambda _: self._set_paused(not self._paused),
            "resume": lambda _: self._set_paused(False),
            "mirror": lambda _: self._set_mirror(),
            "quit": lambda _: self._set_quit(),
            "status": lambda _: self.status_text(),
            "help": lambda _: f"Commands: {', '.join(COMMANDS)}; `background` takes {ALLOWED}.",
        }
        if word.lower() not in acts:
            close = difflib.get_close_matches(word.lower(), COMMANDS, 1)
            hint = f"; did you mean `{close[0]}`?" if close else "."
            raise ConfigError(f"The command must be one of {', '.join(COMMANDS)}; received {word!r}{hint}")
        return acts[word.lower()](rest.strip())

    def _set_background(self, text: str) -> str:
        if not text:
            return f"The background is {self._backdrop.text}."
        self._backdrop = _backdrop(text)  # read here, so that the picture doesn't stand still meanwhile
        return f"The background is {self._backdrop.text}."

    def _next_background(self) -> str:
        if len(self._backdrops) == 1 and self._backdrop is self._backdrops[0]:
            return "There is one background; give more with `background`."
        known = self._backdrops.index(self._backdrop) if self._backdrop in self._backdrops else -1
        self._backdrop = self._backdrops[(known + 1) % len(self._backdrops)]
        return f"The background is {self._backdrop.text}."

    def _set_paused(self, paused: bool) -> str:
        self._paused = paused
        return "Paused; others see a still picture." if paused else "Resumed."

    def _set_mirror(self) -> str:
        self._mirror = not self._mirror
        return "The preview is mirrored." if self._mirror else "The preview is as others see it."

    def _set_quit(self) -> str:
        self._quit = True
        return "Stopped."

    def status(self) -> dict[str, Any]:
        """What is going on, for the preview's page and for scripts."""
        figures = self.meter.figures() if self.state == "live" else Figures()
        return {
            "state": self.state,
            "background": self._backdrop.text,
            "mirror": self._mirror,
            "fps": round(figures.fps, 1),
            "latency_ms": round(figures.latency_ms, 1),
            "latency_p95_ms": round(figures.latency_p95_ms, 1),
            "cpu_percent_of_one_core": round(figures.cpu_percent, 1),
            "stages_ms": {name: round(ms, 2) for name, ms in figures.stages_ms.items()},
            "text": self.status_text(),
        }

    def status_text(self) -> str:
        """One line: state or figures, size and background."""
        size = "" if self._last is None else f" · {self._last.shape[1]}x{self._last.shape[0]}"
        what = str(self.meter.figures()) if self.state == "live" else self.state
        return f"{what}{size} · {self._backdrop.text}"

    # ------------------------------------------------------------ the loop

    def run(self, outputs: Callable[[tuple[int, int]], Sequence[Output]], *, frames: int | None = None) -> None:
        """Opens the camera and shows what it sees until `quit`.

        Args:
            outputs: Makes the outputs for frames of (width, height).
            frames: Ends after so many.

        Raises:
            DeviceError: Camera or output aren't there, or the camera went away and stayed away.
        """
        size_wh = self._camera.open()
        try:
            self._size_wh = size_wh
            self.outputs = list(outputs(size_wh))
            limiter = RateLimiter(self.options.fps, self.clock)
            watched_s = self.clock.now()
            while not self._quit and (frames is None or frames > 0):
                watched_s = self.clock.now() if self._is_watched() else watched_s
                idle = self._may_idle and self.clock.now() - watched_s >= self.options.idle_s
                if self._paused or idle:
                    self._rest()
                    watched_s = self.clock.now()
                    continue
                self.state = "live"
                limiter.wait()
                try:
                    found = self._camera.newest(self._seen, timeout_s=0.5)
                except DeviceError as error:
                    self._wait_for_camera(error)
                    continue
                if found is None:
                    self._wait(0)
                    continue
                self._seen = found[0]
                self._frame(found[1])
                frames = None if frames is None else frames - 1
        finally:
            self._camera.close()
            for output in self.outputs:
                output.close()

    def _frame(self, shot: LiveFrame) -> None:
        """One frame from the camera to the outputs."""
        backdrop, frame = self._backdrop, shot.frame
        if frame.shape[1::-1] != self._size_wh:  # a camera that was opened again may give another size
            frame = np.asarray(cv2.resize(frame, self._size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
        alpha = None
        if not backdrop.off:
            with self.meter.stage("mask"):
                coarse = self._mask.coarse(frame)
            with self.meter.stage("edge"):
                alpha = self._mask.enlarge(coarse, frame)
        with self.meter.stage("background"):
            picture = (
                frame if alpha is None else np.asarray(backdrop.behind([frame], alpha, self._composer)[0], np.uint8)
            )
        self._last = picture
        with self.meter.stage("output"):
            self._show(picture)
        self.meter.done(shot.taken_s)

    def _show(self, picture: Frame) -> None:
        for output in self.outputs:
            mirrored = self._mirror and output.own_view
            output.show(np.asarray(cv2.flip(picture, 1), np.uint8) if mirrored else picture)

    def _is_watched(self) -> bool:
        return any(output.watchers() != 0 for output in self.outputs)

    def _wait(self, seconds: float) -> None:
        for output in self.outputs:
            output.wait()
        self.clock.sleep(seconds)

    @property
    def _may_idle(self) -> bool:
        return self.options.idle_s > 0

    def _rest(self) -> None:
        """Lets the camera go and shows a still picture, until somebody is to see more; then opens it again."""
        self._camera.close()
        self._mask.reset()
        self.meter.reset()
        shown_s = -_STILL_S
        while not self._quit and (self._paused or (self._may_idle and not self._is_watched())):
            self.state = "paused" if self._paused else "idle: no viewers"
            if self.clock.now() - shown_s >= _STILL_S:
                shown_s = self.clock.now()
                self._show(still_picture(self._last, bars=self._paused))
            self._wait(_REST_S)
        if not self._quit:
            try:
                self._camera.open()
            except DeviceError as error:
                self._wait_for_camera(error)

    def _wait_for_camera(self, error: DeviceError) -> None:
        """Says that the camera is gone, and looks for it again and again for a while."""
        self._say(f"{error} Looking for it for {_LOST_S:.0f} seconds.")
        self.state = "no camera"
        self._camera.close()
        self._mask.reset()
        self.meter.reset()
        lost_s = tried_s = self.clock.now()
        while not self._quit:
            self._show(still_picture(self._last, bars=False))
            self._wait(_REST_S)
            if self.clock.now() - tried_s < _RETRY_S:
                continue
            tried_s = self.clock.now()
            try:
                self._camera.open()
                return
            except DeviceError:
                if tried_s - lost_s >= _LOST_S:
                    raise


def _backdrop(text: str) -> Backdrop:
    """A background that a camera's picture can have."""
    made = Backdrop(text)
    if made.kind == "transparent":
        raise ConfigError(
            "A camera's picture can't be transparent; use `blur`, a color (`#00b140` for chroma key in OBS), "
            "an image file, or `off` to show the room."
        )
    return made
