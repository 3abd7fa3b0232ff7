"""The audit log: a chain of events in Git that shows when it was tampered with."""
