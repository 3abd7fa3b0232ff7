"""A working tree whose recorded data count as there, and are laid out when they are needed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlxkit.pipeline.lazy import LazyWorkspace
from mlxkit.pipeline.lockfile import ParseCache
from mlxkit.pipeline.spec import Dep, Entry, Out, Params, Stage
from mlxkit.store.intake import take_file, take_tree
from mlxkit.store.objects import ObjectStore
from mlxkit.store.state import State
from mlxkit.store.tree import Content


class _NoParses(ParseCache):
    """Remembers nothing."""

    def get(self, key: str) -> Any | None:
        return None

    def put(self, key: str, value: Any) -> None:
        pass


class Place:
    """A folder with a cache beside it, and one stage that wrote what is recorded."""

    def __init__(self, top: Path) -> None:
        self.root = top / "place"
        self.root.mkdir()
        self.state = State.load(str(top / "state"))
        self.store = ObjectStore(
            str(top / "cache" / "files" / "md5"),
            state=self.state,
            link_types=("copy",),
            shared=False,
        )
        self.workspace = LazyWorkspace(self.state, self.store, _NoParses(), None)
        self._items: list[dict[str, Any]] = []
        self._outs: list[Out] = []
        self._top = top

    def keep(self, path: str, content: str | Mapping[str, str], **flags: Any) -> Content:
        """Record an output that is in the cache, and not in the place."""
        source = self._top / "source" / path
        if isinstance(content, str):
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(content)
            found = take_file(self.store, str(source), relink=False)
        else:
            for name, text in content.items():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_text(text)
            found = take_tree(self.store, str(source), relink=False)
        item = {"path": path, "md5": found.md5, "size": found.size}
        self._items.append(item | ({"nfiles": found.nfiles} if found.nfiles else {}))
        self._outs.append(self.out(path, **flags))
        return found

    def out(self, path: str, **flags: Any) -> Out:
        return Out(path, str(self.root / path), **flags)

    def stage(self, deps: tuple[str, ...] = (), outs: tuple[Out, ...] = ()) -> Stage:
        found = tuple(Dep(path, str(self.root / path)) for path in deps)
        file = str(self.root / "dvc.yaml")
        return Stage(file=file, name="s", wdir=str(self.root), cmd="x", deps=found, outs=outs)

    def attach(self) -> Stage:
        """Tell the workspace of one stage with all that was kept."""
        one = self.stage(outs=tuple(self._outs))
        entry: Entry = {"cmd": "x", "outs": self._items}
        self.workspace.attach([one], lambda stage: entry if stage is one else None)
        return one

    def there(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()
        )

    def path(self, path: str) -> str:
        return str(self.root / path)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_recorded_counts_as_there(place: Place) -> None:
    file = place.keep("deep/model", "weights")
    folder = place.keep("data", {"a": "1", "sub/b": "22"})
    place.attach()
    look = place.workspace
    assert look.md5(place.path("deep/model")) == file.md5
    found = look.content(place.path("data"))
    assert found is not None
    assert (found.md5, found.size, found.nfiles) == (folder.md5, 3, 2)
    assert found.entries == folder.entries
    assert place.there() == []
    assert (place.root / "deep").is_dir(), "a checkout would have made it"


def test_what_the_cache_lacks_or_nobody_recorded_is_not_there(place: Place) -> None:
    gone = place.keep("gone", "x")
    place.attach()
    os.chmod(place.store.path(gone.md5), 0o600)
    os.unlink(place.store.path(gone.md5))
    assert place.workspace.md5(place.path("gone")) is None
    assert place.workspace.content(place.path("never")) is None


def test_files_that_are_there_win(place: Place) -> None:
    kept = place.keep("model", "old")
    place.attach()
    Path(place.path("model")).write_text("new")
    assert place.workspace.md5(place.path("model")) != kept.md5
    place.workspace.lay_out(place.stage(deps=("model",)))
    assert Path(place.path("model")).read_text() == "new"


def test_only_what_a_stage_reads_is_laid_out(place: Place) -> None:
    place.keep("model", "weights")
    place.keep("other", "x")
    place.attach()
    place.workspace.lay_out(place.stage(deps=("model",), outs=(place.out("far/away/result"),)))
    assert place.there() == ["model"]
    assert (place.root / "far" / "away").is_dir(), "a command writes into it"


def test_what_it_goes_on_from_is_laid_out_too(place: Place) -> None:
    place.keep("log", "so far", persist=True)
    place.keep("model", "weights")
    one = place.attach()
    place.workspace.lay_out(one)
    assert place.there() == ["log"]
    place.workspace.lay_out(one, outs=True)
    assert place.there() == ["log", "model"]


def test_a_file_within_a_folder_brings_the_folder(place: Place) -> None:
    place.keep("data", {"a": "1", "sub/b": "22"})
    place.attach()
    assert place.workspace.md5(place.path("data/sub/b")) is not None
    assert place.there() == ["data/a", "data/sub/b"]


def test_a_folder_brings_what_lies_in_it(place: Place) -> None:
    place.keep("results/model", "weights")
    place.keep("elsewhere", "x")
    place.attach()
    found = place.workspace.content(place.path("results"))
    assert found is not None
    assert found.nfiles == 1
    assert place.there() == ["results/model"]


def test_parameters_that_a_stage_wrote_are_read(place: Place) -> None:
    place.keep("made.yaml", "rate: 3\n")
    place.attach()
    params = Params("made.yaml", place.path("made.yaml"), ("rate",))
    assert place.workspace.values(params) == {"rate": 3}


def test_the_executable_bit_is_laid_out(place: Place) -> None:
    kept = place.keep("tool", "#!/bin/sh\n")
    place._items[0]["isexec"] = True
    place.attach()
    found = place.workspace.content(place.path("tool"))
    assert found is not None
    assert found.isexec
    assert found.md5 == kept.md5
    place.workspace.lay_out(place.stage(deps=("tool",)))
    assert os.access(place.path("tool"), os.X_OK)
