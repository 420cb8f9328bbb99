"""The SQL of the warehouse: DuckLake catalogues, Parquet files, queries in a sandbox, freshness."""
