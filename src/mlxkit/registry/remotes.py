"""Where a project's remotes lie when its configuration is read in another place than its own."""

import configparser
import os
import re

_URL = re.compile(r"\w+://|[\w.-]+@")


def absolute(config: str, own: str) -> str:
    """Return a `config.local` in which each remote with a relative folder has its whole path.

    `config` is the text of a `.dvc/config`, `own` the `.dvc` that its paths start from.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(config)
    except configparser.Error:
        return ""
    lines = []
    for name in parser.sections():
        url = parser.get(name, "url", fallback="").strip()
        is_remote = re.match(r"'?remote ", name) is not None
        if is_remote and url and not _URL.match(url) and not os.path.isabs(url):
            lines += [f"[{name}]", f"    url = {os.path.normpath(os.path.join(own, url))}"]
    return "".join(line + "\n" for line in lines)
