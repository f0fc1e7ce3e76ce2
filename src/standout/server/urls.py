"""Fetching a picture from an address that a stranger names, without lending them this machine's network (SSRF).

Only http and https; the name is resolved once, every address it has must be public, and the connection goes to that
very address, so that a second answer of the name server changes nothing (DNS rebinding). Bytes, redirects and time are
limited.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from standout.server.problems import Problem

MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
#: What a page server answers on; the others below 1024 are mail, shells, name servers.
_LOW_PORTS = (80, 443)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: IpAddress) -> bool:
    """Whether an address is on the public internet, also when it hides another one: mapped, 6to4, Teredo, NAT64.

    Example:
        >>> [is_public(ipaddress.ip_address(a)) for a in ("93.184.216.34", "10.0.0.1", "::ffff:127.0.0.1")]
        [True, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _NOT_PUBLIC):
            return False
        hidden = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64 or int(address) < 1 << 32:
            hidden.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = [one for one in hidden if one is not None]
        if inner:
            return all(is_public(one) for one in inner)
        if "%" in str(address):
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: What `is_global` lets pass, in all or in older releases of Python: protocol assignments, 6to4's relays, the host of
#: Azure's virtual machines; NAT64 of a network's own (who knows where its prefix ends), documentation, segment routing.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32",
        "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip


def resolve(host: str, port: int) -> list[IpAddress]:
    """All addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


@dataclass(frozen=True)
class Fetcher:
    """Fetches pictures.

    Attributes:
        max_bytes: The most bytes the picture may have.
        timeout_s: For everything, redirects included.
        resolve: Finds the addresses of a name; tests put another one here.
        allowed: Says whether an address may be connected to; tests put another one here.
    """

    max_bytes: int
    timeout_s: float = 15.0
    resolve: Callable[[str, int], list[IpAddress]] = field(default=resolve)
    allowed: Callable[[IpAddress], bool] = field(default=is_public)

    def fetch(self, url: str) -> bytes:
        """The bytes behind an address; blocks.

        Raises:
            Problem: `bad_url`, `body_too_large`.
        """
        end = time.monotonic() + self.timeout_s
        for _ in range(MOST_REDIRECTS + 1):
            where = self._get(url, end)
            if isinstance(where, bytes):
                return where
            url = urljoin(url, where)
        raise Problem("bad_url", f"The address leads on more than {MOST_REDIRECTS} times; give the last one.")

    def _get(self, url: str, end: float) -> bytes | str:
        """The bytes, or where the address leads on to."""
        connection, target = self._connect(url, end)
        try:
            # "identity": what is counted is what arrives, and nothing unpacks.
            connection.request("GET", target, headers={"Accept": "image/*", "Accept-Encoding": "identity"})
            with closing(connection.getresponse()) as answer:  # it holds the connection on its own
                if answer.status in _REDIRECTS:
                    return answer.getheader("Location") or ""
                if answer.status != 200:
                    raise Problem("bad_url", f"The address answers with status {answer.status} instead of a picture.")
                return self._read(answer, end)
        except (OSError, http.client.HTTPException, ValueError, UnicodeError) as error:
            raise _unreachable(error) from None
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse, end: float) -> bytes:
        parts, count = [], 0
        while chunk := answer.read1(1 << 16):
            count += len(chunk)
            if count > self.max_bytes:
                raise Problem(
                    "body_too_large",
                    f"The picture at the address has more than {self.max_bytes / 1e6:g} MB; send a smaller one.",
                )
            if time.monotonic() > end:
                raise TimeoutError
            parts.append(chunk)
        if time.monotonic() > end:  # the timer has ended the connection, which looks like the body's end
            raise TimeoutError
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        return b"".join(parts)

    def _connect(self, url: str, end: float) -> tuple[http.client.HTTPConnection, str]:
        host, port, secure, target = _parts_of(url)
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError, ValueError) as error:
            raise _unreachable(error) from None
        if not addresses or not all(self.allowed(address) for address in addresses):
            # One sentence for all of them: which names an inner network has is nobody's business.
            raise Problem("bad_url", "The address isn't on the public internet; send the picture itself.")
        connection = _Pinned(host, port, address=addresses[0], secure=secure, end=end)
        return connection, target


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever its name means by now."""

    def __init__(self, host: str, port: int, *, address: IpAddress, secure: bool, end: float) -> None:
        super().__init__(host, port, timeout=_left(end))
        self._address = address
        self._secure = secure
        self._end = end
        self._timer: threading.Timer | None = None

    def connect(self) -> None:
        sock = socket.create_connection((str(self._address), self.port), timeout=_left(self._end))
        if self._secure:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self.host)
        sock.settimeout(_left(self._end))
        self.sock = sock
        # Each step has a limit of its own; a server that sends a byte at a time is cut off by this one.
        self._timer = threading.Timer(self._end - time.monotonic(), self._cut_off, (sock,))
        self._timer.daemon = True
        self._timer.start()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().close()

    @staticmethod
    def _cut_off(sock: socket.socket) -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _left(end: float) -> float:
    """Seconds that a single step may take: what is left of all, at most 5."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 5.0)


def _parts_of(url: str) -> tuple[str, int, bool, str]:
    """Host, port, whether it is https, and what to ask for."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
        parts = urlsplit("")
    secure = parts.scheme == "https"
    port = port or (443 if secure else 80)
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 2048
    if parts.scheme not in ("http", "https") or not host or not plain or parts.username is not None:
        raise Problem(
            "bad_url", "The address must be `http://…` or `https://…`, in ASCII, without a name or password in it."
        )
    if port < 1024 and port not in _LOW_PORTS:
        raise Problem("bad_url", f"Pictures are fetched from the ports 80, 443 and from 1024 on; received {port}.")
    return host, port, secure, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _unreachable(error: Exception) -> Problem:
    reason = "there is no server, or it can't be spoken to"
    if isinstance(error, TimeoutError):
        reason = "it took too long"
    elif isinstance(error, http.client.IncompleteRead):
        reason = "the picture there ends before its length"
    return Problem("bad_url", f"The address can't be fetched: {reason}.")
