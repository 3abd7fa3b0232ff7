"""The one door to `ssh-keygen`."""

import os
import subprocess
import tempfile

from mlxkit.core.errors import MlxError


def is_revoked(revocations: str, public: str) -> bool:
    """Tell whether a key revocation list (KRL) names the public key; raises MlxError."""
    with tempfile.TemporaryDirectory(prefix="mlx-") as folder:
        path = os.path.join(folder, "key.pub")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{public}\n")
        try:
            done = subprocess.run(
                ["ssh-keygen", "-Q", "-f", revocations, path],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise MlxError("ssh-keygen is not installed", hint="install OpenSSH") from None
    # It ends so for a list that it cannot read, too: then nobody knows, and none is trusted.
    return done.returncode != 0
