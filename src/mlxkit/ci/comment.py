"""One comment on a pull request, kept up to date: found again by a hidden mark and its author."""

import re
from typing import Any, Literal, NamedTuple

from mlxkit.ci.github import Api, Refused
from mlxkit.core.errors import UsageError

LIMIT = 65_536
"""How many characters GitHub takes in a comment."""
_ROBOT = "[bot]"
_MARKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


Action = Literal["created", "updated", "unchanged"]


class Posted(NamedTuple):
    """What became of the comment; `removed` are older ones with the same mark."""

    action: Action
    url: str
    number: int
    removed: int


def mark(marker: str) -> str:
    """Return the line that no reader sees; raises UsageError for a name that could end it."""
    if not _MARKER.fullmatch(marker) or "--" in marker:
        raise UsageError(
            f"{marker!r} cannot mark a comment", hint="use letters, digits, '.', '-', '_' and '/'"
        )
    return f"<!-- mlx:{marker} -->"


def post(api: Api, repository: str, number: int, text: str, marker: str) -> Posted:
    """Make the pull request hold the text in exactly one comment of ours.

    Raises UsageError for a text that is empty or too long, RemoteError where GitHub says no.
    """
    hidden = mark(marker)
    body = f"{hidden}\n{text.strip()}\n"
    _check(text, body)
    own = _own(api, repository, number, hidden)
    kept: dict[str, Any] | None = None
    action: Action = "updated"
    if own and own[0]["body"].strip() == body.strip():
        kept, action = own[0], "unchanged"
    elif own:
        kept = _update(api, repository, own[0], body)
    if kept is None:
        path = f"/repos/{repository}/issues/{number}/comments"
        kept, action = api.call("POST", path, {"body": body}), "created"
        # Another run may have written its own meanwhile: both look again, and keep the first.
        own = _own(api, repository, number, hidden)
        if own and own[0]["id"] != kept["id"]:
            kept = _update(api, repository, own[0], body) or kept
    removed = sum(_remove(api, repository, one) for one in own if one["id"] != kept["id"])
    return Posted(action, str(kept.get("html_url") or ""), number, removed)


def _check(text: str, body: str) -> None:
    if not text.strip():
        raise UsageError("the comment is empty", hint="mlx report --base main > report.md")
    # GitHub counts as JavaScript does: a character beyond the 16-bit ones is two.
    size = len(body.encode("utf-16-le", "surrogatepass")) // 2
    if size > LIMIT:
        raise UsageError(
            f"the comment has {size:,} characters, GitHub takes {LIMIT:,}",
            hint="mlx report makes a text that fits",
        )


def _own(api: Api, repository: str, number: int, hidden: str) -> list[dict[str, Any]]:
    """Return the comments with the mark that this token's user wrote, the oldest first."""
    listed = api.pages(f"/repos/{repository}/issues/{number}/comments")
    marked = [one for one in listed if str(one.get("body") or "").startswith(hidden)]
    if not marked:
        return []
    author = _author(api)
    return sorted((one for one in marked if _is_by(one, author)), key=lambda one: int(one["id"]))


def _is_by(comment: dict[str, Any], author: str | None) -> bool:
    user = comment.get("user") or {}
    # A person can copy the mark, but cannot be a robot.
    return bool(user.get("type") == "Bot" if author is None else user.get("login") == author)


def _author(api: Api) -> str | None:
    """Return whose token it is; None where neither way to ask tells it."""
    try:
        found = api.call("GET", "/user")
    except Refused as error:
        if error.status in (403, 404):
            login = api.viewer()  # GraphQL may leave out what marks a robot
            return login and login.removesuffix(_ROBOT) + _ROBOT
        raise
    return str(found.get("login")) if isinstance(found, dict) else ""


def _update(api: Api, repository: str, comment: dict[str, Any], body: str) -> dict[str, Any] | None:
    """Change a comment and return it; None where somebody has deleted it meanwhile."""
    path = f"/repos/{repository}/issues/comments/{comment['id']}"
    try:
        changed: dict[str, Any] = api.call("PATCH", path, {"body": body})
    except Refused as error:
        if error.status == 404:
            return None
        raise
    return changed


def _remove(api: Api, repository: str, comment: dict[str, Any]) -> bool:
    """Delete a comment; that another run was quicker is no error."""
    try:
        api.call("DELETE", f"/repos/{repository}/issues/comments/{comment['id']}")
    except Refused as error:
        if error.status == 404:
            return False
        raise
    return True
