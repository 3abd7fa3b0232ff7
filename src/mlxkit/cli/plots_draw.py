"""Draws what `mlx plots show` and `mlx plots diff` were asked for."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxkit.cli import terminal
from mlxkit.cli.diff_blocks import printable as plain
from mlxkit.cli.reading import reading
from mlxkit.core.errors import ExitCode, MlxError, UsageError
from mlxkit.core.files import write_atomic
from mlxkit.pipeline.session import Session

if TYPE_CHECKING:
    from mlxkit.plots.collect import Collected
    from mlxkit.plots.drawn import Prepared
    from mlxkit.plots.page import Page


class Request(NamedTuple):
    """What was asked for; `revisions` are None for the working tree alone."""

    revisions: Sequence[str] | None
    targets: Sequence[str]
    properties: dict[str, Any]
    out: str | None
    form: str
    open_page: bool
    quiet: bool


def draw(request: Request) -> int:
    """Write a page, or a picture of each plot; print where. Raises MlxError."""
    from mlxkit.plots.drawn import make_ready
    from mlxkit.plots.page import Page
    from mlxkit.tools import dvc_plots

    with reading() as session:
        collected = _collect(session, request, twins=False)
        found = dvc_plots.draw(collected.revisions, _templates(session))
        ready = make_ready(found, list(collected.revisions))
        reasons = _reasons(collected, ready)
        if not ready.charts and not ready.images:
            return _nothing(collected, reasons, request)
        _note(reasons, request)
        folder = os.path.abspath(_out(session, request))
        if request.form != "html":
            return _pictures(ready, list(collected.revisions), folder, request)
        title = f"Plots of {os.path.basename(session.root)}"
        page = Page(title, list(collected.revisions), ready.charts, ready.images, reasons)
        path = _page(session, page, folder)
    terminal.write(Path(path).as_uri())
    if request.open_page or session.declared.config.get("plots", {}).get("auto_open"):
        _open(path)
    return ExitCode.OK


def draw_json(request: Request, *, split: bool) -> int:
    """Print what DVC prints with `--json`; images are written beside. Raises MlxError."""
    from mlxkit.plots.document import document
    from mlxkit.tools import dvc_plots

    with reading() as session:
        collected = _collect(session, request)
        found = dvc_plots.draw(
            collected.revisions, _templates(session), images=_out(session, request), split=split
        )
        terminal.write_json(document(collected, found))
    return ExitCode.OK


def draw_vega(request: Request) -> int:
    """Print the Vega-Lite document of the one plot that is named; raises MlxError."""
    from mlxkit.tools import dvc_plots

    if len(request.targets) != 1:
        raise UsageError("--show-vega prints one plot: name it", hint="for all plots: --json")
    with reading() as session:
        collected = _collect(session, request)
        found = dvc_plots.draw(collected.revisions, _templates(session))
    for rev, error in collected.failed.items():
        terminal.note(f"{plain(rev)}: {plain(str(error))}")
    charts = [one for one in found if one.kind == "vega"]
    if charts:
        terminal.write_json(charts[0].document or {})
    else:
        terminal.note("nothing of that name has points")
    return ExitCode.OK


def _collect(session: Session, request: Request, *, twins: bool = True) -> "Collected":
    from mlxkit.plots.collect import Wanted, collect
    from mlxkit.plots.revisions import sources

    wanted = Wanted(request.targets, request.properties, twins)
    return collect(sources(session, request.revisions), wanted, session.root)


def _templates(session: Session) -> str:
    from mlxkit.plots.collect import templates_folder

    return templates_folder(session.root)


def _out(session: Session, request: Request) -> str:
    configured = session.declared.config.get("plots", {}).get("out_dir")
    return request.out or configured or "dvc_plots"


def _reasons(collected: "Collected", ready: "Prepared") -> list[str]:
    """Say why revisions and plots are left out."""
    found = [f"{rev}: {error}" for rev, error in collected.failed.items()]
    found += [f"not drawn: {name}: {error}" for name, error in collected.refused.items()]
    return found + [f"not drawn: {why}" for why in ready.empty]


def _nothing(collected: "Collected", reasons: list[str], request: Request) -> int:
    """Say why nothing is drawn: it is an error where something should have been."""
    if collected.failed and not collected.revisions:
        raise next(iter(collected.failed.values()))
    if len(reasons) == 1:
        why = plain(reasons[0]).removeprefix("not drawn: ")
        raise MlxError(why, hint="see what is declared: mlx plots show --json")
    if reasons:
        _note(reasons, request)
        raise MlxError("no plot could be drawn", hint="see above what is wrong with each")
    if request.targets:
        named = ", ".join(f"'{plain(one)}'" for one in request.targets)
        raise UsageError(f"there is no plot and no file {named}", hint="see: mlx plots show --json")
    terminal.note("no plots are declared: add `plots:` to dvc.yaml or to one of its stages")
    return ExitCode.OK


def _note(reasons: list[str], request: Request) -> None:
    for one in () if request.quiet else reasons:
        terminal.note(plain(one))


def _page(session: Session, page: "Page", folder: str) -> str:
    from mlxkit.plots.page import render, script

    bundle = script(os.path.join(session.root, ".mlx", "cache")) if page.charts else ""
    path = os.path.join(folder, "index.html")
    os.makedirs(folder, exist_ok=True)
    write_atomic(path, render(page, bundle).encode("utf-8", "replace"), sync=False)
    return path


def _pictures(ready: "Prepared", revisions: list[str], folder: str, request: Request) -> int:
    from mlxkit.plots.picture import write_pictures

    written = write_pictures(ready.charts, ready.images, revisions, folder, request.form)
    for path in written.paths:
        terminal.write(os.path.relpath(path))
    for name, error in written.failed:
        terminal.note(f"not drawn: {plain(name)}: {plain(str(error))}")
    return ExitCode.FAILED if written.failed else ExitCode.OK


def _open(path: str) -> None:
    import webbrowser

    if not webbrowser.open(Path(path).as_uri()):
        terminal.note("no browser could be opened; open the file yourself")
