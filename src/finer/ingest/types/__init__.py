"""What ingest speaks."""
