"""A driver that is killed, with S3 (moto's server) on both sides, and without Ray, which test_ray.py has."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("s3fs")
moto = pytest.importorskip("moto.server")

from cluster_work import CopyWork  # noqa: E402
from standout.cluster.engines import in_this_process  # noqa: E402
from standout.cluster.manifest import MANIFEST_NAME  # noqa: E402
from standout.cluster.process import process_on_cluster  # noqa: E402
from standout.cluster.storage import Place, read_table  # noqa: E402

pytestmark = pytest.mark.slow
PHOTOS = 30
DRIVER = """
    import sys
    sys.path.insert(0, {tests!r})
    from cluster_work import CopyWork
    from standout.cluster.engines import in_this_process
    from standout.cluster.process import process_on_cluster
    process_on_cluster(
        "s3://standout/in", "s3://standout/out", work=CopyWork(seconds=0.1, log={log!r}), engine=in_this_process,
        progress=lambda outcome, ended, total: print(ended, flush=True),
    )
"""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A bucket; this process and those that it starts find it by the environment."""
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-access-key-of-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests-only")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    place = Place("s3://standout")
    place._fs.mkdir("standout")
    yield place
    server.stop()


def rows(target: Place) -> list[str]:
    files = [entry.path for entry in target.entries(MANIFEST_NAME)]
    return [path for file in files for path in read_table(target.read(file)).column("path").to_pylist()]


def test_the_same_call_goes_on_where_a_killed_driver_stopped(s3: Place, tmp_path: Path) -> None:
    for number in range(PHOTOS):
        s3.write(f"in/p{number:02d}.jpg", b"%d" % number)
    log = tmp_path / "begun"
    code = textwrap.dedent(DRIVER).format(tests=str(Path(__file__).parents[1]), log=str(log))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        for line in driver.stdout:
            if int(line) >= PHOTOS // 2:
                break
        assert driver.poll() is None
        driver.kill()
    target = Place("s3://standout/out")
    kept = rows(target)
    assert 0 < len(kept) < PHOTOS, "the manifest was written as the job went"
    log.unlink()
    report = process_on_cluster("s3://standout/in", target.address, work=CopyWork(log=str(log)), engine=in_this_process)
    assert report.count("unchanged") == len(kept) and report.count("done") == PHOTOS - len(kept)
    assert not set(log.read_text().split()) & set(kept), "what has a row isn't done again"
    everything = rows(target)
    assert len(everything) == len(set(everything)) == PHOTOS
    cut_outs = {entry.path: entry.size for entry in target.entries() if entry.path.endswith(".png")}
    assert cut_outs == {f"p{number:02d}.png": len(str(number)) for number in range(PHOTOS)}
