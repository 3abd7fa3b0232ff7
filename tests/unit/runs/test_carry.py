"""Carrying records to and from a Git remote, with others who do the same."""

import multiprocessing
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mlxkit.core.errors import RemoteError
from mlxkit.runs import carry, ledger
from mlxkit.runs.carry import Carried, fetch_records, push_records, pushed_before
from mlxkit.runs.repository import REF
from mlxkit.tools import git_remote

from .records import batch, record
from .repo import WHO, Repo


@pytest.fixture
def origin(repo: Repo, tmp_path: Path) -> Repo:
    repo.git("clone", "-q", "--bare", str(repo.root), str(tmp_path / "origin.git"))
    return Repo(tmp_path / "origin.git")


def clone(origin: Repo, name: str) -> Repo:
    path = origin.root.parent / name
    origin.git("clone", "-q", str(origin.root), str(path))
    return Repo(path)


def add(repo: Repo, *numbers: int) -> None:
    append = [batch(*(record(one) for one in numbers))]
    ledger.append(str(repo.root), append, {}, WHO)


def told(carried: Carried | None) -> tuple[str, int]:
    assert carried is not None
    return carried.remote, carried.records


def stages(repo: Repo) -> set[str]:
    return {one.stage for one in ledger.read_all(str(repo.root)).records.values()}


def test_to_and_fro(origin: Repo) -> None:
    one, two = clone(origin, "one"), clone(origin, "two")
    assert push_records(str(one.root)) is None, "nothing is on record: no question to anybody"
    add(one, 1, 2)
    assert told(push_records(str(one.root))) == ("origin", 2)
    assert told(push_records(str(one.root))) == ("origin", 0)
    assert told(fetch_records(str(two.root))) == ("origin", 2)
    add(two, 3)
    assert told(push_records(str(two.root))) == ("origin", 1)
    add(one, 4)
    assert told(push_records(str(one.root))) == ("origin", 1)
    assert told(fetch_records(str(two.root))) == ("origin", 1)
    assert stages(one) == stages(two) == stages(origin) == {"s1", "s2", "s3", "s4"}


def test_nothing_of_the_users_is_touched(origin: Repo) -> None:
    one, two = clone(origin, "one"), clone(origin, "two")
    add(two, 1)
    push_records(str(two.root))
    add(one, 2)
    one.git("fetch", "-q")
    before = one.state()
    fetch_records(str(one.root))
    push_records(str(one.root))
    after = one.state()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"refs/mlx/runs", "refs/mlx/remotes/origin/runs"}


def test_nothing_new_asks_nobody(origin: Repo, tmp_path: Path) -> None:
    one = clone(origin, "one")
    add(one, 1)
    push_records(str(one.root))
    origin.root.rename(tmp_path / "away")
    assert told(push_records(str(one.root))) == ("origin", 0)
    with pytest.raises(RemoteError, match="does not appear to be a git repository"):
        fetch_records(str(one.root))


def test_whether_any_chain_has_news(origin: Repo) -> None:
    one, alone = clone(origin, "one"), clone(origin, "alone")
    nothing = (True, Carried("origin", 0))
    assert pushed_before(str(one.root)) == (True, None), "nothing is on record"
    add(one, 1)
    assert not pushed_before(str(one.root))[0]
    push_records(str(one.root))
    assert pushed_before(str(one.root)) == nothing
    one.git("update-ref", "refs/mlx/gates", "refs/mlx/runs")
    assert not pushed_before(str(one.root))[0], "verdicts are pushed by others, but count"
    one.git("update-ref", "refs/mlx/remotes/origin/gates", "refs/mlx/runs")
    assert pushed_before(str(one.root)) == nothing
    one.git("remote", "rename", "origin", "other")
    assert not pushed_before(str(one.root))[0], "another remote has had nothing of it"
    alone.git("remote", "remove", "origin")
    add(alone, 1)
    assert pushed_before(str(alone.root)) == (True, None), "there is nobody to push to"


def test_a_remote_made_anew(origin: Repo) -> None:
    """What it had is sent again once we have seen that it is gone."""
    one = clone(origin, "one")
    add(one, 1)
    push_records(str(one.root))
    origin.git("update-ref", "-d", REF)
    assert told(fetch_records(str(one.root))) == ("origin", 0)
    assert told(push_records(str(one.root))) == ("origin", 1)
    assert stages(origin) == {"s1"}


def _push_some(root: str, first: int) -> None:
    for number in range(first, first + 4):
        ledger.append(root, [batch(record(number))], {}, WHO)
        push_records(root)


def test_two_push_at_once(origin: Repo) -> None:
    context = multiprocessing.get_context("fork")
    pushers = [
        context.Process(target=_push_some, args=(str(clone(origin, name).root), first))
        for name, first in (("one", 0), ("two", 10))
    ]
    for each in pushers:
        each.start()
    for each in pushers:
        each.join()
    assert [each.exitcode for each in pushers] == [0, 0]
    assert len(stages(origin)) == 8


def test_a_remote_that_refuses(origin: Repo) -> None:
    one = clone(origin, "one")
    add(one, 1)
    hook = origin.write("hooks/pre-receive", "#!/bin/sh\necho '\033[31mno' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RemoteError, match="pre-receive hook declined") as raised:
        push_records(str(one.root))
    assert str(raised.value).startswith("remote 'origin': ")
    assert "\033" not in str(raised.value)
    assert carry.tip(str(one.root)) is not None


@pytest.fixture
def asks_for_a_password() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x.git"
    server.shutdown()
    server.server_close()


def test_nobody_is_asked_for_a_password_in_a_pipe(repo: Repo, asks_for_a_password: str) -> None:
    repo.git("remote", "add", "origin", asks_for_a_password)
    add(repo, 1)
    for verb in (push_records, fetch_records):
        with pytest.raises(RemoteError, match="terminal prompts disabled"):
            verb(str(repo.root))


def test_which_remote(repo: Repo) -> None:
    def chosen() -> str | None:
        remote = git_remote.choose_remote(str(repo.root))
        return remote.name if remote else None

    assert chosen() is None
    repo.git("remote", "add", "a.b", "/nowhere")
    assert chosen() == "a.b"
    repo.git("remote", "add", "c", "/nowhere")
    assert chosen() is None, "two, and nothing says which"
    repo.git("config", "branch.main.remote", "c")
    assert chosen() == "c"
    repo.git("config", "branch.main.remote", ".")
    assert chosen() is None
    repo.git("remote", "add", "origin", "/nowhere")
    assert chosen() == "origin"
    repo.git("checkout", "-q", "--detach")
    assert chosen() == "origin"


def test_the_users_own_ssh_is_left_alone(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("remote", "add", "origin", "/nowhere")
    for name in ("GIT_SSH", "GIT_SSH_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    remote = git_remote.choose_remote(str(repo.root))
    assert remote is not None
    assert "BatchMode=yes" in remote.env["GIT_SSH_COMMAND"]
    repo.git("config", "core.sshCommand", "my-ssh")
    remote = git_remote.choose_remote(str(repo.root))
    assert remote is not None
    assert "GIT_SSH_COMMAND" not in remote.env
