"""How a server gets the mlx that runs here: from where it was installed, at just this version.

Never by its bare name: jobs that may write would run what anybody publishes by that name.
"""

import json
import re
import shlex
from importlib.metadata import PackageNotFoundError, distribution

NAME = "mlxkit"
_OURS = re.compile(rf"'{NAME}\[gates\](==| @ )[^']*'|\"{NAME}\[gates\]\"")
"""As `quoted` writes it, and as mlx once did; what people write is theirs."""


def quoted() -> str | None:
    """Return the word for `pip install` that brings this mlx, None where nobody can tell."""
    try:
        here = distribution(NAME)
    except PackageNotFoundError:
        return None
    found = requirement(here.version, here.read_text("direct_url.json"))
    return found and shlex.quote(found)


def requirement(version: str, noted: str | None) -> str | None:
    """Return just this version by what pip noted of where it is from (PEP 610), None for nothing.

    `noted` is None where an index had it. None is returned for what only this machine reaches, and
    for an address whose content may change.
    """
    if noted is None:
        return f"{NAME}[gates]=={version}"
    direct = json.loads(noted)
    url = str(direct.get("url", ""))
    if not url.startswith("https://") or "'" in url:
        return None
    vcs, hashes = direct.get("vcs_info"), direct.get("archive_info", {}).get("hashes", {})
    if vcs:
        folder = direct.get("subdirectory")
        within = f"#subdirectory={folder}" if folder else ""
        return f"{NAME}[gates] @ {vcs['vcs']}+{url}@{vcs['commit_id']}{within}"
    return f"{NAME}[gates] @ {url}#sha256={hashes['sha256']}" if "sha256" in hashes else None


def renewed(install: str, word: str | None) -> str:
    """Return a command of an earlier `mlx ci init` with this mlx in the place of the one then.

    It stays as it is where nobody can tell how this one is installed (`word` is None).
    """
    return install if word is None else _OURS.sub(lambda _: word, install)
