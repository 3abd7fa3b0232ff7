"""An SSH server in a thread that offers SFTP inside of one folder."""

import asyncio
from pathlib import Path
from threading import Thread
from typing import Any

import asyncssh

from .remote import Asked, Remote, folder_listing

HOST = "127.0.0.1"
USER, PASSWORD = "user", "pass word"


class SftpServer:
    """Files in a folder that is the root for whoever logs in, with a password or a key."""

    def __init__(self, root: Path) -> None:
        self._root = root / "files"
        self._root.mkdir()
        self.key = root / "key"
        self.asked: Asked = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._acceptor: asyncssh.SSHAcceptor = self._do(self._listen())
        self.port: int = self._acceptor.get_port()

    def remote(
        self, name: str, port: int | None = None, secrets: dict[str, str] | None = None
    ) -> Remote:
        """Make a folder."""
        (self._root / name).mkdir(exist_ok=True)
        return Remote(
            name,
            f"ssh://{USER}@{HOST}:{port or self.port}/{name}",
            lambda: folder_listing(self._root / name),
            self.asked,
            secrets=secrets or {"password": PASSWORD},
        )

    def close(self) -> None:
        """Stop."""
        self._acceptor.close()
        self._do(self._acceptor.wait_closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        login = asyncssh.generate_private_key("ssh-ed25519")
        login.write_private_key(self.key)
        known = asyncssh.import_authorized_keys(login.export_public_key().decode())
        return await asyncssh.listen(
            HOST,
            0,
            server_factory=_Login,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            authorized_client_keys=known,
            sftp_factory=lambda chan: _Files(chan, self._root, self.asked),
            allow_scp=False,
        )

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Login(asyncssh.SSHServer):
    """One user with one password."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


class _Files(asyncssh.SFTPServer):
    """Files below a folder; notes what is opened."""

    def __init__(self, chan: Any, root: Path, asked: Asked) -> None:
        super().__init__(chan, chroot=str(root).encode())
        self._asked = asked

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        kind = "write" if pflags & asyncssh.FXF_WRITE else "read"
        self._asked.append((kind, path.decode()))
        return super().open(path, pflags, attrs)
