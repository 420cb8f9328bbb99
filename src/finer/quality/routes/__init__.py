"""HTTP of quality."""
