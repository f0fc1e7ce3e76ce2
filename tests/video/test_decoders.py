"""A graphics card's decoder is taken where it works, and said where it doesn't. The card here is a stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from clips import make_clip
from fakes import FakeModel
from standout.errors import ConfigError
from standout.video import decoders
from standout.video.options import VideoOptions
from standout.video.process import VideoResult, process_video
from standout.video.reader import VideoReader


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "in.mp4", 4)


def processed(clip: Path, decoder: str) -> VideoResult:
    options = VideoOptions(decoder=decoder)
    return process_video(clip, clip.with_name("out.mp4"), background="blur", model=FakeModel(), options=options)


class Card:
    """What `av.open` gives with an accelerator: the film, decoded into NV12 as graphics cards do."""

    def __init__(self, container: Any, works: bool) -> None:
        self._container, self._works = container, works

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def __enter__(self) -> Card:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def decode(self, stream: Any) -> Any:
        if not self._works:
            raise RuntimeError("Hardware accelerated decode requested but no stream is compatible")
        return self._container.decode(stream)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes PyAV have these accelerators, of which some work; returns those that films were opened with."""
    opened: list[str] = []
    real = av.open

    def have(*names: str, working: tuple[str, ...] = ()) -> list[str]:
        monkeypatch.setattr(decoders, "_built_in", lambda: list(names))
        monkeypatch.setattr(decoders, "_accelerator", lambda name, strict=False: name)
        monkeypatch.setattr(
            decoders, "_problem", lambda place, name: "" if name in working else "doesn't work for this film"
        )

        def open_with(place: Any, *rest: Any, hwaccel: str | None = None, **words: Any) -> Any:
            if hwaccel:
                opened.append(hwaccel)
            return real(place, *rest, **words)

        monkeypatch.setattr(av, "open", open_with)
        return opened

    return have


def test_a_decoder_that_works_is_taken(clip: Path, card: Any) -> None:
    opened = card("cuda", "vaapi", working=("vaapi",))
    result = processed(clip, "vaapi")
    assert opened == ["vaapi"] and result.frames == 4 and result.complete and not result.notes


def test_auto_takes_the_first_that_works_and_says_which(clip: Path, card: Any) -> None:
    opened = card("cuda", "vaapi", working=("vaapi",))
    result = processed(clip, "auto")
    assert opened == ["vaapi"] and "decoded by vaapi" in result.notes
    assert not card("cuda") or processed(clip, "auto").notes == ()


def test_what_doesn_t_work_is_said_and_the_processor_does_it(clip: Path, card: Any) -> None:
    opened = card("cuda")
    for name in ("cuda", "videotoolbox"):
        result = processed(clip, name)
        assert result.frames == 4 and result.complete
        assert any(f"decoder {name}" in note and "processor" in note for note in result.notes)
    assert opened == []


def test_without_a_card_the_real_ones_of_this_pyav_are_said_too(clip: Path) -> None:
    """Nothing is faked: whatever this machine has, the film comes out whole, and a fallback has its sentence."""
    for name in decoders._built_in():
        if name in decoders.DECODERS:
            with VideoReader(clip, decoder=name) as reader:
                assert len(list(reader)) == 4
                assert bool(reader.decoder_note) != bool(reader.stream.codec_context.is_hwaccel)


def test_a_decoder_that_only_pretends_is_found_out(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = av.open
    monkeypatch.setattr(decoders, "_accelerator", lambda name, strict=False: name)
    for works in (True, False):
        monkeypatch.setattr(av, "open", lambda place, hwaccel=None, works=works: Card(real(place), works))
        assert "for this film" in decoders._problem(str(clip), "cuda")


def test_frames_in_a_card_s_layout_become_the_film_s(clip: Path) -> None:
    """Cards give NV12 where the processor gives 4:2:0 in three planes: the layers are the same."""
    with VideoReader(clip) as reader:
        timed = next(iter(reader))
        plain = [layer.copy() for layer in timed.layers]
        other = reader.film.signal.converted(
            timed._picture.reformat(format="nv12"), reader.film.tags, *reader.film.decoded_wh
        )
        for one, two in zip(plain, reader.film.signal.planes(other), strict=True):
            assert np.abs(one.astype(int) - two).max() <= 1


def test_what_is_no_decoder_is_said() -> None:
    with pytest.raises(ConfigError, match="`decoder` must be one of"):
        VideoOptions(decoder="gpu")
