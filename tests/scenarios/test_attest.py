"""`mlx attest`: a statement that holds, and every way in which it may not."""

import base64
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir, closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.commands import Result
from tests.support.project import Project
from tests.support.tools import Tools

from mlxkit.attest import check, dsse, statement
from mlxkit.attest.keys import open_signer
from mlxkit.attest.public_key import of_ssh
from mlxkit.attest.statement import Claim, Named
from mlxkit.core.errors import UsageError
from mlxkit.lineage.index import open_index
from mlxkit.runs import ledger
from mlxkit.runs.record import digest, encode
from mlxkit.runs.repository import Who

from .conftest import write_training

STAGES: dict[str, Any] = {
    "split": {
        "cmd": "mkdir -p parts && cp data.csv parts/a.csv && tr a-z A-Z < data.csv > parts/b.csv",
        "deps": ["data.csv"],
        "outs": ["parts"],
    }
}


def keygen(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


class Signing:
    """A trained project with keys beside it; the model is version 1 of `clf`."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.keys = project.root.parent
        self.signers = self.keys / "signers"

    def allow(self, *lines: str) -> None:
        """Write the allowed signers: `name [options]` each, by the key of that name."""
        text = ""
        for line in lines:
            name, _, options = line.partition(" ")
            kind, key, *_ = (self.keys / f"{name}.pub").read_text().split()
            text += f"{name}@example.org {options} {kind} {key}\n"
        self.signers.write_text(text)

    def attest(self, *args: str, key: str = "ann") -> Result:
        return self.project.mlx("attest", *args, "--key", str(self.keys / key))

    def verify(self, *args: str) -> Result:
        given = () if "--allowed" in args else ("--allowed", str(self.signers))
        return self.project.mlx("attest", "--verify", *args, *given)

    def verdicts(self, named: str, against: str = "", threshold: int = 1) -> list[check.Verdict]:
        """Check in this process, as the command does."""
        root = str(self.project.root)
        with patch.dict(os.environ, self.project.tools.env, clear=True), chdir(root):
            index = open_index(root, root, lambda _: None)
            with closing(index):
                return check.verify(
                    index, named, against=against, allowed=str(self.signers), threshold=threshold
                )

    def wrong(self, named: str, against: str = "", threshold: int = 1) -> list[tuple[str, str]]:
        """What is wrong, as kinds and paths."""
        found = self.verdicts(named, against, threshold)
        return [(one.kind, one.path) for each in found for one in each.problems]


@pytest.fixture(scope="module")
def signing_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signing")
    project = Project.copy(template, folder / "project", tools)
    write_training(project)
    text = project.read("dvc.yaml")
    project.write("dvc.yaml", f"{text}artifacts:\n  clf: {{path: model, type: model}}\n")
    project.mlx("repro").ok()
    tools.commit(project.root, "trained")
    tools.git(project.root, "tag", "-a", "-m", "first", "clf@v1.0.0")
    for name in ("ann", "bob"):
        keygen(folder, name)
    Signing(project).allow("ann", "bob")
    return folder


@pytest.fixture
def signing(signing_once: Path, tools: Tools, tmp_path: Path) -> Signing:
    folder = tmp_path / "here"
    shutil.copytree(signing_once, folder, symlinks=True)
    return Signing(Project(folder / "project", tools))


def payload_of(data: bytes) -> Any:
    return json.loads(base64.b64decode(json.loads(data)["payload"]))


def test_a_model(signing: Signing) -> None:
    project = signing.project
    told = signing.attest("model", "-o", "model.json").ok()
    assert told.stdout.startswith("attested  model  ")
    document = payload_of((project.root / "model.json").read_bytes())
    (subject,) = document["subject"]
    lock = project.lock()["train"]
    assert subject["name"] == "model"
    assert subject["digest"]["md5"] == lock["outs"][0]["md5"]
    summed = project.sh("sha256sum model").stdout.split()[0]
    assert subject["digest"]["sha256"] == summed
    definition = document["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["cmd"] == lock["cmd"]
    assert definition["externalParameters"]["params"] == {"params.yaml": {"train.lr": 0.1}}
    named = {one["name"]: one["digest"] for one in definition["resolvedDependencies"]}
    assert named["clean.csv"]["md5"] == lock["deps"][0]["md5"]
    assert len(named["clean.csv"]["sha256"]) == 64, "the run that made it has it on record"
    run = project.mlx("lineage", "model", "--json").json["producers"][0]["run"]
    assert named["version"]["gitCommit"] == project.git("rev-parse", "HEAD").stdout.strip()
    assert named["source"]["gitCommit"] == run["snapshot"]
    details = document["predicate"]["runDetails"]
    assert details["metadata"]["invocationId"] == run["id"]
    assert details["metadata"]["startedOn"] == run["started"]
    assert details["metadata"]["finishedOn"] >= run["started"]
    for what in (["model.json"], ["model"], ["model.json", "model"], ["clf@v1.0.0"],
                 ["model.json", "clf@latest"], ["model.json", "HEAD:model"]):  # fmt: skip
        assert signing.wrong(*what) == []
    told = signing.verify("model").ok()
    assert "signed by ann@example.org" in told.stdout
    allowed = ("--allowed", str(signing.signers))
    same = project.mlx("verify", "--attestation", "model.json", "clf@v1.0.0", *allowed).ok()
    assert same.stdout == told.stdout
    assert project.mlx("verify", "--attestation", "model.json", "clean.csv", *allowed).code == 3
    assert project.mlx("verify", "--attestation", "model.json", "a", "b", *allowed).code == 2


def test_the_document_of_an_answer(signing: Signing) -> None:
    signing.attest("model", "-o", "model.json").ok()
    good = signing.verify("model.json", "--json").ok().json
    assert good.keys() == {"ok", "problems", "attestations"}
    assert (good["ok"], good["problems"]) == (True, [])
    (one,) = good["attestations"]
    assert one.keys() == {
        *("id", "ok", "signers", "predicate", "subjects", "stage", "run", "commit", "notes")
    }
    assert one["signers"][0].keys() == {"who", "key"}
    assert one["commit"] == signing.project.git("rev-parse", "HEAD").stdout.strip()
    bad = signing.verify("model.json", "clean.csv", "--json")
    assert (bad.code, bad.json["ok"]) == (3, False)
    (problem,) = bad.json["problems"]
    assert problem.keys() == {"kind", "stage", "path", "why"}
    assert (problem["kind"], problem["stage"], problem["path"]) == ("subject", "train", "clean.csv")


def test_all_that_a_commit_made(signing: Signing) -> None:
    made = signing.attest("--json", "-o", "all.jsonl").ok().json["attestations"]
    assert [one["stage"] for one in made] == ["prep", "train", "evaluate"]
    assert all(len(one["id"]) == 64 and len(one["run"]) == 64 for one in made)
    lines = (signing.project.root / "all.jsonl").read_bytes().splitlines()
    assert len(lines) == 3
    assert signing.wrong("all.jsonl") == []
    assert signing.wrong("metrics.json") == [], "Git has it, not the cache"
    assert (
        signing.attest("clf@v1.0.0", "--json").json["attestations"][0]["subjects"][0]["name"]
        == "model"
    )
    (event, *_) = signing.project.mlx("audit", "--kind", "attested", "--json").ok().json["events"]
    assert event["what"]["subjects"] == ["model"]
    assert signing.project.mlx("audit", "verify").code == 0


def test_a_folder(signing: Signing) -> None:
    project = signing.project
    project.pipeline(STAGES, "sub/dvc.yaml")
    project.write("sub/data.csv", "x,y\n")
    project.mlx("repro", "sub/dvc.yaml").ok()
    project.tools.commit(project.root, "parts")
    subjects = signing.attest("sub/parts", "-o", "parts.json", "--json").ok().json["attestations"]
    whole, *files = subjects[0]["subjects"]
    # The command that in-toto gives for it.
    script = (
        "cd sub/parts; find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum"
    )
    assert whole["digest"]["dirHash"] == project.sh(script).stdout.split()[0]
    assert (
        whole["digest"]["dvcDir"] + ".dir"
        == project.lock("sub/dvc.lock")["split"]["outs"][0]["md5"]
    )
    assert [one["name"] for one in files] == ["sub/parts/a.csv", "sub/parts/b.csv"]
    for what in (["parts.json"], ["parts.json", "sub/parts"], ["parts.json", "sub/parts/b.csv"],
                 ["parts.json", "HEAD:sub/parts"], ["sub/parts"]):  # fmt: skip
        assert signing.wrong(*what) == [], what
    project.write(".dvcignore", "*.tmp\n")
    project.write("sub/parts/left.tmp", "ignored\n")
    assert signing.wrong("parts.json") == []
    project.write("sub/parts/left.csv", "not ignored\n")
    assert signing.wrong("parts.json") == [("subject", "sub/parts")]
    (project.root / "sub/parts/left.csv").unlink()
    os.chmod(project.root / "sub/parts/b.csv", 0o644)
    project.write("sub/parts/b.csv", "changed\n")
    assert signing.wrong("parts.json") == [("subject", "sub/parts"), ("subject", "sub/parts/b.csv")]
    assert signing.wrong("parts.json", "sub/parts") == [("subject", "sub/parts")]
    assert signing.wrong("parts.json", "sub/parts/a.csv") == []
    shutil.rmtree(project.root / "sub/parts")
    assert signing.wrong("parts.json") == [], "the cache has it"
    shutil.rmtree(project.root / ".dvc/cache")
    assert ("missing", "sub/parts") in signing.wrong("parts.json")


def test_a_changed_file(signing: Signing) -> None:
    signing.attest("model", "-o", "model.json").ok()
    model = signing.project.root / "model"
    data = bytearray(model.read_bytes())
    data[0] ^= 1
    model.unlink()
    model.write_bytes(data)
    assert signing.wrong("model.json") == [("subject", "model")]
    assert signing.wrong("model.json", "model") == [("subject", "model")]
    told = signing.verify("model.json")
    assert "wrong  subject  model" in told.stdout and "does not hold" in told.stdout
    assert signing.wrong("model.json", "HEAD:model") == [], "what was recorded is as it was"


def test_another_file(signing: Signing) -> None:
    signing.attest("model", "-o", "model.json").ok()
    assert signing.wrong("model.json", "clean.csv") == [("subject", "clean.csv")]
    outside = signing.keys / "downloaded"
    outside.write_bytes(b"something else")
    assert [kind for kind, _ in signing.wrong("model.json", str(outside))] == ["subject"]
    shutil.copy(signing.project.root / "model", outside)
    assert signing.wrong("model.json", str(outside)) == [], "a copy, wherever it is"


def test_replayed_for_another_version(signing: Signing) -> None:
    project = signing.project
    signing.attest("model", "-o", "v1.json").ok()
    project.write("params.yaml", "train:\n  lr: 0.2\n")
    project.mlx("repro").ok()
    project.tools.commit(project.root, "better")
    project.git("tag", "-a", "-m", "second", "clf@v2.0.0")
    signing.attest("clf@v2.0.0", "-o", "v2.json").ok()
    assert signing.wrong("v1.json", "clf@v1.0.0") == []
    assert signing.wrong("v2.json", "clf@v2.0.0") == []
    assert signing.wrong("v1.json", "clf@v2.0.0") == [("subject", "model")]
    assert signing.wrong("v2.json", "clf@v1.0.0") == [("subject", "model"), ("commit", "model")]
    assert signing.wrong("v1.json") == [("subject", "model")], "not what is here now"


def test_replayed_for_a_version_of_the_same_bytes(signing: Signing) -> None:
    """Made again, byte for byte, of other data: what was said of the first is not true of it."""
    project = signing.project
    text = project.read("dvc.yaml")
    project.write("dvc.yaml", text.replace("< data.csv >", "< data.csv | head -c4 >"))
    project.mlx("repro").ok()
    project.tools.commit(project.root, "a shorter way")
    signing.attest("clean.csv", "-o", "first.json").ok()
    project.git("tag", "first")
    project.write("data.csv", "a,b\nmore\n")
    project.mlx("repro").ok()
    project.tools.commit(project.root, "more data")
    assert signing.wrong("first.json", "first:clean.csv") == []
    assert signing.wrong("first.json", "HEAD:clean.csv") == [("material", "clean.csv")]


def test_keys(signing: Signing) -> None:
    """Wrong, expired, not yet good, for something else, revoked; and put right again."""
    project = signing.project
    signing.attest("model", "-o", "model.json").ok()

    def said() -> str:
        told = signing.verify("model.json", "--json")
        assert told.code == 3
        (problem,) = told.json["problems"]
        assert problem["kind"] == "signature"
        return str(problem["why"])

    signing.allow("bob")
    assert "not that of an allowed signer" in said()
    signing.allow('ann valid-before="20200101Z"', "bob")
    assert "expired on 2020-01-01" in said()
    assert signing.verify("model.json", "--at", "2019-06-01").code == 0
    signing.allow('ann valid-after="29990101Z"')
    assert "valid only after 2999-01-01" in said()
    signing.allow('ann namespaces="git"')
    assert "allowed for git only" in said()
    signing.signers.write_text("")
    assert "not that of an allowed signer" in said()
    signing.allow('ann namespaces="git,mlx-attestation"')
    assert signing.wrong("model.json") == []
    project.git("config", "gpg.ssh.revocationFile", str(signing.keys / "revoked"))
    shutil.copy(signing.keys / "ann.pub", signing.keys / "revoked")
    assert "revoked" in said()
    project.sh("ssh-keygen -q -k -f ../revoked ../ann.pub")
    assert "revoked" in said()
    project.sh("ssh-keygen -q -k -f ../revoked ../bob.pub")
    assert signing.wrong("model.json") == []


def test_a_key_is_followed_by_another(signing: Signing) -> None:
    """The old key runs out; who has the new one signs again what still counts."""
    root = signing.project.root
    signing.attest("model", "-o", "model.json").ok()
    before = (root / "model.json").read_bytes()
    signing.attest("--add-to", "model.json", key="bob").ok()
    assert payload_of(before) == payload_of((root / "model.json").read_bytes())
    signing.allow('ann valid-before="20200101Z"', "bob")
    assert signing.wrong("model.json") == []
    told = signing.verify("model.json")
    assert "signed by bob@example.org" in told.stdout
    assert "expired" in told.stderr
    (root / "old.json").write_bytes(before)
    assert signing.wrong("old.json") == [("signature", "")]
    assert signing.wrong("model") == [], "of two on record one holds"


def test_two_signatures(signing: Signing) -> None:
    signing.attest("model", "-o", "model.json").ok()
    assert signing.wrong("model.json", threshold=2) == [("signature", "")]
    signing.attest("--add-to", "model.json", key="bob").ok()
    assert signing.wrong("model.json", threshold=2) == []
    twice = signing.attest("--add-to", "model.json", key="bob")
    assert twice.code == 1 and "has signed it already" in twice.stderr
    path = signing.project.root / "model.json"
    document = json.loads(path.read_bytes())
    document["signatures"] = document["signatures"][:1] * 2
    path.write_text(json.dumps(document))
    assert signing.wrong("model.json", threshold=2) == [("signature", "")]


@pytest.fixture(scope="module")
def envelope(signing_once: Path, tools: Tools) -> tuple[Signing, bytes]:
    signing = Signing(Project(signing_once / "project", tools))
    path = signing_once / "model.json"
    signing.attest("model", "-o", str(path)).ok()
    return signing, path.read_bytes()


Checked = Callable[[bytes], bool]


@pytest.fixture(scope="module")
def holds(envelope: tuple[Signing, bytes]) -> Checked:
    """Check an envelope in this process."""
    signing, _ = envelope

    def ask(data: bytes) -> bool:
        path = signing.keys / "asked.json"
        path.write_bytes(data)
        try:
            (verdict,) = signing.verdicts(str(path))
        except UsageError:
            return False
        return verdict.ok

    return ask


def test_as_it_is_and_as_others_print_it(envelope: tuple[Signing, bytes], holds: Checked) -> None:
    _, data = envelope
    assert holds(data)
    assert holds(json.dumps(json.loads(data), indent=2).encode())


@settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.data())
def test_any_changed_byte(
    envelope: tuple[Signing, bytes], holds: Checked, data: st.DataObject
) -> None:
    """In what is signed, in the signature, in a name or a hint: it is found."""
    _, good = envelope
    place = data.draw(st.integers(0, len(good) - 2))
    bad = bytearray(good)
    bad[place] ^= data.draw(st.integers(1, 255))
    assert not holds(bytes(bad))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_any_lost_or_added_byte(
    envelope: tuple[Signing, bytes], holds: Checked, data: st.DataObject
) -> None:
    _, good = envelope
    place = data.draw(st.integers(0, len(good) - 2))
    assert not holds(good[:place] + good[place + 1 :])
    letter = data.draw(st.sampled_from(b'aZ09+/="{}:,-_'))
    bad = good[:place] + bytes([letter]) + good[place:]
    assert bad == good or not holds(bad)


def test_what_nobody_signs_was_touched(envelope: tuple[Signing, bytes], holds: Checked) -> None:
    _, good = envelope
    document = json.loads(good)
    for change in (
        {**document, "more": 1},
        {**document, "payload": document["payload"].replace("+", "-").replace("/", "_") + ""},
        {**document, "signatures": [{"sig": document["signatures"][0]["sig"]}]},
        {**document, "signatures": [{**document["signatures"][0], "keyid": "a" * 64}]},
    ):
        assert holds(json.dumps(change).encode()) == (change == document)


def test_libraries_of_the_format_take_it(envelope: tuple[Signing, bytes]) -> None:
    """What the format's own text says: a plain ed25519 signature over PAE; nothing of mlx's."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    signing, data = envelope
    document = json.loads(data)
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"].encode()
    public = (signing.keys / "ann.pub").read_bytes()
    key = load_ssh_public_key(public)
    assert isinstance(key, Ed25519PublicKey)
    (signature,) = document["signatures"]
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key.verify(base64.b64decode(signature["sig"]), encoded)
    assert signature["keyid"] == of_ssh(*public.decode().split()[:2]).keyid
    assert document.keys() == {"payload", "payloadType", "signatures"}
    assert kind == b"application/vnd.in-toto+json" == dsse.PAYLOAD_TYPE.encode()


def test_carried(signing: Signing, tools: Tools) -> None:
    project = signing.project
    origin = signing.keys / "origin.git"
    tools.git(project.root, "clone", "-q", "--bare", ".", str(origin))
    project.git("remote", "add", "origin", str(origin))
    project.git("push", "-q", "-u", "origin", "main", "--tags")
    project.dvc("remote", "add", "-d", "--local", "store", str(signing.keys / "store")).ok()
    signing.attest("model").ok()
    project.mlx("push").ok()
    other = Project(signing.keys / "other", tools)
    tools.git(signing.keys, "clone", "-q", str(origin), str(other.root))
    other.dvc("remote", "add", "-d", "--local", "store", str(signing.keys / "store")).ok()
    theirs = Signing(other)
    assert theirs.wrong("HEAD:model") == [("attestation", "model")]
    other.mlx("pull").ok()
    assert theirs.wrong("model") == []
    assert theirs.wrong("clf@v1.0.0") == []


def test_what_plain_dvc_made(new_project: Callable[..., Project], tmp_path: Path) -> None:
    """No run is on record: the lock file is what can be stated."""
    project = new_project()
    write_training(project)
    project.dvc("repro", "-q").ok()
    project.tools.commit(project.root, "trained")
    signing = Signing(project)
    keygen(signing.keys, "ann")
    signing.allow("ann")
    signing.attest("model", "-o", "model.json").ok()
    details = payload_of((project.root / "model.json").read_bytes())["predicate"]["runDetails"]
    assert details == {"builder": {"id": "urn:mlxkit:lock"}}
    assert signing.wrong("model.json") == []


def test_settings(signing: Signing) -> None:
    """Git's key and signers, and the project's own, which come last."""
    project = signing.project
    told = project.mlx("attest", "model")
    assert (told.code, "no key to sign with" in told.stderr) == (2, True)
    project.git("config", "gpg.format", "ssh")
    project.git("config", "user.signingKey", str(signing.keys / "ann.pub"))
    project.mlx("attest", "model", "-o", "model.json").ok()
    told = project.mlx("attest", "--verify", "model.json")
    assert (told.code, "nobody is known who may sign" in told.stderr) == (2, True)
    shutil.copy(signing.signers, project.root / "who-may-sign")
    project.write("mlx.yaml", "attest: {allowed_signers: who-may-sign}\n")
    assert project.mlx("attest", "--verify", "model.json").code == 0
    signing.allow("bob")
    project.git("config", "gpg.ssh.allowedSignersFile", str(signing.signers))
    assert project.mlx("attest", "--verify", "model.json").code == 3
    project.git("config", "--unset", "gpg.ssh.allowedSignersFile")
    project.write("mlx.yaml", "runs: {}\nattest: {signers: who}\n")
    told = project.mlx("attest", "--verify", "model.json")
    assert told.code == 4 and "mlx.yaml:2" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing-like-it"], 2, "is no path"),
        (["params.yaml"], 1, "nobody is known to have made"),
        (["HEAD~1"], 1, "no stage's outputs are recorded"),
        (["--add-to", "nowhere.json"], 2, "No such file"),
        (["--add-to", "params.yaml"], 1, "not JSON"),
        (["--add-to", "x", "model"], 2, "no WHAT beside it"),
        (["model", "--threshold", "2"], 2, "go with --verify"),
        (["--add-to", "data.csv"], 1, "not JSON"),
        (["model", "-o", "params.yaml/all.json"], 1, "params.yaml"),
        (["--verify", "nowhere.json"], 2, "is no path"),
        (["--verify", "params.yaml", "--allowed", "/nowhere"], 4, "cannot be read"),
        (["--verify", "params.yaml", "--at", "soon"], 2, "not a date"),
        (["--verify", "params.yaml", "--allowed", "params.yaml"], 4, "params.yaml:1"),
    ],
)
def test_bad_input(
    arguments: list[str], code: int, said: str, signing_once: Path, tools: Tools
) -> None:
    signing = Signing(Project(signing_once / "project", tools))
    given = (
        arguments if "--verify" in arguments else [*arguments, "--key", str(signing.keys / "ann")]
    )
    if "--verify" in arguments and "--allowed" not in arguments:
        given = [*given, "--allowed", str(signing.signers)]
    told = signing.project.mlx("attest", *given)
    assert told.code == code, str(told)
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_content_that_is_not_here(signing: Signing) -> None:
    """What only a record says is stated; what nobody read is not."""
    project = signing.project
    (project.root / "model").unlink()
    shutil.rmtree(project.root / ".dvc/cache")
    signing.attest("HEAD:model", "-o", "model.json").ok()
    assert signing.wrong("model.json") == [("missing", "model")]
    project.git("update-ref", "-d", "refs/mlx/runs")
    told = signing.attest("HEAD:model")
    assert told.code == 1
    assert "its sha256" in told.stderr and "mlx fetch" in told.stderr


