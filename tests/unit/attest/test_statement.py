"""The statement: names as in-toto and SLSA have them, and back again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.attest import statement
from mlxkit.attest.dsse import InvalidEnvelope
from mlxkit.attest.statement import Claim, Named

CLAIM = Claim(
    subjects=(Named("model", {"sha256": "1" * 64, "md5": "2" * 32}),),
    stage="train",
    cmd="python train.py",
    params={"params.yaml": {"lr": 0.1}},
    materials=(
        Named("clean", {"dvcDir": "3" * 32}),
        Named("code.py", {"md5": "4" * 32, "sha256": "5" * 64}),
        Named("s3://b/x", {}, uri="s3://b/x"),
    ),
    project="sub",
    version="6" * 40,
    source="7" * 40,
    origin="git+https://example.org/team/repo.git",
    env="8" * 64,
    run="9" * 64,
    started="2026-01-02T03:04:05.678Z",
    finished="2026-01-02T03:05:05.678Z",
    outcome="ran",
    mlx="0.1.0",
)


def test_the_whole_document() -> None:
    origin = {"uri": "git+https://example.org/team/repo.git"}
    assert statement.document(CLAIM) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": "1" * 64, "md5": "2" * 32}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:mlxkit:stage:v1",
                "externalParameters": {
                    "stage": "train",
                    "project": "sub",
                    "cmd": "python train.py",
                    "params": {"params.yaml": {"lr": 0.1}},
                },
                "internalParameters": {"outcome": "ran"},
                "resolvedDependencies": [
                    {"name": "clean", "digest": {"dvcDir": "3" * 32}},
                    {"name": "code.py", "digest": {"md5": "4" * 32, "sha256": "5" * 64}},
                    {"name": "s3://b/x", "uri": "s3://b/x"},
                    {"name": "version", **origin, "digest": {"gitCommit": "6" * 40}},
                    {"name": "source", **origin, "digest": {"gitCommit": "7" * 40}},
                    {
                        "name": "environment",
                        "mediaType": "application/vnd.mlxkit.environment+json",
                        "digest": {"sha256": "8" * 64},
                    },
                ],
            },
            "runDetails": {
                "builder": {"id": "urn:mlxkit:run", "version": {"mlx": "0.1.0"}},
                "metadata": {
                    "invocationId": "9" * 64,
                    "startedOn": "2026-01-02T03:04:05.678Z",
                    "finishedOn": "2026-01-02T03:05:05.678Z",
                },
                "byproducts": [
                    {
                        "name": "run",
                        "mediaType": "application/vnd.mlxkit.run+json",
                        "digest": {"sha256": "9" * 64},
                    }
                ],
            },
        },
    }


def test_there_and_back() -> None:
    for claim in (CLAIM, Claim(CLAIM.subjects, "train", ["a", "b"], {}), CLAIM._replace(env=None)):
        found = statement.decode(statement.encode(claim))
        assert found.claim == claim
        assert found.subjects == claim.subjects


def test_without_a_run() -> None:
    claim = CLAIM._replace(run=None, started="", finished="", mlx="", outcome="")
    details = statement.document(claim)["predicate"]["runDetails"]
    assert details == {"builder": {"id": "urn:mlxkit:lock"}}


def test_files_may_be_named_like_commits() -> None:
    odd = tuple(Named(name, {"md5": "4" * 32}) for name in ("version", "source", "environment"))
    claim = CLAIM._replace(materials=odd)
    assert statement.decode(statement.encode(claim)).claim == claim


def test_a_statement_of_others() -> None:
    """Its signature and its files can be checked, not what it says besides."""
    document = statement.document(CLAIM)
    document["predicateType"] = "https://example.org/Tested/v1"
    found = statement.decode(json.dumps(document).encode())
    assert (found.claim, found.predicate_type) == (None, "https://example.org/Tested/v1")
    document = statement.document(CLAIM)
    document["predicate"]["buildDefinition"]["buildType"] = "https://example.org/make"
    assert statement.decode(json.dumps(document).encode()).claim is None


def _without(document: Any, path: list[Any], value: Any) -> bytes:
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["_type"], "https://in-toto.io/Statement/v0.1"),
        (["_type"], None),
        (["subject"], []),
        (["subject"], {}),
        (["subject", 0], "model"),
        (["subject", 0, "digest"], {}),
        (["subject", 0, "digest", "sha256"], 3),
        (["subject", 0, "name"], 3),
        (["predicateType"], None),
        (["predicate"], "x"),
        (["predicate", "buildDefinition"], []),
        (["predicate", "buildDefinition", "externalParameters", "cmd"], [1]),
        (["predicate", "buildDefinition", "externalParameters", "params"], []),
        (["predicate", "buildDefinition", "externalParameters", "params", "p"], 3),
        (["predicate", "buildDefinition", "resolvedDependencies"], {}),
        (["predicate", "buildDefinition", "resolvedDependencies", 0, "digest"], 3),
        (
            ["predicate", "buildDefinition", "resolvedDependencies", 0, "digest"],
            {"gitCommit": "-x"},
        ),
        (["predicate", "runDetails", "metadata", "invocationId"], []),
        (["predicate", "runDetails", "builder"], 3),
    ],
)
def test_what_is_no_statement(path: list[Any], value: Any) -> None:
    with pytest.raises(InvalidEnvelope):
        statement.decode(_without(statement.document(CLAIM), path, value))


@given(st.binary(max_size=60))
def test_anything_is_a_statement_or_an_error(data: bytes) -> None:
    with pytest.raises(InvalidEnvelope):
        statement.decode(data)
