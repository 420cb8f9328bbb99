"""The public interface of the workspace."""
