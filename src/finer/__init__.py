"""Finer: real-time financial intelligence. Read app/pipeline.py and app/flow.py first."""