def test_through_a_pipe(signing: Signing) -> None:
    told = signing.attest("model", "-o", "-").ok()
    assert told.stdout.count("\n") == 1
    assert payload_of(told.stdout.encode())["subject"][0]["name"] == "model"


def signed(signing: Signing, payload: bytes, kind: str = dsse.PAYLOAD_TYPE) -> str:
    """Sign anything with a key that is allowed; returns the file's name."""
    signer = open_signer(str(signing.keys / "ann"))
    signature = dsse.Signature(signer.public.keyid, signer.sign(dsse.pae(kind, payload)))
    data = dsse.encode(dsse.Envelope(payload, kind, (signature,)))
    (signing.project.root / "signed.json").write_bytes(data)
    return "signed.json"


def test_what_an_allowed_signer_may_not_say(signing: Signing) -> None:
    """A good signature makes no other thing of a file, and no file of what is outside."""
    model = signing.project.root / "model"
    strong = {"sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    weak = {"md5": hashlib.md5(model.read_bytes()).hexdigest()}

    def said(*subjects: tuple[str, dict[str, str]], against: str = "") -> list[tuple[str, str]]:
        claim = Claim(tuple(Named(*one) for one in subjects), "train", "true", {})
        path = signed(signing, statement.encode(claim))
        return signing.wrong(path, against)

    both = {**strong, **weak}
    for one in (strong, weak, {**both, "sha1": "0" * 40}):
        assert said(("model", one)) == [("envelope", "")], "mlx would not say it so"
    for name in ("../key", "/etc/passwd", "a/../../b", ""):
        assert said((name, both))[0] == ("subject", name)
    assert said(("model", both)) == [("material", "model")], "it was made otherwise"
    assert said(("clean.csv", both)) == [("subject", "clean.csv")]


def test_other_payloads(signing: Signing) -> None:
    model = signing.project.root / "model"
    digest = {"sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    document: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": digest}],
        "predicateType": "https://example.org/Tested/v1",
        "predicate": {"passed": True},
    }
    other = json.dumps(document).encode()
    assert signing.wrong(signed(signing, other)) == []
    weak = {**document, "subject": [{"name": "model", "digest": {"md5": "0" * 32}}]}
    assert signing.wrong(signed(signing, json.dumps(weak).encode())) == [("subject", "model")]
    told = signing.verify(signed(signing, other))
    assert "of https://example.org/Tested/v1 only signatures and files were checked" in told.stderr
    text = (signing.project.root / "signed.json").read_text().replace('"keyid":"', '"keyid":"0')
    signing.project.write("signed.json", text)
    assert signing.wrong("signed.json") == [], "of others' envelopes a keyid is only a hint"
    assert signing.wrong(signed(signing, other, "application/json")) == [("envelope", "")]
    assert signing.wrong(signed(signing, b"hello")) == [("envelope", "")]
    assert signing.wrong(signed(signing, b"{}")) == [("envelope", "")]


