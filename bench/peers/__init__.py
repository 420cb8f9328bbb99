"""The peers' side of the benchmarks. These scripts import nothing of Finer and run in their own environment."""
