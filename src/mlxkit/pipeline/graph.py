"""The graph of stages: who needs whose outputs, checked, and in DVC's own order."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.declared import Declared
from mlxkit.pipeline.spec import Out, Stage, inside


@dataclass(slots=True, eq=False, repr=False)
class Graph:
    """Stages by key in declaration order; `needs` leads upstream, `feeds` downstream."""

    stages: dict[str, Stage]
    needs: dict[str, list[str]]
    feeds: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.feeds = {key: [] for key in self.stages}
        for key, upstream in self.needs.items():
            for one in upstream:
                self.feeds[one].append(key)

    def active(self) -> "Graph":
        """Return the graph without what frozen stages need: they are not brought up to date."""
        return Graph(
            self.stages,
            {key: [] if self.stages[key].frozen else up for key, up in self.needs.items()},
        )

    def upstream(self, keys: Iterable[str]) -> set[str]:
        """Return `keys` and everything they need, near or far."""
        return _reach(self.needs, keys)

    def downstream(self, keys: Iterable[str]) -> set[str]:
        """Return `keys` and everything that needs them, near or far."""
        return _reach(self.feeds, keys)

    def pipeline(self, keys: Iterable[str]) -> set[str]:
        """Return every stage connected with `keys` in whatever direction."""
        both = {key: self.needs[key] + self.feeds[key] for key in self.stages}
        return _reach(both, keys)

    def post_order(self, among: set[str] | None = None) -> list[str]:
        """List stages so that each comes after what it needs: `dvc repro`'s order."""
        done: dict[str, None] = {}
        for start in self.stages:
            if (among is None or start in among) and start not in done:
                _visit(self.needs, start, among, done)
        return list(done)


def build_graph(declared: Declared) -> Graph:
    """Connect the stages; raises ProjectError for two stages that claim one path, and cycles."""
    owners = _Owners(declared)
    for stage in declared.stages:
        for out in stage.outs:
            owners.claim(stage, out)
    for stage in declared.stages:
        owners.refuse_declaration_inside_output(stage)
        owners.refuse_own_output_as_dependency(stage)
    stages = {stage.key: stage for stage in declared.stages}
    needs = {}
    for stage in declared.stages:
        read = [dep.abs for dep in stage.deps] + [one.abs for one in stage.params]
        needs[stage.key] = list(dict.fromkeys(key for path in read for key in owners.of(path)))
    graph = Graph(stages, needs)
    _refuse_cycle(graph, declared)
    return graph


@dataclass(slots=True, eq=False, repr=False)
class _Node:
    """One part of a path: who writes just this, and the parts below it in order of arrival."""

    owner: tuple[Stage, Out] | None = None
    below: dict[str, "_Node"] = field(default_factory=dict)

    def owners(self) -> Iterator[tuple[Stage, Out]]:
        """Yield who writes this path and what is below it, in DVC's order."""
        pending = [self]
        while pending:
            node = pending.pop()
            if node.owner is not None:
                yield node.owner
            pending.extend(reversed(node.below.values()))


