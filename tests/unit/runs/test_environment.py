"""The fingerprint of an environment: what is in it, what changes it, what it never holds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.venv import Venv, install_into

from mlxkit.runs import python_facts
from mlxkit.runs.environment import Environment, fingerprint, read_content

SECRET = "hunter2-secret"

SEEN = """
import importlib.metadata as m, json, re, sys
sys.path.pop(0)
found = {}
for one in m.distributions():
    found.setdefault(re.sub("[-_.]+", "-", one.metadata["Name"]).lower(), one.version)
print(json.dumps(found))
"""


class Case:
    """A folder with a virtual environment, and what a command sees there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = Venv.make(root / "v")
        self.cache = str(root / "cache")
        self.env = {"PATH": f"{self.venv.root}/bin:/usr/bin:/bin", "HOME": str(root / "home")}

    def take(self, cmd: str = "python train.py", **env: str) -> Environment:
        found = fingerprint([cmd], str(self.root), {**self.env, **env}, self.cache)
        assert found is not None
        return found

    def content(self, cmd: str = "python train.py", **env: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.take(cmd, **env).content)
        return told

    def distributions(self, **env: str) -> dict[str, str]:
        told: dict[str, str] = self.content(**env)["distributions"]
        return told

    def as_python_sees_it(self, **env: str) -> dict[str, str]:
        argv = [str(self.venv.python), "-c", SEEN]
        given = {**self.env, **env}
        done = subprocess.run(argv, cwd=self.root, env=given, capture_output=True, check=True)
        told: dict[str, str] = json.loads(done.stdout)
        return told


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_python_platform_and_distributions(case: Case) -> None:
    case.venv.install("scikit_learn", "1.5.0")
    told = case.content()
    assert told["distributions"] == {"scikit-learn": "1.5.0"}
    version = ".".join(str(one) for one in sys.version_info[:3])
    assert told["python"] == {"implementation": "CPython", "version": version}
    assert told["platform"]["system"] == os.uname().sysname
    assert told["platform"]["machine"] == os.uname().machine


def test_as_the_interpreter_sees_it(case: Case) -> None:
    """Links, eggs, broken leftovers, two places with one name: read as it would read them."""
    site = case.venv.site
    case.venv.install("Foo.Bar", "1.0+cu121")
    editable = case.root / "src"
    egg = editable / "dev.egg-info"
    egg.mkdir(parents=True)
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: dev\nVersion: 0.1\n")
    (site / "dev.egg-link").write_text(f"{editable}\n.")
    (site / "easy-install.pth").write_text(f"# a comment\nimport sys\n{editable}\nmissing\n")
    (site / "old-2.0-py3.11.egg-info").write_text("Name: old\nVersion: 2.0\n\n")
    install_into(case.root / "lib", "Foo.Bar", "9")
    paths = {"PYTHONPATH": "lib"}
    for env in ({}, paths):
        assert case.distributions(**env) == case.as_python_sees_it(**env)
    assert case.distributions()["foo-bar"] == "1.0+cu121"
    assert case.distributions(**paths)["foo-bar"] == "9"
    (site / "~oo-1.0.dist-info").mkdir()  # pip was killed here
    assert not any(name.startswith("~") for name in case.distributions())


def test_the_python_that_runs_these_tests(case: Case) -> None:
    """A large environment, with all that real installers write."""
    env = {"PATH": os.path.dirname(sys.executable), "HOME": os.environ.get("HOME", "/")}
    case.env = env
    case.venv = Venv(Path(sys.prefix))
    assert case.distributions() == case.as_python_sees_it()


def test_system_packages_count_where_they_are_seen(tmp_path: Path) -> None:
    case = Case(tmp_path)
    config = case.venv.root / "pyvenv.cfg"
    alone = case.distributions()
    config.write_text(config.read_text().replace("= false", "= true"))
    assert alone == {}
    assert case.distributions() == case.as_python_sees_it()


