"""Encoding a film as root, as in a container, leaves the machine to others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from clips import make_clip
from fakes import FakeModel
from standout.video.options import EncodingOptions, VideoOptions
from standout.video.process import process_video
from standout.video.pyav import av

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="Linux alone has these priorities")


def real_time_threads() -> list[str]:
    return [thread for thread in os.listdir("/proc/self/task") if os.sched_getscheduler(int(thread)) != os.SCHED_OTHER]


def may_be_real_time() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


@pytest.mark.skipif("libsvtav1" not in av.codecs_available, reason="this PyAV has no SVT-AV1")
def test_av1_makes_nothing_real_time(tmp_path: Path) -> None:
    if not may_be_real_time():
        pytest.skip("this user may not make threads real-time, so neither may the encoder")
    seen: list[str] = []

    class Watched(FakeModel):
        def coarse(self, frame: Any) -> Any:
            seen.extend(real_time_threads())
            return super().coarse(frame)

    clip = make_clip(tmp_path / "in.mp4", 3)
    options = VideoOptions(encoding=EncodingOptions(encoder="libsvtav1"))
    result = process_video(clip, tmp_path / "out.mp4", background="blur", model=Watched(), options=options)
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.streams.video[0].codec_context.name in ("av1", "libdav1d")
    assert result.frames == 3
    assert not seen
    assert not real_time_threads()
