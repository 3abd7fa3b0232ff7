"""Objects that are not what their names say."""
