"""Compares stages with what is recorded of them, and with what Git has (pure)."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlxkit.core.digest import md5_bytes
from mlxkit.core.errors import MlxError
from mlxkit.pipeline.plan import same_value
from mlxkit.pipeline.spec import Dep, Entry, Out, Params, Stage, entry_items
from mlxkit.proof.makers import Makers, is_legacy
from mlxkit.proof.view import UNCHECKED, Problem, View
from mlxkit.store.tree import tree_bytes

_SHOWN = 8


class Checker:
    """Checks stages one by one; `here` is the folder that they are named from."""

    def __init__(self, stages: Iterable[Stage], view: View, here: str) -> None:
        self._view = view
        self._here = here
        self._makers = Makers(stages, view.entry)

    def stage(self, stage: Stage) -> list[Problem]:
        """Return all that is wrong with one stage, and what cannot be checked of it."""
        name = stage.address(self._here)
        return [Problem(kind, name, path, why) for kind, path, why in self._found(stage) if kind]

    def _found(self, stage: Stage) -> Iterator[tuple[str, str, str]]:
        if stage.is_source:
            yield from _data(stage)
            return
        if stage.name is None:
            yield UNCHECKED, stage.file, "it is a stage in the format of DVC 1"
            return
        entry = self._view.entry(stage)
        if entry is None:
            yield "not-locked", stage.lock_path, "the lock has nothing of it: it never ran"
            return
        if entry.get("cmd") != stage.cmd:
            yield "cmd", stage.file, f"the lock has another command: {_command(entry.get('cmd'))}"
        if not stage.frozen:  # what a frozen stage reads may go on without it
            yield from self._deps(stage, entry)
            for params in stage.params:
                yield from self._params(stage, params, entry)
            yield from _more_params(stage, entry)
        yield from self._outs(stage, entry)

    def _deps(self, stage: Stage, entry: Entry) -> Iterator[tuple[str, str, str]]:
        recorded = entry_items(entry, "deps")
        for dep in stage.deps:
            item = recorded.pop(dep.path, None)
            if "://" in dep.path or (item is not None and "md5" not in item):
                yield UNCHECKED, dep.path, "it is not on this machine's disk"
            elif item is None:
                yield "deps", dep.abs, "it is not in the lock: the stage did not run with it"
            else:
                yield from self._read(dep, item)
        for path in recorded:
            yield "deps", _full(stage, path), "the lock says that it was read: not declared now"

    def _outs(self, stage: Stage, entry: Entry) -> Iterator[tuple[str, str, str]]:
        recorded = entry_items(entry, "outs")
        for out in stage.outs:
            item = recorded.pop(out.path, None)
            if "://" in out.path or (item is not None and "md5" not in item):
                yield UNCHECKED, out.path, "it is not on this machine's disk"
            elif item is None:
                yield "outs", out.abs, "it is not in the lock: the stage did not make it"
            elif not out.cache and self._view.below(out.abs):
                yield from self._made(out, item)
        for path in recorded:
            yield "outs", _full(stage, path), "the lock says that it was made: not declared now"

    def _made(self, out: Out, item: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Compare an output that Git keeps with what is recorded of it."""
        for kind, path, why in self._git(out.abs, item, outs=[]):
            changed = "Git has other content than the stage made"
            yield kind, path, changed if kind == "content" else why

    def _params(self, stage: Stage, params: Params, entry: Entry) -> Iterator[tuple[str, str, str]]:
        before = (entry.get("params") or {}).get(params.path)
        if before is None:
            yield "params", params.abs, "the lock has nothing of this file"
            return
        try:
            now = self._view.values(params)
        except MlxError as error:
            yield "params", params.abs, str(error)
            return
        if now is None:
            known = self._makers.exact(params.abs)
            kind = UNCHECKED if known or self._view.beyond(params.abs) else "params"
            yield kind, params.abs, "the file is not there"
            return
        for key in params.keys or tuple(dict.fromkeys([*now, *before])):
            if key not in now:
                yield "params", params.abs, f"{key} is not there any more"
            elif key not in before:
                yield "params", params.abs, f"{key} is not in the lock"
            elif not same_value(now[key], before[key]):
                yield "params", params.abs, f"{key}: {before[key]} in the lock, now {now[key]}"

    def _read(self, dep: Dep, item: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Compare a dependency with who made it, or with Git."""
        maker = self._makers.exact(dep.abs) or self._makers.around(dep.abs)
        if maker is None:
            outs = self._makers.below(dep.abs)
            yield from self._git(dep.abs, item, outs)
            return
        if maker.item is None or "md5" not in maker.item:
            return  # that is said of the one who makes it
        made: str | None = maker.item["md5"]
        if maker.part:
            made = self._view.inside(str(made), maker.part)
        if made is None:
            yield UNCHECKED, dep.abs, f"the list of '{maker.out.path}' is not in the cache"
        elif is_legacy(maker.item) != is_legacy(item):
            yield UNCHECKED, dep.abs, "one of the two digests is DVC 2's"
        elif made != item["md5"]:
            by = maker.stage.address(self._here)
            told = f"it read {_short(item['md5'])}, '{by}' has {_short(made)}"
            yield "chain", dep.abs, told

    def _git(
        self, path: str, item: Mapping[str, Any], outs: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> Iterator[tuple[str, str, str]]:
        """Compare a file or folder of Git's with what is recorded; `outs` lie in the folder."""
        files = self._view.below(path)
        beyond = self._view.beyond(path)
        if beyond and not (files or outs):
            yield UNCHECKED, path, beyond
        elif not files and not outs:
            yield "uncommitted", path, "neither Git nor DVC has it"
        elif list(files) == [path]:
            found = self._view.digests(path, legacy=is_legacy(item))
            if not found:
                yield UNCHECKED, path, "Git has no content of it to compare (a link, Git LFS)"
            elif item["md5"] not in found:
                yield "content", path, f"the stage read {_short(item['md5'])}, Git has another"
        else:
            yield from self._folder(path, item, files, outs)

    def _folder(
        self,
        path: str,
        item: Mapping[str, Any],
        files: Sequence[str],
        outs: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> Iterator[tuple[str, str, str]]:
        if self._view.folder(path) == item["md5"]:
            return
        legacy = is_legacy(item)
        entries: dict[str, str | None] = {}
        for file in files:
            found = self._view.digests(file, legacy=legacy)
            entries[_relative(file, path)] = found[0] if found else None
        for out, made in outs:
            md5 = made.get("md5")
            entries[_relative(out, path)] = None if str(md5).endswith(".dir") else md5
        digests = {name: md5 for name, md5 in entries.items() if md5 is not None}
        if len(digests) < len(entries):
            yield UNCHECKED, path, "what lies in it cannot be told from here"
        elif item["md5"] in _folder_digests(digests):
            return
        elif (item.get("nfiles") or 0) > len(entries) or self._view.beyond(path):
            yield UNCHECKED, path, "the stage read files in it that Git does not have"
        else:
            yield "chain" if outs else "content", path, "the stage read other files, Git has these"


def orphans(path: str, names: Iterable[str], stages: Iterable[Stage], here: str) -> list[Problem]:
    """Return a problem for each entry of a lock file that no stage has."""
    known = {stage.name: stage for stage in stages}
    yaml = path.removesuffix("lock") + "yaml"
    return [
        Problem(
            "orphan",
            Stage(yaml, name, "", "").address(here),
            path,
            "the lock has an entry of it, but there is no such stage",
        )
        for name in names
        if name not in known
    ]


def _data(stage: Stage) -> Iterator[tuple[str, str, str]]:
    recorded = entry_items(stage.recorded, "outs")
    for out in stage.outs:
        if not {"md5", "etag", "checksum", "files", "version_id"} & recorded[out.path].keys():
            yield "not-locked", out.abs, "its .dvc file records no content"


def _more_params(stage: Stage, entry: Entry) -> Iterator[tuple[str, str, str]]:
    declared = {one.path: one for one in stage.params}
    for path, values in (entry.get("params") or {}).items():
        if path not in declared:
            yield "params", _full(stage, path), "the lock says that it was read: not declared now"
        elif declared[path].keys:
            for key in values.keys() - set(declared[path].keys):
                told = f"{key}: the lock says that it was read, not declared now"
                yield "params", declared[path].abs, told


def _folder_digests(entries: Mapping[str, str]) -> set[str]:
    """Return the digest of a folder; also without `.gitignore`, which may have come later."""
    found = set()
    for chosen in (entries, {k: v for k, v in entries.items() if k.split("/")[-1] != ".gitignore"}):
        found.add(md5_bytes(tree_bytes(sorted(chosen.items()))) + ".dir")
    return found


def _full(stage: Stage, path: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(stage.wdir, path))


def _relative(path: str, folder: str) -> str:
    return path[len(folder) :].lstrip("/")


def _short(md5: str) -> str:
    return md5[:_SHOWN]


def _command(cmd: Any) -> str:
    return " && ".join(cmd) if isinstance(cmd, list) else str(cmd)
