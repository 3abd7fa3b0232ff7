"""The JSON Schema of `mlx.yaml`, for editors: `python -m mlxkit.settings.schema FILE` writes it."""

import json
import sys


def schema_text() -> str:
    """Return the schema as the text of a file."""
    from mlxkit.settings.model import Settings

    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "mlx.yaml",
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def main(path: str) -> None:
    """Write the schema to `path`."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(schema_text())


if __name__ == "__main__":
    main(sys.argv[1])
