"""S3 and WebDAV servers: WSGI applications in a thread."""

import logging
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
from cheroot.wsgi import Server as CherootServer
from moto.server import DomainDispatcherApplication, create_backend_app
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

from .remote import Asked, Remote, folder_listing

KINDS = {"GET": "read", "PUT": "write", "POST": "write"}
HOST = "127.0.0.1"
USER, PASSWORD = "user", "pass word"

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _Served:
    """A WSGI application on a free port; notes what is read and written."""

    def __init__(self, app: App) -> None:
        self.asked: Asked = []
        self._app = app
        self._server = CherootServer((HOST, 0), self._noting, numthreads=8)
        self._server.error_log = lambda *_, **__: None  # cut connections are no news here
        self._server.prepare()
        self.port = self._server.bind_addr[1]
        self._thread = Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.stop()
        self._thread.join()

    def _noting(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind = KINDS.get(environ["REQUEST_METHOD"])
        if kind:
            self.asked.append((kind, environ["PATH_INFO"]))
        return self._app(environ, start_response)


def _whole(app: App) -> App:
    """Refuse a body that is shorter than announced, as S3 does."""

    def checked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size) if size else b""
        if len(body) < size:
            start_response("400 Bad Request", [("Content-Length", "0")])
            return []
        return app({**environ, "wsgi.input": BytesIO(body)} if size else environ, start_response)

    return checked


class S3Server(_Served):
    """Objects in memory, a bucket for each test."""

    def __init__(self, _root: Path) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        super().__init__(_whole(DomainDispatcherApplication(create_backend_app)))
        self.keys = {"access_key_id": "testing", "secret_access_key": "testing"}
        self._client = boto3.client(
            "s3",
            endpoint_url=f"http://{HOST}:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def remote(self, name: str, port: int | None = None) -> Remote:
        """Make a bucket."""
        self._client.create_bucket(Bucket=name)
        options = {"endpointurl": f"http://{HOST}:{port or self.port}", "region": "us-east-1"}
        return Remote(
            name, f"s3://{name}", lambda: self._listing(name), self.asked, options, self.keys
        )

    def _listing(self, name: str) -> dict[str, str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=name)
        return {
            item["Key"]: item["ETag"].strip('"')
            for page in pages
            for item in page.get("Contents", ())
        }


class DavServer(_Served):
    """Files in a folder, behind a password."""

    def __init__(self, root: Path) -> None:
        self._root = root
        logging.getLogger("wsgidav").setLevel(logging.CRITICAL)
        super().__init__(
            WsgiDAVApp(
                {
                    "provider_mapping": {"/": FilesystemProvider(str(root))},
                    "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
                    "verbose": 0,
                    "logging": {"enable": False},
                }
            )
        )

    def remote(self, name: str, port: int | None = None) -> Remote:
        """Make a folder."""
        (self._root / name).mkdir(exist_ok=True)
        return Remote(
            name,
            f"webdav://{HOST}:{port or self.port}/{name}",
            lambda: folder_listing(self._root / name),
            self.asked,
            secrets={"user": USER, "password": PASSWORD},
        )
