"""Helpers for tests that run whole commands on real repositories."""
