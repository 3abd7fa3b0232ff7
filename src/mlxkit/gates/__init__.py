"""Gates: rules of `mlx.yaml` applied to what is recorded, with verdicts that are kept."""
