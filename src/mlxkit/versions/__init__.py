"""Models, their versions and stages, as the tags of the repository say."""
