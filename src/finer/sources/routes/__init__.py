"""HTTP of sources."""
