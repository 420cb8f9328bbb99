"""The public interface of operations."""
