"""What nothing refers to, and deleting it."""
