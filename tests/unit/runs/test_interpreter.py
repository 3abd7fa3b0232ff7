"""Which Python a stage's command uses: found as its shell would, without starting anything."""

import base64
import hashlib
import os
import sys
from pathlib import Path

import pytest

from mlxkit.runs.interpreter import find_interpreter
from mlxkit.runs.shell import calls


class Place:
    """Folders with programs: `bin` is on the PATH, others have Pythons of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {"PATH": f"{root}/bin:/usr/bin:/bin", "HOME": str(root / "home")}
        for folder in ("bin", "v/bin", "my env/bin"):
            self.python(f"{folder}/python")
        self.python("bin/python3.11")

    def python(self, path: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.path.realpath(sys.executable))

    def script(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.format(root=self.root))
        target.chmod(0o755)

    def find(self, *commands: str, **env: str) -> str | None:
        found = find_interpreter(commands, str(self.root), {**self.env, **env})
        return os.path.relpath(found, self.root) if found is not None else None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path)
    found.script("bin/pytest", "#!{root}/v/bin/python\nimport pytest\n")
    found.script("bin/long", "#!/bin/sh\n'''exec' \"{root}/my env/bin/python\" \"$0\"\n' '''\n")
    found.script("bin/viaenv", "#!/usr/bin/env -S python -u\n")
    found.script("run.sh", "#!/bin/bash\n# it's a comment\nset -e\nv/bin/python train.py\n")
    found.script("plain.sh", "cat in > out\n")
    return found


CASES = {
    "python train.py": "bin/python",
    "python3.11 -m train > log 2>&1": "bin/python3.11",
    "v/bin/python train.py": "v/bin/python",
    "./v/bin/python train.py": "v/bin/python",
    "'my env/bin/python' train.py": "my env/bin/python",
    "A=1 B='x y' python train.py": "bin/python",
    "mkdir -p v/x && cd v/x && ../bin/python train.py": "v/bin/python",
    "cat in | python train.py": "bin/python",
    "set -e; v/bin/python a.py; python b.py": "v/bin/python",
    "(cd v; bin/python x)": "v/bin/python",
    "if test -e x; then v/bin/python x; fi": "v/bin/python",
    "for i in 1 2; do v/bin/python x $i; done": "v/bin/python",
    ". v/bin/activate && python x": "v/bin/python",
    "source v/bin/activate; python x": "v/bin/python",
    "export PATH=$PWD/v/bin:$PATH && python x": "v/bin/python",
    "PATH=v/bin:$PATH python x": "v/bin/python",
    "env -u X A=1 v/bin/python x": "v/bin/python",
    "env PATH=v/bin python x": "v/bin/python",
    "timeout 60 nice -n 5 v/bin/python x": "v/bin/python",
    "exec v/bin/python x": "v/bin/python",
    "bash -c 'v/bin/python x'": "v/bin/python",
    "sh -ec 'cd v && bin/python x'": "v/bin/python",
    "pytest -q tests": "v/bin/python",
    "long train": "my env/bin/python",
    "viaenv train": "bin/python",
    "./run.sh": "v/bin/python",
    "bash run.sh": "v/bin/python",
    "x=$(v/bin/python x); echo $x": "v/bin/python",
    "some-runner --with python": "bin/python",
    "make data || python fallback.py": "bin/python",
    "cat in > out": None,
    "sh plain.sh": None,
    "": None,
    "echo 'an open quote": None,
}


@pytest.mark.parametrize("command", CASES)
def test_the_python_of_a_command(command: str, place: Place) -> None:
    assert place.find(command, PWD=str(place.root)) == CASES[command]


def test_the_first_of_several_commands(place: Place) -> None:
    assert place.find("cat in > out", "v/bin/python x", "python y") == "v/bin/python"


def test_uv_takes_the_project_s_environment(place: Place) -> None:
    place.script("sub/pyproject.toml", "[project]\n")
    assert place.find("cd sub && uv run train.py") is None, "it is yet to be made"
    place.python("sub/.venv/bin/python")
    place.script("sub/.venv/bin/train", "#!{root}/sub/.venv/bin/python\n")
    for command in ("uv run train.py", "uv run -- python x", "uv run --frozen train --lr 1"):
        assert place.find(f"cd sub && {command}") == "sub/.venv/bin/python"
    assert place.find("cd sub && uv run x.py", UV_PROJECT_ENVIRONMENT="../v") == "v/bin/python"


def test_poetry_takes_the_active_one_then_its_own(place: Place) -> None:
    place.script("sub/pyproject.toml", "[tool.poetry]\n")
    command = "cd sub && poetry run python x"
    assert place.find(command) is None
    digest = hashlib.sha256(bytes(place.root / "sub")).digest()
    mark = base64.urlsafe_b64encode(digest)[:8].decode()
    own = f"home/.cache/pypoetry/virtualenvs/sub-{mark}-py3.11/bin/python"
    place.python(own)
    assert place.find(command) == own
    place.python("sub/.venv/bin/python")
    assert place.find(command) == "sub/.venv/bin/python"
    assert place.find(command, VIRTUAL_ENV=str(place.root / "v")) == "v/bin/python"


def test_conda_by_prefix_name_or_the_active_one(place: Place) -> None:
    place.python("conda/envs/ml/bin/python")
    exe = str(place.root / "conda/bin/conda")
    assert place.find("conda run -p v python x") == "v/bin/python"
    assert place.find("conda run -n ml python x", CONDA_EXE=exe) == "conda/envs/ml/bin/python"
    assert place.find("conda run -n none python x", CONDA_EXE=exe) is None
    assert place.find("conda run python x", CONDA_PREFIX=str(place.root / "v")) == "v/bin/python"


def test_pyenv_s_shims_stand_for_the_version_that_is_set(place: Place) -> None:
    place.script("pyenv/shims/python", "#!/usr/bin/env bash\nexec pyenv exec python\n")
    place.python("pyenv/versions/3.12.1/bin/python")
    place.python("pyenv/versions/3.9.1/bin/python")
    place.script("pyenv/version", "3.9.1\n")
    path = {"PATH": f"{place.root}/pyenv/shims:/usr/bin:/bin"}
    assert place.find("python x", **path) == "pyenv/versions/3.9.1/bin/python"
    place.script(".python-version", "3.12.1\n")
    assert place.find("python x", **path) == "pyenv/versions/3.12.1/bin/python"
    chosen = place.find("python x", PYENV_VERSION="3.9.1", **path)
    assert chosen == "pyenv/versions/3.9.1/bin/python"
    assert place.find("python x", PYENV_VERSION="2", **path) is None


def test_a_script_that_calls_itself_has_an_end(place: Place) -> None:
    place.script("again.sh", "#!/bin/sh\n./again.sh\n")
    assert place.find("./again.sh") is None


def test_words_of_a_command() -> None:
    env = {"A": "1", "HOME": "/h"}
    first, second = calls("X=2 a $A ${A} 'b c' ~/b; cd d && c >f 2>&1 &", "/w", env)
    assert (first.words, first.cwd) == (["a", "1", "1", "b c", "/h/b"], "/w")
    assert first.env == {**env, "X": "2"}
    assert (second.words, second.cwd, second.env) == (["c"], "/w/d", env)
