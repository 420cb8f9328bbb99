"""Sliding-window features: what is declared once here is kept incrementally for the stream and written as SQL for the lake.

Facts in: none. Facts out: none.
"""
