"""Fixtures: servers, started when first asked for, and a project with data to send to them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .proxy import Proxy
from .remote import Remote, Server, new_name


class Servers:
    """One server of each kind, none before it is needed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._running: dict[str, Server] = {}

    def get(self, kind: str) -> Server:
        """The server of a kind."""
        if kind not in self._running:
            folder = self._root / kind
            folder.mkdir()
            self._running[kind] = _factory(kind)(folder)
        return self._running[kind]

    def remote(self, kind: str) -> Remote:
        """A new place on the server of a kind."""
        return self.get(kind).remote(new_name())

    def close(self) -> None:
        """Stop all."""
        for server in self._running.values():
            server.close()


def _factory(kind: str) -> Callable[[Path], Server]:
    """Import what a kind needs, and nothing else."""
    if kind == "ssh":
        from .serve_sftp import SftpServer

        return SftpServer
    if kind == "http":
        from .serve_http import HttpServer

        return HttpServer
    from .serve_wsgi import DavServer, S3Server

    return {"s3": S3Server, "webdav": DavServer}[kind]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers for this worker's whole session."""
    running = Servers(tmp_path_factory.mktemp("servers"))
    yield running
    running.close()


@pytest.fixture
def proxy_to(servers: Servers) -> Iterator[Callable[[str], Proxy]]:
    """Put a proxy in front of the server of a kind: `proxy_to("s3")`."""
    made: list[Proxy] = []

    def make(kind: str) -> Proxy:
        made.append(Proxy(servers.get(kind).port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()
