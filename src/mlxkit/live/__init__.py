"""Metrics of stages that are running, looked at as they grow."""
