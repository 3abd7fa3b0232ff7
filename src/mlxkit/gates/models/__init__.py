"""Models as files: what they are by their content, and calling them in a process of their own."""
