"""A real Ray cluster of several nodes in one machine: photos in S3 (moto's server), killed nodes and drivers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ray = pytest.importorskip("ray")
pytest.importorskip("s3fs")
moto = pytest.importorskip("moto.server")

from ray import cloudpickle  # noqa: E402

import cluster_work  # noqa: E402
from cluster_work import CopyWork  # noqa: E402
from standout.cluster.manifest import MANIFEST_NAME  # noqa: E402
from standout.cluster.options import ClusterOptions  # noqa: E402
from standout.cluster.process import process_on_cluster  # noqa: E402
from standout.cluster.ray_engine import RayEngine  # noqa: E402
from standout.cluster.storage import Place, read_table  # noqa: E402
from standout.errors import ConfigError  # noqa: E402
from standout.folder.options import FolderOptions  # noqa: E402
from standout.folder.report import FolderReport  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # Each starts processes for a minute: `make test-cluster` runs them. 2,000 photos: `benchmarks/cluster.py killed`.
    pytest.mark.skipif(os.environ.get("STANDOUT_RAY_TESTS") != "1", reason="a real Ray cluster: `make test-cluster`"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PHOTOS = 60
BROKEN = (7, 41)


@pytest.fixture(scope="module")
def s3() -> Iterator[Place]:
    """A bucket in moto's server; this process and those that it starts find it by the environment."""
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "an-access-key-of-tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests-only")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        place = Place("s3://standout")
        place._fs.mkdir("standout")
        yield place
    server.stop()


#: Ray gives a node half a minute to begin, which isn't enough where the cores are busy with other things.
NODE_BEGINS_S = 300


@pytest.fixture(scope="module")
def cluster(s3: Place) -> Iterator[Any]:
    """Two nodes that work, one core each; the first is the head. The other one may be killed."""
    from ray._private import services
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cloudpickle.register_pickle_by_value(cluster_work)  # the nodes needn't have the tests
    ask = services.get_node

    def ask_patiently(*arguments: Any, **named: Any) -> Any:
        until = time.monotonic() + NODE_BEGINS_S
        while True:
            try:
                return ask(*arguments, **named)
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    spared = {"num_cpus": 1, "include_dashboard": False, "include_log_monitor": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "get_node", ask_patiently)
        nodes = Cluster(initialize_head=True, head_node_args={"no_monitor": True, **spared})
        nodes.add_node(**spared)
        ray.init(address=nodes.address, log_to_driver=False)
        yield nodes
        ray.shutdown()
        nodes.shutdown()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small photos in two folders, two of which are broken."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "sub").mkdir()
    for number in range(PHOTOS):
        name = f"{'broken' if number in BROKEN else 'p'}{number:04d}.jpg"
        (folder / ("sub" if number % 2 else "") / name).write_bytes(b"%d" % number)
    return folder


def run(source: Any, target: Any, work: CopyWork, **options: Any) -> FolderReport:
    cluster = ClusterOptions(max_workers=options.pop("max_workers", 2), min_workers=options.pop("min_workers", 2))
    settings = FolderOptions(recursive=True)
    return process_on_cluster(source, target, work=work, options=settings, cluster=cluster, **options)


def check(target: Place) -> list[dict[str, Any]]:
    """Every photo has exactly one row, and every output is whole."""
    files = [entry.path for entry in target.entries(MANIFEST_NAME)]
    rows = [row for file in files for row in read_table(target.read(file)).to_pylist()]
    assert len(rows) == len({row["path"] for row in rows}) == PHOTOS
    done = [row for row in rows if row["status"] == "done"]
    assert len(done) == PHOTOS - 2
    there = {entry.path: entry.size for entry in target.entries() if entry.path.endswith(".png")}
    assert there == {row["output"]: row["output_size"] for row in done}
    for row in done[::7]:
        assert int(target.read(row["output"])) == int(Path(row["path"]).stem[1:])
        assert Path(row["path"]).parent == Path(row["output"]).parent
    return rows


