"""Which remotes there are, and what each is: a folder of this machine, or a server."""

import re
from typing import Any

from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.data.transfer.items import Remote
from mlxkit.data.transfer.local import LocalRemote
from mlxkit.pipeline.session import Session

_URL = re.compile(r"\w+://")


def open_remote(session: Session, name: str | None, jobs: int | None) -> Remote:
    """Return a remote, not yet asked anything; raises ProjectError, UsageError, RemoteError."""
    remotes = session.declared.config.get("remote") or {}
    if name is None:
        raise ProjectError(
            "there is no default remote", hint="add one with: mlx remote add -d NAME URL"
        )
    section = section_of(session, name)
    if not section:
        known = ", ".join(sorted(remotes)) or "none"
        raise UsageError(f"there is no remote '{name}'", hint=f"remotes: {known}")
    url = section["url"]
    if not _URL.match(url):
        shared = section.get("shared") == "group"
        return LocalRemote(name, url, shared=shared, cache_dir_mode=cache_dir_mode(session))
    from mlxkit.data.transfer.network import NetworkRemote, memory_path
    from mlxkit.tools.dvc_remote import connect

    server = connect(session.declared.config, name, jobs)
    return NetworkRemote(name, server, memory_path(session.root, url), cache_dir_mode(session))


def section_of(session: Session, name: str | None) -> dict[str, Any]:
    """Return the options of a remote, none for one that is not there."""
    remotes = session.declared.config.get("remote") or {}
    return dict(remotes.get((name or "").lower()) or {})


def core_remote(session: Session) -> str | None:
    """Return the name of the default remote."""
    name = session.declared.config.get("core", {}).get("remote")
    return str(name) if name else None


def cache_dir_mode(session: Session) -> int | None:
    """Return the mode of new folders in the cache, None where the umask decides."""
    shared = session.declared.config.get("cache", {}).get("shared") == "group"
    return 0o2775 if shared else None
