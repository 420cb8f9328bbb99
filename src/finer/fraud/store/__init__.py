"""The SQL of fraud."""
