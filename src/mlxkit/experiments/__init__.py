"""Experiments: DVC's references, sweeps, runs in worktrees of their own."""
