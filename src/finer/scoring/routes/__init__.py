"""HTTP of scoring."""
