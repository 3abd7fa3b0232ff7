"""Git-centric data and model versioning on DVC's formats."""

__version__ = "0.1.0"
