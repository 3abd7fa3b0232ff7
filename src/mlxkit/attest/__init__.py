"""Signed statements of what made a file: in-toto, SLSA provenance, DSSE."""
