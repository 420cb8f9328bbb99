"""The domain facts: what happened, frozen and versioned, one module per domain. No behaviour.

app/flow.py says which handlers each fact wakes.
"""
