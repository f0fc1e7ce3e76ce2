"""What Prometheus may know: requests, latency by stage, the queue, refusals by reason, the memory of each worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from standout.server.bodies import Intake
from standout.server.pool import BoundedPool

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One server's numbers, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "standout_requests", "Requests that were answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "standout_request_seconds", "From the first byte to the last.", ["route"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.stage_seconds = Histogram(
            "standout_stage_seconds", "Of a picture: wait, read, model, compose, encode.", ["stage"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.refusals = Counter("standout_refusals", "Requests refused, by reason.", ["code"], registry=self.registry)
        self.pixels = Counter("standout_pixels", "Pixels of the pictures that were read.", registry=self.registry)
        self.people = Counter(
            "standout_pictures", "Pictures, by whether somebody was found.", ["person"], registry=self.registry
        )
        self.worker_deaths = Counter(
            "standout_worker_deaths", "Workers that died and were replaced.", registry=self.registry
        )

    def watch(self, pool: BoundedPool, intake: Intake, in_flight: list[int]) -> None:
        """Adds what is asked for at the moment of the question."""
        self.registry.register(_Now(pool, intake, in_flight))

    def picture(self, stages: Mapping[str, float], wait_s: float, pixels: int, person: bool) -> None:
        """A picture was answered."""
        self.stage_seconds.labels("wait").observe(wait_s)
        for stage, seconds in stages.items():
            self.stage_seconds.labels(stage).observe(seconds)
        self.pixels.inc(pixels)
        self.people.labels(str(person).lower()).inc()

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return generate_latest(self.registry)


class _Now(Collector):
    def __init__(self, pool: BoundedPool, intake: Intake, in_flight: list[int]) -> None:
        self._pool, self._intake, self._in_flight = pool, intake, in_flight

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge("standout_queue", "Pictures that wait for a worker.", self._pool.waiting)
        yield _gauge("standout_workers_busy", "Workers that are at a picture.", self._pool.busy)
        yield _gauge("standout_in_flight", "Requests that are being answered.", self._in_flight[0])
        yield _gauge("standout_body_bytes", "Bytes of bodies held in memory.", self._intake.held)
        memory = GaugeMetricFamily("standout_worker_memory_bytes", "Resident memory.", labels=["worker"])
        for number, count in self._pool.memory().items():
            memory.add_metric([str(number)], count)
        yield memory

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ()


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
