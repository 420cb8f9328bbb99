"""HTTP of privacy."""
