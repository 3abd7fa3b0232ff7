"""`mlx plots`: plots of one or several revisions, as one page, pictures, or DVC's JSON."""

from typing import Annotated, Any

import typer

from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import Json, ManyTargets, Quiet, Verbose, new_app
from mlxkit.cli.plots_draw import Request, draw, draw_json, draw_vega
from mlxkit.core.errors import UsageError

app = new_app()

Template = Annotated[
    str | None, typer.Option("--template", "-t", metavar="NAME", help="A template, or its file.")
]
X = Annotated[str | None, typer.Option("-x", metavar="FIELD", help="What the x axis shows.")]
Y = Annotated[str | None, typer.Option("-y", metavar="FIELD", help="What the y axis shows.")]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="CSV and TSV files have no line of names.")
]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Title.")]
XLabel = Annotated[str | None, typer.Option("--x-label", metavar="TEXT", help="Of the x axis.")]
YLabel = Annotated[str | None, typer.Option("--y-label", metavar="TEXT", help="Of the y axis.")]
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Where to write: dvc_plots."),
]
Form = Annotated[
    str, typer.Option("--format", metavar="html|png|svg", help="One page, or a file a plot.")
]
ShowVega = Annotated[
    bool, typer.Option("--show-vega", help="Print the Vega-Lite document of one plot.")
]
Split = Annotated[
    bool, typer.Option("--split", help="With --json: documents and their parts apart.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
HtmlTemplate = Annotated[
    str | None,
    typer.Option("--html-template", metavar="FILE", help="Let DVC fill in a page of your own."),
]


@app.callback()
def plots() -> None:
    """Draw plots; compare them between revisions.

    Example: mlx plots diff main
    """


@app.command(short_help="Draw the plots of the working tree.")
def show(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGETS]...", help="Names of plots, or files; all by default."),
    ] = None,
    template: Template = None,
    x: X = None,
    y: Y = None,
    no_header: NoHeader = False,
    title: Title = None,
    x_label: XLabel = None,
    y_label: YLabel = None,
    out: Out = None,
    form: Form = "html",
    show_vega: ShowVega = False,
    as_json: Json = False,
    split: Split = False,
    open_page: Open = False,
    html_template: HtmlTemplate = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Draw the plots of the working tree: one page that needs no network, or pictures.

    Example: mlx plots show --format png -o pictures
    """
    properties = _properties(template, x, y, no_header, title, x_label, y_label)
    form = _form(form)
    request = Request(None, targets or [], properties, out, form, open_page, quiet)
    if html_template:
        words = ["plots", "show", *(targets or []), "--html-template", html_template]
        return give_to_dvc([*words, *_for_dvc(properties, out, open_page)])
    return _draw(request, as_json=as_json, split=split, show_vega=show_vega)


@app.command(cls=ManyTargets, short_help="Draw the plots of several revisions together.")
def diff(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REVISIONS]...", help="Commits, branches, tags, experiments."),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option("--targets", metavar="PLOTS", help="Only these plots or files."),
    ] = None,
    template: Template = None,
    x: X = None,
    y: Y = None,
    no_header: NoHeader = False,
    title: Title = None,
    x_label: XLabel = None,
    y_label: YLabel = None,
    out: Out = None,
    form: Form = "html",
    show_vega: ShowVega = False,
    as_json: Json = False,
    split: Split = False,
    open_page: Open = False,
    html_template: HtmlTemplate = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Draw the plots of several revisions together; one revision is compared with the files here.

    Example: mlx plots diff HEAD~1 HEAD --targets loss.csv
    """
    properties = _properties(template, x, y, no_header, title, x_label, y_label)
    request = Request(
        revisions or [], targets or [], properties, out, _form(form), open_page, quiet
    )
    if html_template:
        words = ["plots", "diff", *(revisions or []), "--html-template", html_template]
        chosen = ["--targets", *targets] if targets else []
        return give_to_dvc([*words, *_for_dvc(properties, out, open_page), *chosen])
    return _draw(request, as_json=as_json, split=split, show_vega=show_vega)


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def templates(ctx: typer.Context) -> int:
    """List DVC's templates, or print one (from DVC)."""
    return give_to_dvc(["plots", "templates", *ctx.args])


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def modify(ctx: typer.Context) -> int:
    """Change how a stage's plot is shown (from DVC)."""
    return give_to_dvc(["plots", "modify", *ctx.args])


def _draw(request: Request, *, as_json: bool, split: bool, show_vega: bool) -> int:
    if show_vega and as_json:
        raise UsageError("--show-vega and --json exclude each other", hint="choose one of them")
    if show_vega:
        return draw_vega(request)
    return draw_json(request, split=split) if as_json else draw(request)


def _properties(
    template: str | None,
    x: str | None,
    y: str | None,
    no_header: bool,
    title: str | None,
    x_label: str | None,
    y_label: str | None,
) -> dict[str, Any]:
    """Return only what was given: it wins over what is declared."""
    given = {
        "template": template,
        "x": x,
        "y": y,
        "x_label": x_label,
        "y_label": y_label,
        "title": title,
        "header": False if no_header else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _form(form: str) -> str:
    if form not in ("html", "png", "svg"):
        raise UsageError(f"'{form}' is no format", hint="choose html, png or svg")
    return form


def _for_dvc(properties: dict[str, Any], out: str | None, open_page: bool) -> list[str]:
    flags = {
        "template": "--template",
        "x": "-x",
        "y": "-y",
        "x_label": "--x-label",
        "y_label": "--y-label",
        "title": "--title",
    }
    given = [(flag, properties[name]) for name, flag in flags.items() if name in properties]
    words = [word for pair in given for word in pair]
    words += ["--no-header"] if "header" in properties else []
    words += ["--out", out] if out else []
    return words + (["--open"] if open_page else [])
