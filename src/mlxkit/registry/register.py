"""A new version of a model: what is recorded at a commit, under a name and a number."""

import os
import posixpath
import shlex
from typing import NamedTuple

from mlxkit.audit.event import Kind
from mlxkit.core import yaml
from mlxkit.core.errors import MlxError, ProjectError, UsageError
from mlxkit.data.artifacts import artifact_at, file_of, named, owner
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.session import Session
from mlxkit.registry.artifacts import declare, snippet
from mlxkit.registry.content import Content, content_at
from mlxkit.registry.tag import alone, make, remote_for
from mlxkit.registry.transaction import full_name, recorded, require_git, settle
from mlxkit.runs.choose import project_of
from mlxkit.tools import git
from mlxkit.versions import trailer
from mlxkit.versions.find import read_registry
from mlxkit.versions.grammar import Version, check_model, registration, to_version
from mlxkit.versions.state import Model

FIRST = "0.0.1"
"""The first version where nobody says which, as in GTO."""


class Request(NamedTuple):
    """What is to be registered; `rev` empty is HEAD, with a clean working tree."""

    name: str
    path: str = ""
    version: str = ""
    bump: str = ""
    rev: str = ""
    text: str = ""
    declare: bool = False
    push: str | None = None
    """A remote, "" the branch's own; None: nowhere."""


class Done(NamedTuple):
    """A version that was registered."""

    model: str
    version: str
    commit: str
    content: Content
    tag: str
    pushed: str | None = None


def register(session: Session, asked: Request) -> Done:
    """Register a version; raises UsageError, ProjectError, MlxError, and then did nothing."""
    git_root = require_git(session)
    folder = project_of(session.root, git_root)
    name = full_name(asked.name, folder)
    check_model(name)
    if asked.version and asked.bump:
        raise UsageError("--version and --bump: give one of them")
    remote = remote_for(git_root, asked.push) if asked.push is not None else None
    revisions = Revisions(session)
    commit = revisions.commit(asked.rev or "HEAD")
    path = _path(session, revisions, commit, name, asked)
    content = content_at(session, revisions, commit, path)
    if not asked.rev:
        _refuse_dirty(session, git_root, content)
    with alone(git_root):
        model = read_registry(git_root).models.get(name)
        version = _version(model, name, commit, asked)
        told = {"kind": "registered", "version": version.tag, **recorded(content)}
        text = trailer.message(f"Register {name} {version.tag}", asked.text, told)
        tag = make(git_root, registration(name, version), commit, text, model)
        what = {"model": name, "version": version.tag, "commit": commit, "tag": tag.name,
                "object": tag.id, "project": project_of(session.root, git_root),
                **recorded(content)}  # fmt: skip
        settle(git_root, tag, Kind.REGISTERED, what, remote)
    return Done(name, version.tag, commit, content, tag.name, remote.name if remote else None)


def _path(session: Session, revisions: Revisions, commit: str, name: str, asked: Request) -> str:
    """Return the path to register, from the project's root; it must be the one declared."""
    folder = project_of(session.root, require_git(session))
    file = file_of(name, folder)
    git_root = require_git(session)
    whose = owner(git_root, commit, name, folder)
    if file is None or whose != folder:
        there = ("mlx", "-C", os.path.relpath(os.path.join(git_root, whose)))
        raise UsageError(
            f"'{name}' belongs to another project of this repository",
            hint=f"register it there: {shlex.join((*there, 'model', 'register', name))}",
        )
    known = artifact_at(revisions.tree(commit), name, folder, revisions.declared)
    given = _given(session, asked.path) if asked.path else None
    if known is None:
        raise _undeclared(session, revisions, commit, name, file, given, asked)
    if given is None and known.path is None:
        raise UsageError(f"{known.file} does not say which path '{asked.name}' is",
                         hint=f"give it: mlx model register {asked.name} PATH")  # fmt: skip
    if given is not None and known.path is not None and given != known.path:
        raise UsageError(
            f"{known.file} says that '{asked.name}' is '{known.path}', not '{given}'",
            hint=f"change the path there, and commit; or leave PATH out for {known.path}",
        )
    return given or known.path or ""


