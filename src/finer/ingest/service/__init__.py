"""The public interface of ingest, a module for each thing that can be asked of it."""
