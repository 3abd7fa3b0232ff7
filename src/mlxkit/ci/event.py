"""What triggered this run: the variables and the document that GitHub gives to each step."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError, UsageError

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_NONE = "0" * 40
_API = "https://api.github.com"
_WHERE = "GITHUB_EVENT_PATH"
_HINT = "without a workflow, unset it"


class Event(NamedTuple):
    """A run's event; without one, as on a person's machine, `name` is empty."""

    name: str
    document: Mapping[str, Any]
    ref: str
    """As `refs/heads/main`; empty without an event."""

    @property
    def branch(self) -> str:
        """Return the branch that was pushed to, or empty."""
        head = "refs/heads/"
        return self.ref.removeprefix(head) if self.ref.startswith(head) else ""

    @property
    def default_branch(self) -> str:
        """Return the repository's default branch as the event has it, or empty."""
        return _text(self.document, "repository", "default_branch")

    @property
    def before(self) -> str:
        """Return the commit that the pushed branch was at, or empty where it is new."""
        found = _text(self.document, "before")
        return "" if set(found) <= {"0"} or len(found) < len(_NONE) else found

    @property
    def request_base(self) -> str:
        """Return the commit that a pull request goes to, or empty."""
        return _text(self.document, "pull_request", "base", "sha")

    @property
    def request(self) -> int | None:
        """Return the number of the pull request, if the event is about one."""
        for keys in (("pull_request", "number"), ("number",)):
            found: Any = self.document
            for key in keys:
                found = found.get(key) if isinstance(found, Mapping) else None
            if isinstance(found, int) and not isinstance(found, bool) and found > 0:
                return found
        return None


def read_event(environ: Mapping[str, str] = os.environ) -> Event:
    """Return what triggered this run; raises UsageError where its document cannot be read."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    document: Any = {}
    if path:
        try:
            with open(path, "rb") as file:
                document = json.loads(file.read())
        except (OSError, ValueError) as error:
            raise UsageError(
                f"the event's document cannot be read: {error}", where=_WHERE, hint=_HINT
            ) from None
    if not isinstance(document, dict):
        raise UsageError("the event's document is no JSON object", where=_WHERE, hint=_HINT)
    return Event(environ.get("GITHUB_EVENT_NAME", ""), document, environ.get("GITHUB_REF", ""))


def repository(environ: Mapping[str, str] = os.environ) -> str:
    """Return OWNER/NAME; raises UsageError where it is not said."""
    found = environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(found) or {".", ".."} & set(found.split("/")):
        said = f"GITHUB_REPOSITORY is {found!r}" if found else "GITHUB_REPOSITORY is not set"
        raise UsageError(said, hint="set it to OWNER/NAME")
    return found


def api_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return where the REST API is, for GitHub Enterprise too."""
    return (environ.get("GITHUB_API_URL") or _API).rstrip("/")


def write_output(name: str, value: str, environ: Mapping[str, str] = os.environ) -> None:
    """Give later steps a value of one line; does nothing outside of a workflow. Raises MlxError."""
    path = environ.get("GITHUB_OUTPUT", "")
    if not path:
        return
    if "\n" in value or "\r" in value:
        raise MlxError(f"{name} has more than one line")
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def _text(document: Any, *keys: str) -> str:
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document if isinstance(document, str) else ""
