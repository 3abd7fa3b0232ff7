"""What can be known of files and what made them: Git history and run records, asked."""
