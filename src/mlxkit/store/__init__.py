"""Content by digest: the cache, what the workspace holds, and moving between the two."""
