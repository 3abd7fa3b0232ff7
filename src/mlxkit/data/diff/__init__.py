"""Which files differ between two revisions."""
