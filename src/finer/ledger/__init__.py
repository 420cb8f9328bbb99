"""Ledger: money. Today: dated exchange rates. Decides what an amount is worth in US dollars on a day."""
