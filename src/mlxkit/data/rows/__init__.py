"""How two tables differ."""
