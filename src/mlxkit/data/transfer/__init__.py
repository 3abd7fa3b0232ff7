"""Cache <-> remotes."""
