"""The processes and their wiring. Read pipeline.py (the way of a record) and flow.py (which fact wakes whom) first."""
