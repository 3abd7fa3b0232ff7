"""What `mlx ci init` says beside the files: what is missing, and what to do on GitHub."""

import os

from mlxkit.ci.fitting import UNSAID, doubts, storage
from mlxkit.ci.init import deploy_script, lacking_gates, left_over
from mlxkit.ci.options import Options
from mlxkit.cli import terminal
from mlxkit.cli.terminal import printable
from mlxkit.settings.load import section


def hint(top: str, options: Options, states: dict[str, str]) -> None:
    """Say what is still missing."""
    root = os.path.join(top, options.folder)
    lacking = lacking_gates(options, section(root, "gates"))
    if lacking:
        names = ", ".join(lacking)
        terminal.note(f"mlx.yaml lacks gates that the workflows ask for: {names}")
    _hint_storage(top, root, options)
    left = left_over(top, options)
    if left:
        terminal.note(f"still there, and none of these: git rm {' '.join(left)}")
    if "changed" in states.values():
        terminal.note("hint: what somebody changed is left alone; --force overwrites it")
    elif not {"missing", "outdated"}.isdisjoint(states.values()):
        terminal.note("hint: to write them: mlx ci init")


def _hint_storage(top: str, root: str, options: Options) -> None:
    """Say where a server could not reach the data, as far as that is seen from here."""
    if set(options.only) == {"test"}:
        return
    there = storage(root)
    if there is None:
        terminal.note("no remote is the default: data do not get to a server; mlx remote add -d")
    elif not there.scheme and not _is_within(os.path.join(root, ".dvc", there.url), top):
        terminal.note(f"remote '{printable(there.name)}' is a folder of this machine only")
    elif there.scheme not in ("", "http", "https") and not options.secrets:
        terminal.note(
            f"remote '{printable(there.name)}' is on {there.scheme}://: without a --secret, "
            "workflows read what all may read, and cannot push"
        )


def _is_within(path: str, folder: str) -> bool:
    return os.path.commonpath([os.path.realpath(path), os.path.realpath(folder)]) == (
        os.path.realpath(folder)
    )


def next_steps(top: str, options: Options, *, guessed: bool) -> None:
    """Say what a person does after files were written; `guessed` where nobody gave --install."""
    if guessed or options.install == UNSAID:
        for one in doubts(os.path.join(top, options.folder), options.install):
            terminal.note(f"warning: {one}")
    if guessed and options.install != UNSAID:
        terminal.note(f"guessed, so look at it: --install {printable(options.install)}")
        terminal.note(f"                        --test {printable(options.test)}")
    terminal.note("what is left to do, told in docs/ci.md:")
    folder = printable(os.path.relpath(os.path.join(top, ".github")))
    for one in (*_on_github(options), f"then: git add {folder} && git commit && git push"):
        terminal.note(f"- {one}")


def _on_github(options: Options) -> list[str]:
    """Return what is set up in the repository's settings, as far as these workflows ask for it."""
    only = set(options.only)
    found = []
    names = list(options.secrets) if only - {"test"} else []
    if "deploy" in only:
        names += [options.signing_key, *options.deploy_secrets]
        found.append(f"fill in {deploy_script(options.folder)}")
    if options.push_token and {"train", "retrain"} & only:
        names.append(options.push_token)
    if names:
        found.append(
            f"Settings > Secrets and variables > Actions: {', '.join(dict.fromkeys(names))}"
        )
    if "deploy" in only:
        tags = f"{options.folder}=*" if options.folder else "*"
        found.append(
            "Settings > Environments: one for each stage, as prod, with reviewers, for the tags "
            f"{tags}#prod#*"
        )
    checks = _checks(options)
    if checks:
        found.append(f"Settings > Rules > Rulesets, required checks: {', '.join(checks)}")
    return found


def _checks(options: Options) -> list[str]:
    within = f" ({options.folder})" if options.folder else ""
    found = [f"gates{within}"] if "review" in options.only else []
    if "test" in options.only:
        found += [f"test{within} (Python {one})" for one in options.python]
    return found
