"""A TCP proxy in front of a server, that cuts or stalls connections when it is told to."""

import socket
from dataclasses import dataclass
from threading import Event, Lock, Thread

HOST = "127.0.0.1"
SIZE = 1 << 14


@dataclass(frozen=True)
class Cut:
    """All connections end once so many bytes went "up" or "down"; with `stays`, new ones, too."""

    way: str
    after: int
    stays: bool = False


class Proxy:
    """Forwards connections to a port on loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = Lock()
        self._cut: Cut | None = None
        self._refused: frozenset[int] = frozenset()
        self._stall: Cut | None = None
        self._go = Event()
        self._left = 0
        self._accepted = 0
        self._live: set[socket.socket] = set()
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self.stalled = Event()
        Thread(target=self._accept, daemon=True).start()

    def cut(self, cut: Cut) -> None:
        """Let so many more bytes through."""
        with self._lock:
            self._cut, self._left = cut, cut.after

    def stall(self, way: str, after: int) -> None:
        """Let so many more bytes through, and then hold back all, without a word; see `stalled`."""
        with self._lock:
            self._stall, self._left = Cut(way, after), after

    def refuse(self, *numbers: int) -> None:
        """End the connections with these numbers, 1 the next one, as soon as they are made."""
        with self._lock:
            self._refused = frozenset(self._accepted + number for number in numbers)

    def heal(self) -> None:
        """Cut nothing any more."""
        with self._lock:
            self._cut, self._stall, self._refused = None, None, frozenset()
        self._go.set()

    def close(self) -> None:
        """Stop."""
        self._go.set()
        _end(self._listener)
        self._listener.close()
        self._end_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._accepted += 1
                refused = self._is_refused()
                self.cuts += refused
            if refused:
                client.close()
            else:
                self._connect(client)

    def _is_refused(self) -> bool:
        over = self._cut is not None and self._cut.stays and self._left <= 0
        return over or self._accepted in self._refused

    def _connect(self, client: socket.socket) -> None:
        server = socket.create_connection((HOST, self._target))
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._live |= {client, server}
        for source, sink, way in ((client, server, "up"), (server, client, "down")):
            Thread(target=self._pump, args=(source, sink, way), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        try:
            while data := source.recv(SIZE):
                self._wait_if_stalled(data, way)
                allowed, over = self._allowed(data, way)
                sink.sendall(allowed)
                if over:
                    self._end_all()
        except OSError:
            pass
        with self._lock:
            self._live.discard(source)
        _end(source, sink)
        source.close()

    def _wait_if_stalled(self, data: bytes, way: str) -> None:
        with self._lock:
            if self._stall is None or self._stall.way != way:
                return
            self._left -= len(data)
            if self._left > 0:
                return
        self.stalled.set()
        self._go.wait()

    def _allowed(self, data: bytes, way: str) -> tuple[bytes, bool]:
        """What of it still goes through, and whether that was the last."""
        with self._lock:
            if self._cut is None or self._cut.way != way:
                return data, False
            allowed = data[: max(self._left, 0)]
            self._left -= len(data)
            over = self._left <= 0
            if over:
                self.cuts += 1
                self._cut = self._cut if self._cut.stays else None
            return allowed, over

    def _end_all(self) -> None:
        with self._lock:
            ended, self._live = self._live, set()
        _end(*ended)


def _end(*ends: socket.socket) -> None:
    for one in ends:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
