"""The workflows of `mlx ci init`, run step by step: fresh clones, a bare origin, real storage."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.pushed import Pushed, make_pushed, opened
from tests.support.tools import Tools
from tests.support.workflow import Job


@pytest.fixture(scope="module")
def made(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with its surroundings; copied, never changed."""
    folder = tmp_path_factory.mktemp("pushed")
    make_pushed(tools, template, folder, "commit")
    return folder


@pytest.fixture
def pushed(made: Path, tools: Tools, tmp_path: Path) -> Iterator[Pushed]:
    """A copy of it, and a server."""
    with opened(made, tools, tmp_path) as one:
        yield one


def outcomes(job: Job) -> dict[str, str]:
    """What became of the steps that are a command."""
    return {one.name: one.outcome for one in job.steps if one.result or one.outcome == "skipped"}


def failed(job: Job) -> list[str]:
    """The steps that failed."""
    return [one.name for one in job.steps if one.outcome == "failure"]


def clone(pushed: Pushed, branch: str) -> Path:
    """What somebody else gets who trusts origin and storage."""
    place = pushed.runner.folder / "people" / "bo" / "work"
    pushed.project.tools.git(place.parents[1], "clone", "-q", "-b", branch, "../origin.git", place)
    return place


def test_a_push_that_improves_is_trained_judged_and_pushed(pushed: Pushed) -> None:
    person = pushed.change("better", acc=0.9)
    done = pushed.run("train", pushed.pushed("better"))["train"]
    assert done.status == "success", str(done)
    assert set(outcomes(done).values()) == {"success"}
    assert done.summary.startswith("## ✅ All 2 gates passed")

    assert pushed.at_origin("better~1") == person
    place, tools = clone(pushed, "better"), pushed.project.tools
    author = tools.git(place, "show", "-s", "--format=%an %s").stdout.strip()
    assert author == "github-actions[bot] Bring the lock up to date"
    tools.mlx(place, "pull", "-q").ok()
    assert tools.mlx(place, "status", "--check").ok()
    assert '"acc": 0.9' in (place / "model.json").read_text()
    # The verdicts came along, and belong to the commit that was pushed.
    kept = tools.git(place, "ls-tree", "-r", "--name-only", "refs/mlx/gates").stdout
    assert kept.count("\n") == 2
    # What the server made, nobody needs to make again.
    assert tools.mlx(place, "repro").ok().stdout.startswith("nothing to do")
    tools.mlx(place, "ci", "commit", "--check").ok()


def test_of_two_pushes_at_once_the_later_one_is_trained(pushed: Pushed) -> None:
    pushed.change("raced", acc=0.9)
    event = pushed.pushed("raced")
    person = pushed.change("raced", acc=0.95)
    done = pushed.run("train", event)["train"]
    assert failed(done) == ["Push the lock"], str(done)
    assert "::error::Not pushed. If somebody pushed meanwhile" in done.step("Push the lock").output
    assert done.step("Push records").outcome == "success"
    assert pushed.at_origin("raced") == person


def test_the_tests_run_on_each_python(pushed: Pushed) -> None:
    pushed.project.mlx("ci", "init", "-q", "--python", "3.11", "--python", "3.13").ok()
    pushed.push("main", "two versions")
    done = pushed.run("test", pushed.pushed("main"))
    assert {name: one.status for name, one in done.items()} == {
        "test-3.11": "success", "test-3.13": "success"
    }  # fmt: skip
    assert done["test-3.13"].step("Test").result


