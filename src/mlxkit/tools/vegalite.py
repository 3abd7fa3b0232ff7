"""The door to vl-convert: the Vega libraries as one script, and pictures made without a browser."""

import json
from typing import Any

from mlxkit.core.errors import MlxError

VERSION = "6.4"
"""Of Vega-Lite: the one that goes with the version of Vega in the library."""


def require() -> Any:
    """Return the library; raises MlxError where it is not installed."""
    try:
        import vl_convert
    except ImportError:
        raise MlxError(
            "drawing plots needs vl-convert, which is not installed",
            hint="run: pip install 'mlxkit[plots]'   (without it: mlx plots show --json)",
        ) from None
    return vl_convert


def version() -> str:
    """Identify what `bundle` returns, without making it; raises MlxError as `require` does."""
    library = require()
    return f"{library.__version__}-{VERSION}"


def bundle() -> str:
    """Return one script, free of imports, that defines `vegaEmbed`; takes a second."""
    script: str = require().javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VERSION)
    if "</script" in script.lower() or "<!--" in script:
        raise MlxError("vl-convert's script cannot be put into a page", hint="install another")
    return script


def picture(document: dict[str, Any], kind: str, config: dict[str, Any]) -> bytes:
    """Return a Vega-Lite document drawn as `png` or `svg`; raises MlxError. Loads nothing."""
    library = require()
    text = json.dumps(document, allow_nan=False)
    common: dict[str, Any] = {
        "vl_version": VERSION,
        "config": config,
        "allowed_base_urls": [],
    }
    try:
        if kind == "png":
            drawn: bytes = library.vegalite_to_png(text, scale=2, **common)
            return drawn
        return str(library.vegalite_to_svg(text, **common)).encode()
    except ValueError as error:
        # A heading, the reason, and then where in the library.
        lines = str(error).strip().splitlines()
        raise MlxError(f"Vega-Lite cannot draw it: {' '.join(lines[1:2] or lines)}") from None
