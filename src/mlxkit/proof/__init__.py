"""Whether what is recorded holds: checked by looking, and by running again."""
