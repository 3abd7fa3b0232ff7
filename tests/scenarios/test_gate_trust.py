"""Rules about people: who attested the model, who approved the commit, and who only says so."""

import shutil
from pathlib import Path

import pytest
from tests.support.commands import Result
from tests.support.project import Project
from tests.support.tools import Tools

from mlxkit.gates.ledger import CHAIN
from mlxkit.runs.record import canonical
from mlxkit.runs.repository import Who

ATTESTED = "gates: {go: [{security: {path: model.txt, attested_by: [ci@example.org]}}]}\n"
APPROVED = "gates: {go: [{approval: {from: [ann@example.org, bo@example.org], %s: true}}]}\n"


@pytest.fixture(scope="module")
def keyed_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and another file that are recorded, keys of three people, and who they are."""
    folder = tmp_path_factory.mktemp("trust")
    project = Project.copy(template, folder / "project", tools)
    project.write("model.txt", "tree\nversion=v4\n")
    project.write("other.txt", "other")
    project.mlx("add", "-q", "model.txt", "other.txt").ok()
    project.write("mlx.yaml", ATTESTED)
    allowed = ""
    for who in ("ann", "bo", "ci"):
        tools.sh(folder, f"ssh-keygen -q -t ed25519 -N '' -f {who}")
        allowed += f"{who}@example.org {(folder / f'{who}.pub').read_text()}"
    (folder / "allowed").write_text(allowed)
    tools.commit(project.root, "model")
    return folder


@pytest.fixture
def keyed(keyed_once: Path, tools: Tools, tmp_path: Path) -> Project:
    shutil.copytree(keyed_once, tmp_path / "here", symlinks=True)
    project = Project(tmp_path / "here" / "project", tools)
    project.git("config", "gpg.format", "ssh")
    project.git("config", "gpg.ssh.allowedSignersFile", str(project.root.parent / "allowed"))
    return project


def judged(project: Project) -> tuple[str, str]:
    """The last verdict of the gate: its word, and why."""
    one = project.mlx("gate", "--no-record", "--json").json["gates"][-1]
    return one["verdict"], one["why"]


def attest(project: Project, path: str, who: str) -> None:
    project.mlx("attest", path, "--key", str(project.root.parent / who)).ok()


def test_a_model_is_attested_by_one_of_the_signers(keyed: Project) -> None:
    assert judged(keyed) == (
        "fail",
        "model.txt: no attestation of it holds: "
        "nothing is attested of it; to fetch what others attested: mlx fetch",
    )
    attest(keyed, "model.txt", "ann")
    assert judged(keyed) == (
        "fail", "model.txt: attested by ann@example.org, not by ci@example.org"
    )  # fmt: skip
    attest(keyed, "model.txt", "ci")
    assert judged(keyed) == ("pass", "model.txt: attested by ci@example.org")
    keys = keyed.root.parent
    (keys / "revoked").write_text((keys / "ci.pub").read_text())
    keyed.git("config", "gpg.ssh.revocationFile", str(keys / "revoked"))
    assert "not by ci@example.org" in judged(keyed)[1]
    keyed.git("config", "--unset", "gpg.ssh.allowedSignersFile")
    assert judged(keyed) == (
        "fail", "model.txt: its attestations cannot be checked: nobody is known who may sign"
    )  # fmt: skip


def test_a_file_named_as_the_model_s_digest_is_not_taken_for_it(keyed: Project) -> None:
    attest(keyed, "other.txt", "ci")
    md5 = keyed.sh("md5sum model.txt").stdout.split()[0]
    keyed.write(md5, "other")
    assert "nothing is attested of it" in judged(keyed)[1]
    path = keyed.git("ls-tree", "-r", "--name-only", "refs/mlx/attestations").stdout.strip()
    keyed.write(md5, keyed.git("cat-file", "blob", f"refs/mlx/attestations:{path}").stdout)
    assert "nothing is attested of it" in judged(keyed)[1]


def approve(project: Project, name: str, email: str = "", *args: str) -> Result:
    address = email or f"{name.lower()}@example.org"
    person = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address}
    return project.mlx("approve", "go", *args, **person)


def commit(project: Project, rules: str, author: str) -> None:
    project.write("mlx.yaml", rules)
    project.git("add", "-A")
    project.git("commit", "-qm", f"by {author}", f"--author={author} <{author}@example.org>")


def test_approvals_are_of_people_a_commit_and_its_data(keyed: Project) -> None:
    # A mailmap comes with the commit, so it must not make Ann another than its author.
    keyed.write(".mailmap", "Nobody <nobody@example.org> <ann@example.org>\n")
    commit(keyed, APPROVED % "not_author", "ann")
    word, why = judged(keyed)
    assert word == "fail" and "approved by nobody: 0 of 1" in why
    for who, not_counted in (("Ann", "Ann (is the author)"), ("Eve", "Eve (is not one of them)")):
        done = approve(keyed, who)
        assert (done.code, done.stdout.split()[:2]) == (3, ["not", "counted"])
        assert f"does not count: {not_counted}" in done.stderr
        word, why = judged(keyed)
        assert word == "fail" and not_counted in why
    done = approve(keyed, "Bo", "", "--reason", "read it", "--json").ok()
    head = keyed.git("rev-parse", "HEAD").stdout.strip()
    assert (done.json["commit"], done.json["email"]) == (head, "bo@example.org")
    assert (done.json["counts"], done.json["why"]) == (True, None)
    assert judged(keyed) == ("pass", f"approved by Bo: 1 of 1 ({head[:12]}); not counted: "
                             "Ann (is the author), Eve (is not one of them)")  # fmt: skip
    keyed.mlx("gate", "-q", "--rev", "HEAD").ok()
    keyed.mlx("audit", "verify").ok()
    # Of another commit it says nothing, and of what is not committed neither.
    keyed.write("mlx.yaml", keyed.read("mlx.yaml") + "#\n")
    word, why = judged(keyed)
    assert word == "fail" and "what is not committed cannot be approved: mlx.yaml" in why
    assert approve(keyed, "Bo").code == 1
    keyed.tools.commit(keyed.root, "next")
    word, why = judged(keyed)
    assert word == "fail" and "approvals are of other commits" in why
    keyed.mlx("gate", "-q", "--rev", "HEAD~1").ok()


def test_approvals_that_must_be_signed(keyed: Project) -> None:
    commit(keyed, APPROVED % "signed", "ann")
    assert "does not count: Bo (without a good signature" in approve(keyed, "Bo").stderr
    word, why = judged(keyed)
    assert word == "fail" and "without a good signature" in why
    keyed.git("config", "commit.gpgSign", "true")
    keyed.git("config", "user.signingKey", str(keyed.root.parent / "bo"))
    assert approve(keyed, "Ann").code == 3
    assert judged(keyed)[0] == "fail", "Bo's key does not speak for Ann"
    keyed.git("config", "user.signingKey", str(keyed.root.parent / "ci"))
    assert approve(keyed, "bo@example.org", "ci@example.org").code == 3
    assert judged(keyed)[0] == "fail", "a name is not an address"
    keyed.git("config", "user.signingKey", str(keyed.root.parent / "bo"))
    assert "does not count" not in approve(keyed, "Bo").ok().stderr
    word, why = judged(keyed)
    assert word == "pass" and "approved by Bo: 1 of 1" in why
    # The log with one event changed counts nobody.
    tip = keyed.git("cat-file", "commit", "refs/mlx/audit").stdout.replace("Bo", "Bob")
    made = keyed.sh(f"git hash-object -t commit -w --stdin <<'X'\n{tip}\nX\n").stdout.strip()
    keyed.git("update-ref", "refs/mlx/audit", made)
    word, why = judged(keyed)
    assert word == "fail" and "approvals cannot be told: the audit log is not whole" in why


def test_an_override_counts_that_the_audit_log_has_signed_where_approvals_must_be(
    keyed: Project,
) -> None:
    commit(keyed, APPROVED % "signed", "ann")
    accept = ("gate", "go", "--accept-overrides")
    found = keyed.mlx(*accept, "--json")
    verdict, head = found.json["records"]["go"], found.json["commit"]
    forged = {
        "format": 1, "kind": "override", "commit": head, "gate": "go", "project": "", "when": "w",
        "who": "x", "reason": "r", "name": "Ann", "verdict": verdict,
    }  # fmt: skip
    CHAIN.append(str(keyed.root), canonical(forged), Who("x", "x <x@example.org> 1 +0000"), "x")
    done = keyed.mlx(*accept)
    assert (done.code, "does not count: it is not in the audit log" in done.stdout) == (3, True)
    override = ("gate", "go", "--override", "--reason", "looked at it")
    done = keyed.mlx(*override)
    assert (done.code, "it has no good signature of whom it names" in done.stderr) == (1, True)
    assert keyed.mlx(*accept).code == 3
    keyed.git("config", "commit.gpgSign", "true")
    keyed.git("config", "user.signingKey", str(keyed.root.parent / "bo"))
    bo = {"GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "bo@example.org"}
    assert "does not count" not in keyed.mlx(*override, **bo).ok().stdout
    keyed.mlx(*accept).ok()


def test_who_one_of_several_rules_asks_counts(keyed: Project) -> None:
    rules = "{approval: {from: [ann@example.org]}}, {approval: {from: [bo@example.org]}}"
    commit(keyed, f"gates: {{go: [{rules}]}}\n", "eve")
    assert approve(keyed, "Bo").ok().stdout.startswith("approved ")


def test_what_cannot_be_approved(keyed: Project) -> None:
    for name, said in (("no", "no gate 'no'"), ("go", "asks for no approval")):
        done = keyed.mlx("approve", name)
        assert (done.code, said in done.stderr) == (2, True), done
    assert keyed.mlx("approve", "go", "--rev", "nowhere").code == 2