def test_a_slice_that_gets_worse_stops_it_and_the_report_says_which(pushed: Pushed) -> None:
    person = pushed.change("worse", acc=0.9, women=0.3)
    objects = sorted(path.name for path in (pushed.runner.folder / "storage").rglob("*"))
    done = pushed.run("train", pushed.pushed("worse"))["train"]
    assert (done.status, failed(done)) == ("failure", ["Gates"])
    assert "acc of sex=women is 0.3, minimum 0.5" in done.step("Gates").output
    assert done.summary.startswith("## ❌")
    assert "sex=women" in done.summary and "is 0.3, minimum 0.5" in done.summary
    # Neither the lock went out, nor data; but that it was refused is known.
    assert [one.outcome for one in done.steps[-3:]] == ["skipped", "skipped", "success"]
    kept = pushed.project.tools.git(pushed.runner.origin, "log", "--format=%s", "refs/mlx/gates")
    assert "verdict of gate test" in kept.stdout
    assert pushed.at_origin("worse") == person
    assert sorted(path.name for path in (pushed.runner.folder / "storage").rglob("*")) == objects


def test_a_pull_request_has_one_comment_that_follows_it(pushed: Pushed) -> None:
    pushed.change("worse", women=0.3)
    done = pushed.run("review", pushed.requested("worse"))
    assert (done["gates"].status, failed(done["gates"])) == ("failure", ["Gates"])
    assert done["comment"].status == "success", str(done["comment"])
    [body] = pushed.github.bodies()
    assert body.startswith("<!-- mlx:report -->\n## ❌") and "sex=women" in body

    pushed.change("worse", women=0.75)
    done = pushed.run("review", pushed.requested("worse"))
    assert [one.status for one in done.values()] == ["success", "success"], str(done["gates"])
    [body] = pushed.github.bodies()
    assert body.startswith("<!-- mlx:report -->\n## ✅")
    # A review writes nothing but the comment.
    assert pushed.at_origin("worse") == pushed.requested("worse").sha


def test_a_fork_gets_the_check_and_the_summary_and_no_secret(pushed: Pushed) -> None:
    pushed.change("forked", acc=0.95)
    done = pushed.run("review", pushed.requested("forked", fork=True))
    assert done["gates"].status == "success", str(done["gates"])
    assert done["gates"].summary.startswith("## ✅")
    assert done["comment"].status == "skipped"
    assert pushed.github.asked == []


def promote(pushed: Pushed, version: str) -> str:
    """Register what HEAD has, promote it to prod, push the tags; the promotion's tag."""
    project = pushed.project
    project.mlx("model", "register", "census", "--version", version).ok()
    project.mlx("model", "promote", f"census@v{version}", "--to", "prod").ok()
    project.git("push", "-q", "origin", "--tags")
    tags = project.git("tag", "--sort=-version:refname", "--list", "census#prod#*").stdout.split()
    return tags[0]


def with_key(pushed: Pushed, folder: Path) -> None:
    """Give the server a key to sign with."""
    key = folder / "key"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", str(key)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    pushed.runner.secrets = {**pushed.runner.secrets, "MLX_KEY": key.read_text()}


def test_a_promotion_is_deployed_once_it_is_approved(pushed: Pushed, tmp_path: Path) -> None:
    with_key(pushed, tmp_path)
    event = pushed.tagged(promote(pushed, "1.0.0"))
    served = pushed.runner.folder / "served"
    before: list[bool] = []
    pushed.runner.while_waiting = lambda: before.append(served.exists())
    pushed.runner.approved = frozenset({"prod"})
    done = pushed.run("deploy", event)
    assert done["gate"].status == "success", str(done["gate"])
    assert done["gate"].outputs == {"deploy": "true", "model": "census", "stage": "prod"}
    assert before == [False]  # it was asked for, and nothing was there by then
    assert done["deploy"].status == "success", str(done["deploy"])
    [model] = [path for path in served.rglob("*") if path.is_file()]
    assert model.read_text() == (pushed.project.root / "model.json").read_text()
    assert model.relative_to(served).parts[0] == "prod-census-v1.0.0"
    assert pushed.at_origin("refs/mlx/attestations")
    assert pushed.at_origin("refs/mlx/gates")

    # A tag that a newer one followed deploys nothing: not once it is approved at last ...
    def again() -> None:
        pushed.project.git("tag", "-a", "-m", "again", "census#prod#2")
        pushed.project.git("push", "-q", "origin", "census#prod#2")

    pushed.runner.while_waiting = again
    late = pushed.run("deploy", event)
    assert failed(late["deploy"]) == ["Read the tag again"], str(late["deploy"])
    assert late["deploy"].step("Deploy").outcome == "skipped"
    # ... and not when its workflow starts late.
    late = pushed.run("deploy", event)
    assert "'census#prod#2' came after it" in late["gate"].step("Read the tag").output
    assert (late["gate"].status, late["deploy"].status) == ("success", "skipped")


