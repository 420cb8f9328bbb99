"""HTTP of the workspace."""
