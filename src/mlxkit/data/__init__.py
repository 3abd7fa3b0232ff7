"""The data plane: bringing tracked data into the cache, out of it, and to and from remotes."""
