"""How a server is run: every limit in one place, checked before anything starts."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from standout.errors import ConfigError

#: The environment variable with the keys that clients may use, separated by commas.
KEYS_VARIABLE = "STANDOUT_API_KEYS"

#: As browsers send it: in lower case.
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_UNITS = {"second": 1, "s": 1, "minute": 60, "min": 60, "m": 60, "hour": 3600, "h": 3600}


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    seconds: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class ServerOptions:
    """How a server is run.

    Attributes:
        host: The address that is listened on.
        port: 0 lets the system choose one.
        workers: Worker processes, one picture each at a time; None chooses by the cores.
        threads: How many threads each worker may use; None chooses by the cores.
        model: The model that is used unless a request names another: a bundled name or an ONNX file.
        device: The device to compute on, as `standout.load` takes it; by default the processor.
        matting: Load what the option `matting` needs (the extra `matting`): half a minute and 400 MB in each worker.
        max_megapixels: Width × height of a picture, in millions.
        max_megabytes: Bytes of a request's body, in millions (of JSON a third more, for base64).
        timeout_s: Seconds for a whole request.
        body_timeout_s: Seconds in which a request's headers, and then its body, must have arrived.
        queue: Requests that may wait while all workers are busy.
        api_keys: Clients must send one of these; empty asks for none.
        no_key: Allows an address that others can reach without a key.
        rate: How often each key, or each address without keys, may ask; None sets no limit.
        allow_urls: Pictures may be named by an address, which this server then fetches.
        cors: Origins (`https://shop.example`) whose pages may call this server.
        allowed_hosts: Names by which this server may be called besides its address; for reverse proxies.

    Example:
        >>> ServerOptions(max_megapixels=12).max_pixels
        12000000
        >>> ServerOptions(host="0.0.0.0")
        Traceback (most recent call last):
        standout.errors.ConfigError: The address 0.0.0.0 can be reached by others, so a key is needed: give `api_keys` \
(or set STANDOUT_API_KEYS), or say that none is wanted with `no_key`.
    """

    host: str = "127.0.0.1"
    port: int = 7000
    workers: int | None = None
    threads: int | None = None
    model: str = "photo"
    device: str | None = None
    matting: bool = False
    max_megapixels: float = 50.0
    max_megabytes: float = 25.0
    timeout_s: float = 60.0
    body_timeout_s: float = 20.0
    queue: int = 16
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    no_key: bool = False
    rate: Rate | None = None
    allow_urls: bool = False
    cors: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _within("port", self.port, 0, 65535)
        _within("max_megapixels", self.max_megapixels, 0.01, 1000)
        _within("max_megabytes", self.max_megabytes, 0.01, 2000)
        _within("timeout_s", self.timeout_s, 0.1, 3600)
        _within("body_timeout_s", self.body_timeout_s, 0.1, 3600)
        _within("queue", self.queue, 0, 10_000)
        for name in ("workers", "threads"):
            if getattr(self, name) is not None:
                _within(name, getattr(self, name), 1, 256)
        for key in self.api_keys:
            if len(key) < 8 or not key.isascii() or not key.isprintable() or " " in key:
                raise ConfigError(
                    f"A key must have at least 8 printable ASCII characters without spaces; received one of {len(key)}."
                )
        for origin in self.cors:
            if not _ORIGIN.fullmatch(origin):
                raise ConfigError(
                    "`cors` takes an origin such as `https://shop.example` or `http://localhost:5173`, written out, "
                    f"without a path; received {origin!r}."
                )
        if not (self.is_loopback or self.api_keys or self.no_key):
            raise ConfigError(
                f"The address {self.host} can be reached by others, so a key is needed: give `api_keys` "
                f"(or set {KEYS_VARIABLE}), or say that none is wanted with `no_key`."
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def max_pixels(self) -> int:
        return round(self.max_megapixels * 1e6)

    @property
    def max_bytes(self) -> int:
        return round(self.max_megabytes * 1e6)

    @property
    def model_name(self) -> str:
        """What clients call the default model."""
        return Path(self.model).stem if self.model.endswith(".onnx") else self.model

    def worker_count(self, cores: int) -> int:
        """How many worker processes: as asked, else one per core, at most 4."""
        return self.workers or max(1, min(cores, 4))

    def thread_count(self, cores: int) -> int:
        """Threads of each worker: as asked, else all cores (at most 4), so that a single client gets them all."""
        return self.threads or max(1, min(cores, 4))


def keys_of_environment() -> tuple[str, ...]:
    """The keys in `STANDOUT_API_KEYS`."""
    return tuple(key.strip() for key in os.environ.get(KEYS_VARIABLE, "").split(",") if key.strip())


def parse_rate(text: str) -> Rate:
    """Reads `60/minute`, `5/s` or `1000/hour`.

    Raises:
        ConfigError: It is no such rate.

    Example:
        >>> parse_rate("60/minute")
        Rate(requests=60, seconds=60)
    """
    number, _, unit = text.replace(" ", "").lower().partition("/")
    if not (number.isascii() and number.isdecimal()) or int(number) < 1 or unit not in _UNITS:
        raise ConfigError(f"`rate` must look like `60/minute`, `5/second` or `1000/hour`; received {text!r}.")
    return Rate(int(number), _UNITS[unit])


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"`{name}` must lie in {low:g} … {high:g}; received {value:g}.")
