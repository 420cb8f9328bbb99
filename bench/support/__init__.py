"""What benchmarks share: a server of their own, bodies that cost little to make, reports."""
