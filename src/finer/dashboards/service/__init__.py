"""The public interface of dashboards."""
