"""Fraud: decides whether a transaction is approved, reviewed or blocked. In: transactions. Out: verdicts."""
