"""The rules of decisions: pure functions."""
