"""Sliding-window features: declared once, kept incrementally for the stream, written as SQL for the lake.

Facts in: none. Facts out: none.
"""
