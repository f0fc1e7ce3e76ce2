"""The preview window shows frames and takes keys; without one it is said. Where there is no display, Tk is a fake."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from standout.errors import ConfigError, DeviceError
from standout.webcam.window import Window


class FakeTk:
    """As much of `tkinter.Tk` and `Label` as the window uses."""

    def __init__(self, **_: Any) -> None:
        self.bound: Any = None
        self.protocols: dict[str, Any] = {}
        self.titles: list[str] = []
        self.now = "normal"
        self.updates = 0
        self.destroyed = False

    def title(self, text: str) -> None:
        self.titles.append(text)

    def protocol(self, name: str, call: Any) -> None:
        self.protocols[name] = call

    def bind(self, event: str, call: Any) -> None:
        assert event == "<Key>"
        self.bound = call

    def press(self, char: str) -> None:
        self.bound(types.SimpleNamespace(char=char))

    def winfo_width(self) -> int:
        return 400

    def winfo_height(self) -> int:
        return 400

    def update(self) -> None:
        self.updates += 1

    def state(self) -> str:
        return self.now

    def destroy(self) -> None:
        self.destroyed = True

    def pack(self, **_: Any) -> None:
        pass

    def configure(self, **settings: Any) -> None:
        self.image = settings["image"]


class FakePhoto:
    def __init__(self, picture: Any) -> None:
        self.picture = picture

    def width(self) -> int:
        return int(self.picture.width)

    def height(self) -> int:
        return int(self.picture.height)

    def paste(self, picture: Any) -> None:
        self.picture = picture


@pytest.fixture
def tk(monkeypatch: pytest.MonkeyPatch) -> FakeTk:
    import PIL

    root = FakeTk()
    module = types.ModuleType("tkinter")
    module.Tk, module.Label = lambda **_: root, lambda *_, **__: root  # type: ignore[attr-defined]
    images = types.ModuleType("PIL.ImageTk")
    images.PhotoImage = FakePhoto  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tkinter", module)
    monkeypatch.setitem(sys.modules, "PIL.ImageTk", images)
    monkeypatch.setattr(PIL, "ImageTk", images, raising=False)
    return root


def test_it_shows_the_frame_in_its_proportions(tk: FakeTk) -> None:
    window = Window(str)
    for level in (1, 2):
        window.show(np.full((72, 128, 3), level, np.uint8))
        assert tk.image.picture.size == (400, 225)
        assert tk.image.picture.getpixel((10, 10)) == (level,) * 3
    assert tk.updates == 2 and window.watchers() == 1
    tk.now = "iconic"
    assert window.watchers() == 0
    window.close()
    assert tk.destroyed and window.watchers() == 0
    window.show(np.zeros((72, 128, 3), np.uint8))  # after the end nothing happens


def test_keys_are_commands(tk: FakeTk) -> None:
    told: list[str] = []
    Window(lambda command: told.append(command) or "")
    for key in ("b", "P", " ", "m", "x", "", "q", "\x1b"):
        tk.press(key)
    tk.protocols["WM_DELETE_WINDOW"]()
    assert told == ["next", "pause", "pause", "mirror", "quit", "quit", "quit"]


def test_an_error_stands_in_the_title(tk: FakeTk) -> None:
    def fail(command: str) -> str:
        raise ConfigError("no such background")

    Window(fail)
    tk.press("b")
    assert "no such background" in tk.titles[-1]


def test_without_tk_or_display_the_browser_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(DeviceError, match="--preview browser"):
        Window(str)
