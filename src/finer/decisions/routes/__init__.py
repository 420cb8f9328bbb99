"""HTTP of decisions."""
