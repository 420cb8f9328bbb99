"""Decisions: one shape for every verdict, and the alerts that people work on.

Decides: which state an alert is in. In: verdicts of the deciding domains. Out: AlertResolved.
"""
