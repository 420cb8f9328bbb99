"""Ingest: decides whether a record keeps its data contract; accepts it in columns or keeps it with every reason why not."""
