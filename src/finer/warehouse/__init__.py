"""The lake: every accepted record and every decision as Parquet, and SQL over them.

Decides nothing. Facts in: AlertResolved (becomes a label). Facts out: none.
"""
