"""Random Git histories of lock and `.dvc` files, and what a walk of every commit says of them."""

import hashlib
import json
import os
import random
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PATHS = ("a.csv", "b.csv", "m/model.bin", "m/other.bin", "data/x.csv")
FILES = ("dvc.lock", "sub/dvc.lock", "a.csv.dvc", "sub/b.csv.dvc")
Tree = dict[str, str]


def digest(number: int) -> str:
    """A digest out of few, so that commits meet the same ones again."""
    return hashlib.md5(f"content {number}".encode()).hexdigest()


@dataclass
class Commits:
    """Commits as they were made: parents and files by id."""

    parents: dict[str, list[str]] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)


@dataclass
class RandomHistory:
    """A Git repository at `root` that grows by random commits."""

    root: Path
    env: Mapping[str, str]
    rng: random.Random
    made: Commits = field(default_factory=Commits)
    serial: int = 0

    def start(self) -> None:
        """Make the repository."""
        self.root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", "--template=")
        (self.root / ".dvc").mkdir()

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        """`git ARGS`, which must succeed."""
        done = subprocess.run(
            ["git", "-C", str(self.root), *args],
            input=stdin, env=dict(self.env), capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout.decode()

    def grow(self, count: int) -> None:
        """Make commits, some of them merges, on top of random earlier ones."""
        lines: list[bytes] = []
        marks: list[tuple[list[str | int], Tree]] = []
        for number in range(1, count + 1):
            known: list[str | int] = [*self.made.trees, *range(1, number)]
            parents = self._parents(known)
            trees = [self._tree(one, marks) for one in parents]
            tree = self._changed(trees)
            marks.append((parents, tree))
            lines.append(self._commit(number, parents, tree))
        stream = b"".join(lines)
        table = self.root / "marks"
        self.git("fast-import", "--quiet", f"--export-marks={table}", stdin=stream)
        names = dict(line[1:].split() for line in table.read_text().splitlines())
        table.unlink()
        for number, (parents, tree) in enumerate(marks, 1):
            oid = names[str(number)]
            self.made.parents[oid] = [
                one if isinstance(one, str) else names[str(one)] for one in parents
            ]
            self.made.trees[oid] = tree
        self.git("update-ref", "-d", "refs/scratch")

    def point(self, ref: str, oid: str) -> None:
        """Let a ref lead to a commit."""
        self.git("update-ref", ref, oid)

    def _tree(self, commit: str | int, marks: list[tuple[list[str | int], Tree]]) -> Tree:
        return self.made.trees[commit] if isinstance(commit, str) else marks[commit - 1][1]

    def _parents(self, known: list[str | int]) -> list[str | int]:
        if not known or self.rng.random() < 0.1:
            return []
        near = known[-6:]
        wanted = 2 if self.rng.random() < 0.3 else 1
        return self.rng.sample(near, min(wanted, len(near)))

    def _changed(self, trees: list[Tree]) -> Tree:
        tree: Tree = {}
        for one in trees:
            tree.update({path: text for path, text in one.items() if self.rng.random() < 0.8})
        for _ in range(self.rng.randint(0, 3)):
            file = self.rng.choice(FILES)
            if self.rng.random() < 0.15:
                tree.pop(file, None)
            elif self.rng.random() < 0.2 and file.endswith("lock"):
                tree[file.replace("lock", "yaml")] = self._pipeline()
            elif self.rng.random() < 0.15 and tree.get("dvc.lock"):
                tree["sub/dvc.lock"] = tree.pop("dvc.lock")
            else:
                tree[file] = self._lock(tree.get(file)) if "lock" in file else self._dvcfile(file)
        return tree

    def _lock(self, text: str | None) -> str:
        stages = (yaml.safe_load(text) or {}).get("stages", {}) if text else {}
        if self.rng.random() < 0.3 and stages:
            stages.pop(self.rng.choice(list(stages)))
        else:
            stages[self.rng.choice("stu")] = {
                "cmd": f"run {self.rng.randint(0, 1)}",
                "deps": self._items(self.rng.randint(0, 2)),
                "params": {"params.yaml": {"lr": self.rng.randint(0, 1)}},
                "outs": self._items(self.rng.randint(1, 2)),
            }
        return yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False)

    def _items(self, count: int) -> list[dict[str, Any]]:
        return [
            {"path": path, "hash": "md5", "md5": digest(self.rng.randint(0, 9)), "size": 3}
            for path in self.rng.sample(PATHS, count)
        ]

    def _dvcfile(self, path: str) -> str:
        out = {"md5": digest(self.rng.randint(0, 9)), "size": 3, "hash": "md5"}
        name = os.path.basename(path).removesuffix(".dvc")
        return yaml.safe_dump({"outs": [{**out, "path": name}]}, sort_keys=False)

    def _pipeline(self) -> str:
        wdir = self.rng.choice([None, None, "..", "m"])
        extra = {} if wdir is None else {"wdir": wdir}
        return json.dumps({"stages": {name: {"cmd": "run", **extra} for name in "stu"}})

    def _commit(self, mark: int, parents: list[str | int], tree: Tree) -> bytes:
        self.serial += 1
        text = f"commit {self.serial}".encode()
        who = f"A U Thor <author@example.org> {1_700_000_000 + 60 * self.serial} +0000"
        parts = [f"commit refs/scratch\nmark :{mark}\ncommitter {who}\n".encode(), _data(text)]
        for number, one in enumerate(parents):
            name = one if isinstance(one, str) else f":{one}"
            parts.append(f"{'merge' if number else 'from'} {name}\n".encode())
        if not parents:
            parts.insert(0, b"reset refs/scratch\n")
        parts.append(b"deleteall\n")
        for path, content in tree.items():
            parts += [f"M 100644 inline {path}\n".encode(), _data(content.encode())]
        return b"".join(parts)


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


