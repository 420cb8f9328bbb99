"""The SQL of dashboards."""
