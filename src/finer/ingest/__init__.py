"""Ingest decides whether a record keeps its contract: it is accepted in columns, or kept with every reason why not.

Facts in: none. Facts out: none; receipts tell what became of what was sent.
"""