# What every commit says, worked out the slow way.

Record = tuple[str, str]  # path, digest
Recipe = tuple[tuple[Record, ...], tuple[Record, ...]]  # what was read, what was made


def recipes_of(tree: Tree) -> list[Recipe]:
    """All stages and `.dvc` files of a tree, paths from its top."""
    found = []
    for path, text in tree.items():
        folder = os.path.dirname(path)
        if path.endswith(".dvc"):
            found.append(_recipe(folder, yaml.safe_load(text)))
        elif path.endswith("dvc.lock"):
            pipeline = json.loads(tree.get(path.replace("lock", "yaml"), "{}"))
            for name, entry in yaml.safe_load(text)["stages"].items():
                wdir = pipeline.get("stages", {}).get(name, {}).get("wdir", ".")
                found.append(_recipe(os.path.join(folder, wdir), entry))
    return found


def _recipe(folder: str, entry: dict[str, Any]) -> Recipe:
    def items(kind: str) -> tuple[Record, ...]:
        return tuple(
            (os.path.normpath(os.path.join(folder, one["path"])), one["md5"])
            for one in entry.get(kind) or ()
        )

    return items("deps"), items("outs")


def reach(commits: Commits, tips: set[str]) -> set[str]:
    """All commits that `tips` lead to."""
    found: set[str] = set()
    left = list(tips)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += commits.parents[one]
    return found


def introductions(commits: Commits, tips: set[str]) -> set[tuple[str, str, str]]:
    """(commit, path, digest) for each record that no parent of the commit has."""
    found = set()
    for oid in reach(commits, tips):
        before = {
            record
            for parent in commits.parents[oid]
            for _, outs in recipes_of(commits.trees[parent])
            for record in outs
        }
        now = {record for _, outs in recipes_of(commits.trees[oid]) for record in outs}
        found |= {(oid, *record) for record in now - before}
    return found


def edges(commits: Commits, tips: set[str]) -> set[tuple[str, str]]:
    """(digest read, digest made) of every recipe of every commit."""
    return {
        (read, made)
        for oid in reach(commits, tips)
        for deps, outs in recipes_of(commits.trees[oid])
        for _, read in deps
        for _, made in outs
        if read != made
    }


def closure(start: str, pairs: set[tuple[str, str]]) -> set[str]:
    """All that can be reached from `start`, without it."""
    found: set[str] = set()
    left = [start]
    while left:
        one = left.pop()
        new = {target for source, target in pairs if source == one} - found - {start}
        found |= new
        left += new
    return found
