"""Candidates ranked on one frozen test set."""
