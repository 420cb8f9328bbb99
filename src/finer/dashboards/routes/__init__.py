"""HTTP of dashboards."""
