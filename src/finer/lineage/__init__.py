"""Lineage: where each column comes from and who reads it, and the catalogue of everything that data people can name.

Decides: nothing; it reads the definitions that everybody else decides by. In: nothing. Out: nothing.
"""
