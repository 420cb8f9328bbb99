"""The SQL of ingest: receipts and the log, quarantined records, counts over time."""
