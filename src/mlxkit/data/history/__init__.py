"""What Git's history says about data."""
