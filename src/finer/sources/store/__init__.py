"""The SQL of sources: our own tables, and the tables of other people's databases."""
