"""HTTP of operations."""
