"""A small HTTP server in the place of GitHub's REST API: the comments of pull requests."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LIST = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)/comments")
ONE = re.compile(r"/repos/([^/]+/[^/]+)/issues/comments/(\d+)")


@dataclass(frozen=True)
class User:
    """Whose token it is; a workflow's may not ask who it is."""

    login: str
    kind: str = "User"
    may_write: bool = True


@dataclass
class GitHub:
    """What the server holds: tokens, comments, what it was asked, faults to answer with first."""

    repository: str = "ann/census"
    requests: tuple[int, ...] = (12,)
    tokens: dict[str, User] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    url: str = ""
    last: int = 100
    graphql: str = "/graphql"
    """Where it answers, if it does."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, login: str, body: str, *, kind: str = "User", number: int = 12) -> int:
        """Let somebody comment."""
        with self.lock:
            self.last += 1
            self.comments[self.last] = {
                "id": self.last,
                "body": body,
                "user": {"login": login, "type": kind},
                "issue": number,
                "html_url": f"https://github.com/{self.repository}/pull/{number}#c{self.last}",
            }
            return self.last

    def bodies(self, number: int = 12) -> list[str]:
        """The texts on a pull request."""
        return [one["body"] for one in self.comments.values() if one["issue"] == number]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    github: GitHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Nothing is written to the terminal."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length)) if length else {}
        with self.github.lock:
            self.github.asked.append(f"{method} {self.path}")
            if self.github.faults:
                status, headers, text = self.github.faults.pop(0)
                return self._answer(status, text, headers)
            return self._route(method, content)

    def _route(self, method: str, content: dict[str, Any]) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        user = self.github.tokens.get(token)
        if user is None:
            return self._say(401, "Bad credentials")
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api/v3")
        if parts.path == self.github.graphql and method == "POST":
            assert content == {"query": "{viewer{login}}"}
            return self._answer(
                200, json.dumps({"data": {"viewer": {"login": user.login.removesuffix("[bot]")}}})
            )
        if path == "/user" and user.kind == "Bot":
            return self._say(403, "Resource not accessible by integration")
        if path == "/user":
            return self._answer(200, json.dumps({"login": user.login}))
        listed, one = LIST.fullmatch(path), ONE.fullmatch(path)
        known = listed or one
        if known is None or known[1] != self.github.repository:
            return self._say(404, "Not Found")
        if method != "GET" and not user.may_write:
            return self._say(403, "Resource not accessible by integration")
        if listed:
            return self._listed(method, int(listed[2]), user, content, parts.query)
        assert one
        return self._one(method, int(one[2]), content)

    def _listed(
        self, method: str, number: int, user: User, content: dict[str, Any], query: str
    ) -> None:
        if number not in self.github.requests:
            return self._say(404, "Not Found")
        if method == "POST":
            made = self.github.add(user.login, content["body"], kind=user.kind, number=number)
            return self._answer(201, json.dumps(self.github.comments[made]))
        asked = parse_qs(query)
        size, page = int(asked["per_page"][0]), int(asked.get("page", ["1"])[0])
        there = [one for one in self.github.comments.values() if one["issue"] == number]
        shown = there[(page - 1) * size : page * size]
        headers = {}
        if len(there) > page * size:
            path = f"/repos/{self.github.repository}/issues/{number}/comments"
            more = f"{self.github.url}{path}?per_page={size}&page={page + 1}"
            headers["Link"] = f'<{more}>; rel="next", <{more}>; rel="last"'
        return self._answer(200, json.dumps(shown), headers)

    def _one(self, method: str, number: int, content: dict[str, Any]) -> None:
        if number not in self.github.comments:
            return self._say(404, "Not Found")
        if method == "DELETE":
            del self.github.comments[number]
            return self._answer(204, "")
        self.github.comments[number]["body"] = content["body"]
        return self._answer(200, json.dumps(self.github.comments[number]))

    def _say(self, status: int, message: str) -> None:
        self._answer(status, json.dumps({"message": message}))

    def _answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serve(github: GitHub, prefix: str = "") -> Iterator[GitHub]:
    """Serve it on a free port, until the block ends; `prefix` is `/api/v3` for Enterprise."""
    handler = type("Bound", (Handler,), {"github": github})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
