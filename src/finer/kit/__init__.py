"""What every domain stands on: settings, database, transactions, event log, conditions, errors. No domain word."""
