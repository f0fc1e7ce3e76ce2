"""Who is connected: so many at once, so many from one address; whoever has waited longest makes room for who comes."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from standout.server.logs import log


class Connection(Protocol):
    """What `Connections` needs of one."""

    #: What counts as one client.
    address: str

    @property
    def idle(self) -> bool:
        """Whether nobody works for it: no request has begun, or the last one is answered."""
        ...

    @property
    def sending(self) -> bool:
        """Whether its request is still on its way."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes of answers that it hasn't taken."""
        ...

    def abandon(self) -> None:
        """Closes it at once."""
        ...


class Connections:
    """Counts connections when they come.

    Args:
        most: At once.
        most_unsent: Bytes of answers that wait for their readers, all together.
    """

    def __init__(self, most: int, most_unsent: int) -> None:
        self._most = most
        self._most_per_address = max(1, most // 2)
        self._most_unsent = most_unsent
        #: In the order in which they came, or last had an answer.
        self._all: dict[Connection, None] = {}
        self._of_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection) -> None:
        """One more; another one, or it itself, is closed where that is too many."""
        self._all[connection] = None
        self._of_address[connection.address] += 1
        if self._of_address[connection.address] > self._most_per_address:
            self._make_room(connection.address, connection)
        elif len(self._all) > self._most:
            self._make_room(self._of_address.most_common(1)[0][0], connection)

    def remove(self, connection: Connection) -> None:
        """It is gone."""
        if connection in self._all:
            del self._all[connection]
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]

    def served(self, connection: Connection) -> None:
        """It has had an answer: others have waited longer now."""
        if connection in self._all:
            self._all[connection] = self._all.pop(connection)

    def check_unsent(self) -> None:
        """Closes the connection that has had its answer for longest, where too much waits for readers."""
        if sum(one.unsent for one in self._all) > self._most_unsent:
            self._close(next(one for one in self._all if one.unsent))

    def _make_room(self, address: str, last: Connection) -> None:
        """Closes one of an address: the oldest idle one, else the oldest that is still sending, else the last one."""
        others = [one for one in self._all if one.address == address and one is not last]
        idle = next((one for one in others if one.idle), None)
        self._close(idle or next((one for one in others if one.sending), last))

    def _close(self, connection: Connection) -> None:
        self.remove(connection)
        connection.abandon()
        log.warning("connection closed to make room")