class _Owners:
    """Which stage writes a path: a tree of path parts, so that folders and their files meet."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._root = _Node()

    def claim(self, stage: Stage, out: Out) -> None:
        if out.path.endswith(".dvc") or os.path.basename(out.path) == "dvc.yaml":
            raise self._error(stage, f"'{out.path}' is a file of DVC's own, not an output")
        if out.cache and not stage.delegated and not inside(out.abs, self._declared.root):
            raise self._error(
                stage,
                f"output '{out.path}' lies outside the project",
                "write it inside, or declare it with `cache: false`",
            )
        node = self._root
        for part in out.abs.split(os.sep):
            if node.owner is not None:
                raise self._overlap(stage, out, *node.owner)
            node = node.below.setdefault(part, _Node())
        if node.owner is not None:
            raise self._clash(out, stage, node.owner[0])
        if node.below:
            raise self._overlap(stage, out, *next(node.owners()))
        node.owner = (stage, out)

    def of(self, path: str) -> Iterator[str]:
        """Yield the keys of stages that write `path`, a folder above it or something in it."""
        node: _Node | None = self._root
        for part in path.split(os.sep):
            assert node is not None
            if node.owner is not None:
                yield node.owner[0].key
            node = node.below.get(part)
            if node is None:
                return
        assert node is not None
        for stage, _ in node.owners():
            yield stage.key

    def refuse_declaration_inside_output(self, stage: Stage) -> None:
        node: _Node | None = self._root
        for part in stage.file.split(os.sep):
            node = node.below.get(part) if node is not None else None
            if node is not None and node.owner is not None:
                owner, out = node.owner
                raise self._error(
                    owner, f"output '{out.path}' holds the file {os.path.relpath(stage.file)}"
                )

    def refuse_own_output_as_dependency(self, stage: Stage) -> None:
        outs = {out.abs for out in stage.outs}
        for dep in stage.deps:
            if dep.abs in outs:
                raise self._error(
                    stage,
                    f"'{dep.path}' is both a dependency and an output",
                    "a stage that goes on from its own output has it under outs only, "
                    "with `persist: true`",
                )

    def _error(self, stage: Stage, message: str, hint: str | None = None) -> ProjectError:
        name = stage.address(os.getcwd())
        return ProjectError(
            f"stage '{name}': {message}", where=self._declared.where(stage), hint=hint
        )

    def _clash(self, out: Out, one: Stage, other: Stage) -> ProjectError:
        if one.key == other.key:
            return self._error(one, f"output '{out.path}' is listed twice", "list it once")
        return self._error(
            one,
            f"output '{out.path}' is also written by stage '{other.address(os.getcwd())}'",
            "each path has one stage that writes it: rename one of the two outputs",
        )

    def _overlap(self, stage: Stage, out: Out, other: Stage, other_out: Out) -> ProjectError:
        return self._error(
            stage,
            f"output '{out.path}' overlaps '{other_out.path}' of stage "
            f"'{other.address(os.getcwd())}'",
            "let one stage write the folder, or give each its own",
        )


def _reach(edges: dict[str, list[str]], keys: Iterable[str]) -> set[str]:
    seen = set(keys)
    pending = list(seen)
    while pending:
        for one in edges[pending.pop()]:
            if one not in seen:
                seen.add(one)
                pending.append(one)
    return seen


def _visit(
    needs: dict[str, list[str]], start: str, among: set[str] | None, done: dict[str, None]
) -> None:
    """Add `start` to `done` after everything it needs; a loop, as pipelines may be deep."""
    entered = {start}
    stack = [(start, iter(needs[start]))]
    while stack:
        key, upstream = stack[-1]
        for one in upstream:
            if one not in entered and one not in done and (among is None or one in among):
                entered.add(one)
                stack.append((one, iter(needs[one])))
                break
        else:
            done[key] = None
            stack.pop()


def _refuse_cycle(graph: Graph, declared: Declared) -> None:
    position = {key: index for index, key in enumerate(graph.post_order())}
    for key, upstream in graph.needs.items():
        for one in upstream:
            # After a post-order walk an edge leads back only if it closes a cycle.
            if position[one] >= position[key]:
                names = [
                    graph.stages[step].address(os.getcwd()) for step in _cycle(graph, one, key)
                ]
                raise ProjectError(
                    f"the stages need each other in a circle: {' -> '.join([*names, names[0]])}",
                    where=declared.where(graph.stages[key]),
                    hint="remove one of these dependencies",
                )


def _cycle(graph: Graph, start: str, end: str) -> list[str]:
    """Return the steps of a way upstream from `start` to `end`."""
    came: dict[str, str | None] = {start: None}
    pending = [start]
    while pending:
        key = pending.pop(0)
        if key == end:
            break
        for one in graph.needs[key]:
            if one not in came:
                came[one] = key
                pending.append(one)
    path: list[str] = []
    step: str | None = end
    while step is not None:
        path.append(step)
        step = came[step]
    return path[::-1]
