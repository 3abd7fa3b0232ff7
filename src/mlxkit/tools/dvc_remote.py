"""DVC's file systems: servers with its configuration and credentials; and its own push and fetch.

Imported, and DVC with it, only where a remote is not a folder of this machine.
"""

import logging
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError, RemoteError
from mlxkit.tools.dvclock import RepoLock

# Where a file grows under its name while it is written, and renaming is cheap.
_RENAMED = {"ssh", "webdav", "webdavs", "hdfs", "webhdfs"}


class TooLong(Exception):
    """More bytes arrive than the object can have."""


class Stopped(Exception):
    """Nobody wants the rest any more."""


class Server:
    """One remote's file system; its methods raise whatever the library behind it raises."""

    def __init__(self, fs: Any, folder: str, odb: Any, jobs: int | None) -> None:
        self._fs = fs
        self._folder = folder
        self._odb = odb
        self._stopped = threading.Event()
        self.jobs: int = jobs or fs.jobs
        self.run_cache = fs.protocol not in ("http", "https")

    def stop(self) -> None:
        """Let all that is on its way, in whatever thread, end with Stopped at its next bytes."""
        self._stopped.set()

    def reach(self) -> None:
        """Ask for something, so that a wrong address or password shows at once."""
        self._fs.exists(self._odb.path)

    def find(self, md5s: Iterable[str]) -> set[str]:
        """Return which objects there are: by listing or by asking, whatever DVC thinks cheaper."""
        return set(self._odb.oids_exist(set(md5s), jobs=self.jobs))

    def ask(self, md5s: Iterable[str]) -> set[str]:
        """Return which objects there are, by asking for each."""
        return set(self._odb.list_oids_exists(list(md5s), jobs=self.jobs))

    def get(self, md5: str, target: str, limit: int) -> None:
        """Download an object to a file; raises TooLong after more than `limit` bytes."""
        self._fs.get_file(self._odb.oid_to_path(md5), target, callback=self._watch(limit))

    def prepare(self, prefixes: Iterable[str]) -> None:
        """Make the folders that objects go to, where a file system has such things."""
        if self._fs.protocol not in _RENAMED:
            if self.run_cache:
                self._make_bucket()
            return
        from concurrent.futures import ThreadPoolExecutor

        first, *rest = sorted(prefixes)
        self._odb._init(first)  # also lists those that are there
        with ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self._odb._init, rest))

    def _make_bucket(self) -> None:
        try:
            self._fs.makedirs(self._odb.path)
        except Exception:
            pass  # who may write objects need not be allowed to make or see a bucket

    def put(self, source: str, md5: str, temporary: str) -> None:
        """Upload a file; it appears under its name whole, or not at all."""
        self._put(source, self._odb.oid_to_path(md5), self._fs.join(self._odb.path, temporary))

    def runs(self) -> set[str]:
        """Return the names of all files of the run-cache."""
        folder = self._fs.join(self._folder, "runs")
        if not self._fs.exists(folder):
            return set()
        return {"/".join(self._fs.relparts(path, folder)) for path in self._fs.find(folder)}

    def get_run(self, name: str, target: str, limit: int) -> None:
        """Download an entry of the run-cache to a file."""
        self._fs.get_file(self._run(name), target, callback=self._watch(limit))

    def put_run(self, source: str, name: str, temporary: str) -> None:
        """Upload an entry of the run-cache."""
        path = self._run(name)
        self._fs.makedirs(self._fs.parent(path))
        self._put(source, path, self._fs.join(self._folder, temporary))

    def _run(self, name: str) -> str:
        return str(self._fs.join(self._folder, "runs", *name.split("/")))

    def _put(self, source: str, path: str, temporary: str) -> None:
        if self._fs.protocol not in _RENAMED:
            self._fs.put_file(source, path, callback=self._watch())
            return
        try:
            self._fs.put_file(source, temporary, callback=self._watch())
            if self._fs.protocol.startswith("webdav"):
                # The file system's own `mv` copies and deletes.
                self._fs.fs.client.move(temporary, path, overwrite=True)
            else:
                self._fs.mv(temporary, path)
        except BaseException:
            try:
                self._fs.remove(temporary)
            except Exception:
                pass
            raise

    def _watch(self, limit: int | None = None) -> Any:
        return _watching(limit, self._stopped)


