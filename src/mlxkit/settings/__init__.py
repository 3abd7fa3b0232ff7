"""What `mlx.yaml` says, as one model."""
