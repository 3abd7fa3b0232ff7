"""A remote that is a server: many objects in flight, each tried several times, each checked."""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import TypeVar

from mlxkit.core.digest import md5_file
from mlxkit.core.errors import RemoteError
from mlxkit.core.files import TEMPORARY, discard, discard_left, make_folders, write_atomic
from mlxkit.core.progress import Progress
from mlxkit.data.transfer.copy import TOO_LONG, full, move_in
from mlxkit.data.transfer.items import LOCAL, REMOTE, Failure, Item, Outcome
from mlxkit.data.transfer.tries import USUAL, Patience, Tries, Wrong, is_passing
from mlxkit.store.ingest import protect
from mlxkit.store.links import temporary_name
from mlxkit.tools.dvc_remote import Server, TooLong, one_line

T = TypeVar("T")

_LONGEST_RUN = 16 << 20
_FAREWELL = 2.0
"""Seconds that transfers have to end by themselves, and to clear up, after they were stopped."""


class NetworkRemote:
    """Objects on a server; what it is known to have is noted in a file of ours, `memory`."""

    def __init__(
        self,
        name: str,
        server: Server,
        memory: str,
        cache_dir_mode: int | None,
        patience: Patience = USUAL,
    ) -> None:
        self.name = name
        self.run_cache = server.run_cache
        self._server = server
        self._memory = memory
        self._cache_dir_mode = cache_dir_mode
        self._patience = patience
        self._reached = False

    def present(self, md5s: set[str], progress: Progress) -> set[str]:
        """Return which of the objects the server has; raises RemoteError."""
        if not md5s:
            return set()
        progress.begin(f"asking '{self.name}'", len(md5s))
        try:
            return self._asked(lambda: self._server.find(md5s))
        finally:
            progress.end()

    def complete(self, directories: set[str]) -> set[str]:
        """Return directories that were there with all files once, and still are themselves."""
        noted = directories & self._noted()
        if not noted:
            return set()
        there = self._asked(lambda: self._server.ask(noted))
        if there != noted:
            self.forget()  # somebody removes objects: ask for each again
            return set()
        return there

    def remember(self, directories: Iterable[str]) -> None:
        """Note that directories are there with all their files."""
        noted = self._noted()
        now = noted.union(directories)
        if now != noted:
            document = {"remote": self.name, "directories": sorted(now)}
            try:
                write_atomic(self._memory, json.dumps(document).encode(), sync=False)
            except OSError:
                pass  # then it is asked again

    def forget(self) -> None:
        """Drop what was noted."""
        discard(self._memory)

    def read(self, md5: str, limit: int) -> bytes:
        """Return an object's bytes; raises FileNotFoundError, OSError, RemoteError."""
        return self._download(lambda path: self._server.get(md5, path, limit))

    def send(self, cache: str, md5s: Sequence[str], progress: Progress) -> Outcome:
        """Upload objects, each after a check of its own bytes; raises RemoteError."""
        prefixes = {md5[:2] for md5 in md5s}
        self._asked(lambda: self._server.prepare(prefixes))

        def one(item: Item) -> int:
            path = f"{cache}/{item.md5[:2]}/{item.md5[2:]}"
            if md5_file(path) != item.md5[:32]:
                raise Wrong(LOCAL)
            self._server.put(path, item.md5, temporary_name())
            return os.stat(path).st_size

        return self._each(one, [Item(md5) for md5 in md5s], LOCAL, progress)

    def receive(self, cache: str, items: Sequence[Item], progress: Progress) -> Outcome:
        """Download objects; raises DiskFull, RemoteError."""
        self._reach()
        make_folders(cache, self._cache_dir_mode)
        start = f"{TEMPORARY[0]}{os.urandom(8).hex()}"

        def one(item: Item) -> int:
            temporary = f"{cache}/{start}{os.urandom(8).hex()}{TEMPORARY[1]}"
            room = _room(cache)
            limit = room if item.limit is None else min(item.limit, room)
            try:
                self._server.get(item.md5, temporary, limit)
                if md5_file(temporary) != item.md5[:32]:
                    raise Wrong(REMOTE)
                size = os.stat(temporary).st_size
                protect(temporary)
                move_in(temporary, cache, item.md5, self._cache_dir_mode)
                return size
            finally:
                discard(temporary)

        try:
            return self._each(one, items, REMOTE, progress, cache)
        except BaseException:
            discard_left(cache, start)  # of threads that a server keeps waiting
            raise

    def runs(self) -> set[str]:
        """Return the names of the run-cache's entries; raises RemoteError."""
        return self._asked(self._server.runs)

    def read_run(self, name: str) -> bytes:
        """Return an entry of the run-cache; raises OSError, RemoteError."""
        return self._download(lambda path: self._server.get_run(name, path, _LONGEST_RUN))

    def write_run(self, name: str, source: str) -> None:
        """Upload an entry of the run-cache; raises RemoteError."""
        self._asked(lambda: self._server.put_run(source, name, temporary_name()))

    def _reach(self) -> None:
        if not self._reached:
            self._asked(self._server.reach)
            self._reached = True

    def _download(self, get: Callable[[str], None]) -> bytes:
        self._reach()
        folder = os.path.dirname(self._memory)
        os.makedirs(folder, exist_ok=True)
        temporary = os.path.join(folder, temporary_name())
        try:
            self._asked(lambda: get(temporary))
            with open(temporary, "rb") as file:
                return file.read()
        finally:
            discard(temporary)

    def _asked(self, ask: Callable[[], T]) -> T:
        """Ask, several times if need be; what fails for good stops the whole command."""
        for pause in (*self._patience.pauses, None):
            try:
                return ask()
            except FileNotFoundError:
                raise
            except TooLong:
                raise OSError(TOO_LONG) from None
            except Exception as error:
                if pause is None or not is_passing(error):
                    raise RemoteError(
                        f"remote '{self.name}': {one_line(error)}",
                        hint="check its address and password, then repeat: see mlx remote list",
                    ) from error
                self._patience.sleep(pause)
        raise AssertionError

    def _each(
        self,
        work: Callable[[Item], int],
        items: Sequence[Item],
        source_side: str,
        progress: Progress,
        cache: str = "",
    ) -> Outcome:
        failed: dict[str, Failure] = {}
        files = size = 0
        tries = Tries(work, source_side, self._patience)
        with closing(self._in_flight(tries, items)) as results:
            for item, result in results:
                if isinstance(result, Failure):
                    if result.full:
                        raise full(cache, LOCAL)
                    failed[item.md5] = result
                else:
                    files += 1
                    size += result
                    progress.advance(1, result)
        return Outcome(files, size, failed)

    def _in_flight(
        self, tries: Tries, items: Sequence[Item]
    ) -> Generator[tuple[Item, int | Failure], None, None]:
        from concurrent.futures import Future, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(self._server.jobs)
        running: list[Future[int | Failure]] = []
        try:
            # In slices, so that a million objects do not wait as a million futures.
            step = max(256, 16 * self._server.jobs)
            for start in range(0, len(items), step):
                part = items[start : start + step]
                running = [pool.submit(tries, item) for item in part]
                yield from ((item, one.result()) for item, one in zip(part, running, strict=True))
        except BaseException:
            tries.stop()
            self._server.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            wait(running, _FAREWELL)  # not for ever: a server may say nothing more
            raise
        pool.shutdown()

    def _noted(self) -> set[str]:
        try:
            with open(self._memory, "rb") as file:
                return set(json.load(file)["directories"])
        except (OSError, ValueError, KeyError, TypeError):
            return set()


def memory_path(root: str, url: str) -> str:
    """Return where it is noted what the remote at `url` has."""
    name = hashlib.sha256(url.encode()).hexdigest()[:32]
    return os.path.join(root, ".mlx", "cache", "remotes", f"{name}.json")


def _room(folder: str) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize
