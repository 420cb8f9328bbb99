"""Screening: whether a customer or a payee is on a list of sanctions, of politically exposed persons, or of the firm.

Facts in: none. Facts out: none. Customers come from the lake, payees from whoever asks; a person judges every hit.
"""
