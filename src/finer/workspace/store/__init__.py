"""The SQL of the workspace."""
