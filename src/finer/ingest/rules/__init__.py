"""The pure part of ingest: contracts, parsing, checks."""
