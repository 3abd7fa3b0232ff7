"""Hypothesis strategies for what a user does to a project between two runs."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from .world import Document, Files, World
from .worlds import PY_VALUES, SCALARS, TOML_VALUES, VALUES, Draw, add_stage, chance, pick, worlds

# The arguments of `repro`, the same for both tools.
ARGUMENTS: list[tuple[str, ...]] = [
    ("-P",), ("-P",), ("-P",), ("-P",), (), (), ("-P", "--force"), ("-P", "--no-run-cache"),
    ("-P", "--force-downstream"), ("-P", "-k"),
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """Edits, and the arguments of the run that follows."""

    labels: tuple[str, ...]
    writes: Files
    deletes: tuple[str, ...]
    damage: tuple[tuple[str, str], ...]  # what, path: done only where the path exists
    arguments: tuple[str, ...]
    swapped: bool = False  # the tools change repositories

    def apply(self, root: Path) -> None:
        """Do to the project at `root` what the user does."""
        for path in self.deletes:
            (root / path).unlink(missing_ok=True)
        for path, (content, mode) in self.writes.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            os.chmod(target, mode)
        for what, path in self.damage:
            if os.path.lexists(root / path):
                _DAMAGE[what](root / path)

    def __repr__(self) -> str:
        lines = [f"{'; '.join(self.labels) or 'nothing'} -> repro {' '.join(self.arguments)}"]
        lines[0] += " (swapped)" if self.swapped else ""
        lines += [f"rm {path!r}" for path in self.deletes]
        for path, (content, mode) in self.writes.items():
            lines.append(f"{path} ({mode:o}):\n{content.decode()}")
        lines += [f"{what} {path!r}" for what, path in self.damage]
        return "\n    ".join(line.replace("\n", "\n      | ") for line in lines)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _modify(path: Path) -> None:
    if path.is_dir():
        (path / "by hand.t").write_text("by hand\n")
    else:
        with path.open("ab") as file:
            file.write(b"by hand\n")


def _delete_inside(path: Path) -> None:
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else []
    if files:
        files[0].unlink()


_DAMAGE: dict[str, Callable[[Path], None]] = {
    "delete": _delete,
    "modify": _modify,
    "delete one inside": _delete_inside,
}


@dataclass
class _Draft:
    """A step while it is drawn."""

    world: World
    history: list[World]
    labels: list[str] = field(default_factory=list)
    damage: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Scenario:
    """A project and the steps that follow; its repr is all that is needed to do it by hand."""

    start: World
    steps: tuple[Step, ...]

    @property
    def tracked(self) -> list[str]:
        """What is added with `dvc add` before the first step."""
        return sorted(self.start.tracked)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # Hypothesis would list every field

    def __repr__(self) -> str:
        steps = "\n".join(f"  {number}. {step!r}" for number, step in enumerate(self.steps, 1))
        return f"\n  dvc add {self.tracked}\n{steps}\n"


@st.composite
def scenarios(draw: Draw, max_steps: int = 5) -> Scenario:
    """A random project, its first run and up to `max_steps - 1` edits, each with a run."""
    world = draw(worlds())
    start = world.clone()
    steps = [Step(("start",), world.render(), (), (), ("-P",))]
    history = [world.clone()]
    for _ in range(draw(st.integers(1, max_steps - 1))):
        before = world.render()
        draft = _Draft(world, history)
        for edit in draw(st.lists(st.sampled_from(EDITS), min_size=1, max_size=3)):
            edit(draw, draft)
        world = draft.world
        after = world.render()
        writes = {path: entry for path, entry in after.items() if before.get(path) != entry}
        steps.append(
            Step(
                tuple(draft.labels),
                writes,
                tuple(sorted(before.keys() - after.keys())),
                tuple(draft.damage),
                pick(draw, ARGUMENTS),
                swapped=chance(draw, 35),
            )
        )
        history.append(world.clone())
    return Scenario(start, tuple(steps))


def _change_source(draw: Draw, draft: _Draft) -> None:
    path = pick(draw, [path for path in draft.world.sources if not path.endswith("readme")])
    content, mode = draft.world.sources[path]
    if chance(draw, 10):
        mode ^= 0o111
    draft.world.sources[path] = (content + b"more\n", mode)
    draft.labels.append(f"change {path}")


def _change_param(draw: Draw, draft: _Draft) -> None:
    path = pick(draw, sorted(draft.world.params))
    values = draft.world.params[path]
    pool = {".toml": TOML_VALUES, ".py": PY_VALUES}.get(os.path.splitext(path)[1], VALUES)
    places: list[tuple[Document, str]] = []
    for key, value in values.items():
        if isinstance(value, dict) and key in ("train", "b", "t", "T"):
            places += [(value, inner) for inner in value]
        else:
            places.append((values, key))
    # A changed `size` or `nfiles` makes dvc restore a wrong result: that has tests of its own.
    table, key = pick(draw, [place for place in places if place[1] not in ("size", "nfiles")])
    if path.endswith(".py") and table is not values:
        pool = TOML_VALUES  # to dvc a tuple inside a class differs from itself for ever
    options = SCALARS if key == "rate" else pool
    # Where 1 becomes true or 1.0, dvc sees no change: a special project has that.
    old = table["deep"]["x"] if key == "deep" else table[key]
    value = pick(draw, [one for one in options if one != old] or options)
    if key == "deep":
        table["deep"]["x"] = value
    else:
        table[key] = value
    draft.labels.append(f"set {key} in {path}")


def _stage(draw: Draw, draft: _Draft) -> Document | None:
    """The body of one stage (of a group: what is repeated)."""
    stages = draft.world.stages()
    if not stages:
        return None
    folder, name = pick(draw, stages)
    body: Document = draft.world.pipelines[folder]["stages"][name]
    draft.labels.append(name)
    repeated: Document = body.get("do", body)
    return repeated


def _change_cmd(draw: Draw, draft: _Draft) -> None:
    stage = _stage(draw, draft)
    if stage is None:
        return
    extra = f"echo changed{draft.world.number()} > /dev/null"
    cmd = stage["cmd"]
    stage["cmd"] = [*cmd, extra] if isinstance(cmd, list) else f"{cmd.rstrip()} && {extra}"
    draft.labels.append("change its command")


def _change_salt(draw: Draw, draft: _Draft) -> None:
    """Another command that makes other outputs, and under other names inside a folder."""
    stage = _stage(draw, draft)
    if stage is None:
        return

    def other(line: str) -> str:
        return line.replace("salt", "salt8")

    cmd = stage["cmd"]
    stage["cmd"] = [other(line) for line in cmd] if isinstance(cmd, list) else other(cmd)
    draft.labels.append("change what it makes")


def _toggle_frozen(draw: Draw, draft: _Draft) -> None:
    stage = _stage(draw, draft)
    if stage is None:
        return
    if stage.pop("frozen", False):
        draft.labels.append("unfreeze")
    else:
        stage["frozen"] = True
        draft.labels.append("freeze")


def _describe_stage(draw: Draw, draft: _Draft) -> None:
    stage = _stage(draw, draft)
    if stage is not None:
        stage["desc"] = f"text {draft.world.number()}"
        stage["meta"] = {"note": 1}
        draft.labels.append("describe")


def _damage_output(draw: Draw, draft: _Draft) -> None:
    if draft.world.outputs:
        product = pick(draw, draft.world.outputs)
        kinds = (
            ["delete", "modify", "delete one inside"] if product.is_dir else ["delete", "modify"]
        )
        what = pick(draw, kinds)
        draft.damage.append((what, product.path))
        draft.labels.append(f"{what} {product.path}")


def _revert(draw: Draw, draft: _Draft) -> None:
    earlier = pick(draw, draft.history).clone()
    earlier.serial = draft.world.serial
    draft.world = earlier
    draft.labels.append("revert")


def _delete_lock(draw: Draw, draft: _Draft) -> None:
    folder = pick(draw, sorted(draft.world.pipelines))
    draft.damage.append(("delete", os.path.join(folder, "dvc.lock")))
    draft.labels.append(f"delete the lock of {folder or '.'}")


def _add_stage(draw: Draw, draft: _Draft) -> None:
    add_stage(draw, draft.world)
    draft.labels.append("add a stage")


def _remove_stage(draw: Draw, draft: _Draft) -> None:
    stages = draft.world.stages()
    if stages:
        folder, name = pick(draw, stages)
        del draft.world.pipelines[folder]["stages"][name]
        draft.labels.append(f"remove {name}")


def _change_tracked(draw: Draw, draft: _Draft) -> None:
    if not draft.world.tracked:
        return
    added = pick(draw, sorted(draft.world.tracked))
    files = draft.world.tracked[added]
    path = pick(draw, sorted(files))
    files[path] += b"more\n"
    if added == "images" and chance(draw, 30):
        files[f"images/new {draft.world.number()}.t"] = b"new\n"
    draft.labels.append(f"change data {path}")


Edit = Callable[[Draw, _Draft], Any]

EDITS: list[Edit] = [
    _change_source, _change_source, _change_param, _change_param, _change_cmd, _change_salt,
    _change_salt, _damage_output, _damage_output, _damage_output, _revert, _revert, _delete_lock,
    _add_stage, _remove_stage, _change_tracked, _change_tracked, _toggle_frozen, _describe_stage,
]  # fmt: skip
