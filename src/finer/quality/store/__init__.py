"""The SQL of quality."""
