"""A photo of 100 megapixels goes through in less than 2 GB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from PIL import Image

#: Runs the command in this process and prints the largest resident set that it had, in bytes. On Linux from VmHWM:
#: ru_maxrss starts with what the parent held when it forked, and a test runner with TensorFlow in it holds gigabytes.
PROBE = """
import pathlib, resource, sys
from standout.cli import run
code = run(sys.argv[1:])
status = pathlib.Path("/proc/self/status")
if status.exists():
    print(next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs resource")
def test_100_megapixels_in_less_than_2_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "large.jpg"
    portrait = Path(__file__).parents[2] / "src" / "standout" / "assets" / "astronaut.jpg"
    large = cv2.resize(cv2.imread(str(portrait)), (11600, 8700), interpolation=cv2.INTER_LINEAR)
    cv2.imwrite(str(photo), large, [cv2.IMWRITE_JPEG_QUALITY, 90])
    del large
    target = tmp_path / "out.png"
    command = [sys.executable, "-c", PROBE, "photo", str(photo), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 1e9 < int(done.stdout) < 2e9  # the decoded photo and its cut-out alone are 0.7 GB
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # Pillow warns of large pictures
    with Image.open(target) as written:
        assert (written.size, written.mode) == ((11600, 8700), "RGBA")
