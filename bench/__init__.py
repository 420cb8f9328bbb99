"""Benchmarks: every figure of docs/reference/performance.md has a command here that prints it as JSON."""
