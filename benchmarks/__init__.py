"""mlx against dvc on the same work, in one run, on one machine."""