def _undeclared(
    session: Session, revisions: Revisions, commit: str, name: str, file: str,
    given: str | None, asked: Request,
) -> MlxError:  # fmt: skip
    """Return what to say of a model that the commit does not declare; declare it if asked to."""
    here = _declared_here(session, file, name)
    if here and not asked.rev:
        return ProjectError(
            f"declares the model '{asked.name}', but that is not committed", where=file,
            hint=f"git commit -m 'Declare {asked.name}' {file}   and repeat",
        )  # fmt: skip
    if given is None:
        return UsageError(
            f"'{asked.name}' is not declared in {file} at {commit[:7]}, so PATH is needed",
            hint=_elsewhere(revisions, commit, name)
            or f"mlx model register {asked.name} PATH --declare",
        )
    inner = posixpath.relpath(given, posixpath.dirname(file) or ".")
    if not asked.declare:
        return ProjectError(
            f"does not declare the model '{asked.name}' at {commit[:7]}",
            where=file,
            hint=f"add to it, and commit: {snippet(name, inner)}   (or give --declare)",
        )
    content_at(session, revisions, commit, given)
    if not here:
        declare(session.root, file, name, inner)
    return MlxError(
        f"'{asked.name}' is declared in {file} now; nothing is registered yet",
        hint=f"git commit -m 'Declare {asked.name}' {file}   and repeat",
    )


def _declared_here(session: Session, file: str, name: str) -> bool:
    """Tell whether the working tree's dvc.yaml declares a model; raises ProjectError."""
    try:
        with open(os.path.join(session.root, file), "rb") as stream:
            document = yaml.load(stream.read(), file)
    except OSError:
        return False
    return named(document, name.rpartition(":")[2]) is not None


def _elsewhere(revisions: Revisions, commit: str, name: str) -> str | None:
    """Return the full name of a model that another dvc.yaml of the commit declares."""
    tree = revisions.tree(commit)
    last = name.rpartition(":")[2]
    for file in revisions.declaring(tree):
        folder = posixpath.dirname(file)
        if not folder or not file.endswith("/dvc.yaml"):
            continue
        try:
            document = yaml.load(tree.content(file))
        except MlxError:
            continue
        if named(document, last) is not None:
            return f"did you mean '{folder}:{last}'?"
    return None


def _given(session: Session, path: str) -> str:
    """Return a path that was named from here, from the project's root."""
    real = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
    found = os.path.relpath(os.path.normpath(real), os.path.realpath(session.root))
    if found.startswith(".."):
        raise UsageError(f"'{path}' lies outside of the project")
    return found.replace(os.sep, "/")


def _version(model: Model | None, name: str, commit: str, asked: Request) -> Version:
    known = model.at(commit) if model is not None else None
    if known is not None:
        raise UsageError(
            f"{commit[:7]} is {name}@{known.name} already",
            hint="a commit is one version: commit a change first, or name another with --rev",
        )
    if asked.version:
        version = to_version(asked.version)
    elif model is None or model.latest is None:
        if asked.bump:
            raise UsageError(f"'{name}' has no version yet that --bump could go up from",
                             hint="give the first: --version 1.0.0")  # fmt: skip
        version = Version(FIRST)
    else:
        version = model.latest.version.bumped(asked.bump or "patch")
    there = model.find(version) if model is not None else None
    if there is not None and there.active:
        raise UsageError(
            f"{name}@{there.name} is registered already, at {there.commit[:7]}",
            hint="a version is given once: take another, or leave --version out",
        )
    if there is not None:
        raise UsageError(
            f"{name}@{there.name} was registered and taken back: it is not given again",
            hint="take another version",
        )
    return version


def _refuse_dirty(session: Session, git_root: str, content: Content) -> None:
    """Refuse what HEAD does not say: what is registered is HEAD, and what is seen must be it."""
    changed = git.changed(git_root)
    if changed:
        some = ", ".join(changed[:5]) + (", ..." if len(changed) > 5 else "")
        raise MlxError(
            f"the working tree is not what is committed: {some}",
            hint="commit first; or, to register what a commit records: --rev HEAD",
        )
    if content.wanted is None or content.special:
        return
    path = os.path.join(session.root, content.path)
    if not os.path.lexists(path):
        return
    here = session.workspace.md5(path)
    if here != content.md5:
        raise MlxError(
            f"'{content.path}' is not what the lock records",
            hint="make it again: mlx repro   or bring it back: mlx checkout",
        )