def connect(config: dict[str, Any], name: str, jobs: int | None) -> Server:
    """Return the server behind a remote, without asking it anything; raises RemoteError."""
    import dvc.fs
    from dvc_data.hashfile.db import get_odb

    try:
        cls, options, folder = dvc.fs.get_cloud_fs(config, name=name)
        if cls.protocol == "ssh" and not sys.stdin.isatty():
            from asyncssh import SSHClient

            options["client_factory"] = SSHClient  # DVC's own would ask nobody for a password
        fs = cls(**options)
        path = fs.join(folder, "files", "md5")
        return Server(fs, folder, get_odb(fs, path, hash_name="md5", **options), jobs)
    except dvc.fs.RemoteMissingDepsError as error:
        raise RemoteError(
            f"remote '{name}' needs DVC's plug-in for {error.protocol}",
            hint=f"run: pip install 'dvc[{error.protocol}]'",
        ) from None
    except Exception as error:  # each plug-in has its own kinds
        raise RemoteError(
            f"remote '{name}': {one_line(error)}", hint="see: mlx remote list"
        ) from error


class ByDvc(NamedTuple):
    """What DVC's own push, fetch or pull did: how many objects, and which failed."""

    files: int = 0
    failed: Sequence[str] = ()
    added: Sequence[str] = ()
    modified: Sequence[str] = ()
    deleted: Sequence[str] = ()


def transfer_by_dvc(
    root: str, lock: RepoLock, verb: str, targets: list[str] | None, options: dict[str, Any]
) -> ByDvc:
    """Let DVC push, fetch or pull; raises MlxError for what is wrong before it begins."""
    from dvc.exceptions import CheckoutError, DownloadError, DvcException, UploadError
    from dvc.repo import Repo

    told = _Told()
    with lock.lent(3600), told.listening():
        try:
            with Repo(root) as repo:
                done = getattr(repo, verb)(targets=targets, **options)
        except (UploadError, DownloadError) as error:
            return ByDvc(failed=told.failed or [f"{error.amount} files"])
        except CheckoutError as error:
            return _changes({**error.result, "failed": error.target_infos})
        except DvcException as error:
            raise MlxError(one_line(error), hint=f"see: dvc {verb} -v") from None
    return _changes(done) if verb == "pull" else ByDvc(done)


def _changes(result: dict[str, Any]) -> ByDvc:
    lists = {
        name: [str(path) for path in result.get(name) or ()]
        for name in ("failed", "added", "modified", "deleted")
    }
    return ByDvc(int(result.get("stats", {}).get("fetched", 0)), **lists)


class _Told(logging.Handler):
    """Hears which objects DVC could not transfer: it only counts them in what it raises."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.failed: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith("failed to transfer") and isinstance(record.args, tuple):
            self.failed.append(str(record.args[0]))

    @contextmanager
    def listening(self) -> Iterator[None]:
        loggers = [logging.getLogger(name) for name in ("dvc", "dvc_data", "dvc_objects")]
        for one in loggers:
            one.addHandler(self)
        try:
            yield
        finally:
            for one in loggers:
                one.removeHandler(self)


def _watching(limit: int | None, stopped: threading.Event) -> Any:
    """Return a callback that ends a transfer that is longer than it can be, or was stopped."""
    from fsspec import Callback  # type: ignore[import-untyped]

    def check(size: int) -> None:
        if stopped.is_set():
            raise Stopped
        if limit is not None and size > limit:
            raise TooLong

    class Watching(Callback):  # type: ignore[misc]
        def set_size(self, size: int | None) -> None:
            check(size or 0)

        def relative_update(self, inc: int = 1) -> None:
            self.value += inc
            check(self.value)

        def absolute_update(self, value: int) -> None:
            self.value = value
            check(value)

    return Watching()


def is_refused(error: BaseException) -> bool:
    """Tell whether a server said no, or has to: asking again does not help."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"PermissionError", "PermissionDenied", "NoCredentialsError", "EOFError"})


def one_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
