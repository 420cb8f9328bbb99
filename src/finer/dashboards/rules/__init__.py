"""Pure functions of dashboards."""
