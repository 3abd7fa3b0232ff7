"""Turns what a stage read and wrote into cache objects and a lock entry: the one committer."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.entries import make_entry
from mlxkit.pipeline.runcache import RunCache
from mlxkit.pipeline.spec import Entry, Out, Stage, entry_items
from mlxkit.pipeline.workspace import Workspace
from mlxkit.store.errors import BrokenLink
from mlxkit.store.intake import take_file, take_tree
from mlxkit.store.objects import ObjectStore
from mlxkit.store.tree import Content


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a stage is about to read, by path as written: taken before its command starts."""

    deps: Mapping[str, Content]
    params: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Committer:
    """Reads inputs, commits and restores outputs."""

    workspace: Workspace
    store: ObjectStore
    copies: ObjectStore
    """The same cache for outputs that Git tracks: they are copied, never linked."""
    runcache: RunCache
    say: Callable[[str], None]

    def inputs(self, stage: Stage) -> Inputs:
        """Describe the dependencies and parameters; raises MlxError for one that is not there."""
        if not os.path.isdir(stage.wdir):
            raise MlxError(
                f"its working folder '{os.path.relpath(stage.wdir)}' does not exist",
                hint="create the folder, or correct the stage's `wdir`",
            )
        deps = {}
        for dep in stage.deps:
            content = self.workspace.content(dep.abs)
            if content is None:
                raise MlxError(
                    f"dependency '{dep.path}' does not exist",
                    hint=f"create it, or fetch it with: mlx pull {dep.path}",
                )
            deps[dep.path] = content
        params = {}
        for one in stage.params:
            values = self.workspace.values(one)
            if values is None:
                raise MlxError(
                    f"parameter file '{one.path}' does not exist",
                    hint="create it, or correct the stage's `params`",
                )
            missing = [key for key in one.keys if key not in values]
            if missing:
                raise MlxError(
                    f"parameter '{missing[0]}' is not in {one.path}",
                    hint=f"add it to {one.path}, or correct the stage's `params`",
                )
            params[one.path] = values
        return Inputs(deps, params)

    def expected(self, stage: Stage, inputs: Inputs) -> Entry:
        """Return the entry that the stage is about to make, its outputs known by path only."""
        entry = make_entry(stage, inputs.deps, inputs.params, {})
        entry["outs"] = [{"path": path} for path in sorted(out.path for out in stage.outs)]
        return entry

    def can_restore(self, stage: Stage, kept: Entry) -> bool:
        """Tell whether the cache has every byte of a kept entry's outputs."""
        outs = entry_items(kept, "outs")
        return set(outs) == {out.path for out in stage.outs} and all(
            "md5" in one and self.store.whole(one["md5"]) for one in outs.values()
        )

    def restore(self, stage: Stage, kept: Entry) -> None:
        """Check out the outputs of a kept entry."""
        from mlxkit.store.checkout import checkout

        outs = entry_items(kept, "outs")
        for out in stage.outs:
            one = outs[out.path]
            _let_write(out.abs)
            checkout(
                one["md5"],
                out.abs,
                self.store if out.cache else self.copies,
                isexec=bool(one.get("isexec")),
                ignore=self.workspace.ignore,
            )

    def commit(self, stage: Stage, inputs: Inputs, *, no_commit: bool) -> Entry:
        """Hash the outputs, put them into the cache and the run-cache; return the lock entry.

        Raises MlxError for an output that is not there or cannot be one.
        """
        for out in stage.outs:
            _require(out)
        contents = {
            out.path: self._take(out) if out.cache and not no_commit else self._made(out)
            for out in stage.outs
        }
        entry = make_entry(stage, self._read_deps(stage, inputs), inputs.params, contents)
        if no_commit:
            return entry
        if self.runcache.keeps(stage) and all(
            out.cache or out.metric or out.plot for out in stage.outs
        ):
            for out in stage.outs:
                if not out.cache:  # the run-cache must be able to give it back
                    _add(self.copies, out, contents[out.path])
            self.runcache.save(entry)
        return entry

    def _made(self, out: Out) -> Content:
        content = self.workspace.content(out.abs)
        if content is None:
            raise _missing(out)
        return content

    def _take(self, out: Out) -> Content:
        """Hash an output and put it into the cache in one reading."""
        if os.path.isdir(out.abs):
            content = take_tree(self.store, out.abs, self.workspace.ignore)
        else:
            content = take_file(self.store, out.abs)
        self.workspace.learn(out.abs, content)
        return content

    def _read_deps(self, stage: Stage, inputs: Inputs) -> dict[str, Content]:
        """Return what the stage read: as it was before it started.

        Files that appear in a folder meanwhile, and Python's bytecode, are the run's own traces:
        then the folder is recorded as it is now, as DVC does, or it would never be up to date.
        """
        found = {}
        for dep in stage.deps:
            before, now = inputs.deps[dep.path], self.workspace.content(dep.abs)
            if now is None or now.md5 == before.md5:
                found[dep.path] = before
            elif _only_traces(before, now):
                found[dep.path] = now
            else:
                found[dep.path] = before
                self.say(
                    f"'{dep.path}' changed while stage '{stage.name}' ran: "
                    "it will run again next time"
                )
        return found


def _let_write(path: str) -> None:
    """Make folders of an earlier output writable that its stage had protected."""
    if os.path.isdir(path) and not os.path.islink(path):
        for folder, _, _ in os.walk(path):
            if not os.access(folder, os.W_OK):
                os.chmod(folder, os.stat(folder).st_mode | 0o700)


def _add(store: ObjectStore, out: Out, content: Content) -> None:
    if content.entries is None:
        store.add_file(out.abs, content.md5)
    else:
        store.add_tree(out.abs, content)


def _only_traces(before: Content, now: Content) -> bool:
    if before.entries is None or now.entries is None:
        return False
    current = dict(now.entries)
    return all(
        current.get(path) == md5 or "__pycache__" in path.split("/") for path, md5 in before.entries
    )


def _require(out: Out) -> None:
    """Raise MlxError for an output that is not there, or cannot be what it is declared to be."""
    if not os.path.exists(out.abs):
        if os.path.islink(out.abs):
            raise BrokenLink(f"'{out.path}' is a link to nothing")
        raise _missing(out)
    if out.metric and os.path.isfile(out.abs) and _is_binary(out.abs):
        raise MlxError(f"metrics file '{out.path}' is not text")


def _missing(out: Out) -> MlxError:
    return MlxError(
        f"output '{out.path}' does not exist",
        hint="let the command write it, or remove it from the stage's outputs",
    )


def _is_binary(path: str) -> bool:
    with open(path, "rb") as file:
        return b"\0" in file.read(512)


@contextmanager
def os_errors_explained(stage: Stage) -> Iterator[None]:
    """Turn a bare OSError (disk full, no permission) into an error with a way out."""
    try:
        yield
    except OSError as error:
        name = os.path.relpath(error.filename) if isinstance(error.filename, str) else "a file"
        raise MlxError(
            f"{name}: {error.strerror}", hint="free space or correct permissions, then repeat"
        ) from error