def test_a_record_that_says_otherwise(signing: Signing) -> None:
    """Same md5, other sha256: one of the two was made to look like the other."""
    project = signing.project
    root = str(project.root)
    name, record = next(
        (name, one) for name, one in ledger.read_all(root).records.items() if one.stage == "train"
    )
    lying = dataclasses.replace(record, outs=(record.outs[0]._replace(sha256="0" * 64),))
    data = encode(lying)
    project.git("update-ref", "-d", "refs/mlx/runs")
    who = Who("Eve", "Eve <eve@example.org> 1700000000 +0000")
    ledger.append(root, [ledger.Batch(None, {digest(data): data})], {}, who)
    told = signing.attest("model")
    assert told.code == 1
    assert "same md5, other sha256" in told.stderr
    assert name != digest(data)


def test_a_folder_of_many_files(signing: Signing) -> None:
    """It is stated as a whole: each file in it would make the statement too large to be of use."""
    project = signing.project
    command = "mkdir many && cd many && for n in $(seq 1001); do echo $n > $n; done"
    project.pipeline({"many": {"cmd": command, "outs": ["many"]}}, "sub/dvc.yaml")
    project.mlx("repro", "sub/dvc.yaml").ok()
    project.tools.commit(project.root, "many")
    (one,) = signing.attest("sub/many", "-o", "m.json", "--json").ok().json["attestations"]
    assert [each["name"] for each in one["subjects"]] == ["sub/many"]
    assert signing.wrong("m.json") == []
    project.sh("chmod u+w sub/many/7; echo 8 > sub/many/7")
    assert signing.wrong("m.json") == [("subject", "sub/many")]


def test_in_a_narrow_terminal(signing: Signing) -> None:
    signing.attest("model", "-o", "model.json").ok()
    told = signing.verify("model.json").ok()
    assert max(map(len, told.stdout.splitlines())) <= 80
    quiet = signing.verify("model.json", "-q").ok()
    assert quiet.stdout == ""
    assert signing.verify("model.json", "clean.csv", "-q").stdout != ""
