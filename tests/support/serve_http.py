"""A plain HTTP server that takes and gives files, and can be told to lie about some."""

import os
import shutil
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

from .remote import Asked, Remote, folder_listing, new_name

HOST = "127.0.0.1"
Lie = Callable[["Handler", bytes], None]
"""Answers a GET or HEAD in its own way, given the true bytes."""


class Handler(BaseHTTPRequestHandler):
    """GET, HEAD and PUT of files; a body that is cut leaves nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    server: "_Server"

    def do_GET(self) -> None:
        """Answer with a file."""
        path = self._path()
        if self.command == "GET":
            self.server.asked.append(("read", unquote(self.path)))
        if not path.is_file():
            self.answer(404)
            return
        body = path.read_bytes()
        lie = self.server.lies.get(unquote(self.path))
        if lie is None:
            self.answer(200, body)
        else:
            lie(self, body)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        """Keep a file, once it is here to its end."""
        self.server.asked.append(("write", unquote(self.path)))
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{self.client_address[1]}.half")
        half.write_bytes(body)
        os.replace(half, path)
        self.answer(201)

    def answer(self, status: int, body: bytes = b"", length: int | None = None) -> None:
        """Send a whole answer; `length` is what to say instead of the body's own."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _path(self) -> Path:
        return self.server.root / unquote(self.path).lstrip("/")

    def _body(self) -> bytes | None:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            size = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(size)
            return body if len(body) == size else None
        parts = []
        while line := self.rfile.readline().strip():
            size = int(line, 16)
            parts.append(self.rfile.read(size))
            if self.rfile.readline() != b"\r\n" or len(parts[-1]) != size:
                return None
            if size == 0:
                return b"".join(parts)
        return None


class _Server(ThreadingHTTPServer):
    """What all of its connections share."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__((HOST, 0), Handler)
        self.root = root
        self.asked: Asked = []
        self.lies: dict[str, Lie] = {}

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class HttpServer:
    """Files in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._server = _Server(root)
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def remote(self, name: str, port: int | None = None) -> Remote:
        """Make a folder."""
        (self._root / name).mkdir(exist_ok=True)
        return Remote(
            name,
            f"http://{HOST}:{port or self.port}/{name}",
            lambda: folder_listing(self._root / name),
            self._server.asked,
            options={"method": "PUT"},
        )

    def copy(self, name: str) -> Remote:
        """Make a folder with the files of another one."""
        remote = self.remote(new_name())
        shutil.copytree(self._root / name, self.folder(remote), dirs_exist_ok=True)
        return remote

    def folder(self, remote: Remote) -> Path:
        """Where a remote's files are."""
        return self._root / remote.name

    def lie(self, remote: Remote, key: str, lie: Lie) -> None:
        """Answer so whenever this key is asked for."""
        self._server.lies[f"/{remote.name}/{key}"] = lie

    def tell_the_truth(self, remote: Remote) -> None:
        """Answer with what is there, again."""
        start = f"/{remote.name}/"
        lies = self._server.lies
        self._server.lies = {key: lie for key, lie in lies.items() if not key.startswith(start)}

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
