"""What the webcam shows its frames to: a window, the browser preview, a virtual camera."""

from __future__ import annotations

from typing import Protocol

from standout.imaging.arrays import Frame


class Output(Protocol):
    """Something that shows frames; called from one thread.

    Attributes:
        own_view: The user looks at it himself, so it may be mirrored; what others see never is.
    """

    own_view: bool

    def show(self, frame: Frame) -> None:
        """Shows a frame, uint8 RGB (H, W, 3); may keep it, and doesn't write to it."""

    def wait(self) -> None:
        """Called some times a second while there is nothing to show, so that windows stay alive."""

    def watchers(self) -> int | None:
        """How many look at it; None if that can't be known."""

    def close(self) -> None:
        """Gives everything back."""