def test_user_packages(tmp_path: Path) -> None:
    case = Case(tmp_path)
    folder = os.path.dirname(os.path.realpath(sys.executable))
    env = {"PATH": folder, "PYTHONUSERBASE": f"{tmp_path}/u"}
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    before = case.distributions(**env)
    install_into(tmp_path / "u/lib" / version / "site-packages", "mine", "3")
    assert case.distributions(**env) == {**before, "mine": "3"}
    assert case.distributions(**env, PYTHONNOUSERSITE="1") == before


def test_an_installation_is_noticed_and_all_else_is_not(case: Case) -> None:
    case.venv.install("a", "1")
    first = case.take()
    (case.venv.site / "module.py").write_text("x = 1\n")
    assert case.take() == first
    case.venv.install("b", "1")
    second = case.take()
    assert second.digest != first.digest
    case.venv.install("b", "2")
    assert json.loads(case.take().content)["distributions"] == {"a": "1", "b": "2"}
    case.venv.remove("b")
    assert case.take() == first


def test_the_same_in_another_place_is_the_same(tmp_path: Path) -> None:
    one, other = Case(tmp_path / "one"), Case(tmp_path / "other")
    for case in (one, other):
        case.venv.install("a", "1")
    assert one.take() == other.take()


def test_a_commit_is_part_of_the_version_and_no_address(case: Case) -> None:
    info = case.venv.install("a", "1")
    told = {
        "url": f"https://user:{SECRET}@example.org/a.git",
        "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef0123"},
    }
    (info / "direct_url.json").write_text(json.dumps(told))
    assert case.distributions() == {"a": "1 (git 0123456789ab)"}


def test_no_variable_is_kept(case: Case) -> None:
    found = case.take(TOKEN=SECRET, PYTHONPATH=f"/nowhere/{SECRET}")
    assert SECRET.encode() not in found.content
    case.take(f"TOKEN={SECRET} python train.py --password {SECRET}", PASSWORD=SECRET)
    for name in os.listdir(f"{case.cache}/env"):
        text = Path(case.cache, "env", name).read_text()
        assert "TOKEN" not in text and f": {SECRET}" not in text


def test_canonical_json_named_by_its_digest(case: Case) -> None:
    import hashlib

    found = case.take()
    assert hashlib.sha256(found.content).hexdigest() == found.digest
    told = json.loads(found.content)
    assert found.content == json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    assert read_content(case.cache, found.digest) == found.content
    assert read_content(case.cache, "0" * 64) is None


def test_warm_it_starts_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    first = case.take()

    def refuse(*_: object) -> None:
        raise AssertionError("a Python was started")

    monkeypatch.setattr(python_facts, "ask", refuse)
    assert case.take() == first
    case.venv.install("a", "1")
    assert case.distributions() == {"a": "1"}, "a new distribution starts nothing either"


def test_warm_it_costs_next_to_nothing(case: Case) -> None:
    for number in range(300):
        case.venv.install(f"package{number}", "1")
    case.take()
    began = time.process_time()
    for _ in range(10):
        case.take()
    assert (time.process_time() - began) / 10 < 0.005


def test_damaged_memory_is_made_anew(case: Case) -> None:
    first = case.take()
    for name in os.listdir(f"{case.cache}/env"):
        Path(case.cache, "env", name).write_text("{")
    assert case.take().digest == first.digest


def test_a_repository_s_own_program_is_not_started_by_who_only_looks(case: Case) -> None:
    """`mlx status` in a clone of a stranger's repository runs nothing of it."""
    program = case.root / "bad" / "python"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {case.root}/started\n")
    program.chmod(0o755)
    args = (["bad/python x"], str(case.root), case.env, case.cache)
    assert fingerprint(*args, untrusted=str(case.root)) is None
    assert not (case.root / "started").exists()


def test_what_a_virtual_environment_brings_is_never_run(case: Case) -> None:
    code = f"import os; os.mkdir('{case.root}/started')\n"
    for name in ("evil.pth", "sitecustomize.py"):
        (case.venv.site / name).write_text(code)
    assert case.take() is not None
    assert not (case.root / "started").exists()


def test_what_is_no_python_has_no_fingerprint(case: Case) -> None:
    program = case.root / "python3"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert fingerprint(["./python3 x"], str(case.root), case.env, case.cache) is None
    assert fingerprint(["cat in > out"], str(case.root), case.env, case.cache) is None
