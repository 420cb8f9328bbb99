"""HTTP of ingest."""
