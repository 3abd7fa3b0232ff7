"""`models` of `mlx.yaml`: what no record knows of a model, for its card."""

from pydantic import Field

from mlxkit.settings.base import Name, Part


class ModelCard(Part):
    """What no record knows of a model, for `mlx model card`."""

    intended_use: Name | None = None
    """What it is for, and for whom."""
    out_of_scope: Name | None = None
    """What it is not for."""
    limits: list[Name] = Field(default=[])
    """Where it is known to be weak."""
    ethics: Name | None = None
    """Ethical considerations: whom it could harm, and what was done about it."""
    owner: Name | None = None
    """Who answers for it."""
    license: Name | None = None
    """Under which terms it may be used."""