def test_a_node_that_is_killed_costs_nothing(cluster: Any, photos: Path, tmp_path: Path) -> None:
    killed = []

    def kill_one(_: object, ended: int, __: int) -> None:
        if ended >= PHOTOS // 4 and not killed:
            killed.append(next(iter(cluster.worker_nodes)))
            cluster.remove_node(killed[0], allow_graceful=False)

    report = run(photos, tmp_path / "out", CopyWork(seconds=0.1), progress=kill_one)
    assert killed
    assert (report.count("done"), report.count("failed"), report.count("pending")) == (PHOTOS - 2, 2, 0)
    assert sorted(Path(outcome.photo).name for outcome in report.failed) == ["broken0007.jpg", "broken0041.jpg"]
    check(Place(tmp_path / "out"))
    cluster.add_node(num_cpus=1)
    again = run(photos, tmp_path / "out", CopyWork())
    assert (again.count("done"), again.count("unchanged"), again.count("failed")) == (0, PHOTOS - 2, 2)


def test_a_photo_that_kills_its_process_costs_one_photo(cluster: Any, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(12):
        (source / f"{'killed' if number == 5 else 'p'}{number}.jpg").write_bytes(b"x")
    report = run(source, tmp_path / "out", CopyWork())
    assert (report.count("done"), report.count("failed")) == (11, 1)
    assert "ended the process that worked on it, twice: it was killed" in report.failed[0].error


def test_a_worker_that_has_no_room_is_told(cluster: Any) -> None:
    with (
        pytest.raises(ConfigError, match="has room for a worker with 64 CPUs"),
        RayEngine(ClusterOptions(cpus_per_worker=64)),
    ):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_a_summary(
    cluster: Any, tmp_path: Path, model_file: Path, number: signal.Signals
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in range(200):
        Image.new("RGB", (900, 900), (name, 80, 90)).save(source / f"{name}.png")
    words = [
        "folder",
        source,
        out,
        "--cluster",
        "--ray-address",
        cluster.address,
        "--max-workers",
        "1",
        "-m",
        model_file,
    ]
    command = [sys.executable, "-m", "standout", *map(str, words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 200
        while len(list(out.glob("*.png"))) < 3:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(number)
        told = process.communicate(timeout=100)[1]
    assert process.returncode == 130, told
    assert "not started; rerun the same command to resume." in told and "Traceback" not in told


DRIVER = """
    import sys
    from ray import cloudpickle
    sys.path.insert(0, {tests!r})
    import cluster_work
    cloudpickle.register_pickle_by_value(cluster_work)
    from standout.cluster.options import ClusterOptions
    from standout.cluster.process import process_on_cluster
    from standout.folder.options import FolderOptions
    process_on_cluster(
        {source!r}, {target!r}, work=cluster_work.CopyWork(seconds=0.1), options=FolderOptions(recursive=True),
        cluster=ClusterOptions(address={address!r}, max_workers=2),
        progress=lambda outcome, ended, total: print(ended, flush=True),
    )
"""


def test_a_driver_that_is_killed_is_started_again_with_s3_on_both_sides(
    cluster: Any, s3: Place, photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    s3._fs.put(f"{photos}/", "standout/in/", recursive=True)
    source, target = f"{s3.address}/in", f"{s3.address}/out"
    code = textwrap.dedent(DRIVER).format(
        tests=str(Path(__file__).parents[1]), source=source, target=target, address=cluster.address
    )
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert driver.stdout is not None and driver.stderr is not None
    for line in driver.stdout:
        if int(line) >= PHOTOS // 3:
            break
    assert driver.poll() is None, driver.stderr.read()
    driver.send_signal(signal.SIGKILL)
    said = driver.stderr.read()
    driver.wait()
    driver.stdout.close()
    driver.stderr.close()
    kept = sum(read_table(Place(target).read(entry.path)).num_rows for entry in Place(target).entries(MANIFEST_NAME))
    assert 0 < kept < PHOTOS, "the manifest was written as the job went"
    deadline = time.monotonic() + 60
    while ray.cluster_resources().get("CPU", 0) > ray.available_resources().get("CPU", 0):
        assert time.monotonic() < deadline, "the workers of a dead driver end"
        time.sleep(0.2)
    report = run(source, target, CopyWork())
    assert report.count("done") + report.count("unchanged") == PHOTOS - 2 and report.count("unchanged") >= kept - 2
    rows = check(Place(target))
    output = capfd.readouterr()
    everything = said + output.out + output.err + report.to_json() + repr(rows)
    assert "a-secret-of-tests-only" not in everything and "an-access-key-of-tests" not in everything
