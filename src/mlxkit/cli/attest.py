"""`mlx attest`: a signed statement of what made a file, of what, and from which code."""

import os
import sys
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.attest_show import verify_attestation
from mlxkit.cli.knowing import knowing
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.core.errors import UsageError

app = new_app()


@app.command()
def attest(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[WHAT]",
            help="A path, REV:PATH, MODEL@VERSION, MODEL#STAGE, run:ID or digest; or a revision: "
            "all that its stages made. HEAD by default.",
        ),
    ] = "",
    key: Annotated[
        str,
        typer.Option(
            "--key",
            "-k",
            metavar="KEY",
            help="An ed25519 key: SSH, private or public with ssh-agent, or PEM. "
            "Git's user.signingKey by default.",
        ),
    ] = "",
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="Also write it to FILE; - prints it."),
    ] = "",
    add_to: Annotated[
        str, typer.Option("--add-to", metavar="FILE", help="Add a signature to that attestation.")
    ] = "",
    verify: Annotated[
        str,
        typer.Option(
            "--verify",
            metavar="FILE|WHAT",
            help="Sign nothing: check an attestation (of WHAT), as mlx verify --attestation does.",
        ),
    ] = "",
    allowed: Annotated[
        str,
        typer.Option(
            "--allowed", metavar="FILE", help="With --verify: who may sign, as in Git's setting."
        ),
    ] = "",
    threshold: Annotated[
        int,
        typer.Option(
            "--threshold", metavar="N", min=1, help="With --verify: signatures by N keys."
        ),
    ] = 1,
    at: Annotated[
        str, typer.Option("--at", metavar="DATE", help="With --verify: keys valid on that day.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """State which stage made a file, of what data, parameters and code, and sign it.

    The statement (in-toto, SLSA provenance, in a DSSE envelope) is kept in Git and goes with
    mlx push and fetch. With --verify, exits with 3 for one that does not hold.

    Example: mlx attest models/boosting.skops --key ~/.ssh/id_ed25519
    """
    if verify:
        if key or output or add_to:
            raise UsageError("--verify signs and writes nothing: no --key, --output or --add-to")
        return verify_attestation(
            verify, what, allowed, threshold, at, as_json=as_json, quiet=quiet, verbose=verbose
        )
    if allowed or at or threshold != 1:
        raise UsageError("--allowed, --threshold and --at go with --verify")
    if add_to and what:
        raise UsageError("--add-to says which attestation: no WHAT beside it")
    if as_json and output == "-":
        raise UsageError("-o - prints the attestation: no --json beside it")
    made = _add(add_to, key) if add_to else _make(what, key, quiet=quiet)
    _write(output or add_to, [data for data, _ in made.values()])
    if as_json:
        terminal.write_json({"attestations": [_document(*one) for one in made.items()]})
    elif not quiet and output != "-":
        _show(made, output or add_to)
    return 0


Made = dict[str, tuple[bytes, Any]]
"""Envelopes by id, each with its statement's subjects and signatures."""


def _make(what: str, key: str, *, quiet: bool) -> Made:
    from mlxkit.attest.gather import gather
    from mlxkit.attest.keys import chosen_key, open_signer
    from mlxkit.attest.make import keep, sign

    with knowing(quiet=quiet) as index:
        chosen = chosen_key(index.git_root, key)
        claims = gather(index, what)
        signer = open_signer(chosen, _ask())
        return keep(index.git_root, [sign(one, signer) for one in claims], signer.public)


def _add(path: str, key: str) -> Made:
    from mlxkit.attest.keys import chosen_key, open_signer
    from mlxkit.attest.make import add_signature, keep
    from mlxkit.tools import git

    git_root = git.require_root(".")
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name an attestation's file") from None
    signer = open_signer(chosen_key(git_root, key), _ask())
    return keep(git_root, [add_signature(data, signer)], signer.public)


def _ask() -> Any:
    """Return what asks for a passphrase, None where nobody can answer."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    import getpass

    def ask(prompt: str) -> str:
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise UsageError("no passphrase was given", hint="or use ssh-agent: ssh-add") from None

    return ask


def _write(output: str, envelopes: list[bytes]) -> None:
    """Write one envelope, or several one a line, as in-toto's bundles have it."""
    if output == "-":
        terminal.write(b"".join(envelopes).decode("ascii").rstrip("\n"))
    elif output:
        from mlxkit.core.files import write_atomic

        write_atomic(os.path.abspath(output), b"".join(envelopes))


def _document(name: str, one: tuple[bytes, Any]) -> dict[str, Any]:
    statement = one[1]
    claim = statement.claim
    return {
        "id": name,
        "stage": claim.stage if claim else None,
        "run": claim.run if claim else None,
        "subjects": [{"name": each.name, "digest": each.digest} for each in statement.subjects],
    }


def _show(made: Made, output: str) -> None:
    for name, (_, statement) in made.items():
        for one in statement.subjects[:5]:
            digest = one.digest.get("sha256") or one.digest.get("dirHash", "")
            word = terminal.styled("attested", "green")
            terminal.write(f"{word}  {one.name}  {digest[:16]}")
        if len(statement.subjects) > 5:
            terminal.write(f"          and {len(statement.subjects) - 5} more")
        claim = statement.claim
        by = f"run {claim.run[:12]}" if claim and claim.run else "no run is on record"
        if claim:
            terminal.write(f"          of stage '{claim.stage}', {by}; kept as {name[:12]}")
    if output:
        terminal.note(f"wrote {output}")
