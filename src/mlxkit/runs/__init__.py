"""Run records: what each stage run was, kept in Git beside the code."""
