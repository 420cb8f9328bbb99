"""Finer's tests."""
