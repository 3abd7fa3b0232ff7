"""Random histories: the index must answer as a walk of every commit does, however it got there."""

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.support import history as brute
from tests.support.history import RandomHistory
from tests.support.tools import Tools

from mlxkit.lineage import index as index_module
from mlxkit.lineage import schema
from mlxkit.lineage.index import Index, open_index
from mlxkit.lineage.productions import productions
from mlxkit.lineage.query import Asked, answer

RELAXED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SHOWN = {
    "commits": "SELECT oid, time, border FROM commits",
    "recipes": "SELECT key, file, name, cmd, params FROM recipes",
    "uses": "SELECT key, role, place, md5, path, size FROM uses JOIN recipes ON recipe = recipes.id"
    " JOIN things ON thing = things.id",
    "added": "SELECT key, oid FROM added JOIN recipes ON recipe = recipes.id"
    " JOIN commits ON commit_id = commits.id",
    "introduced": "SELECT md5, path, oid, key FROM introduced JOIN things ON thing = things.id"
    " JOIN commits ON commit_id = commits.id JOIN recipes ON recipe = recipes.id",
    "renamed": "SELECT a.md5, a.path, b.path, oid FROM renamed JOIN things a ON new = a.id"
    " JOIN things b ON old = b.id JOIN commits ON commit_id = commits.id",
    "parts": "SELECT oid, source, target FROM parts JOIN commits ON commit_id = commits.id",
    "notes": "SELECT oid, text FROM notes JOIN commits ON commit_id = commits.id",
}


def known(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All that an index says, without the numbers of its rows."""
    return {name: sorted(map(repr, db.execute(query))) for name, query in SHOWN.items()}  # type: ignore[misc]


def opened(root: Path) -> Index:
    return open_index(str(root), str(root), lambda text: None)


def check(index: Index, made: brute.Commits, tips: set[str]) -> None:
    """Compare everything that the index can be asked with the slow way."""
    wanted = brute.introductions(made, tips)
    digests = {brute.digest(number) for number in range(10)}
    found = productions(index, digests)
    assert {(p.commit, p.path, p.md5) for each in found.values() for p in each} == wanted
    pairs = brute.edges(made, tips)
    for pair in index.db.execute("SELECT source, target FROM parts"):
        pairs.add(pair)  # files inside folders are not in these histories
        raise AssertionError(pair)
    backwards = {(target, source) for source, target in pairs}
    for md5 in digests:
        told = answer(index, Asked(md5), downstream=False)
        assert {node.md5 for node in told.upstream()} == brute.closure(md5, backwards)
        told = answer(index, Asked(md5), upstream=False)
        assert {node.md5 for node in told.downstream()} == brute.closure(md5, pairs)
        assert len({node.md5 for node in told.nodes}) == len(told.nodes)


def move(history: RandomHistory, refs: dict[str, str], rng: random.Random) -> None:
    """Create, move and delete refs, as branches, rebases, forced pushes and experiments do."""
    for _ in range(rng.randint(1, 4)):
        name = rng.choice(["heads/main", "heads/b", "tags/v1", "remotes/origin/b", "exps/aa/bb/e"])
        if name in refs and rng.random() < 0.4:
            history.git("update-ref", "-d", f"refs/{name}")
            del refs[name]
        else:
            refs[name] = rng.choice(list(history.made.trees))
            history.point(f"refs/{name}", refs[name])


@RELAXED
@given(seed=st.integers(0, 2**32))
def test_answers_as_a_walk_of_every_commit(tools: Tools, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        history = RandomHistory(Path(folder) / "repo", tools.env, rng)
        history.start()
        refs: dict[str, str] = {}
        for step in range(3):
            history.grow(rng.randint(1, 8))
            move(history, refs, rng)
            index = opened(history.root)
            # HEAD is on main, whose files nobody checked out: the working tree lacks them all.
            check(index, history.made, set(refs.values()))
            grown = known(index.db)
            index.close()
            if step:
                (history.root / ".mlx" / "lineage.db").unlink()
                index = opened(history.root)
                assert known(index.db) == grown
                index.close()
            if rng.random() < 0.5:
                history.git("reflog", "expire", "--expire=now", "--all")
                history.git("gc", "--prune=now", "--quiet")
                gone = set(history.made.trees) - brute.reach(history.made, set(refs.values()))
                for oid in gone:
                    del history.made.trees[oid], history.made.parents[oid]


def killed(root: Path, statements: int) -> None:
    """Bring the index up to date in steps of two commits, by a process killed on the way."""
    child = os.fork()
    if not child:
        index_module._STEP = 2  # type: ignore[misc]
        left = statements

        def count(statement: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)

        def database(root: str) -> sqlite3.Connection:
            db = schema.database(root)
            db.set_trace_callback(count)
            return db

        index_module.database = database
        try:
            opened(root)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


@settings(RELAXED, max_examples=12)
@given(seed=st.integers(0, 2**32))
@example(seed=918)  # two `dvc.yaml` that say the same
def test_killed_at_any_point_it_goes_on_from_there(tools: Tools, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        history = RandomHistory(Path(folder) / "repo", tools.env, rng)
        history.start()
        refs: dict[str, str] = {}
        for _ in range(4):
            history.grow(rng.randint(2, 8))
            move(history, refs, rng)
            killed(history.root, rng.randint(10, 150))
        index = opened(history.root)
        check(index, history.made, set(refs.values()))
        grown = known(index.db)
        index.close()
        (history.root / ".mlx" / "lineage.db").unlink()
        index = opened(history.root)
        assert known(index.db) == grown
        index.close()


def test_two_that_read_in_steps_agree(tools: Tools, tmp_path: Path) -> None:
    history = RandomHistory(tmp_path / "repo", tools.env, random.Random(7))
    history.start()
    history.grow(30)
    history.point("refs/heads/main", list(history.made.trees)[-1])
    ask = (
        "import sys; from mlxkit.lineage import index; index._STEP = 2;"
        "index.open_index(sys.argv[1], sys.argv[1], print).close()"
    )
    argv = [sys.executable, "-c", ask, str(history.root)]
    together = [subprocess.Popen(argv, env=dict(tools.env)) for _ in range(3)]
    assert [one.wait() for one in together] == [0, 0, 0]
    index = opened(history.root)
    check(index, history.made, {list(history.made.trees)[-1]})
    index.close()
