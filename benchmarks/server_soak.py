"""10,000 requests of 1,000 sizes and formats: the memory of the server and of each worker, as a curve.

    python benchmarks/server_soak.py --svg docs/pictures/server-memory.svg

starts a server and asks it all. In pieces, with a server that goes on running between them:

    standout serve --port 7000 &
    python benchmarks/server_soak.py --url http://127.0.0.1:7000 --state soak.json --seconds 480   # again until 10,000
    python benchmarks/server_soak.py --state soak.json --requests 0 --svg docs/pictures/server-memory.svg

It goes on where the state ends, and stops at 10,000 in all; `--requests` and `--seconds` end a piece earlier. With
`--set NAME=VALUE` the server that it starts gets an environment variable, to compare settings of the allocator:
`--set MALLOC_ARENA_MAX=8 --requests 300`.

What counts: the most memory of a worker after the last requests, against that after the first 500.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
from PIL import Image

#: Requests in all, and those after which the memory shall be flat.
ALL, WARM = 10_000, 500
#: (how the picture is encoded, the options of the request)
KINDS = (
    ("JPEG", ""), ("PNG", ""), ("WEBP", "format=webp"), ("TIFF", "background=white&format=jpg"),
    ("JPEG", "background=blur"), ("L", "mask=true"), ("RGBA", ""), ("PNG16", "crop=true"), ("BMP", "shadow=true"),
    ("CMYK", "format=tiff"),
)  # fmt: skip


def request(number: int, base: np.ndarray, most_px: int) -> tuple[bytes, str]:
    """The picture and the query of one of the thousand; the same number is the same request."""
    rng = np.random.default_rng(number)
    longest = int(np.exp(rng.uniform(np.log(64), np.log(most_px))))
    ratio = float(np.exp(rng.uniform(np.log(0.4), np.log(2.5))))
    width, height = (
        (longest, max(16, round(longest / ratio))) if ratio >= 1 else (max(16, round(longest * ratio)), longest)
    )
    frame = cv2.resize(
        base, (width, height), interpolation=cv2.INTER_AREA if width < base.shape[1] else cv2.INTER_LINEAR
    )
    kind, query = KINDS[number % len(KINDS)]
    if kind == "PNG16":
        return cv2.imencode(".png", frame[..., ::-1].astype(np.uint16) * 257)[1].tobytes(), query
    image = Image.fromarray(frame)
    mode = {"L": "L", "RGBA": "RGBA", "CMYK": "CMYK"}.get(kind)
    image = image.convert(mode) if mode else image
    buffer = BytesIO()
    image.save(buffer, {"L": "PNG", "RGBA": "PNG", "CMYK": "JPEG"}.get(kind, kind))
    return buffer.getvalue(), query


def memory(host: str, port: int, pid: int | None) -> list[float]:
    """Megabytes: of each worker, and of the server itself if its process is known."""
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = [float(v) / 1e6 for v in re.findall(r'standout_worker_memory_bytes\{worker="\d+"\} ([\d.e+]+)', text)]
    if pid is not None:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        found.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
    return [round(value, 1) for value in found]


def soak(host: str, port: int, pid: int | None, state: dict, options: argparse.Namespace) -> None:
    """Goes on from where `state` ends."""
    data = (files("standout") / "assets" / "astronaut.jpg").read_bytes()
    base = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
    start = state["done"]
    numbers = itertools.count(start)
    lock = threading.Lock()
    end = time.monotonic() + options.seconds
    order = np.random.default_rng(5).permutation(options.kinds)

    def client() -> None:
        connection = http.client.HTTPConnection(host, port, timeout=300)
        while True:
            with lock:
                number = next(numbers)
                if number >= min(start + options.requests, ALL) or time.monotonic() > end:
                    break
            image, query = request(int(order[number % options.kinds]), base, options.longest)
            while True:
                connection.request("POST", f"/v1/cut-out?{query}", image, {"Content-Type": "application/octet-stream"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 429:
                    break
                time.sleep(0.1)
            with lock:
                state["statuses"][str(answer.status)] = state["statuses"].get(str(answer.status), 0) + 1
                state["done"] += 1
                if state["done"] % options.every == 0:
                    state["curve"].append([state["done"], *memory(host, port, pid)])
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def verdict(state: dict) -> str:
    """The growth of each process since the first 500 requests."""
    curve = state["curve"]
    after = [point for point in curve if point[0] >= WARM] or curve
    if not after:
        return "nothing was measured"
    first, last = after[0], after[-1]
    words = [
        f"{'worker ' + str(i + 1) if i < len(first) - 2 or not state.get('server') else 'server'}: "
        f"{a:.0f} -> {b:.0f} MB ({b / a - 1:+.1%})"
        for i, (a, b) in enumerate(zip(first[1:], last[1:], strict=False))
    ]
    most = max(max(point[1:-1] if state.get("server") else point[1:]) for point in after)
    table = (
        "| requests | answered with | MB of the workers after request {} | at the end | most between |\n"
        "|---|---|---|---|---|\n| {:,} | {} | {} | {} | {:.0f} |"
    ).format(
        first[0],
        state["done"],
        ", ".join(f"{count:,} × {status}" for status, count in sorted(state["statuses"].items())),
        *(
            ", ".join(f"{mb:.0f}" for mb in (point[1:-1] if state.get("server") else point[1:]))
            for point in (first, last)
        ),
        most,
    )
    return f"{table}\n\nSince request {first[0]}: " + ", ".join(words) + "."


def svg(state: dict) -> str:
    """The curve, without a library."""
    curve = state["curve"]
    width, height, left, bottom = 720, 300, 60, 40
    most_x, most_y = max(p[0] for p in curve), 1.15 * max(max(p[1:]) for p in curve)

    def at(x: float, y: float) -> str:
        return (
            f"{left + x / most_x * (width - left - 20):.1f},{height - bottom - y / most_y * (height - bottom - 20):.1f}"
        )

    lines = []
    colors = ("#2563eb", "#0d9488", "#9333ea", "#64748b", "#d97706")
    for column in range(1, max(len(p) for p in curve)):
        points = " ".join(at(p[0], p[column]) for p in curve if len(p) > column)
        color = colors[(column - 1) % len(colors)]
        lines.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{points}"/>')
    step = 10 ** int(np.log10(most_y)) / 2
    for value in np.arange(0, most_y, step):
        x, y = at(0, value).split(",")
        lines.append(f'<text x="{left - 8}" y="{float(y) + 4}" text-anchor="end">{value:.0f}</text>')
        lines.append(f'<line x1="{x}" x2="{width - 20}" y1="{y}" y2="{y}" stroke="#cbd5e1" stroke-width=".5"/>')
    for value in np.linspace(0, most_x, 6):
        x = at(value, 0).split(",")[0]
        lines.append(f'<text x="{x}" y="{height - 20}" text-anchor="middle">{value:,.0f}</text>')
    lines.append(f'<text x="{width - 20}" y="{height - 4}" text-anchor="end">requests; MB of each process</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" fill="#475569"><rect width="100%" height="100%" fill="#fff"/>{"".join(lines)}</svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="of a server that runs; else one is started")
    parser.add_argument("--requests", type=int, default=ALL, help="of this piece at most")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of this piece at most")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="for the server's environment")
    parser.add_argument("--kinds", type=int, default=1_000, help="different requests")
    parser.add_argument("--longest", type=int, default=2400, help="pixels of the longest side")
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=100, help="requests between two looks at the memory")
    parser.add_argument("--state", type=Path, help="JSON that is gone on with")
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    state: dict = {"done": 0, "statuses": {}, "curve": []}
    if options.state and options.state.exists():
        state = json.loads(options.state.read_text())
    if options.requests and options.url:
        parts = urlsplit(options.url)
        soak(parts.hostname or "127.0.0.1", parts.port or 80, None, state, options)
    elif options.requests:
        command = [sys.executable, "-m", "standout", "serve", "--port", "0", "--workers", str(options.workers)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | dict(pair.split("=", 1) for pair in options.set),
        )
        line = process.stdout.readline() if process.stdout else ""
        address = urlsplit(line.partition(" at ")[2].partition(";")[0])
        state["server"] = True
        try:
            soak("127.0.0.1", address.port or 0, process.pid, state, options)
        finally:
            process.terminate()
            process.wait(60)
    print(verdict(state))
    if options.state:
        options.state.write_text(json.dumps(state))
    if options.svg and state["curve"]:
        options.svg.write_text(svg(state), encoding="utf-8")


if __name__ == "__main__":
    main()
