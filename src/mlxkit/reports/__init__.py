"""What changed between two revisions, and whether its gates pass: for a pull request, or a page."""
