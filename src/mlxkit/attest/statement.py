"""What is attested, as an in-toto Statement v1 with SLSA provenance v1; and read back. Pure.

Field names: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.0/provenance. What
mlx's own build type means is in docs/attest.md.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mlxkit.attest.dsse import InvalidEnvelope, unique
from mlxkit.runs.record import canonical, plain

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:mlxkit:stage:v1"
BUILDER_OF_RUN = "urn:mlxkit:run"
"""mlx ran the stage, and has the run on record."""
BUILDER_OF_LOCK = "urn:mlxkit:lock"
"""A commit's lock file says it; who ran the stage is not on record."""
FOLDER = "dvcDir"
"""A folder's digest as `dvc.lock` has it, without its `.dir`."""
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PAIRS = frozenset([frozenset(["sha256", "md5"]), frozenset(["dirHash", FOLDER])])
"""What a subject has: one digest to trust, and one to find it by in lock files."""
_ENVIRONMENT = "application/vnd.mlxkit.environment+json"
_RECORD = "application/vnd.mlxkit.run+json"

Digests = Mapping[str, str]
Params = Mapping[str, Mapping[str, Any]]


class Named(NamedTuple):
    """A file or folder, by its path from the repository's top, with its digests."""

    name: str
    digest: Digests
    uri: str = ""


class Claim(NamedTuple):
    """What mlx says of how a stage's outputs were made.

    `version` is the commit that introduced the outputs, `source` that of the code: the working
    tree as it was, where a run is on record. `origin` is the Git remote's URL.
    """

    subjects: tuple[Named, ...]
    stage: str
    cmd: str | list[str] | None
    params: Params
    materials: tuple[Named, ...] = ()
    project: str = ""
    version: str | None = None
    source: str | None = None
    origin: str = ""
    env: str | None = None
    run: str | None = None
    started: str = ""
    finished: str = ""
    outcome: str = ""
    mlx: str = ""


class Statement(NamedTuple):
    """A statement that somebody signed; `claim` is None for one that is not of mlx's type."""

    subjects: tuple[Named, ...]
    predicate_type: str
    claim: Claim | None


def encode(claim: Claim) -> bytes:
    """Return the statement as the bytes to sign."""
    return canonical(document(claim))


def document(claim: Claim) -> dict[str, Any]:
    """Return the statement as plain JSON values."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": one.name, "digest": dict(one.digest)} for one in claim.subjects],
        "predicateType": PROVENANCE,
        "predicate": {"buildDefinition": _definition(claim), "runDetails": _details(claim)},
    }


def decode(payload: bytes) -> Statement:
    """Read a statement; raises InvalidEnvelope, which says why it is none."""
    try:
        found = json.loads(payload.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise InvalidEnvelope(f"what was signed is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("_type") != STATEMENT:
        raise InvalidEnvelope("what was signed is no in-toto Statement v1")
    subjects = tuple(_named(one) for one in _list(found.get("subject")))
    if not subjects or not all(one.digest for one in subjects):
        raise InvalidEnvelope("the statement names nothing that it is about")
    kind = found.get("predicateType")
    if not isinstance(kind, str):
        raise InvalidEnvelope("the statement does not say what kind it is")
    predicate = found.get("predicate")
    definition = _mapping(_mapping(predicate).get("buildDefinition"))
    if kind != PROVENANCE or definition.get("buildType") != BUILD_TYPE:
        return Statement(subjects, kind, None)
    details = _mapping(_mapping(predicate).get("runDetails"))
    return Statement(subjects, kind, _claim(subjects, definition, details))


def _definition(claim: Claim) -> dict[str, Any]:
    dependencies = [_descriptor(one) for one in claim.materials]
    for name, commit in (("version", claim.version), ("source", claim.source)):
        if commit:
            where = {"uri": claim.origin} if claim.origin else {}
            dependencies.append({"name": name, **where, "digest": {"gitCommit": commit}})
    if claim.env:
        about = {"name": "environment", "mediaType": _ENVIRONMENT}
        dependencies.append({**about, "digest": {"sha256": claim.env}})
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "stage": claim.stage,
            "project": claim.project,
            "cmd": claim.cmd,
            "params": plain(claim.params),
        },
        "internalParameters": {"outcome": claim.outcome} if claim.outcome else {},
        "resolvedDependencies": dependencies,
    }


def _details(claim: Claim) -> dict[str, Any]:
    builder: dict[str, Any] = {"id": BUILDER_OF_RUN if claim.run else BUILDER_OF_LOCK}
    if claim.mlx:
        builder["version"] = {"mlx": claim.mlx}
    details: dict[str, Any] = {"builder": builder}
    if claim.run:
        details["metadata"] = {
            "invocationId": claim.run,
            "startedOn": claim.started,
            "finishedOn": claim.finished,
        }
        record = {"name": "run", "mediaType": _RECORD, "digest": {"sha256": claim.run}}
        details["byproducts"] = [record]
    return details


def _descriptor(one: Named) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name}
    if one.uri:
        told["uri"] = one.uri
    if one.digest:
        told["digest"] = dict(one.digest)
    return told


def _claim(
    subjects: tuple[Named, ...], definition: Mapping[str, Any], details: Mapping[str, Any]
) -> Claim:
    if not all(_PAIRS & {frozenset(one.digest)} for one in subjects):
        raise InvalidEnvelope("the subjects have not the digests that mlx gives them")
    external = _mapping(definition.get("externalParameters"))
    builder, metadata = _mapping(details.get("builder")), _mapping(details.get("metadata"))
    materials, commits, env, origin = [], {}, None, ""
    for one in _list(definition.get("resolvedDependencies")):
        named = _named(one)
        if "gitCommit" in named.digest:
            commit = commits[named.name] = named.digest["gitCommit"]
            if not _COMMIT.fullmatch(commit):
                raise InvalidEnvelope("the statement names a commit by what is no id")
            origin = named.uri
        elif _mapping(one).get("mediaType") == _ENVIRONMENT:
            env = named.digest.get("sha256")
        else:
            materials.append(named)
    cmd = external.get("cmd")
    lines = cmd if isinstance(cmd, list) else [cmd or ""]
    if not all(isinstance(line, str) for line in lines):
        raise InvalidEnvelope("the statement's `cmd` is neither text nor a list of texts")
    params = _mapping(external.get("params"))
    return Claim(
        subjects,
        _text(external.get("stage")),
        cmd,
        {file: _mapping(values) for file, values in params.items()},
        tuple(materials),
        _text(external.get("project")),
        commits.get("version"),
        commits.get("source"),
        origin,
        env,
        _text(metadata.get("invocationId")) or None,
        _text(metadata.get("startedOn")),
        _text(metadata.get("finishedOn")),
        _text(_mapping(definition.get("internalParameters")).get("outcome")),
        _text(_mapping(builder.get("version")).get("mlx")),
    )


def _named(found: Any) -> Named:
    told = _mapping(found)
    digest = _mapping(told.get("digest"))
    if not all(isinstance(value, str) for value in digest.values()):
        raise InvalidEnvelope("a digest in the statement is no text")
    return Named(_text(told.get("name")), digest, _text(told.get("uri")))


def _mapping(value: Any) -> dict[str, Any]:
    """Return an object; one that is missing counts as empty, as the format has it."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidEnvelope("the statement has a value where an object should be")
    return value


def _list(value: Any) -> Iterator[Any]:
    if value is None:
        return iter(())
    if not isinstance(value, list):
        raise InvalidEnvelope("the statement has a value where a list should be")
    return iter(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidEnvelope("the statement has a value where a text should be")
    return value
