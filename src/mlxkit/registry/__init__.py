"""Versions of models and the stages they are in: Git tags, in the grammar that GTO uses."""
