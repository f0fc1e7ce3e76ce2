"""Who may ask: keys, a rate for each, and the names and origins by which this server may be called."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from standout.server.options import Rate, ServerOptions
from standout.server.problems import Problem

#: Names of the loopback addresses, for a server that listens there.
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
#: Clients whose rate is remembered; the one not seen for longest is forgotten first.
_MOST_CLIENTS = 10_000
#: Wrong keys that each address may send where no rate is set.
WRONG_KEYS = Rate(60, 60)
#: What asks whether the server is well asks it by a loopback name, also where proxies call it by another.
_HEALTH_PATHS = ("/health", "/ready")


class Keys:
    """The keys that are accepted, kept as digests and compared in constant time.

    Args:
        keys: The keys; none: nobody is asked for one.
        rate: How often each address may send a wrong one; None takes `WRONG_KEYS`.
    """

    def __init__(self, keys: tuple[str, ...], rate: Rate | None = None) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]
        self._wrong = RateLimiter(rate or WRONG_KEYS)

    def check(self, headers: Headers, address: str) -> bytes | None:
        """The digest of the request's key; None where no keys are asked for.

        An address that has sent too many wrong keys is refused before its key is looked at, or guessing would go on at
        full speed until one is right.

        Raises:
            Problem: `missing_key`, `wrong_key`, `too_many_requests`.
        """
        if not self._digests:
            return None
        self._wrong.check(address, cost=0)
        sent = key_of(headers)
        challenge = {"WWW-Authenticate": 'Basic realm="Standout", charset="UTF-8"'}
        if sent is None:
            raise Problem("missing_key", "Send a key: `X-Api-Key: KEY` or `Authorization: Bearer KEY`.", challenge)
        digest = hashlib.sha256(sent.encode("utf-8", "surrogateescape")).digest()
        # All are compared, so that the time doesn't tell which one is near.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(matches):
            self._wrong.check(address)
            raise Problem("wrong_key", "The key that was sent is not one of this server's.", challenge)
        return digest


def key_of(headers: Headers) -> str | None:
    """The key that a request sends: `X-Api-Key`, a bearer token, or the password of basic authentication.

    The last is for clients to which one can give nothing but an address: `http://any:KEY@host:7000/`.
    """
    if "x-api-key" in headers:
        return headers["x-api-key"]
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return password or user or None
    return None


class RateLimiter:
    """A token bucket for each client: `rate.requests` at once, then as fast as they come back."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[bytes | str, tuple[float, float]] = OrderedDict()

    def check(self, client: bytes | str, *, cost: int = 1) -> dict[str, str]:
        """Takes one request from the client's bucket; returns the headers that tell what is left.

        Args:
            client: Whose bucket: a key's digest, or an address.
            cost: 0 only looks whether a request would be allowed.

        Raises:
            Problem: `too_many_requests`.
        """
        if self._rate is None:
            return {}
        now = self._clock()
        tokens, seen = self._buckets.pop(client, (float(self._rate.requests), now))
        tokens = min(float(self._rate.requests), tokens + (now - seen) * self._rate.per_second)
        allowed = tokens >= 1
        left = tokens - cost if allowed else tokens
        self._buckets[client] = (left, now)
        while len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        headers = {
            "X-RateLimit-Limit": str(self._rate.requests),
            "X-RateLimit-Remaining": str(int(left)),
            "X-RateLimit-Reset": str(round((self._rate.requests - left) / self._rate.per_second)),
        }
        if not allowed:
            wait = max(1, round((1 - tokens) / self._rate.per_second + 0.5))
            raise Problem(
                "too_many_requests",
                f"At most {self._rate.requests} requests in {self._rate.seconds} s are allowed; retry in {wait} s.",
                {**headers, "Retry-After": str(wait)},
            )
        return headers


def client_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that a line gets with IPv6.

    Example:
        >>> client_of("203.0.113.7"), client_of("2001:db8::1234")
        ('203.0.113.7', '2001:db8::/64')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_loopback:
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))


def check_host(headers: Headers, options: ServerOptions, path: str = "") -> None:
    """Refuses names that aren't this server's: a page can make its own name point at 127.0.0.1 (DNS rebinding).

    Beyond loopback any name is accepted unless `allowed_hosts` says which.

    Raises:
        Problem: `wrong_host`.
    """
    name = host_name(headers.get("host", ""))
    if path in _HEALTH_PATHS and name in _LOOPBACK_NAMES:
        return
    allowed = tuple(entry.lower() for entry in options.allowed_hosts)
    if options.is_loopback:
        allowed += (*_LOOPBACK_NAMES, options.host.lower())
    if allowed and name not in allowed:
        raise Problem(
            "wrong_host",
            "This server isn't called by that name; call it by its address, or allow the name at its start.",
        )


def check_origin(headers: Headers, options: ServerOptions, *, is_page: bool) -> None:
    """Refuses what pages of other sites send: a simple POST needs no permission by CORS, so CORS alone stops none.

    Raises:
        Problem: `foreign_origin`.
    """
    origin = headers.get("origin")
    if origin is None:
        # Browsers send no Origin with a picture or a link of another site, but say so here.
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_page:
            raise Problem("foreign_origin", "Pages of other sites may not load this.")
        return
    if origin in options.cors:
        return
    if origin != "null" and urlsplit(origin).netloc.lower() == headers.get("host", "").lower():
        return
    raise Problem(
        "foreign_origin", "Pages of other sites may not call this server unless their origin is allowed at its start."
    )


def host_name(host: str) -> str:
    """The name in a Host header, without the port.

    Example:
        >>> host_name("LocalHost:7000"), host_name("[::1]:7000")
        ('localhost', '[::1]')
    """
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
