"""DVC's configuration for a second working tree of a project, which shares its cache."""

import os
from typing import Any

_PATHS = frozenset(
    (
        *("url", "gdrive_user_credentials_file", "gdrive_service_account_json_file_path"),
        *("credentialpath", "configpath", "keyfile", "cert_path", "key_path"),
    )
)


def write_local_config(root: str, other: str, cache_dir: str) -> None:
    """Give the project's copy at `other` the settings that only the machine at `root` has.

    The cache is the same, paths of remotes lead where they did, and nothing is staged by itself.
    Raises OSError.
    """
    from dvc.config import Config

    here = Config(os.path.join(root, ".dvc"))
    told: dict[str, Any] = here.load_one("local")
    for name, remote in here.load_one("repo").get("remote", {}).items():
        places = {key: str(value) for key, value in remote.items() if key in _PATHS}
        told["remote"][name] = {**places, **told["remote"].get(name, {})}
    told["cache"]["dir"] = cache_dir
    told["core"]["autostage"] = False
    with Config(os.path.join(other, ".dvc")).edit("local", validate=False) as config:
        for name, section in told.items():
            config[name] = _plain(section)
    os.chmod(os.path.join(other, ".dvc", "config.local"), 0o600)  # it may have passwords


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float)) else str(value)
