"""GitHub's REST API: requests, repeated where the server asks for patience; no token is shown.

`urllib` is enough for four kinds of request, and starts ten times faster than `requests`.
"""

import email.utils
import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mlxkit import __version__
from mlxkit.core.errors import RemoteError, UsageError

TRIES = 5
LONGEST = 60.0
"""The most seconds to wait before a try; a server that asks for more is reported instead."""
_TIMEOUT = 30
_LARGEST = 1 << 26
_PER_PAGE = 100
_MOST_PAGES = 500
_MORE = re.compile(r'\brel="?next\b')
_AGAIN = (429, 500, 502, 503, 504)


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refused(RemoteError):
    """The server understood, and says no with this status."""

    def __init__(self, status: int, message: str, *, hint: str, where: str) -> None:
        super().__init__(message, hint=hint, where=where)
        self.status = status


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would take the token along."""

    def redirect_request(self, *args: Any, **named: Any) -> None:
        return None


class Api:
    """Requests to one server with one token."""

    def __init__(
        self, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises UsageError for an address that is none."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise UsageError(f"the API's address is no http(s) URL: {url!r}", hint="GITHUB_API_URL")
        if not token or not token.isascii() or not token.isprintable():
            raise UsageError("the token has characters that no token has", hint="set it again")
        self.url = url
        self._token = token
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_Stay)

    def call(self, method: str, path: str, content: Any = None) -> Any:
        """Return the JSON of one request; raises RemoteError."""
        return self._parsed(self._answer(method, self.url + path, content))

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the items of a list, page after page; raises RemoteError."""
        mark = "&" if "?" in path else "?"
        # The next page is counted, not taken from the answer: that may name another server, where
        # the token must not go, or, behind a proxy, this one by a name that is not reachable.
        for page in range(1, _MOST_PAGES):
            url = f"{self.url}{path}{mark}per_page={_PER_PAGE}&page={page}"
            answer = self._answer("GET", url, None)
            items = self._parsed(answer)
            if not isinstance(items, list):
                raise RemoteError("GitHub's answer is no list", where=self.url)
            yield from items
            if not _MORE.search(answer.headers.get("link", "")):
                return

    def viewer(self) -> str | None:
        """Return the login that the token writes as, as GraphQL knows it; None where it does not.

        A workflow's token and an app's may not ask REST. Raises RemoteError where nobody answers.
        """
        url = f"{self.url.removesuffix('/v3')}/graphql"
        try:
            found = self._parsed(self._answer("POST", url, {"query": "{viewer{login}}"}))
            login = found["data"]["viewer"]["login"]
        except (Refused, LookupError, TypeError):
            return None
        return login if isinstance(login, str) else None

    def _answer(self, method: str, url: str, content: Any) -> Answer:
        for tried in range(1, TRIES + 1):
            try:
                answer = self._once(method, url, content)
            except (OSError, http.client.HTTPException) as error:
                # Whether a POST was carried out is not known: it is not repeated.
                if (method == "POST" and not _never_sent(error)) or tried == TRIES:
                    raise self._unreachable(error) from None
                self._sleep(_pause(tried))
                continue
            if answer.status < 300:
                return answer
            wait = _wait(answer, tried)
            if wait is None or wait > LONGEST or tried == TRIES:
                raise self._refused(answer, wait)
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, method: str, url: str, content: Any) -> Answer:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        request.add_header("User-Agent", f"mlx/{__version__}")
        # Not sent on by a proxy, nor to where a redirection leads.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                return Answer(response.status, _lower(response.headers), response.read(_LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), error.read(_LARGEST))

    def _parsed(self, answer: Answer) -> Any:
        if not answer.body:
            return None
        try:
            return json.loads(answer.body)
        except ValueError:
            raise RemoteError("GitHub's answer is no JSON", where=self.url) from None

    def _refused(self, answer: Answer, wait: float | None) -> Refused:
        said = _message(answer.body).replace(self._token, "***")
        hint = _HINTS.get(answer.status)
        if wait is not None:
            hint = "GitHub asks to wait: try again later"
        told = f"GitHub answers {answer.status}" + (f": {said}" if said else "")
        hint = hint or "see: https://www.githubstatus.com"
        return Refused(answer.status, told, hint=hint, where=self.url)

    def _unreachable(self, error: Exception) -> RemoteError:
        reason = str(getattr(error, "reason", error)).replace(self._token, "***")
        return RemoteError(
            f"GitHub cannot be reached: {reason}", hint="try again later", where=self.url
        )


_HINTS = {
    401: "the token is not valid, or has expired",
    403: "the token may not do this: the job needs `permissions: pull-requests: write`; "
    "a pull request from a fork never gets it",
    404: "no such repository or pull request, or the token may not see it",
    410: "it was deleted",
    422: "GitHub does not take this text",
} | dict.fromkeys(
    (301, 302, 307, 308), "the repository was renamed, or the API is elsewhere: correct "
    "GITHUB_REPOSITORY or GITHUB_API_URL",
)  # fmt: skip


def _wait(answer: Answer, tried: int) -> float | None:
    """Return how long to wait before the next try; None where a further try is of no use."""
    asked = _retry_after(answer.headers)
    limited = answer.status in (403, 429) and (
        asked is not None
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or b"rate limit" in answer.body.lower()
    )
    if not limited and answer.status not in _AGAIN:
        return None
    if asked is not None:
        return asked
    if limited and answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        if reset.isdigit():
            return max(1.0, int(reset) - time.time())
    # Of limits without a time GitHub says: at least a minute.
    return LONGEST if limited else _pause(tried)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks for: a number, or a date."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _pause(tried: int) -> float:
    return float(2 ** (tried - 1))


def _never_sent(error: Exception) -> bool:
    """Tell whether the server cannot have seen the request."""
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _message(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    message = found.get("message") if isinstance(found, dict) else None
    return message if isinstance(message, str) else ""