def test_a_promotion_that_the_gate_refuses_is_not_deployed(pushed: Pushed, tmp_path: Path) -> None:
    with_key(pushed, tmp_path)
    pushed.runner.approved = frozenset({"prod"})
    pushed.change("main", acc=0.6)
    pushed.project.mlx("repro", "-q").ok()
    pushed.push("main", "weak")
    pushed.project.mlx("push", "-q").ok()
    pushed.project.mlx("model", "register", "census", "--version", "1.0.0").ok()
    # Somebody goes around `mlx model promote` with a tag of their own.
    pushed.project.git("tag", "-a", "-m", "mine", "census#prod#1")
    pushed.project.git("push", "-q", "origin", "--tags")
    done = pushed.run("deploy", pushed.tagged("census#prod#1"))
    assert failed(done["gate"]) == ["Deployment gate"], str(done["gate"])
    assert done["deploy"].status == "skipped"
    assert not (pushed.runner.folder / "served").exists()

    # Once it is on record who lets it through, and why, it is.
    project = pushed.project
    project.mlx("gate", "deployment", "--override", "--reason", "the other one leaks").ok()
    project.mlx("push", "-q", "--only-records").ok()
    done = pushed.run("deploy", pushed.tagged("census#prod#1"))
    assert [one.status for one in done.values()] == ["success", "success"], str(done["gate"])
    assert "the other one leaks" in done["gate"].step("Deployment gate").output


def test_a_schedule_does_nothing_until_there_is_new_data(pushed: Pushed) -> None:
    before = pushed.at_origin("main")
    done = pushed.run("retrain", pushed.scheduled())["retrain"]
    assert done.status == "success", str(done)
    ran = [name for name, outcome in outcomes(done).items() if outcome == "success"]
    assert ran == ["Fetch records", "Pull data", "Look for new data"]
    assert done.step("Look for new data").output == "no new data (1 import)\n"
    assert pushed.at_origin("main") == before

    (pushed.runner.folder / "source" / "data.csv").write_text("a\nb\nc\n")
    done = pushed.run("retrain", pushed.scheduled())["retrain"]
    assert done.status == "success", str(done)
    assert set(outcomes(done).values()) == {"success"}
    assert pushed.at_origin("main~1") == before
    place = clone(pushed, "main")
    pushed.project.tools.mlx(place, "pull", "-q").ok()
    assert (place / "data.csv").read_text() == "a\nb\nc\n"
    assert '"rows": 3' in (place / "model.json").read_text()


def test_a_lock_that_must_be_up_to_date(pushed: Pushed) -> None:
    project = pushed.project
    project.mlx("ci", "init", "-q", "--lock", "require").ok()
    pushed.push("main", "require the lock")
    person = pushed.change("stale", acc=0.9)
    both = pushed.run("review", pushed.requested("stale"))
    done = both["gates"]
    assert failed(done) == ["Require a lock that is up to date"], str(done)
    assert "dvc.lock" in done.step("Require a lock that is up to date").output
    assert both["comment"].status == "success"  # the report is there all the same
    assert pushed.at_origin("stale") == person

    project.mlx("repro", "-q").ok()
    project.mlx("ci", "commit", "-q").ok()
    project.git("push", "-q", "origin", "stale")
    project.mlx("push", "-q").ok()
    done = pushed.run("train", pushed.pushed("stale", before=person))["train"]
    assert done.status == "success", str(done)
    assert "Push the lock" not in outcomes(done)
