"""HTTP of screening."""
